//! `--think`: random pauses between an answer and the next message, which no latency includes.

use super::report::json;
use super::{ALL_ARRIVED, numbers_of};
use crate::support::*;

#[test]
fn publishers_and_requesters_pause_between_messages() {
    for mode in ["pub", "pub -q 0", "pubsub", "rr", "pub --inflight 3"] {
        let words = format!("bench {mode} --embedded -c 2 --messages 20 --think 40ms..60ms --output json");
        let report = json(mq(&words).run().succeed().as_bytes());
        let places = if mode.contains("--inflight") { 3 } else { 1 };
        // Ten messages of each publisher, each after a pause.
        let least = 10_u64.div_ceil(places) * 40_000_000;
        let load =
            report["messages"]["sent"]["end_ns"].as_u64().unwrap()
                - report["phases"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|phase| phase["name"] == "measure")
                    .unwrap()["begin_ns"]
                    .as_u64()
                    .unwrap();
        assert!(load >= least, "{mode}: {load} ns");
        assert_eq!(report["groups"][0]["load"]["think time"], "0.04 s to 0.06 s");
    }
}

#[test]
fn no_latency_includes_the_think_time() {
    let words = "bench rr --embedded -c 2 --messages 6 --think 2s --output json";
    let report = json(mq(words).run().succeed().as_bytes());
    let p50 = report["latency"]["round_trip"]["p50_ns"].as_u64().unwrap();
    assert!(p50 < 2_000_000_000, "{p50}");
    assert!(report["latency"].get("round_trip_planned").is_none());
}

#[test]
fn a_long_pause_is_no_standstill_of_the_broker() {
    let report = mq("bench --embedded -c 1 --messages 2 --think 1.2s --timeout 1").run().succeed();
    assert_says(&report, &["2 messages of 64 bytes", "think time 1.2 s", ALL_ARRIVED]);
    assert_eq!(numbers_of(&report, "received"), [2]);
}

#[test]
fn pauses_go_with_closed_loops_only() {
    for (options, part) in [
        ("pub --think 50ms..", "--think"),
        ("pub --think 2s..50ms", "the shorter duration first"),
        ("pub --think 0", "--think"),
        ("pub --think 1s --rate 5", "--think"),
        ("conn --think 1s", "--think cannot be used with conn"),
        ("reconnect --think 1s", "--think cannot be used with reconnect"),
    ] {
        assert_says(&mq(&format!("bench {options} --embedded")).run().fail(2), &["mq bench:", part]);
    }
}
