//! Verdicts of `mq bench`: each condition is judged, in each format of the report and on standard error.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A run that is over in a moment, so that its rates mean nothing.
const SHORT: &str = "bench --embedded -c 5 --messages 500";

/// The files of a report.
pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new() -> Files {
        Files(TempDir::new().unwrap())
    }

    fn path(&self, format: &str) -> PathBuf {
        self.0.path().join(format)
    }

    /// A run that writes all formats.
    pub(super) fn of(&self, program: Program) -> Program {
        let formats = ["json", "html", "markdown", "prometheus", "junit"];
        formats
            .into_iter()
            .fold(program, |program, format| program.arg(format!("--{format}")).arg(self.path(format)))
    }

    pub(super) fn read(&self, format: &str) -> String {
        fs::read_to_string(self.path(format)).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.read("json")).unwrap()
    }

    /// The conditions in JSON of this rule.
    pub(super) fn verdicts(&self, rule: &str) -> Vec<Value> {
        let all = self.json()["verdicts"].as_array().unwrap().clone();
        all.into_iter().filter(|verdict| verdict["rule"] == rule).collect()
    }

    /// The names of the test cases in JUnit XML that have an element of this name.
    pub(super) fn cases_with(&self, element: &str) -> Vec<String> {
        let xml = self.read("junit");
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let cases = suite.children().filter(|node| node.has_tag_name("testcase"));
        let with = cases.filter(|case| case.children().any(|child| child.has_tag_name(element)));
        with.map(|case| case.attribute("name").unwrap().to_owned()).collect()
    }
}

/// A peer that acknowledges five messages and delivers none of them.
fn losing_peer() -> ScriptedPeer {
    ScriptedPeer::start(|peer| {
        let mut subscriber = peer.accept_v311();
        let mut publisher = peer.accept_v311();
        let subscribe = subscriber.packet();
        subscriber.send(&format!("90 ({:02x} {:02x} 01)", subscribe[2], subscribe[3]));
        (0..5).for_each(|_| drop(publisher.expect_and_acknowledge()));
        subscriber.expect_type(0xe0);
    })
}

#[test]
fn a_loss_fails_in_every_format() {
    let (peer, files) = (losing_peer(), Files::new());
    let program =
        peer.mq("bench -c 1 --threads 1 --messages 5 --timeout 0.5 --quiet --fail-if loss>9,tls.p99>1s");
    let finished = files.of(program).run();
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let lost = "5 of 5 messages lost at QoS 1";
    let unmeasured = "tls.p99>1s: it was not measured";
    // The sentence may be two lines, depending on its figures.
    let sentence = text.split("\nverdict").next().unwrap().replace('\n', " ");
    assert_says(&sentence, &["5 messages in ", "5 of 5 messages lost"]);
    let parts = ["\nverdict           FAIL\n", "\n- fail            ", lost, "loss>9: it was 5", unmeasured];
    assert_says(&text, &parts);
    assert_says(&finished.fail(4), &["violated the guarantee of QoS 1", unmeasured]);
    assert_says(&files.read("html"), &["<p class=\"word\">FAIL</p>", "<title>FAIL: mq bench", lost]);
    assert_says(&files.read("markdown"), &["\n**FAIL**: 5 messages in ", &format!("- **FAIL** {lost}")]);
    let failed =
        "mq_bench_condition_passed{rule=\"delivery\",condition=\"all messages arrived, at QoS 1\"} 0\n";
    assert_says(&files.read("prometheus"), &["\nmq_bench_passed 0\n", failed]);
    assert_eq!(files.json()["verdict"], "fail");
    let [delivery] = files.verdicts("delivery").try_into().unwrap();
    assert_eq!(
        (&delivery["outcome"], &delivery["limit"], &delivery["measured"]),
        (&"fail".into(), &0.0.into(), &5.0.into())
    );
    let outcomes: Vec<_> =
        files.verdicts("fail_if").iter().map(|verdict| verdict["outcome"].clone()).collect();
    assert_eq!(outcomes, ["pass", "not measured"]);
    assert_eq!(files.cases_with("failure"), ["tls.p99>1s", "all messages arrived, at QoS 1"]);
    peer.finish();
}

