//! Compares a report with an earlier one: which figures became better or worse, and by how much.

use super::metric::Metric;
use crate::bench::report::{Judgement, Report, Rule, Unit, Verdict, folded};
use std::fmt::Write;

/// The direction in which a figure improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Higher,
    Lower,
}

impl Better {
    /// The worst tolerated value, as a multiple of the earlier one.
    fn factor(self, tolerance_percent: f64) -> f64 {
        match self {
            Better::Higher => 1.0 - tolerance_percent / 100.0,
            Better::Lower => 1.0 + tolerance_percent / 100.0,
        }
    }
}

/// The figures to compare; `true` if they are judged. The highest percentiles and the maximum depend on a few
/// messages, so they are only shown.
const COMPARED: [(&str, Better, bool); 12] = [
    ("throughput", Better::Higher, true),
    ("connect_rate", Better::Higher, false),
    ("p50", Better::Lower, true),
    ("p90", Better::Lower, true),
    ("p99", Better::Lower, true),
    ("p99.9", Better::Lower, false),
    ("max", Better::Lower, false),
    ("loss", Better::Lower, true),
    ("duplicates", Better::Lower, false),
    ("connect_failures", Better::Lower, true),
    ("lost_connections", Better::Lower, true),
    ("cpu", Better::Lower, false),
];

/// Two reports side by side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    /// The figures that at least one of the reports has.
    pub rows: Vec<Row>,
    /// Differences of the plans: the key, the earlier and the present value. They make the figures hard to compare.
    pub differences: Vec<(String, String, String)>,
    /// The tolerated change for the worse, in percent.
    pub tolerance_percent: f64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its name.
    pub metric: &'static str,
    unit: Unit,
    before: Option<f64>,
    now: Option<f64>,
    better: Better,
    is_judged: bool,
    /// Whether it is judged, and worse than the tolerance allows.
    pub is_regression: bool,
}

impl Comparison {
    /// Compares two reports.
    pub(crate) fn new(before: &Report, now: &Report, tolerance_percent: f64) -> Comparison {
        let rows = COMPARED.into_iter().filter_map(|(name, better, is_judged)| {
            let metric = Metric::parse(name).ok()?.of_the_same_latency(before, now);
            let (old, new) = (metric.value(before), metric.value(now));
            old.or(new)?;
            let is_regression = is_judged && is_worse(old, new, better, tolerance_percent);
            Some(Row {
                metric: name,
                unit: metric.unit(),
                before: old,
                now: new,
                better,
                is_judged,
                is_regression,
            })
        });
        Comparison { rows: rows.collect(), differences: before.all_differences(now), tolerance_percent }
    }

    /// The verdicts on the figures that are judged.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(|row| row.verdict(self.tolerance_percent)).collect()
    }

    /// The comparison as a table for a terminal.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{:<18}{:>12}{:>12}{:>12}\n", "", "baseline", "now", "change");
        for row in &self.rows {
            let [before, now, change] = row.cells();
            let mark = if row.is_regression { "  worse" } else { "" };
            let _ = writeln!(text, "{:<18}{before:>12}{now:>12}{change:>12}{mark}", row.metric);
        }
        for (key, before, now) in &self.differences {
            let words = format!("{key}: {before} in the baseline, {now} now");
            let _ = writeln!(text, "different plan    {}", folded(&words, 18));
        }
        text
    }

    /// The comparison as a Markdown table.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = "| | baseline | now | change |\n|---|---:|---:|---:|\n".to_owned();
        for row in &self.rows {
            let [before, now, change] = row.cells();
            let change = if row.is_regression { format!("**{change}**") } else { change };
            let _ = writeln!(text, "| {} | {before} | {now} | {change} |", row.metric);
        }
        for (key, before, now) in &self.differences {
            let _ = write!(text, "\n- different plan: {key} {before} in the baseline, {now} now");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

impl Row {
    /// The verdict, if the figure is judged and the earlier report has it.
    fn verdict(&self, tolerance: f64) -> Option<Verdict> {
        let limit = self.before.filter(|_| self.is_judged)? * self.better.factor(tolerance);
        let [before, now, change] = self.cells();
        let (judgement, text) = match self.now {
            None => {
                let text = format!("{} was {before}, now it was not measured", self.metric);
                (Judgement::NotMeasured, text)
            }
            Some(_) => {
                let verb = if before == now { "stayed at" } else { "went from" };
                let values = if before == now { before } else { format!("{before} to {now}") };
                let text = format!("{} {verb} {values} ({change}, {tolerance} % tolerated)", self.metric);
                (if self.is_regression { Judgement::Failed } else { Judgement::Passed }, text)
            }
        };
        let condition = format!("{} at most {tolerance} % worse", self.metric);
        let (rule, unit, limit) = (Rule::Baseline, self.unit, Some(limit));
        Some(Verdict { rule, condition, unit, limit, measured: self.now, judgement, text })
    }

    /// The earlier value, the present one, and the change.
    fn cells(&self) -> [String; 3] {
        let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| self.unit.show(value));
        [shown(self.before), shown(self.now), self.change()]
    }

    fn change(&self) -> String {
        match (self.before, self.now) {
            (Some(before), Some(now)) if before == now => "0.0 %".to_owned(),
            (Some(before), Some(now)) if before > 0.0 => format!("{:+.1} %", 100.0 * (now / before - 1.0)),
            (Some(_), Some(now)) => format!("+{}", self.unit.show(now)),
            _ => "-".to_owned(),
        }
    }
}

/// Whether a figure is worse than the tolerance allows. A missing figure is worse if the earlier report has it. If the
/// earlier value is 0, any increase of a figure that should be low is worse.
fn is_worse(before: Option<f64>, now: Option<f64>, better: Better, tolerance_percent: f64) -> bool {
    let factor = better.factor(tolerance_percent);
    match (before, now, better) {
        (Some(before), Some(now), Better::Higher) => now < before * factor,
        (Some(before), Some(now), Better::Lower) => now > before * factor,
        (Some(_), None, _) => true,
        (None, _, _) => false,
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
            comparison.to_text().contains("p50                     400 ms      400 ms       0.0 %\n"),
            "{}",
            comparison.to_text()
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
        assert!(comparison.to_markdown().contains("| loss | 0 | 2 | **+2** |"));
    }

    #[test]
    fn other_plans_are_reported() {
        let mut now = report();
        now.plan.publishers = 7;
        now.plan.payload_size = 9;
        let text = Comparison::new(&report(), &now, 10.0).to_text();
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
