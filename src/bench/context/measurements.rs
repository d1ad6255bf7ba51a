//! The measurements of a thread: its record, which is handed over at the end, and the gauges that the leader reads.

use super::latency_batch::LatencyBatcher;
use super::watched_groups::WatchedGroups;
use crate::bench::client_slot::ClientSlot;
use crate::bench::cpu_usage::CpuUsage;
use crate::bench::gauges::{Gauges, Recent};
use crate::bench::plan::Plan;
use crate::bench::record::{FailureKind, LatencyKind, Received, Record, Stage};
use crate::bench::timeline::Coarse;
use crate::client::{Error, cpu_time};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

/// The record and the gauges of a thread.
#[derive(Debug)]
pub(in crate::bench) struct Measurements {
    pub(in crate::bench) gauges: Arc<Gauges>,
    pub(in crate::bench) record: RefCell<Record>,
    /// The acknowledgements in the current batch of a client.
    pub(in crate::bench) acknowledged: LatencyBatcher,
    /// The messages in the current batch of a client.
    pub(in crate::bench) received: LatencyBatcher,
    /// The address of each broker, if there are several.
    brokers: Vec<String>,
    /// The accounts of shared subscriptions, by group.
    shared_accounts: RefCell<BTreeMap<usize, Rc<ReceiverAccount>>>,
    /// The CPU usage since the load began.
    cpu_usage: Cell<Option<CpuUsage>>,
    /// The figures of the groups that conditions watch.
    watched_groups: RefCell<WatchedGroups>,
}

/// The messages that one receiver got from each of its publishers. The members of a shared subscription are one
/// receiver.
#[derive(Debug, Default)]
pub(in crate::bench) struct ReceiverAccount {
    pub(in crate::bench) received: RefCell<Vec<Received>>,
    /// Whether a member left early, so that its missed messages are unknown.
    pub(in crate::bench) is_incomplete: Cell<bool>,
}

impl ReceiverAccount {
    pub(in crate::bench) fn new(publishers: u32) -> Rc<ReceiverAccount> {
        let received = RefCell::new(vec![Received::default(); publishers as usize]);
        Rc::new(ReceiverAccount { received, is_incomplete: Cell::default() })
    }
}

impl Measurements {
    pub(super) fn new(gauges: Arc<Gauges>, brokers: Vec<String>) -> Measurements {
        Measurements {
            gauges,
            brokers,
            record: RefCell::default(),
            acknowledged: LatencyBatcher::default(),
            received: LatencyBatcher::default(),
            shared_accounts: RefCell::default(),
            cpu_usage: Cell::default(),
            watched_groups: RefCell::default(),
        }
    }

    /// The account that the members of a group's shared subscription have in common.
    pub(in crate::bench) fn shared_account(
        &self,
        group: usize,
        new: impl FnOnce() -> Rc<ReceiverAccount>,
    ) -> Rc<ReceiverAccount> {
        self.shared_accounts.borrow_mut().entry(group).or_insert_with(new).clone()
    }

    /// Counts a client of a late group that begins to connect.
    pub(in crate::bench) fn note_late_start(&self, slot: ClientSlot) {
        self.record.borrow_mut().of_group(slot.group).late_starts += 1;
    }

    /// Counts an accepted client.
    pub(in crate::bench) fn note_connected(&self, slot: ClientSlot, now: u64) {
        let record = &mut *self.record.borrow_mut();
        record.connected += 1;
        let group = record.of_group(slot.group);
        group.connected += 1;
        group.connects.at(now).connected += 1;
        record.timeline.at(now).connected += 1;
        if let Some(broker) = slot.broker {
            record.of_broker(broker).connected += 1;
        }
    }

    /// Counts a client that lost its connection.
    pub(in crate::bench) fn note_lost(&self, slot: ClientSlot, now: u64) {
        self.record.borrow_mut().timeline.at(now).lost += 1;
        self.note_gone(slot);
    }

    /// Counts a client that has left the run without its connection.
    pub(in crate::bench) fn note_gone(&self, slot: ClientSlot) {
        let record = &mut *self.record.borrow_mut();
        record.connections_lost += 1;
        record.of_group(slot.group).lost += 1;
        if let Some(broker) = slot.broker {
            record.of_broker(broker).connections_lost += 1;
        }
    }

