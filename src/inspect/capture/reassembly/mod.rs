//! TCP connections: each side's bytes in order, from segments in any order.
//!
//! Where bytes come twice the first ones count, and where the second ones are others, that is an event. What is missing is given up when
//! the other side acknowledges it, since then it was sent and only the capture lacks it; when too much waits behind it; or when the
//! connection ends.

mod connection;
mod history;
mod stream;
#[cfg(test)]
mod tests;

use super::Moment;
use super::network::Segment;
use connection::Connection;
use history::History;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// How many connections are open at most. Beyond, those that were idle the longest are closed.
pub const MAX_CONNECTIONS: usize = 100_000;

/// How many of them are closed at once, since finding them takes a look at all.
const EVICTED_AT_ONCE: usize = MAX_CONNECTIONS / 16;

/// How many closed connections are remembered, so that their last segments do not look like new ones.
const MAX_CLOSED: usize = 4096;

/// What bytes that wait may cost in all.
const MAX_PENDING: usize = 64 << 20;

/// One of the two ends of a connection. `A` sent the first segment that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who sent the first segment that was seen.
    A,
    /// The other one.
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

/// How a connection came into view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With its handshake, so that who opened it is known.
    Handshake {
        /// Who sent the SYN.
        initiator: Side,
    },
    /// It was open before.
    Midway,
}

/// Why a connection is over. `From` tells the two ends apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close<From = Side> {
    /// Both sides said FIN.
    Fin,
    /// This one sent RST.
    Reset(From),
    /// A new connection took the same addresses and ports.
    Replaced,
    /// There were too many connections, and this one was idle the longest.
    Evicted,
    /// The capture ended.
    EndOfCapture,
}

/// Something about a connection. Connections are numbered from 0, in the order of their first segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The first segment.
    Opened {
        /// Which connection.
        connection: u32,
        /// When.
        at: Moment,
        /// Who sent the first segment.
        a: SocketAddr,
        /// The other one.
        b: SocketAddr,
        /// Whether the handshake was seen.
        start: Start,
    },
    /// The next bytes of one side.
    Data {
        /// Which connection.
        connection: u32,
        /// With the segment that made them known: of late ones, the one that filled the hole before them.
        at: Moment,
        /// Who sent them.
        side: Side,
        /// What was sent, never empty.
        bytes: &'a [u8],
    },
    /// Bytes of one side that the capture does not have.
    Gap {
        /// Which connection.
        connection: u32,
        /// When it was given up.
        at: Moment,
        /// Who sent them.
        side: Side,
        /// How many; 0 where that is not known, at the beginning only.
        length: u64,
    },
    /// Bytes that came again and were others. The first ones count.
    Conflict {
        /// Which connection.
        connection: u32,
        /// With the later ones.
        at: Moment,
        /// Who sent them.
        side: Side,
        /// Where in the side's stream they start, with gaps counted.
        offset: u64,
        /// How many, from the first to the last that differs.
        length: u64,
    },
    /// The other side has acknowledged more than came: it was lost, or comes late. Told once of each side.
    Lag {
        /// Which connection.
        connection: u32,
        /// With the acknowledgement.
        at: Moment,
        /// Who sent what did not come.
        side: Side,
    },
    /// The last event of a connection.
    Closed {
        /// Which connection.
        connection: u32,
        /// When.
        at: Moment,
        /// Why.
        by: Close,
    },
}

/// Puts segments into order.
#[derive(Debug, Default)]
pub struct Reassembly {
    connections: HashMap<Key, Box<Connection>>,
    next_number: u32,
    history: History,
    /// Closed ones that are still among `connections`, the oldest first.
    closed: VecDeque<(Key, u32)>,
    /// Those with bytes that wait, since when, the oldest first; and what these cost in all.
    waiting: VecDeque<(Key, u32)>,
    pending_cost: usize,
}

/// The two ends, the smaller one first.
type Key = (SocketAddr, SocketAddr);

impl Reassembly {
    /// Takes a segment, and emits what becomes known with it.
    pub fn segment(&mut self, at: Moment, segment: &Segment<'_>, emit: &mut impl FnMut(Event<'_>)) {
        let key = key(segment);
        let connection = match self.connections.get_mut(&key) {
            Some(connection) if !connection.is_over_with(segment) => connection,
            _ => {
                self.open(key, at, segment, emit);
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

    /// The capture has ended, at `at`: closes all that are open, in the order of their numbers.
    pub fn finish(&mut self, at: Moment, emit: &mut impl FnMut(Event<'_>)) {
        let mut left: Vec<_> = self.connections.drain().map(|(_, connection)| connection).collect();
        left.sort_unstable_by_key(|connection| connection.number);
        for mut connection in left {
            connection.close(at, Close::EndOfCapture, &mut self.history, emit);
        }
        self.closed.clear();
        self.waiting.clear();
        self.pending_cost = 0;
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.next_number
    }

    /// Begins a connection, and ends the one that had its place.
    fn open(&mut self, key: Key, at: Moment, segment: &Segment<'_>, emit: &mut impl FnMut(Event<'_>)) {
        self.close(&key, at, Close::Replaced, emit);
        if self.connections.len() >= MAX_CONNECTIONS {
            self.evict(at, emit);
        }
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        let (a, b) = (segment.source, segment.destination);
        let start = match (segment.is_syn, segment.acknowledgment) {
            (true, None) => Start::Handshake { initiator: Side::A },
            (true, Some(_)) => Start::Handshake { initiator: Side::B },
            (false, _) => Start::Midway,
        };
        emit(Event::Opened { connection: number, at, a, b, start });
        self.connections.insert(key, Box::new(Connection::new(number, a, at.frame)));
    }

    /// Ends a connection and forgets it.
    fn close(&mut self, key: &Key, at: Moment, by: Close, emit: &mut impl FnMut(Event<'_>)) {
        if let Some(mut connection) = self.connections.remove(key) {
            self.pending_cost -= connection.pending_cost();
            connection.close(at, by, &mut self.history, emit);
        }
    }

    /// Ends those that were idle the longest.
    fn evict(&mut self, at: Moment, emit: &mut impl FnMut(Event<'_>)) {
        let open = self.connections.iter().filter(|(_, connection)| !connection.is_closed());
        let mut oldest: Vec<_> = open.map(|(key, connection)| (connection.last_frame, *key)).collect();
        oldest.sort_unstable();
        for (_, key) in oldest.iter().take(EVICTED_AT_ONCE) {
            self.close(key, at, Close::Evicted, emit);
        }
    }

    fn remember_closed(&mut self, key: Key, number: u32) {
        self.closed.push_back((key, number));
        if self.closed.len() > MAX_CLOSED
            && let Some((key, number)) = self.closed.pop_front()
            && self.connections.get(&key).is_some_and(|connection| connection.number == number)
        {
            self.connections.remove(&key);
        }
    }

    /// Forgets those that are gone, now and then.
    fn forget_waiting(&mut self) {
        if self.waiting.len() > 2 * self.connections.len() + MAX_CLOSED {
            let connections = &self.connections;
            self.waiting
                .retain(|(key, number)| connections.get(key).is_some_and(|known| known.number == *number));
        }
    }

    /// Gives up what has waited longest, until the rest is little enough.
    fn free_pending(&mut self, at: Moment, emit: &mut impl FnMut(Event<'_>)) {
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

fn key(segment: &Segment<'_>) -> Key {
    let (a, b) = (segment.source, segment.destination);
    if a <= b { (a, b) } else { (b, a) }
}
