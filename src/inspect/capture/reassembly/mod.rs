//! TCP reassembly: each side's bytes in order, from segments in any order.
//!
//! The first copy of retransmitted bytes counts; a copy that differs is reported as an event. Missing bytes are given up if the
//! other side acknowledges them, since they were sent and only the capture lacks them; if too many bytes are pending after them;
//! or if the connection ends.

mod connection;
mod history;
mod stream;
mod table;
#[cfg(test)]
mod tests;

use super::Moment;
use super::network::Segment;
use connection::TcpConnection;
use history::History;
use std::collections::VecDeque;
use std::net::SocketAddr;
use table::{ConnectionKey, ConnectionsByKey};

/// The most open connections. Beyond that, the connections that were idle the longest are closed.
pub(crate) const MAX_CONNECTIONS: usize = 100_000;

/// The number of connections evicted together, since finding them requires a scan of all.
const EVICTED_AT_ONCE: usize = MAX_CONNECTIONS / 16;

/// The number of closed connections that are remembered, so that their last segments do not look like new ones.
const MAX_CLOSED: usize = 4096;

/// The most that all pending bytes may cost.
const MAX_PENDING: usize = 64 << 20;

/// One end of a connection. `A` sent the first captured segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The sender of the first captured segment.
    A,
    /// The other end.
    B,
}

impl Side {
    /// The side at the other end.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// Whether the capture has the connection's handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It has the handshake, so the initiator is known.
    Handshake {
        /// The sender of the SYN.
        initiator: Side,
    },
    /// The connection was already open.
    Midway,
}

/// The reason why a connection is over. `From` identifies an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close<From = Side> {
    /// Both sides sent FIN.
    Fin,
    /// This side sent RST.
    Reset(From),
    /// This side answered the first SYN with RST: nothing listens there, or a firewall rejects.
    Refused(From),
    /// A new connection uses the same addresses and ports.
    Replaced,
    /// There were too many connections, and this one was idle the longest.
    Evicted,
    /// The capture ended.
    EndOfCapture,
}

/// An event of a connection. Connections are numbered from 0, in the order of their first segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpEvent<'a> {
    /// The first segment.
    Opened {
        /// The connection's number.
        connection: u32,
        /// The frame with it.
        at: Moment,
        /// The sender of the first segment.
        a: SocketAddr,
        /// The other end.
        b: SocketAddr,
        /// Whether the capture has the handshake.
        start: Start,
    },
    /// The next bytes of one side.
    Data {
        /// The connection's number.
        connection: u32,
        /// The segment that made them deliverable: for segments out of order, the one that filled the gap before them.
        at: Moment,
        /// The sender.
        side: Side,
        /// Offset of the first byte in the side's stream, gaps included.
        offset: u64,
        /// The bytes, never empty.
        bytes: &'a [u8],
    },
    /// Bytes of one side that are missing from the capture.
    Gap {
        /// The connection's number.
        connection: u32,
        /// The frame at which they were given up.
        at: Moment,
        /// The sender.
        side: Side,
        /// Offset of the first byte in the side's stream.
        offset: u64,
        /// The number of bytes; 0 if unknown, at the beginning only.
        length: u64,
    },
    /// Retransmitted bytes that differ from the first ones. The first ones count.
    Conflict {
        /// The connection's number.
        connection: u32,
        /// The segment of the retransmission.
        at: Moment,
        /// The sender.
        side: Side,
        /// Offset in the side's stream, gaps included.
        offset: u64,
        /// The number of bytes, from the first to the last that differs.
        length: u64,
    },
    /// The other side acknowledged more bytes than were captured: they are missing, or arrive late. Emitted once per side.
    Lag {
        /// The connection's number.
        connection: u32,
        /// The segment with the acknowledgement.
        at: Moment,
        /// The sender of the missing bytes.
        side: Side,
    },
    /// This side sent FIN, and its bytes up to there were emitted.
    Fin {
        /// The connection's number.
        connection: u32,
        /// The segment with it, or the one that filled the last gap before it.
        at: Moment,
        /// The sender.
        side: Side,
    },
    /// The last event of a connection.
    Closed {
        /// The connection's number.
        connection: u32,
        /// The frame at which it ended.
        at: Moment,
        /// The reason.
        by: Close,
    },
}

/// Reassembles TCP connections.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    connections: ConnectionsByKey,
    next_number: u32,
    history: History,
    /// Closed connections that are still in `connections`, the oldest first.
    closed: VecDeque<(ConnectionKey, u32)>,
    /// Connections with pending bytes, those that have waited the longest first.
    waiting: VecDeque<(ConnectionKey, u32)>,
    /// The total cost of pending bytes.
    pending_cost: usize,
}

