//! The figures of groups that conditions or the live page watch during a run, computed once per second from the record of a thread.

use crate::bench::gauges::RecentGroup;
use crate::bench::plan::Plan;
use crate::bench::record::{GroupRecord, LatencyKind, Record};
use crate::bench::timeline::Coarse;

/// The state of the groups at the end of the last second.
#[derive(Debug, Default)]
pub(super) struct WatchedGroups {
    ended_at: u64,
    groups: Vec<Earlier>,
}

/// The state of a group.
#[derive(Debug, Default)]
struct Earlier {
    latency: Coarse,
    sent: u64,
    acknowledged: u64,
    received: u64,
}

impl WatchedGroups {
    /// Ends a second, and returns the figures of all groups of the plan; none unless one is watched.
    pub(super) fn end_second(&mut self, plan: &Plan, record: &Record, now: u64) -> Vec<RecentGroup> {
        if !plan.groups.iter().any(|group| group.is_watched) {
            return Vec::new();
        }
        self.groups.resize_with(plan.groups.len(), Earlier::default);
        let seconds = now.saturating_sub(std::mem::replace(&mut self.ended_at, now)) as f64 / 1e9;
        let groups = plan.groups.iter().zip(&mut self.groups).zip(0_usize..);
        let recent = groups.map(|((group, earlier), index)| match record.of_groups.get(index) {
            Some(record) if group.is_watched => earlier.replace(record, seconds),
            _ => RecentGroup::default(),
        });
        recent.collect()
    }
}

impl Earlier {
    /// Replaces the state by the current one, and returns the difference.
    fn replace(&mut self, record: &GroupRecord, seconds: f64) -> RecentGroup {
        let latency = record.latencies.main().map(Coarse::of).unwrap_or_default();
        let count = |kinds: [LatencyKind; 2]| {
            let counts =
                kinds.map(|kind| record.latencies.of(kind).map_or(0, |times| times.histogram().len()));
            counts.into_iter().sum::<u64>()
        };
        let acknowledged = count([LatencyKind::Acknowledged, LatencyKind::RoundTrip]);
        let received = count([LatencyKind::EndToEnd, LatencyKind::RoundTrip]);
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds.max(f64::MIN_POSITIVE);
        let recent = RecentGroup {
            connected: record.connected,
            failed: record.failed,
            lost: record.lost,
            sent: record.sent,
            rejected: record.rejected,
            received,
            latency: latency.since(&self.latency),
            sent_rate: rate(record.sent, self.sent),
            acknowledged_rate: rate(acknowledged, self.acknowledged),
            received_rate: rate(received, self.received),
        };
        *self = Earlier { latency, sent: record.sent, acknowledged, received };
        recent
    }
}
