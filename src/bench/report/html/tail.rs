//! The slowest one percent: whether it comes from a few moments of the run, or from the whole of it.

use super::super::Report;
use super::super::format::duration;
use super::axis::Quantity;
use crate::bench::timeline::{Coarse, Slot};

/// With fewer samples than this, the slowest one percent is a few random ones.
const ENOUGH: u64 = 1000;

/// With fewer slots than this, no part of the run is short.
const MIN_SLOTS: usize = 5;

/// The share of the slowest samples that makes a burst.
const BURST_SHARE: f64 = 0.8;

/// A burst takes at most one in this many slots.
const SHORT_PART: usize = 5;

/// The slowest one percent of a run's samples over time.
#[derive(Debug, PartialEq)]
pub(super) struct Tail {
    /// The time that one percent of the samples exceed, in nanoseconds.
    over: u64,
    /// The number of slots that have most of these samples, of all slots with samples.
    slots: (usize, usize),
    /// The slot with the most of them: begin and end in seconds, and its share.
    worst: (f64, f64, f64),
    /// Whether a slot is one second long.
    is_in_seconds: bool,
}

impl Tail {
    /// `None` if there are too few samples or slots.
    pub(super) fn of(report: &Report) -> Option<Tail> {
        let slots = report.timeline.slots();
        let mut all = Coarse::default();
        slots.iter().for_each(|slot| all.merge(&slot.latency));
        if all.histogram()?.len() < ENOUGH {
            return None;
        }
        let over = all.at_percentile(99.0)?;
        let with_samples: Vec<_> =
            slots.iter().enumerate().filter(|(_, slot)| slot.latency.histogram().is_some()).collect();
        let mut slow: Vec<(usize, u64)> =
            with_samples.iter().map(|(index, slot)| (*index, slower_than(slot, over))).collect();
        slow.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let total: u64 = slow.iter().map(|(_, count)| count).sum();
        let (index, most) = slow.first().copied().filter(|_| total > 0 && with_samples.len() >= MIN_SLOTS)?;
        let mut sum = 0;
        let before = slow.iter().take_while(|(_, count)| {
            let is_needed = (sum as f64) < BURST_SHARE * total as f64;
            sum += count;
            is_needed
        });
        let width = report.timeline.width().as_secs_f64();
        let begin = index as f64 * width;
        Some(Tail {
            over,
            slots: (before.count(), with_samples.len()),
            worst: (begin, begin + width, most as f64 / total as f64),
            is_in_seconds: width == 1.0,
        })
    }

    /// A sentence.
    pub(super) fn to_text(&self) -> String {
        let (few, all) = self.slots;
        let (begin, end, share) = self.worst;
        let over = duration(self.over);
        let units = if self.is_in_seconds { "seconds" } else { "intervals" };
        let [begin, end] = [begin, end].map(|seconds| Quantity::Seconds.show(seconds));
        let worst = format!("{:.0} % from {begin} to {end}", share * 100.0);
        if few * SHORT_PART <= all {
            let most = BURST_SHARE * 100.0;
            format!(
                "The slowest 1 % (over {over}) is concentrated: at least {most:.0} % of it within {few} of {all} {units} ({worst})"
            )
        } else {
            format!("The slowest 1 % (over {over}) is spread over the run (at most {worst})")
        }
    }
}

/// The number of samples above a time.
fn slower_than(slot: &Slot, nanoseconds: u64) -> u64 {
    let Some(histogram) = slot.latency.histogram() else { return 0 };
    let values = histogram.iter_recorded().filter(|value| value.value_iterated_to() > nanoseconds / 1000);
    values.map(|value| value.count_since_last_iteration()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::report;
    use super::*;

    /// Twenty seconds of 100 fast samples, and as many slow ones as these say.
    fn tail_of(slow: impl Fn(u64) -> u64) -> Option<String> {
        let mut report = report();
        report.timeline = Default::default();
        for second in 0..20 {
            let latency = &mut report.timeline.at(second * 1_000_000_000).latency;
            latency.record_several(1_000_000, 100);
            latency.record_several(50_000_000, slow(second));
        }
        Tail::of(&report).map(|tail| tail.to_text())
    }

    #[test]
    fn a_burst_is_distinguished_from_a_slow_run() {
        let burst = tail_of(|second| if second == 7 { 20 } else { 0 }).unwrap();
        assert_eq!(
            burst,
            "The slowest 1 % (over 1.00 ms) is concentrated: at least 80 % of it within 1 of 20 seconds \
             (100 % from 7 s to 8 s)"
        );
        let spread = tail_of(|_| 1).unwrap();
        assert!(spread.contains("spread over the run"), "{spread}");
    }

    #[test]
    fn few_samples_have_no_tail() {
        assert_eq!(Tail::of(&report()), None, "a single slot");
        assert_eq!(tail_of(|_| 0), None, "all samples are equal");
    }
}
