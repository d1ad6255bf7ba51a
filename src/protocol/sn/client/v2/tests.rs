//! Exchanges of the client with a scripted gateway, with lost, repeated and reordered packets.

use super::*;
use crate::protocol::sn::client::AnyAdapter;
use crate::protocol::sn::v2::{
    Ack, Connack, Delivery, Disconnect, Packet as SnPacket, Publish as SnPublish, Reason, Register, Topic,
    TopicAck, TopicAlias,
};
use crate::protocol::{
    Ack as MqttAck, Connect, Disconnect as MqttDisconnect, Properties, Publish, Qos, ReasonCode, Subscribe,
    Subscription, SubscriptionOptions, Version,
};

/// A client, the time, and packets in both directions.
struct Peer {
    adapter: AnyAdapter,
    now: Instant,
}

const INTERVAL: Duration = Duration::from_secs(10);

impl Peer {
    fn new() -> Peer {
        Peer::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Peer {
        let mut settings = Settings {
            is_unconnected: false,
            predefined: Vec::new(),
            counts_rejections: true,
            sleep: None,
            retry_interval: INTERVAL,
            retry_count: 2,
        };
        change(&mut settings);
        Peer { adapter: AnyAdapter::new(crate::protocol::sn::Version::V20, settings), now: Instant::now() }
    }

    /// A client whose connection is accepted.
    fn connected() -> Peer {
        let mut peer = Peer::new();
        peer.connect();
        peer
    }

    fn connect(&mut self) {
        self.packet(&Packet::Connect(connect()));
        let SnPacket::Connect(connect) = decode(&self.take()) else { panic!("expected CONNECT") };
        self.answer(&SnPacket::Connack(connack(connect.packet_id, Reason::SUCCESS)));
        self.adapter.packets_mut().clear();
    }

    /// A packet of the MQTT client.
    fn packet(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(Version::V5, &mut bytes).unwrap();
        self.adapter.take_bytes(&bytes, self.now).unwrap();
    }

    /// A packet of the gateway.
    fn answer(&mut self, packet: &SnPacket<'_>) {
        self.adapter.take_datagram(&packet.to_datagram(), self.now).unwrap();
    }

    /// The next datagram for the gateway.
    fn take(&mut self) -> Vec<u8> {
        let datagram = self.adapter.datagram().expect("a datagram").to_vec();
        self.adapter.sent();
        datagram
    }

    fn is_silent(&self) -> bool {
        self.adapter.datagram().is_none()
    }

    /// The packets for the MQTT client.
    fn delivered(&mut self) -> Vec<String> {
        let bytes = std::mem::take(self.adapter.packets_mut());
        let mut packets = Traffic::reader(&bytes);
        let mut texts = Vec::new();
        while let Some(packet) = packets.read(Version::V5).unwrap() {
            texts.push(match packet {
                Packet::Publish(publish) => format!("{} {:?}", publish.topic, publish.qos),
                Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => {
                    format!("{} {}", ack.packet_id, ack.reason_code)
                }
                other => other.packet_type().to_string(),
            });
        }
        texts
    }

    fn wait(&mut self) -> Result<(), GatewayError> {
        self.now += INTERVAL;
        self.adapter.tick(self.now)
    }
}

/// The packet, in memory that the test does not free.
fn decode(datagram: &[u8]) -> SnPacket<'static> {
    SnPacket::decode(Box::leak(datagram.to_vec().into_boxed_slice())).unwrap()
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn connect() -> Connect<'static> {
    Connect {
        version: Version::V5,
        is_bridge: false,
        clean_start: true,
        keep_alive: 60,
        client_id: "c1",
        will: None,
        username: None,
        password: None,
        properties: Properties::EMPTY,
    }
}

fn connack(packet_id: PacketId, reason: Reason) -> Connack<'static> {
    Connack {
        session_present: false,
        packet_id,
        reason,
        session_expiry: None,
        server_keep_alive: None,
        authentication: None,
        assigned_client_id: "",
    }
}

