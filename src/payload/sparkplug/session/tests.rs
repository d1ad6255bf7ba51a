//! Lives of nodes: valid ones have no anomalies, however much an observer misses; a lost message leaves a gap.

use super::*;
use crate::payload::sparkplug::message::content;
use proptest::prelude::*;

const TIME: u64 = 1_700_000_000_000;

/// A node's message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    topic: String,
    payload: Vec<u8>,
}

/// A node that sends valid messages.
#[derive(Debug, Default)]
struct Edge {
    seq: u8,
    bd_seq: u8,
    sent: Vec<Sent>,
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2)[..], &varint(content.len() as u64), content].concat()
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// A metric of a birth.
fn defined(name: &str, alias: u64, data_type: u64) -> Vec<u8> {
    let value = if data_type == 11 { number(14, 0) } else { number(10, 5) };
    let alias = if alias > 0 { number(2, alias) } else { Vec::new() };
    field(2, &[field(1, name.as_bytes()), alias, number(3, TIME), number(4, data_type), value].concat())
}

/// A metric of data.
fn changed(alias: u64) -> Vec<u8> {
    field(2, &[number(2, alias), number(3, TIME), number(10, 7)].concat())
}

impl Edge {
    fn send(&mut self, kind: &str, device: &str, metrics: &[Vec<u8>], has_seq: bool) {
        let mut payload = [number(1, TIME), metrics.concat()].concat();
        if has_seq {
            payload.extend(number(3, self.seq.into()));
            self.seq = self.seq.wrapping_add(1);
        }
        let topic = format!("spBv1.0/g/{kind}/n{device}");
        self.sent.push(Sent { topic, payload });
    }

    fn bd_seq(&self) -> Vec<u8> {
        field(
            2,
            &[field(1, b"bdSeq"), number(3, TIME), number(4, 8), number(11, self.bd_seq.into())].concat(),
        )
    }

    fn birth(&mut self) {
        self.seq = 0;
        let metrics = [self.bd_seq(), defined("Node Control/Rebirth", 0, 11), defined("a", 1, 3)];
        self.send("NBIRTH", "", &metrics, true);
        self.device_birth(1);
        self.device_birth(2);
    }

    fn device_birth(&mut self, device: u64) {
        self.send("DBIRTH", &format!("/d{device}"), &[defined("b", 10 + device, 3)], true);
    }

    fn death(&mut self) {
        self.send("NDEATH", "", &[self.bd_seq()], false);
    }

    /// One step of a life: data, a device that dies and returns, a rebirth, or another session.
    fn step(&mut self, step: u8) {
        match step % 8 {
            0..=3 => self.send("NDATA", "", &[changed(1)], true),
            4 => self.send("DDATA", "/d1", &[changed(11)], true),
            5 => {
                self.send("DDEATH", "/d2", &[], true);
                self.device_birth(2);
            }
            6 => self.birth(),
            _ => {
                self.death();
                self.bd_seq = self.bd_seq.wrapping_add(1);
                self.birth();
            }
        }
    }

    fn live(steps: &[u8]) -> Vec<Sent> {
        let mut edge = Edge::default();
        edge.birth();
        steps.iter().for_each(|step| edge.step(*step));
        edge.sent
    }
}

const SUBSCRIBER: Observer = Observer {
    broker: 0,
    connection: 0,
    is_publisher: false,
    is_from_start: false,
    is_complete: true,
    may_repeat: false,
    has_births: true,
    losses: 0,
};

#[derive(Default)]
struct Watcher {
    sessions: Sessions,
    births: Births,
}

impl Watcher {
    fn take(&mut self, observer: Observer, sent: &Sent) -> Vec<Anomaly> {
        self.births.learn(&sent.topic, &sent.payload);
        let topic = Topic::parse_live(&sent.topic).unwrap();
        let content = content(&sent.payload);
        let message = Message::read(topic, topic.message_type().unwrap(), &content).unwrap();
        self.sessions.observe(observer, None, &message, &self.births).unwrap_or_default()
    }

    fn all(&mut self, messages: &[Sent]) -> Vec<Anomaly> {
        messages.iter().flat_map(|sent| self.take(SUBSCRIBER, sent)).collect()
    }
}

