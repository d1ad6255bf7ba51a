//! The measurements of a run: histograms, counts and deliveries. Every worker keeps its own; they are merged at the
//! end.

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

/// All measurements of a worker.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// From the first step of connecting to the end of the TCP handshake.
    pub tcp_connect: Latencies,
    /// The TLS handshake.
    pub tls: Latencies,
    /// The WebSocket handshake.
    pub web_socket: Latencies,
    /// From CONNECT to CONNACK, without the client's own time.
    pub connack: Latencies,
    /// Processor time of computing a client's authentication proof.
    pub authenticate: Latencies,
    /// Time that this computation waited for a processor of this machine.
    pub authenticate_wait: Latencies,
    /// From PUBLISH to its last acknowledgement.
    pub acknowledged: Latencies,
    /// The same from the planned send time; empty without planned times.
    pub acknowledged_planned: Latencies,
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    pub end_to_end: Latencies,
    /// The same from the planned send time; empty without planned times.
    pub end_to_end_planned: Latencies,
    /// From a request to its response.
    pub round_trip: Latencies,
    /// The same from the planned send time; empty without planned times.
    pub round_trip_planned: Latencies,
    /// From the loss of a connection to SUBACK on the next one.
    pub resubscribed: Latencies,
    /// The worker's delay in handling due sends and its own beat.
    pub lag: Latencies,
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
    /// Processor time of the worker's thread and of its authentication threads, or of all workers together.
    pub cpu: Duration,
    /// The busiest thread's share of a processor during the measurement, from 0 to 1.
    pub busiest_thread: f64,
    /// Counts over time.
    pub timeline: Timeline,
    /// The errors.
    pub errors: Errors,
    /// The sent messages by publisher.
    pub sent: BTreeMap<u32, Sent>,
    /// The received messages by subscriber, one entry for each of its publishers. Subscribers that did not stay to
    /// the end are left out: the messages that they missed are not due.
    pub received: BTreeMap<u32, Vec<Received>>,
}

/// Counts before the measurement began. They are part of the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct WarmUp {
    pub acknowledged: u64,
    pub received: u64,
}

/// The first and last time of an event, in nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(Option<(u64, u64)>);

impl Span {
    /// Records a time.
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
    /// Adds the measurements of another worker.
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
