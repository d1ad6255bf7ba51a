//! Groups with `start`: their clients connect during the load.

use super::report::{free_address, json};
use super::scenario_file::file;
use super::*;
use crate::support::wire::Message;
use serde_json::Value;

/// The planned time in the header of a message, in nanoseconds.
fn planned_at(message: &Message) -> u64 {
    u64::from_be_bytes(message.payload[24..32].try_into().unwrap())
}

fn report_of(content: &str, words: &str) -> Value {
    let file = file(content);
    let words = format!("bench scenario {} --output json {words}", file.path().display());
    json(mq(&words).run().succeed().as_bytes())
}

#[test]
fn clients_connect_when_their_time_has_come() {
    let content = r#"
duration = "2.2s"
[[group]]
name = "first"
scenario = "pub"
clients = 1
rate = 10
[[group]]
name = "late"
scenario = "pub"
clients = 1
rate = 10
start = "2s"
"#;
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut first = peer.accept_v311();
        let begin = planned_at(&first.expect_and_acknowledge());
        peer.expect_nobody();
        (0..19).for_each(|_| drop(first.expect_and_acknowledge()));
        let mut late = peer.accept_v311();
        let of_late = planned_at(&late.expect_and_acknowledge());
        assert_eq!(of_late - begin, 2_000_000_000, "the times of a late group begin with its start");
        late.expect_and_acknowledge();
        (0..2).for_each(|_| drop(first.expect_and_acknowledge()));
        [first, late].iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let words = format!("bench scenario {} --threads 1 --output json", file.path().display());
    let report = json(peer.mq(&words).run().succeed().as_bytes());
    peer.finish();
    let connected = |group: usize| report["groups"][group]["measured"]["connected"].as_u64();
    assert_eq!([connected(0), connected(1)], [Some(1), Some(1)], "{report}");
    let slots = report["timeline"]["slots"].as_array().unwrap();
    let width = report["timeline"]["slot_ns"].as_u64().unwrap();
    let times = slots.iter().zip(0..).filter(|(slot, _)| slot["connected"] != 0);
    let times: Vec<u64> = times.map(|(_, number): (_, u64)| number * width).collect();
    assert!(times.len() == 2 && times[1] + width > 2_000_000_000, "{times:?}");
    assert_eq!(report["clients"]["connected"]["per_second"], Value::Null, "the pause is not connecting");
}

/// Late groups of every kind.
const EVERY_KIND: &str = r#"
duration = 2
[[group]]
name = "first"
scenario = "pubsub"
clients = 3
rate = 100
[[group]]
name = "pairs"
scenario = "pubsub"
clients = 6
qos = 0
rate = 200
start = "300ms"
[[group]]
name = "commands"
scenario = "rr"
clients = 4
rate = 100
start = "300ms"
[[group]]
name = "fast"
scenario = "pubsub"
clients = 2
subscribers = 1
start = "500ms"
[[group]]
name = "idle"
scenario = "conn"
clients = 5
start = "400ms"
[[group]]
name = "watcher"
scenario = "sub"
clients = 1
topic = "mq-bench/+/first/#"
start = "600ms"
"#;

#[test]
fn late_groups_of_every_kind_lose_nothing() {
    for workers in ["--threads 1", "--threads 3", "--threads 2 --processes 2"] {
        let report = report_of(EVERY_KIND, &format!("--embedded {workers}"));
        let of_group = |key: &str| {
            let groups = report["groups"].as_array().unwrap().iter();
            groups.map(|group| group["deliveries"][key].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of_group("lost"), [0; 6], "{report}");
        let sent = of_group("sent");
        assert_eq!((&sent[..3], &sent[4..]), ([200, 340, 170].as_slice(), [0, 0].as_slice()), "{report}");
        assert!(sent[3] > 0, "{report}");
        let connected = report["groups"].as_array().unwrap().iter();
        let connected: Vec<_> =
            connected.map(|group| group["measured"]["connected"].as_u64().unwrap()).collect();
        assert_eq!(connected, [6, 12, 8, 3, 5, 1], "{workers}");
        let heard = report["groups"][5]["measured"]["received"]["count"].as_u64().unwrap();
        assert!(heard <= 140, "a late subscriber hears what is sent after its start: {heard}");
        assert_eq!(report["ending"], "complete");
    }
}

#[test]
fn every_group_may_be_late() {
    let content = "duration = 1.5\n[[group]]\nname = \"a\"\nscenario = \"pubsub\"\nclients = 2\nrate = 100\nstart = \"200ms\"\n";
    let report = report_of(content, "--embedded");
    assert_eq!(report["deliveries"]["sent"], 130, "{report}");
    assert_eq!(report["clients"]["connected"]["count"], 4);
}

#[test]
fn publishers_wait_for_the_subscriptions_of_their_group() {
    let content = r#"
duration = "1.5s"
[[group]]
name = "idle"
scenario = "conn"
clients = 1
[[group]]
name = "late"
scenario = "pubsub"
clients = 1
rate = 20
qos = 1
start = "500ms"
"#;
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let idle = peer.accept_v311();
        let mut subscriber = peer.accept_v311();
        let subscribe = subscriber.expect_type(0x80);
        let mut publisher = peer.accept_v311();
        publisher.expect_quiet();
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        let mut deliver = || {
            let message = publisher.expect_and_acknowledge();
            subscriber.send_bytes(&delivery(&message));
            subscriber.expect_type(0x40);
        };
        (0..20).for_each(|_| deliver());
        [idle, subscriber, publisher].iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    });
    let words = format!("bench scenario {} --threads 1 --output json", file.path().display());
    let report = json(peer.mq(&words).run().succeed().as_bytes());
    peer.finish();
    assert_eq!((&report["deliveries"]["owed"], &report["deliveries"]["lost"]), (&20.into(), &0.into()));
    let [late, by_us] = ["late", "late_by_us"].map(|key| report["messages"][key].as_u64().unwrap());
    assert!(by_us < late, "messages that were due before the subscription waited for the broker: {report}");
}

