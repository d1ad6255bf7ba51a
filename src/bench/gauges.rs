//! Coarse numbers of a running worker, for the one who waits and shows progress. Exact results come from the records.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! gauges {
    ($($(#[$comment:meta])* $name:ident,)+) => {
        /// The numbers of one worker. Only its own thread writes them, once per batch.
        #[derive(Debug, Default)]
        pub(super) struct Gauges { $($(#[$comment])* pub(super) $name: Gauge,)+ }

        /// The numbers of all workers.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Totals { $($(#[$comment])* pub $name: u64,)+ }

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
    /// Messages that arrived for the first time.
    received,
}

/// A number that one thread writes and others look at.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicU64);

impl Gauge {
    pub(super) fn add(&self, count: u64) {
        // There is one writer, so that a load and a store do without a locked instruction.
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