    /// Counts a lost connection of a group that was made again.
    pub(in crate::bench) fn note_reconnected(&self, group: usize, now: u64) {
        let record = &mut *self.record.borrow_mut();
        let group = record.of_group(group);
        group.reconnected += 1;
        group.connects.at(now).reconnected += 1;
        record.timeline.at(now).connected += 1;
    }

    /// Counts an error of a client.
    pub(in crate::bench) fn count_error(&self, slot: ClientSlot, stage: Stage, error: &impl Display) {
        let text = self.named(slot, error.to_string());
        self.record.borrow_mut().errors.add(stage, text, 1);
    }

    /// Counts a client that could not connect.
    pub(in crate::bench) fn note_failed(&self, plan: &Plan, slot: ClientSlot, now: u64, error: &Error) {
        let text = self.named(slot, error.to_string());
        let record = &mut *self.record.borrow_mut();
        record.timeline.at(now).failed += 1;
        record.of_group(slot.group).failed += 1;
        record.refused += u64::from(error.is_refusal());
        let kind = match FailureKind::of(error) {
            FailureKind::Unreachable | FailureKind::TimedOut if plan.broker.is_gateway() => {
                FailureKind::NoGateway
            }
            kind => kind,
        };
        record.errors.add_failure(text, kind);
    }

    /// The text of an error, with the client's broker if there are several.
    fn named(&self, slot: ClientSlot, text: String) -> String {
        let broker = slot.broker.and_then(|broker| self.brokers.get(usize::from(broker)));
        match broker.filter(|broker| !text.contains(broker.as_str())) {
            Some(broker) => format!("{broker}: {text}"),
            None => text,
        }
    }

    /// Counts a message that the broker acknowledged without matching subscribers.
    pub(in crate::bench) fn note_unmatched(&self, slot: ClientSlot, now: u64, is_measured: bool) {
        let record = &mut *self.record.borrow_mut();
        record.timeline.at(now).unmatched += 1;
        if is_measured {
            record.unmatched += 1;
            record.of_group(slot.group).unmatched += 1;
        }
    }

    /// Records the delay of the worker itself.
    pub(in crate::bench) fn note_lag(&self, nanoseconds: u64) {
        self.record.borrow_mut().latencies.record(LatencyKind::Lag, nanoseconds);
    }

    /// Begins to measure the CPU usage, once.
    pub(in crate::bench) fn begin_load(&self) {
        if self.cpu_usage.get().is_none() {
            self.cpu_usage.set(Some(CpuUsage::begin()));
        }
    }

    /// Records the thread's share of a CPU during the load.
    pub(in crate::bench) fn end_load(&self) {
        if let Some(usage) = self.cpu_usage.take() {
            self.record.borrow_mut().busiest_thread = usage.share();
        }
    }

    /// Publishes the figures of the last second for the progress display.
    pub(in crate::bench) fn show_recent(&self, plan: &Plan, now: u64) {
        let record = &*self.record.borrow();
        self.gauges.show_recent(Recent {
            latency: record.timeline.latency_before(now),
            lag: Coarse::of(record.latencies.of(LatencyKind::Lag)),
            errors: record.errors.clone(),
            busiest_thread: self.cpu_usage.get().map_or(record.busiest_thread, CpuUsage::share),
            late: record.late,
            late_by_us: record.late_by_us,
            blocked_sends: record.blocked_sends,
            groups: self.watched_groups.borrow_mut().end_second(plan, record, now),
        });
    }

    /// Takes the record, including the thread's CPU time.
    pub(in crate::bench) fn take_record(&self, plan: &Plan) -> Record {
        let mut record = self.record.take();
        for (&group, account) in &*self.shared_accounts.borrow() {
            let group = plan.groups.get(group).filter(|_| !account.is_incomplete.get());
            if let Some(group) = group {
                record.received.insert(group.first_subscriber, account.received.take());
            }
        }
        record.cpu += cpu_time::of_thread();
        record.limits = self.gauges.limits.get().cloned();
        record
    }
}
