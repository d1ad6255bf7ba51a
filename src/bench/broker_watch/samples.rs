//! The recorded values of a broker over time.

use super::metric::{Kind, Metric};
use std::collections::BTreeMap;
use std::time::Duration;

/// The maximum number of samples; beyond it, every second one is dropped.
pub(super) const MAX_SAMPLES: usize = 4096;

/// Values that arrive within this time, in nanoseconds, are one sample: a broker publishes each of its figures on a topic of its own.
const ONE_SAMPLE: u64 = 200_000_000;

/// The minimum time for a rate, in nanoseconds.
const SHORTEST_INTERVAL: u64 = 500_000_000;

/// The maximum number of different problems of a watch.
const MAX_PROBLEMS: usize = 8;

/// The broker's metrics as a run recorded them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BrokerSide {
    /// The topic filter or the URL.
    pub source: String,
    /// The broker's version, if it publishes one.
    pub version: Option<String>,
    /// The broker's processes on this machine: number and name.
    pub processes: Vec<(u32, String)>,
    /// The reasons why values are missing.
    pub problems: Vec<String>,
    /// In the order of time.
    pub samples: Vec<Sample>,
}

/// The values of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// Nanoseconds since the start of the run.
    pub at: u64,
    pub values: BTreeMap<Metric, f64>,
}

/// The course of a metric in short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    pub first: f64,
    pub last: f64,
    /// The highest value of a gauge, or the highest rate of a counter per second; `None` if it was read once.
    pub peak: Option<f64>,
}

impl BrokerSide {
    /// Records a value. Values that belong to the last sample join it.
    pub(super) fn note(&mut self, at: u64, metric: Metric, value: f64) {
        match self.samples.last_mut() {
            Some(last) if at.saturating_sub(last.at) < ONE_SAMPLE => {
                last.values.insert(metric, value);
            }
            _ => self.samples.push(Sample { at, values: BTreeMap::from([(metric, value)]) }),
        }
        if self.samples.len() > MAX_SAMPLES {
            let mut is_kept = false;
            self.samples.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
    }

    /// Records a problem, once.
    pub(super) fn note_problem(&mut self, text: String) {
        if self.problems.len() < MAX_PROBLEMS && !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// Whether the broker itself reported any value.
    pub(super) fn has_values_of_broker(&self) -> bool {
        self.times_of_broker().next().is_some()
    }

    /// The times of the samples with a value from the broker itself.
    fn times_of_broker(&self) -> impl Iterator<Item = u64> {
        let is_of_broker = |sample: &&Sample| sample.values.keys().any(|metric| !metric.is_of_process());
        self.samples.iter().filter(is_of_broker).map(|sample| sample.at)
    }

    /// The usual time between two reports of the broker: the median.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let times: Vec<_> = self.times_of_broker().collect();
        let mut gaps: Vec<_> =
            times.iter().zip(times.iter().skip(1)).map(|(from, to)| to.saturating_sub(*from)).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().map(Duration::from_nanos)
    }

    /// The times in nanoseconds and the values of a metric.
    pub(crate) fn values(&self, metric: Metric) -> impl Iterator<Item = (u64, f64)> {
        self.samples.iter().filter_map(move |sample| Some((sample.at, *sample.values.get(&metric)?)))
    }

    /// The rates per second of a counter, each with the time at which its interval ends.
    pub(crate) fn rates(&self, metric: Metric) -> Vec<(u64, f64)> {
        let mut rates = Vec::new();
        let mut values = self.values(metric);
        let Some((mut from, mut before)) = values.next() else { return rates };
        for (at, value) in values {
            let time = at.saturating_sub(from);
            if time >= SHORTEST_INTERVAL {
                // After a restart, a counter begins at zero.
                let growth = if value < before { value } else { value - before };
                rates.push((at, growth.max(0.0) * 1e9 / time as f64));
                (from, before) = (at, value);
            }
        }
        rates
    }

    /// The course of a metric; `None` if it was never read.
    pub(crate) fn course(&self, metric: Metric) -> Option<Course> {
        let (_, first) = self.values(metric).next()?;
        let (_, last) = self.values(metric).last()?;
        let highest = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::max);
        let peak = match metric.kind() {
            Kind::Gauge => highest(&mut self.values(metric).map(|(_, value)| value)),
            Kind::Counter => highest(&mut self.rates(metric).into_iter().map(|(_, rate)| rate)),
        };
        Some(Course { first, last, peak })
    }

    /// Counts all times from an earlier start.
    pub(crate) fn delay(&mut self, nanoseconds: u64) {
        self.samples.iter_mut().for_each(|sample| sample.at = sample.at.saturating_add(nanoseconds));
    }

    /// Counts all times from a later start; earlier samples count as at the start.
    pub(super) fn advance(&mut self, nanoseconds: u64) {
        self.samples.iter_mut().for_each(|sample| sample.at = sample.at.saturating_sub(nanoseconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn of(metric: Metric, values: &[(u64, f64)]) -> BrokerSide {
        let mut side = BrokerSide::default();
        values.iter().for_each(|(at, value)| side.note(*at, metric, *value));
        side
    }

    #[test]
    fn values_that_arrive_together_are_one_sample() {
        let mut side = of(Metric::Clients, &[(5, 1.0)]);
        side.note(6, Metric::Stored, 2.0);
        side.note(SECOND, Metric::Stored, 3.0);
        assert_eq!(side.samples.len(), 2);
        assert_eq!(side.samples[0].values.len(), 2);
        assert_eq!(side.interval(), Some(Duration::from_nanos(SECOND - 5)));
    }

    #[test]
    fn a_counter_that_was_reset_begins_at_zero() {
        let side = of(Metric::MessagesSent, &[(0, 100.0), (SECOND, 300.0), (3 * SECOND, 50.0)]);
        assert_eq!(side.rates(Metric::MessagesSent), [(SECOND, 200.0), (3 * SECOND, 25.0)]);
        let course = side.course(Metric::MessagesSent);
        assert_eq!(course, Some(Course { first: 100.0, last: 50.0, peak: Some(200.0) }));
        assert_eq!(side.course(Metric::Clients), None);
    }

    #[test]
    fn intervals_that_are_too_short_for_a_rate_are_joined() {
        let side = of(Metric::CpuTime, &[(0, 0.0), (SECOND / 4, 9.0), (SECOND, 1.0)]);
        assert_eq!(side.rates(Metric::CpuTime), [(SECOND, 1.0)]);
    }

    #[test]
    fn the_number_of_samples_is_bounded() {
        let many: Vec<_> = (0..10_000).map(|second| (second * SECOND, second as f64)).collect();
        let side = of(Metric::Clients, &many);
        assert!(side.samples.len() <= MAX_SAMPLES);
        assert_eq!(side.course(Metric::Clients).map(|course| course.first), Some(0.0));
    }
}
