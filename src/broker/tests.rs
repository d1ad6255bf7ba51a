//! The broker over TCP, driven packet by packet.

use super::{Config, Event, Handle};
use crate::protocol::{
    Ack, Connack, Connect, Disconnect, Frame, MAX_PACKET_SIZE, Packet, PacketId, PacketType, Properties,
    PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, ReasonCode, RetainHandling, Subscribe,
    Subscription, SubscriptionOptions, Unsubscribe, Version, Will,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The timeout for each packet of a test.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

fn config() -> Config {
    Config { listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..Config::default() }
}

fn broker() -> Handle {
    Handle::start(config()).unwrap()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn properties(list: &[(PropertyId, PropertyValue<'_>)]) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    list.iter().for_each(|(id, value)| properties.push(*id, *value).unwrap());
    properties
}

fn number(id: PropertyId, value: u32) -> PropertiesBuf {
    properties(&[(id, PropertyValue::Number(value))])
}

fn connect(version: Version, client_id: &str) -> Connect<'_> {
    Connect {
        version,
        is_bridge: false,
        clean_start: true,
        keep_alive: 60,
        client_id,
        will: None,
        username: None,
        password: None,
        properties: Properties::EMPTY,
    }
}

fn message<'a>(topic: &'a str, payload: &'a str) -> Publish<'a> {
    Publish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain: false,
        topic,
        packet_id: None,
        properties: Properties::EMPTY,
        payload: payload.as_bytes(),
    }
}

fn qos1<'a>(topic: &'a str, payload: &'a str, packet_id: u16) -> Publish<'a> {
    Publish { qos: Qos::AtLeastOnce, packet_id: Some(id(packet_id)), ..message(topic, payload) }
}

fn options(maximum_qos: Qos) -> SubscriptionOptions {
    SubscriptionOptions { maximum_qos, ..SubscriptionOptions::default() }
}

/// A blocking client that sends exactly the packets of the test.
struct Client {
    stream: TcpStream,
    version: Version,
    input: Vec<u8>,
}

impl Client {
    fn raw(broker: &Handle, version: Version) -> Client {
        let stream = TcpStream::connect(broker.address()).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, version, input: Vec::new() }
    }

    /// Connects, and returns the fields of CONNACK: session present, reason code.
    fn open(broker: &Handle, connect: Connect<'_>) -> (Client, bool, ReasonCode) {
        let mut client = Client::raw(broker, connect.version);
        client.send(&Packet::Connect(connect));
        let (present, reason_code) = client.connack();
        (client, present, reason_code)
    }

    fn new(broker: &Handle, version: Version, client_id: &str) -> Client {
        let (client, _, reason_code) = Client::open(broker, connect(version, client_id));
        assert_eq!(reason_code, ReasonCode::SUCCESS);
        client
    }

    fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.send_bytes(&bytes);
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads the next packet and shows it to `look`; `None` when the broker closed the connection.
    fn next<T>(&mut self, look: impl FnOnce(Packet<'_>) -> T) -> Option<T> {
        loop {
            if let Some(frame) = Frame::cut(&self.input, MAX_PACKET_SIZE).unwrap() {
                let size = frame.size();
                let seen = look(Packet::decode(frame, self.version).unwrap());
                self.input.drain(..size);
                return Some(seen);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no packet in time: {error}"),
            }
        }
    }

    fn connack(&mut self) -> (bool, ReasonCode) {
        self.next(|packet| match packet {
            Packet::Connack(Connack { session_present, reason_code, .. }) => (session_present, reason_code),
            other => panic!("{other:?} instead of CONNACK"),
        })
        .expect("CONNACK")
    }

    /// Subscribes and returns the reason codes.
    fn subscribe_with(
        &mut self,
        subscriptions: &[(&str, SubscriptionOptions)],
        properties: Properties<'_>,
    ) -> Vec<u8> {
        let subscriptions =
            subscriptions.iter().map(|&(filter, options)| Subscription { filter, options }).collect();
        self.send(&Packet::Subscribe(Subscribe { packet_id: id(1), properties, subscriptions }));
        self.next(|packet| match packet {
            Packet::Suback(ack) => ack.reason_codes().map(|code| code.0).collect(),
            other => panic!("{other:?} instead of SUBACK"),
        })
        .expect("SUBACK")
    }

    fn subscribe(&mut self, filter: &str, qos: Qos) {
        assert_eq!(self.subscribe_with(&[(filter, options(qos))], Properties::EMPTY), [qos as u8]);
    }

    fn publish(&mut self, publish: Publish<'_>) {
        self.send(&Packet::Publish(publish));
    }

    /// The next PUBLISH, as text: topic, payload, QoS, RETAIN and DUP if set, and its properties.
    fn message(&mut self) -> String {
        self.next(|packet| match packet {
            Packet::Publish(publish) => describe(&publish),
            other => panic!("{other:?} instead of PUBLISH"),
        })
        .expect("PUBLISH")
    }

    /// Sends PINGREQ: any other pending packet would arrive before its answer.
    fn nothing_more(&mut self) {
        self.send(&Packet::Pingreq);
        assert_eq!(self.next(|packet| packet.packet_type()), Some(PacketType::Pingresp));
    }

    fn ack(&mut self, packet_type: PacketType) -> (u16, ReasonCode) {
        self.next(|packet| {
            assert_eq!(packet.packet_type(), packet_type);
            match packet {
                Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                    (ack.packet_id.value(), ack.reason_code)
                }
                other => panic!("{other:?} instead of an acknowledgement"),
            }
        })
        .expect("an acknowledgement")
    }

    fn disconnect(&mut self) -> ReasonCode {
        let reason_code = self.next(|packet| match packet {
            Packet::Disconnect(disconnect) => disconnect.reason_code,
            other => panic!("{other:?} instead of DISCONNECT"),
        });
        assert_eq!(self.next(|packet| packet.packet_type()), None);
        reason_code.expect("DISCONNECT")
    }

    fn is_closed(&mut self) {
        assert_eq!(self.next(|packet| packet.packet_type()), None);
    }

    fn leave(mut self, reason_code: ReasonCode, properties: Properties<'_>) {
        self.send(&Packet::Disconnect(Disconnect { reason_code, properties }));
        self.is_closed();
    }
}

fn describe(publish: &Publish<'_>) -> String {
    let payload = String::from_utf8_lossy(publish.payload);
    let mut text = format!("{} {payload} q{}", publish.topic, publish.qos);
    let flags = [(publish.retain, " retain"), (publish.dup, " dup")];
    flags.iter().filter(|(is_set, _)| *is_set).for_each(|(_, name)| text.push_str(name));
    for property in publish.properties.iter() {
        let value = match property.value {
            PropertyValue::Number(number) => number.to_string(),
            PropertyValue::Text(text) => text.to_owned(),
            PropertyValue::Binary(bytes) => format!("{bytes:?}"),
            PropertyValue::Pair(name, value) => format!("{name}:{value}"),
        };
        text.push_str(&format!(" {}={value}", property.id));
    }
    text
}

const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];

