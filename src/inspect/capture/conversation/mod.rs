//! Conversations: who is the client, what is spoken, and the bytes of MQTT.
//!
//! What a connection speaks is told by its first bytes, on any port. Ports matter where the beginning is missing. Until that is decided
//! bytes are kept, within bounds. TLS that a [`Decryptor`] can read is looked at in the same way once more.

mod detect;
mod held;
mod http;
mod mqtt;
mod ports;
mod talk;
#[cfg(test)]
mod tests;
mod tls;
mod web_socket;

pub use ports::Ports;
pub use tls::{Chunk, Decryptor, Plain, Session, Undecryptable};
pub use web_socket::FrameFault;

use super::Moment;
use super::reassembly::{self, Close, Start};
use crate::inspect::Direction;
use crate::protocol::{ProxyFault, ProxyHeader};
use std::collections::HashMap;
use std::net::SocketAddr;
use talk::{Shared, Talk};

/// What carries MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transport {
    /// In TLS that was decrypted.
    pub is_encrypted: bool,
    /// In WebSocket frames, which are taken off.
    pub is_web_socket: bool,
}

/// Something about a conversation. Its number is that of the TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// The connection speaks MQTT. Comes before everything else that is told of it.
    Opened {
        /// Which connection.
        connection: u32,
        /// When the first segment came.
        at: Moment,
        /// Who opened the connection, as far as can be known.
        client: SocketAddr,
        /// The other one.
        server: SocketAddr,
        /// What carries it.
        transport: Transport,
        /// Whether the TCP handshake was seen. After `Midway` the first byte may be inside a packet.
        start: Start,
    },
    /// The next bytes of MQTT.
    Bytes {
        /// Which connection.
        connection: u32,
        /// With the segment that made them known.
        at: Moment,
        /// From whom.
        direction: Direction,
        /// Where the first of them stands in the direction's MQTT bytes, with gaps counted: in a WebSocket, payloads only.
        offset: u64,
        /// Where the first of them stands in the direction's TCP stream. The same but for TLS and WebSocket.
        stream_offset: u64,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// MQTT bytes that the capture does not have. The next ones follow after as many.
    Gap {
        /// Which connection.
        connection: u32,
        /// When it was given up.
        at: Moment,
        /// From whom.
        direction: Direction,
        /// Where in the direction's MQTT bytes it starts.
        offset: u64,
        /// How many; 0 where that is not known, at the beginning only.
        length: u64,
    },
    /// Bytes that came again and were others. The first ones count.
    Conflict {
        /// Which connection.
        connection: u32,
        /// With the later ones.
        at: Moment,
        /// From whom.
        direction: Direction,
        /// Where in the direction's TCP stream they start.
        stream_offset: u64,
        /// How many.
        length: u64,
    },
    /// The other side has more of these bytes than came: they are missing, or come late. Told once of each direction.
    Lag {
        /// Which connection.
        connection: u32,
        /// When that was acknowledged.
        at: Moment,
        /// From whom.
        direction: Direction,
    },
    /// The client's side began with a header of the PROXY protocol, which is left out of its bytes. The client's address in `Opened` is the one
    /// that the header tells.
    ProxyHeader {
        /// Which connection.
        connection: u32,
        /// With the segment in which it ended.
        at: Moment,
        /// The TCP connection's client, which sent it.
        proxy: SocketAddr,
        /// The header, or why it is invalid.
        header: Result<ProxyHeader, ProxyFault>,
    },
    /// Something is wrong with a WebSocket frame.
    BadFrame {
        /// Which connection.
        connection: u32,
        /// With the segment in which its header ended.
        at: Moment,
        /// From whom.
        direction: Direction,
        /// Where the frame starts in the direction's TCP stream.
        stream_offset: u64,
        /// What, and whether it is the end of the direction.
        fault: FrameFault,
    },
    /// The rest of one direction cannot be decrypted.
    Undecryptable {
        /// Which connection.
        connection: u32,
        /// When that was known.
        at: Moment,
        /// From whom.
        direction: Direction,
        /// Where in the direction's TCP stream, at the latest.
        stream_offset: u64,
        /// Why.
        why: Undecryptable,
    },
    /// The connection speaks something else. Nothing follows about it, and nothing came before, unless a decryptor failed midway.
    Foreign {
        /// Which connection.
        connection: u32,
        /// When that was decided.
        at: Moment,
        /// Who opened the connection, as far as can be known.
        client: SocketAddr,
        /// The other one.
        server: SocketAddr,
        /// What it speaks.
        what: Foreign,
    },
    /// The connection is over.
    Closed {
        /// Which connection.
        connection: u32,
        /// When.
        at: Moment,
        /// Why.
        by: Close<Direction>,
    },
}