proptest! {
    #[test]
    fn a_valid_life_has_no_anomalies(steps in prop::collection::vec(any::<u8>(), 0..400)) {
        let sent = Edge::live(&steps);
        prop_assert_eq!(Watcher::default().all(&sent), vec![]);
        let own = Observer { is_publisher: true, is_from_start: true, ..SUBSCRIBER };
        let mut watcher = Watcher::default();
        for sent in &sent {
            prop_assert_eq!(watcher.take(own, sent), vec![]);
        }
    }

    #[test]
    fn a_late_observer_blames_nobody(steps in prop::collection::vec(any::<u8>(), 0..200), from: prop::sample::Index) {
        let sent = Edge::live(&steps);
        let seen = sent.get(from.index(sent.len())..).unwrap_or_default();
        let anomalies = Watcher::default().all(seen);
        prop_assert!(anomalies.iter().all(|it| *it == Anomaly::BirthNotSeen), "{:?}", anomalies);
    }

    #[test]
    fn a_known_loss_blames_nobody(
        steps in prop::collection::vec(any::<u8>(), 0..200),
        from: prop::sample::Index,
        lost in 1..20_usize,
    ) {
        let mut sent = Edge::live(&steps);
        let from = from.index(sent.len());
        let to = (from + lost).min(sent.len());
        let mut watcher = Watcher::default();
        let rest = sent.split_off(to);
        sent.truncate(from);
        prop_assert_eq!(watcher.all(&sent), vec![]);
        let after = Observer { losses: 1, ..SUBSCRIBER };
        let anomalies: Vec<_> = rest.iter().flat_map(|sent| watcher.take(after, sent)).collect();
        prop_assert!(anomalies.iter().all(|it| *it == Anomaly::BirthNotSeen), "{:?}", anomalies);
    }

    #[test]
    fn a_removed_message_leaves_a_gap(steps in prop::collection::vec(0..4_u8, 3..300), removed: prop::sample::Index) {
        let mut sent = Edge::live(&steps);
        // Neither the births nor the last message.
        let removed = 3 + removed.index(sent.len() - 4);
        sent.remove(removed);
        let expected = (removed % 256) as u8;
        let gap = Anomaly::SeqGap { expected, received: expected.wrapping_add(1), skipped: 1 };
        prop_assert_eq!(Watcher::default().all(&sent), vec![gap]);
    }

    #[test]
    fn exchanged_messages_are_found(steps in prop::collection::vec(0..4_u8, 4..300), first: prop::sample::Index) {
        let mut sent = Edge::live(&steps);
        let first = 3 + first.index(sent.len() - 4);
        sent.swap(first, first + 1);
        let anomalies = Watcher::default().all(&sent);
        let is_late = |it: &Anomaly| matches!(it, Anomaly::SeqLate { .. });
        prop_assert!(anomalies.iter().any(is_late) || first + 2 == sent.len(), "{:?}", anomalies);
    }

    #[test]
    fn any_bytes_are_taken(messages in prop::collection::vec((0..8_usize, 0..4_u8, prop::collection::vec(any::<u8>(), 0..60)), 0..60)) {
        let mut watcher = Watcher::default();
        for (kind, node, payload) in messages {
            let kind = MessageType::ALL[kind];
            let topic = format!("spBv1.0/g/{kind}/{node}/d");
            watcher.births.learn(&topic, &payload);
            let content = content(&payload);
            let topic = Topic::parse_live(&topic).unwrap();
            if let Ok(message) = Message::read(topic, kind, &content) {
                watcher.sessions.observe(SUBSCRIBER, Some(0), &message, &watcher.births);
                let _ = crate::payload::sparkplug::faults(&message);
            }
        }
    }
}

fn one(kind: &str, device: &str, metrics: &[Vec<u8>], seq: Option<u64>) -> Sent {
    let seq = seq.map(|seq| number(3, seq)).unwrap_or_default();
    Sent {
        topic: format!("spBv1.0/g/{kind}/n{device}"),
        payload: [number(1, TIME), metrics.concat(), seq].concat(),
    }
}

/// The anomalies of messages after a valid beginning of three births.
fn after_births(messages: &[Sent]) -> Vec<String> {
    let mut watcher = Watcher::default();
    assert_eq!(watcher.all(&Edge::live(&[])), vec![]);
    watcher.all(messages).iter().map(Anomaly::to_string).collect()
}

