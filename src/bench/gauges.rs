//! Coarse numbers of a running worker, for the one who waits and shows progress. Exact results come from the records.

use super::timeline::Coarse;
use crate::protocol::Qos;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! gauges {
    ($($(#[$comment:meta])* $name:ident,)+) => {
        /// The numbers of one worker. Only its own thread writes them, once per batch.
        #[derive(Debug, Default)]
        pub(super) struct Gauges {
            $($(#[$comment])* pub(super) $name: Gauge,)+
            /// The latencies of the last full second. The worker touches this once in a second.
            pub(super) recent: Mutex<Coarse>,
        }

        /// The numbers of all workers.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Totals { $($(#[$comment])* pub $name: u64,)+ }

        impl Gauges {
            /// Shows what another process did.
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
    /// Subscribers whose subscription was granted.
    subscribed,
    /// Clients to which the broker granted QoS 0, though they asked for more.
    granted_qos_0,
    /// Clients to which the broker granted QoS 1, though they asked for QoS 2.
    granted_qos_1,
    /// Subscribers that are out of the run: not connected, denied, or lost.
    without_subscription,
    /// Publishers that were accepted.
    publishers,
    /// Publishers that have nothing to send and nothing unacknowledged any more, the lost ones among them.
    finished,
    /// Messages that the kernel took.
    sent,
    /// Messages that the broker acknowledged.
    acknowledged,
    /// Messages that the broker denied.
    denied,
    /// Deliveries that are to come of the messages that the kernel took.
    owed,
    /// Deliveries that will not come, since the broker denied their message.
    excused,
    /// Messages that arrived for the first time.
    received,
    /// Packets in the middle of a QoS 2 handshake that the broker sent: PUBREC and PUBREL.
    handshake_steps,
    /// Clients that are back after they were dropped.
    back,
    /// The longest time in nanoseconds that a message took to arrive.
    slowest,
}

impl Totals {
    /// The lowest QoS that the broker granted where more was asked for.
    pub(super) fn lowest_granted(&self) -> Option<Qos> {
        match (self.granted_qos_0, self.granted_qos_1) {
            (0, 0) => None,
            (0, _) => Some(Qos::AtLeastOnce),
            _ => Some(Qos::AtMostOnce),
        }
    }
}

impl Gauges {
    /// Notes what the broker granted to a client.
    pub(super) fn note_granted(&self, asked: Qos, granted: Qos) {
        match granted {
            Qos::AtMostOnce if asked > granted => self.granted_qos_0.add(1),
            Qos::AtLeastOnce if asked > granted => self.granted_qos_1.add(1),
            Qos::AtMostOnce | Qos::AtLeastOnce | Qos::ExactlyOnce => {}
        }
    }

    /// Shows the latencies of the last full second.
    pub(super) fn show_recent(&self, latency: Coarse) {
        *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = latency;
    }
}

/// The latencies of the last full second of all workers.
pub(super) fn recent(all: &[Arc<Gauges>]) -> Coarse {
    let mut latencies = Coarse::default();
    for gauges in all {
        latencies.merge(&gauges.recent.lock().unwrap_or_else(PoisonError::into_inner));
    }
    latencies
}

/// A number that one thread writes and others look at.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicU64);

impl Gauge {
    pub(super) fn add(&self, count: u64) {
        // There is one writer, so that a load and a store do without a locked instruction.
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    /// Raises it to a value.
    pub(super) fn raise(&self, value: u64) {
        if value > self.value() {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
