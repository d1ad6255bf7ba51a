//! The verdicts in messages, and as annotations for GitHub Actions.

use crate::bench::Report;
use crate::bench::report::{Judgement, Rule, Verdict};
use crate::bench::thresholds::Thresholds;
use crate::commands::print_error;
use crate::escape;
use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;

/// GitHub Actions sets this variable to `true`.
const GITHUB: &str = "GITHUB_ACTIONS";

/// The thresholds of several reports, to judge their merged report. A single report keeps its verdicts.
pub(super) fn inherited(parts: &[Report]) -> Vec<Thresholds> {
    if parts.len() < 2 {
        return Vec::new();
    }
    let conditions = parts.iter().flat_map(|part| &part.conditions);
    let judged: BTreeSet<_> = conditions
        .filter(|verdict| verdict.rule == Rule::FailIf)
        .map(|verdict| (verdict.group.as_deref(), verdict.own_condition()))
        .collect();
    let parsed = judged.into_iter().filter_map(|(group, text)| {
        let conditions: Thresholds = text.parse().ok()?;
        Some(group.into_iter().fold(conditions, Thresholds::for_group))
    });
    parsed.collect()
}

/// The judgement after the option that set its condition.
pub(super) fn option_words(verdict: &Verdict) -> String {
    let Some(option) = verdict.rule.option() else { return verdict.text.clone() };
    // The text of a threshold begins with the condition, as it was typed after the option.
    let is_typed = matches!(verdict.rule, Rule::FailIf | Rule::AbortIf);
    if verdict.group.is_some() {
        // It has a key in the scenario file, and no option.
        return format!("{}: {}", verdict.rule.key(), verdict.text);
    }
    let colon = if is_typed { "" } else { ":" };
    format!("--{option}{colon} {}", verdict.text)
}

/// Annotates the job of GitHub Actions, if this is one: a line for the run, and one for each condition that was not met. They are
/// on standard error, since standard output may be JSON; Actions reads both.
pub(super) fn annotate(report: &Report) {
    if env::var_os(GITHUB).is_some_and(|value| value == "true") {
        print_error(&annotations(report));
    }
}

fn annotations(report: &Report) -> String {
    let mut lines = String::new();
    let mut add = |level: &str, title: &str, text: &str| {
        let _ = writeln!(lines, "::{level} title={title}::{}", message(text));
    };
    let word = match report.judgement() {
        Judgement::Passed => "PASS",
        Judgement::Failed => "FAIL",
        Judgement::Doubtful | Judgement::NotMeasured => "CAUTION",
    };
    add("notice", "mq bench", &format!("{word}: {}", report.sentence()));
    for verdict in report.verdicts() {
        let level = match verdict.judgement {
            _ if verdict.is_failure() => "error",
            Judgement::Passed => continue,
            Judgement::NotMeasured | Judgement::Doubtful | Judgement::Failed => "warning",
        };
        add(level, "mq bench", &option_words(&verdict));
    }
    lines
}

/// A text as the message of a workflow command, on one line.
fn message(text: &str) -> String {
    escape::line(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