#[test]
fn all_versions_talk_to_each_other_at_every_qos() {
    let broker = broker();
    for from in VERSIONS {
        for to in VERSIONS {
            let mut subscriber = Client::new(&broker, to, "subscriber");
            subscriber.subscribe("a/+", Qos::ExactlyOnce);
            let mut publisher = Client::new(&broker, from, "publisher");
            publisher.publish(message("a/0", "zero"));
            assert_eq!(subscriber.message(), "a/0 zero q0");
            publisher.publish(qos1("a/1", "one", 7));
            assert_eq!(publisher.ack(PacketType::Puback), (7, ReasonCode::SUCCESS));
            assert_eq!(subscriber.message(), "a/1 one q1");
            publisher.publish(Publish { qos: Qos::ExactlyOnce, ..qos1("a/2", "two", 8) });
            assert_eq!(publisher.ack(PacketType::Pubrec), (8, ReasonCode::SUCCESS));
            publisher.send(&Packet::Pubrel(Ack::new(id(8), ReasonCode::SUCCESS)));
            assert_eq!(publisher.ack(PacketType::Pubcomp), (8, ReasonCode::SUCCESS));
            assert_eq!(subscriber.message(), "a/2 two q2");
            subscriber.send(&Packet::Pubrec(Ack::new(id(2), ReasonCode::SUCCESS)));
            assert_eq!(subscriber.ack(PacketType::Pubrel), (2, ReasonCode::SUCCESS));
        }
    }
}

#[test]
fn a_qos_2_message_that_is_sent_twice_is_delivered_once() {
    let broker = broker();
    let mut publisher = Client::new(&broker, Version::V5, "p");
    let mut subscriber = Client::new(&broker, Version::V5, "s");
    subscriber.subscribe("t", Qos::AtMostOnce);
    let publish = Publish { qos: Qos::ExactlyOnce, ..qos1("t", "x", 1) };
    publisher.publish(publish);
    publisher.publish(Publish { dup: true, ..publish });
    assert_eq!(publisher.ack(PacketType::Pubrec), (1, ReasonCode::SUCCESS));
    assert_eq!(publisher.ack(PacketType::Pubrec), (1, ReasonCode::SUCCESS));
    assert_eq!(subscriber.message(), "t x q0");
    subscriber.nothing_more();
}

