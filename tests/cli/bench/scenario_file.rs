//! `mq bench scenario FILE`: groups, and what is said about mistakes in the file.

use super::*;
use tempfile::NamedTempFile;

pub(super) fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

#[test]
fn groups_do_different_things_at_a_time() {
    let file = file(
        r#"
duration = 0.5
[[group]]
name = "sensors"
scenario = "pubsub"
clients = 10
subscribers = 2
rate = "200/s"
qos = 0
size = "40..80"
[[group]]
name = "commands"
scenario = "rr"
clients = 3
subscribers = 1
messages = 30
[[group]]
name = "idle"
scenario = "conn"
clients = 5
[[group]]
name = "watcher"
scenario = "sub"
clients = 1
topic = "mq-bench/+/sensors/#"
"#,
    );
    let finished = mq(&format!("bench scenario {} --embedded", file.path().display())).run();
    assert_says(
        &finished.stderr,
        &[
            "sensors: 10 clients publish and 2 subscribe",
            "commands: 3 clients ask",
            "idle: 5 clients connect",
            "watcher: 1 client listens to mq-bench/+/sensors/# at QoS 1",
        ],
    );
    let report = finished.succeed();
    assert_says(
        &report,
        &[
            "22 in 4 groups, on ",
            "- sensors         10 publishers, 2 subscribers; messages of 40 to 80 bytes at QoS 0, 200 planned",
            "- commands        3 requesters, 1 responder; 30 messages of 64 bytes at QoS 1, 1 in flight",
            "- idle            5 idle clients; connections\n",
            "- watcher         1 subscriber to mq-bench/+/sensors/#; QoS 1\n",
            "\nsensors                   100        100          0           0             0\n",
            "\ncommands                   30         30          0           0             0\n",
        ],
    );
    assert!(!report.contains("stayed to the end"), "nobody left: {report}");
    assert_says(&report, &["22 of 22 clients", "all 130 messages arrived", "round trip"]);
    assert_eq!(numbers_of(&report, "sent"), [130], "{report}");
    assert_eq!(numbers_of(&report, "received"), [230], "the watcher heard the sensors too: {report}");
}

/// A broker that grants one subscription, acknowledges what is published, and delivers nothing.
fn forgetful_broker(granted: u8) -> ScriptedPeer {
    ScriptedPeer::start(move |peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} {granted:02x})", subscribe[2], subscribe[3]));
        let idle = peer.accept_v311();
        (0..5).for_each(|_| drop(publisher.expect_and_acknowledge()));
        [subscriber, publisher, idle].iter_mut().for_each(|wire| drop(wire.expect_type(0xe0)));
    })
}

#[test]
fn a_group_is_judged_by_the_qos_of_the_whole_way() {
    let idle = "[[group]]\nname = \"idle\"\nscenario = \"conn\"\nclients = 1\n";
    for (subscription_qos, status) in [(0, 0), (1, 1)] {
        let group = format!(
            "[[group]]\nname = \"a\"\nscenario = \"pubsub\"\nclients = 1\nmessages = 5\n\
             qos = 1\nsubscription_qos = {subscription_qos}\n"
        );
        let file = file(&format!("{group}{idle}"));
        let peer = forgetful_broker(subscription_qos);
        let words = format!("bench scenario {} --threads 1 --timeout 1", file.path().display());
        let finished = peer.mq(&words).run();
        finished.expect_status(status);
        assert_says(&String::from_utf8_lossy(&finished.stdout), &["delivery          5 lost, of 5"]);
        peer.finish();
    }
}

#[test]
fn mistakes_are_reported_with_their_place() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"pubsub\"\nmessages = 1\n";
    for (content, parts) in [
        (format!("{group}rat = 5\n"), ["line 5, column 1", "unknown key \"rat\"; did you mean 'rate'?"]),
        (format!("duraton = 5\n{group}"), ["line 1, column 1", "did you mean 'duration'?"]),
        (group.replace("pubsub", "pubsb"), ["line 3, column 12", "did you mean 'pubsub'?"]),
        (format!("{group}rate = \"5/x\"\n"), ["line 5, column 8", "/min"]),
        (format!("{group}qos = 3\n"), ["line 5, column 7", "expected 0, 1, 2 or -1"]),
        (
            format!("{group}size = 10\n"),
            ["line 5, column 1", "size 10: the payload header of measured messages takes 24 bytes"],
        ),
        (format!("{group}topic = \"a/#\"\n"), ["group \"a\"", "topic a/#"]),
        (format!("{group}{group}"), ["line 6, column 1", "another group has this name"]),
        (group.replace("\"a\"", "\"a/b\""), ["line 2, column 1", "a name may contain only"]),
        (format!("{group}clients = 0\n"), ["line 5, column 1", "from 1 to 1000000"]),
        (format!("{group}clients = -1\n"), ["line 5", "-1"]),
        (String::new(), ["line 1", "no [[group]] in the file"]),
        ("[[group]\n".to_owned(), ["line 1", "column"]),
    ] {
        let file = file(&content);
        let finished = mq(&format!("bench scenario {}", file.path().display())).run();
        assert_says(&finished.fail(2), &["mq bench:", parts[0], parts[1]]);
    }
}

#[test]
fn a_file_that_is_not_there_is_reported() {
    let finished = mq("bench scenario /does/not/exist.toml").run();
    assert_says(&finished.fail(1), &["mq bench: cannot read /does/not/exist.toml"]);
}

