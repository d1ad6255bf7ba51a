//! `fail_if` and `abort_if` in scenario files: for the whole run, and for single groups.

use super::scenario_file::file;
use super::verdicts::Files;
use super::*;

/// Two groups that send, one that only connects, and a condition of each kind.
const FILE: &str = r#"
fail_if = "loss>0"
abort_if = ["lost_connections>50%", "p99>100s"]
[[group]]
name = "sensors"
scenario = "pubsub"
clients = 2
messages = 20
fail_if = ["p99>100s", "loss>=0, sent<20"]
[[group]]
name = "meters"
scenario = "pub"
clients = 3
messages = 30
fail_if = "sent>=30, unacknowledged>0"
abort_if = "connect_failures>0"
[[group]]
name = "idle"
scenario = "conn"
clients = 4
fail_if = ["p99>1s", "connected<4"]
"#;

fn scenario(content: &str, options: &str) -> (tempfile::NamedTempFile, Program) {
    let file = file(content);
    let program = mq(&format!("bench scenario {} --embedded --quiet {options}", file.path().display()));
    (file, program)
}

#[test]
fn groups_are_judged_by_their_own_figures_in_every_format() {
    let files = Files::new();
    let (_file, program) = scenario(FILE, "");
    let finished = files.of(program).run();
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_says(
        &text,
        &[
            "\nverdict           FAIL\n",
            "\n- pass            fail-if: loss>0: it was 0\n",
            "\n- fail            fail-if: sensors: loss>=0: it was 0\n",
            "\n- pass            fail-if: sensors: sent<20: it was 20\n",
            "\n- fail            fail-if: meters: sent>=30: it was 30\n",
            "\n- not measured    fail-if: idle: p99>1s: it was not measured\n",
            "\n- pass            fail-if: idle: connected<4: it was 4\n",
        ],
    );
    let stderr = finished.fail(4);
    assert_says(
        &stderr,
        &[
            "mq bench: fail_if: sensors: loss>=0: it was 0\n",
            "mq bench: fail_if: idle: p99>1s: it was not measured\n",
        ],
    );
    let of_groups: Vec<_> =
        files.verdicts("fail_if").iter().map(|verdict| verdict["group"].clone()).collect();
    let [none, sensors, meters, idle] =
        [None, Some("sensors"), Some("meters"), Some("idle")].map(serde_json::Value::from);
    assert_eq!(
        of_groups,
        [
            none.clone(),
            sensors.clone(),
            sensors.clone(),
            sensors,
            meters.clone(),
            meters.clone(),
            idle.clone(),
            idle
        ]
    );
    let abort: Vec<_> = files.verdicts("abort_if").iter().map(|verdict| verdict["group"].clone()).collect();
    assert_eq!(abort, [none.clone(), none, meters]);
    assert_eq!(files.json()["groups"][1]["measured"]["acknowledged"]["count"], 30);
    assert_eq!(files.cases_with("failure"), ["sensors: loss>=0", "meters: sent>=30", "idle: p99>1s"]);
    assert_says(
        &files.read("html"),
        &["sensors: loss&gt;=0: it was 0", "idle: p99&gt;1s: it was not measured"],
    );
    assert_says(&files.read("markdown"), &["- **FAIL** fail-if: meters: sent\\>\\=30: it was 30"]);
    assert_says(
        &files.read("prometheus"),
        &["mq_bench_condition_passed{rule=\"fail_if\",condition=\"meters: sent>=30\"} 0\n"],
    );
}

#[test]
fn a_check_of_the_file_prints_its_conditions() {
    let file = file(FILE);
    let plan = mq("bench scenario --validate").arg(file.path()).run().succeed();
    let expected = "fail_if: loss>0\nfail_if: sensors: p99>100s\nfail_if: sensors: loss>=0\nfail_if: sensors: sent<20\n\
                    fail_if: meters: sent>=30\nfail_if: meters: unacknowledged>0\nfail_if: idle: p99>1s\n\
                    fail_if: idle: connected<4\nabort_if: lost_connections>50%\nabort_if: p99>100s\n\
                    abort_if: meters: connect_failures>0\n";
    assert!(plan.ends_with(expected), "{plan}");
}

