//! Two sessions exchange bytes over a wire that may break at any byte.

use super::*;
use crate::protocol::{Frame, MAX_PACKET_SIZE, PropertiesBuf, PropertyValue, SubscriptionOptions};
use proptest::prelude::*;

/// A message that keeps its content, so that it can be retransmitted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    qos: Qos,
    payload: Vec<u8>,
}

impl Outgoing for Note {
    fn as_publish(&self) -> Publish<'_> {
        publish(self.qos, &self.payload)
    }
}

fn note(qos: Qos, payload: &[u8]) -> Note {
    Note { qos, payload: payload.to_vec() }
}

fn publish(qos: Qos, payload: &[u8]) -> Publish<'_> {
    let properties = Properties::EMPTY;
    Publish { dup: false, qos, retain: false, topic: "topic", packet_id: None, properties, payload }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn client(version: Version) -> Session<Note> {
    let mut session = Session::new(Role::Client, version);
    session.start(version, Limits::default(), Limits::default(), false);
    session
}

fn restart(session: &mut Session<Note>, peer: Limits, session_present: bool) -> Vec<(PacketId, Note)> {
    session.start(session.version(), Limits::default(), peer, session_present)
}

/// Sends a note and returns the bytes.
fn send(session: &mut Session<Note>, qos: Qos, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    session.publish(&publish(qos, payload), || note(qos, payload), &mut out).unwrap();
    out
}

/// Passes packets to a session. Returns the events in short form, and the session's answers.
fn receive(session: &mut Session<Note>, bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let (mut events, mut out, mut rest) = (Vec::new(), Vec::new(), bytes);
    while let Some(frame) = Frame::cut(rest, MAX_PACKET_SIZE).unwrap() {
        let packet = Packet::decode(frame, session.version()).unwrap();
        let (event, acknowledgement) = match session.receive(packet, &mut out) {
            Ok(Event::Message { publish, acknowledgement }) => {
                let text = format!("{} {}", publish.topic, String::from_utf8_lossy(publish.payload));
                (text, acknowledgement)
            }
            Ok(Event::Published { packet_id, reason_code, .. }) => {
                (format!("published {packet_id} {reason_code}"), Acknowledgement::None)
            }
            Ok(Event::Nothing) => ("nothing".to_owned(), Acknowledgement::None),
            Ok(other) => (format!("{other:?}"), Acknowledgement::None),
            Err(error) => (error.to_string(), Acknowledgement::None),
        };
        session.acknowledge(acknowledgement, ReasonCode::SUCCESS, &mut out);
        events.push(event);
        rest = &rest[frame.size()..];
    }
    assert!(rest.is_empty(), "only whole packets are handed over here");
    (events, out)
}

fn events(session: &mut Session<Note>, bytes: &[u8]) -> Vec<String> {
    receive(session, bytes).0
}

#[test]
fn a_message_of_qos_1_is_settled_by_puback() {
    let mut session = client(Version::V311);
    send(&mut session, Qos::AtLeastOnce, b"a");
    assert!(!session.is_drained());
    assert_eq!(events(&mut session, &[0x40, 2, 0, 1]), ["published 1 success (0x00)"]);
    assert!(session.is_drained());
}

#[test]
fn a_message_of_qos_2_is_settled_by_pubcomp() {
    let mut session = client(Version::V311);
    send(&mut session, Qos::ExactlyOnce, b"a");
    assert_eq!(receive(&mut session, &[0x50, 2, 0, 1]), (vec!["nothing".to_owned()], vec![0x62, 2, 0, 1]));
    assert_eq!(events(&mut session, &[0x70, 2, 0, 1]), ["published 1 success (0x00)"]);
}

#[test]
fn a_rejected_message_frees_its_slot_and_is_reported() {
    let mut session = client(Version::V5);
    restart(&mut session, Limits { receive_maximum: 1, ..Limits::default() }, true);
    send(&mut session, Qos::ExactlyOnce, b"a");
    assert_eq!(session.quota(), 0);
    let (events, answer) = receive(&mut session, &[0x50, 3, 0, 1, 0x87]);
    assert_eq!(events, ["published 1 not authorized (0x87)"]);
    assert!(answer.is_empty());
    assert_eq!(session.quota(), 1);
}

