//! Exchanges of a client of 1.2 with a scripted gateway, with lost, repeated and reordered messages.

use super::*;
use crate::protocol::sn::{Publish as SnPublish, PublishQos, Regack, Register, TopicId};
use crate::protocol::{Ack, Connect, PacketId, Properties, Publish, Qos, ReasonCode, Version};

const INTERVAL: Duration = Duration::from_secs(10);

/// A client and the time.
struct Peer {
    adapter: AnyAdapter,
    now: Instant,
}

impl Peer {
    /// A client whose connection is accepted.
    fn connected() -> Peer {
        let settings = Settings {
            is_unconnected: false,
            predefined: Vec::new(),
            counts_rejections: true,
            sleep: None,
            retry_interval: INTERVAL,
            retry_count: 2,
        };
        let mut peer = Peer {
            adapter: AnyAdapter::new(crate::protocol::sn::Version::V12, settings),
            now: Instant::now(),
        };
        peer.packet(&Packet::Connect(Connect {
            version: Version::V5,
            is_bridge: false,
            clean_start: true,
            keep_alive: 60,
            client_id: "c1",
            will: None,
            username: None,
            password: None,
            properties: Properties::EMPTY,
        }));
        assert_eq!(peer.take(), b"\x08\x04\x04\x01\x00\x3cc1");
        peer.answer(&Message::Connack { return_code: ReturnCode::ACCEPTED });
        peer.adapter.packets_mut().clear();
        peer
    }

    /// A packet of the MQTT client.
    fn packet(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(Version::V5, &mut bytes).unwrap();
        self.adapter.take_bytes(&bytes, self.now).unwrap();
    }

    /// A message of the gateway.
    fn answer(&mut self, message: &Message<'_>) {
        self.adapter.take_datagram(&encoded(message), self.now).unwrap();
    }

    /// The next datagram for the gateway; empty if there is none.
    fn take(&mut self) -> Vec<u8> {
        let datagram = self.adapter.datagram().unwrap_or_default().to_vec();
        self.adapter.sent();
        datagram
    }

    /// The types of the packets for the MQTT client.
    fn delivered(&mut self) -> Vec<String> {
        let bytes = std::mem::take(self.adapter.packets_mut());
        let mut packets = Traffic::reader(&bytes);
        std::iter::from_fn(|| {
            packets.read(Version::V5).unwrap().map(|packet| packet.packet_type().to_string())
        })
        .collect()
    }

    fn wait(&mut self) -> Result<(), GatewayError> {
        self.now += INTERVAL;
        self.adapter.tick(self.now)
    }
}

fn publish(topic: &'static str, qos: Qos) -> Packet<'static> {
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain: false,
        topic,
        packet_id: PacketId::new(7).filter(|_| qos != Qos::AtMostOnce),
        properties: Properties::EMPTY,
        payload: b"on",
    })
}

fn accepted(topic_id: u16, message_id: u16) -> Regack {
    Regack { topic_id, message_id, return_code: ReturnCode::ACCEPTED }
}

#[test]
fn repeated_messages_have_dup_until_they_are_answered() {
    let mut peer = Peer::connected();
    peer.packet(&publish("ab", Qos::AtLeastOnce));
    assert_eq!(peer.take(), b"\x09\x0c\x22ab\x00\x01on");
    peer.wait().unwrap();
    assert_eq!(peer.take(), b"\x09\x0c\xa2ab\x00\x01on");
    peer.answer(&Message::Puback(accepted(0x6162, 9))); // of another message
    assert_eq!(peer.delivered(), [""; 0]);
    peer.answer(&Message::Puback(accepted(0x6162, 1)));
    peer.answer(&Message::Puback(accepted(0x6162, 1))); // a copy
    assert_eq!(peer.delivered(), ["PUBACK"]);
    assert_eq!(peer.adapter.deadline(), None);
}

#[test]
fn a_gateway_that_does_not_answer_is_given_up() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    for _ in 0..2 {
        assert_eq!(peer.take(), b"\x09\x0a\x00\x00\x00\x01a/b"); // REGISTER has no DUP
        peer.wait().unwrap();
    }
    let error = peer.wait().unwrap_err();
    assert_eq!(
        error,
        GatewayError::NoAnswer { message: "REGISTER", attempts: 3, time: Duration::from_secs(30) }
    );
}

#[test]
fn a_message_of_qos_2_ignores_answers_out_of_order() {
    let mut peer = Peer::connected();
    peer.packet(&publish("ab", Qos::ExactlyOnce));
    peer.take();
    peer.answer(&Message::Pubcomp { message_id: 1 });
    assert_eq!(peer.delivered(), [""; 0]);
    peer.answer(&Message::Pubrec { message_id: 1 });
    peer.answer(&Message::Pubrec { message_id: 1 });
    assert_eq!(peer.delivered(), ["PUBREC"]);
    peer.packet(&Packet::Pubrel(Ack::new(PacketId::new(7).unwrap(), ReasonCode::SUCCESS)));
    for _ in 0..2 {
        assert_eq!(peer.take(), [4, 0x10, 0, 1]);
        peer.wait().unwrap();
    }
    peer.answer(&Message::Pubcomp { message_id: 1 });
    assert_eq!(peer.delivered(), ["PUBCOMP"]);
}

#[test]
fn requests_wait_for_the_open_one() {
    let mut peer = Peer::connected();
    peer.packet(&publish("a/b", Qos::AtMostOnce));
    peer.packet(&publish("ab", Qos::AtMostOnce));
    assert_eq!(peer.take(), b"\x09\x0a\x00\x00\x00\x01a/b");
    assert_eq!(peer.take(), b"");
    peer.answer(&Message::Regack(accepted(5, 1)));
    assert_eq!(peer.take(), b"\x09\x0c\x00\x00\x05\x00\x00on");
    assert_eq!(peer.take(), b"\x09\x0c\x02ab\x00\x00on");
}

#[test]
fn copies_of_a_message_of_the_gateway_are_delivered_once() {
    let mut peer = Peer::connected();
    peer.answer(&Message::Register(Register { topic_id: 3, message_id: 1, topic: "x/y" }));
    assert_eq!(peer.take(), [7, 0x0b, 0, 3, 0, 1, 0]);
    let message = Message::Publish(SnPublish {
        dup: false,
        qos: PublishQos::Connected(Qos::ExactlyOnce),
        retain: false,
        topic: TopicId::Normal(3),
        message_id: 9,
        payload: b"",
    });
    peer.answer(&message);
    peer.answer(&Message::Pubrel { message_id: 9 });
    peer.answer(&message); // the network delivers a copy late
    assert_eq!(peer.delivered(), ["PUBLISH", "PUBREL"]);
}
