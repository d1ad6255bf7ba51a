//! Messages with the same times, counted first and recorded together: what goes out with one write was sent at one time, and
//! what comes in with one read arrived at one time, so that most latencies of a fast run come a dozen at a time.

use std::cell::Cell;

/// Messages that were sent at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) sent_at: u64,
    /// When they should have been sent, in an open loop.
    pub(super) planned_at: Option<u64>,
    pub(super) count: u64,
}

/// The tally of what came last, until something with other times comes. All clients of a thread share one: each takes what it
/// counted before the next one's turn.
#[derive(Debug, Default)]
pub(in crate::bench) struct Tallies(Cell<Tally>);

impl Tallies {
    /// Counts a message. Gives back those before it when they have other times.
    pub(super) fn add(&self, sent_at: u64, planned_at: Option<u64>) -> Option<Tally> {
        let last = self.0.get();
        if (last.sent_at, last.planned_at) == (sent_at, planned_at) {
            self.0.set(Tally { count: last.count + 1, ..last });
            return None;
        }
        self.0.set(Tally { sent_at, planned_at, count: 1 });
        (last.count > 0).then_some(last)
    }

    /// Those that were counted last.
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
