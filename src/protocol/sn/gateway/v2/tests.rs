//! Exchanges of the gateway with a scripted client and a scripted broker.

use super::*;
use crate::protocol::sn::PredefinedTopics;
use crate::protocol::sn::v2::{
    Ack, Connect, Delivery as SnDelivery, Publish, Pubwos, Register, Subscribe, Topic, TopicAck, TopicAlias,
};
use crate::protocol::{
    Ack as MqttAck, PacketReader, Properties, Publish as MqttPublish, Qos, ReasonCode, SizeLimits,
    SubscriptionOptions, Version,
};

/// A client, the time, and the results of the last step.
struct Peer {
    client: Client,
    settings: Settings,
    predefined: PredefinedTopics,
    now: Instant,
    out: Output,
}

const INTERVAL: Duration = Duration::from_secs(10);

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn connect() -> Connect<'static> {
    Connect {
        clean_start: true,
        has_changing_address: false,
        accepts_suggestions: false,
        packet_id: id(1),
        keep_alive: 60,
        maximum_packet_size: 0,
        default_awake_messages: None,
        session_expiry: None,
        will: None,
        authentication: None,
        client_id: "c1",
    }
}

impl Peer {
    fn new() -> Peer {
        let now = Instant::now();
        let settings = Settings {
            retry_interval: INTERVAL,
            retry_count: 2,
            queued_messages: 10,
            queued_bytes: 10_000,
            topics: 2,
            datagram_size: 1000,
            version: Version::V5,
        };
        let predefined = PredefinedTopics::parse("9 pre/defined").unwrap();
        Peer { client: Client::new("c1", now), settings, predefined, now, out: Output::default() }
    }

    fn connected() -> Peer {
        Peer::connected_as(connect())
    }

    fn connected_as(connect: Connect<'_>) -> Peer {
        let mut peer = Peer::new();
        peer.receive(&Packet::Connect(connect));
        assert_eq!(peer.out.action, Some(Action::Open));
        peer.step(|client, context, out| client.broker_accepted(Limits::default(), context, out));
        assert_eq!(peer.take(), ["06 02 00 00 01 00"]);
        peer
    }