#[test]
fn a_stalled_broker_fails_by_its_own_rule() {
    let peer = ScriptedPeer::accepting(|wire| while wire.packet().first() != Some(&0xe0) {});
    let files = Files::new();
    let finished = files.of(peer.mq("bench pub -c 1 --messages 5 --timeout 0.5")).run();
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let stalled = "timeout: the broker stopped reading or acknowledging messages";
    assert!(text.starts_with(&format!("{stalled};")), "{text}");
    assert_says(&finished.fail(1), &["the broker stopped answering"]);
    assert_eq!(files.cases_with("failure"), ["the run completes"]);
    assert_says(&files.read("html"), &["<p class=\"word\">FAIL</p>", stalled]);
    peer.finish();
}

#[test]
fn a_condition_ends_a_run_early() {
    let peer = ScriptedPeer::accepting(|wire| while wire.packet().first() != Some(&0xe0) {});
    let files = Files::new();
    let words = "bench pub -c 1 --duration 600 --timeout 600 --quiet --abort-if acknowledged_rate<1/s,connect_failures>0";
    let finished = files.of(peer.mq(words)).run();
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(text.starts_with("ended early, since acknowledged_rate<1/s held; "), "{text}");
    let stderr = finished.fail(4);
    assert_says(
        &stderr,
        &["--abort-if acknowledged_rate<1/s: it was 0.0/s ", " s into the measurement; the run ended early"],
    );
    assert_eq!(files.json()["ending"], "interrupted");
    let outcomes: Vec<_> =
        files.verdicts("abort_if").iter().map(|verdict| verdict["outcome"].clone()).collect();
    assert_eq!(outcomes, ["fail", "pass"]);
    assert_eq!(files.cases_with("failure"), ["acknowledged_rate<1/s"]);
    peer.finish();
}

#[test]
fn worker_processes_are_ended_early_too() {
    let words = "bench --embedded -c 4 --processes 2 --rate 200 --duration 600 --abort-if sent>50";
    let finished = mq(words).run();
    assert_says(&finished.fail(4), &["--abort-if sent>50: it was ", "the run ended early"]);
}

#[test]
fn conditions_that_no_run_can_judge_are_refused() {
    for (condition, part) in [
        ("loss>0", "loss is not known during a run; use one of p99, throughput"),
        ("connected<5", "would hold at once; use > or >="),
        ("p99>x", "--abort-if"),
    ] {
        assert_says(&mq(SHORT).arg("--abort-if").arg(condition).run().fail(2), &["--abort-if", part]);
    }
    let finished = mq("bench --embedded -c 5 --search rate --abort-if sent>5").run();
    assert_says(&finished.fail(2), &["--search cannot be used with --abort-if"]);
}

#[test]
fn a_short_measurement_has_no_rates() {
    let files = Files::new();
    let text = files.of(mq(SHORT)).run().succeed();
    assert!(!text.contains("/s"), "{text}");
    assert_says(
        &text,
        &["too short for", "\nverdict           CAUTION\n- not measured    measured for only "],
    );
    assert!(text.lines().any(|line| line.starts_with("received ") && line.contains(" - ")), "{text}");
    assert_says(&files.read("markdown"), &["| received | 500 | - |"]);
    assert!(!files.read("html").contains("received per second"));
    assert_eq!(files.cases_with("skipped"), ["mq itself was not the bottleneck"]);
    let [check] = files.verdicts("self_check").try_into().unwrap();
    assert_eq!((&check["outcome"], &check["measured"]), (&"not measured".into(), &Value::Null));
}

#[test]
fn a_long_measurement_has_rates() {
    let report = mq("bench --embedded -c 2 --rate 50 --duration 1.5").run().succeed();
    assert_says(&report.replace('\n', " "), &[" messages/s ", " for 1 s: "]);
    assert!(!report.contains("too short"), "{report}");
}

#[test]
fn github_actions_get_annotations() {
    let words = format!("{SHORT} --quiet --output json --fail-if received<501,loss>0%");
    let finished = mq(&words).env("GITHUB_ACTIONS", "true").run();
    assert!(finished.stdout.starts_with(b"{"), "JSON stays JSON");
    let stderr = finished.fail(4);
    let lines: Vec<_> = stderr.lines().collect();
    assert!(
        lines.iter().any(|line| line.starts_with("::notice title=mq bench::FAIL: 500 messages in ")),
        "{stderr}"
    );
    assert!(lines.contains(&"::error title=mq bench::--fail-if received<501: it was 500"), "{stderr}");
    assert!(
        lines.iter().any(|line| line.starts_with("::warning title=mq bench::measured for only ")),
        "{stderr}"
    );
    assert!(!stderr.contains("loss"), "a condition that was met needs no annotation: {stderr}");
    let stderr = mq(&format!("{SHORT} --fail-if loss>50%")).run().stderr;
    assert!(!stderr.contains("::"), "{stderr}");
}

