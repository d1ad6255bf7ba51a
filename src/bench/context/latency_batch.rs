//! Counts messages with identical times and records them together: messages of one write have the same send time, and
//! those of one read the same arrival time, so that a fast run records most latencies a dozen at a time.

use std::cell::Cell;

/// Messages with the same send time. Times are nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::bench) struct LatencyBatch {
    pub(in crate::bench) sent_at: u64,
    /// Their planned send time, in an open loop.
    pub(in crate::bench) planned_at: Option<u64>,
    pub(in crate::bench) count: u64,
}

/// The latest messages with identical times. All clients of a thread share one: each takes its count before the next
/// client runs.
#[derive(Debug, Default)]
pub(in crate::bench) struct LatencyBatcher(Cell<LatencyBatch>);

impl LatencyBatcher {
    /// Counts a message. Returns the messages before it if their times differ.
    pub(in crate::bench) fn add(&self, sent_at: u64, planned_at: Option<u64>) -> Option<LatencyBatch> {
        let last = self.0.get();
        if (last.sent_at, last.planned_at) == (sent_at, planned_at) {
            self.0.set(LatencyBatch { count: last.count + 1, ..last });
            return None;
        }
        self.0.set(LatencyBatch { sent_at, planned_at, count: 1 });
        (last.count > 0).then_some(last)
    }

    /// Takes the messages counted last.
    pub(in crate::bench) fn take(&self) -> Option<LatencyBatch> {
        let last = self.0.take();
        (last.count > 0).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_the_same_times_are_one_tally() {
        let batcher = LatencyBatcher::default();
        let added = [(0, None), (0, None), (0, Some(0)), (7, Some(0))]
            .map(|(sent_at, planned_at)| batcher.add(sent_at, planned_at));
        let batch = |sent_at, planned_at, count| Some(LatencyBatch { sent_at, planned_at, count });
        assert_eq!(added, [None, None, batch(0, None, 2), batch(0, Some(0), 1)]);
        assert_eq!([batcher.take(), batcher.take()], [batch(7, Some(0), 1), None]);
    }
}
