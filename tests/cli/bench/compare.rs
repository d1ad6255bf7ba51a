//! `mq bench compare` and `--repeat`: differences, noise, and files that cannot be compared.

use crate::support::process::Finished;
use crate::support::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A run that is over in a moment.
const SHORT: &str = "bench --embedded -c 2 --messages 100";

/// A directory with a report, and changed copies of it.
struct Reports {
    directory: TempDir,
    report: Value,
}

impl Reports {
    fn new() -> Reports {
        Reports::of(SHORT)
    }

    fn of(words: &str) -> Reports {
        let directory = TempDir::new().unwrap();
        let printed = mq(words).arg("--output").arg("json").run().succeed();
        Reports { directory, report: serde_json::from_str(&printed).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes the report under a name, after a change.
    fn write(&self, name: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut report = self.report.clone();
        change(&mut report);
        fs::write(self.path(name), report.to_string()).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }
}

/// Sets the runs of a repeated load, by their p99 in nanoseconds and their throughput.
fn set_runs(report: &mut Value, runs: &[(f64, f64)]) {
    let run = |(p99, throughput): &(f64, f64)| {
        json!({"started_at": "2026-01-02T03:04:05Z", "verdict": "pass", "sentence": "a run",
               "figures": {"p99_ns": p99, "throughput_per_second": throughput, "p50_ns": null}})
    };
    report["repeat"] = json!({"runs": runs.iter().map(run).collect::<Vec<_>>()});
}

fn compare(old: &str, new: &str, options: &str) -> Finished {
    mq(&format!("bench compare {old} {new} {options}")).run()
}

#[test]
fn differences_within_the_noise_of_repeated_runs_are_no_change() {
    let reports = Reports::new();
    let old = reports.write("old.json", |report| {
        set_runs(report, &[(1e6, 100.0), (2e6, 101.0), (3e6, 99.0), (2e6, 100.0), (1e6, 100.0)]);
    });
    let noisy = reports.write("noisy.json", |report| {
        set_runs(report, &[(3e6, 100.0), (1e6, 101.0), (2.5e6, 99.0), (2.4e6, 100.0), (2e6, 100.0)]);
    });
    let slow = reports.write("slow.json", |report| {
        set_runs(report, &[(2e6, 80.0), (2.1e6, 81.0), (1e6, 79.0), (1.5e6, 80.0), (2e6, 78.0)]);
    });
    let text = compare(&old, &noisy, "").succeed();
    assert_says(
        &text,
        &["p99                  2.00 ms   2.40 ms   +20.0 %  no change (", "\noutcome           no change ("],
    );
    let text = compare(&old, &slow, "").succeed();
    assert_says(
        &text,
        &["throughput             100/s      80/s   -20.0 %  worse (", "\noutcome           worse ("],
    );
    assert_says(
        &compare(&old, &slow, "--fail-if-worse").fail(4),
        &["--fail-if-worse: the outcome is \"worse\""],
    );
    compare(&old, &slow, "--fail-if-worse --tolerance 25%").succeed();
    let text = compare(&slow, &old, "--fail-if-worse").succeed();
    assert_says(&text, &["throughput              80/s     100/s   +25.0 %  better ("]);
}

#[test]
fn a_comparison_is_data_too() {
    let reports = Reports::new();
    let old = reports.write("old.json", |_| {});
    let new = reports.write("new|`<b>.json", |report| {
        report["deliveries"]["lost"] = 3.into();
    });
    let page = reports.path("page.html");
    let markdown = reports.path("page.md");
    let finished =
        mq("bench compare").arg(&old).arg(&new).arg("--output").arg("json").arg("--html").arg(&page);
    let printed = finished.arg("--markdown").arg(&markdown).run().succeed();
    let json: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&json["schema"], &json["outcome"]), (&"mq-bench-compare/1".into(), &"worse".into()));
    let metrics = json["new"][0]["metrics"].as_array().unwrap();
    let loss = metrics.iter().find(|metric| metric["metric"] == "loss").unwrap();
    assert_eq!(
        (&loss["old"], &loss["new"], &loss["outcome"], &loss["change_percent"], &loss["noise"]),
        (&0.0.into(), &3.0.into(), &"worse".into(), &Value::Null, &Value::Null)
    );
    let documentation = include_str!("../../../docs/bench-compare.md");
    let objects = [&json, &json["old"], &json["new"][0], &json["new"][0]["metrics"][0]];
    let keys = objects.into_iter().flat_map(|object| object.as_object().unwrap().keys());
    assert_eq!(keys.filter(|key| !documentation.contains(&format!("`{key}`"))).collect::<Vec<_>>(), [""; 0]);
    assert_says(&fs::read_to_string(&markdown).unwrap(), &["**worse (", "| loss | 0 | 3 | **+3** | worse |"]);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.len() < 200_000 && !html.contains("<b>.json"), "{html}");
    assert_says(&html, &["<p class=\"word\">WORSE</p>", "Latency by percentile: end to end", "&lt;b&gt;"]);
}

