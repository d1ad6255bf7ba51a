//! The current time, for output with times.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall-clock time that never decreases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: u64,
    since: Instant,
}

impl Clock {
    pub(super) fn new() -> Clock {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { start: start.as_nanos().try_into().unwrap_or(u64::MAX), since: Instant::now() }
    }

    /// Nanoseconds since 1970.
    pub(super) fn now(self) -> u64 {
        self.start.saturating_add(self.since.elapsed().as_nanos().try_into().unwrap_or(u64::MAX))
    }
}