#[test]
fn retained_messages_are_replaced_and_deleted() {
    let broker = broker();
    let mut publisher = Client::new(&broker, Version::V311, "p");
    for (topic, payload) in [("r/a", "old"), ("r/a", "new"), ("r/b", "gone"), ("r/b", "")] {
        publisher.publish(Publish { retain: true, ..message(topic, payload) });
    }
    publisher.nothing_more();
    let mut subscriber = Client::new(&broker, Version::V5, "s");
    subscriber.subscribe("r/#", Qos::AtLeastOnce);
    assert_eq!(subscriber.message(), "r/a new q0 retain");
    subscriber.nothing_more();
    publisher.publish(Publish { retain: true, ..message("r/a", "live") });
    assert_eq!(subscriber.message(), "r/a live q0");
}

#[test]
fn retain_handling_and_retain_as_published_are_obeyed() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    client.publish(Publish { retain: true, ..message("t", "kept") });
    let with = |retain_handling| SubscriptionOptions {
        retain_handling,
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    client.subscribe_with(&[("t", with(RetainHandling::Never))], Properties::EMPTY);
    client.nothing_more();
    client.subscribe_with(&[("t", with(RetainHandling::New))], Properties::EMPTY);
    client.nothing_more();
    client.subscribe_with(&[("t", with(RetainHandling::Always))], Properties::EMPTY);
    assert_eq!(client.message(), "t kept q0 retain");
    client.subscribe_with(&[("+", with(RetainHandling::New))], Properties::EMPTY);
    assert_eq!(client.message(), "t kept q0 retain");
    client.publish(Publish { retain: true, ..message("t", "live") });
    assert_eq!(client.message(), "t live q0 retain");
    client.nothing_more();
}

#[test]
fn overlapping_subscriptions_deliver_once_with_all_identifiers() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    let identified = |identifier| number(PropertyId::SubscriptionIdentifier, identifier);
    client.subscribe_with(&[("a/#", options(Qos::AtMostOnce))], identified(300).as_properties());
    client.subscribe_with(&[("a/b", options(Qos::AtLeastOnce))], identified(7).as_properties());
    client.subscribe_with(&[("+/b", options(Qos::AtMostOnce))], Properties::EMPTY);
    client.publish(qos1("a/b", "x", 1));
    assert_eq!(client.ack(PacketType::Puback), (1, ReasonCode::SUCCESS));
    let text = client.message();
    assert!(text.starts_with("a/b x q1"), "{text}");
    assert!(
        text.contains("subscription-identifier=300") && text.contains("subscription-identifier=7"),
        "{text}"
    );
    client.nothing_more();
}

#[test]
fn no_local_keeps_a_clients_own_messages_from_it() {
    let broker = broker();
    let mut one = Client::new(&broker, Version::V5, "one");
    let mut two = Client::new(&broker, Version::V5, "two");
    let no_local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    one.subscribe_with(&[("t", no_local)], Properties::EMPTY);
    one.publish(message("t", "own"));
    one.nothing_more();
    two.publish(message("t", "other"));
    assert_eq!(one.message(), "t other q0");
}

#[test]
fn a_shared_subscription_gives_each_message_to_one_member() {
    let broker = broker();
    let mut members: Vec<Client> =
        ["a", "b"].iter().map(|name| Client::new(&broker, Version::V5, name)).collect();
    members.iter_mut().for_each(|member| member.subscribe("$share/g/t/#", Qos::AtMostOnce));
    let mut publisher = Client::new(&broker, Version::V5, "p");
    for payload in ["1", "2", "3", "4"] {
        publisher.publish(message("t/x", payload));
    }
    publisher.nothing_more();
    assert_eq!([members[0].message(), members[0].message()], ["t/x 1 q0", "t/x 3 q0"]);
    assert_eq!([members[1].message(), members[1].message()], ["t/x 2 q0", "t/x 4 q0"]);
    members.remove(0).leave(ReasonCode::SUCCESS, Properties::EMPTY);
    publisher.publish(message("t/x", "5"));
    assert_eq!(members[0].message(), "t/x 5 q0");
}

#[test]
fn a_kept_session_gets_the_messages_it_missed() {
    let broker = broker();
    let persistent = Connect { clean_start: false, ..connect(Version::V311, "kept") };
    let (mut client, present, _) = Client::open(&broker, persistent.clone());
    assert!(!present);
    client.subscribe("t", Qos::ExactlyOnce);
    client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    publisher.publish(message("t", "lost at QoS 0"));
    publisher.publish(qos1("t", "missed", 1));
    assert_eq!(publisher.ack(PacketType::Puback), (1, ReasonCode::SUCCESS));
    let (mut client, present, _) = Client::open(&broker, persistent.clone());
    assert!(present);
    assert_eq!(client.message(), "t missed q1");
    drop(client);
    let (mut client, present, _) = Client::open(&broker, persistent);
    assert!(present);
    assert_eq!(client.message(), "t missed q1 dup");
    client.send(&Packet::Puback(Ack::new(id(1), ReasonCode::SUCCESS)));
    client.nothing_more();
    drop(client);
    let (mut client, present, _) = Client::open(&broker, connect(Version::V311, "kept"));
    assert!(!present);
    publisher.publish(message("t", "nobody"));
    publisher.nothing_more();
    client.nothing_more();
}

