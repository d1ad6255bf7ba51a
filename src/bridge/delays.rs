//! The delays of forwarded messages.

use hdrhistogram::Histogram;
use std::time::Duration;

/// The longest delay that the histogram distinguishes, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// Delays in microseconds, with a precision of 1 %.
#[derive(Debug)]
pub(super) struct Delays(Histogram<u32>);

impl Delays {
    pub(super) fn new() -> Delays {
        Delays(Histogram::new_with_bounds(1, LONGEST, 2).expect("the bounds are valid"))
    }

    pub(super) fn record(&mut self, delay: Duration) {
        let microseconds = u64::try_from(delay.as_micros()).unwrap_or(LONGEST);
        self.0.saturating_record(microseconds);
    }

    /// The delay that this share of the messages does not exceed; `None` without messages.
    pub(super) fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share)))
    }
}
