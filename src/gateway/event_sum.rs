//! Events that anybody can cause with one datagram: the first is reported, and those of the next seconds as a sum, or a flood would
//! fill the log.

use std::time::{Duration, Instant};

/// The time between two reports.
const INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct EventSum {
    reported: Option<Instant>,
    count: u64,
}

impl EventSum {
    /// Counts an event. Returns the number of events to report if a report is due.
    pub(super) fn add(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.reported.is_some_and(|reported| now < reported + INTERVAL) {
            return None;
        }
        self.reported = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}