/// A message at QoS 1 as the broker delivers it.
fn delivery(message: &Message) -> Vec<u8> {
    let [high, low] = message.packet_id.unwrap();
    let mut body = (message.topic.len() as u16).to_be_bytes().to_vec();
    body.extend(message.topic.as_bytes());
    body.extend([high, low]);
    body.extend(&message.payload);
    [vec![0x32, u8::try_from(body.len()).unwrap()], body].concat()
}

#[test]
fn connections_that_fail_later_are_those_of_their_group() {
    let content = r#"
duration = 0.5
[[group]]
name = "first"
scenario = "conn"
clients = 1
fail_if = "connect_failures>0"
[[group]]
name = "late"
scenario = "conn"
clients = 2
start = "100ms"
fail_if = "connect_failures>1"
"#;
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut first = peer.accept_v311();
        for _ in 0..2 {
            let mut refused = peer.accept();
            refused.expect_type(0x10);
            refused.send("20 (00 03)");
        }
        first.expect_type(0xe0);
    });
    let words = format!("bench scenario {} --threads 1", file.path().display());
    let finished = peer.mq(&words).run();
    let text = String::from_utf8_lossy(&finished.stdout);
    assert_says(
        &text,
        &[
            "only 1 of 3 clients connected (late: 0 of 2)",
            "late: connect_failures>1: it was 2",
            "first: connect_failures>0: it was 0",
        ],
    );
    peer.finish();
}

#[test]
fn a_run_that_ends_before_their_time_misses_nobody() {
    let content = r#"
duration = "10m"
[[group]]
name = "first"
scenario = "pub"
clients = 2
rate = 50
[[group]]
name = "late"
scenario = "conn"
clients = 7
start = "9m"
"#;
    let (file, broker, metrics) = (file(content), EmbeddedBroker::start(), free_address());
    let json_file = tempfile::NamedTempFile::new().unwrap();
    let words = format!("bench scenario {} --metrics {metrics} --json", file.path().display());
    let bench = broker.mq(&words).arg(json_file.path()).spawn();
    wait_for_listener(metrics);
    wait_for_step(metrics, "measure");
    bench.signal("INT");
    let finished = bench.finish();
    let text = String::from_utf8_lossy(&finished.stdout);
    assert_says(&text, &["2 of 2 clients, 7 were to connect later", "interrupted"]);
    assert!(!text.contains("not connected yet"), "{text}");
    finished.expect_status(130);
    let report = json(&std::fs::read(json_file.path()).unwrap());
    let late = &report["groups"][1];
    assert_eq!((&late["not_started"], &late["measured"]["connected"]), (&7.into(), &0.into()), "{report}");
    assert_eq!(report["clients"]["not_connected"], 0);
}

#[test]
fn idle_clients_and_subscribers_may_start_later_too() {
    let content = r#"
duration = "20s"
[[group]]
name = "idle"
scenario = "conn"
clients = 5
start = "10s"
[[group]]
name = "watcher"
scenario = "sub"
clients = 1
topic = "a/#"
start = "5s"
"#;
    let plan = mq("bench scenario --validate").arg(file(content).path()).run().succeed();
    let expected = "\
idle: 5 clients connect and stay connected, from 10 s on
watcher: 1 client listens to a/# at QoS 1, from 5 s on
2 groups, 6 clients, for 20 s
";
    assert_eq!(plan, expected);
}

#[test]
fn the_page_has_the_connects_of_each_group_and_the_planned_rate() {
    let content = r#"
duration = "2.5s"
[[group]]
name = "first"
scenario = "pub"
clients = 3
stages = ["20..80 for 1s", "0 for 500ms", "40 for 1s"]
[[group]]
name = "late"
scenario = "pub"
clients = 4
rate = 20
start = "1.2s"
"#;
    let (file, json_file) = (file(content), tempfile::NamedTempFile::new().unwrap());
    let words = format!("bench scenario {} --embedded --json", file.path().display());
    mq(&words).arg(json_file.path()).run().succeed();
    let report = json(&std::fs::read(json_file.path()).unwrap());
    let course: Vec<_> = report["plan"]["rate_course"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (point["at_ns"].as_u64().unwrap() / 1_000_000, point["per_second"].as_f64().unwrap()))
        .collect();
    let expected = [
        (0, 20.0),
        (1000, 80.0),
        (1000, 0.0),
        (1200, 0.0),
        (1200, 20.0),
        (1500, 20.0),
        (1500, 60.0),
        (2500, 60.0),
        (2500, 20.0),
    ];
    assert_eq!(course, expected);
    let connects = &report["groups"][1]["connects"];
    assert_eq!(connects["slot_ns"], 1_000_000_000_u64, "{connects}");
    assert_eq!(connects["slots"][0]["connected"], 4, "{connects}");
    assert!(connects["slots"][0]["slot"].as_u64() >= Some(1), "{connects}");
    let page = tempfile::NamedTempFile::new().unwrap();
    mq("bench merge").arg(json_file.path()).arg("--html").arg(page.path()).run().succeed();
    let page = std::fs::read_to_string(page.path()).unwrap();
    assert_says(&page, &["Connects per second by group", "<span>planned</span>", "<span>late</span>"]);
    assert!(!page.contains("Reconnects per second by group"), "there was none");
}