    fn step(&mut self, step: impl FnOnce(&mut Client, Context<'_>, &mut Output)) {
        self.out = Output::default();
        let context = Context::of(self.now, &self.settings, &self.predefined);
        step(&mut self.client, context, &mut self.out);
    }

    fn receive(&mut self, packet: &Packet<'_>) {
        self.step(|client, context, out| client.receive(packet, context, out));
    }

    fn broker(&mut self, packet: &MqttPacket<'_>) {
        self.step(|client, context, out| client.receive_packet(packet, context, out));
    }

    fn message(&mut self, topic: &str, qos: Qos) {
        let packet_id = if qos == Qos::AtMostOnce { None } else { Some(id(3)) };
        let (dup, retain, properties, payload) = (false, false, Properties::EMPTY, &b"on"[..]);
        self.broker(&MqttPacket::Publish(MqttPublish {
            dup,
            qos,
            retain,
            topic,
            packet_id,
            properties,
            payload,
        }));
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.step(Client::tick);
    }

    /// The datagrams in hexadecimal digits.
    fn take(&mut self) -> Vec<String> {
        let hex = |datagram: Vec<u8>| {
            datagram.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        };
        std::mem::take(&mut self.out.datagrams).into_iter().map(hex).collect()
    }

    /// The types of the packets for the broker.
    fn packets(&self) -> Vec<String> {
        let mut reader = PacketReader::new(&self.out.packets, SizeLimits::all(1 << 20));
        std::iter::from_fn(|| {
            reader.read(Version::V5).unwrap().map(|packet| packet.packet_type().to_string())
        })
        .collect()
    }
}

fn publish(packet_id: u16, topic: Topic<'static>) -> Packet<'static> {
    let delivery = SnDelivery::AtLeastOnce(id(packet_id));
    Packet::Publish(Publish { dup: false, retain: false, delivery, topic, payload: b"on" })
}

fn name(topic: &'static str) -> Topic<'static> {
    Topic::Name(topic)
}

fn success(packet_id: u16) -> MqttAck<'static> {
    MqttAck::new(id(packet_id), ReasonCode::SUCCESS)
}

#[test]
fn a_client_registers_and_publishes() {
    let mut peer = Peer::connected();
    peer.receive(&Packet::Register(Register { packet_id: id(2), alias: None, topic: "a/b" }));
    assert_eq!(peer.take(), ["07 11 04 00 02 00 01"]);
    peer.receive(&Packet::Register(Register { packet_id: id(3), alias: None, topic: "pre/defined" }));
    assert_eq!(peer.take(), ["08 11 05 00 03 00 09 1a"]);
    peer.receive(&publish(4, Topic::Alias(TopicAlias::Session(1))));
    assert_eq!(peer.packets(), ["PUBLISH"]);
    peer.receive(&publish(4, Topic::Alias(TopicAlias::Session(1)))); // repeated
    assert_eq!(peer.packets(), [""; 0]);
    peer.broker(&MqttPacket::Puback(MqttAck::new(id(4), ReasonCode::NOT_AUTHORIZED)));
    assert_eq!(peer.take(), ["05 04 00 04 87"]);
    peer.receive(&publish(5, Topic::Alias(TopicAlias::Session(7))));
    assert_eq!(peer.take(), ["05 04 00 05 f0"]);
    peer.receive(&publish(6, name("a/#")));
    assert_eq!(peer.take(), ["05 04 00 06 90"]);
}

#[test]
fn a_second_request_ends_the_connection_but_a_late_copy_does_not() {
    let mut peer = Peer::connected();
    peer.receive(&publish(2, name("a")));
    peer.broker(&MqttPacket::Puback(success(2)));
    peer.receive(&publish(3, name("a")));
    peer.receive(&publish(2, name("a"))); // the network delivers it late
    assert_eq!(peer.take(), [""; 0]);
    peer.receive(&Packet::Pingreq { packet_id: id(4) });
    assert_eq!(peer.take(), ["04 0e 04 93"]);
    assert_eq!(peer.out.action, Some(Action::Abandon));
    peer.receive(&Packet::Pingreq { packet_id: id(5) });
    assert_eq!(peer.take(), ["06 0e 05 00 05 f4"]);
}

#[test]
fn a_message_of_qos_2_is_passed_on_once() {
    let mut peer = Peer::connected();
    let delivery = SnDelivery::ExactlyOnce(id(2));
    let message = Publish { dup: false, retain: false, delivery, topic: name("a"), payload: b"on" };
    peer.receive(&Packet::Publish(message));
    assert_eq!(peer.packets(), ["PUBLISH"]);
    peer.broker(&MqttPacket::Pubrec(success(2)));
    assert_eq!(peer.take(), ["04 05 00 02"]);
    peer.receive(&Packet::Publish(Publish { dup: true, ..message })); // PUBREC was lost
    assert_eq!(peer.take(), ["04 05 00 02"]);
    peer.receive(&Packet::Pubrel(Ack::success(id(2))));
    assert_eq!(peer.packets(), ["PUBREL"]);
    peer.broker(&MqttPacket::Pubcomp(success(2)));
    assert_eq!(peer.take(), ["04 07 00 02"]);
    peer.receive(&Packet::Pubrel(Ack::success(id(2)))); // PUBCOMP was lost
    assert_eq!(peer.take(), ["04 07 00 02"]);
    peer.receive(&Packet::Publish(message)); // a late copy
    assert_eq!((peer.take(), peer.packets()), (vec![], vec![]));
    peer.receive(&Packet::Pubrel(Ack::success(id(9))));
    assert_eq!(peer.take(), ["05 07 00 09 92"]);
}

#[test]
fn messages_for_the_client_have_an_alias_or_a_name() {
    let mut peer = Peer::connected();
    peer.message("a/b", Qos::AtMostOnce);
    assert_eq!(peer.take(), ["0a 10 01 00 01 00 01 61 2f 62"]);
    peer.wait(INTERVAL);
    assert_eq!(peer.take(), ["0a 10 01 00 01 00 01 61 2f 62"]);
    let reason = Reason::SUCCESS;
    peer.receive(&Packet::Regack(TopicAck { packet_id: id(1), alias: None, reason }));
    assert_eq!(peer.take(), ["07 03 00 00 01 6f 6e"]);
    peer.message("c", Qos::AtMostOnce);
    let reason = Reason::QUOTA_EXCEEDED;
    peer.receive(&Packet::Regack(TopicAck { packet_id: id(2), alias: None, reason }));
    assert_eq!(peer.take(), ["08 03 03 00 01 63 6f 6e"]);
    peer.message("d", Qos::AtMostOnce); // the third topic of two
    assert_eq!(peer.take(), ["08 03 03 00 01 64 6f 6e"]);
}

#[test]
fn messages_for_the_client_are_repeated_without_dup_at_qos_1() {
    let mut peer = Peer::connected();
    peer.receive(&Packet::Register(Register { packet_id: id(2), alias: None, topic: "a" }));
    peer.message("a", Qos::AtLeastOnce);
    assert_eq!(peer.take(), ["09 03 20 00 03 00 01 6f 6e"]);
    for _ in 0..2 {
        peer.wait(INTERVAL);
        assert_eq!(peer.take(), ["09 03 20 00 03 00 01 6f 6e"]);
    }
    peer.wait(INTERVAL);
    assert_eq!((peer.take(), peer.out.note), (vec!["04 0e 04 80".to_owned()], Some(Note::NoAnswer)));

    let mut peer = Peer::connected();
    peer.receive(&Packet::Register(Register { packet_id: id(2), alias: None, topic: "a" }));
    peer.message("a", Qos::ExactlyOnce);
    peer.wait(INTERVAL);
    assert_eq!(peer.take(), ["09 03 c0 00 03 00 01 6f 6e"]);
    peer.receive(&Packet::Pubrec(Ack::success(id(3))));
    assert_eq!(peer.packets(), ["PUBREC"]);
    peer.broker(&MqttPacket::Pubrel(success(3)));
    assert_eq!(peer.take(), ["04 06 00 03"]);
    peer.receive(&Packet::Pubcomp(Ack::success(id(3))));
    assert_eq!(peer.packets(), ["PUBCOMP"]);
}

#[test]
fn a_client_that_answers_congestion_gets_the_request_again() {
    let mut peer = Peer::connected();
    let register = ["08 10 01 00 01 00 01 61"];
    let publish = ["09 03 20 00 03 00 01 6f 6e"];
    let congestion = |packet_id| TopicAck { packet_id, alias: None, reason: Reason::CONGESTION };
    peer.message("a", Qos::AtLeastOnce);
    assert_eq!(peer.take(), register);
    for _ in 0..2 {
        peer.wait(INTERVAL);
        assert_eq!(peer.take(), register);
    }
    // Without the answer, it would be lost now.
    peer.receive(&Packet::Regack(congestion(id(1))));
    peer.receive(&Packet::Regack(congestion(id(3)))); // of no request
    assert_eq!(peer.take(), [""; 0]);
    peer.wait(INTERVAL);
    assert_eq!(peer.take(), register);
    peer.receive(&Packet::Regack(TopicAck { packet_id: id(1), alias: None, reason: Reason::SUCCESS }));
    assert_eq!(peer.take(), publish);
    for _ in 0..2 {
        peer.wait(INTERVAL);
        assert_eq!(peer.take(), publish);
    }
    peer.receive(&Packet::Puback(Ack { packet_id: id(3), reason: Reason::CONGESTION }));
    assert_eq!((peer.take(), peer.packets()), (vec![], vec![]));
    peer.wait(INTERVAL);
    assert_eq!(peer.take(), publish);
    peer.receive(&Packet::Puback(Ack::success(id(3))));
    assert_eq!(peer.packets(), ["PUBACK"]);
}

#[test]
fn subscriptions_have_an_alias_unless_they_have_wildcards() {
    let mut peer = Peer::connected();
    for (packet_id, filter, answer) in
        [(2, "a/b", "08 09 04 00 02 00 01 01"), (3, "a/#", "06 09 01 00 03 01")]
    {
        let options = SubscriptionOptions { maximum_qos: Qos::AtLeastOnce, ..SubscriptionOptions::default() };
        peer.receive(&Packet::Subscribe(Subscribe {
            packet_id: id(packet_id),
            options,
            topic: name(filter),
        }));
        assert_eq!(peer.packets(), ["SUBSCRIBE"]);
        let ack = crate::protocol::SubscriptionAck::new(id(packet_id), Properties::EMPTY, &[1]);
        peer.broker(&MqttPacket::Suback(ack));
        assert_eq!(peer.take(), [answer]);
    }
}

#[test]
fn a_sleeping_client_gets_as_many_messages_as_it_wants() {
    let mut peer = Peer::connected_as(Connect { default_awake_messages: Some(1), ..connect() });
    peer.receive(&Packet::Register(Register { packet_id: id(2), alias: None, topic: "a" }));
    peer.receive(&Packet::Sleepreq { packet_id: id(3), duration: 100, retains_aliases: true });
    assert_eq!(peer.take(), ["05 14 00 00 03"]);
    peer.message("a", Qos::AtMostOnce);
    peer.message("a", Qos::AtMostOnce);
    assert_eq!(peer.take(), [""; 0]);
    peer.receive(&Packet::Pingreq { packet_id: id(4) });
    assert_eq!(peer.take(), ["07 03 00 00 01 6f 6e", "05 0d 00 04 01"]);
    peer.receive(&Packet::Pingreq { packet_id: id(5) });
    assert_eq!(peer.take(), ["07 03 00 00 01 6f 6e", "05 0d 00 05 00"]);
    peer.wait(Duration::from_secs(149));
    assert_eq!(peer.out.note, None);
    peer.wait(Duration::from_secs(1));
    assert_eq!((peer.take(), peer.out.note), (vec!["04 0e 04 8d".to_owned()], Some(Note::Silent)));
}

#[test]
fn disconnect_has_no_answer_and_may_change_the_session_expiry() {
    let mut peer = Peer::connected_as(Connect { session_expiry: Some(60), ..connect() });
    peer.receive(&Packet::Disconnect(Disconnect { session_expiry: Some(9), ..Disconnect::default() }));
    assert_eq!(peer.take(), [""; 0]);
    assert_eq!((peer.out.action, peer.out.session_expiry), (Some(Action::Disconnect), Some(9)));

    let mut peer = Peer::connected();
    peer.receive(&Packet::Disconnect(Disconnect { session_expiry: Some(9), ..Disconnect::default() }));
    assert_eq!((peer.take(), peer.out.action), (vec!["04 0e 04 82".to_owned()], Some(Action::Abandon)));

    let mut peer = Peer::connected();
    let reason = Some(Reason::DISCONNECT_WITH_WILL);
    peer.receive(&Packet::Disconnect(Disconnect { reason, ..Disconnect::default() }));
    assert_eq!(peer.out.action, Some(Action::Abandon));
}

#[test]
fn a_copy_of_connect_is_ignored_and_a_bad_one_refused() {
    let mut peer = Peer::connected();
    peer.receive(&Packet::Connect(connect()));
    assert_eq!((peer.take(), peer.out.action), (vec![], None));
    peer.receive(&Packet::Connect(Connect { packet_id: id(2), ..connect() }));
    assert_eq!(peer.out.action, Some(Action::Open));
    for (bad, answer) in [
        (Connect { keep_alive: 0, packet_id: id(3), ..connect() }, "06 02 00 00 03 82"),
        (Connect { maximum_packet_size: 9, packet_id: id(4), ..connect() }, "06 02 00 00 04 82"),
        (
            Connect {
                authentication: Some(crate::protocol::sn::v2::Authentication { method: "X", data: b"" }),
                packet_id: id(5),
                ..connect()
            },
            "06 02 00 00 05 8c",
        ),
    ] {
        peer.receive(&Packet::Connect(bad));
        assert_eq!(peer.take(), [answer]);
    }
}

#[test]
fn pubwos_goes_to_the_broker_at_qos_0() {
    let mut peer = Peer::connected();
    let topic = Topic::Alias(TopicAlias::Predefined(9));
    peer.receive(&Packet::Pubwos(Pubwos { retain: false, topic, payload: b"on" }));
    assert_eq!(peer.packets(), ["PUBLISH"]);
    let publish = Pubwos { retain: true, topic: name("a/#"), payload: b"" };
    assert_eq!(pubwos(&publish, &peer.predefined), None);
}
