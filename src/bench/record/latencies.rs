//! Times as histograms.

use super::latency_kind::LatencyKind;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Times in nanoseconds, with three significant digits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Latencies(pub(in crate::bench) Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies(Histogram::new(3).expect("the histogram allows three digits"))
    }
}

impl Latencies {
    #[cfg(test)]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.record_several(nanoseconds, 1);
    }

    /// Records a time that was measured `count` times.
    pub(crate) fn record_several(&mut self, nanoseconds: u64, count: u64) {
        // The histogram resizes itself, so that every time fits.
        let _ = self.0.record_n(nanoseconds, count);
    }

    /// Adds the times of another one.
    pub(crate) fn merge(&mut self, other: &Latencies) {
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// Wraps a recorded histogram.
    pub(crate) fn from_histogram(histogram: Histogram<u64>) -> Latencies {
        Latencies(histogram)
    }

    /// The time at a percentile; `None` if nothing was recorded.
    pub(crate) fn at_percentile(&self, percentile: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_percentile(percentile))
    }

    /// The percentiles; `None` if nothing was recorded.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let at = |percentile| self.0.value_at_percentile(percentile);
        (!self.0.is_empty()).then(|| Summary {
            count: self.0.len(),
            min: self.0.min(),
            mean: self.0.mean() as u64,
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            max: self.0.max(),
        })
    }
}

/// The times of each kind of latency.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct LatencyMap([Latencies; LatencyKind::COUNT]);

impl LatencyMap {
    /// The times of a kind.
    pub(crate) fn of(&self, kind: LatencyKind) -> &Latencies {
        self.0.get(kind as usize).expect("each kind has times")
    }

    /// Records a time.
    pub(crate) fn record(&mut self, kind: LatencyKind, nanoseconds: u64) {
        let latencies = self.0.get_mut(kind as usize).expect("each kind has times");
        latencies.record_several(nanoseconds, 1);
    }

    /// Adds the times of a group.
    pub(crate) fn add_group(&mut self, group: &BTreeMap<LatencyKind, Latencies>) {
        for (kind, latencies) in group {
            self.0.get_mut(*kind as usize).expect("each kind has times").merge(latencies);
        }
    }

    /// Adds the times of another one.
    pub(crate) fn merge(&mut self, other: &LatencyMap) {
        self.0.iter_mut().zip(&other.0).for_each(|(ours, theirs)| ours.merge(theirs));
    }

    /// The kinds that were measured.
    pub(crate) fn into_measured(self) -> BTreeMap<LatencyKind, Latencies> {
        let all = LatencyKind::ALL.into_iter().zip(self.0);
        all.filter(|(_, latencies)| !latencies.histogram().is_empty()).collect()
    }
}

/// The times of the messages of one group. Kinds that were not measured use no memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GroupLatencies([Option<Latencies>; LatencyKind::COUNT]);

impl GroupLatencies {
    /// Records a time that was measured `count` times.
    pub(crate) fn record_several(&mut self, kind: LatencyKind, nanoseconds: u64, count: u64) {
        let latencies = self.0.get_mut(kind as usize).expect("each kind has a place");
        latencies.get_or_insert_default().record_several(nanoseconds, count);
    }

    /// Adds the times of another one.
    pub(crate) fn merge(&mut self, other: GroupLatencies) {
        for (ours, theirs) in self.0.iter_mut().zip(other.0) {
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => ours.merge(&theirs),
                (ours, theirs) => *ours = ours.take().or(theirs),
            }
        }
    }

    /// The times of a kind; `None` if it was not measured.
    pub(crate) fn of(&self, kind: LatencyKind) -> Option<&Latencies> {
        self.0.get(kind as usize)?.as_ref()
    }

    /// The times by which the group is judged: from the planned time, and end to end, if they were measured.
    pub(crate) fn main(&self) -> Option<&Latencies> {
        let measured = LatencyKind::ALL.into_iter().filter_map(|kind| Some((kind.rank()?, self.of(kind)?)));
        measured.min_by_key(|(rank, _)| *rank).map(|(_, latencies)| latencies)
    }

    /// The kinds that were measured.
    pub(crate) fn into_measured(self) -> BTreeMap<LatencyKind, Latencies> {
        let all = LatencyKind::ALL.into_iter().zip(self.0);
        all.filter_map(|(kind, latencies)| Some((kind, latencies?))).collect()
    }
}

/// Percentiles in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub count: u64,
    pub min: u64,
    pub mean: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub max: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_three_digits() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.summary(), None);
        (1..=1000).for_each(|milliseconds| latencies.record(milliseconds * 1_000_000));
        let summary = latencies.summary().unwrap();
        assert_eq!(summary.count, 1000);
        let near = |value: u64, expected: u64| value.abs_diff(expected) <= expected / 500;
        assert!(
            near(summary.p50, 500_000_000)
                && near(summary.p99_9, 999_000_000)
                && near(summary.max, 1_000_000_000)
        );
    }
}
