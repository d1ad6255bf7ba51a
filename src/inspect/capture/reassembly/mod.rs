//! TCP connections: each side's bytes in order, from segments in any order.

use super::Moment;
use std::net::SocketAddr;

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
        /// How many, never 0.
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
