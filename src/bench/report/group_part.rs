//! The report of one group, by which the conditions of the group are judged.

use super::{Ending, Flow, Group, Planned, Report, Setup};
use crate::bench::record::{Errors, Outcome, TlsCounts};
use crate::bench::timeline::Timeline;
use std::borrow::Cow;
use std::time::Duration;

impl Report {
    /// The figures of a group in the form of a report: its account, connections, rates and latencies. Everything else is empty,
    /// and only metrics that are measured by group may be read. The only group of a run has all its figures. `None` if there is no
    /// such group.
    pub(crate) fn of_group(&self, name: &str) -> Option<Cow<'_, Report>> {
        let group = self.groups.iter().find(|group| group.name == name)?;
        Some(if self.is_mix() { Cow::Owned(self.part(group)) } else { Cow::Borrowed(self) })
    }

    fn part(&self, group: &Group) -> Report {
        let Outcome { account, duplicates, reordered } = group.outcome;
        let measured = group.measured.unwrap_or_default();
        // Without a subscriber that stayed to the end, no delivery is due.
        let subscribers_to_the_end = if account.owed > 0 { group.subscribers } else { 0 };
        Report {
            tool: String::new(),
            started_at: self.started_at,
            plan: Planned { clients: group.clients(), ..self.plan.clone() },
            brokers: Vec::new(),
            setup: Setup::default(),
            groups: vec![group.clone()],
            hosts: Vec::new(),
            ending: Ending::Complete,
            is_drain_cut: self.is_drain_cut,
            elapsed: Duration::ZERO,
            phases: Vec::new(),
            connects: Flow { count: measured.connected, span: None },
            refused: 0,
            connections_lost: measured.lost,
            tls: TlsCounts::default(),
            datagrams: None,
            reconnects: measured.reconnected,
            subscribed: 0,
            subscribers_to_the_end,
            sent: measured.sent,
            acknowledged: measured.acknowledged,
            unmatched: measured.unmatched,
            received: measured.received,
            account,
            duplicates,
            reordered,
            foreign: 0,
            late: 0,
            late_by_us: None,
            blocked_sends: 0,
            cpu: Duration::ZERO,
            busiest_thread_percent: None,
            latencies: group.latencies.clone(),
            timeline: Timeline::default(),
            errors: Errors::default(),
            worker_faults: Vec::new(),
            broker_side: None,
            search: None,
            repeat: None,
            conditions: Vec::new(),
        }
    }
}