impl Event<'_> {
    /// Which connection it is about.
    pub fn connection(&self) -> u32 {
        match *self {
            Event::Opened { connection, .. }
            | Event::Bytes { connection, .. }
            | Event::Gap { connection, .. }
            | Event::Conflict { connection, .. }
            | Event::Lag { connection, .. }
            | Event::ProxyHeader { connection, .. }
            | Event::BadFrame { connection, .. }
            | Event::Undecryptable { connection, .. }
            | Event::Foreign { connection, .. }
            | Event::Closed { connection, .. } => connection,
        }
    }
}

/// What else a connection can speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// TLS that nobody decrypted.
    Tls {
        /// The server's name, as the client asked for it.
        server_name: Option<String>,
        /// Why not, if somebody tried.
        why: Option<Undecryptable>,
    },
    /// HTTP that did not become a WebSocket with MQTT in it.
    Http {
        /// The first line of the request, if it was seen.
        request: Option<String>,
        /// The first line of the answer, if it was seen.
        response: Option<String>,
    },
    /// A header of the PROXY protocol that is invalid and has no end.
    ProxyHeader(ProxyFault),
    /// Not a byte was sent.
    Silent,
    /// None of those that are known here.
    Unknown,
}

/// Turns what connections carry into conversations.
#[derive(Default)]
pub struct Conversations {
    talks: HashMap<u32, Talk>,
    shared: Shared,
}

impl Conversations {
    /// With further ports of MQTT, and somebody who can read TLS.
    #[must_use]
    pub fn new(ports: Ports, decryptor: Option<Box<dyn Decryptor>>) -> Conversations {
        Conversations { talks: HashMap::new(), shared: Shared::new(ports, decryptor) }
    }

    /// Takes what happened to a connection, and emits what becomes known with it.
    pub fn event(&mut self, event: &reassembly::Event<'_>, emit: &mut impl FnMut(Event<'_>)) {
        use reassembly::Event as Tcp;
        if let Tcp::Opened { connection, at, a, b, start } = *event {
            self.talks.insert(connection, Talk::new(connection, at, [a, b], start));
            return;
        }
        let (Tcp::Opened { connection, .. }
        | Tcp::Data { connection, .. }
        | Tcp::Gap { connection, .. }
        | Tcp::Conflict { connection, .. }
        | Tcp::Lag { connection, .. }
        | Tcp::Closed { connection, .. }) = *event;
        let Some(talk) = self.talks.get_mut(&connection) else { return };
        match *event {
            Tcp::Opened { .. } => {}
            Tcp::Data { at, side, bytes, .. } => {
                talk.receive(side, at, Chunk::Bytes(bytes), &mut self.shared, emit);
            }
            Tcp::Gap { at, side, length, .. } => {
                talk.receive(side, at, Chunk::Gap(length), &mut self.shared, emit);
            }
            Tcp::Conflict { at, side, offset, length, .. } => {
                talk.conflict(side, at, offset, length, &mut self.shared, emit);
            }
            Tcp::Lag { at, side, .. } => talk.lag(side, at, emit),
            Tcp::Closed { at, by, .. } => talk.close(at, by, &mut self.shared, emit),
        }
        if talk.is_over() {
            self.talks.remove(&connection);
        }
    }
}

impl std::fmt::Debug for Conversations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversations").field("talks", &self.talks.len()).finish_non_exhaustive()
    }
}
