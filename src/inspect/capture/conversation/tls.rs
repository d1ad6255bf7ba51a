//! TLS: recognition, the fields in clear text, and the interface to a decryptor.
//!
//! A decryptor sits between the TCP streams and protocol detection. It is offered each connection that begins with a ClientHello.
//! If it accepts, it receives every byte of both directions, and returns the decrypted bytes.

use super::Direction;
use crate::inspect::capture::Moment;
use rustls::server::Acceptor;
use rustls::{AlertDescription, CipherSuite, ProtocolVersion};

/// The next part of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Never empty.
    Bytes(&'a [u8]),
    /// Bytes that are missing from the capture: the number of them, or 0 if it is unknown.
    Gap(u64),
}

impl Chunk<'_> {
    pub(super) fn length(&self) -> u64 {
        match self {
            Chunk::Bytes(bytes) => bytes.len() as u64,
            Chunk::Gap(length) => *length,
        }
    }
}

/// A source of decrypted TLS.
pub trait Decryptor {
    /// Starts a session for a connection whose client sent `hello`, which may be cut off or followed by other bytes; or returns
    /// the reason why it cannot be decrypted.
    fn session(&mut self, connection: u32, hello: &[u8]) -> Result<Box<dyn Session>, Undecryptable>;
}

/// One TLS connection.
pub trait Session {
    /// Takes the next part of one direction, and emits the bytes that become readable, which may be in the other direction.
    /// Returns an error if nothing more of the connection can be read.
    fn receive(
        &mut self,
        direction: Direction,
        at: Moment,
        chunk: Chunk<'_>,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable>;

    /// Ends the connection. Emits the bytes that only now become readable, and the reason why the others do not.
    fn close(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>));
}

/// The decrypted part of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain<'a> {
    /// Never empty.
    Bytes(&'a [u8]),
    /// Bytes are missing: the number of them, or 0 if it is unknown.
    Gap(u64),
    /// Nothing more of this direction can be read.
    Unreadable(Undecryptable),
}

/// The reason why TLS cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecryptable {
    /// No secrets are available.
    #[error("no key log")]
    NoKeyLog,
    /// There are secrets, but not for this connection.
    #[error("the key log has no secret for this connection")]
    NoSecret,
    /// Authentication fails with the secret.
    #[error("the secret in the key log does not match")]
    WrongSecret,
    /// A hello is missing.
    #[error("the handshake was not captured")]
    NoHandshake,
    /// Neither TLS 1.2 nor 1.3.
    #[error("unsupported version: {}; only TLS 1.2 and 1.3 can be decrypted", .0.as_str().unwrap_or("unknown"))]
    Version(ProtocolVersion),
    /// An unknown cipher suite.
    #[error("unsupported cipher suite: {}", name(*.0))]
    CipherSuite(CipherSuite),
    /// Bytes are missing from the capture.
    #[error("bytes are missing from the capture")]
    Gap,
    /// Too many handshakes (TLS 1.2).
    #[error("too many renegotiations")]
    Renegotiation,
    /// Data before the end of the handshake (TLS 1.3), without its secret.
    #[error("the key log has no secret for early data (0-RTT)")]
    EarlyData,
    /// A record that is invalid or was modified.
    #[error("invalid record")]
    Malformed,
    /// The handshake ended with an alert of this sender.
    #[error("the handshake failed: the {} sent {}", .0.sender(), alert_name(*.1))]
    Alert(Direction, AlertDescription),
    /// No application data was sent.
    #[error("no application data was sent")]
    Silent,
}

/// An alert's name, or else its number.
pub(crate) fn alert_name(description: AlertDescription) -> String {
    let number = || format!("alert {}", u8::from(description));
    description.as_str().map_or_else(number, str::to_owned)
}

/// A suite's name, or else its number.
fn name(suite: CipherSuite) -> String {
    suite.as_str().map_or_else(|| format!("{:#06x}", u16::from(suite)), str::to_owned)
}

/// The handshake message that begins a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hello {
    Client,
    Server,
}

/// The server name in a ClientHello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerName {
    /// More bytes are needed.
    Incomplete,
    /// The ClientHello is complete, with or without a name.
    Known(Option<String>),
}

/// Whether `bytes` start with a handshake record. Needs 6 bytes.
pub(super) fn hello(bytes: &[u8]) -> Option<Hello> {
    match bytes {
        [0x16, 3, 0..=4, _, _, 1, ..] => Some(Hello::Client),
        [0x16, 3, 0..=4, _, _, 2, ..] => Some(Hello::Server),
        _ => None,
    }
}

/// Whether too few `bytes` to decide may become a handshake record.
pub(super) fn may_be_hello(bytes: &[u8]) -> bool {
    bytes.len() < 6 && matches!(bytes, [0x16] | [0x16, 3] | [0x16, 3, 0..=4, ..])
}

/// Whether `bytes` start with a record of encrypted data, as in the middle of a connection.
pub(super) fn is_encrypted_data(bytes: &[u8]) -> bool {
    // A record holds at most 2^14 bytes plus the overhead of encryption.
    matches!(bytes, [0x17, 3, 1..=3, 0..=0x41, ..])
}

/// The server's name in a ClientHello.
pub(super) fn server_name(bytes: &[u8]) -> ServerName {
    let mut acceptor = Acceptor::default();
    let mut rest = bytes;
    while !rest.is_empty() && matches!(acceptor.read_tls(&mut rest), Ok(1..)) {
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                return ServerName::Known(accepted.client_hello().server_name().map(str::to_owned));
            }
            Ok(None) => {}
            Err(_) => return ServerName::Known(None),
        }
    }
    ServerName::Incomplete
}