fn publish(topic: &'static str, qos: Qos) -> Packet<'static> {
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain: false,
        topic,
        packet_id: if qos == Qos::AtMostOnce { None } else { Some(id(7)) },
        properties: Properties::EMPTY,
        payload: b"on",
    })
}

fn alias(packet_id: PacketId, alias: u16) -> SnPacket<'static> {
    let alias = Some(TopicAlias::Session(alias));
    SnPacket::Regack(TopicAck { packet_id, alias, reason: Reason::SUCCESS })
}

/// Registers the topic of the first message. Returns the PUBLISH.
fn register(peer: &mut Peer) -> Vec<u8> {
    let register = peer.take();
    let SnPacket::Register(Register { packet_id, alias: None, .. }) = decode(&register) else {
        panic!("expected REGISTER without an alias")
    };
    peer.answer(&alias(packet_id, 5));
    peer.take()
}

#[test]
fn a_topic_is_registered_once() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    assert_eq!(register(&mut peer), b"\x07\x03\x00\x00\x05on");
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    assert_eq!(peer.take(), b"\x07\x03\x00\x00\x05on");
}

#[test]
fn connect_is_not_repeated_but_tried_again() {
    let mut peer = Peer::new();
    peer.packet(&Packet::Connect(connect()));
    let first = peer.take();
    peer.wait().unwrap();
    let second = peer.take();
    let (SnPacket::Connect(first), SnPacket::Connect(second)) = (decode(&first), decode(&second)) else {
        panic!("expected CONNECT")
    };
    assert_ne!(first.packet_id, second.packet_id);
    // The later CONNECT has deleted the connection of the earlier one.
    peer.answer(&SnPacket::Connack(connack(first.packet_id, Reason::SUCCESS)));
    assert_eq!(peer.delivered(), [""; 0]);
    peer.answer(&SnPacket::Connack(connack(second.packet_id, Reason::SUCCESS)));
    assert_eq!(peer.delivered(), ["CONNACK"]);
}

#[test]
fn a_refusal_and_silence_end_the_connection() {
    let mut peer = Peer::new();
    peer.packet(&Packet::Connect(connect()));
    let SnPacket::Connect(connect) = decode(&peer.take()) else { panic!("expected CONNECT") };
    let refusal = SnPacket::Connack(connack(connect.packet_id, Reason(0x87))).to_datagram();
    let error = peer.adapter.take_datagram(&refusal, peer.now).unwrap_err();
    assert_eq!(error, GatewayError::RefusedFor(Reason(0x87)));

    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtLeastOnce));
    let register = peer.take();
    for _ in 0..2 {
        peer.wait().unwrap();
        assert_eq!(peer.take(), register);
    }
    let error = peer.wait().unwrap_err();
    assert_eq!(
        error,
        GatewayError::NoAnswer { message: "REGISTER", attempts: 3, time: Duration::from_secs(30) }
    );
}

#[test]
fn only_a_repeated_message_of_qos_2_has_dup() {
    for (qos, repeated) in [
        (Qos::AtLeastOnce, &b"\x09\x03\x20\x00\x07\x00\x05on"[..]),
        (Qos::ExactlyOnce, b"\x09\x03\xc0\x00\x07\x00\x05on"),
    ] {
        let mut peer = Peer::connected();
        peer.packet(&publish("a/b", qos));
        register(&mut peer);
        peer.wait().unwrap();
        assert_eq!(peer.take(), repeated);
    }
}

#[test]
fn a_message_of_qos_2_takes_four_steps() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::ExactlyOnce));
    register(&mut peer);
    peer.answer(&SnPacket::Pubcomp(Ack::success(id(7)))); // out of order
    peer.answer(&SnPacket::Pubrec(Ack::success(id(8)))); // of another message
    assert_eq!(peer.delivered(), [""; 0]);
    peer.answer(&SnPacket::Pubrec(Ack::success(id(7))));
    peer.answer(&SnPacket::Pubrec(Ack::success(id(7)))); // a copy
    assert_eq!(peer.delivered(), ["7 success (0x00)"]);
    peer.packet(&Packet::Pubrel(MqttAck::new(id(7), ReasonCode::SUCCESS)));
    assert_eq!(decode(&peer.take()), SnPacket::Pubrel(Ack::success(id(7))));
    peer.wait().unwrap();
    assert_eq!(decode(&peer.take()), SnPacket::Pubrel(Ack::success(id(7))));
    peer.answer(&SnPacket::Pubcomp(Ack::success(id(7))));
    assert_eq!(peer.delivered(), ["7 success (0x00)"]);
    assert!(peer.adapter.is_drained());
}

