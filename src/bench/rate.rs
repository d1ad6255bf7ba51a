//! Message rates.

/// A message rate, exact down to one message in a thousand seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    in_1000_seconds: u64,
}

impl Rate {
    /// The maximum rate, in messages per second.
    pub(crate) const HIGHEST: f64 = 1e9;

    /// A rate in messages per second; `None` below one in a thousand seconds or above [`Rate::HIGHEST`].
    pub(crate) fn per_second(rate: f64) -> Option<Rate> {
        let in_1000_seconds = (rate * 1000.0).round();
        (1.0..=Rate::HIGHEST * 1000.0)
            .contains(&in_1000_seconds)
            .then_some(Rate { in_1000_seconds: in_1000_seconds as u64 })
    }

    /// Messages per second.
    pub(crate) fn as_per_second(self) -> f64 {
        self.in_1000_seconds as f64 / 1000.0
    }

    /// Messages in 1000 seconds.
    pub(super) fn in_1000_seconds(self) -> u64 {
        self.in_1000_seconds
    }
}
