//! The search for the highest rate that holds: doubling until one does not, then halving the gap. Pure; somebody else runs
//! what it asks for.

use super::threshold::Thresholds;
use crate::bench::Ending;
use crate::bench::report::{Report, duration, rate};
use std::fmt::Write;

/// The gap is closed when the lowest rate that failed is no more than this much over the highest that held.
const PRECISION: f64 = 1.05;

/// No search asks for more runs.
const MOST_STEPS: u32 = 24;

/// A rate is kept when so much of it was sent.
const KEPT_SHARE: f64 = 0.95;

/// No rate is asked for beyond this.
const HIGHEST_RATE: f64 = 1e8;

/// A search that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    next: f64,
    /// The highest rate that held.
    held: Option<f64>,
    /// The lowest rate that did not.
    failed: Option<f64>,
    steps: u32,
}

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    /// The highest rate that held.
    Rate(f64),
    /// The highest rate that held; none failed, so that there may be a higher one.
    AtLeast(f64),
    /// Even this low one did not hold.
    NotEven(f64),
}

impl Search {
    /// Begins with a rate in a second.
    pub fn new(first: f64) -> Search {
        Search { next: first.clamp(1.0, HIGHEST_RATE), held: None, failed: None, steps: 0 }
    }

    /// The rate to try next; `None` when the search is over.
    pub fn next_rate(&self) -> Option<f64> {
        (!self.is_over()).then_some(self.next)
    }

    /// Notes whether the rate that was tried held.
    pub fn note(&mut self, held: bool) {
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
        is_closed || self.steps >= MOST_STEPS
    }

    /// What it came to so far; `None` before anything was tried.
    pub fn found(&self) -> Option<Found> {
        match (self.held, self.failed) {
            (Some(held), Some(_)) => Some(Found::Rate(held)),
            (Some(held), None) => Some(Found::AtLeast(held)),
            (None, Some(failed)) => Some(Found::NotEven(failed)),
            (None, None) => None,
        }
    }
}

/// A rate that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The rate that was asked for, in a second.
    pub rate: f64,
    /// Why it did not hold; `None` when it did.
    pub failure: Option<String>,
    sent_rate: Option<f64>,
    p99: Option<u64>,
}

impl Step {
    /// Judges a run at a rate: it holds when the run came to its end, sent what was asked for, and met no condition.
    pub fn new(rate: f64, report: &Report, until: &Thresholds) -> Step {
        let sent_rate = report.sent.rate();
        let failure = if report.ending == Ending::Complete {
            let miss = until.misses(report).first().map(ToString::to_string);
            miss.or_else(|| (sent_rate.unwrap_or_default() < rate * KEPT_SHARE).then(|| too_few(report)))
        } else {
            Some("the run did not come to its end".to_owned())
        };
        let p99 = report.main_latency().and_then(|kind| report.latencies.get(&kind)?.at_percentile(99.0));
        Step { rate, failure, sent_rate, p99 }
    }
}

fn too_few(report: &Report) -> String {
    let who = if report.is_bottleneck() { "; the load generator was the bottleneck" } else { "" };
    format!("fewer were sent{who}")
}

/// The steps of a search as a table.
pub fn to_text(steps: &[Step]) -> String {
    let mut text = format!("{:<18}{:>12}{:>12}\n", "tried per second", "sent", "p99");
    for step in steps {
        let sent = step.sent_rate.map_or("-".to_owned(), rate);
        let p99 = step.p99.map_or("-".to_owned(), duration);
        let words =
            step.failure.as_ref().map_or("held".to_owned(), |failure| format!("did not hold: {failure}"));
        let _ = writeln!(text, "{:<18}{sent:>12}{p99:>12}  {words}", rate(step.rate));
    }
    text
}

impl Found {
    /// What the search found out, as a sentence.
    pub fn to_text(self) -> String {
        match self {
            Found::Rate(found) => {
                format!("the highest rate that held is {} messages per second", rate(found))
            }
            Found::AtLeast(found) => format!("every rate held, up to {} messages per second", rate(found)),
            Found::NotEven(found) => format!("not even {} messages per second held", rate(found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;
    use proptest::prelude::*;

    /// Searches where every rate up to this one holds; what was tried, and what came out.
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
        let step = |rate: f64, report: &Report| Step::new(rate, report, &until).failure;
        assert_eq!(step(200_000.0, &report()), None);
        assert_eq!(step(250_000.0, &report()), Some("fewer were sent".to_owned()));
        let mut slow = report();
        slow.busiest_thread_percent = Some(99.0);
        assert!(step(250_000.0, &slow).unwrap().ends_with("the load generator was the bottleneck"));
        slow.ending = Ending::AllLost;
        assert!(step(1.0, &slow).unwrap().contains("its end"));
        let strict: Thresholds = "p99>1s".parse().unwrap();
        let steps = [Step::new(1000.0, &report(), &until), Step::new(2000.0, &report(), &strict)];
        let expected = "\
tried per second          sent         p99
1000                    200000      1.20 s  held
2000                    200000      1.20 s  did not hold: p99>1s: it was 1.20 s
";
        assert_eq!(to_text(&steps), expected);
    }

    proptest! {
        #[test]
        fn any_limit_is_found_closely(first in 1.0_f64..1e6, limit in 1.0_f64..1e7) {
            let (tried, found) = search(first, limit);
            prop_assert!(tried.len() <= MOST_STEPS as usize);
            match found {
                Found::Rate(rate) => prop_assert!(rate <= limit && limit <= (rate * PRECISION).max(rate + 1.0)),
                Found::AtLeast(rate) => prop_assert!(rate <= limit),
                Found::NotEven(rate) => prop_assert!(rate > limit),
            }
        }
    }
}
