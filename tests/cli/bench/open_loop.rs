//! Sends at planned times, whatever the broker does.

use super::*;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_rate_is_kept_to_the_last_message() {
    let report = mq("bench --embedded -c 10 --rate 500 --duration 1").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
    assert_eq!(numbers_of(&report, "sent"), [500], "{report}");
}

#[test]
fn every_qos_and_every_way_to_spread_the_sends_loses_nothing() {
    for options in [
        "-q 0 --rate 2k",
        "-q 2 --rate 500/s",
        "-q 1 --rate 1k --arrivals poisson",
        "-q 1 --rate 1k --burst 10",
        "-q 1 --rate 1k --ramp 0.3",
        "-q 1 --ramp 200..2k",
    ] {
        let report =
            mq(&format!("bench --embedded -c 7 --subscribers 2 --duration 0.5 {options}")).run().succeed();
        assert_says(&report, &[ALL_ARRIVED]);
        assert!(numbers_of(&report, "sent")[0] > 50, "{report}");
    }
}

#[test]
fn a_rate_goes_from_one_to_another() {
    for (ramp, count) in [("100..900", 500), ("900..100", 500), ("6k/min..900", 500)] {
        let finished = mq(&format!("bench --embedded -c 10 --ramp {ramp} --duration 1")).run();
        assert_says(&finished.stderr, &["from ", " to ", "00 per second"]);
        let report = finished.succeed();
        assert_says(&report, &[ALL_ARRIVED, "500 planned per second"]);
        assert!(numbers_of(&report, "sent")[0].abs_diff(count) <= 1, "{ramp}: {report}");
    }
}

#[test]
fn a_ramp_that_says_too_little_or_too_much_is_refused() {
    for (options, parts) in [
        ("--ramp 5", ["--ramp", "needs a rate"]),
        ("--ramp 5..10 --rate 3", ["--ramp", "replaces the rate"]),
        ("--ramp 5..10 --messages 3", ["--ramp", "needs a duration"]),
        ("--ramp 5..x", ["--ramp", "a rate such as"]),
    ] {
        assert_says(&mq(&format!("bench pub {options}")).run().fail(2), &parts);
    }
}

#[test]
fn a_rate_sends_no_more_than_it_is_told_to() {
    let report = mq("bench --embedded -c 3 --rate 10k --messages 1000").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
    assert_eq!(numbers_of(&report, "sent"), [1000], "{report}");
}

#[test]
fn a_stall_of_the_broker_shows_in_the_latency_and_nothing_is_lost() {
    on_each_broker(|broker| {
        let witness = broker.subscriber("-t # -N -C 500");
        let bench = broker.mq("bench -c 10 --subscribers 2 --rate 500 --duration 4").spawn();
        witness.finish().expect_status(0);
        broker.signal("STOP");
        sleep(Duration::from_secs(1)); // the stall
        broker.signal("CONT");
        let report = bench.finish().succeed();
        assert_says(&report, &[ALL_ARRIVED]);
        assert_eq!(numbers_of(&report, "sent"), [2000], "{report}");
        for row in ["PUBLISH to PUBACK", "end to end"] {
            let p99 = percentiles(&report, row, "- as planned")[4];
            assert!(p99 >= 900.0, "a message that was due in the stall waited: {p99} ms in {report}");
        }
    });
}

/// With one message in flight, only one of the late messages was sent before the stall.
#[test]
fn a_stall_of_the_broker_shows_in_the_latency_over_time() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -N -C 100");
    let words = "bench -c 1 --subscribers 1 --inflight 1 --rate 200 --duration 4";
    let bench = broker.mq(words).arg("--json").arg(report.path()).spawn();
    witness.finish().expect_status(0);
    broker.signal("STOP");
    sleep(Duration::from_secs(1)); // the stall
    broker.signal("CONT");
    bench.finish().succeed();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report.path()).unwrap()).unwrap();
    let slots = report["timeline"]["slots"].as_array().unwrap();
    let worst = slots.iter().filter_map(|slot| slot["latency"]["p99_ns"].as_u64()).max();
    assert!(worst >= Some(500_000_000), "{worst:?} ns");
}

#[test]
fn late_and_unsent_messages_are_reported() {
    let peer = ScriptedPeer::accepting(|wire| {
        wire.expect_publish();
        wire.expect_end();
    });
    let words = "bench pub -c 1 --rate 100 --duration 0.5 --inflight 5 --timeout 1";
    let finished = peer.mq(words).run();
    let report = String::from_utf8(finished.stdout.clone()).unwrap();
    assert_says(&report, &["45 x a message was due and was not sent", "5 never acknowledged"]);
    finished.fail(1);
    peer.finish();
}

#[test]
fn the_warm_up_counts_for_losses_and_not_for_rates() {
    let report = mq("bench --embedded -c 4 --rate 1k --warm-up 0.5 --duration 0.5").run().succeed();
    assert_says(&report, &["all 1000 messages arrived"]);
    assert_eq!(numbers_of(&report, "sent"), [500], "{report}");
    assert_eq!(numbers_of(&report, "received"), [500], "{report}");
    let report = mq("bench --embedded -c 4 --warm-up 0.1 --messages 400").run().succeed();
    assert_eq!(numbers_of(&report, "acknowledged"), [400], "{report}");
}
