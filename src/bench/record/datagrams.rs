//! The datagrams of the clients of an MQTT-SN gateway, and the events that MQTT does not show.

use crate::transport::mqtt_sn::GatewayCounts;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a whole run, its connects included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Datagrams {
    pub sent: u64,
    pub received: u64,
    /// Messages that were sent again, since no answer arrived in time.
    pub retries: u64,
    /// Messages that were given up after all retries.
    pub unanswered: u64,
    /// Answers of the gateway with the return code for congestion.
    pub congestion: u64,
    /// Messages that the gateway sent again.
    pub retries_of_gateway: u64,
    /// Received datagrams that are not valid messages.
    pub malformed: u64,
    /// Datagrams that this machine dropped: a receive or a send buffer of a client was full.
    pub dropped: u64,
    /// Datagrams that the receive buffer of the gateway dropped; `None` unless it is on this machine.
    pub dropped_by_gateway: Option<u64>,
}

impl Datagrams {
    pub(in crate::bench) fn of(counts: &GatewayCounts, dropped: u64) -> Datagrams {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Datagrams {
            sent: read(&counts.sent),
            received: read(&counts.received),
            retries: read(&counts.repeated),
            unanswered: read(&counts.unanswered),
            congestion: read(&counts.congestion),
            retries_of_gateway: read(&counts.received_again),
            malformed: read(&counts.malformed),
            dropped,
            dropped_by_gateway: None,
        }
    }

    /// Adds the counts of another part of the run.
    pub(in crate::bench) fn merge(&mut self, other: &Datagrams) {
        let Datagrams {
            sent,
            received,
            retries,
            unanswered,
            congestion,
            retries_of_gateway,
            malformed,
            dropped,
            dropped_by_gateway,
        } = *other;
        let sums = [
            (&mut self.sent, sent),
            (&mut self.received, received),
            (&mut self.retries, retries),
            (&mut self.unanswered, unanswered),
            (&mut self.congestion, congestion),
            (&mut self.retries_of_gateway, retries_of_gateway),
            (&mut self.malformed, malformed),
            (&mut self.dropped, dropped),
        ];
        sums.into_iter().for_each(|(ours, theirs)| *ours = ours.saturating_add(theirs));
        // Several parts on one machine see the same gateway.
        self.dropped_by_gateway = self.dropped_by_gateway.max(dropped_by_gateway);
    }
}
