//! Rates that change: stages, on and off times, and groups with a time of their own.

use super::*;
use std::io::Write;
use tempfile::NamedTempFile;

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[test]
fn stages_send_as_many_messages_as_planned_and_end_the_run() {
    let words = "bench --embedded -c 5 --subscribers 2 --stages";
    let finished = mq(words).arg("400 for 500ms, 0 for 300ms, 400..0 for 500ms, 50 for 200ms").run();
    assert_says(
        &finished.stderr,
        &["400 for 0.5s, 0 for 0.3s, 400..0 for 0.5s, 50 for 0.2s per second", "for 1.5 s"],
    );
    let report = finished.succeed();
    assert_says(&report, &["all 310 messages arrived", "stages 400 for 0.5s", "0 to 400 planned per second"]);
    assert!(!report.contains("no message arrived"), "a planned pause is not a stall: {report}");
}

#[test]
fn a_long_pause_is_not_a_stall_of_the_broker() {
    let words = "bench pub --embedded -c 2 --timeout 0.3 --stages";
    let report = mq(words).arg("20 for 500ms, 0 for 1s, 20 for 500ms").run().succeed();
    assert_eq!(numbers_of(&report, "sent"), [20], "{report}");
}

#[test]
fn groups_start_later_and_end_earlier() {
    let file = file(
        r#"
duration = 1
[[group]]
name = "morning"
scenario = "pubsub"
clients = 2
end = "300ms"
rate = 100
[[group]]
name = "evening"
scenario = "pubsub"
clients = 2
start = "600ms"
rate = 100
[[group]]
name = "noon"
scenario = "pub"
clients = 1
start = "100ms"
end = "900ms"
[[group]]
name = "staged"
scenario = "pub"
clients = 1
start = "500ms"
stages = ["0..200 for 200ms", "200 for 100ms"]
"#,
    );
    let words = format!("bench scenario {} --embedded --timeout 0.5 --output json", file.path().display());
    let report: serde_json::Value = serde_json::from_str(&mq(&words).run().succeed()).unwrap();
    let sent = |group: usize| report["groups"][group]["deliveries"]["sent"].as_u64().unwrap();
    assert_eq!([sent(0), sent(1), sent(3)], [30, 40, 40], "{report}");
    assert!(sent(2) > 0, "{report}");
    assert_eq!(report["ending"], "complete");
    let load = |group: usize| report["groups"][group]["load"].clone();
    assert_eq!((&load(0)["end"], &load(1)["start"]), (&"0.3 s".into(), &"0.6 s".into()));
    assert_eq!(report["groups"][0]["messages_per_second"], 100.0, "while it sends");
    let staged = report["groups"][3]["messages_per_second"].as_f64().unwrap();
    assert!((staged - 400.0 / 3.0).abs() < 1e-9, "{staged}");
}

#[test]
fn devices_send_only_while_they_are_on() {
    let words = "bench pub --embedded -c 20 --rate 500 --on-off 100ms/400ms --duration 2 --output json";
    let report: serde_json::Value = serde_json::from_str(&mq(words).run().succeed()).unwrap();
    let sent = report["groups"][0]["deliveries"]["sent"].as_u64().unwrap();
    assert!(sent.abs_diff(1000) <= 20 * 10, "the mean rate stays: {report}");
    assert_eq!(report["groups"][0]["load"]["on/off"], "0.1 s on, 0.4 s off");
}

#[test]
fn the_plan_is_printed_by_validate() {
    let file = file(
        r#"
[[group]]
name = "plant"
scenario = "pub"
clients = 10
stages = ["100 for 30s", "100..1k for 1m", "0 for 10s"]
[[group]]
name = "alarms"
scenario = "pub"
clients = 10
start = "50s"
rate = 2
"#,
    );
    let plan = mq("bench scenario --validate").arg(file.path()).run().succeed();
    let expected = "\
plant: 10 clients publish, messages of 64 bytes at QoS 1, 100 for 30s, 100..1000 for 60s, 0 for 10s per second, \
36000 planned in the measurement
alarms: 10 clients publish, messages of 64 bytes at QoS 1, 2 per second, from 50 s on, 100 planned in the measurement
2 groups, 20 clients, 36100 messages, for 100 s
";
    assert_eq!(plan, expected);
}