#[test]
fn different_loads_are_refused_unless_allowed() {
    let reports = Reports::new();
    let old = reports.write("old.json", |_| {});
    let new = reports.write("new.json", |report| {
        report["plan"]["clients"] = 9.into();
        report["groups"][0]["qos"] = 2.into();
    });
    let refusal = [
        "clients: 4 in the old report, 9 in the new one",
        "the QoS: 1 in the old report, 2",
        "--allow-different",
    ];
    assert_says(&compare(&old, &new, "").fail(2), &refusal);
    let text = compare(&old, &new, "--allow-different").succeed();
    assert_says(&text, &["different plan    clients: 4 in the old, 9 new\n"]);
    let conn = Reports::of("bench conn --embedded -c 2 --hold 0.1");
    let other = conn.write("conn.json", |_| {});
    assert_says(
        &compare(&old, &other, "").fail(2),
        &["the scenario: pubsub in the old report, conn in the new one"],
    );
    assert_says(&compare(&old, &other, "--allow-different").succeed(), &["not comparable"]);
}

#[test]
fn options_and_files_that_differ_are_named() {
    let reports =
        Reports::of("bench --embedded -c 2 --messages 100 --threads 1 -D publish user-property a b -V 5");
    let old = reports.write("old.json", |report| {
        report["command"]["files"] = json!([{"path": "p", "sha256": "aaaaaaaaaaaaaaaa"}]);
    });
    let new = reports.write("new.json", |report| {
        let options = report["command"]["options"].as_array_mut().unwrap();
        options.retain(|words| words[0] != "--threads");
        options.push(json!(["--bind", "1.2.3.4`|\u{1b}[31m"]));
        report["command"]["files"] = json!([{"path": "p", "sha256": "bbbbbbbbbbbbbbbb"}]);
        report["command"]["left_out"] = json!(["--pw"]);
    });
    let text = compare(&old, &new, "").succeed();
    assert_says(
        &text,
        &[
            "different option  --threads: 1 in the old, not set new\n",
            "different option  --pw: not set in the old, a secret new\n",
            "different option  the content of p: aaaaaaaaaaaa in the old, bbbbbbbbbbbb new\n",
        ],
    );
    let page = reports.path("page.html");
    let markdown = compare(&old, &new, &format!("--output markdown --html {}", page.display())).succeed();
    assert_says(&markdown, &["- different option: `--bind`: `not set` in the old, `1.2.3.4''"]);
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("different option: --threads"), "{html}");
    assert!(![text, markdown, html].concat().contains('\u{1b}'));
    let json: Value = serde_json::from_str(&compare(&old, &new, "--output json").succeed()).unwrap();
    assert_eq!(
        json["new"][0]["different_options"][0],
        json!({"key": "--bind", "old": "not set", "new": "1.2.3.4`|\u{1b}[31m"})
    );
    assert!(!compare(&old, &old, "").succeed().contains("different option"));
}

#[test]
fn failed_runs_are_named() {
    let reports = Reports::new();
    let directory = reports.directory.path();
    let failed = directory.join("failed.json");
    let program = mq(SHORT).words("--fail-if sent>1 --json").arg(&failed);
    program.run().expect_status(4);
    let passed = reports.write("passed.json", |_| {});
    let shown = compare(&passed, failed.to_str().unwrap(), "").succeed();
    let heads: Vec<_> = shown.split("\n\n").next().unwrap().split("new  ").collect();
    assert!(!heads[0].contains("FAIL"), "{shown}");
    assert_says(heads[1], &["verdict FAIL)"]);
}

