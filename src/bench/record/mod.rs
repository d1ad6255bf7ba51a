//! What was measured: histograms, and which messages arrived. Every worker keeps its own; they are merged at the end.

mod delivery;
mod errors;
mod latencies;
mod ranges;

use super::timeline::Timeline;
pub use delivery::{Account, Arrival, Outcome, Received, Sent};
pub use errors::{Errors, Stage};
pub use latencies::{Latencies, Summary};
pub use ranges::Ranges;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// All that a worker measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// From the first step of connecting to TCP's handshake being done.
    pub tcp_connect: Latencies,
    /// The TLS handshake.
    pub tls: Latencies,
    /// The WebSocket handshake.
    pub web_socket: Latencies,
    /// From CONNECT to CONNACK, but for the time in which the client had to answer.
    pub connack: Latencies,
    /// The processor time in which a client computed what it proves its password with.
    pub authenticate: Latencies,
    /// How long it waited for a processor of this machine to do that on.
    pub authenticate_wait: Latencies,
    /// From PUBLISH to its last acknowledgement.
    pub acknowledged: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub acknowledged_planned: Latencies,
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    pub end_to_end: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub end_to_end_planned: Latencies,
    /// From a request to its response.
    pub round_trip: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub round_trip_planned: Latencies,
    /// From a connection's loss to SUBACK of the next one.
    pub resubscribed: Latencies,
    /// How late the worker came to what was due: sends, and its own beat.
    pub lag: Latencies,
    /// When clients were accepted.
    pub accepting: Span,
    /// When messages were handed to the kernel.
    pub sending: Span,
    /// When acknowledgements came; at QoS 0, when the broker answered that it had read everything.
    pub acknowledging: Span,
    /// When messages arrived.
    pub receiving: Span,
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that the broker refused, or that refused a broker which proved nothing.
    pub refused: u64,
    /// Clients that had no connection when the time for it was up.
    pub connections_lost: u64,
    /// Subscriptions that the broker granted.
    pub subscribed: u64,
    /// Messages that were acknowledged as taken.
    pub acknowledgements: u64,
    /// Messages that arrived for the first time.
    pub deliveries: u64,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
    /// Messages that arrived and were none of this run's.
    pub foreign: u64,
    /// Messages that were lost while their subscriber was away; the account leaves them out.
    pub gap_lost: u64,
    /// What happened before the measurement began.
    pub warm_up: WarmUp,
    /// Messages that were sent more than a millisecond after their planned time.
    pub late: u64,
    /// Those among them that did not wait for the broker: the load generator itself was late.
    pub late_by_us: u64,
    /// How often a send had to wait, since the socket's buffer was full.
    pub blocked_sends: u64,
    /// The processor time of the worker's thread and of what was computed beside, or of all workers together.
    pub cpu: Duration,
    /// The busiest thread's part of a processor during the measurement, from 0 to 1.
    pub busiest_thread: f64,
    /// What happened when.
    pub timeline: Timeline,
    /// What went wrong.
    pub errors: Errors,
    /// What each publisher sent.
    pub sent: BTreeMap<u32, Sent>,
    /// What each subscriber received of each of its publishers. Those that were not there to the end are left out: what they
    /// missed was not owed to them.
    pub received: BTreeMap<u32, Vec<Received>>,
}

/// What happened before the measurement began, and is among the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct WarmUp {
    pub acknowledged: u64,
    pub received: u64,
}

/// When something happened first and last, in nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(Option<(u64, u64)>);

impl Span {
    /// Notes a time.
    pub fn note(&mut self, time: u64) {
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
    pub fn first(self) -> Option<u64> {
        self.0.map(|(first, _)| first)
    }

    /// The last time.
    pub fn last(self) -> Option<u64> {
        self.0.map(|(_, last)| last)
    }
}

impl Record {
    /// Adds another worker's.
    pub fn merge(&mut self, other: Record) {
        self.tcp_connect.merge(&other.tcp_connect);
        self.tls.merge(&other.tls);
        self.web_socket.merge(&other.web_socket);
        self.connack.merge(&other.connack);
        self.authenticate.merge(&other.authenticate);
        self.authenticate_wait.merge(&other.authenticate_wait);
        self.acknowledged.merge(&other.acknowledged);
        self.acknowledged_planned.merge(&other.acknowledged_planned);
        self.end_to_end.merge(&other.end_to_end);
        self.end_to_end_planned.merge(&other.end_to_end_planned);
        self.round_trip.merge(&other.round_trip);
        self.round_trip_planned.merge(&other.round_trip_planned);
        self.resubscribed.merge(&other.resubscribed);
        self.lag.merge(&other.lag);
        self.accepting.merge(other.accepting);
        self.sending.merge(other.sending);
        self.acknowledging.merge(other.acknowledging);
        self.receiving.merge(other.receiving);
        self.connected += other.connected;
        self.refused += other.refused;
        self.connections_lost += other.connections_lost;
        self.subscribed += other.subscribed;
        self.acknowledgements += other.acknowledgements;
        self.deliveries += other.deliveries;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.foreign += other.foreign;
        self.gap_lost += other.gap_lost;
        self.warm_up.acknowledged += other.warm_up.acknowledged;
        self.warm_up.received += other.warm_up.received;
        self.late += other.late;
        self.late_by_us += other.late_by_us;
        self.blocked_sends += other.blocked_sends;
        self.cpu += other.cpu;
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
        self.timeline.merge(other.timeline);
        self.errors.merge(other.errors);
        self.sent.extend(other.sent);
        self.received.extend(other.received);
    }
}
