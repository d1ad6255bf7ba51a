//! `mq bench`: the load runs, the account is exact, and what goes wrong is told.

mod authentication;
mod broken_runs;
mod broker_watch;
mod brokers;
mod compare;
mod conditions;
#[cfg(target_os = "linux")]
mod connection_tracking;
mod connections;
mod deploy;
mod exit_status;
mod faults;
mod keep_connected;
mod late_groups;
mod modes;
#[cfg(target_os = "linux")]
mod namespaces;
mod open_loop;
mod payloads;
mod progress;
mod repeat_of;
mod report;
mod scenario_file;
mod scenarios;
mod seed;
mod serve;
mod sessions;
mod shards;
mod sn;
mod stages;
mod think_time;
mod topics_file;
mod verdicts;
mod worker_processes;

use super::support::*;
use report::{answer_to, free_address};
use std::time::Instant;

/// The end of the report when all is well.
const ALL_ARRIVED: &str = "messages arrived, once and in order";

#[test]
fn nothing_is_lost_at_any_qos() {
    for qos in 0..=2 {
        let finished = mq(&format!("bench --embedded -c 50 --subscribers 5 -q {qos} --messages 2000")).run();
        let announced = format!(
            "mq bench: 50 clients publish and 5 subscribe, 2000 messages of 64 bytes at QoS {qos}, {}\n",
            if qos == 0 { "as fast as they can" } else { "as fast as the broker acknowledges" }
        );
        assert_eq!(finished.stderr, announced, "and no progress where there is no terminal");
        let report = finished.succeed();
        assert_says(
            &report,
            &["55 of 55 clients", &format!("2000 messages of 64 bytes at QoS {qos}"), ALL_ARRIVED],
        );
        assert_eq!(numbers_of(&report, "sent"), [2000], "{report}");
        assert_eq!(numbers_of(&report, "received"), [2000], "{report}");
    }
}

/// The whole number that stands first in the line of the report that begins with this word.
fn numbers_of(report: &str, row: &str) -> Vec<u64> {
    let lines = report.lines().filter_map(|line| line.strip_prefix(row));
    lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// A latency's percentiles in milliseconds (min, mean, p50, p90, p99, p99.9, max), from the first row that begins with this
/// after a row that begins with that.
fn percentiles(report: &str, after: &str, row: &str) -> Vec<f64> {
    let rows = report.lines().skip_while(|line| !line.starts_with(after));
    let found = rows.skip(1).find_map(|line| line.strip_prefix(row));
    let row = found.unwrap_or_else(|| panic!("no {row} after {after} in {report}"));
    let words: Vec<&str> = row.split_whitespace().collect();
    let unit = |unit: &str| match unit {
        "ns" => 1e-6,
        "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => panic!("{unit} is no unit: {row}"),
    };
    words.chunks(2).map(|pair| pair[0].parse::<f64>().unwrap() * unit(pair[1])).collect()
}

/// Whether a report has a loss of any kind. The first line may say that there was none.
fn has_loss(report: &str) -> bool {
    let text = report.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("nothing lost", "").replace("no connection lost", "").contains("lost")
}

/// Waits until a run that answers for `--metrics` at this address does that.
#[track_caller]
fn wait_for_step(metrics: std::net::SocketAddr, step: &str) {
    wait_for_listener(metrics);
    let deadline = Instant::now() + DEADLINE;
    let part = format!("step=\"{step}\"");
    while !answer_to(metrics, b"GET /metrics HTTP/1.1\r\n\r\n").contains(&part) {
        assert!(Instant::now() < deadline, "the run comes to {step}");
    }
}

#[test]
fn other_brokers_are_measured_in_every_version() {
    on_each_broker(|broker| {
        for version in ["31", "311", "5"] {
            let report = broker
                .mq(&format!("bench -V {version} -c 20 --subscribers 2 --messages 1000 -s 100"))
                .run()
                .succeed();
            assert_says(&report, &["22 of 22 clients", "end to end", ALL_ARRIVED]);
        }
    });
}

#[test]
fn every_subscriber_of_a_topic_hears_every_publisher() {
    let report = mq("bench --embedded -c 10 --messages 500 -t fan/out --subscribers 4").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
    assert_eq!(numbers_of(&report, "received"), [2000], "{report}");
}

#[test]
fn acknowledgements_can_be_measured_alone() {
    let report = mq("bench --embedded -c 10 --messages 500 --subscribers 0 -s 0").run().succeed();
    assert_says(&report, &["10 of 10 clients", "PUBLISH to PUBACK"]);
    assert_eq!(numbers_of(&report, "acknowledged"), [500], "{report}");
}

#[test]
fn one_message_is_in_the_singular() {
    let report = mq("bench --embedded -c 1 --subscribers 1 -q 1 --messages 1").run().succeed();
    assert!(report.starts_with("1 message in "), "{report}");
    assert_says(&report, &["the only message arrived, once and in order"]);
    let finished = mq("bench --embedded -c 1 --subscribers 0 -q 1 --messages 1 -s 1").run();
    assert_says(&finished.stderr, &["1 client publishes, 1 message of 1 byte at QoS 1, "]);
    assert_says(&finished.succeed(), &["1 message of 1 byte at QoS 1"]);
    let files = certificates::Files::new(&[("acl", "topic read #\n".to_owned())]);
    let broker = EmbeddedBroker::start_with(&files.words("-p 0 --acl {}/acl"));
    let finished = broker.mq("bench -V 5 -c 1 --subscribers 0 -q 1 --messages 1").run();
    assert_says(&finished.fail(3), &["mq bench: 1 message was rejected"]);
}

#[test]
fn a_duration_ends_it() {
    let report = mq("bench --embedded -c 5 --duration 0.2").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
    assert!(numbers_of(&report, "sent")[0] > 0, "{report}");
}

#[test]
fn the_embedded_broker_is_gone_afterwards() {
    let report = mq("bench --embedded -c 5 --messages 100").run().succeed();
    let address = report.split_whitespace().find_map(|word| word.trim_end_matches(',').parse().ok());
    let address: std::net::SocketAddr = address.unwrap_or_else(|| panic!("no address in {report}"));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens on {address} any more");
}

#[test]
fn a_broker_that_is_not_there_is_reported() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let finished = mq(&format!("bench -h 127.0.0.1 -p {} -c 5", free.port())).run();
    assert_says(&finished.fail(1), &["mq bench:", "could not connect"]);
}