#[test]
fn an_option_replaces_the_key_of_the_file_but_not_those_of_groups() {
    let content = "fail_if = \"sent>0\"\nabort_if = \"connected>0\"\n[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\nmessages = 5\n";
    let (_file, program) = scenario(content, "");
    assert_says(&program.run().fail(4), &["--abort-if connected>0: it was 1 "]);
    let (_file, program) = scenario(content, "--abort-if connected>5 --fail-if sent>9");
    program.run().succeed();
    let (_file, program) =
        scenario(&format!("{content}fail_if = \"sent>=5\"\n"), "--abort-if connected>5 --fail-if sent>9");
    assert_says(&program.run().fail(4), &["fail_if: a: sent>=5: it was 5"]);
}

#[test]
fn a_group_ends_the_run_early() {
    let content = r#"
duration = "10m"
[[group]]
name = "sensors"
scenario = "pubsub"
clients = 2
rate = 20
[[group]]
name = "meters"
scenario = "pubsub"
clients = 2
rate = 20
abort_if = "received>10, throughput<1/s"
"#;
    for processes in ["", "--processes 2"] {
        let (_file, program) = scenario(content, processes);
        let finished = program.run();
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert!(text.starts_with("ended early, since meters: received>10 held;"), "{text}");
        assert_says(&finished.fail(4), &["abort_if: meters: received>10: it was ", "the run ended early"]);
    }
}

#[test]
fn a_group_with_a_start_is_judged_from_its_start_on() {
    let content = r#"
duration = 8
[[group]]
name = "first"
scenario = "pub"
clients = 1
rate = 20
abort_if = "acknowledged_rate<1/s"
end = 4
[[group]]
name = "second"
scenario = "pub"
clients = 1
rate = 20
start = 4
abort_if = "acknowledged_rate<1/s"
"#;
    let (_file, program) = scenario(content, "--json -");
    let report: serde_json::Value = serde_json::from_str(&program.run().succeed()).unwrap();
    let verdicts = report["verdicts"].as_array().unwrap().iter();
    let aborts: Vec<_> = verdicts.filter(|verdict| verdict["rule"] == "abort_if").collect();
    assert!(aborts.iter().all(|verdict| verdict["outcome"] == "pass"), "{aborts:?}");
}

#[test]
fn merged_groups_are_judged_again() {
    let content = FILE.replace("fail_if = [\"p99>1s\", \"connected<4\"]", "").replace("loss>=0", "loss>0");
    let directory = tempfile::TempDir::new().unwrap();
    let paths = ["1", "2"].map(|name| directory.path().join(name));
    for path in &paths {
        let (_file, program) = scenario(&content, "");
        program.arg("--json").arg(path).run().expect_status(4);
    }
    let merge = paths.iter().fold(mq("bench merge"), Program::arg);
    assert_says(&merge.run().fail(4), &["fail_if: meters: sent>=30: it was 60"]);
}

#[test]
fn mistakes_in_conditions_have_their_place() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"pub\"\nmessages = 1\n";
    for (content, parts) in [
        (format!("fail_if = \"p99>10\"\n{group}"), ["line 1, column 11", "p99>10: expected a duration"]),
        (
            format!("fail_if = [\n  \"p99>1s\",\n  \"los>1\"\n]\n{group}"),
            ["line 3, column 3", "unknown metric los; did you mean 'loss'?"],
        ),
        (
            format!("abort_if = \"loss>1\"\n{group}"),
            ["line 1, column 12", "loss is not known during a run; use one of p99"],
        ),
        (
            format!("abort_if = 5\n{group}"),
            ["line 1, column 12", "invalid value 5 for abort_if: expected a value such as"],
        ),
        (
            format!("{group}fail_if = \"cpu>5\"\n"),
            [
                "line 5, column 1",
                "group \"a\": fail_if: cpu>5: cpu is not measured by group; use a latency of messages such as p99, or one of",
            ],
        ),
        (
            format!("{group}fail_if = \"connack.p99>5s\"\n"),
            ["line 5, column 1", "connack.p99 is not measured by group"],
        ),
        (
            format!("{group}abort_if = \"elapsed>5s\"\n"),
            [
                "line 5, column 1",
                "group \"a\": abort_if: elapsed>5s: elapsed is not known by group during a run; use one of p99",
            ],
        ),
        (format!("{group}abort_if = [\"p99>5\"]\n"), ["line 5, column 13", "expected a duration"]),
    ] {
        let (_file, program) = scenario(&content, "");
        assert_says(&program.run().fail(2), &["mq bench:", parts[0], parts[1]]);
    }
}

