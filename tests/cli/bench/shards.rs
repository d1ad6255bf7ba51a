//! One load from several machines, here from several processes with addresses of their own: shards, a common start, and one report
//! of all.

use super::*;
use crate::support::certificates::Files;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// A time so many seconds from now, in seconds since 1970.
fn in_seconds(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    (now + Duration::from_secs(seconds)).as_secs()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn shards_share_a_load_and_their_reports_add_up() {
    let broker = EmbeddedBroker::start();
    let start = in_seconds(3);
    let files = Files::new(&[]);
    let names: Vec<String> = (1..=3).map(|number| files.words(&format!("{{}}/{number}.json"))).collect();
    let shard = |number: usize, name: &String| {
        let options = "-c 20 --subscribers 7 -q 2 --messages 1001 --rate 2000";
        let place = format!("--shard {number}/3 --start-at {start} -A 127.0.0.{}", number + 10);
        broker.mq(&format!("bench {options} {place} --json {name}")).spawn()
    };
    let running: Vec<Running> = (1..).zip(&names).map(|(number, name)| shard(number, name)).collect();
    for shard in running {
        let report = shard.finish().succeed();
        assert_says(&report, &[ALL_ARRIVED]);
    }
    let text = mq(&format!("bench merge {}", names.join(" "))).run().succeed();
    assert_says(&text, &["27 of 27 clients", "all 1001 messages arrived, once and in order"]);
    let merged = json(&mq(&format!("bench merge --output json {}", names.join(" "))).run().succeed());
    let parts: Vec<Value> = names.iter().map(|name| json(&std::fs::read_to_string(name).unwrap())).collect();
    for pointer in ["/messages/sent/count", "/messages/received/count", "/clients/connected/count"] {
        let sum: u64 = parts.iter().map(|part| part.pointer(pointer).unwrap().as_u64().unwrap()).sum();
        assert_eq!(merged.pointer(pointer).unwrap().as_u64(), Some(sum), "{pointer}");
    }
    let rate = |report: &Value| report["plan"]["messages_per_second"].as_f64().unwrap();
    assert_eq!((rate(&parts[0]).round(), rate(&merged).round()), (600.0, 2000.0));
    let began = |report: &Value| report["started_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let first = parts.iter().map(began).min().unwrap();
    assert_eq!(began(&merged), first);
    let begins = parts.iter().map(|part| {
        let first_send = part.pointer("/messages/sent/begin_ns").unwrap().as_i64().unwrap();
        began(part).as_nanosecond() + i128::from(first_send)
    });
    let wanted = i128::from(start) * 1_000_000_000;
    assert!(
        begins.clone().all(|begin| begin >= wanted),
        "nobody sends before {wanted}: {:?}",
        begins.collect::<Vec<_>>()
    );
}

#[test]
fn clients_of_shards_have_names_and_topics_of_their_own() {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t dev/# -F %t -N -C 6");
    for number in 1..=2 {
        broker
            .mq(&format!("bench pub -c 6 --messages 6 -t dev/{{client}} -i d{{i}} --shard {number}/2"))
            .run()
            .succeed();
    }
    let text = witness.finish().succeed();
    let mut topics: Vec<&str> = text.split("dev/").filter(|name| !name.is_empty()).map(str::trim).collect();
    topics.sort();
    assert_eq!(topics, ["d0", "d1", "d2", "d3", "d4", "d5"]);
}

#[test]
fn a_start_that_is_missed_is_reported() {
    let peer = ScriptedPeer::start(|peer| {
        let mut wire = peer.accept();
        wire.expect_type(0x10);
        // The start is at most half a second after CONNECT, and 100 ms later is no longer punctual.
        std::thread::sleep(Duration::from_millis(610)); // the delay
        wire.send("20 (00 00)");
        wire.expect_type(0xe0);
    });
    let finished = peer.mq("bench conn -c 1 --hold 0.1 --start-at +0.5").run();
    assert_says(&finished.stderr, &["--start-at", "later"]);
    finished.succeed();
    peer.finish();
}

#[test]
fn a_wait_for_the_start_can_be_interrupted() {
    let broker = EmbeddedBroker::start();
    let metrics = free_address();
    let mut bench = broker.mq(&format!("bench conn -c 2 --start-at +3600 --metrics {metrics}")).spawn();
    bench.wait_for_stderr("2 clients connect");
    wait_for_step(metrics, "wait");
    bench.signal("TERM");
    let finished = bench.finish();
    finished.expect_status(143);
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["2 of 2 clients", "interrupted"]);
}

#[test]
fn reports_that_cannot_be_merged_are_reported() {
    let broker = EmbeddedBroker::start();
    let files = Files::new(&[("text", "broker 127.0.0.1\n".to_owned()), ("json", "{}".to_owned())]);
    for (name, options) in [("a", "-q 0"), ("b", "-q 1")] {
        let file = files.path(name);
        broker.mq(&format!("bench -c 2 --messages 20 {options} --json {}", file.display())).run().succeed();
    }
    for (words, part) in [
        ("", "FILE"),
        ("{}/missing", "missing"),
        ("{}/a {}/text", "text"),
        ("{}/a {}/json", "schema"),
        ("{}/a {}/b", "QoS"),
        ("{}/a {}/a", "duplicate report"),
        ("{}/a -c 5", "-c cannot be used with merge"),
        ("{}/a --search rate", "--search"),
        ("{}/a --metrics 127.0.0.1:0", "--metrics"),
        ("{}/a --embedded", "--embedded"),
        ("{}/a -h localhost", "-h cannot be used with merge"),
    ] {
        let finished = mq(&format!("bench merge {}", files.words(words))).run();
        assert!(matches!(finished.status, 1 | 2), "{words}: {} {}", finished.status, finished.stderr);
        assert_says(&finished.stderr, &["mq bench:", part]);
    }
    let text = mq(&files.words("bench merge {}/a")).run().succeed();
    assert_says(&text, &["4 of 4 clients"]);
}

#[test]
fn publishers_have_the_same_number_in_topics_and_payloads_of_each_shard() {
    let broker = EmbeddedBroker::start();
    let subscriber = broker.subscriber("-t d/# -v -C 4");
    for shard in ["1/2", "2/2"] {
        let load = "bench pub -c 4 --messages 4 -t d/{i} --payload-template {i}";
        broker.mq(&format!("{load} --shard {shard}")).run().succeed();
    }
    let printed = subscriber.finish().succeed();
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["d/0 0", "d/1 1", "d/2 2", "d/3 3"]);
}
