//! Conversations: who is the client, what is spoken, and the bytes of the application's protocol.

use super::Moment;
use super::reassembly::{Close, Start};
use std::net::SocketAddr;

/// Who speaks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What the client sent.
    ClientToServer,
    /// What the server sent.
    ServerToClient,
}

/// What carries MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        /// How many.
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
    /// The connection speaks something else. Nothing follows about it.
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

/// What else a connection can speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// TLS that nobody decrypted.
    Tls {
        /// The server's name, as the client asked for it.
        server_name: Option<String>,
    },
    /// HTTP that did not become a WebSocket with MQTT in it.
    Http {
        /// The first line of the request, if it was seen.
        request: Option<String>,
        /// The first line of the answer, if it was seen.
        response: Option<String>,
    },
    /// Not a byte was sent.
    Silent,
    /// None of those that are known here.
    Unknown,
}

/// What is wrong with a WebSocket frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// MQTT comes in binary frames [MQTT-6.0.0-1]. The payload is taken nonetheless.
    #[error("a text frame; MQTT comes in binary ones")]
    Text,
    /// A client masks its frames.
    #[error("a client's frame that is not masked")]
    Unmasked,
    /// A server does not mask its frames.
    #[error("a server's frame that is masked")]
    Masked,
    /// A message's first frame before the last message ended, or a continuation of none. The payload is taken nonetheless.
    #[error("a frame out of order")]
    Order,
    /// More than 125 bytes, or in parts.
    #[error("a control frame that is too long or in parts")]
    Control,
    /// No such kind of frame. It is skipped.
    #[error("a frame with the reserved opcode {0:#x}")]
    Opcode(u8),
    /// A compressed payload, or another extension. The direction cannot be read on.
    #[error("a frame with reserved bits, as compression sets them")]
    ReservedBits,
    /// Over 63 bits. The direction cannot be read on.
    #[error("a frame with a length of over 63 bits")]
    Length,
    /// Bytes are missing where frames meet, so nobody knows where the next one starts. The direction cannot be read on.
    #[error("missing bytes between frames; the rest of this direction cannot be read")]
    LostTrack,
}

impl FrameFault {
    /// Whether nothing more can be read of the direction.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        matches!(self, FrameFault::ReservedBits | FrameFault::Length | FrameFault::LostTrack)
    }
}
