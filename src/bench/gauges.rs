//! Approximate live counters of a worker, for the progress display. Exact results come from the records.

use super::broker_limits::BrokerLimits;
use super::record::Errors;
use super::timeline::Coarse;
use crate::protocol::Qos;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

macro_rules! gauges {
    ($($(#[$comment:meta])* $name:ident,)+) => {
        /// The gauges of one worker. Only its own thread writes them, once per batch.
        #[derive(Debug, Default)]
        pub(super) struct Gauges {
            $($(#[$comment])* pub(super) $name: Gauge,)+
            /// The figures that are updated once per second.
            pub(super) recent: Mutex<Recent>,
            /// The limits in the first CONNACK.
            pub(super) limits: OnceLock<BrokerLimits>,
        }

        /// The sums over all workers.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) struct Totals { $($(#[$comment])* pub(crate) $name: u64,)+ }

        impl Gauges {
            /// Sets the totals of another process.
            pub(super) fn set(&self, totals: &Totals) { $(self.$name.0.store(totals.$name, Ordering::Relaxed);)+ }
        }

        impl Totals {
            pub(super) fn add(&mut self, gauges: &Gauges) { $(self.$name += gauges.$name.value();)+ }
        }
    };
}

gauges! {
    /// Clients that were accepted.
    connected,
    /// Clients that could not connect.
    failed,
    /// Clients that lost their connection.
    lost,
    /// Connected clients whose worker process failed.
    abandoned,
    /// Clients whose worker process failed before they had connected, or had failed to.
    abandoned_early,
    /// Subscribers whose subscription was granted.
    subscribed,
    /// Clients that were granted QoS 0 after asking for more.
    granted_qos_0,
    /// Clients that were granted QoS 1 after asking for QoS 2.
    granted_qos_1,
    /// Subscribers that left the run without a subscription: not connected, rejected, or lost before.
    without_subscription,
    /// Publishers that were accepted.
    publishers,
    /// Publishers with nothing left to send or to be acknowledged, including lost ones.
    finished,
    /// Messages that the kernel accepted.
    sent,
    /// Messages that the broker acknowledged.
    acknowledged,
    /// Messages that the broker rejected.
    rejected,
    /// Deliveries due for the messages that the kernel accepted.
    owed,
    /// Deliveries that are not due, since the broker rejected their message.
    excused,
    /// Messages that arrived for the first time.
    received,
    /// Those of them at subscribers by topic filter, to which no delivery is due.
    overheard,
    /// PUBREC and PUBREL packets from the broker: intermediate steps of a QoS 2 handshake.
    handshake_steps,
    /// Clients that reconnected after they were dropped.
    reconnected,
    /// The longest delivery time of a message, in nanoseconds.
    slowest,
}

impl Totals {
    /// The connected clients that are out of the run.
    pub(crate) fn gone(&self) -> u64 {
        self.lost + self.abandoned
    }

    /// Deliveries that are due and did not arrive yet.
    pub(crate) fn outstanding(&self) -> u64 {
        self.due().saturating_sub(self.arrived())
    }

    /// Deliveries that are due.
    pub(crate) fn due(&self) -> u64 {
        self.owed.saturating_sub(self.excused)
    }

    /// Messages that arrived at clients to which deliveries are due.
    pub(crate) fn arrived(&self) -> u64 {
        self.received.saturating_sub(self.overheard)
    }

    /// The clients that connected, or never will.
    pub(crate) fn settled(&self) -> u64 {
        self.connected + self.failed + self.abandoned_early
    }
}

/// Figures that a worker publishes once per second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recent {
    /// The latencies of the last full second.
    pub latency: Coarse,
    /// The delays of the event loops, from the start of the run.
    pub lag: Coarse,
    /// The errors, from the start of the run.
    pub errors: Errors,
    /// The busiest thread's share of a CPU since the load began, from 0 to 1.
    pub busiest_thread: f64,
    /// Messages of the measurement that were sent more than a millisecond after their planned time.
    pub late: u64,
    /// Late messages that did not wait for the broker.
    pub late_by_us: u64,
    /// Sends that had to wait because the socket's buffer was full.
    pub blocked_sends: u64,
    /// The figures by group; empty unless a condition or the live page watches one.
    pub groups: Vec<RecentGroup>,
}

/// Figures of a group that a worker publishes once per second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentGroup {
    /// Clients that were accepted, that could not connect, and that lost their connection, from the start of the run.
    pub connected: u64,
    pub failed: u64,
    pub lost: u64,
    /// Messages that the kernel accepted, and those that the broker rejected, from the start of the run.
    pub sent: u64,
    pub rejected: u64,
    /// Messages of the measurement that arrived for the first time.
    pub received: u64,
    /// The latencies of the last full second.
    pub latency: Coarse,
    /// Messages per second of the last full second.
    pub sent_rate: f64,
    pub acknowledged_rate: f64,
    pub received_rate: f64,
}

impl Recent {
    /// Adds the figures of another worker.
    fn merge(&mut self, other: &Recent) {
        let Recent { latency, lag, errors, busiest_thread, late, late_by_us, blocked_sends, groups } = other;
        self.latency.merge(latency);
        self.lag.merge(lag);
        self.errors.merge(errors.clone());
        self.busiest_thread = self.busiest_thread.max(*busiest_thread);
        self.late += late;
        self.late_by_us += late_by_us;
        self.blocked_sends += blocked_sends;
        if groups.len() > self.groups.len() {
            self.groups.resize_with(groups.len(), RecentGroup::default);
        }
        self.groups.iter_mut().zip(groups).for_each(|(ours, theirs)| ours.merge(theirs));
    }

    /// The p99 latency of the last full second, in nanoseconds.
    pub(crate) fn p99(&self) -> Option<u64> {
        self.latency.at_percentile(99.0)
    }
}

impl RecentGroup {
    /// Adds the figures of another worker.
    fn merge(&mut self, other: &RecentGroup) {
        let RecentGroup {
            connected,
            failed,
            lost,
            sent,
            rejected,
            received,
            latency,
            sent_rate,
            acknowledged_rate,
            received_rate,
        } = other;
        self.connected += connected;
        self.failed += failed;
        self.lost += lost;
        self.sent += sent;
        self.rejected += rejected;
        self.received += received;
        self.latency.merge(latency);
        self.sent_rate += sent_rate;
        self.acknowledged_rate += acknowledged_rate;
        self.received_rate += received_rate;
    }

    /// The p99 latency of the last full second, in nanoseconds.
    pub(crate) fn p99(&self) -> Option<u64> {
        self.latency.at_percentile(99.0)
    }
}

impl Totals {
    /// The lowest QoS that the broker granted to a client that asked for more.
    pub(super) fn lowest_granted(&self) -> Option<Qos> {
        match (self.granted_qos_0, self.granted_qos_1) {
            (0, 0) => None,
            (0, _) => Some(Qos::AtLeastOnce),
            _ => Some(Qos::AtMostOnce),
        }
    }
}

impl Gauges {
    /// Counts a client that was granted a lower QoS than it asked for.
    pub(super) fn note_granted(&self, asked: Qos, granted: Qos) {
        match granted {
            Qos::AtMostOnce if asked > granted => self.granted_qos_0.add(1),
            Qos::AtLeastOnce if asked > granted => self.granted_qos_1.add(1),
            Qos::AtMostOnce | Qos::AtLeastOnce | Qos::ExactlyOnce => {}
        }
    }

    /// Publishes the figures of a second.
    pub(super) fn show_recent(&self, recent: Recent) {
        *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = recent;
    }
}

/// The figures of the last second of all workers.
pub(super) fn recent(all: &[Arc<Gauges>]) -> Recent {
    let mut recent = Recent::default();
    for gauges in all {
        recent.merge(&gauges.recent.lock().unwrap_or_else(PoisonError::into_inner));
    }
    recent
}

/// A number that one thread writes and others read.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicU64);

impl Gauge {
    pub(super) fn add(&self, count: u64) {
        // There is only one writer, so a load and a store suffice instead of a locked instruction.
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    pub(super) fn raise(&self, value: u64) {
        if value > self.value() {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_to_which_no_delivery_is_due_do_not_replace_others() {
        let totals = Totals { owed: 12, excused: 2, received: 30, overheard: 25, ..Totals::default() };
        assert_eq!((totals.due(), totals.arrived(), totals.outstanding()), (10, 5, 5));
    }
}
