//! `--topics FILE`: topics by weight, each with its QoS.

use super::report::json;
use crate::support::*;
use std::collections::BTreeMap;
use std::io::Write;
use tempfile::NamedTempFile;

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[test]
fn messages_go_to_the_topics_by_weight_each_with_its_qos() {
    on_each_broker(|broker| {
        let file = file("topic,qos,weight\nsite/{i}/often,0,8\nsite/seldom,2,1\nsite/{client}/default,,1\n");
        let subscriber = broker.subscriber("-t site/# -q 2 -F %t:%q -C 1000");
        let words = format!("bench pub -c 2 --messages 1000 -i dev-{{i}} --topics {}", file.path().display());
        let report = broker.mq(&words).run().succeed();
        assert_says(&report, &["topics 3 from a file at QoS 0 to 2 (checksum "]);
        let finished = subscriber.finish();
        let mut counts = BTreeMap::new();
        for line in finished.succeed().lines() {
            *counts.entry(line.to_owned()).or_insert(0) += 1;
        }
        let count = |lines: &[&str]| -> u32 { lines.iter().filter_map(|line| counts.get(*line)).sum() };
        let often = count(&["site/0/often:0", "site/1/often:0"]);
        let (seldom, default) =
            (count(&["site/seldom:2"]), count(&["site/dev-0/default:1", "site/dev-1/default:1"]));
        assert_eq!(often + seldom + default, 1000, "{counts:?}");
        assert!((750..850).contains(&often) && (60..140).contains(&seldom), "{counts:?}");
    });
}

#[test]
fn latencies_have_the_name_of_all_acknowledgements() {
    for (rows, title, qos) in [
        ("a,1\nb,2\n", "PUBLISH to its ack", "1 to 2"),
        ("a,0\nb,1\n", "PUBLISH to PUBACK", "0 to 1"),
        ("a,0\nb,2\n", "PUBLISH to PUBCOMP", "0 to 2"),
        ("a,2\nb,2\n", "PUBLISH to PUBCOMP", "2"),
    ] {
        let file = file(&format!("topic,qos\n{rows}"));
        let json = NamedTempFile::new().unwrap();
        let words =
            format!("bench pub --embedded -c 2 --messages 40 --topics {} --json", file.path().display());
        let report = mq(&words).arg(json.path()).run().succeed();
        assert_says(&report, &[title, &format!("40 messages of 64 bytes at QoS {qos},")]);
        let titles = ["PUBLISH to its ack", "PUBLISH to PUBACK", "PUBLISH to PUBCOMP"];
        let found: Vec<_> = titles.into_iter().filter(|title| report.contains(title)).collect();
        assert_eq!(found, [title], "{report}");
        let merged = mq("bench merge").arg(json.path()).run().succeed();
        assert_says(&merged, &[title]);
    }
}

#[test]
fn rates_of_topics_are_the_pace_of_the_run() {
    let file = file("topic,rate\na,150\nb,3000/min\n");
    let words =
        format!("bench pub --embedded -c 2 --duration 0.5 --topics {} --output json", file.path().display());
    let report = json(mq(&words).run().succeed().as_bytes());
    assert_eq!(
        (&report["plan"]["messages_per_second"], &report["messages"]["sent"]["count"]),
        (&200.0.into(), &100.into())
    );
}

#[test]
fn mistakes_of_the_file_have_a_line() {
    let run = |content: &str, options: &str| {
        let file = file(content);
        mq(&format!("bench pub --embedded -c 2 --messages 10 {options} --topics {}", file.path().display()))
            .run()
            .fail(2)
    };
    for (content, part) in [
        (
            "topic\na\nb/#\n",
            "line 3: topic b/#: invalid topic b/#: a topic to publish to must not contain the wildcards",
        ),
        ("topic,qos\na,3\n", "line 2: qos 3: "),
        ("topic,weight\na,-1\n", "line 2: weight -1: expected an integer from 1"),
        ("topic,rate\na,\n", "line 2: the rate is empty"),
        ("name\na\n", "line 1: unknown column \"name\"; use topic, qos, and weight or rate"),
        ("topic\n", "it has no topics"),
        ("topic\na\na\n", "lines 2 and 3 have the same topic"),
        ("topic\na\n\u{0}\n", "line 3: "),
    ] {
        let error = run(content, "");
        assert_says(&error, &["mq bench: --topics ", part]);
    }
    assert_says(&run("topic,rate\na,5\n", "--rate 5"), &["leave the other rate out"]);
    assert_says(
        &mq("bench pub --topics /nonexistent --embedded").run().fail(1),
        &["--topics /nonexistent", "cannot be read"],
    );
    assert_says(&mq("bench pub --topics x -t y").run().fail(2), &["--topics"]);
    assert_says(&mq("bench --topics x").run().fail(2), &["--topics cannot be used with pubsub"]);
}

#[test]
fn a_group_of_a_scenario_has_topics_too() {
    let directory = tempfile::TempDir::new().unwrap();
    let topics = directory.path().join("topics.csv");
    std::fs::write(&topics, "topic,weight\nplant/a,3\nplant/b,1\n").unwrap();
    let group = |path: &std::path::Path| {
        format!(
            "[[group]]\nname = \"x\"\nscenario = \"pub\"\nclients = 2\nmessages = 100\ntopics = {path:?}\n"
        )
    };
    let scenario = directory.path().join("run.toml");
    std::fs::write(&scenario, group(&topics)).unwrap();
    let words = format!("bench scenario --embedded {} --output json", scenario.display());
    let report = json(mq(&words).run().succeed().as_bytes());
    assert_eq!(report["messages"]["acknowledged"]["count"], 100);
    let text = report["groups"][0]["load"]["topics"].as_str().unwrap();
    assert!(text.starts_with("2 from a file (checksum "), "{text}");
    std::fs::write(&topics, "topic,weight\nplant/a,x\n").unwrap();
    assert_says(
        &mq(&words).run().fail(2),
        &["run.toml, line 6, column 1: group \"x\": topics ", "line 2: weight x"],
    );
}
