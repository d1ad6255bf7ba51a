//! Compares reports: which metrics became better or worse, by how much, and whether the difference is more than noise.
//!
//! [`Comparison`] compares two reports, for `--baseline` and for `mq bench compare`; [`several`] holds the comparisons of several
//! reports with the first one, and renders them. [`repeat`] joins the runs of a repeated load.

mod document;
mod metric;
mod noise;
mod page;
pub(crate) mod repeat;
pub(crate) mod several;

use super::report::{
    Differences, INDENT, Judgement, Report, Rule, Unit, Verdict, cells_and_words, folded, name_cell,
};
use crate::escape;
use metric::{COMPARED, Compared};
use noise::Difference;
pub(crate) use noise::Outcome;
use std::fmt::Write;

/// Two reports side by side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    /// The metrics that at least one of the reports has.
    pub rows: Vec<Row>,
    /// Differences of the plans: the key, the earlier and the present value. They make the figures hard to compare.
    pub differences: Differences,
    /// The options that differ, whether or not they change the load.
    pub options: Differences,
    /// The tolerated change, in percent.
    pub tolerance_percent: f64,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(super) metric: Compared,
    unit: Unit,
    before: Option<f64>,
    now: Option<f64>,
    /// `None` if one of the reports does not have the metric.
    difference: Option<Difference>,
}

/// The column heads of the two reports, and of the outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) before: &'static str,
    pub(crate) now: &'static str,
}

/// The heads of a comparison with `--baseline`.
pub(crate) const BASELINE: Heads = Heads { before: "baseline", now: "now" };

impl Comparison {
    /// Compares two reports.
    pub(crate) fn new(before: &Report, now: &Report, tolerance_percent: f64) -> Comparison {
        let rows = COMPARED.iter().filter_map(|metric| Row::of(metric, before, now, tolerance_percent));
        Comparison {
            rows: rows.collect(),
            differences: before.all_differences(now),
            options: before.option_differences(now),
            tolerance_percent,
        }
    }

    /// The worst outcome of a metric; better if none is worse and some are better.
    pub(crate) fn outcome(&self) -> Outcome {
        self.rows.iter().filter_map(Row::outcome).max().unwrap_or(Outcome::NotComparable)
    }