#[test]
fn mistakes_in_stages_have_their_place_and_an_example() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"pub\"\n";
    for (lines, place, problem) in [
        ("stages = [\"100 for 30s\", \"5 for 0\"]", "line 4, column 26", "a duration greater than 0"),
        ("stages = [\"5 for -1\"]", "line 4, column 11", "a duration"),
        ("stages = [\n\"5 for 1s\",\n\"2G for 5s\"]", "line 6, column 1", "a rate such as"),
        ("stages = [\"9000M for 5s\"]", "line 4, column 11", "up to 1000M"),
        ("stages = [\"0..0 for 5s\"]", "line 4, column 10", "above 0"),
        ("stages = []", "line 4, column 10", "above 0"),
        (
            "stages = \"5 for 5s\"",
            "line 4, column 10",
            "[\"100 for 30s\", \"100..1k for 1m\", \"0 for 10s\"]",
        ),
        ("stages = [5]", "line 4, column 11", "such as"),
        ("stages = [\"5s for 100\"]", "line 4, column 11", "a rate such as"),
        ("stages = [\"5 for 5s\"]\nrate = 5", "line 5, column 1", "stages and rate exclude each other"),
        (
            "stages = [\"5 for 5s\"]\nmessages = 5",
            "line 5, column 1",
            "stages and messages exclude each other",
        ),
        ("stages = [\"1 for 721h\"]", "line 4, column 10", "30 days"),
        ("on_off = \"10s\"\nrate = 5", "line 4, column 10", "10s/50s"),
        ("on_off = \"10s/0\"\nrate = 5", "line 4, column 10", "greater than 0"),
        ("on_off = \"1s/1s\"", "line 4, column 1", "on_off needs a rate"),
        ("start = \"10s\"", "line 4, column 1", "start 10 s is not before the end of the measurement (10 s)"),
        (
            "start = \"3s\"\nend = \"2s\"",
            "line 4, column 1",
            "start 3 s is not before the end of the group (2 s)",
        ),
        ("end = 0", "line 4, column 7", "greater than 0"),
        ("messages = 5\nstart = 1", "line 5, column 1", "start needs a duration"),
    ] {
        let file = file(&format!("{group}{lines}\n"));
        let error = mq("bench scenario --validate").arg(file.path()).run().fail(2);
        assert_says(&error, &[place, problem]);
    }
    let file = file(&format!("duration = 10\n{group}stages = [\"5 for 30s\"]\n"));
    let error = mq("bench scenario --validate").arg(file.path()).run().fail(2);
    assert_says(&error, &["line 5, column 1", "stages take 30 s, but the group sends for 10 s only"]);
}

#[test]
fn ten_thousand_stages_are_accepted_and_more_are_not() {
    let group = "[[group]]\nname = \"a\"\nscenario = \"pub\"\nclients = 1\n";
    let stages = |count: usize| format!("stages = [{}]\n", "\"1..50k for 1s\",".repeat(count));
    let many = file(&format!("{group}{}", stages(10_000)));
    let plan = mq("bench scenario --validate").arg(many.path()).run().succeed();
    assert_says(&plan, &["and 9980 more", "250005000 planned", "for 10000 s"]);
    let more = file(&format!("{group}{}", stages(10_001)));
    let error = mq("bench scenario --validate").arg(more.path()).run().fail(2);
    assert_says(&error, &["line 5, column 10", "at most 10000 stages"]);
}

#[test]
fn stages_on_the_command_line_exclude_other_rates() {
    for (options, part) in [
        ("--stages 5 --rate 3", "--stages"),
        ("--on-off 1s/1s", "--rate"),
        ("--on-off 1s/1s --ramp 1..5", "--on-off"),
    ] {
        assert_says(&mq(&format!("bench pub {options}")).run().fail(2), &[part]);
    }
    let too_long = mq("bench pub --duration 2 --stages").arg("5 for 3s").run().fail(2);
    assert_says(&too_long, &["--stages take 3 s"]);
    let counted = mq("bench pub --messages 2 --stages").arg("5 for 3s").run().fail(2);
    assert_says(&counted, &["--stages needs a duration"]);
    let searched = mq("bench pub --search rate --stages").arg("5 for 3s").run().fail(2);
    assert_says(&searched, &["--search"]);
}

#[test]
fn each_group_has_its_latencies_in_every_format() {
    let file = file(
        r#"
duration = 0.5
[[group]]
name = "fast"
scenario = "pubsub"
clients = 2
rate = 200
[[group]]
name = "asking"
scenario = "rr"
clients = 1
rate = 50
"#,
    );
    let broker = EmbeddedBroker::start();
    let json = NamedTempFile::new().unwrap();
    let words = format!("bench scenario {} --threads 2 --processes 2 --json", file.path().display());
    let text = broker.mq(&words).arg(json.path()).run().succeed();
    assert_says(&text, &["latency by group", "\nfast     ", "\nasking   ", "end to end", "round trip"]);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json.path()).unwrap()).unwrap();
    let count = |of: &serde_json::Value, kind: &str| of["latency"][kind]["count"].as_u64();
    let [fast, asking] = [0, 1].map(|group| &report["groups"][group]);
    assert_eq!((count(fast, "end_to_end"), count(fast, "round_trip")), (Some(100), None), "{report}");
    assert_eq!((count(asking, "round_trip"), count(&report, "end_to_end")), (Some(25), Some(100)));
    let sum = count(fast, "acknowledged").unwrap() + count(asking, "acknowledged").unwrap();
    assert_eq!(count(&report, "acknowledged"), Some(sum));
    for (format, part) in [
        ("markdown", "| fast | 2 publishers"),
        (
            "prometheus",
            "mq_bench_group_latency_seconds{group=\"asking\",kind=\"round_trip\",quantile=\"0.99\"}",
        ),
    ] {
        let merged = mq(&format!("bench merge --output {format}")).arg(json.path()).run().succeed();
        assert_says(&merged, &[part]);
    }
}