#[test]
fn no_more_is_sent_than_the_peer_takes() {
    let mut session = client(Version::V5);
    restart(&mut session, Limits { receive_maximum: 2, ..Limits::default() }, true);
    send(&mut session, Qos::AtLeastOnce, b"a");
    send(&mut session, Qos::ExactlyOnce, b"b");
    let refused =
        session.publish(&publish(Qos::AtLeastOnce, b"c"), || note(Qos::AtLeastOnce, b"c"), &mut Vec::new());
    assert_eq!(refused, Err(PublishError::QuotaUsedUp));
    send(&mut session, Qos::AtMostOnce, b"not counted");
    // PUBREC alone frees nothing.
    receive(&mut session, &[0x50, 2, 0, 2]);
    assert_eq!(session.quota(), 0);
    receive(&mut session, &[0x70, 2, 0, 2]);
    assert_eq!(session.quota(), 1);
}

#[test]
fn a_peer_that_sends_more_than_we_take_breaks_the_protocol() {
    let mut session = client(Version::V5);
    let accepts = Limits { receive_maximum: 1, ..Limits::default() };
    session.start(Version::V5, accepts, Limits::default(), true);
    let message = |packet_id| [0x34, 8, 0, 1, b't', 0, packet_id, 0, b'x', b'y'];
    assert_eq!(events(&mut session, &message(1)), ["t xy"]);
    assert_eq!(
        events(&mut session, &message(2)),
        ["more than the receive maximum of 1 messages are unacknowledged"]
    );
    assert_eq!(events(&mut session, &[0x62, 2, 0, 1]), ["nothing"]);
    assert_eq!(events(&mut session, &message(2)), ["t xy"]);
}