    /// The verdicts on the metrics that are judged.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(|row| row.verdict(self.tolerance_percent)).collect()
    }

    /// The comparison as a table for a terminal.
    pub(crate) fn to_text(&self, heads: Heads) -> String {
        let Heads { before, now } = heads;
        let mut text = format!("{:<INDENT$}{before:>10}{now:>10}{:>10}\n", "", "change");
        for row in &self.rows {
            let [before, now, change] = row.cells();
            let name = name_cell(row.metric.name, INDENT);
            text +=
                &cells_and_words(&format!("{name}{before:>10}{now:>10}{change:>10}"), &row.outcome_words());
        }
        for (key, before, now) in &self.differences {
            let words = format!("{key}: {before} in the {}, {now} {}", heads.before, heads.now);
            let _ = writeln!(text, "different plan    {}", folded(&escape::line(&words), INDENT));
        }
        for (name, before, now) in &self.options {
            let words = format!("{name}: {before} in the {}, {now} {}", heads.before, heads.now);
            let _ = writeln!(text, "different option  {}", folded(&escape::line(&words), INDENT));
        }
        text
    }

    /// The comparison as a Markdown table.
    pub(crate) fn to_markdown(&self, heads: Heads) -> String {
        let Heads { before, now } = heads;
        let mut text = format!("| | {before} | {now} | change | |\n|---|---:|---:|---:|---|\n");
        for row in &self.rows {
            let [before, now, change] = row.cells();
            let is_worse = row.outcome() == Some(Outcome::Worse);
            let change = if is_worse { format!("**{change}**") } else { change };
            let _ = writeln!(
                text,
                "| {} | {before} | {now} | {change} | {} |",
                row.metric.name,
                row.outcome_words()
            );
        }
        for (key, before, now) in &self.differences {
            let [key, before, now] = [key, before, now].map(|text| code(text));
            let _ = write!(
                text,
                "\n- different plan: {key}: {before} in the {}, {now} {}",
                heads.before, heads.now
            );
        }
        for (name, before, now) in &self.options {
            let [name, before, now] = [name, before, now].map(|text| code(text));
            let _ = write!(
                text,
                "\n- different option: {name}: {before} in the {}, {now} {}",
                heads.before, heads.now
            );
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

/// A stranger's text as code in Markdown, which has no escapes within it.
fn code(text: &str) -> String {
    format!("`{}`", escape::line(text).replace(['`', '|'], "'"))
}

impl Row {
    /// `None` if neither report has the metric.
    fn of(metric: &Compared, before: &Report, now: &Report, tolerance_percent: f64) -> Option<Row> {
        let (old, new) = metric.values(before, now);
        let difference = Difference::of(&old, &new, metric, tolerance_percent);
        let value = |report: &Report| metric.value(report);
        let (before, now) = match &difference {
            Some(difference) => (Some(difference.before), Some(difference.now)),
            None => (value(before).filter(|_| !old.is_empty()), value(now).filter(|_| !new.is_empty())),
        };
        before.or(now)?;
        Some(Row { metric: *metric, unit: metric.unit(), before, now, difference })
    }

    /// The judgement; `None` if the metric is only shown.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let outcome = self.difference.map_or(Outcome::NotComparable, |difference| difference.outcome);
        self.metric.is_judged.then_some(outcome)
    }

    /// The outcome, with the noise if it was measured.
    fn outcome_words(&self) -> String {
        let Some(outcome) = self.outcome() else { return String::new() };
        let noise = self.difference.filter(Difference::has_noise).map(|difference| {
            let (low, high) = difference.interval;
            let shown = match (difference.percent(low), difference.percent(high)) {
                (Some(low), Some(high)) => format!("{low:+.1} .. {high:+.1} %"),
                _ => format!("{low:+.0} .. {high:+.0}"),
            };
            format!(" ({shown})")
        });
        outcome.word().to_owned() + &noise.unwrap_or_default()
    }

    /// The verdict, if the metric is judged and the earlier report has it.
    fn verdict(&self, tolerance: f64) -> Option<Verdict> {
        let before = self.before.filter(|_| self.metric.is_judged)?;
        let limit = self.metric.better.limit(before, tolerance);
        let [before, now, change] = self.cells();
        let name = self.metric.name;
        let (judgement, text) = match self.difference {
            None => {
                let text = format!("{name} was {before}, now it was not measured");
                (Judgement::NotMeasured, text)
            }
            Some(difference) => {
                let verb = if before == now { "stayed at" } else { "went from" };
                let values = if before == now { before } else { format!("{before} to {now}") };
                let text = format!("{name} {verb} {values} ({change}, {tolerance} % tolerated)");
                let is_worse = difference.outcome == Outcome::Worse;
                (if is_worse { Judgement::Failed } else { Judgement::Passed }, text)
            }
        };
        let condition = format!("{name} at most {tolerance} % worse");
        let (rule, unit, limit) = (Rule::Baseline, self.unit, Some(limit));
        Some(Verdict { rule, condition, group: None, unit, limit, measured: self.now, judgement, text })
    }

    /// The earlier value, the present one, and the change.
    fn cells(&self) -> [String; 3] {
        let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| self.shown(value));
        [shown(self.before), shown(self.now), self.change()]
    }

    /// The mean of several counts may have decimals.
    fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::Count if value.fract() != 0.0 => format!("{value:.1}"),
            unit => unit.show(value),
        }
    }

    fn change(&self) -> String {
        match self.difference {
            Some(difference) if difference.change() == 0.0 => "0.0 %".to_owned(),
            Some(difference) => match difference.percent(difference.change()) {
                // A smaller change would have a sign, and no digit.
                Some(percent) if percent.abs() < 0.05 => "0.0 %".to_owned(),
                Some(percent) => format!("{percent:+.1} %"),
                None => format!("+{}", self.shown(difference.now)),
            },
            None => "-".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::LatencyKind;
    use crate::bench::report::tests::{report, spread};

    /// The failed verdicts.
    fn regressions(comparison: &Comparison) -> Vec<String> {
        let failures = comparison.verdicts().into_iter().filter(Verdict::is_failure);
        failures.map(|verdict| verdict.text).collect()
    }

    #[test]
    fn a_run_is_as_good_as_itself() {
        let comparison = Comparison::new(&report(), &report(), 0.0);
        assert_eq!((regressions(&comparison), comparison.differences.len()), (vec![], 0));
        assert!(
            comparison
                .to_text(BASELINE)
                .contains("p50                   400 ms    400 ms     0.0 %  no change\n"),
            "{}",
            comparison.to_text(BASELINE)
        );
    }

    #[test]
    fn regressions_beyond_the_tolerance_are_reported() {
        let mut now = report();
        now.latencies.insert(LatencyKind::EndToEnd, spread(460_000_000));
        now.received.count = 95_000;
        now.account.lost = 2;
        let comparison = Comparison::new(&report(), &now, 10.0);
        let worse = regressions(&comparison);
        let metrics: Vec<_> = worse.iter().filter_map(|text| text.split(' ').next()).collect();
        assert_eq!(metrics, ["p50", "p90", "p99", "loss"], "{worse:?}");
        assert!(
            worse[0].contains("from 400 ms to 460 ms (+15.") && worse[3].contains("(+2, 10 % tolerated)")
        );
        assert_eq!(regressions(&Comparison::new(&report(), &now, 20.0)).len(), 1, "the loss stays");
        assert!(comparison.to_markdown(BASELINE).contains("| loss | 0 | 2 | **+2** | worse |"));
    }

    #[test]
    fn other_plans_are_reported() {
        let mut now = report();
        now.plan.publishers = 7;
        now.plan.payload_size = 9;
        let text = Comparison::new(&report(), &now, 10.0).to_text(BASELINE);
        assert!(text.contains("different plan    publishers: 1000 in the baseline, 7 now\n"), "{text}");
        assert!(text.contains("the payload's size: 64 in the baseline, 9 now\n"), "{text}");
    }

    #[test]
    fn only_latencies_of_the_same_kind_are_compared() {
        let (mut planned, mut alone) = (report(), report());
        planned.latencies.insert(LatencyKind::EndToEndPlanned, spread(900_000_000));
        assert_eq!(regressions(&Comparison::new(&planned, &report(), 10.0)), [""; 0], "both end to end");
        assert_eq!(regressions(&Comparison::new(&report(), &planned, 10.0)), [""; 0]);
        alone.latencies.remove(&LatencyKind::EndToEnd);
        let worse = regressions(&Comparison::new(&report(), &alone, 10.0));
        assert_eq!(worse[0], "p50 was 400 ms, now it was not measured");
    }

    #[test]
    fn a_metric_that_is_no_longer_measured_is_a_regression() {
        let mut now = report();
        now.latencies.clear();
        assert_eq!(regressions(&Comparison::new(&report(), &now, 10.0)).len(), 3);
        assert_eq!(regressions(&Comparison::new(&now, &report(), 10.0)).len(), 0);
    }
}
