//! What is sent where.

use super::*;
use tempfile::NamedTempFile;

/// What a subscriber prints of these words' messages, sorted.
fn messages_of(words: &str, count: usize) -> Vec<String> {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber(&format!("-t # -v -C {count}"));
    broker.mq(words).run().succeed();
    let mut lines: Vec<_> = witness.finish().succeed().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_template_makes_a_payload_for_each_message() {
    let words = r#"bench pub -c 2 -I me -t t/{i} --messages 4 --payload-template {"n":{seq},"of":{i}}"#;
    let expected =
        [r#"t/0 {"n":0,"of":0}"#, r#"t/0 {"n":1,"of":0}"#, r#"t/1 {"n":0,"of":1}"#, r#"t/1 {"n":1,"of":1}"#];
    assert_eq!(messages_of(words, 4), expected);
}

/// The payloads of each publisher, in order, of a run with this template.
fn generated(template: &str, publishers: usize, messages: usize) -> Vec<Vec<String>> {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber(&format!("-t t/# -v -C {}", publishers * messages));
    let words = format!(
        "bench pub -c {publishers} -t t/{{i}} --messages {} --payload-template",
        publishers * messages
    );
    broker.mq(&words).arg(template).run().succeed();
    let lines = witness.finish().succeed();
    let of = |publisher: usize| {
        let topic = format!("t/{publisher} ");
        lines.lines().filter_map(|line| line.strip_prefix(&topic)).map(str::to_owned).collect()
    };
    (0..publishers).map(of).collect()
}

#[test]
fn the_report_has_the_bounds_of_the_sizes_of_a_template() {
    let json = NamedTempFile::new().unwrap();
    for (template, bytes) in [
        (r#"{"n":{rand:0..1000},"s":"{choice:on|off}"}"#, "16 to 19"),
        ("{i} {client} {run}", "14 to 16"),
        ("always the same", "15"),
    ] {
        let words = "bench pub --embedded -c 12 -i c-{i} --messages 12 --json";
        let finished = mq(words).arg(json.path()).words("--payload-template").arg(template).run();
        let (least, most) = bytes.split_once(" to ").unwrap_or((bytes, bytes));
        let shown = if least < most { format!("at most {most}") } else { most.to_owned() };
        let words = format!("12 messages of {shown} bytes at QoS 1");
        assert_says(&finished.stderr, &[&words]);
        assert_says(&finished.succeed(), &[&words]);
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json.path()).unwrap()).unwrap();
        let group = &report["groups"][0];
        let bounds =
            [&group["least_payload_bytes"], &group["payload_bytes"]].map(|size| size.as_u64().unwrap());
        assert_eq!(bounds.map(|size| size.to_string()), [least, most]);
        assert_eq!(report["plan"]["payload_bytes"].as_u64(), Some(bounds[1]));
    }
}

#[test]
fn payloads_have_counters_walks_sines_and_choices() {
    let template = r#"{"n":{counter:10..14:2},"t":{walk:18.0..19.0:0.2},"v":{sine:-1.00..1.00:20},"on":{choice:true|false}}"#;
    let payloads = generated(template, 2, 60);
    let parsed = |publisher: usize, key: &str| {
        let values =
            payloads[publisher].iter().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        values.map(|value| value[key].clone()).collect::<Vec<_>>()
    };
    let numbers = |publisher, key| {
        parsed(publisher, key).iter().map(|value| value.as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, "n")[..5], [10.0, 12.0, 10.0, 12.0, 10.0]);
    let walk = numbers(0, "t");
    assert!(walk.iter().all(|value| (18.0..=19.0).contains(value)), "{walk:?}");
    assert!(walk.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.201), "{walk:?}");
    assert!(walk.windows(2).any(|pair| pair[0] != pair[1]), "{walk:?}");
    let sine = numbers(0, "v");
    assert_eq!(sine[..20], sine[20..40]);
    assert!(sine.iter().any(|value| *value > 0.9) && sine.iter().any(|value| *value < -0.9), "{sine:?}");
    let choices = parsed(0, "on");
    assert!(choices.contains(&true.into()) && choices.contains(&false.into()), "{choices:?}");
    assert_ne!(walk, numbers(1, "t"), "each publisher has its own values");
    assert_ne!(sine, numbers(1, "v"));
}

