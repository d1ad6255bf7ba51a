//! The exit statuses of `mq bench`: one table in the documentation, and a case for each row.

use super::*;
use crate::support::process::Finished;
use std::path::Path;

/// The statuses of the table in docs/bench-report.md.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bench-report.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("\n## Exit status\n").nth(1).expect("the section exists");
    let rows = section.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| "));
    let statuses = rows.filter_map(|row| row.split(" |").next()).flat_map(|cell| cell.split(", "));
    statuses.filter(|status| status.parse::<i32>().is_ok()).map(str::to_owned).collect()
}

#[test]
fn the_table_has_every_status_of_a_run() {
    assert_eq!(documented(), ["0", "1", "2", "3", "4", "5", "7", "27", "130", "143"]);
}

const SHORT: &str = "bench --embedded -c 2 --messages 20";

#[test]
fn unreadable_files_are_1_and_mistakes_in_files_2() {
    let file = |content: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    };
    let (empty, topics) = (file("{}"), file("topic,qos\na,3\n"));
    let (report, topics) = (empty.path().display().to_string(), topics.path().display().to_string());
    for (words, status) in [
        ("bench compare /missing.json /missing.json".to_owned(), 1),
        (format!("bench compare {report} {report}"), 2),
        (format!("bench compare {report}"), 2),
        ("bench merge /missing.json".to_owned(), 1),
        (format!("bench merge {report}"), 2),
        (format!("{SHORT} --baseline /missing.json"), 1),
        (format!("{SHORT} --baseline {report}"), 2),
        ("bench --repeat-of /missing.json".to_owned(), 1),
        (format!("bench --repeat-of {report}"), 2),
        ("bench pub --embedded -c 2 --topics /missing.csv".to_owned(), 1),
        (format!("bench pub --embedded -c 2 --topics {topics}"), 2),
        (format!("{SHORT} --credentials /missing.csv"), 1),
        (format!("{SHORT} --payload-file /missing"), 1),
        ("bench scenario /missing.toml".to_owned(), 1),
        (format!("bench scenario {topics}"), 2),
        (format!("{SHORT} --json /missing/run.json"), 1),
        ("bench --no-such-option".to_owned(), 2),
    ] {
        let finished = mq(&words).run();
        assert_eq!(finished.status, status, "{words}: {}", finished.stderr);
    }
}

#[test]
fn a_condition_wins_over_failures_of_the_run() {
    for (condition, status) in [("", 1), ("--fail-if connected<2", 4), ("--fail-if connected<100%", 4)] {
        let broker = EmbeddedBroker::start_with("-p 0 --limit sessions=1");
        let words = format!("bench conn -c 2 --hold 0.1 {} {condition}", broker.options());
        let finished = mq(&words).run();
        assert_eq!(finished.status, status, "{condition}: {}", finished.stderr);
    }
    assert_eq!(mq(&format!("{SHORT} --fail-if connected<100%")).run().status, 0);
}

#[test]
fn without_a_broker_no_condition_about_messages_is_met() {
    for words in ["--duration 1", "conn --hold 0.1", "pub --duration 1"] {
        let finished = mq(&format!("bench {words} -p 1 -h 127.0.0.1 -c 1 --json -")).run();
        finished.expect_status(1);
        let report: serde_json::Value = serde_json::from_slice(&finished.stdout).unwrap();
        let verdicts = report["verdicts"].as_array().unwrap();
        assert!(verdicts.iter().all(|verdict| verdict["outcome"] != "pass"), "{words}: {verdicts:?}");
    }
}

#[test]
fn without_a_broker_the_status_is_1_in_every_mode_and_with_every_condition() {
    let modes = [
        "",
        "conn --hold 0.1",
        "pub --messages 2",
        "sub -t a --duration 1",
        "rr --messages 2",
        "reconnect --duration 1",
    ];
    for mode in modes {
        for condition in ["", "--fail-if p99>1ms", "--fail-if connected<2", "--abort-if connect_failures>0"] {
            let finished = mq(&format!("bench {mode} -h 127.0.0.1 -p 1 -c 2 {condition}")).run();
            assert_eq!(finished.status, 1, "{mode} {condition}: {}", finished.stderr);
        }
    }
}

/// A run without an end of its own, with a condition that it misses.
fn interrupted(options: &str, name: &str) -> Finished {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -N -C 10");
    let bench = broker.mq(&format!("bench -c 2 -q 1 --fail-if sent>0 {options}")).spawn();
    witness.finish().expect_status(0);
    bench.signal(name);
    bench.finish()
}

#[test]
fn a_signal_wins_over_a_condition_that_was_not_met() {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let finished = interrupted("--duration 600", name);
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_says(&text, &["\nverdict           FAIL\n", "\n- fail            fail-if: sent>0: it was "]);
        assert_says(&finished.fail(status), &["mq bench: --fail-if sent>0: it was "]);
    }
}

#[test]
fn a_signal_that_ends_kept_connections_is_the_usual_end() {
    let metrics = free_address();
    let bench = mq(&format!("{SHORT} --keep-connected --fail-if sent>0 --metrics {metrics}")).spawn();
    wait_for_step(metrics, "hold");
    bench.signal("TERM");
    assert_says(&bench.finish().fail(4), &["--fail-if sent>0: it was 20\n"]);
}

#[test]
fn signals_that_arrive_together_do_not_cost_the_report() {
    let broker = EmbeddedBroker::start();
    let witness = broker.subscriber("-t # -N -C 10");
    let bench = broker.mq("bench -c 2 -q 1 --duration 600").spawn();
    witness.finish().expect_status(0);
    // As `timeout -s INT` sends them.
    let line = format!("kill -INT {0}; kill -TERM {0}; kill -INT {0}", bench.id());
    Program::new("sh").arg("-c").arg(line).run().succeed();
    let finished = bench.finish();
    assert!(matches!(finished.status, 130 | 143), "{}", finished.status);
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["\nended             interrupted;", "\ndelivery "],
    );
}

#[test]
fn one_client_and_one_message_are_announced_in_the_singular() {
    let broker = EmbeddedBroker::start();
    let finished = broker.mq("bench -c 1 --messages 1 --warm-up 0").run();
    assert_says(&finished.stderr, &["1 client publishes and 1 subscribes, 1 message of 64 bytes"]);
}
