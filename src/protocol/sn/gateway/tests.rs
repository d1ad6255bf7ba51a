//! Exchanges of the gateway with a scripted client of 1.2 and a scripted broker.

use super::*;
use crate::protocol::session::Limits;
use crate::protocol::sn::{Connect, Publish, Regack, TopicId};
use crate::protocol::{
    Ack, PacketId, PacketReader, Properties, Publish as MqttPublish, Qos, ReasonCode, SizeLimits,
};

const INTERVAL: Duration = Duration::from_secs(10);

/// A client, the time, and the results of the last step.
struct Peer {
    client: Client,
    settings: Settings,
    predefined: PredefinedTopics,
    now: Instant,
    out: Output,
}

impl Peer {
    fn connected() -> Peer {
        let now = Instant::now();
        let settings = Settings {
            retry_interval: INTERVAL,
            retry_count: 2,
            queued_messages: 2,
            queued_bytes: 10_000,
            topics: 10,
            datagram_size: 1000,
            version: Version::V5,
        };
        let (predefined, out) = (PredefinedTopics::default(), Output::default());
        let mut peer = Peer { client: Client::new("c1", now), settings, predefined, now, out };
        let connect = Connect { has_will: false, is_clean: true, duration: 60, client_id: "c1" };
        peer.receive(&Message::Connect(connect));
        assert_eq!(peer.out.action, Some(Action::Open));
        peer.step(|client, context, out| client.broker_accepted(Limits::default(), context, out));
        assert_eq!(peer.take(), [[3, 5, 0]]);
        peer
    }

    fn step(&mut self, step: impl FnOnce(&mut Client, Context<'_>, &mut Output)) {
        self.out = Output::default();
        let context = Context::of(self.now, &self.settings, &self.predefined);
        step(&mut self.client, context, &mut self.out);
    }

    fn receive(&mut self, message: &Message<'_>) {
        self.step(|client, context, out| client.receive(message, context, out));
    }

    fn broker(&mut self, packet: &Packet<'_>) {
        self.step(|client, context, out| client.receive_packet(packet, context, out));
    }

    fn message(&mut self, topic: &str, qos: Qos, id: u16) {
        let packet_id = PacketId::new(id).filter(|_| qos != Qos::AtMostOnce);
        let (dup, retain, properties, payload) = (false, false, Properties::EMPTY, &b"on"[..]);
        self.broker(&Packet::Publish(MqttPublish {
            dup,
            qos,
            retain,
            topic,
            packet_id,
            properties,
            payload,
        }));
    }

    fn wait(&mut self) {
        self.now += INTERVAL;
        self.step(Client::tick);
    }

    fn take(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.out.datagrams)
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

fn publish(topic: [u8; 2], message_id: u16, qos: Qos) -> Message<'static> {
    let topic = TopicId::Short(crate::protocol::sn::ShortName(topic));
    let (qos, payload) = (PublishQos::Connected(qos), &b"on"[..]);
    Message::Publish(Publish { dup: false, qos, retain: false, topic, message_id, payload })
}

fn success(id: u16) -> Ack<'static> {
    Ack::new(PacketId::new(id).unwrap(), ReasonCode::SUCCESS)
}

#[test]
fn a_repeated_request_is_passed_on_once() {
    let mut peer = Peer::connected();
    peer.receive(&publish(*b"ab", 1, Qos::AtLeastOnce));
    assert_eq!(peer.packets(), ["PUBLISH"]);
    peer.receive(&publish(*b"ab", 1, Qos::AtLeastOnce));
    assert_eq!(peer.packets(), [""; 0]);
    peer.broker(&Packet::Puback(success(1)));
    assert_eq!(peer.take(), [[7, 0x0d, b'a', b'b', 0, 1, 0]]);
}

#[test]
fn a_late_copy_of_a_qos_2_message_is_ignored() {
    let mut peer = Peer::connected();
    peer.receive(&publish(*b"ab", 1, Qos::ExactlyOnce));
    peer.broker(&Packet::Pubrec(success(1)));
    assert_eq!(peer.take(), [[4, 0x0f, 0, 1]]);
    peer.receive(&Message::Pubrel { message_id: 1 });
    assert_eq!(peer.packets(), ["PUBREL"]);
    peer.broker(&Packet::Pubcomp(success(1)));
    assert_eq!(peer.take(), [[4, 0x0e, 0, 1]]);
    peer.receive(&publish(*b"ab", 1, Qos::ExactlyOnce));
    assert_eq!((peer.take().len(), peer.packets().len()), (0, 0));
    peer.receive(&Message::Pubrel { message_id: 1 }); // PUBCOMP was lost
    assert_eq!(peer.take(), [[4, 0x0e, 0, 1]]);
}

#[test]
fn messages_are_repeated_with_dup_and_the_client_is_lost_without_an_answer() {
    let mut peer = Peer::connected();
    peer.message("ab", Qos::AtLeastOnce, 3);
    assert_eq!(peer.take(), [b"\x09\x0c\x22ab\x00\x03on"]);
    for _ in 0..2 {
        peer.wait();
        assert_eq!(peer.take(), [b"\x09\x0c\xa2ab\x00\x03on"]);
    }
    peer.wait();
    assert_eq!((peer.out.note, peer.out.action), (Some(Note::NoAnswer), Some(Action::Abandon)));
}

#[test]
fn an_answer_out_of_order_is_ignored_and_the_next_message_follows_the_right_one() {
    let mut peer = Peer::connected();
    peer.message("ab", Qos::AtLeastOnce, 3);
    peer.message("cd", Qos::AtLeastOnce, 4);
    assert_eq!(peer.take().len(), 0);
    let ack = |message_id| Regack { topic_id: 0x6162, message_id, return_code: ReturnCode::ACCEPTED };
    peer.receive(&Message::Puback(ack(4)));
    assert_eq!((peer.take().len(), peer.packets().len()), (0, 0));
    peer.receive(&Message::Puback(ack(3)));
    assert_eq!(peer.take(), [b"\x09\x0c\x22cd\x00\x04on"]);
    assert_eq!(peer.packets(), ["PUBACK"]);
}
