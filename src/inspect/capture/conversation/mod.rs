//! Conversations: identifies the client, detects the protocol, and extracts the MQTT bytes.
//!
//! The first bytes decide the protocol of a connection, on any port. Ports matter only if the beginning is missing. Until the
//! decision, bytes are held, within bounds. TLS that a [`Decryptor`] can read goes through the same detection again once
//! decrypted.

mod batch;
mod connection;
mod detect;
mod http;
mod mqtt;
mod ports;
#[cfg(test)]
mod tests;
mod tls;
mod undecided;
mod web_socket;

pub(crate) use batch::Batch;
pub use ports::Ports;
pub(crate) use tls::alert_name;
pub use tls::{Chunk, Decryptor, Plain, Session, Undecryptable};
pub use web_socket::FrameFault;

use super::Moment;
use super::reassembly::{self, Close, Start};
use crate::inspect::Direction;
use crate::inspect::slots::ConnectionTable;
use crate::protocol::{ProxyFault, ProxyHeader};
use connection::{Conversation, Shared};
use std::net::SocketAddr;
use undecided::StreamPart;

/// The layers between TCP and MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transport {
    /// In TLS that was decrypted.
    pub is_encrypted: bool,
    /// In WebSocket frames, which are removed.
    pub is_web_socket: bool,
}

/// An event of a conversation. Its number is that of the TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationEvent<'a> {
    /// The connection speaks MQTT. Precedes all other events of the connection.
    Opened {
        /// The connection's number.
        connection: u32,
        /// The first segment.
        at: Moment,
        /// The side that opened the connection, if that is known, or else the likely one.
        client: SocketAddr,
        /// The other side.
        server: SocketAddr,
        /// The layers that carry MQTT.
        transport: Transport,
        /// Whether the TCP handshake was seen. After `Midway` the first byte may be inside a packet.
        start: Start,
    },
    /// The next MQTT bytes.
    Bytes {
        /// The connection's number.
        connection: u32,
        /// The segment that completed them.
        at: Moment,
        /// The direction of the bytes.
        direction: Direction,
        /// Offset of the first byte in the direction's MQTT bytes, gaps included: in a WebSocket, of payloads only.
        offset: u64,
        /// Offset of the first byte in the direction's TCP stream. Differs from `offset` for TLS and WebSocket only.
        stream_offset: u64,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// A message of MQTT-SN: a UDP datagram. The first event of its connection, which is a pair of addresses.
    Datagram {
        /// The number of the pair.
        connection: u32,
        /// The frame.
        at: Moment,
        /// The client's or the forwarder's address, or that of a multicast group.
        client: SocketAddr,
        /// The gateway's address.
        gateway: SocketAddr,
        /// The direction of the message.
        direction: Direction,
        /// The captured part.
        bytes: &'a [u8],
        /// The number of bytes that were not captured.
        missing: usize,
    },
    /// MQTT bytes that are missing from the capture. The next bytes follow after `length` bytes.
    Gap {
        /// The connection's number.
        connection: u32,
        /// The frame at which they were given up.
        at: Moment,
        /// The direction of the bytes.
        direction: Direction,
        /// Offset of the gap in the direction's MQTT bytes.
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
        /// The direction of the bytes.
        direction: Direction,
        /// Offset in the direction's TCP stream.
        stream_offset: u64,
        /// The number of bytes.
        length: u64,
    },
    /// The other side acknowledged more bytes than were captured: they are missing, or arrive late. Emitted once per direction.
    Lag {
        /// The connection's number.
        connection: u32,
        /// The segment with the acknowledgement.
        at: Moment,
        /// The direction of the missing bytes.
        direction: Direction,
    },
    /// The client's side began with a PROXY protocol header, which is removed from its bytes. `Opened` has the client's address
    /// from that header.
    ProxyHeader {
        /// The connection's number.
        connection: u32,
        /// The segment in which it ended.
        at: Moment,
        /// The TCP connection's client, which sent it.
        proxy: SocketAddr,
        /// The header, or the reason why it is invalid.
        header: Result<ProxyHeader, ProxyFault>,
    },
    /// A fault in a WebSocket frame.
    BadFrame {
        /// The connection's number.
        connection: u32,
        /// The segment in which its header ended.
        at: Moment,
        /// The direction of the frame.
        direction: Direction,
        /// Offset of the frame in the direction's TCP stream.
        stream_offset: u64,
        /// The fault; some faults end the direction.
        fault: FrameFault,
    },
    /// The rest of one direction cannot be decrypted.
    Undecryptable {
        /// The connection's number.
        connection: u32,
        /// The frame at which this became known.
        at: Moment,
        /// The direction that cannot be decrypted.
        direction: Direction,
        /// Latest possible offset of the failure in the direction's TCP stream.
        stream_offset: u64,
        /// The reason.
        reason: Undecryptable,
    },
    /// The connection speaks another protocol. No other events concern it.
    OtherProtocol {
        /// The connection's number.
        connection: u32,
        /// The frame at which this was decided.
        at: Moment,
        /// The side that opened the connection, if that is known, or else the likely one.
        client: SocketAddr,
        /// The other side.
        server: SocketAddr,
        /// The protocol.
        protocol: OtherProtocol,
    },
    /// This side sent FIN.
    Fin {
        /// The connection's number.
        connection: u32,
        /// The segment with it.
        at: Moment,
        /// The direction of the sender.
        direction: Direction,
    },
    /// The connection is over.
    Closed {
        /// The connection's number.
        connection: u32,
        /// The frame at which it ended.
        at: Moment,
        /// The reason.
        by: Close<Direction>,
        /// The side that sent the first FIN; `None` if there was none, or it is unknown.
        first_fin: Option<Direction>,
    },
}

