//! The runs of one load that was repeated: the metrics of each, and their median and spread.

use super::format::{INDENT, folded, name_cell};
use super::verdict::{Judgement, Rule, Verdict};
use super::{Figure, Report};
use crate::escape;
use jiff::Timestamp;
use std::fmt::Write;

/// The median absolute deviation of a normal distribution is this part of its standard deviation.
const NORMAL_PART: f64 = 0.6745;

/// The maximum number of runs in a report.
pub(crate) const MAX_RUNS: usize = 1000;

/// The runs, in order. The rest of the report is that of one of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Repeat {
    pub runs: Vec<RepeatedRun>,
}

/// A run of several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RepeatedRun {
    pub started_at: Timestamp,
    pub judgement: Judgement,
    pub sentence: String,
    pub figures: Vec<Figure>,
}

/// A metric over several runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Distribution {
    pub median: f64,
    /// The standard deviation, estimated from the median absolute deviation.
    pub spread: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl Distribution {
    /// `None` without values.
    pub(crate) fn of(values: &[f64]) -> Option<Distribution> {
        let middle = median(values)?;
        let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        Some(Distribution {
            median: middle,
            spread: median(&deviations)? / NORMAL_PART,
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// The median; `None` without values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

impl Repeat {
    /// The values of a metric, of the runs that measured it.
    pub(crate) fn values(&self, metric: &Figure) -> Vec<f64> {
        let of_run = |run: &RepeatedRun| {
            let figure = run.figures.iter().find(|figure| figure.key() == metric.key())?;
            figure.value.filter(|value| value.is_finite())
        };
        self.runs.iter().filter_map(of_run).collect()
    }

    /// The metrics with their distributions.
    pub(crate) fn distributions(&self) -> Vec<(Figure, Distribution)> {
        let metrics = self.runs.first().map(|run| run.figures.as_slice()).unwrap_or_default();
        let rows = metrics
            .iter()
            .filter_map(|metric| Some((metric.clone(), Distribution::of(&self.values(metric))?)));
        rows.collect()
    }

    /// The header of the table of metrics.
    pub(super) const HEADS: [&'static str; 5] = ["", "median", "spread", "lowest", "highest"];

    /// A row for each metric.
    pub(super) fn rows(&self) -> Vec<[String; 5]> {
        let rows = self.distributions().into_iter().map(|(metric, all)| {
            let show = |value| metric.unit.show(value);
            let spread = match all.median {
                median if median > 0.0 => format!("{:.1} %", 100.0 * all.spread / median),
                _ => show(all.spread),
            };
            [metric.metric.clone(), show(all.median), spread, show(all.lowest), show(all.highest)]
        });
        rows.collect()
    }

    pub(super) fn title(&self) -> String {
        format!("{} runs", self.runs.len())
    }

    pub(super) fn to_text(&self) -> String {
        let line = |[name, cells @ ..]: &[String; 5]| {
            let cells: String = cells.iter().map(|cell| format!("{cell:>12}")).collect();
            format!("{}{cells}\n", name_cell(&escape::line(name), INDENT))
        };
        let heads = Repeat::HEADS.map(str::to_owned);
        let heads = [self.title(), heads[1].clone(), heads[2].clone(), heads[3].clone(), heads[4].clone()];
        line(&heads) + &self.rows().iter().map(line).collect::<String>()
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text =
            format!("| {} | median | spread | lowest | highest |\n|---|---:|---:|---:|---:|\n", self.title());
        for row in self.rows() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }
}

impl Report {
    /// The condition that no run of a repeated load fails.
    pub(super) fn repeat_check(&self) -> Option<Verdict> {
        let repeat = self.repeat.as_ref()?;
        let all = repeat.runs.len();
        let mut failed =
            repeat.runs.iter().zip(1_u32..).filter(|(run, _)| run.judgement == Judgement::Failed);
        let condition = format!("none of {all} runs failed");
        let first = failed.next();
        let count = failed.count() as u64 + u64::from(first.is_some());
        Some(Verdict::none_of(Rule::Repeat, &condition, count, || {
            let (number, sentence) = first.map_or((0, ""), |(run, number)| (number, run.sentence.as_str()));
            format!("{count} of {all} runs failed, the first is run {number}: {sentence}")
        }))
    }

    /// The metrics over all runs, for the text report.
    pub(super) fn repeated(&self) -> String {
        let Some(repeat) = &self.repeat else { return String::new() };
        let note = "the rest of this report is that of the first failed run, or of the run with the median throughput";
        repeat.to_text() + &format!("{}\n", folded(note, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    pub(super) fn repeat(values: &[f64]) -> Repeat {
        let run = |value: &f64| RepeatedRun {
            started_at: report().started_at,
            judgement: Judgement::Passed,
            sentence: "a run".to_owned(),
            figures: vec![Figure::of_key("p99_ns", Some(*value)), Figure::of_key("loss", None)],
        };
        Repeat { runs: values.iter().map(run).collect() }
    }

    #[test]
    fn a_metric_has_a_median_and_a_spread() {
        let all = Distribution::of(&[3.0, 1.0, 2.0, 100.0]).unwrap();
        assert_eq!((all.median, all.lowest, all.highest), (2.5, 1.0, 100.0));
        assert_eq!((all.spread * 1000.0).round(), 1483.0, "one outlier does not move it");
        assert_eq!(Distribution::of(&[]), None);
    }

    #[test]
    fn metrics_that_no_run_measured_have_no_row() {
        let text = repeat(&[1e6, 2e6, 3e6]).to_text();
        assert_eq!(
            text,
            "3 runs                  median      spread      lowest     highest\n\
             p99                    2.00 ms      74.1 %     1.00 ms     3.00 ms\n"
        );
    }

    #[test]
    fn a_failed_run_fails_the_whole() {
        let mut report = report();
        let mut runs = repeat(&[1e6, 2e6]);
        report.repeat = Some(runs.clone());
        assert_eq!(report.repeat_check().unwrap().judgement, Judgement::Passed);
        runs.runs[1].judgement = Judgement::Failed;
        report.repeat = Some(runs);
        let verdict = report.repeat_check().unwrap();
        assert_eq!(
            (verdict.judgement, verdict.text.as_str()),
            (Judgement::Failed, "1 of 2 runs failed, the first is run 2: a run")
        );
    }
}
