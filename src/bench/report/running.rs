//! The report of a run in progress, from the gauges that the leader reads. Its figures are approximate, and losses are unknown.
//!
//! A [`Snapshot`] adds the counts that a report has only at its end; `html/running.rs` displays it.

use super::{Circumstances, Flow, Report, percent};
use crate::bench::View;
use crate::bench::ending::{Ending, Step};
use crate::bench::gauges::{Recent, RecentGroup, Totals};
use crate::bench::plan::{Group, Plan};
use crate::bench::record::{Latencies, LatencyKind, Record};
use crate::bench::timeline::{Coarse, Timeline};
use crate::transport::Address;
use jiff::Timestamp;
use std::time::Duration;

/// The nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// Follows a run, second by second.
#[derive(Debug)]
pub(crate) struct RunningReport {
    plan: Plan,
    started_at: Timestamp,
    /// The time of the last look, in nanoseconds since the start.
    now: u64,
    phases: Vec<(Step, u64)>,
    totals: Totals,
    recent: Recent,
    /// The start of the current second, and the totals at that time.
    second: (u64, Totals),
    /// The start of the measurement, and the totals at that time.
    measured_from: Option<(u64, Totals)>,
    /// The last time at which clients connected, and at which messages were sent, acknowledged and received.
    last: [u64; 4],
    timeline: Timeline,
    latencies: Latencies,
    /// The latencies of each group, if there are several.
    of_groups: Vec<Latencies>,
}

/// A moment of a run in progress.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) report: Report,
    /// The step and the position in it, in words.
    pub(crate) state: String,
    /// Deliveries that were due at this moment and did not arrive yet; `None` without receivers.
    pub(super) outstanding: Option<u64>,
    /// The figures of each group, if there are several.
    pub(super) groups: Vec<RecentGroup>,
}

impl RunningReport {
    /// A run that begins now.
    pub(crate) fn new(plan: &Plan) -> RunningReport {
        RunningReport {
            plan: plan.clone(),
            started_at: Timestamp::now(),
            now: 0,
            phases: Vec::new(),
            totals: Totals::default(),
            recent: Recent::default(),
            second: (0, Totals::default()),
            measured_from: None,
            last: [0; 4],
            timeline: Timeline::default(),
            latencies: Latencies::default(),
            of_groups: Vec::new(),
        }
    }

    /// Takes a look at the run, at a time since its start.
    pub(crate) fn observe(&mut self, now: Duration, view: &View<'_>) {
        self.now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        if self.phases.last().is_none_or(|(step, _)| *step != view.step) {
            self.phases.push((view.step, self.now));
        }
        if view.step == Step::Measure {
            self.measured_from.get_or_insert((self.now, *view.totals));
        }
        for (last, (before, now)) in
            self.last.iter_mut().zip(flows(&self.totals).into_iter().zip(flows(view.totals)))
        {
            if now > before {
                *last = self.now;
            }
        }
        self.totals = *view.totals;
        if self.now / SECOND > self.second.0 / SECOND {
            self.end_second(view.recent);
        }
    }

    /// Adds the last full second to the timeline. The workers publish latencies a second later.
    fn end_second(&mut self, recent: &Recent) {
        let (since, before) = self.second;
        let now = &self.totals;
        let slot = self.timeline.at(since);
        slot.connected += now.connected - before.connected.min(now.connected);
        slot.failed += now.failed - before.failed.min(now.failed);
        slot.lost += now.lost - before.lost.min(now.lost);
        slot.sent += now.sent - before.sent.min(now.sent);
        slot.acknowledged += now.acknowledged - before.acknowledged.min(now.acknowledged);
        slot.rejected += now.rejected - before.rejected.min(now.rejected);
        slot.received += now.received - before.received.min(now.received);
        self.timeline.at(since.saturating_sub(SECOND)).latency.merge(&recent.latency);
        if self.measured_from.is_some() {
            add(&mut self.latencies, &recent.latency);
            self.of_groups.resize_with(recent.groups.len(), Latencies::default);
            let groups = self.of_groups.iter_mut().zip(&recent.groups);
            groups.for_each(|(latencies, group)| add(latencies, &group.latency));
        }
        self.recent = recent.clone();
        self.second = (self.now, self.totals);
    }

