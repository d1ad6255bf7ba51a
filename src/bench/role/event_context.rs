//! The view that a role has of its client and worker while it handles an event.

use crate::bench::client_slot::{ClientSlot, Task};
use crate::bench::context::{Context, LatencyBatch, LocalControl, Measurements, Timers};
use crate::bench::payload::Composer;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::plan::{Group, Plan};
use crate::bench::record::{GroupLatencies, LatencyKind, Record};
use crate::protocol::Qos;
use std::cell::RefCell;

/// The session's data for a QoS 1 or 2 message until its acknowledgement. Times are nanoseconds since the run's
/// start.
#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct InFlight {
    pub(in crate::bench) sequence: u64,
    pub(in crate::bench) sent_at: u64,
    /// Equal to `sent_at` without a planned time.
    pub(in crate::bench) planned_at: u64,
}

/// A latency from the actual send time, and from the planned time if there is one.
pub(super) type Times = [(LatencyKind, Option<u64>); 2];

/// Records latencies that were measured `count` times.
pub(super) fn record_times(latencies: &mut GroupLatencies, times: Times, count: u64) {
    for (kind, time) in times {
        time.into_iter().for_each(|time| latencies.record_several(kind, time, count));
    }
}

/// The client and time of an event.
#[derive(Clone, Copy)]
pub(in crate::bench) struct EventContext<'a> {
    pub(in crate::bench) plan: &'a Plan,
    pub(super) control: &'a LocalControl,
    pub(in crate::bench) measurements: &'a Measurements,
    pub(super) timers: &'a Timers,
    pub(super) composers: &'a [RefCell<Composer>],
    pub(in crate::bench) slot: ClientSlot,
    /// In nanoseconds since the run's start.
    pub(in crate::bench) now: u64,
}

impl<'a> EventContext<'a> {
    pub(in crate::bench) fn new(context: &'a Context, slot: ClientSlot, now: u64) -> EventContext<'a> {
        let Context { plan, control, measurements, timers, composers, .. } = context;
        EventContext { plan, control, measurements, timers, composers, slot, now }
    }

    pub(super) fn group(&self) -> &'a Group {
        self.plan.group(self.slot)
    }

    /// The QoS of the group's messages.
    pub(super) fn qos(&self) -> Qos {
        self.control.qos(self.group())
    }

    /// Records a message that arrived for the first time.
    pub(super) fn note_arrival(&self, record: &mut Record, header: &PayloadHeader, is_planned: bool) {
        let planned_at = is_planned.then_some(header.planned_at);
        if let Some(batch) = self.measurements.received.add(header.sent_at, planned_at) {
            self.note_arrivals(record, batch);
        }
    }

    /// Records messages that arrived for the first time, and their latency.
    pub(super) fn note_arrivals(&self, record: &mut Record, batch: LatencyBatch) {
        let LatencyBatch { sent_at, planned_at, count } = batch;
        let slot = record.timeline.at(self.now);
        slot.received += count;
        if planned_at.unwrap_or(sent_at) < self.control.measured_from() {
            record.warm_up.received += count;
            return;
        }
        let since_sent = self.now.saturating_sub(sent_at);
        slot.latency.record_several(self.now.saturating_sub(planned_at.unwrap_or(sent_at)), count);
        self.measurements.gauges.slowest.raise(since_sent);
        record.receiving.note(self.now);
        let is_answer = self.slot.task == Task::Request;
        let (from_sent, from_planned) = match is_answer {
            true => (LatencyKind::RoundTrip, LatencyKind::RoundTripPlanned),
            false => (LatencyKind::EndToEnd, LatencyKind::EndToEndPlanned),
        };
        let group = record.of_group(self.slot.group);
        group.receiving.note(self.now);
        let since_planned = planned_at.map(|planned_at| self.now.saturating_sub(planned_at));
        let times = [(from_sent, Some(since_sent)), (from_planned, since_planned)];
        record_times(&mut group.latencies, times, count);
        self.note_times_of_broker(record, times, count);
    }

    /// Records latencies of messages for the client's broker, if there are several. Each was measured `count` times.
    pub(super) fn note_times_of_broker(&self, record: &mut Record, times: Times, count: u64) {
        if let Some(broker) = self.slot.broker {
            record_times(&mut record.of_broker(broker).latencies, times, count);
        }
    }
}
