//! The measurements of a run: histograms, counts and deliveries. Every worker keeps its own; they are merged at the
//! end.

mod connect_times;
mod datagrams;
mod delivery;
mod errors;
pub(super) mod latencies;
mod latency_kind;
mod ranges;
mod tls_counts;
mod worker_fault;

use super::broker_limits::BrokerLimits;
use super::timeline::Timeline;
pub(crate) use connect_times::{ConnectTimes, Connects};
pub(crate) use datagrams::Datagrams;
pub(crate) use delivery::{Account, Arrival, Delivered, Outcome, Received, Sent};
pub(in crate::bench) use errors::NOT_CONNECTED_YET;
pub(crate) use errors::{Errors, FailureKind, Stage};
pub(crate) use latencies::{GroupLatencies, Latencies, LatencyMap, Summary};
pub(crate) use latency_kind::LatencyKind;
pub(crate) use ranges::Ranges;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
pub(crate) use tls_counts::{TlsCount, TlsCounts};
pub(crate) use worker_fault::WorkerFault;

/// All measurements of a worker.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The latencies of connections and of the worker, by kind.
    pub latencies: LatencyMap,
    /// The measurements by group. At most one entry per group of the plan.
    pub of_groups: Vec<GroupRecord>,
    /// When clients were accepted.
    pub accepting: Span,
    /// When messages were handed to the kernel.
    pub sending: Span,
    /// When acknowledgements came; at QoS 0, when the broker answered the ping after the last message.
    pub acknowledging: Span,
    /// When messages arrived.
    pub receiving: Span,
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that the broker refused, or that refused a broker without a valid proof.
    pub refused: u64,
    /// Clients that lost their connection before the end of the run.
    pub connections_lost: u64,
    /// Subscriptions that the broker granted.
    pub subscribed: u64,
    /// Messages that the broker acknowledged as accepted.
    pub acknowledgements: u64,
    /// Those of them after the warm-up for which the broker had no matching subscribers.
    pub unmatched: u64,
    /// Messages that arrived for the first time.
    pub deliveries: u64,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
    /// Messages that did not belong to this run.
    pub foreign: u64,
    /// Messages lost while their subscriber was away; they are not part of the account.
    pub gap_lost: u64,
    /// Counts before the measurement began.
    pub warm_up: WarmUp,
    /// Messages that were sent more than a millisecond after their planned time.
    pub late: u64,
    /// Late messages that did not wait for the broker: the load generator itself was late.
    pub late_by_us: u64,
    /// Sends that had to wait because the socket's buffer was full.
    pub blocked_sends: u64,
    /// CPU time of the worker's thread and of its authentication threads, or of all workers together.
    pub cpu: Duration,
    /// The busiest thread's share of a CPU during the measurement, from 0 to 1.
    pub busiest_thread: f64,
    /// Counts over time.
    pub timeline: Timeline,
    pub errors: Errors,
    /// The worker processes that failed.
    pub worker_faults: Vec<WorkerFault>,
    /// The accepted connections with TLS, by its algorithms.
    pub tls: TlsCounts,
    /// The datagrams to and from an MQTT-SN gateway.
    pub datagrams: Option<Datagrams>,
    /// The counts and latencies of each broker; empty if there is only one.
    pub of_brokers: Vec<BrokerRecord>,
    /// The limits of the broker in the first CONNACK of MQTT 5.
    pub limits: Option<BrokerLimits>,
    /// The sent messages by publisher.
    pub sent: BTreeMap<u32, Sent>,
    /// The received messages by subscriber, one entry for each of its publishers. Subscribers that did not stay to
    /// the end are left out: the messages that they missed are not due.
    pub received: BTreeMap<u32, Vec<Received>>,
}

/// The measurements of the clients of one of several brokers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct BrokerRecord {
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that lost their connection before the end of the run.
    pub connections_lost: u64,
    /// Messages received without a header, so that their latency is unknown.
    pub without_latency: u64,
    /// The latencies of messages.
    pub latencies: GroupLatencies,
}

/// Counts before the measurement began. They are part of the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WarmUp {
    pub acknowledged: u64,
    pub received: u64,
}

/// The measurements of the clients of one group.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    /// The latencies of messages that its clients measured.
    pub latencies: GroupLatencies,
    /// The times of its connects.
    pub connects: ConnectTimes,
    /// Clients that began to connect, if the group starts during the load.
    pub late_starts: u64,
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that could not connect.
    pub failed: u64,
    /// Clients that lost their connection, and did not make it again.
    pub lost: u64,
    /// Lost connections that were made again.
    pub reconnected: u64,
    /// Messages that the kernel accepted, and those that the broker rejected.
    pub sent: u64,
    pub rejected: u64,
    /// Messages acknowledged after the warm-up for which the broker had no matching subscribers.
    pub unmatched: u64,
    /// The times of the same events as in the record of all groups.
    pub sending: Span,
    pub acknowledging: Span,
    pub receiving: Span,
}

