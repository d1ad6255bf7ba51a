//! Datagrams that cannot be read: the first is reported, and those of the next seconds as a sum.

use super::{Event, Peer};
use std::time::{Duration, Instant};

/// The time between two reports.
const INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Malformed {
    reported: Option<Instant>,
    count: u64,
}

impl Malformed {
    /// Counts a datagram. Returns a report if one is due.
    pub(super) fn note(&mut self, peer: &Peer, reason: &dyn ToString, now: Instant) -> Option<Event> {
        self.count += 1;
        if self.reported.is_some_and(|reported| now < reported + INTERVAL) {
            return None;
        }
        self.reported = Some(now);
        let count = std::mem::take(&mut self.count);
        Some(Event::Malformed { count, peer: peer.clone(), reason: reason.to_string() })
    }
}
