//! Counts messages with identical times and records them together: messages of one write have the same send time, and
//! those of one read the same arrival time, so that a fast run records most latencies a dozen at a time.

use std::cell::Cell;

/// Messages with the same send time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) sent_at: u64,
    /// Their planned send time, in an open loop.
    pub(super) planned_at: Option<u64>,
    pub(super) count: u64,
}

/// The latest messages with identical times. All clients of a thread share one: each takes its count before the next
/// client runs.
#[derive(Debug, Default)]
pub(in crate::bench) struct Tallies(Cell<Tally>);

impl Tallies {
    /// Counts a message. Returns the messages before it if their times differ.
    pub(super) fn add(&self, sent_at: u64, planned_at: Option<u64>) -> Option<Tally> {
        let last = self.0.get();
        if (last.sent_at, last.planned_at) == (sent_at, planned_at) {
            self.0.set(Tally { count: last.count + 1, ..last });
            return None;
        }
        self.0.set(Tally { sent_at, planned_at, count: 1 });
        (last.count > 0).then_some(last)
    }

    /// Takes the messages counted last.
    pub(super) fn take(&self) -> Option<Tally> {
        let last = self.0.take();
        (last.count > 0).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_the_same_times_are_one_tally() {
        let tallies = Tallies::default();
        let added = [(0, None), (0, None), (0, Some(0)), (7, Some(0))]
            .map(|(sent_at, planned_at)| tallies.add(sent_at, planned_at));
        let tally = |sent_at, planned_at, count| Some(Tally { sent_at, planned_at, count });
        assert_eq!(added, [None, None, tally(0, None, 2), tally(0, Some(0), 1)]);
        assert_eq!([tallies.take(), tallies.take()], [tally(7, Some(0), 1), None]);
    }
}