impl GroupRecord {
    /// Adds the measurements of another worker.
    fn merge(&mut self, other: GroupRecord) {
        let GroupRecord {
            latencies,
            connects,
            late_starts,
            connected,
            failed,
            lost,
            reconnected,
            sent,
            rejected,
            unmatched,
            sending,
            acknowledging,
            receiving,
        } = other;
        self.latencies.merge(latencies);
        self.connects.merge(connects);
        self.late_starts += late_starts;
        self.connected += connected;
        self.failed += failed;
        self.lost += lost;
        self.reconnected += reconnected;
        self.sent += sent;
        self.rejected += rejected;
        self.unmatched += unmatched;
        self.sending.merge(sending);
        self.acknowledging.merge(acknowledging);
        self.receiving.merge(receiving);
    }
}

/// The first and last time of an event, in nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span(Option<(u64, u64)>);

impl Span {
    pub(crate) fn note(&mut self, time: u64) {
        let (first, last) = self.0.unwrap_or((time, time));
        self.0 = Some((first.min(time), last.max(time)));
    }

    fn merge(&mut self, other: Span) {
        if let Some((first, last)) = other.0 {
            self.note(first);
            self.note(last);
        }
    }

    /// The first time.
    pub(crate) fn first(self) -> Option<u64> {
        self.0.map(|(first, _)| first)
    }

    /// The last time.
    pub(crate) fn last(self) -> Option<u64> {
        self.0.map(|(_, last)| last)
    }
}

impl Record {
    /// The measurements of a group.
    pub(crate) fn of_group(&mut self, group: usize) -> &mut GroupRecord {
        self.add_missing_groups(group + 1);
        self.of_groups.get_mut(group).expect("the groups were extended to this one")
    }

    /// Adds empty measurements for groups up to this number, whose clients did nothing.
    pub(crate) fn add_missing_groups(&mut self, count: usize) {
        if count > self.of_groups.len() {
            self.of_groups.resize_with(count, GroupRecord::default);
        }
    }

    /// The counts and latencies of one of several brokers.
    pub(crate) fn of_broker(&mut self, broker: u8) -> &mut BrokerRecord {
        let broker = usize::from(broker);
        if broker >= self.of_brokers.len() {
            self.of_brokers.resize_with(broker + 1, BrokerRecord::default);
        }
        self.of_brokers.get_mut(broker).expect("the list was extended to this one")
    }

    /// Takes the latencies of all groups, and adds them to the others.
    pub(crate) fn take_group_latencies(&mut self) -> Vec<BTreeMap<LatencyKind, Latencies>> {
        let groups = self.of_groups.iter_mut().map(|group| std::mem::take(&mut group.latencies));
        let groups: Vec<_> = groups.map(GroupLatencies::into_measured).collect();
        groups.iter().for_each(|group| self.latencies.add_group(group));
        groups
    }

    /// Adds the measurements of another worker. A new field does not compile until its sum is decided here.
    pub(crate) fn merge(&mut self, other: Record) {
        let Record {
            latencies,
            of_groups,
            accepting,
            sending,
            acknowledging,
            receiving,
            connected,
            refused,
            connections_lost,
            subscribed,
            acknowledgements,
            unmatched,
            deliveries,
            duplicates,
            reordered,
            foreign,
            gap_lost,
            warm_up,
            late,
            late_by_us,
            blocked_sends,
            cpu,
            busiest_thread,
            timeline,
            errors,
            worker_faults,
            tls,
            datagrams,
            of_brokers,
            limits,
            sent,
            received,
        } = other;
        self.latencies.merge(&latencies);
        for (group, record) in of_groups.into_iter().enumerate() {
            self.of_group(group).merge(record);
        }
        self.accepting.merge(accepting);
        self.sending.merge(sending);
        self.acknowledging.merge(acknowledging);
        self.receiving.merge(receiving);
        self.connected += connected;
        self.refused += refused;
        self.connections_lost += connections_lost;
        self.subscribed += subscribed;
        self.acknowledgements += acknowledgements;
        self.unmatched += unmatched;
        self.deliveries += deliveries;
        self.duplicates += duplicates;
        self.reordered += reordered;
        self.foreign += foreign;
        self.gap_lost += gap_lost;
        self.warm_up.merge(warm_up);
        self.late += late;
        self.late_by_us += late_by_us;
        self.blocked_sends += blocked_sends;
        self.cpu += cpu;
        self.busiest_thread = self.busiest_thread.max(busiest_thread);
        self.timeline.merge(timeline);
        self.errors.merge(errors);
        self.worker_faults.extend(worker_faults);
        self.tls.merge(tls);
        if let Some(datagrams) = datagrams {
            self.datagrams.get_or_insert_default().merge(&datagrams);
        }
        for (broker, counts) in (0..).zip(of_brokers) {
            self.of_broker(broker).merge(counts);
        }
        self.limits = self.limits.take().or(limits);
        self.sent.extend(sent);
        self.received.extend(received);
    }
}

impl BrokerRecord {
    fn merge(&mut self, other: BrokerRecord) {
        let BrokerRecord { connected, connections_lost, without_latency, latencies } = other;
        self.connected += connected;
        self.connections_lost += connections_lost;
        self.without_latency += without_latency;
        self.latencies.merge(latencies);
    }
}

impl WarmUp {
    fn merge(&mut self, WarmUp { acknowledged, received }: WarmUp) {
        self.acknowledged += acknowledged;
        self.received += received;
    }
}