#[test]
fn invalid_generators_are_reported_on_the_command_line_and_in_files() {
    let finished = mq("bench pub --payload-template {walk:1..2}").run();
    let usage = "invalid placeholder {walk:1..2}; {walk:18.0..25.0:0.1} stays between 18.0 and 25.0 and changes by at most 0.1";
    assert_says(&finished.fail(2), &["mq bench: --payload-template: ", usage]);
    let file = NamedTempFile::new().unwrap();
    let group = "[[group]]\nname = \"a\"\nscenario = \"pub\"\npayload_template = '{\"a\": {choice:}}'\n";
    std::fs::write(file.path(), group).unwrap();
    let finished = mq("bench scenario --validate").arg(file.path()).run();
    let problem = "line 4, column 1: group \"a\": payload_template: invalid placeholder {choice:}; {choice:on|off|fault} is one of";
    assert_says(&finished.fail(2), &[problem]);
    assert_says(&mq("bench pub -t a/{counter:1}").run().fail(2), &["unknown placeholder {counter:1}"]);
}

#[test]
fn a_file_is_a_payload() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file").unwrap();
    let words = format!("bench pub -c 1 -t t --messages 2 -f {}", file.path().display());
    assert_eq!(messages_of(&words, 2), ["t from a file", "t from a file"]);
}

/// A file with these lines.
fn recording(lines: &[&str]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    file
}

#[test]
fn a_recording_is_sent_in_a_loop() {
    let broker = EmbeddedBroker::start();
    let recorder = broker.subscriber("-t # --json -C 3");
    for words in ["-t a -m one", "-t b/c -m 0", "-t d -n"] {
        broker.mq(&format!("pub {words}")).run().succeed();
    }
    let file = recording(&[&recorder.finish().succeed(), ""]);
    let words = format!("bench pub -c 1 -q 0 --messages 4 --payload-recording {}", file.path().display());
    let payloads = ["t (null)", "t 0", "t one", "t one"];
    assert_eq!(messages_of(&format!("{words} -t t"), 4), payloads);
    let topics = ["a one", "a one", "b/c 0", "d (null)"];
    assert_eq!(messages_of(&format!("{words} --recorded-topics"), 4), topics);
}