impl Reassembly {
    /// Takes a segment, and emits the resulting events.
    pub(crate) fn segment(&mut self, at: Moment, segment: &Segment<'_>, emit: &mut impl FnMut(TcpEvent<'_>)) {
        let (key, is_source_first) = ConnectionKey::new(segment.source, segment.destination);
        let connection = match self.connections.get_mut(&key) {
            Some(connection) if !connection.is_over_with(segment) => connection,
            _ => {
                self.open((key, is_source_first), at, segment, emit);
                let Some(connection) = self.connections.get_mut(&key) else { return };
                connection
            }
        };
        let was_closed = connection.is_closed();
        let cost_before = connection.pending_cost();
        connection.receive(at, segment, &mut self.history, emit);
        let (cost, number, is_closed) =
            (connection.pending_cost(), connection.number, connection.is_closed());
        self.pending_cost = self.pending_cost + cost - cost_before;
        if cost > 0 && !connection.is_queued {
            connection.is_queued = true;
            self.waiting.push_back((key, number));
            self.forget_waiting();
        }
        if is_closed && !was_closed {
            self.remember_closed(key, number);
        }
        if self.pending_cost > MAX_PENDING {
            self.free_pending(at, emit);
        }
    }

    /// Handles the end of the capture at `at`: closes all open connections, in the order of their numbers.
    pub(crate) fn finish(&mut self, at: Moment, emit: &mut impl FnMut(TcpEvent<'_>)) {
        for mut connection in std::mem::take(&mut self.connections).into_connections() {
            connection.close(at, Close::EndOfCapture, &mut self.history, emit);
        }
        self.closed.clear();
        self.waiting.clear();
        self.pending_cost = 0;
    }

    /// The number of connections so far.
    #[must_use]
    pub(crate) fn connections(&self) -> u32 {
        self.next_number
    }

    /// The number of the next connection. Pairs of addresses without TCP are numbered in the same sequence.
    pub(crate) fn take_number(&mut self) -> u32 {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        number
    }

    /// Opens a connection, and closes the previous one with the same key.
    fn open(
        &mut self,
        (key, is_source_first): (ConnectionKey, bool),
        at: Moment,
        segment: &Segment<'_>,
        emit: &mut impl FnMut(TcpEvent<'_>),
    ) {
        self.close(&key, at, Close::Replaced, emit);
        if self.connections.len() >= MAX_CONNECTIONS {
            self.evict(at, emit);
        }
        let number = self.take_number();
        let (a, b) = (segment.source, segment.destination);
        let start = match (segment.is_syn, segment.acknowledgment) {
            (true, None) => Start::Handshake { initiator: Side::A },
            (true, Some(_)) => Start::Handshake { initiator: Side::B },
            (false, _) => Start::Midway,
        };
        emit(TcpEvent::Opened { connection: number, at, a, b, start });
        self.connections.insert(key, TcpConnection::new(number, is_source_first, at.frame));
    }

    /// Closes a connection and forgets it.
    fn close(&mut self, key: &ConnectionKey, at: Moment, by: Close, emit: &mut impl FnMut(TcpEvent<'_>)) {
        if let Some(mut connection) = self.connections.remove(key) {
            self.pending_cost -= connection.pending_cost();
            connection.close(at, by, &mut self.history, emit);
        }
    }

    /// Closes the connections that were idle the longest.
    fn evict(&mut self, at: Moment, emit: &mut impl FnMut(TcpEvent<'_>)) {
        let open = self.connections.iter().filter(|(_, connection)| !connection.is_closed());
        let mut oldest: Vec<_> = open.map(|(key, connection)| (connection.last_frame, key)).collect();
        oldest.sort_unstable();
        for (_, key) in oldest.iter().take(EVICTED_AT_ONCE) {
            self.close(key, at, Close::Evicted, emit);
        }
    }

    fn remember_closed(&mut self, key: ConnectionKey, number: u32) {
        self.closed.push_back((key, number));
        if self.closed.len() > MAX_CLOSED
            && let Some((key, number)) = self.closed.pop_front()
            && self.connections.get(&key).is_some_and(|connection| connection.number == number)
        {
            self.connections.remove(&key);
        }
    }

    /// Occasionally removes connections that no longer exist from the queue.
    fn forget_waiting(&mut self) {
        if self.waiting.len() > 2 * self.connections.len() + MAX_CLOSED {
            let connections = &self.connections;
            self.waiting
                .retain(|(key, number)| connections.get(key).is_some_and(|known| known.number == *number));
        }
    }

    /// Gives up the oldest pending bytes until the rest is within the limit.
    fn free_pending(&mut self, at: Moment, emit: &mut impl FnMut(TcpEvent<'_>)) {
        while self.pending_cost > MAX_PENDING
            && let Some((key, number)) = self.waiting.pop_front()
        {
            let Some(connection) = self.connections.get_mut(&key).filter(|known| known.number == number)
            else {
                continue;
            };
            self.pending_cost -= connection.pending_cost();
            connection.is_queued = false;
            connection.give_up(at, &mut self.history, emit);
        }
    }
}
