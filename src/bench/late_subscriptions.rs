//! The subscriptions of groups that start during the load: their publishers send once all of those that are due were granted, as
//! at the beginning of a run. Otherwise their first messages would count as lost.

use super::plan::Plan;
use std::collections::VecDeque;
use std::time::Duration;

/// The time before the start of a group from which on the leader looks more often.
const LEAD: Duration = Duration::from_millis(20);

/// The late groups whose subscriptions are pending, in the order of their starts.
#[derive(Debug, Default)]
pub(super) struct LateSubscriptions(VecDeque<Pending>);

/// Times are counted from the beginning of the load.
#[derive(Debug, Clone, Copy)]
struct Pending {
    start: Duration,
    /// The number of subscriptions of all groups up to and including this one.
    expected: u64,
}

impl LateSubscriptions {
    pub(super) fn of(plan: &Plan) -> LateSubscriptions {
        let late = plan.groups.iter().filter(|group| group.is_late() && group.subscriptions() > 0);
        let mut late: Vec<_> = late.map(|group| (group.bounds.start, group.subscriptions())).collect();
        late.sort_unstable();
        let mut expected = u64::from(plan.first_subscriptions());
        let pending = late.into_iter().map(|(start, count)| {
            expected += u64::from(count);
            Pending { start, expected }
        });
        LateSubscriptions(pending.collect())
    }

    /// Publishers of groups that start before this time may send.
    pub(super) fn ready_before(&self) -> Duration {
        self.0.front().map_or(Duration::MAX, |pending| pending.start)
    }

    /// Removes the groups that no longer wait at this time, when `settled` subscriptions are granted or given up. Returns whether
    /// there was one. A broker that does not answer delays a group by `timeout` at most.
    pub(super) fn settle(&mut self, now: Duration, settled: u64, timeout: Duration) -> bool {
        let before = self.0.len();
        while self.0.front().is_some_and(|pending| pending.is_over(now, settled, timeout)) {
            self.0.pop_front();
        }
        self.0.len() < before
    }

    /// Whether a group waits at this time, or will very soon.
    pub(super) fn is_waiting(&self, now: Duration) -> bool {
        self.0.front().is_some_and(|pending| pending.start <= now.saturating_add(LEAD))
    }
}

impl Pending {
    fn is_over(self, now: Duration, settled: u64, timeout: Duration) -> bool {
        now >= self.start && (settled >= self.expected || now >= self.start.saturating_add(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::{Group, tests};
    use crate::bench::rate_profile::Bounds;

    const SECOND: Duration = Duration::from_secs(1);

    fn starting_at(seconds: u64, subscribers: u32) -> Group {
        let bounds = Bounds { start: Duration::from_secs(seconds), ..Bounds::default() };
        Group { bounds, ..tests::group(2, subscribers) }
    }

    #[test]
    fn each_group_waits_for_the_subscriptions_that_are_due() {
        let groups = vec![starting_at(9, 3), starting_at(0, 2), starting_at(5, 1), starting_at(7, 0)];
        let plan = tests::plan(groups);
        let first = plan.first_clients();
        assert_eq!((first.publishers, first.subscribers, plan.first_subscriptions()), (2, 2, 2));
        let due = |seconds| plan.clients_due(Some(Duration::from_secs(seconds)));
        assert_eq!((plan.clients_due(None), due(4), due(5), due(9)), (4, 4, 7, 14));
        let mut late = LateSubscriptions::of(&plan);
        assert_eq!(late.ready_before(), 5 * SECOND);
        assert!(!late.settle(4 * SECOND, 3, SECOND), "its time has not come");
        assert!(!late.is_waiting(4 * SECOND) && late.is_waiting(5 * SECOND));
        assert!(!late.settle(5 * SECOND, 2, SECOND));
        assert!(late.settle(5 * SECOND, 3, SECOND));
        assert_eq!(late.ready_before(), 9 * SECOND);
        assert!(!late.settle(9 * SECOND, 4, SECOND));
        assert!(late.settle(10 * SECOND, 4, SECOND), "the broker did not answer in time");
        assert_eq!(late.ready_before(), Duration::MAX);
    }
}