#[test]
fn a_repeated_message_of_qos_2_is_delivered_once() {
    let mut session = client(Version::V311);
    let message = [0x34, 6, 0, 1, b't', 0, 9, b'x'];
    assert_eq!(receive(&mut session, &message), (vec!["t x".to_owned()], vec![0x50, 2, 0, 9]));
    let repeated = [0x3c, 6, 0, 1, b't', 0, 9, b'x'];
    assert_eq!(receive(&mut session, &repeated), (vec!["nothing".to_owned()], vec![0x50, 2, 0, 9]));
    assert_eq!(receive(&mut session, &[0x62, 2, 0, 9]).1, [0x70, 2, 0, 9]);
    assert_eq!(events(&mut session, &message), ["t x"]);
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_breaks_the_protocol() {
    let mut session = client(Version::V311);
    send(&mut session, Qos::ExactlyOnce, b"a");
    assert_eq!(
        events(&mut session, &[0x40, 2, 0, 1]),
        ["PUBACK for packet identifier 1, which waits for another packet type"]
    );
    assert_eq!(events(&mut session, &[0x40, 2, 0, 77]), ["nothing"]);
}

#[test]
fn packets_of_the_other_side_are_unexpected() {
    let mut session = client(Version::V311);
    assert_eq!(events(&mut session, &[0xc0, 0]), ["unexpected PINGREQ"]);
    assert_eq!(events(&mut session, &[0x20, 2, 0, 0]), ["unexpected CONNACK"]);
}

#[test]
fn a_suback_must_answer_every_filter() {
    let mut session = client(Version::V311);
    let options = SubscriptionOptions::default();
    let subscriptions = vec![Subscription { filter: "a", options }, Subscription { filter: "b", options }];
    session.subscribe(subscriptions, Properties::EMPTY, &mut Vec::new()).unwrap();
    assert!(!session.is_drained());
    assert_eq!(events(&mut session, &[0x90, 3, 0, 1, 0]), ["SUBACK with 1 reason codes for 2 topic filters"]);
}

#[test]
fn with_the_session_present_messages_go_out_again_with_dup_and_releases_again() {
    let mut session = client(Version::V311);
    send(&mut session, Qos::AtLeastOnce, b"a");
    send(&mut session, Qos::ExactlyOnce, b"b");
    send(&mut session, Qos::ExactlyOnce, b"c");
    receive(&mut session, &[0x50, 2, 0, 2]);
    assert!(restart(&mut session, Limits::default(), true).is_empty());
    assert_eq!(session.quota(), 0, "no new message is sent before those in flight");
    let mut out = Vec::new();
    assert!(session.resend(usize::MAX, &mut out).is_empty());
    let expected = [
        &[0x3a, 10, 0, 5, b't', b'o', b'p', b'i', b'c', 0, 1, b'a'][..],
        &[0x62, 2, 0, 2],
        &[0x3c, 10, 0, 5, b't', b'o', b'p', b'i', b'c', 0, 3, b'c'],
    ];
    assert_eq!(out, expected.concat());
    assert_eq!(session.unsettled(), 3);
}

#[test]
fn without_the_session_messages_go_out_as_new_ones_and_none_is_lost() {
    let mut session = client(Version::V311);
    send(&mut session, Qos::AtLeastOnce, b"a");
    send(&mut session, Qos::ExactlyOnce, b"b");
    receive(&mut session, &[0x50, 2, 0, 2]);
    let settled = restart(&mut session, Limits::default(), false);
    assert_eq!(settled, [(id(2), note(Qos::ExactlyOnce, b"b"))], "the broker had taken it");
    let mut out = Vec::new();
    session.resend(usize::MAX, &mut out);
    assert_eq!(out, [0x32, 10, 0, 5, b't', b'o', b'p', b'i', b'c', 0, 1, b'a']);
}

#[test]
fn resent_messages_keep_to_the_new_receive_maximum() {
    let mut session = client(Version::V5);
    for payload in [b"a", b"b", b"c"] {
        send(&mut session, Qos::AtLeastOnce, payload);
    }
    restart(&mut session, Limits { receive_maximum: 2, ..Limits::default() }, true);
    let mut out = Vec::new();
    session.resend(usize::MAX, &mut out);
    assert_eq!(out.iter().filter(|&&byte| byte == 0x3a).count(), 2);
    out.clear();
    receive(&mut session, &[0x40, 2, 0, 1]);
    session.resend(usize::MAX, &mut out);
    assert_eq!(out.last(), Some(&b'c'));
    assert_eq!(session.unsettled(), 2);
}

#[test]
fn messages_too_large_for_the_new_connection_are_given_back() {
    let mut session = client(Version::V5);
    send(&mut session, Qos::AtLeastOnce, &[b'x'; 100]);
    send(&mut session, Qos::AtLeastOnce, b"small");
    restart(&mut session, Limits { maximum_packet_size: 50, ..Limits::default() }, true);
    let mut out = Vec::new();
    let refused = session.resend(usize::MAX, &mut out);
    assert_eq!(refused.len(), 1);
    assert_eq!(
        refused[0].1.to_string(),
        "the packet of 112 bytes exceeds the broker's maximum packet size of 50 bytes"
    );
    assert!(out.ends_with(b"small"));
}

#[test]
fn a_message_that_the_peer_does_not_take_is_not_sent() {
    let mut session = client(Version::V5);
    let peer = Limits { maximum_qos: Qos::AtLeastOnce, retain_available: false, ..Limits::default() };
    restart(&mut session, peer, false);
    let mut try_to_send = |publish: Publish<'_>| {
        let mut out = Vec::new();
        let error = session.publish(&publish, || note(publish.qos, b""), &mut out).unwrap_err();
        assert!(out.is_empty());
        error.to_string()
    };
    assert_eq!(try_to_send(publish(Qos::ExactlyOnce, b"")), "QoS 2 exceeds the broker's maximum QoS of 1");
    assert_eq!(
        try_to_send(Publish { retain: true, ..publish(Qos::AtMostOnce, b"") }),
        "the broker does not retain messages"
    );
    let mut alias = PropertiesBuf::new();
    alias.push(PropertyId::TopicAlias, PropertyValue::Number(1)).unwrap();
    assert_eq!(
        try_to_send(Publish { properties: alias.as_properties(), ..publish(Qos::AtMostOnce, b"") }),
        "topic alias 1 exceeds the broker's topic alias maximum of 0"
    );
}