#[test]
fn a_recording_is_measured_end_to_end() {
    let file = recording(&[r#"{"payload":"short"}"#, r#"{"payload_encoding":"base64","payload":"/w=="}"#]);
    let words = format!("bench --embedded -c 5 --messages 100 --payload-recording {}", file.path().display());
    assert_says(&mq(&words).run().succeed(), &[ALL_ARRIVED]);
}

#[test]
fn a_recording_that_is_none_is_reported_with_its_line() {
    let good = r#"{"topic":"a","payload":"x"}"#;
    for (lines, options, parts) in [
        (vec![], "", ["has no messages", "mq sub --json"]),
        (vec![good, "", "{\"payload\":"], "", ["line 3", "column"]),
        (vec![good, r#"{"paylod":"x"}"#], "", ["line 2", "did you mean 'payload'?"]),
        (vec![good, r#"{"payload":"x"}"#], "--recorded-topics", ["line 2", "\"topic\""]),
        (vec![r#"{"topic":"a/#","payload":"x"}"#], "--recorded-topics", ["line 1", "a/#"]),
    ] {
        let file = recording(&lines);
        let words = format!("bench pub --payload-recording {} {options}", file.path().display());
        assert_says(&mq(&words).run().fail(2), &parts);
    }
    let file = recording(&[good]);
    let words = format!("bench --recorded-topics --payload-recording {}", file.path().display());
    assert_says(&mq(&words).run().fail(2), &["--recorded-topics", "pubsub"]);
    assert_says(&mq("bench pub --payload-recording /nowhere").run().fail(1), &["/nowhere"]);
}

#[test]
fn measured_payloads_begin_with_the_header() {
    let report = mq("bench --embedded -c 5 --messages 100 --payload-template text-{seq}").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
}

#[test]
fn topics_name_clients_and_random_numbers() {
    let words = "bench pub -c 3 -I me -t x/{client}/{rand:7..8} --messages 3 --payload-template p";
    let lines = messages_of(words, 3);
    for (number, line) in lines.iter().enumerate() {
        assert!(line.starts_with("x/me-") && line.ends_with(&format!("-p{number}/7 p")), "{line}");
    }
    let report = mq("bench --embedded -c 4 --subscribers 2 --messages 100 -t {s}/{client}/{rand:0..9}")
        .run()
        .succeed();
    assert_says(&report, &[ALL_ARRIVED]);
}

#[test]
fn sizes_are_spread() {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -F %l -C 100");
    broker.mq("bench -c 1 --messages 100 -s 40..43").run().succeed();
    let lines = witness.finish().succeed();
    let mut sizes: Vec<_> = lines.lines().collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes, ["40", "41", "42", "43"]);
}

#[test]
fn messages_can_be_retained() {
    let broker = EmbeddedBroker::start();
    broker.mq("bench pub -c 2 -t kept/{i} --messages 4 -r --payload-template {seq}").run().succeed();
    let lines = broker.mq("sub -t kept/# -v -C 2").run().succeed();
    let mut lines: Vec<_> = lines.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["kept/0 1", "kept/1 1"]);
}

#[test]
fn subscriptions_can_have_a_qos_of_their_own() {
    let report = mq("bench --embedded -c 5 --messages 200 -q 1 --subscription-qos 0").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
}

#[test]
fn payloads_and_topics_are_new_for_each_message() {
    let payload = r#"{"n":{seq},"t":{ts_ms},"at":"{ts}","id":"{uuid}","v":{rand:18.0..25.5}}"#;
    let words = format!(
        "bench pub -c 1 -t load/{{seq}}/{{rand:7..8}}/{{uuid}}/{{ts:s}} --messages 3 --payload-template {payload}"
    );
    let lines = messages_of(&words, 3);
    let mut ids = std::collections::BTreeSet::new();
    for (number, line) in lines.iter().enumerate() {
        let (topic, payload) = line.split_once(' ').unwrap();
        let levels: Vec<&str> = topic.split('/').collect();
        assert_eq!(levels[..3], ["load", &number.to_string(), "7"], "{line}");
        assert!(levels[4].parse::<u64>().unwrap() > 1_700_000_000, "{line}");
        let json: serde_json::Value = serde_json::from_str(payload).unwrap();
        assert_eq!(json["n"], number);
        assert!(json["t"].as_u64() > Some(1_700_000_000_000), "{line}");
        assert!(json["at"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!((18.0..=25.5).contains(&json["v"].as_f64().unwrap()), "{line}");
        ids.extend([levels[3].to_owned(), json["id"].as_str().unwrap().to_owned()]);
    }
    assert_eq!(ids.len(), 6, "{ids:?}");
}

#[test]
fn messages_with_topics_of_their_own_are_measured_end_to_end() {
    for options in ["-t {run}/{s}/{i}/{seq} --subscribers 2", "-t fan/{run}/{uuid} --subscribers 3"] {
        let words = format!("bench --embedded -c 4 --messages 100 {options}");
        assert_says(&mq(&words).run().succeed(), &[ALL_ARRIVED]);
    }
    let report = mq("bench rr --embedded -c 4 --messages 100 -t ask/{s}/{seq}").run().succeed();
    assert_says(&report, &[ALL_ARRIVED]);
}