#[test]
fn one_request_is_open_at_a_time() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtLeastOnce));
    register(&mut peer);
    peer.packet(&Packet::Pingreq);
    peer.packet(&publish("c/d", Qos::AtMostOnce));
    assert!(peer.is_silent());
    peer.answer(&SnPacket::Puback(Ack::success(id(7))));
    let SnPacket::Pingreq { packet_id } = decode(&peer.take()) else { panic!("expected PINGREQ") };
    assert!(peer.is_silent());
    peer.answer(&SnPacket::Pingresp { packet_id, remaining: None });
    assert!(matches!(decode(&peer.take()), SnPacket::Register(_)));
    assert_eq!(peer.delivered(), ["7 success (0x00)", "PINGRESP"]);
}

#[test]
fn a_forgotten_alias_is_registered_again_once_and_congestion_is_a_pause() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtLeastOnce));
    let publish = register(&mut peer);
    peer.answer(&SnPacket::Puback(Ack { packet_id: id(7), reason: Reason::CONGESTION }));
    assert!(peer.is_silent());
    peer.wait().unwrap();
    assert_eq!(peer.take(), publish);
    let unknown = SnPacket::Puback(Ack { packet_id: id(7), reason: Reason::UNKNOWN_TOPIC_ALIAS });
    peer.answer(&unknown);
    assert_eq!(register(&mut peer), publish);
    peer.answer(&unknown);
    assert_eq!(peer.delivered(), ["7 topic name invalid (0x90)"]);
}

#[test]
fn a_topic_with_a_predefined_alias_is_sent_as_such() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    let SnPacket::Register(register) = decode(&peer.take()) else { panic!("expected REGISTER") };
    let alias = Some(TopicAlias::Predefined(9));
    let reason = Reason::TOPIC_ALIAS_EXISTS;
    peer.answer(&SnPacket::Regack(TopicAck { packet_id: register.packet_id, alias, reason }));
    assert_eq!(peer.take(), b"\x07\x03\x01\x00\x09on");
}

#[test]
fn messages_of_the_gateway_are_acknowledged_and_copies_ignored() {
    let mut peer = Peer::connected();
    let topic = Topic::Alias(TopicAlias::Session(3));
    let unknown =
        SnPublish { dup: false, retain: false, delivery: Delivery::AtLeastOnce(id(1)), topic, payload: b"" };
    peer.answer(&SnPacket::Publish(unknown));
    assert_eq!(peer.take(), b"\x05\x04\x00\x01\xf0");
    peer.answer(&SnPacket::Register(Register { packet_id: id(2), alias: Some(3), topic: "x/y" }));
    assert_eq!(peer.take(), b"\x05\x11\x01\x00\x02");
    let message = SnPacket::Publish(SnPublish { delivery: Delivery::ExactlyOnce(id(9)), ..unknown });
    peer.answer(&message);
    peer.packet(&Packet::Pubrec(MqttAck::new(id(9), ReasonCode::SUCCESS)));
    assert_eq!(peer.take(), b"\x04\x05\x00\x09");
    peer.answer(&SnPacket::Pubrel(Ack::success(id(9))));
    peer.packet(&Packet::Pubcomp(MqttAck::new(id(9), ReasonCode::SUCCESS)));
    assert_eq!(peer.take(), b"\x04\x07\x00\x09");
    peer.answer(&message); // the network delivers a copy late
    assert_eq!(peer.delivered(), ["x/y ExactlyOnce", "PUBREL"]);
}