#[test]
fn sessions_expire_when_they_said_and_disconnect_can_change_it() {
    let broker = broker();
    let hour = number(PropertyId::SessionExpiryInterval, 3600);
    let second = number(PropertyId::SessionExpiryInterval, 1);
    let kept = Connect { clean_start: false, properties: hour.as_properties(), ..connect(Version::V5, "c") };
    let (client, ..) = Client::open(&broker, kept.clone());
    client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
    let (client, present, _) = Client::open(&broker, kept.clone());
    assert!(present);
    client.leave(ReasonCode::SUCCESS, second.as_properties());
    wait_for_a_session_to_expire(&broker, 2);
    let (client, present, _) = Client::open(&broker, kept);
    assert!(!present);
    client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
}

#[test]
fn a_session_that_ends_with_its_connection_cannot_be_prolonged() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    let hour = number(PropertyId::SessionExpiryInterval, 3600);
    client.send(&Packet::Disconnect(Disconnect {
        reason_code: ReasonCode::SUCCESS,
        properties: hour.as_properties(),
    }));
    assert_eq!(client.disconnect(), ReasonCode::PROTOCOL_ERROR);
}

fn with_will<'a>(version: Version, client_id: &'a str, properties: Properties<'a>) -> Connect<'a> {
    let will = Will { topic: "will", payload: b"gone", qos: Qos::AtLeastOnce, retain: true, properties };
    Connect { will: Some(will), ..connect(version, client_id) }
}

#[test]
fn a_will_is_published_unless_the_client_takes_leave() {
    let broker = broker();
    let mut watcher = Client::new(&broker, Version::V5, "w");
    watcher.subscribe("will", Qos::AtMostOnce);
    for version in VERSIONS {
        let (client, ..) = Client::open(&broker, with_will(version, "c", Properties::EMPTY));
        client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
        watcher.nothing_more();
        drop(Client::open(&broker, with_will(version, "c", Properties::EMPTY)));
        assert_eq!(watcher.message(), "will gone q0");
    }
    let (client, ..) = Client::open(&broker, with_will(Version::V5, "c", Properties::EMPTY));
    client.leave(ReasonCode::DISCONNECT_WITH_WILL, Properties::EMPTY);
    assert_eq!(watcher.message(), "will gone q0");
    watcher.subscribe("will", Qos::AtLeastOnce);
    assert_eq!(watcher.message(), "will gone q1 retain");
}

#[test]
fn a_delayed_will_is_taken_back_when_the_client_returns() {
    let broker = broker();
    let mut watcher = Client::new(&broker, Version::V5, "w");
    watcher.subscribe("will", Qos::AtMostOnce);
    let delay = properties(&[
        (PropertyId::WillDelayInterval, PropertyValue::Number(1)),
        (PropertyId::ContentType, PropertyValue::Text("text")),
    ]);
    let hour = number(PropertyId::SessionExpiryInterval, 3600);
    let connect = Connect {
        clean_start: false,
        properties: hour.as_properties(),
        ..with_will(Version::V5, "c", delay.as_properties())
    };
    drop(Client::open(&broker, connect.clone()));
    let (client, present, _) = Client::open(&broker, Connect { will: None, ..connect.clone() });
    assert!(present);
    drop(client);
    drop(Client::open(&broker, connect));
    assert_eq!(watcher.message(), "will gone q0 content-type=text");
    watcher.nothing_more();
}

#[test]
fn a_second_connection_takes_over() {
    let broker = broker();
    let mut watcher = Client::new(&broker, Version::V5, "w");
    watcher.subscribe("will", Qos::AtMostOnce);
    let (mut old, ..) = Client::open(&broker, with_will(Version::V5, "c", Properties::EMPTY));
    let mut new = Client::new(&broker, Version::V5, "c");
    assert_eq!(old.disconnect(), ReasonCode::SESSION_TAKEN_OVER);
    assert_eq!(watcher.message(), "will gone q0");
    new.nothing_more();
}

