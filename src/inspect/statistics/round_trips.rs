//! Round trips of one kind of answer: exact as long as they are few, a histogram afterwards. Thousands of connections have few
//! answers each, and a histogram for each of them would occupy tens of KiB.

use hdrhistogram::Histogram;

/// The most round trips to keep one by one.
const MAX_EXACT: usize = 64;

/// The lowest resolution of a histogram, in nanoseconds.
const RESOLUTION: u64 = 16;

/// A value so large that a histogram for it is of some KiB; the histogram grows if a longer one comes.
const FIRST_MAXIMUM: u64 = 1_000_000;

/// The significant digits of the percentiles from a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// Three digits, for the totals.
    Total,
    /// Two digits, for each of many connections.
    Connection,
}

/// Times in nanoseconds.
#[derive(Debug)]
pub(super) struct RoundTripTimes {
    precision: Precision,
    min: u64,
    max: u64,
    times: Times,
}

#[derive(Debug)]
enum Times {
    Exact(Vec<u64>),
    Histogram(Histogram<u32>),
}

impl RoundTripTimes {
    pub(super) fn new(precision: Precision) -> RoundTripTimes {
        RoundTripTimes { precision, min: u64::MAX, max: 0, times: Times::Exact(Vec::new()) }
    }

    pub(super) fn record(&mut self, time: u64) {
        self.min = self.min.min(time);
        self.max = self.max.max(time);
        match &mut self.times {
            Times::Exact(times) if times.len() < MAX_EXACT => times.push(time),
            Times::Exact(times) => {
                let mut histogram = self.precision.histogram();
                for time in times.drain(..).chain([time]) {
                    add(&mut histogram, time);
                }
                self.times = Times::Histogram(histogram);
            }
            Times::Histogram(histogram) => add(histogram, time),
        }
    }

    pub(super) fn len(&self) -> u64 {
        match &self.times {
            Times::Exact(times) => times.len() as u64,
            Times::Histogram(histogram) => histogram.len(),
        }
    }

    /// The shortest; 0 if there is none.
    pub(super) fn min(&self) -> u64 {
        if self.len() == 0 { 0 } else { self.min }
    }

    /// The longest; 0 if there is none.
    pub(super) fn max(&self) -> u64 {
        self.max
    }

    /// The time that this percentage of the round trips did not exceed; 0 if there is none.
    pub(super) fn percentile(&self, percent: f64) -> u64 {
        match &self.times {
            Times::Exact(times) => {
                let mut times = times.clone();
                times.sort_unstable();
                let rank = (times.len() as f64 * percent / 100.0).ceil() as usize;
                times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
            }
            Times::Histogram(histogram) => histogram.value_at_percentile(percent).clamp(self.min, self.max),
        }
    }
}

impl Precision {
    fn histogram(self) -> Histogram<u32> {
        let digits = match self {
            Precision::Total => 3,
            Precision::Connection => 2,
        };
        let mut histogram = Histogram::new_with_bounds(RESOLUTION, FIRST_MAXIMUM, digits)
            .expect("the resolution is lower than half the maximum, and the digits are between 0 and 5");
        histogram.auto(true);
        histogram
    }
}

fn add(histogram: &mut Histogram<u32>, time: u64) {
    // It resizes itself, so any value fits; a counter that is full stays full.
    let _ = histogram.record(time);
}

#[cfg(test)]
mod tests {
    use super::{MAX_EXACT, Precision, RoundTripTimes};

    fn times(count: u64) -> RoundTripTimes {
        let mut times = RoundTripTimes::new(Precision::Connection);
        (1..=count).rev().for_each(|time| times.record(time * 1_000_000));
        times
    }

    #[test]
    fn few_are_exact() {
        let times = times(MAX_EXACT as u64);
        assert_eq!((times.len(), times.min(), times.max()), (64, 1_000_000, 64_000_000));
        assert_eq!(
            [50.0, 90.0, 99.0].map(|percent| times.percentile(percent)),
            [32_000_000, 58_000_000, 64_000_000]
        );
    }

    #[test]
    fn many_are_within_one_percent() {
        let times = times(100_000);
        assert_eq!((times.len(), times.min(), times.max()), (100_000, 1_000_000, 100_000_000_000));
        for (percent, expected) in [(1.0, 1e9), (50.0, 5e10), (99.0, 9.9e10), (100.0, 1e11)] {
            let found = times.percentile(percent) as f64;
            assert!((found / expected - 1.0).abs() <= 0.01, "{percent}: {found}");
        }
    }

    #[test]
    fn none_has_no_time() {
        let times = times(0);
        assert_eq!((times.len(), times.min(), times.max(), times.percentile(50.0)), (0, 0, 0, 0));
    }
}
