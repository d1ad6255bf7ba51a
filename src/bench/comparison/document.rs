//! A comparison as JSON: schema `mq-bench-compare/1`, described in docs/bench-compare.md.

use super::several::{Comparisons, NamedReport};
use super::{Comparison, Row};
use crate::bench::report::Differences;
use crate::bench::report::repeat::Distribution;
use serde::Serialize;

const SCHEMA: &str = "mq-bench-compare/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: String,
    outcome: &'static str,
    tolerance_percent: f64,
    old: FileObject<'a>,
    new: Vec<ComparedObject<'a>>,
}

#[derive(Serialize)]
struct FileObject<'a> {
    file: &'a str,
    tool: &'a str,
    started_at: String,
    runs: usize,
    verdict: &'static str,
    sentence: String,
}

#[derive(Serialize)]
struct ComparedObject<'a> {
    #[serde(flatten)]
    file: FileObject<'a>,
    outcome: &'static str,
    different_load: Vec<LoadObject<'a>>,
    different_options: Vec<LoadObject<'a>>,
    metrics: Vec<MetricObject>,
}

#[derive(Serialize)]
struct LoadObject<'a> {
    key: &'a str,
    old: &'a str,
    new: &'a str,
}

#[derive(Serialize)]
struct MetricObject {
    metric: &'static str,
    unit: &'static str,
    better: &'static str,
    old: Option<f64>,
    new: Option<f64>,
    old_spread: Option<f64>,
    new_spread: Option<f64>,
    change: Option<f64>,
    change_percent: Option<f64>,
    /// Both ends of the interval of the change.
    noise: Option<[f64; 2]>,
    outcome: Option<&'static str>,
}

impl Comparisons {
    pub(crate) fn to_json(&self) -> String {
        let old = &self.old;
        let document = Document {
            schema: SCHEMA,
            tool: format!("mq {}", env!("CARGO_PKG_VERSION")),
            outcome: self.outcome().word(),
            tolerance_percent: self.tolerance_percent,
            old: FileObject::of(old),
            new: self
                .new
                .iter()
                .map(|(file, comparison)| ComparedObject::of(old, file, comparison))
                .collect(),
        };
        let text = crate::json::to_string_pretty(&document);
        text.expect("strings, numbers and lists can be written") + "\n"
    }
}

impl<'a> FileObject<'a> {
    fn of(NamedReport { name, report }: &'a NamedReport) -> FileObject<'a> {
        FileObject {
            file: name,
            tool: &report.tool,
            started_at: report.started_at.to_string(),
            runs: report.repeat.as_ref().map_or(1, |repeat| repeat.runs.len()),
            verdict: report.judgement().key(),
            sentence: report.sentence(),
        }
    }
}

impl<'a> ComparedObject<'a> {
    fn of(old: &NamedReport, file: &'a NamedReport, comparison: &'a Comparison) -> ComparedObject<'a> {
        let objects = |differences: &'a Differences| -> Vec<LoadObject<'a>> {
            differences.iter().map(|(key, old, new)| LoadObject { key, old, new }).collect()
        };
        ComparedObject {
            file: FileObject::of(file),
            outcome: comparison.outcome().word(),
            different_load: objects(&comparison.differences),
            different_options: objects(&comparison.options),
            metrics: comparison.rows.iter().map(|row| MetricObject::of(old, file, row)).collect(),
        }
    }
}

impl MetricObject {
    fn of(old: &NamedReport, file: &NamedReport, row: &Row) -> MetricObject {
        let (before, now) = row.metric.values(&old.report, &file.report);
        // A single run has no spread.
        let spread = |values: &[f64]| {
            Distribution::of(values).filter(|_| values.len() > 1).map(|distribution| distribution.spread)
        };
        let difference = row.difference;
        MetricObject {
            metric: row.metric.name,
            unit: row.unit.key(),
            better: row.metric.better.word(),
            old: row.before,
            new: row.now,
            old_spread: spread(&before),
            new_spread: spread(&now),
            change: difference.map(|difference| difference.change()),
            change_percent: difference.and_then(|difference| difference.percent(difference.change())),
            noise: difference
                .filter(super::Difference::has_noise)
                .map(|difference| [difference.interval.0, difference.interval.1]),
            outcome: row.outcome().map(super::Outcome::word),
        }
    }
}