impl ConversationEvent<'_> {
    /// The number of the connection that the event concerns.
    pub fn connection(&self) -> u32 {
        match *self {
            ConversationEvent::Opened { connection, .. }
            | ConversationEvent::Bytes { connection, .. }
            | ConversationEvent::Datagram { connection, .. }
            | ConversationEvent::Gap { connection, .. }
            | ConversationEvent::Conflict { connection, .. }
            | ConversationEvent::Lag { connection, .. }
            | ConversationEvent::ProxyHeader { connection, .. }
            | ConversationEvent::BadFrame { connection, .. }
            | ConversationEvent::Undecryptable { connection, .. }
            | ConversationEvent::OtherProtocol { connection, .. }
            | ConversationEvent::Fin { connection, .. }
            | ConversationEvent::Closed { connection, .. } => connection,
        }
    }
}

impl ConversationEvent<'_> {
    /// The frame and time of the event.
    pub fn at(&self) -> Moment {
        match *self {
            ConversationEvent::Opened { at, .. }
            | ConversationEvent::Bytes { at, .. }
            | ConversationEvent::Datagram { at, .. }
            | ConversationEvent::Gap { at, .. }
            | ConversationEvent::Conflict { at, .. }
            | ConversationEvent::Lag { at, .. }
            | ConversationEvent::ProxyHeader { at, .. }
            | ConversationEvent::BadFrame { at, .. }
            | ConversationEvent::Undecryptable { at, .. }
            | ConversationEvent::OtherProtocol { at, .. }
            | ConversationEvent::Fin { at, .. }
            | ConversationEvent::Closed { at, .. } => at,
        }
    }
}

/// A protocol other than MQTT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherProtocol {
    /// TLS that was not decrypted.
    Tls {
        /// The server's name in the client's SNI extension.
        server_name: Option<String>,
        /// The reason, if decryption was attempted.
        reason: Option<Undecryptable>,
    },
    /// HTTP that was not upgraded to a WebSocket with MQTT.
    Http {
        /// The first line of the request, if it was seen.
        request: Option<String>,
        /// The first line of the answer, if it was seen.
        response: Option<String>,
    },
    /// An invalid PROXY protocol header without an end.
    ProxyHeader(ProxyFault),
    /// Neither side sent a byte.
    Silent,
    /// The server refused the TCP connection: it answered SYN with RST.
    Refused {
        /// The port is one at which brokers listen.
        expects_mqtt: bool,
    },
    /// A protocol that was not recognised.
    Unknown,
}

/// Turns TCP streams into conversations.
#[derive(Default)]
pub struct Conversations {
    conversations: ConnectionTable<Conversation>,
    shared: Shared,
}

impl Conversations {
    /// Uses `decryptor` to read TLS.
    #[must_use]
    pub fn new(decryptor: Option<Box<dyn Decryptor>>) -> Conversations {
        Conversations { conversations: ConnectionTable::default(), shared: Shared::new(decryptor) }
    }

    /// Takes an event of a TCP connection, and emits the resulting events.
    pub fn event(&mut self, event: &reassembly::TcpEvent<'_>, emit: &mut impl FnMut(ConversationEvent<'_>)) {
        use reassembly::TcpEvent as Tcp;
        if let Tcp::Opened { connection, at, a, b, start } = *event {
            let conversation = Conversation::new(connection, at, [a, b], start);
            self.conversations.insert(connection, conversation);
            return;
        }
        let (Tcp::Opened { connection, .. }
        | Tcp::Data { connection, .. }
        | Tcp::Gap { connection, .. }
        | Tcp::Conflict { connection, .. }
        | Tcp::Lag { connection, .. }
        | Tcp::Fin { connection, .. }
        | Tcp::Closed { connection, .. }) = *event;
        let Some(conversation) = self.conversations.get_mut(connection) else { return };
        match *event {
            Tcp::Opened { .. } => {}
            Tcp::Data { at, side, offset: stream_offset, bytes, .. } => {
                let part = StreamPart { side, at, stream_offset, chunk: Chunk::Bytes(bytes) };
                conversation.receive(&part, &mut self.shared, emit);
            }
            Tcp::Gap { at, side, offset: stream_offset, length, .. } => {
                let part = StreamPart { side, at, stream_offset, chunk: Chunk::Gap(length) };
                conversation.receive(&part, &mut self.shared, emit);
            }
            Tcp::Conflict { at, side, offset, length, .. } => {
                conversation.conflict(side, at, offset, length, &mut self.shared, emit);
            }
            Tcp::Lag { at, side, .. } => conversation.lag(side, at, emit),
            Tcp::Fin { at, side, .. } => conversation.fin(side, at, emit),
            Tcp::Closed { at, by, .. } => conversation.close(at, by, &mut self.shared, emit),
        }
        if conversation.is_over() {
            self.conversations.remove(connection);
        }
    }
}

impl std::fmt::Debug for Conversations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversations").field("talks", &self.conversations.len()).finish_non_exhaustive()
    }
}