#[test]
fn a_chosen_alias_stands_for_the_topic_from_the_second_message_on() {
    let mut session = client(Version::V5);
    let peer = Limits { topic_alias_maximum: 5, ..Limits::default() };
    restart(&mut session, peer, false);
    let mut alias = PropertiesBuf::new();
    alias.push(PropertyId::TopicAlias, PropertyValue::Number(5)).unwrap();
    let aliased = Publish { properties: alias.as_properties(), ..publish(Qos::AtMostOnce, b"x") };
    let mut out = Vec::new();
    session.publish(&aliased, || unreachable!("QoS 0 keeps nothing"), &mut out).unwrap();
    assert_eq!(out, [0x30, 12, 0, 5, b't', b'o', b'p', b'i', b'c', 3, 0x23, 0, 5, b'x']);
    out.clear();
    session.publish(&aliased, || unreachable!("QoS 0 keeps nothing"), &mut out).unwrap();
    assert_eq!(out, [0x30, 7, 0, 0, 3, 0x23, 0, 5, b'x']);
    restart(&mut session, peer, true);
    out.clear();
    session.publish(&aliased, || unreachable!("QoS 0 keeps nothing"), &mut out).unwrap();
    assert_eq!(out.len(), 14, "a new connection knows no alias");
}

#[test]
fn automatic_aliases_are_used_as_far_as_the_peer_allows() {
    let mut sender = client(Version::V5);
    sender.choose_aliases();
    restart(&mut sender, Limits { topic_alias_maximum: 1, ..Limits::default() }, false);
    let mut receiver = client(Version::V5);
    let accepts = Limits { topic_alias_maximum: 1, ..Limits::default() };
    receiver.start(Version::V5, accepts, Limits::default(), false);
    let mut sizes = Vec::new();
    for topic in ["long/topic", "long/topic", "other"] {
        let mut out = Vec::new();
        let message = Publish { topic, ..publish(Qos::AtMostOnce, b"x") };
        sender.publish(&message, || unreachable!("QoS 0 keeps nothing"), &mut out).unwrap();
        assert_eq!(events(&mut receiver, &out), [format!("{topic} x")]);
        sizes.push(out.len());
    }
    assert_eq!(sizes, [19, 9, 11]);
}

#[test]
fn automatic_aliases_take_no_room_that_the_message_needs() {
    let mut sender = client(Version::V5);
    sender.choose_aliases();
    let peer = Limits { topic_alias_maximum: 5, maximum_packet_size: 13, ..Limits::default() };
    restart(&mut sender, peer, false);
    let mut send = |topic, payload: &[u8]| {
        let message = Publish { topic, ..publish(Qos::AtMostOnce, payload) };
        let mut out = Vec::new();
        sender.publish(&message, || unreachable!("QoS 0 keeps nothing"), &mut out).map(|_| out.len())
    };
    // An alias takes three bytes more, and so does a known one in place of a topic of less than three bytes.
    assert_eq!(send("topic", b"xxx"), Ok(13));
    assert_eq!(send("t", b"x"), Ok(10));
    assert_eq!(send("t", b"xxxxxxx"), Ok(13));
    let too_large = PublishError::PacketTooLarge { size: 14, maximum: 13 };
    assert_eq!(send("topic", b"xxxx").err(), Some(too_large));
}

#[test]
fn an_alias_over_the_maximum_or_without_a_topic_breaks_the_protocol() {
    let mut session = client(Version::V5);
    let accepts = Limits { topic_alias_maximum: 3, ..Limits::default() };
    session.start(Version::V5, accepts, Limits::default(), false);
    let by_alias = |alias| [0x30, 7, 0, 0, 3, 0x23, 0, alias, b'x'];
    let unknown = "empty topic name with topic alias 2, which was not set on this connection";
    assert_eq!(events(&mut session, &by_alias(2)), [unknown]);
    let invalid = "topic alias 4 exceeds the topic alias maximum of 3";
    assert_eq!(events(&mut session, &by_alias(4)), [invalid]);
}

