//! Several reports beside the first one, as text and Markdown; `document` has the JSON, `page` the HTML.

use super::{Comparison, Heads, Outcome, code};
use crate::bench::report::{Differences, INDENT, Judgement, Report, cells_and_words, folded, name_cell};
use crate::escape;
use std::fmt::Write;

/// The heads of a comparison of two files.
pub(super) const FILES: Heads = Heads { before: "old", now: "new" };

/// The number of files whose metrics the page names at its top.
const MAX_REASONS: usize = 3;

/// A report and the name of its file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedReport {
    pub(crate) name: String,
    pub(crate) report: Report,
}

/// The comparisons of several reports with an old one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparisons {
    pub(super) old: NamedReport,
    pub(super) new: Vec<(NamedReport, Comparison)>,
    pub(super) tolerance_percent: f64,
}

impl Comparisons {
    pub(crate) fn new(old: NamedReport, new: Vec<NamedReport>, tolerance_percent: f64) -> Comparisons {
        let compare = |file: NamedReport| {
            let comparison = Comparison::new(&old.report, &file.report, tolerance_percent);
            (file, comparison)
        };
        let new = new.into_iter().map(compare).collect();
        Comparisons { old, new, tolerance_percent }
    }

    /// The first file whose load differs from the old one, with the differences.
    pub(crate) fn other_load(&self) -> Option<(&str, &Differences)> {
        let (file, comparison) =
            self.new.iter().find(|(_, comparison)| !comparison.differences.is_empty())?;
        Some((&file.name, &comparison.differences))
    }

    /// The worst outcome of all files.
    pub(crate) fn outcome(&self) -> Outcome {
        self.new.iter().map(|(_, comparison)| comparison.outcome()).max().unwrap_or(Outcome::NotComparable)
    }

    pub(crate) fn to_text(&self) -> String {
        let described = |file| folded(&described(file), INDENT);
        let mut text = format!("old               {}\n", described(&self.old));
        match self.new.as_slice() {
            [(file, comparison)] => {
                let _ =
                    write!(text, "new               {}\n\n{}", described(file), comparison.to_text(FILES));
            }
            _ => text += &self.tables_by_metric(),
        }
        let _ = write!(text, "\n{:<INDENT$}{}\n", "outcome", folded(&self.outcome_words(), INDENT));
        text
    }

    /// The outcome, and the rule that it follows.
    fn outcome_words(&self) -> String {
        format!("{} ({})", self.outcome().word(), self.rule())
    }

    /// The metrics that decided on the outcome, by file.
    pub(super) fn reasons(&self) -> String {
        let outcome = self.outcome();
        if outcome == Outcome::NoChange {
            return "no metric became better or worse".to_owned();
        }
        let of_file = |(file, comparison): &(NamedReport, Comparison)| {
            let rows = comparison.rows.iter().filter(|row| row.outcome() == Some(outcome));
            let metrics: Vec<_> = rows.map(reason).collect();
            (!metrics.is_empty()).then(|| format!("{} in {}", metrics.join(", "), file.name))
        };
        let files: Vec<_> = self.new.iter().filter_map(of_file).collect();
        let shown = files.iter().take(MAX_REASONS).cloned().collect::<Vec<_>>().join("; ");
        match files.len().checked_sub(MAX_REASONS).filter(|more| *more > 0) {
            Some(more) => format!("{shown}; and in {more} more"),
            None => shown,
        }
    }

    /// The rule for the outcome.
    pub(super) fn rule(&self) -> String {
        match self.has_repeats() {
            true => format!(
                "differences up to {} %, and those within the noise of the repeated runs, are no change",
                self.tolerance_percent
            ),
            false => format!(
                "differences up to {} % are no change; only repeated runs show the noise",
                self.tolerance_percent
            ),
        }
    }

    fn has_repeats(&self) -> bool {
        let new = self.new.iter().map(|(file, _)| file);
        new.chain([&self.old]).any(|file| file.report.repeat.is_some())
    }

    /// A table for each metric, with a row for each file.
    fn tables_by_metric(&self) -> String {
        let mut text = String::new();
        for metric in super::COMPARED {
            let rows: Vec<_> = self.rows_of(metric.name).collect();
            let Some((_, first)) = rows.first() else { continue };
            let [old, _, _] = first.cells();
            let _ = writeln!(text, "\n{:<INDENT$}{old:>12}", metric.name);
            for (name, row) in rows {
                let [_, now, change] = row.cells();
                let name = name_cell(&format!("  {}", escape::line(name)), INDENT);
                text += &cells_and_words(&format!("{name}{now:>12}{change:>12}"), &row.outcome_words());
            }
        }
        for (file, comparison) in &self.new {
            for (key, before, now) in &comparison.differences {
                let words = format!("{key} in {}: {before} in the old one, {now} in this one", file.name);
                let _ = writeln!(text, "different load    {}", folded(&escape::line(&words), INDENT));
            }
            for (name, before, now) in &comparison.options {
                let words = format!("{name} in {}: {before} in the old one, {now} in this one", file.name);
                let _ = writeln!(text, "different option  {}", folded(&escape::line(&words), INDENT));
            }
        }
        text
    }

    /// The rows of a metric in all comparisons, with the name of the file.
    pub(super) fn rows_of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = (&'a str, &'a super::Row)> {
        self.new.iter().filter_map(move |(file, comparison)| {
            let row = comparison.rows.iter().find(|row| row.metric.name == metric)?;
            Some((file.name.as_str(), row))
        })
    }

    pub(crate) fn to_markdown(&self) -> String {
        let mut text = format!("## mq bench compare\n\n**{}**\n", self.outcome_words());
        for (file, comparison) in &self.new {
            let names = [&file.name, &self.old.name].map(|name| code(name));
            let _ = write!(text, "\n{} against {}\n\n{}", names[0], names[1], comparison.to_markdown(FILES));
        }
        text
    }
}

/// A metric and its change, if it can be compared.
fn reason(row: &super::Row) -> String {
    match row.outcome() {
        Some(Outcome::NotComparable) | None => row.metric.name.to_owned(),
        Some(Outcome::Better | Outcome::NoChange | Outcome::Worse) => {
            format!("{} {}", row.metric.name, row.change())
        }
    }
}

/// A file in a line: its name, its time and its runs.
fn described(file: &NamedReport) -> String {
    let NamedReport { name, report } = file;
    let runs = report.repeat.as_ref().map_or(1, |repeat| repeat.runs.len());
    let runs = if runs == 1 { String::new() } else { format!(", {runs} runs") };
    let verdict = if report.judgement() == Judgement::Failed { ", verdict FAIL" } else { "" };
    let start = report.started_at.strftime("%Y-%m-%d %H:%M UTC");
    escape::line(&format!("{name} ({start}, {}{runs}{verdict})", report.tool)).into_owned()
}