#[test]
fn a_rate_beside_a_closed_loop_ends_in_time() {
    let toml = r#"
        duration = 0.5
        [[group]]
        name = "steady"
        scenario = "pubsub"
        clients = 2
        rate = 100
        [[group]]
        name = "flood"
        scenario = "pubsub"
        clients = 2
        in_flight = 1
    "#;
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    // Had it to wait for the closed loop, it would for an hour.
    let words = format!("bench scenario {} --embedded --timeout 3600 --output json", file.path().display());
    let report: serde_json::Value = serde_json::from_str(&mq(&words).run().succeed()).unwrap();
    assert_eq!(report["ending"], "complete");
    assert_eq!(report["groups"][0]["deliveries"]["sent"], 50);
}

#[test]
fn keys_that_a_group_has_no_use_for_are_refused() {
    for (scenario, key) in [
        ("conn", "qos = 2"),
        ("sub", "size = 100"),
        ("pub", "subscription_qos = 1"),
        ("pub", "share = \"a\""),
    ] {
        let topic = if scenario == "conn" { "" } else { "topic = \"a\"\n" };
        let file = file(&format!(
            "duration = 1\n[[group]]\nname = \"a\"\nscenario = \"{scenario}\"\n{topic}{key}\n"
        ));
        let name = key.split(' ').next().unwrap();
        let finished = mq(&format!("bench scenario {} --embedded", file.path().display())).run();
        assert_says(
            &finished.fail(2),
            &["column 1: group \"a\"", &format!("{name} cannot be used with {scenario}, only with")],
        );
    }
}

#[test]
fn a_file_without_a_volume_has_the_defaults_of_the_command_line() {
    let load = "[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\nrate = 5\n";
    let counted = load.replace("\"a\"", "\"b\"").replace("rate = 5", "messages = 5");
    let idle = "[[group]]\nname = \"idle\"\nscenario = \"conn\"\nclients = 1\n";
    for (content, times) in [
        (load.to_owned(), Some("10 s after 2 s of warm-up")),
        (format!("{load}{idle}"), Some("10 s after 2 s of warm-up")),
        (idle.to_owned(), Some("10 s")),
        (format!("{load}{counted}"), Some("10 s")),
        (counted.clone(), None),
        (format!("{counted}{idle}"), None),
        (format!("duration = 3\n{load}"), Some("3 s")),
        (format!("warm_up = 1\n{load}"), Some("10 s after 1 s of warm-up")),
    ] {
        let file = file(&content);
        let words = format!("bench scenario {} -h 127.0.0.1", file.path().display());
        let stderr = mq(&format!("{words} -p {}", free_address().port())).run().fail(1);
        let line = stderr.lines().next().unwrap_or_default();
        assert_eq!(line.rsplit_once(", for ").map(|(_, times)| times), times, "{content}");
    }
}

#[test]
fn the_example_is_valid_and_runs() {
    let example = mq("bench scenario --example").run().succeed();
    let whole = file(&example);
    let groups = mq("bench scenario --validate").arg(whole.path()).run().succeed();
    assert_says(
        &groups,
        &[
            "sensors: 100 clients publish and 5 subscribe",
            "dashboard: 2 clients listen to mq-bench/+/sensors/#",
            "5 groups, 189 clients, 6200 messages, for 10 s after 2 s of warm-up\n",
        ],
    );
    let short = file(&example.replace("\"10s\"", "0.5").replace("\"2s\"", "0.2"));
    let report = mq("bench scenario --embedded").arg(short.path()).run().succeed();
    assert_says(&report, &["189 of 189 clients", "messages arrived, once and in order"]);
}

#[test]
fn a_file_is_validated_without_a_connection() {
    let free = free_address();
    let file = file("[[group]]\nname = \"a\"\nscenario = \"conn\"\nclients = 1\n");
    let words = format!("bench scenario --validate -h 127.0.0.1 -p {}", free.port());
    let groups = mq(&words).arg(file.path()).run().succeed();
    assert_eq!(groups, "a: 1 client connects and stays connected\n1 group, 1 client, for 10 s\n");
}

#[test]
fn the_document_has_the_example_and_all_keys() {
    let document = include_str!("../../../docs/scenarios.md");
    let example = mq("bench scenario --example").run().succeed();
    assert!(document.contains(&format!("```toml\n{example}```")), "docs/scenarios.md needs the example");
    let keys = mq("bench scenario --keys").run().succeed();
    for table in keys.split("\n\n") {
        assert!(document.contains(table.trim_end()), "docs/scenarios.md needs this table:\n{table}");
    }
}

#[test]
fn a_mistake_in_a_recording_has_the_place_of_its_key() {
    let recording = file("{\"payload\": \"x\"}\n{\"payload\": 5\n");
    let empty = file("\n");
    for (path, extra, problem) in [
        (recording.path().display().to_string(), "", ", line 2: "),
        (empty.path().display().to_string(), "", " has no messages"),
        (recording.path().display().to_string(), "recorded_topics = true\n", "which recorded_topics needs"),
        ("/missing".to_owned(), "", "cannot read /missing"),
    ] {
        let content = format!(
            "[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\npayload_recording = {path:?}\n{extra}"
        );
        let scenario = file(&content);
        let stderr = mq("bench scenario --validate").arg(scenario.path()).run().fail(2);
        assert_says(&stderr, &[", line 5, column 1: group \"a\": ", problem]);
    }
}