#[test]
fn a_silent_client_is_disconnected() {
    let broker = broker();
    let before = Instant::now();
    let (mut v5, ..) = Client::open(&broker, Connect { keep_alive: 1, ..connect(Version::V5, "5") });
    let (mut v3, ..) = Client::open(&broker, Connect { keep_alive: 1, ..connect(Version::V311, "3") });
    assert_eq!(v5.disconnect(), ReasonCode::KEEP_ALIVE_TIMEOUT);
    // One and a half times the interval after CONNECT, and so after an earlier moment.
    assert!(before.elapsed() >= Duration::from_millis(1500));
    v3.is_closed();
}

#[test]
fn clients_are_told_when_the_broker_stops() {
    let broker = broker();
    let mut v5 = Client::new(&broker, Version::V5, "5");
    let mut v3 = Client::new(&broker, Version::V311, "3");
    let clients = std::thread::spawn(move || {
        v3.is_closed();
        v5.disconnect()
    });
    let report = broker.stop();
    assert_eq!(clients.join().unwrap(), ReasonCode::SERVER_SHUTTING_DOWN);
    assert_eq!((report.connections, report.maximum_connected), (2, 2));
}

#[test]
fn empty_client_identifiers_are_taken_where_the_version_allows() {
    let broker = broker();
    let open =
        |version, clean_start| Client::open(&broker, Connect { clean_start, ..connect(version, "") }).2;
    assert_eq!(open(Version::V31, true), ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
    assert_eq!(open(Version::V311, false), ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
    assert_eq!(open(Version::V311, true), ReasonCode::SUCCESS);
    let mut client = Client::raw(&broker, Version::V5);
    client.send(&Packet::Connect(connect(Version::V5, "")));
    let assigned = client.next(|packet| match packet {
        Packet::Connack(connack) => {
            connack.properties.text(PropertyId::AssignedClientIdentifier).map(str::to_owned)
        }
        other => panic!("{other:?} instead of CONNACK"),
    });
    assert!(assigned.flatten().is_some_and(|assigned| !assigned.is_empty()));
}

#[test]
fn an_invalid_connect_is_refused_or_closed() {
    let broker = broker();
    let answer = |bytes: &[u8]| {
        let mut client = Client::raw(&broker, Version::V311);
        client.send_bytes(bytes);
        let mut answer = Vec::new();
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = client.stream.read_to_end(&mut answer);
        answer
    };
    assert_eq!(answer(b"\x10\x0c\x00\x04MQTT\x07\x02\x00\x00\x00\x00"), b"\x20\x03\x00\x84\x00");
    assert_eq!(answer(b"\x10\x0c\x00\x04MQTT\x02\x02\x00\x00\x00\x00"), b"\x20\x02\x00\x01");
    assert_eq!(answer(b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00"), b"");
    assert_eq!(answer(b"\x10\x0c\x00\x04MQTT\x05\x03\x00\x00\x00\x00"), b"\x20\x03\x00\x81\x00");
    assert_eq!(answer(b"GET / HTTP/1.1\r\n\r\n"), b"");
    assert_eq!(answer(b"\xc0\x00"), b"");
    assert_eq!(answer(b"\x10\xff\xff\xff\x7f"), b"");
    let method = properties(&[(PropertyId::AuthenticationMethod, PropertyValue::Text("SCRAM"))]);
    let authenticated = Connect { properties: method.as_properties(), ..connect(Version::V5, "c") };
    assert_eq!(Client::open(&broker, authenticated).2, ReasonCode::BAD_AUTHENTICATION_METHOD);
}

#[test]
fn a_connection_without_connect_is_closed_in_time() {
    let broker = Handle::start(Config { connect_timeout: Duration::from_millis(50), ..config() }).unwrap();
    Client::raw(&broker, Version::V5).is_closed();
}

#[test]
fn wrong_packets_end_the_connection_with_a_reason() {
    let broker = Handle::start(Config { maximum_packet_size: 1000, ..config() }).unwrap();
    let reason = |bytes: &[u8]| {
        let mut client = Client::new(&broker, Version::V5, "c");
        client.send_bytes(bytes);
        client.disconnect()
    };
    assert_eq!(reason(b"\x36\x00"), ReasonCode::MALFORMED_PACKET);
    assert_eq!(reason(b"\x30\x04\x00\x01#\x00"), ReasonCode::TOPIC_NAME_INVALID);
    assert_eq!(reason(b"\x30\xe9\x07"), ReasonCode::PACKET_TOO_LARGE);
    assert_eq!(reason(b"\x30\x06\x00\x00\x03\x23\x00\x41"), ReasonCode::TOPIC_ALIAS_INVALID);
    assert_eq!(reason(b"\x30\x07\x00\x01t\x03\x23\x00\x00"), ReasonCode::TOPIC_ALIAS_INVALID);
    assert_eq!(reason(b"\x30\x06\x00\x00\x03\x23\x00\x01"), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(reason(b"\xf0\x00"), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(reason(b"\x20\x03\x00\x00\x00"), ReasonCode::PROTOCOL_ERROR);
    assert_eq!(reason(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00"), ReasonCode::PROTOCOL_ERROR);
    let mut client = Client::new(&broker, Version::V311, "c");
    client.send_bytes(b"\x36\x00");
    client.is_closed();
}

#[test]
fn a_publish_that_nobody_wants_says_so() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    client.publish(qos1("t", "x", 1));
    assert_eq!(client.ack(PacketType::Puback), (1, ReasonCode::NO_MATCHING_SUBSCRIBERS));
    client.publish(Publish { qos: Qos::ExactlyOnce, ..qos1("t", "x", 2) });
    assert_eq!(client.ack(PacketType::Pubrec), (2, ReasonCode::NO_MATCHING_SUBSCRIBERS));
    client.send(&Packet::Unsubscribe(Unsubscribe {
        packet_id: id(3),
        properties: Properties::EMPTY,
        filters: vec!["t"],
    }));
    let code = client.next(|packet| match packet {
        Packet::Unsuback(ack) => ack.reason_codes().next(),
        other => panic!("{other:?} instead of UNSUBACK"),
    });
    assert_eq!(code.flatten(), Some(ReasonCode::NO_SUBSCRIPTION_EXISTED));
}

#[test]
fn properties_are_forwarded_and_expiry_counts_down() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    let list = properties(&[
        (PropertyId::MessageExpiryInterval, PropertyValue::Number(100)),
        (PropertyId::ContentType, PropertyValue::Text("text")),
        (PropertyId::UserProperty, PropertyValue::Pair("a", "1")),
        (PropertyId::ResponseTopic, PropertyValue::Text("answer")),
    ]);
    client.subscribe("t", Qos::AtMostOnce);
    client.publish(Publish { properties: list.as_properties(), ..message("t", "x") });
    let others = "content-type=text user-property=a:1 response-topic=answer";
    assert_eq!(client.message(), format!("t x q0 {others} message-expiry-interval=100"));
}

#[test]
fn expired_messages_are_not_delivered() {
    let broker = broker();
    let hour = number(PropertyId::SessionExpiryInterval, 3600);
    let kept = Connect { clean_start: false, properties: hour.as_properties(), ..connect(Version::V5, "c") };
    let (mut client, ..) = Client::open(&broker, kept.clone());
    client.subscribe("t", Qos::AtLeastOnce);
    client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    let second = number(PropertyId::MessageExpiryInterval, 1);
    publisher.publish(Publish { properties: second.as_properties(), retain: true, ..qos1("t", "short", 1) });
    publisher.publish(qos1("t", "long", 2));
    wait_for_a_session_to_expire(&broker, 1);
    let (mut client, present, _) = Client::open(&broker, kept);
    assert!(present);
    assert_eq!(client.message(), "t long q1");
    client.subscribe("t", Qos::AtLeastOnce);
    client.nothing_more();
}

#[test]
fn topic_aliases_work_in_both_directions() {
    let broker = broker();
    let maximum = number(PropertyId::TopicAliasMaximum, 5);
    let (mut client, ..) =
        Client::open(&broker, Connect { properties: maximum.as_properties(), ..connect(Version::V5, "c") });
    client.subscribe("#", Qos::AtMostOnce);
    let alias = number(PropertyId::TopicAlias, 3);
    client.publish(Publish { properties: alias.as_properties(), ..message("long/topic", "1") });
    client.publish(Publish { properties: alias.as_properties(), ..message("", "2") });
    assert_eq!(client.message(), "long/topic 1 q0 topic-alias=1");
    assert_eq!(client.message(), " 2 q0 topic-alias=1");
    let over = number(PropertyId::TopicAlias, 65);
    client.publish(Publish { properties: over.as_properties(), ..message("t", "") });
    assert_eq!(client.disconnect(), ReasonCode::TOPIC_ALIAS_INVALID);
}

#[test]
fn no_more_is_sent_than_the_client_receives_at_a_time() {
    let broker = broker();
    let maximum = number(PropertyId::ReceiveMaximum, 2);
    let (mut client, ..) =
        Client::open(&broker, Connect { properties: maximum.as_properties(), ..connect(Version::V5, "c") });
    client.subscribe("t", Qos::AtLeastOnce);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    for (number, payload) in (1..).zip(["1", "2", "3"]) {
        publisher.publish(qos1("t", payload, number));
        publisher.ack(PacketType::Puback);
    }
    assert_eq!([client.message(), client.message()], ["t 1 q1", "t 2 q1"]);
    client.nothing_more();
    client.send(&Packet::Puback(Ack::new(id(1), ReasonCode::SUCCESS)));
    assert_eq!(client.message(), "t 3 q1");
}

#[test]
fn more_than_the_receive_maximum_is_not_taken() {
    let broker = Handle::start(Config { receive_maximum: 2, ..config() }).unwrap();
    let mut client = Client::new(&broker, Version::V5, "c");
    for number in 1..=2 {
        client.publish(Publish { qos: Qos::ExactlyOnce, ..qos1("t", "", number) });
        client.ack(PacketType::Pubrec);
    }
    client.publish(Publish { qos: Qos::ExactlyOnce, ..qos1("t", "", 3) });
    assert_eq!(client.disconnect(), ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
}

#[test]
fn messages_over_the_clients_packet_size_are_dropped_and_counted() {
    let (broker, events) = broker_with_events(config());
    let maximum = number(PropertyId::MaximumPacketSize, 50);
    let (mut client, ..) =
        Client::open(&broker, Connect { properties: maximum.as_properties(), ..connect(Version::V5, "c") });
    client.subscribe("t", Qos::ExactlyOnce);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    publisher.publish(qos1("t", &"x".repeat(50), 1));
    publisher.publish(qos1("t", "fits", 2));
    assert_eq!(client.message(), "t fits q1");
    assert_eq!(broker.stop().messages_dropped, 1);
    assert_eq!(drops(&events), [("c".to_owned(), 1)]);
}

#[test]
fn a_session_without_connection_queues_up_to_its_bound_and_reports_drops() {
    let (broker, events) = broker_with_events(Config { queued_messages: 10, ..config() });
    let kept = Connect { clean_start: false, ..connect(Version::V311, "c") };
    let (mut client, ..) = Client::open(&broker, kept.clone());
    client.subscribe("t", Qos::AtLeastOnce);
    client.leave(ReasonCode::SUCCESS, Properties::EMPTY);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    for number in 1..=25 {
        publisher.publish(qos1("t", &number.to_string(), number));
        publisher.ack(PacketType::Puback);
    }
    let (mut client, ..) = Client::open(&broker, kept);
    for number in 1..=10 {
        assert_eq!(client.message(), format!("t {number} q1"));
    }
    client.nothing_more();
    broker.stop();
    assert_eq!(drops(&events).iter().map(|(_, count)| count).sum::<u64>(), 15);
}

#[test]
fn a_slow_subscriber_makes_publishers_wait_and_loses_nothing() {
    const MESSAGES: u32 = 20_000;
    // More than fits into the queue and the sockets' buffers.
    let payload = "x".repeat(1000);
    let broker = Handle::start(Config { queued_messages: 1000, ..config() }).unwrap();
    let mut subscriber = Client::new(&broker, Version::V5, "s");
    subscriber.subscribe("t", Qos::AtMostOnce);
    let mut publisher = Client::new(&broker, Version::V311, "p");
    let writer = std::thread::spawn(move || {
        (0..MESSAGES).for_each(|_| publisher.publish(message("t", &payload)));
        publisher.nothing_more();
    });
    // A queue that is a quarter full makes publishers wait.
    wait_for_queued(&broker, 250);
    (0..MESSAGES).for_each(|_| assert!(subscriber.message().starts_with("t x")));
    writer.join().unwrap();
    assert_eq!(broker.stop().messages_dropped, 0);
}

#[test]
fn a_subscriber_that_reads_nothing_does_not_stop_the_others_for_ever() {
    let payload = "x".repeat(10_000);
    let stall_time = Duration::from_millis(300);
    let broker = Handle::start(Config { queued_messages: 100, stall_time, ..config() }).unwrap();
    let mut stuck = Client::new(&broker, Version::V5, "stuck");
    stuck.subscribe("t", Qos::AtMostOnce);
    let mut publisher = Client::new(&broker, Version::V5, "p");
    for _ in 0..2_000 {
        publisher.publish(message("t", &payload));
    }
    publisher.nothing_more();
    assert!(broker.stop().messages_dropped > 0);
}

#[test]
fn a_client_that_floods_itself_does_not_block_itself() {
    const MESSAGES: u16 = 20_000;
    let broker = Handle::start(Config { queued_messages: 50_000, ..config() }).unwrap();
    let mut client = Client::new(&broker, Version::V311, "c");
    client.subscribe("t", Qos::AtLeastOnce);
    // Everything is sent before the first acknowledgement is read or written.
    (1..=MESSAGES).for_each(|number| client.publish(qos1("t", "x", number)));
    let (mut acked, mut received) = (0, 0);
    while acked < MESSAGES || received < MESSAGES {
        let answer = client.next(|packet| match packet {
            Packet::Puback(_) => None,
            Packet::Publish(publish) => publish.packet_id,
            other => panic!("{other:?}"),
        });
        match answer.expect("a packet") {
            None => acked += 1,
            Some(packet_id) => {
                received += 1;
                client.send(&Packet::Puback(Ack::new(packet_id, ReasonCode::SUCCESS)));
            }
        }
    }
    assert_eq!(broker.stop().messages_dropped, 0);
}

#[test]
fn filters_and_topics_of_any_depth_do_no_harm() {
    let broker = Handle::start(Config { subscriptions: 2, ..config() }).unwrap();
    let mut client = Client::new(&broker, Version::V5, "c");
    let deep = "/".repeat(65_000);
    let options = options(Qos::AtMostOnce);
    assert_eq!(client.subscribe_with(&[(&deep, options)], Properties::EMPTY), [0x8f]);
    let many = [("#", options), ("a", options), ("b", options), ("a", options)];
    assert_eq!(client.subscribe_with(&many, Properties::EMPTY), [0, 0, 0x97, 0]);
    client.publish(message(&deep, "x"));
    assert!(client.message().ends_with("/ x q0"));
}

#[test]
fn the_brokers_own_topics_are_there_on_subscribing() {
    let broker = broker();
    let mut client = Client::new(&broker, Version::V5, "c");
    client.subscribe("#", Qos::AtMostOnce);
    client.nothing_more();
    client.subscribe("$SYS/broker/clients/connected", Qos::AtMostOnce);
    assert_eq!(client.message(), "$SYS/broker/clients/connected 1 q0 retain");
    client.subscribe("$SYS/broker/+", Qos::AtMostOnce);
    assert!(client.message().starts_with("$SYS/broker/version mq version "));
}

#[test]
fn events_name_clients_that_connect_and_disconnect() {
    let (broker, events) = broker_with_events(config());
    let mut client = Client::new(&broker, Version::V311, "c");
    client.send_bytes(b"\x00\x00");
    client.is_closed();
    Client::raw(&broker, Version::V311).send_bytes(b"\xc0\x00");
    wait_for_a_session_to_expire(&broker, 1);
    broker.stop();
    let events = events.lock().unwrap();
    let seen: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    assert!(seen[0].starts_with("Connected { client_id: \"c\""), "{seen:?}");
    assert_eq!(
        seen[1],
        "Disconnected { client_id: \"c\", reason: Some(ReasonCode(0x81)), fault: \
         Some(\"malformed packet: packet type 0 is forbidden at byte 0\") }"
    );
    assert!(seen[2].contains("text: \"the first packet is not CONNECT\""), "{seen:?}");
}

type Events = Arc<Mutex<Vec<Event>>>;

fn broker_with_events(config: Config) -> (Handle, Events) {
    let events = Events::default();
    let kept = Arc::clone(&events);
    let broker = Handle::start_with(config, move |event| kept.lock().unwrap().push(event)).unwrap();
    (broker, events)
}

fn drops(events: &Events) -> Vec<(String, u64)> {
    let events = events.lock().unwrap();
    let drops = events.iter().filter_map(|event| match event {
        Event::Dropped { client_id, count, .. } => Some((client_id.clone(), *count)),
        _ => None,
    });
    drops.collect()
}

/// Waits until the broker has received this many more messages than it has sent.
fn wait_for_queued(broker: &Handle, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut watcher = Client::new(broker, Version::V5, "watcher");
    for look in 0.. {
        watcher.subscribe("$SYS/broker/publish/messages/+", Qos::AtMostOnce);
        let values = ["received", "sent", "dropped", "denied", "withheld"].map(|name| {
            let message = watcher.message();
            let value = message.strip_prefix(&format!("$SYS/broker/publish/messages/{name} "));
            value.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok()).expect("a number")
        });
        let [received, sent, ..] = values;
        let own = look * values.len() as u64; // values are also sent messages
        if received + own >= sent + count {
            return;
        }
        assert!(Instant::now() < deadline, "{received} received, {sent} sent, {own} of them to the watcher");
    }
}

/// Waits by the broker's own clock: until it ends a session after this many seconds, and publishes its delayed will.
fn wait_for_a_session_to_expire(broker: &Handle, seconds: u32) {
    let mut watcher = Client::new(broker, Version::V5, "watcher");
    watcher.subscribe("session ended", Qos::AtMostOnce);
    let delay = number(PropertyId::WillDelayInterval, 3600);
    let expiry = number(PropertyId::SessionExpiryInterval, seconds);
    let will = Will {
        topic: "session ended",
        payload: b"",
        qos: Qos::AtMostOnce,
        retain: false,
        properties: delay.as_properties(),
    };
    let connect =
        Connect { will: Some(will), properties: expiry.as_properties(), ..connect(Version::V5, "mortal") };
    drop(Client::open(broker, connect));
    assert_eq!(watcher.message(), "session ended  q0");
}