#[test]
fn a_report_that_is_rendered_later_has_its_verdicts() {
    let files = Files::new();
    files.of(mq(&format!("{SHORT} --fail-if received<501"))).run().expect_status(4);
    let merge = |words: &str| mq(&format!("bench merge {} {words}", files.path("json").display()));
    let finished = merge("").run();
    assert_says(
        &String::from_utf8_lossy(&finished.stdout),
        &["\n- fail            fail-if: received<501: it was 500\n"],
    );
    assert_says(&finished.fail(4), &["--fail-if received<501: it was 500"]);
    // Two parts together fulfil what each of them did not.
    let other = files.path("other.json");
    mq(SHORT).arg("--json").arg(&other).run().succeed();
    let whole = merge(other.to_str().unwrap()).run().succeed();
    assert_says(&whole, &["\n- pass            fail-if: received<501: it was 1000\n"]);
}

#[test]
fn a_baseline_is_a_condition_for_each_figure() {
    let files = Files::new();
    files.of(mq(SHORT)).run().succeed();
    let path = files.path("json");
    let later = Files::new();
    let program = mq(&format!("{SHORT} --subscribers 0 -s 99 --tolerance 1000"));
    later.of(program.arg("--baseline").arg(&path)).run().expect_status(4);
    let verdicts = later.verdicts("baseline");
    let loss = verdicts.iter().find(|verdict| verdict["condition"] == "loss at most 1000 % worse").unwrap();
    assert_eq!(
        (&loss["outcome"], &loss["text"]),
        (&"not measured".into(), &"loss was 0, now it was not measured".into())
    );
    assert!(later.cases_with("failure").contains(&"loss at most 1000 % worse".to_owned()));
    let named = |name: &str| {
        let mut all = verdicts.iter();
        all.find(|verdict| verdict["condition"].as_str().unwrap().starts_with(name))
    };
    let failures = named("connect_failures ").unwrap();
    assert_eq!((&failures["outcome"], &failures["unit"]), (&"pass".into(), &"count".into()));
    assert!(named("throughput ").is_none(), "a short run has no rate");
}

#[test]
fn the_last_second_is_judged_too() {
    // The peer acknowledges the messages of two seconds only.
    let peer = ScriptedPeer::accepting(|wire| {
        (0..200).for_each(|_| drop(wire.expect_and_acknowledge()));
        while wire.packet().first() != Some(&0xe0) {}
    });
    let files = Files::new();
    let words = "bench pub -c 1 --rate 100 --inflight 1000 --duration 2.7 --warm-up 0 --timeout 0.5 --quiet";
    let finished = files.of(peer.mq(words).words("--abort-if acknowledged_rate<60/s")).run();
    let [verdict] = files.verdicts("abort_if").try_into().unwrap();
    assert_eq!(verdict["outcome"], "fail", "{verdict}");
    assert_says(verdict["text"].as_str().unwrap(), &[" in the last second of the measurement"]);
    assert_says(&finished.fail(4), &["--abort-if acknowledged_rate<60/s: it was "]);
    peer.finish();
}

#[test]
fn the_latencies_of_the_last_second_are_judged_too() {
    // The peer delays 90 acknowledgements until shortly before the end of the measurement.
    let peer = ScriptedPeer::accepting(|wire| {
        (0..50).for_each(|_| drop(wire.expect_and_acknowledge()));
        let late: Vec<_> = (0..90).map(|_| wire.expect_publish()).collect();
        for message in late {
            let [high, low] = message.packet_id.unwrap();
            wire.send_bytes(&[0x40, 2, high, low]);
        }
        (0..10).for_each(|_| drop(wire.expect_and_acknowledge()));
        while wire.packet().first() != Some(&0xe0) {}
    });
    let files = Files::new();
    let words = "bench pub -c 1 --rate 100 --inflight 1000 --duration 1.5 --warm-up 0 --quiet";
    let finished = files.of(peer.mq(words).words("--abort-if p99>500ms")).run();
    let [verdict] = files.verdicts("abort_if").try_into().unwrap();
    assert_says(verdict["text"].as_str().unwrap(), &[" in the last second of the measurement"]);
    finished.expect_status(4);
    peer.finish();
}
