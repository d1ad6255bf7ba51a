//! The state of a bridge connection at one moment.

use std::time::Duration;

/// The state of a bridge connection.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub name: String,
    pub local: SideSnapshot,
    pub remote: SideSnapshot,
    pub out: DirectionSnapshot,
    pub incoming: DirectionSnapshot,
}

/// The state of the connection to one broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct SideSnapshot {
    pub state: SideState,
    /// The number of connections that the broker accepted.
    pub connections: u64,
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SideState {
    #[default]
    Connecting,
    Connected,
    /// Until the next attempt.
    Waiting,
    Ended,
}

/// The messages of one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct DirectionSnapshot {
    pub counts: Counts,
    /// The number of messages that the target has to acknowledge.
    pub in_flight: usize,
    /// The number of messages that were not sent yet.
    pub queued: usize,
    pub queued_bytes: usize,
    /// From arrival to the target's acknowledgement, which messages of QoS 0 do not have.
    pub delay_p50: Option<Duration>,
    pub delay_p99: Option<Duration>,
}

/// The counts of one direction since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages from the source, without repetitions.
    pub received: u64,
    /// Copies that the target acknowledged, or that were sent at QoS 0.
    pub forwarded: u64,
    /// Repetitions from the source that were not forwarded again.
    pub redelivered: u64,
    /// Copies at QoS 0 that did not fit into the queue.
    pub dropped: u64,
    /// How often the source lost its session.
    pub sessions_lost: u64,
    /// Copies above the target's maximum packet size.
    pub too_large: u64,
    /// Copies that the target rejected, or whose topic would be invalid.
    pub rejected: u64,
    /// Messages that expired in the bridge.
    pub expired: u64,
    /// Messages that had passed this bridge before.
    pub looped: u64,
    /// Messages that no rule matches.
    pub unmatched: u64,
    /// Copies that were sent again because the target lost its session.
    pub maybe_doubled: u64,
    /// Copies whose QoS or RETAIN the target does not support.
    pub downgraded: u64,
}