#[test]
fn a_publish_that_exceeds_the_local_limits_breaks_the_protocol() {
    let mut session = Session::<Note>::new(Role::Server, Version::V5);
    let accepts = Limits { maximum_qos: Qos::AtMostOnce, retain_available: false, ..Limits::default() };
    session.start(Version::V5, accepts, Limits::default(), false);
    let qos = "PUBLISH at QoS 1 exceeds the maximum QoS of 0";
    assert_eq!(events(&mut session, &[0x32, 7, 0, 1, b'a', 0, 1, 0, b'x']), [qos]);
    let retain = "PUBLISH with RETAIN, which the server does not support";
    assert_eq!(events(&mut session, &[0x31, 5, 0, 1, b'a', 0, b'x']), [retain]);
}

/// A client and a server whose connection breaks now and then, at any byte.
struct Wire {
    client: Session<Note>,
    server: Session<Note>,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    delivered: Vec<Vec<u8>>,
    settled: usize,
}

impl Wire {
    fn new() -> Wire {
        let mut server = Session::new(Role::Server, Version::V5);
        server.start(Version::V5, Limits::default(), Limits::default(), false);
        Wire {
            client: client(Version::V5),
            server,
            to_server: Vec::new(),
            to_client: Vec::new(),
            delivered: Vec::new(),
            settled: 0,
        }
    }

    /// The server takes all whole packets among the first `count` bytes.
    fn deliver_to_server(&mut self, count: usize) {
        let end = count.min(self.to_server.len());
        let mut taken = 0;
        while let Some(frame) = Frame::cut(&self.to_server[taken..end], MAX_PACKET_SIZE).unwrap() {
            let packet = Packet::decode(frame, Version::V5).unwrap();
            if let Event::Message { publish, acknowledgement } =
                self.server.receive(packet, &mut self.to_client).unwrap()
            {
                self.delivered.push(publish.payload.to_vec());
                self.server.acknowledge(acknowledgement, ReasonCode::SUCCESS, &mut self.to_client);
            }
            taken += frame.size();
        }
        self.to_server.drain(..taken);
    }

    fn deliver_to_client(&mut self, count: usize) {
        let end = count.min(self.to_client.len());
        let mut taken = 0;
        while let Some(frame) = Frame::cut(&self.to_client[taken..end], MAX_PACKET_SIZE).unwrap() {
            let packet = Packet::decode(frame, Version::V5).unwrap();
            let event = self.client.receive(packet, &mut self.to_server).unwrap();
            self.settled += usize::from(matches!(event, Event::Published { .. }));
            taken += frame.size();
        }
        self.to_client.drain(..taken);
    }

    /// Loses all packets in transit, and reconnects with the session kept on both sides.
    fn reconnect(&mut self) {
        self.to_server.clear();
        self.to_client.clear();
        self.server.start(Version::V5, Limits::default(), Limits::default(), true);
        restart(&mut self.client, Limits::default(), true);
        self.client.resend(usize::MAX, &mut self.to_server);
    }
}

proptest! {
    #[test]
    fn whatever_breaks_qos_2_arrives_once_and_in_order_and_qos_1_at_least_once(
        qos in prop_oneof![Just(Qos::AtLeastOnce), Just(Qos::ExactlyOnce)],
        steps in proptest::collection::vec((0..4u8, 0..60usize), 1..200),
    ) {
        let mut wire = Wire::new();
        let mut sent: Vec<Vec<u8>> = Vec::new();
        for (kind, count) in steps {
            match kind {
                0 if wire.client.quota() > 0 => {
                    let payload = sent.len().to_string().into_bytes();
                    wire.to_server.extend(send(&mut wire.client, qos, &payload));
                    sent.push(payload);
                }
                1 => wire.deliver_to_server(count),
                2 => wire.deliver_to_client(count),
                3 if count < 15 => wire.reconnect(),
                _ => {}
            }
        }
        wire.reconnect();
        for _ in 0..4 {
            wire.deliver_to_server(usize::MAX);
            wire.deliver_to_client(usize::MAX);
        }
        prop_assert!(wire.client.is_drained());
        prop_assert_eq!(wire.settled, sent.len());
        if qos == Qos::ExactlyOnce {
            prop_assert_eq!(wire.delivered, sent);
        } else {
            let mut first_seen = Vec::new();
            for payload in wire.delivered {
                if !first_seen.contains(&payload) {
                    first_seen.push(payload);
                }
            }
            prop_assert_eq!(first_seen, sent);
        }
    }
}