#[test]
fn a_sleeping_client_wakes_up_by_pingreq_or_wakeup() {
    let mut peer = Peer::with(|settings| settings.sleep = Some(60));
    peer.connect();
    let options = SubscriptionOptions::default();
    let subscriptions = vec![Subscription { filter: "a/#", options }];
    let subscribe = Subscribe { packet_id: id(1), properties: Properties::EMPTY, subscriptions };
    peer.packet(&Packet::Subscribe(subscribe));
    let SnPacket::Subscribe(subscribe) = decode(&peer.take()) else { panic!("expected SUBSCRIBE") };
    let (packet_id, reason) = (subscribe.packet_id, Reason::SUCCESS);
    peer.answer(&SnPacket::Suback(TopicAck { packet_id, alias: None, reason }));
    let SnPacket::Sleepreq { packet_id, duration: 60, .. } = decode(&peer.take()) else {
        panic!("expected SLEEPREQ")
    };
    peer.answer(&SnPacket::Sleepresp { packet_id, duration: Some(20), reason });
    assert_eq!(peer.adapter.deadline(), Some(peer.now + Duration::from_secs(20)));
    peer.wait().unwrap();
    assert!(peer.is_silent());
    peer.wait().unwrap();
    let SnPacket::Pingreq { packet_id } = decode(&peer.take()) else { panic!("expected PINGREQ") };
    peer.answer(&SnPacket::Pingresp { packet_id, remaining: Some(0) });
    peer.answer(&SnPacket::Wakeup);
    assert!(matches!(decode(&peer.take()), SnPacket::Pingreq { .. }));
}

#[test]
fn a_rejected_sleep_ends_the_connection() {
    let mut peer = Peer::with(|settings| settings.sleep = Some(60));
    peer.connect();
    let options = SubscriptionOptions::default();
    let subscriptions = vec![Subscription { filter: "a/#", options }];
    peer.packet(&Packet::Subscribe(Subscribe {
        packet_id: id(1),
        properties: Properties::EMPTY,
        subscriptions,
    }));
    let SnPacket::Subscribe(subscribe) = decode(&peer.take()) else { panic!("expected SUBSCRIBE") };
    let (packet_id, reason) = (subscribe.packet_id, Reason::SUCCESS);
    peer.answer(&SnPacket::Suback(TopicAck { packet_id, alias: None, reason }));
    let SnPacket::Sleepreq { packet_id, .. } = decode(&peer.take()) else { panic!("expected SLEEPREQ") };
    let (duration, reason) = (None, Reason::PACKET_IDENTIFIER_IN_USE);
    let answer = SnPacket::Sleepresp { packet_id, duration, reason }.to_datagram();
    let error = peer.adapter.take_datagram(&answer, peer.now).unwrap_err();
    assert_eq!(error.to_string(), "the gateway rejected the sleep: packet identifier in use (0x91)");
}

#[test]
fn disconnect_has_no_answer() {
    let mut peer = Peer::connected();
    let (reason_code, properties) = (ReasonCode::SUCCESS, Properties::EMPTY);
    peer.packet(&Packet::Disconnect(MqttDisconnect { reason_code, properties }));
    assert!(!peer.adapter.is_closed());
    assert_eq!(peer.take(), b"\x03\x0e\x00");
    assert!(peer.adapter.is_closed());

    let mut peer = Peer::connected();
    let reason = Some(Reason::SESSION_TAKEN_OVER);
    let disconnect = SnPacket::Disconnect(Disconnect { reason, reason_text: "bye", ..Disconnect::default() });
    let error = peer.adapter.take_datagram(&disconnect.to_datagram(), peer.now).unwrap_err();
    assert_eq!(error.to_string(), "the gateway ended the connection: session taken over (0x8e) (\"bye\")");
}

#[test]
fn without_a_connection_a_message_is_pubwos() {
    let mut peer = Peer::with(|settings| settings.is_unconnected = true);
    peer.packet(&Packet::Connect(connect()));
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    assert_eq!(peer.take(), b"\x0a\x12\x03\x00\x03a/bon");
    assert_eq!(peer.delivered(), ["CONNACK"]);
}