#[test]
fn data_is_compared_with_the_birth() {
    for (metric, expected) in [
        (changed(9), "alias 9 not in the birth"),
        (defined("new", 0, 3), "metric \"new\" not in the birth"),
        (defined("a", 0, 4), "\"a\" is Int64, but Int32 in the birth"),
    ] {
        assert_eq!(after_births(&[one("NDATA", "", &[metric], Some(3))]), [expected]);
    }
    let expected = ["DDATA without a DBIRTH after the node's NBIRTH"];
    assert_eq!(after_births(&[one("DDATA", "/d3", &[changed(1)], Some(3))]), expected);
    let gone = [one("DDEATH", "/d1", &[], Some(3)), one("DDATA", "/d1", &[changed(11)], Some(4))];
    assert_eq!(after_births(&gone), ["DDATA after the device's DDEATH, without another DBIRTH"]);
}

#[test]
fn aliases_are_unique_in_a_node() {
    let expected = ["alias 1 of \"c\" is also the alias of another metric"];
    assert_eq!(after_births(&[one("DBIRTH", "/d3", &[defined("c", 1, 3)], Some(3))]), expected);
    let twice = [defined("c", 7, 3), defined("d", 7, 3)];
    let expected = ["alias 7 of \"d\" is also the alias of another metric"];
    assert_eq!(after_births(&[one("DBIRTH", "/d3", &twice, Some(3))]), expected);
    assert!(after_births(&[one("DBIRTH", "/d1", &[defined("b", 11, 3)], Some(3))]).is_empty(), "again");
}

#[test]
fn a_death_belongs_to_a_birth() {
    let death = |bd_seq| one("NDEATH", "", &[Edge { bd_seq, ..Edge::default() }.bd_seq()], None);
    let expected = ["NDEATH has bdSeq 5, but the NBIRTH has 0"];
    assert_eq!(after_births(&[death(5), one("NDATA", "", &[changed(1)], Some(3))]), expected);
    let expected = ["NDATA after the node's NDEATH, without another NBIRTH"];
    assert_eq!(after_births(&[death(0), one("NDATA", "", &[changed(1)], Some(3))]), expected);
    // The broker sends the will of the old connection after the birth on the new one.
    let mut edge = Edge { bd_seq: 1, ..Edge::default() };
    edge.birth();
    edge.sent.push(death(0));
    edge.send("NDATA", "", &[changed(1)], true);
    assert_eq!(after_births(&edge.sent), ["NDEATH of an earlier birth: bdSeq 0, now 1"]);
}

#[test]
fn a_node_has_thirty_seconds_for_a_rebirth() {
    let rebirth = field(2, &[field(1, b"Node Control/Rebirth"), number(14, 1)].concat());
    let observe = |watcher: &mut Watcher, sent: &Sent, seconds: u64| {
        let topic = Topic::parse_live(&sent.topic).unwrap();
        let message = Message::read(topic, topic.message_type().unwrap(), &sent.payload).unwrap();
        watcher
            .sessions
            .observe(SUBSCRIBER, Some(seconds * 1_000_000_000), &message, &watcher.births)
            .unwrap()
    };
    let mut watcher = Watcher::default();
    watcher.all(&Edge::live(&[]));
    observe(&mut watcher, &one("NCMD", "", &[rebirth], None), 100);
    assert_eq!(observe(&mut watcher, &one("NDATA", "", &[changed(1)], Some(3)), 129), []);
    let ignored = [Anomaly::RebirthIgnored(31)];
    assert_eq!(observe(&mut watcher, &one("NDATA", "", &[changed(1)], Some(4)), 131), ignored);
    assert_eq!(observe(&mut watcher, &one("NDATA", "", &[changed(1)], Some(5)), 132), [], "once");
}

/// The anomalies of data with these numbers, each on a publisher's connection, after a birth on the first.
fn on_connections(watcher: &mut Watcher, messages: &[(u32, u64)]) -> Vec<String> {
    let on = |connection| Observer { connection, is_publisher: true, ..SUBSCRIBER };
    let mut all = Vec::new();
    for (connection, seq) in messages {
        let kind = if *seq == 0 { "NBIRTH" } else { "NDATA" };
        let metrics = if *seq == 0 { defined("a", 1, 3) } else { changed(1) };
        all.extend(watcher.take(on(*connection), &one(kind, "", &[metrics], Some(*seq))));
    }
    all.iter().map(Anomaly::to_string).collect()
}

