//! `mq inspect --stats`: counts and times.

use super::*;

/// The statistics of a capture.
fn statistics(name: &str) -> Value {
    let all = inspect(name, "--stats");
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[test]
fn round_trips_have_percentiles() {
    let trips = &statistics("34-craft-rtt-ground-truth.pcap")["round_trips_ns"];
    let is_near = |value: &Value, milliseconds: f64| {
        let nanoseconds = value.as_f64().unwrap();
        (nanoseconds / 1e6 - milliseconds).abs() < milliseconds / 500.0
    };
    assert_eq!(trips["PUBACK"]["count"], 3);
    for (kind, key, milliseconds) in [
        ("CONNACK", "p50", 20.0),
        ("PUBACK", "min", 10.0),
        ("PUBACK", "p50", 45.0),
        ("PUBACK", "max", 50.0),
        ("PUBREC", "p99", 11.0),
        ("PINGRESP", "max", 3.0),
    ] {
        assert!(is_near(&trips[kind][key], milliseconds), "{kind} {key}: {trips}");
    }
}

#[test]
fn every_packet_is_counted_once() {
    for name in captures() {
        let found = packets(inspect(&name, ""));
        let told = statistics(&name);
        let counted: u64 = told["packets"]
            .as_object()
            .unwrap()
            .values()
            .map(|counts| counts["c2s"].as_u64().unwrap() + counts["s2c"].as_u64().unwrap())
            .sum();
        assert_eq!(counted, found.len() as u64, "{name}");
        let connections = told["by_connection"].as_array().unwrap().len();
        assert_eq!(told["connections"], connections, "{name}");
    }
}

#[test]
fn text_tells_the_same_in_tables() {
    let shown = mq("inspect --stats").arg(corpus("34-craft-rtt-ground-truth.pcap")).run().succeed();
    assert_says(&shown, &["1 connection, 20 packets", "CONNACK", "20.", "1 unanswered", "topics"]);
}
