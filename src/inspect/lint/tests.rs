//! The linter handles any bytes within its memory bounds.

use super::subscriptions::{FilterMemory, RequestedOptions, Subscriptions};
use super::{FindingCounts, Linter};
use crate::inspect::capture::Moment;
use crate::inspect::{Direction, Inspector, Rule, Severity};
use crate::protocol::Version;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;

/// Packets that are valid more often than random bytes.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        Just(vec![0x10, 16, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 9, 3, 0x22, 0, 9, 0, 1, b'c']),
        Just(vec![0x20, 3, 0, 0, 0]),
        Just(vec![0x20, 6, 0, 0, 3, 0x21, 0, 2]),
        (0x30..0x40u8, 0..4u8, 0..3u8).prop_map(|(first, id, topic)| vec![
            first,
            7,
            0,
            1,
            b'a' + topic,
            0,
            id,
            0,
            0
        ]),
        (1..16u8, 0..4u8).prop_map(|(kind, id)| vec![kind << 4, 2, 0, id]),
        (1..16u8, 0..4u8).prop_map(|(kind, id)| vec![kind << 4 | 2, 2, 0, id]),
        (0..4u8, 0..3u8).prop_map(|(id, qos)| vec![0x82, 7, 0, id, 0, 0, 1, b'#', qos]),
        (0..4u8, 0..3u8).prop_map(|(id, code)| vec![0x90, 4, 0, id, 0, code]),
        vec(any::<u8>(), 0..40),
    ];
    header
}

fn lint(packets: &[(bool, Vec<u8>)], is_from_start: bool) -> FindingCounts {
    let mut inspector = Inspector::new(None);
    let mut linter = Linter::new(Severity::Info);
    inspector.open(0, is_from_start);
    for (index, (is_client, bytes)) in packets.iter().enumerate() {
        let direction = if *is_client { Direction::ClientToServer } else { Direction::ServerToClient };
        let at = Moment { frame: index as u64, time: Some(index as u64 * 1_000_000_000) };
        inspector.bytes(0, direction, at, bytes, &mut |item| drop(linter.check(item)));
    }
    linter.counts()
}

proptest! {
    #[test]
    fn any_packets_are_judged(packets in vec((any::<bool>(), packet()), 0..60), is_from_start: bool) {
        lint(&packets, is_from_start);
    }

    #[test]
    fn any_bytes_are_judged(chunks in vec((any::<bool>(), vec(any::<u8>(), 0..200)), 0..20), is_from_start: bool) {
        lint(&chunks, is_from_start);
    }
}

#[test]
fn every_rule_has_a_statement_a_sentence_and_a_hint() {
    for rule in Rule::ALL {
        let is_of_mqtt = rule.in_v3().is_some() || rule.in_v5().is_some();
        let is_of_sn = rule.in_mqtt_sn().iter().flatten().next().is_some();
        assert_ne!(is_of_mqtt, rule.in_sparkplug().next().is_some() || is_of_sn, "{rule:?}");
        for statement in [rule.in_v3(), rule.in_v5()].into_iter().flatten() {
            assert!(statement.starts_with("MQTT-") || statement.starts_with("mq/"), "{statement}");
        }
        for text in [rule.sentence(), rule.hint()] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{rule:?}: {text}");
        }
        if is_of_mqtt {
            assert_eq!(Some(rule.id(Version::V5)), rule.in_v5().or(rule.in_v3()));
        }
    }
    let sentences: HashSet<&str> = Rule::ALL.iter().map(|rule| rule.sentence()).collect();
    assert!(sentences.len() + 4 > Rule::ALL.len(), "at most a few rules share a sentence");
}

fn requested() -> RequestedOptions {
    RequestedOptions {
        qos: 0,
        has_identifier: false,
        retain_as_published: false,
        wants_retained: true,
        at: None,
    }
}

#[test]
fn a_connection_has_room_for_so_many_filters() {
    let (mut budget, mut subscriptions) = (FilterMemory::default(), Subscriptions::default());
    for number in 0..10_000 {
        assert_eq!(subscriptions.ask(&format!("t/{number}"), requested(), &mut budget), Some(number));
    }
    assert!(!subscriptions.misses_some);
    assert_eq!(subscriptions.ask("t/0", requested(), &mut budget), Some(0), "it is known already");
    assert_eq!(subscriptions.ask("one more", requested(), &mut budget), None);
    assert!(subscriptions.misses_some);
}

#[test]
fn all_connections_together_have_room_for_so_much() {
    let mut budget = FilterMemory::default();
    let mut connections: Vec<Subscriptions> = Vec::new();
    let long = "x".repeat(60_000);
    while connections.last().is_none_or(|last| !last.misses_some) {
        let mut subscriptions = Subscriptions::default();
        for number in 0..10 {
            subscriptions.ask(&format!("{long}{number}"), requested(), &mut budget);
        }
        connections.push(subscriptions);
        assert!(connections.len() < 100, "the budget is not enforced");
    }
    connections.remove(0).give_back(&mut budget);
    assert_eq!(Subscriptions::default().ask("again", requested(), &mut budget), Some(0));
}
