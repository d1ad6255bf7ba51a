//! The search for the highest sustained rate: doubles the rate until a run fails, then bisects. Pure: the caller runs
//! the load at each rate.

use super::metric::{Metric, SENT_RATE, Statistic};
use super::threshold::Thresholds;
use crate::bench::ending::Ending;
use crate::bench::report::{Figure, Found, Report, SearchStep};

/// The search ends when the lowest failed rate is at most this multiple of the highest sustained one.
const PRECISION: f64 = 1.05;

/// The maximum number of runs in a search.
const MAX_STEPS: u32 = 24;

/// The share of a rate that has to be sent for the rate to count as sustained.
const KEPT_SHARE: f64 = 0.95;

/// The latency shown for every rate, besides the rate itself and the figures of the conditions.
const MAIN_LATENCY: Metric = Metric::Latency(None, Statistic::Percentile(99.0));

/// The highest rate to try.
const HIGHEST_RATE: f64 = 1e8;

/// A search in progress.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    next: f64,
    /// The highest rate that was sustained.
    held: Option<f64>,
    /// The lowest rate that failed.
    failed: Option<f64>,
    steps: u32,
}

impl Search {
    /// Starts a search at a rate in messages per second.
    pub(crate) fn new(first: f64) -> Search {
        Search { next: first.clamp(1.0, HIGHEST_RATE), held: None, failed: None, steps: 0 }
    }

    /// The rate to try next; `None` when the search is over.
    pub(crate) fn next_rate(&self) -> Option<f64> {
        (!self.is_over()).then_some(self.next)
    }

    /// Records whether the last rate was sustained.
    pub(crate) fn note(&mut self, held: bool) {
        let tried = self.next;
        self.steps += 1;
        if held {
            self.held = Some(tried);
        } else {
            self.failed = Some(tried);
        }
        self.next = match (self.held, self.failed) {
            (Some(held), Some(failed)) => f64::midpoint(held, failed),
            (Some(held), None) => (held * 2.0).min(HIGHEST_RATE),
            (None, _) => (tried / 2.0).max(1.0),
        };
    }

    fn is_over(&self) -> bool {
        let is_closed = match (self.held, self.failed) {
            (Some(held), Some(failed)) => failed <= held * PRECISION || failed - held <= 1.0,
            (Some(held), None) => held >= HIGHEST_RATE,
            (None, Some(failed)) => failed <= 1.0,
            (None, None) => false,
        };
        is_closed || self.steps >= MAX_STEPS
    }

    /// The result so far; `None` before the first run.
    pub(crate) fn found(&self) -> Option<Found> {
        match (self.held, self.failed) {
            (Some(held), Some(_)) => Some(Found::Rate(held)),
            (Some(held), None) => Some(Found::AtLeast(held)),
            (None, Some(failed)) => Some(Found::NotEven(failed)),
            (None, None) => None,
        }
    }
}

/// Judges a run at a rate. The rate is sustained if the run completed with all clients, sent the requested messages,
/// lost none that its QoS guarantees, and met no failure condition.
pub(crate) fn judge(rate: f64, report: &Report, until: &Thresholds) -> SearchStep {
    let failure = early_end(report)
        .or_else(|| until.first_failure(report))
        .or_else(|| report.describe_violation())
        .or_else(|| too_few(rate, report));
    let sent_rate = SENT_RATE.figure(report);
    let value = sent_rate.value.filter(|_| report.sent.is_long_enough());
    let sent_rate = Figure { value, ..sent_rate };
    let mut figures = vec![sent_rate, MAIN_LATENCY.figure(report)];
    for figure in until.figures(report) {
        if figures.iter().all(|other| (&other.metric, other.unit) != (&figure.metric, figure.unit)) {
            figures.push(figure);
        }
    }
    SearchStep { rate, failure, figures }
}

fn early_end(report: &Report) -> Option<String> {
    match (report.ending, report.not_connected(), report.connections_lost) {
        (Ending::Complete, 0, 0) => None,
        (Ending::Complete, 0, lost) => {
            Some(format!("{lost} of {} clients lost the connection", report.clients()))
        }
        (Ending::Complete, missing, _) => {
            Some(format!("{missing} of {} clients could not connect", report.clients()))
        }
        _ => Some("the run did not complete".to_owned()),
    }
}