#[test]
fn a_hundred_reports_are_a_trend() {
    let reports = Reports::new();
    let files: Vec<String> = (0..100)
        .map(|day| {
            reports.write(&format!("{day}.json"), |report| {
                report["started_at"] =
                    format!("2026-{:02}-{:02}T01:00:00Z", day / 28 + 1, day % 28 + 1).into();
            })
        })
        .collect();
    let page = reports.path("trend.html");
    let program = files.iter().fold(mq("bench compare"), Program::arg);
    let text = program.arg("--html").arg(&page).run().succeed();
    assert_says(&text, &["\np99  ", "\noutcome           no change ("]);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.len() < 200_000, "{}", html.len());
    assert_says(
        &html,
        &["p99 by date", "start of the run (UTC)", ">01-01<", "2026-04-16 01:00", "79 more tables"],
    );
}

#[test]
fn files_that_are_not_reports_are_refused() {
    let reports = Reports::new();
    let old = reports.write("old.json", |_| {});
    let many = vec![
        json!({"started_at": "2026-01-02T03:04:05Z", "verdict": "pass", "sentence": "", "figures": {}});
        1001
    ];
    type Change = Box<dyn FnOnce(&mut Value)>;
    let cases: [(&str, Change); 6] = [
        ("its schema is \"mq-bench/2\"", Box::new(|report| report["schema"] = "mq-bench/2".into())),
        ("without the key \"schema\"", Box::new(|report| *report = json!({}))),
        ("it is not a report", Box::new(|report| *report = json!([1]))),
        ("repeat.runs cannot be of 0 runs", Box::new(|report| report["repeat"] = json!({"runs": []}))),
        (
            "repeat.runs cannot be of 1001 runs",
            Box::new(move |report| report["repeat"] = json!({"runs": many})),
        ),
        ("it is not a report", Box::new(|report| report["clients"]["lost"] = Value::Null)),
    ];
    for (problem, change) in cases {
        let new = reports.write("new.json", change);
        let finished = compare(&old, &new, "");
        assert!([1, 2].contains(&finished.status), "{}", finished.stderr);
        assert_says(&finished.stderr, &["new.json", problem]);
    }
    fs::write(reports.path("new.json"), "{\"schema\":").unwrap();
    assert_says(&compare(&old, reports.path("new.json").to_str().unwrap(), "").stderr, &["not a report"]);
    let huge = fs::File::create(reports.path("huge.json")).unwrap();
    huge.set_len(1 << 40).unwrap();
    assert_says(&compare(&old, reports.path("huge.json").to_str().unwrap(), "").stderr, &["huge.json"]);
    assert_says(
        &mq(&format!("bench compare {old}")).run().fail(2),
        &["compare needs two reports; add NEW.json"],
    );
    assert_says(&mq("bench compare /none.json /none.json").run().stderr, &["/none.json"]);
}

#[test]
fn metrics_without_a_value_are_not_comparable() {
    let reports = Reports::new();
    let old = reports.write("old.json", |report| set_runs(report, &[(1e6, 100.0), (1e6, 100.0)]));
    let new = reports.write("new.json", |report| {
        set_runs(report, &[(1e6, 100.0), (1e6, 100.0)]);
        for run in report["repeat"]["runs"].as_array_mut().unwrap() {
            run["figures"]["p99_ns"] = Value::Null;
        }
    });
    let text = compare(&old, &new, "").succeed();
    assert_says(&text, &["p99                  1.00 ms         -         -  not comparable"]);
    compare(&old, &new, "--fail-if-worse").fail(4);
}