#[test]
fn a_short_run_has_no_rate_to_judge() {
    for condition in ["throughput<1/s", "throughput>1/s", "sent_rate>1", "connect_rate<1"] {
        let words = format!("bench --embedded -c 2 --messages 20 --fail-if {condition}");
        let error = mq(&words).run().fail(4);
        assert_says(
            &error,
            &[&format!("--fail-if {condition}: it was not measured; "), "too short for a rate"],
        );
    }
    let content = "[[group]]\nname = 'a'\nscenario = 'pub'\nmessages = 20\nfail_if = 'sent_rate<1'\n";
    let (_file, program) = scenario(content, "");
    let error = program.run().fail(4);
    assert_says(&error, &["fail_if: a: sent_rate<1: it was not measured; ", "too short for a rate"]);
}

#[test]
fn the_messages_of_a_group_end_a_run() {
    for (condition, qos) in [("sent>50", 1), ("sent_rate>1/s", 0), ("sent>50", 2)] {
        let content = format!(
            "duration = '10m'\n[[group]]\nname = 'other'\nscenario = 'conn'\nclients = 1\n\
             [[group]]\nname = 'a'\nscenario = 'pub'\nclients = 2\nrate = 100\nqos = {qos}\nabort_if = '{condition}'\n"
        );
        let (_file, program) = scenario(&content, "");
        let error = program.run().fail(4);
        assert_says(
            &error,
            &[&format!("abort_if: a: {condition}: it was "), "into the measurement; the run ended early"],
        );
    }
}

#[test]
fn rejected_messages_of_a_group_end_a_run() {
    let content = "duration = '10m'\n\
         [[group]]\nname = 'other'\nscenario = 'conn'\nclients = 1\n\
         [[group]]\nname = 'a'\nscenario = 'pub'\nclients = 1\nrate = 50\nabort_if = 'denied>2'\n";
    let file = file(content);
    let peer = ScriptedPeer::start(|peer| {
        let mut wires = [peer.accept_v5(""), peer.accept_v5("")];
        let publisher = &mut wires[1];
        loop {
            let packet = publisher.packet();
            match packet.first() {
                Some(first) if first >> 4 == 3 => {
                    let topic = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                    publisher.send(&format!("40 ({:02x} {:02x} 87)", packet[4 + topic], packet[5 + topic]));
                }
                _ => break,
            }
        }
        drop(wires);
    });
    let words = format!("bench scenario {} -V 5 --threads 1", file.path().display());
    let error = peer.mq(&words).run().fail(4);
    assert_says(&error, &["abort_if: a: denied>2: it was "]);
    peer.finish();
}

#[test]
fn figures_that_a_group_cannot_have_are_not_measured() {
    let content = "duration = '4s'\n\
        [[group]]\nname = 'quiet'\nscenario = 'pub'\nclients = 1\nrate = 5\nqos = 0\n\
        abort_if = ['received_rate<1/s', 'acknowledged_rate<1/s']\n";
    let (_file, program) = scenario(content, "");
    assert_says(
        &program.run().succeed(),
        &["received_rate<1/s: it was not measured", "acknowledged_rate<1/s: it was not measured"],
    );
}

#[test]
fn messages_without_acknowledgement_are_neither_matched_nor_unmatched() {
    let unmatched = |qos: u8| {
        let words = format!("bench pub --embedded -V 5 -c 1 --messages 3 -q {qos} --output json");
        let report: serde_json::Value = serde_json::from_str(&mq(&words).run().succeed()).unwrap();
        report["messages"]["unmatched"].clone()
    };
    assert_eq!([unmatched(0), unmatched(1)], [serde_json::Value::Null, 3.into()]);
}