fn too_few(rate: f64, report: &Report) -> Option<String> {
    let cause = if report.is_bottleneck() { "; the load generator was the bottleneck" } else { "" };
    let is_kept = report.sent.sent_rate().unwrap_or_default() >= rate * KEPT_SHARE;
    (!is_kept).then(|| format!("too few messages were sent{cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::{report, spoil};
    use crate::bench::report::{Flow, Unit};
    use proptest::prelude::*;

    /// Searches with a broker that sustains every rate up to `limit`; returns the tried rates and the result.
    fn search(first: f64, limit: f64) -> (Vec<f64>, Found) {
        let mut search = Search::new(first);
        let mut tried = Vec::new();
        while let Some(rate) = search.next_rate() {
            tried.push(rate);
            search.note(rate <= limit);
        }
        (tried, search.found().unwrap())
    }

    #[test]
    fn it_doubles_and_then_halves_the_gap() {
        let (tried, found) = search(1000.0, 5300.0);
        assert_eq!(tried, [1000.0, 2000.0, 4000.0, 8000.0, 6000.0, 5000.0, 5500.0, 5250.0]);
        assert_eq!(found, Found::Rate(5250.0));
    }

    #[test]
    fn a_first_rate_that_is_too_high_is_halved() {
        let (tried, found) = search(1000.0, 300.0);
        assert_eq!(tried[..3], [1000.0, 500.0, 250.0]);
        assert!(
            matches!(found, Found::Rate(rate) if rate <= 300.0 && rate * PRECISION >= 285.0),
            "{found:?}"
        );
    }

    #[test]
    fn there_may_be_no_end_and_no_beginning() {
        assert_eq!(search(1e6, f64::MAX).1, Found::AtLeast(HIGHEST_RATE));
        assert_eq!(search(1000.0, 0.5).1, Found::NotEven(1.0));
        assert_eq!(Search::new(5.0).found(), None);
    }

    #[test]
    fn a_rate_holds_when_it_was_sent_and_no_condition_is_met() {
        let until: Thresholds = "p99>2s".parse().unwrap();
        let failure = |rate: f64, report: &Report| judge(rate, report, &until).failure;
        assert_eq!(failure(20_000.0, &report()), None);
        assert_eq!(failure(25_000.0, &report()), Some("too few messages were sent".to_owned()));
        let mut slow = report();
        slow.busiest_thread_percent = Some(99.0);
        assert!(failure(25_000.0, &slow).unwrap().ends_with("the load generator was the bottleneck"));
        slow.connections_lost = 2;
        assert_eq!(failure(1.0, &slow), Some("2 of 1100 clients lost the connection".to_owned()));
        slow.ending = Ending::AllLost;
        assert!(failure(1.0, &slow).unwrap().contains("did not complete"));
        let mut lossy = report();
        spoil(&mut lossy, 1, 0);
        assert_eq!(failure(1.0, &lossy), Some("the broker violated the guarantee of QoS 1".to_owned()));
    }

    #[test]
    fn a_step_has_the_figures_that_it_was_judged_by() {
        let until: Thresholds = "p99>1s, p90>1s, loss>1%".parse().unwrap();
        let step = judge(2000.0, &report(), &until);
        assert_eq!(step.failure, Some("p99>1s: it was 1.20 s".to_owned()));
        let figures: Vec<_> =
            step.figures.iter().map(|figure| (figure.metric.as_str(), figure.unit)).collect();
        let expected =
            [("sent_rate", Unit::Rate), ("p99", Unit::Time), ("p90", Unit::Time), ("loss", Unit::Percent)];
        assert_eq!(figures, expected);
    }

    #[test]
    fn the_sent_rate_is_that_of_the_intervals() {
        let until: Thresholds = "p99>1s".parse().unwrap();
        let sent_rate = |count, end| {
            let mut report = report();
            report.sent = Flow { count, span: Some((0, end)) };
            judge(1.0, &report, &until).figures[0].clone()
        };
        let second = 1_000_000_000;
        assert_eq!(sent_rate(2, second).value, Some(1.0));
        assert_eq!(sent_rate(15, 2_800_000_000).value, Some(5.0));
        assert_eq!(sent_rate(3, 60_000).value, None, "it is too short for a rate");
        assert_eq!(sent_rate(0, second).value, Some(0.0));
        let until: Thresholds = "sent_rate<1/s".parse().unwrap();
        let rates = judge(1.0, &report(), &until).figures;
        let rates: Vec<_> = rates.iter().filter(|figure| figure.metric == "sent_rate").collect();
        assert_eq!(rates.len(), 1);
        assert_eq!(rates[0].value, report().sent.sent_rate(), "that of a condition is the same");
    }

    #[test]
    fn conditions_and_the_planned_rate_count_the_intervals() {
        let failure = |rate: f64, count, until: &str| {
            let mut report = report();
            report.sent = Flow { count, span: Some((0, 10_000_000_000)) };
            judge(rate, &report, &until.parse().unwrap()).failure
        };
        assert_eq!(failure(1.0, 11, "sent_rate>1.05/s"), None);
        assert_eq!(failure(1.0, 11, "sent_rate<1.05/s"), Some("sent_rate<1.05/s: it was 1.0/s".to_owned()));
        assert_eq!(failure(1.05, 10, "loss>50%"), Some("too few messages were sent".to_owned()));
    }

    proptest! {
        #[test]
        fn any_limit_is_found_closely(first in 1.0_f64..1e6, limit in 1.0_f64..1e7) {
            let (tried, found) = search(first, limit);
            prop_assert!(tried.len() <= MAX_STEPS as usize);
            match found {
                Found::Rate(rate) => prop_assert!(rate <= limit && limit <= (rate * PRECISION).max(rate + 1.0)),
                Found::AtLeast(rate) => prop_assert!(rate <= limit),
                Found::NotEven(rate) => prop_assert!(rate > limit),
            }
        }
    }
}