#[test]
fn a_repeated_load_has_a_median_and_a_spread_in_every_format() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let program = mq(&format!("{SHORT} --repeat 3")).arg("--json").arg(path("json"));
    let finished = program.arg("--html").arg(path("html")).arg("--markdown").arg(path("md")).run();
    assert_says(&finished.stderr, &["run 1 of 3", "run 3 of 3"]);
    assert_says(
        &finished.succeed(),
        &["3 runs                  median      spread      lowest     highest\n", "\np99  "],
    );
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    let json: Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(json["repeat"]["runs"].as_array().unwrap().len(), 3);
    assert!(json["repeat"]["metrics"]["p99_ns"]["median"].as_f64() > Some(0.0), "{json}");
    assert_says(&read("md"), &["| 3 runs | median | spread | lowest | highest |"]);
    assert_says(&read("html"), &["<caption>3 runs</caption>"]);
    let again = path("json").display().to_string();
    assert_says(
        &compare(&again, &again, "").succeed(),
        &["3 runs)", "outcome           no change (differences up to 10 %, and"],
    );
    let other = path("other.json").display().to_string();
    mq(SHORT).arg("--json").arg(&other).run().succeed();
    let refused = mq(&format!("bench merge {again} {other}")).run().fail(2);
    assert_says(&refused, &["a report of a repeated load cannot be merged", "`mq bench compare`"]);
}

#[test]
fn one_failed_run_fails_a_repeated_load() {
    let path = TempDir::new().unwrap();
    let file = path.path().join("run.json");
    let finished = mq(&format!("{SHORT} --repeat 2 --fail-if sent>1")).arg("--json").arg(&file).run();
    assert_says(&finished.fail(4), &["sent>1: it was 100"]);
    let json: Value = serde_json::from_str(&fs::read_to_string(Path::new(&file)).unwrap()).unwrap();
    let text =
        json["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["rule"] == "repeat").unwrap();
    assert!(text["text"].as_str().unwrap().starts_with("2 of 2 runs failed, the first is run 1: "), "{text}");
}

#[test]
fn rates_over_less_than_a_second_are_not_compared() {
    let (old, new) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    for file in [&old, &new] {
        mq(SHORT).arg("--json").arg(file.path()).run().succeed();
    }
    let compared = mq("bench compare").arg(old.path()).arg(new.path()).run().stdout;
    let compared = String::from_utf8_lossy(&compared);
    assert!(!compared.contains("throughput") && !compared.contains("/s "), "{compared}");
    assert_says(&compared, &["\np99 ", "\nloss "]);
    let repeated = mq(&format!("{SHORT} --repeat 2")).run().succeed();
    assert!(!repeated.contains("\nthroughput"), "{repeated}");
}

#[test]
fn a_baseline_knows_the_noise_too() {
    let reports = Reports::new();
    let old = reports.write("old.json", |report| {
        set_runs(report, &[(1.0, 1e12), (1e12, 1.0), (1.0, 1e12), (1e12, 1.0)]);
    });
    let finished = mq(&format!("{SHORT} --baseline {old}")).run();
    assert_says(&String::from_utf8_lossy(&finished.stdout), &["throughput", "no change ("]);
}

#[test]
fn reports_of_a_search_are_compared_only_on_request() {
    let reports = Reports::new();
    let step = json!({"messages_per_second": 500.0, "holds": true, "reason": null, "figures": {}});
    let search = json!({"outcome": "highest", "messages_per_second": 500.0, "steps": [step]});
    let searched = reports.write("searched.json", |report| report["search"] = search);
    let plain = reports.write("plain.json", |_| {});
    for (old, new) in [(&searched, &plain), (&plain, &searched)] {
        let error = compare(old, new, "").fail(2);
        assert_says(&error, &["searched.json is a report of --search", "--allow-different"]);
        assert_says(&compare(old, new, "--allow-different").succeed(), &["outcome"]);
    }
}

#[test]
fn text_of_a_report_by_others_stays_on_its_line() {
    let reports = Reports::new();
    let old = reports.write("old.json", |_| {});
    let new = reports.write("new.json", |report| {
        report["groups"][0]["name"] = "\u{1b}[31mred\u{202e}\nmq: | `forged` \u{9b}1m".into();
    });
    let is_safe = |text: &str| {
        let raw = ['\u{1b}', '\u{202e}', '\u{9b}'];
        assert!(!text.contains(raw) && !text.contains("\nmq: |"), "{text:?}");
        assert_says(text, &["\\u{1b}[31mred\\u{202e}\\nmq: "]);
    };
    let markdown = reports.path("compared.md");
    let options = format!("--allow-different --markdown {}", markdown.display());
    is_safe(&compare(&old, &new, &options).succeed());
    is_safe(&fs::read_to_string(markdown).unwrap());
    is_safe(&compare(&old, &new, "").fail(2));
    is_safe(&mq(&format!("bench merge {old} {new}")).run().fail(2));
}