#[test]
fn numbers_over_several_connections_are_not_judged() {
    let two = "NDATA on this connection after a later connection published as the same node";
    let mut watcher = Watcher::default();
    let found =
        on_connections(&mut watcher, &[(1, 0), (1, 1), (2, 2), (1, 3), (2, 5), (1, 4), (1, 6), (1, 7)]);
    assert_eq!(found, [two], "once");
    // A rebirth on a connection that is not the only one.
    assert!(on_connections(&mut watcher, &[(1, 0), (1, 2), (2, 1), (2, 4), (1, 3)]).is_empty());
    // The node's next connection.
    let gap = ["seq 2 expected, 4 received: 2 messages missing"];
    assert_eq!(on_connections(&mut watcher, &[(3, 0), (3, 1), (3, 4)]), gap);
    // Another connection may carry the birth that this one lacks.
    let mut watcher = Watcher::default();
    let unseen = ["the birth was not seen, so metrics have no names"];
    assert_eq!(on_connections(&mut watcher, &[(1, 2), (1, 5), (2, 6), (2, 8)]), unseen);
    assert_eq!(on_connections(&mut watcher, &[(2, 0), (2, 1), (2, 4)]), gap);
}

#[test]
fn copies_for_several_subscriptions_are_not_judged() {
    let observer = Observer { may_repeat: true, ..SUBSCRIBER };
    let life = Edge::live(&[0, 4, 5, 0, 7, 0, 0]);
    // Each copy follows its message, or some messages later.
    for distance in 1..6 {
        let mut watcher = Watcher::default();
        for part in life.chunks(distance) {
            for sent in part.iter().chain(part) {
                assert_eq!(watcher.take(observer, sent), [], "{distance}");
            }
        }
    }
    let mut watcher = Watcher::default();
    let mut found = Vec::new();
    for (at, sent) in Edge::live(&[0, 0, 0]).iter().enumerate().filter(|(at, _)| *at != 4) {
        found.extend([watcher.take(observer, sent), watcher.take(observer, sent)].concat());
        assert_eq!(found.len(), usize::from(at == 5), "a gap, once");
    }
    // The same number with another content is a repetition.
    let data = |alias| one("NDATA", "", &[changed(alias)], Some(3));
    assert_eq!(after_births(&[data(1), data(1)]), ["seq 3 received again"]);
    let mut watcher = Watcher::default();
    Edge::live(&[]).iter().for_each(|sent| assert_eq!(watcher.take(observer, sent), []));
    assert_eq!(watcher.take(observer, &data(1)), []);
    let other = one("NDATA", "", &[changed(1), changed(1)], Some(3));
    assert_eq!(watcher.take(observer, &other), [Anomaly::SeqRepeated(3)]);
}

#[test]
fn a_missing_birth_is_told_only_if_births_arrive() {
    let data = one("NDATA", "", &[changed(1)], Some(3));
    let without = Observer { is_complete: false, has_births: false, ..SUBSCRIBER };
    assert_eq!(Watcher::default().take(without, &data), []);
    let with = Observer { has_births: true, ..without };
    assert_eq!(Watcher::default().take(with, &data), [Anomaly::BirthNotSeen]);
}

#[test]
fn memory_is_bounded_for_hostile_nodes() {
    let mut watcher = Watcher::default();
    let metrics: Vec<Vec<u8>> = (1..40).map(|alias| defined("a metric", alias, 3)).collect();
    for node in 0..100_000 {
        let topic = format!("spBv1.0/g/NBIRTH/{node}");
        let payload = if node % 100 == 0 { metrics.concat() } else { defined("a", 1, 3) };
        watcher.take(SUBSCRIBER, &Sent { topic, payload });
    }
    assert!(watcher.sessions.nodes.size() <= MAX_BYTES && watcher.sessions.nodes.len() <= MAX_NODES);
    assert_eq!(watcher.sessions.evicted(), 100_000 - watcher.sessions.nodes.len() as u64);
    // One node with as many devices, each with aliases.
    for device in 0..30_000_u64 {
        let topic = format!("spBv1.0/g/DBIRTH/n/{device}");
        let payload = defined("a", device % 20_000, 3);
        watcher.take(SUBSCRIBER, &Sent { topic, payload });
    }
    assert!(watcher.sessions.nodes.size() <= MAX_BYTES);
    assert!(watcher.births.births.size() <= 4 << 20);
}