    /// The run until now, with its state in words.
    pub(crate) fn snapshot(&self, state: &str) -> Snapshot {
        let has_receivers = self.plan.groups.iter().any(|group| group.receivers() > 0);
        Snapshot {
            report: self.report(),
            state: state.to_owned(),
            outstanding: has_receivers.then_some(self.totals.outstanding()),
            groups: self.recent.groups.clone(),
        }
    }

    /// The report until now.
    fn report(&self) -> Report {
        let circumstances = Circumstances {
            brokers: self.brokers(),
            started_at: self.started_at,
            ending: Ending::Complete,
            is_drain_cut: false,
            elapsed: Duration::from_nanos(self.now),
            phases: self.phases.clone(),
        };
        let record = Record { timeline: self.timeline.clone(), ..Record::default() };
        let mut report = Report::new(&self.plan, circumstances, record);
        let (begin, before) = self.measured_from.unwrap_or((self.now, self.totals));
        let flow = |last: u64, now: u64, before: u64| {
            let count = now.saturating_sub(before);
            Flow { count, span: (count > 0).then_some((begin, last.max(begin))) }
        };
        let Totals { connected, lost, subscribed, sent, acknowledged, received, rejected, .. } = self.totals;
        let [connect_end, sent_end, acknowledged_end, received_end] = self.last;
        let is_one_flow = connected > 0 && !self.plan.has_late_groups();
        report.connects = Flow { count: connected, span: is_one_flow.then_some((0, connect_end)) };
        self.await_late_groups(&mut report);
        report.sent = flow(sent_end, sent, before.sent);
        report.acknowledged = flow(acknowledged_end, acknowledged, before.acknowledged);
        report.received = flow(received_end, received, before.received);
        (report.connections_lost, report.subscribed) = (lost, subscribed);
        (report.account.sent, report.account.rejected) = (sent, rejected);
        report.account.owed = self.totals.due();
        self.add_recent(&mut report);
        report
    }

    /// The clients of groups that start later are not missing yet.
    fn await_late_groups(&self, report: &mut Report) {
        let began = self.phases.iter().find(|(step, _)| matches!(step, Step::WarmUp | Step::Measure));
        let since_load = began.map(|(_, began)| Duration::from_nanos(self.now.saturating_sub(*began)));
        for (group, planned) in report.groups.iter_mut().zip(&self.plan.groups) {
            group.not_started = if planned.is_due(since_load) { 0 } else { planned.clients().into() };
        }
    }

    fn add_recent(&self, report: &mut Report) {
        report.errors = self.recent.errors.clone();
        (report.late, report.late_by_us) = (self.recent.late, Some(self.recent.late_by_us));
        report.blocked_sends = self.recent.blocked_sends;
        report.busiest_thread_percent = percent(self.recent.busiest_thread);
        if !self.latencies.histogram().is_empty() {
            report.latencies.insert(kind_of(&self.plan.groups), self.latencies.clone());
        }
        let groups = report.groups.iter_mut().zip(&self.plan.groups).zip(&self.of_groups);
        for ((group, planned), latencies) in groups.filter(|(_, times)| !times.histogram().is_empty()) {
            group.latencies.insert(kind_of(std::slice::from_ref(planned)), latencies.clone());
        }
    }

    fn brokers(&self) -> Vec<String> {
        let addresses = self.plan.broker.endpoints().map(|endpoint| match &endpoint.address {
            Address::Tcp { host, port } => format!("{host}:{port}"),
            other => other.to_string(),
        });
        addresses.collect()
    }
}

/// The latency that the workers publish for these groups.
fn kind_of(groups: &[Group]) -> LatencyKind {
    if groups.iter().any(|group| group.is_answered) {
        LatencyKind::RoundTrip
    } else if groups.iter().any(|group| group.subscribers > 0) {
        LatencyKind::EndToEnd
    } else {
        LatencyKind::Acknowledged
    }
}

/// Adds the latencies of a second, which are in microseconds.
fn add(latencies: &mut Latencies, second: &Coarse) {
    let values = second.histogram().into_iter().flat_map(|second| second.iter_recorded());
    values.for_each(|value| {
        latencies.record_several(value.value_iterated_to() * 1000, value.count_since_last_iteration());
    });
}

fn flows(totals: &Totals) -> [u64; 4] {
    [totals.connected, totals.sent, totals.acknowledged, totals.received]
}