#[test]
fn a_broker_that_refuses_is_reported() {
    let Some(broker) = Mosquitto::start_with("allow_anonymous false") else { return };
    let finished = broker.mq("bench -c 5 --messages 100").run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["not authorized"]);
    assert_says(&finished.fail(5), &["mq bench:"]);
}

#[test]
fn a_broker_that_dies_is_reported_and_nothing_is_made_up() {
    on_each_broker(|broker| {
        let witness = broker.subscriber("-t # -N -C 100");
        let bench = broker.mq("bench -c 5 --duration 60 --timeout 2").spawn();
        witness.finish().expect_status(0);
        broker.kill();
        let finished = bench.finish();
        let report = String::from_utf8(finished.stdout.clone()).unwrap();
        assert!(!report.contains(ALL_ARRIVED), "{report}");
        assert!(numbers_of(&report, "acknowledged") <= numbers_of(&report, "sent"), "{report}");
        assert_says(&finished.fail(7), &["mq bench:", "connection"]);
    });
}

#[test]
fn an_interrupted_run_reports_its_measurements_so_far() {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -N -C 100");
    let bench = broker.mq("bench -c 5 --subscribers 1 --duration 60").spawn();
    witness.finish().expect_status(0);
    bench.signal("INT");
    let finished = bench.finish();
    finished.expect_status(130);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["6 of 6 clients", "sent"]);
}

#[test]
fn options_are_checked() {
    for (options, part) in [
        ("-c 0", "-c"),
        ("-c many", "-c"),
        ("-q 3", "-q"),
        ("-s -1", "-s"),
        ("-s 10", "-s 10"),
        ("--duration 0", "--duration"),
        ("--duration 1e300", "expected a duration such as 500ms, 5s or 2m"),
        ("--timeout inf", "expected a duration such as 500ms, 5s or 2m"),
        ("sub -t a --payload-template x", "--payload-template cannot be used with sub"),
        ("--messages 5 --duration 5", "--duration"),
        ("--embedded -h localhost", "--embedded"),
        ("-t a/#", "-t"),
        ("-t a/{sequ}", "{sequ}"),
        ("-s 64..20", "-s"),
        ("-s 24 --rate 5", "32 bytes"),
        ("--rate 0", "--rate"),
        ("--rate 5x", "--rate"),
        ("--burst 5", "--rate"),
        ("--rate 5 --arrivals never", "--arrivals"),
        ("--payload-template {sequ}", "--payload-template"),
        ("--topology ring", "fan-out"),
        ("--share a/b", "--share"),
        ("--hold 5", "--hold"),
        ("conn --rate 5", "--rate cannot be used with conn"),
        ("conn --duration 5", "--hold"),
        ("pub --subscribers 5", "--subscribers"),
        ("sub", "-t FILTER"),
        ("sub -t a/#/b", "-t"),
        ("rr -t requests --subscribers 2", "{s}"),
        ("reconnect --messages 5", "--duration"),
        ("flood", "reconnect"),
        ("scenario", "FILE.toml"),
        ("pubsub file.toml", "file"),
    ] {
        assert_says(&mq(&format!("bench {options}")).run().fail(2), &["mq bench:", part]);
    }
}

#[test]
fn configured_options_without_use_are_ignored() {
    let broker = EmbeddedBroker::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    broker.mq(&format!("bench -c 2 --messages 10 --json {path}")).run().succeed();
    let merge =
        mq(&format!("bench merge {path}")).env("MQ_HOST", "nowhere.invalid").env("MQ_CAFILE", "/nonexistent");
    assert_says(&merge.run().succeed(), &["4 of 4 clients"]);
}

#[test]
fn the_limit_of_open_files_is_raised_where_that_is_allowed() {
    let report = under_a_limit("ulimit -S -n 64", "bench --embedded -c 100 --subscribers 10 --messages 1000")
        .run()
        .succeed();
    assert_says(&report, &["110 of 110 clients", ALL_ARRIVED]);
}

/// `mq` with these words, after a shell's command.
fn under_a_limit(limit: &str, words: &str) -> Program {
    Program::new("sh").arg("-c").arg(format!("{limit} && exec \"$0\" \"$@\"")).arg(mq_path()).words(words)
}
