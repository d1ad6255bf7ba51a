//! TLS: how it is recognised, what it says in the clear, and where somebody who has the keys comes in.
//!
//! A decryptor stands between the TCP streams and the detection of what is spoken: a connection that begins with a ClientHello is offered to it,
//! and if it takes the connection it is given every byte of both directions, from the first on, and gives plain bytes back.

use super::Direction;
use crate::inspect::capture::Moment;
use rustls::server::Acceptor;
use rustls::{AlertDescription, CipherSuite, ProtocolVersion};

/// The next part of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Bytes, never none.
    Bytes(&'a [u8]),
    /// So many bytes that the capture does not have.
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

/// Who can read TLS.
pub trait Decryptor {
    /// Takes a connection whose client sent `hello`, or more or less of it, or says why not.
    fn session(&mut self, connection: u32, hello: &[u8]) -> Result<Box<dyn Session>, Undecryptable>;
}

/// One TLS connection.
pub trait Session {
    /// Takes the next part of one direction, and gives what becomes readable, which may be in the other one. An error when
    /// nothing more of the connection can be read.
    fn receive(
        &mut self,
        direction: Direction,
        at: Moment,
        chunk: Chunk<'_>,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable>;

    /// The connection is over. Gives what becomes readable only now, and tells why what is left does not.
    fn close(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>));
}

/// What comes out of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain<'a> {
    /// Bytes, never none.
    Bytes(&'a [u8]),
    /// Nothing more can be read of this direction.
    Lost(Undecryptable),
}

/// Why TLS cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecryptable {
    /// Nobody has secrets.
    #[error("there is no key log")]
    NoKeyLog,
    /// There are secrets, but not of this connection.
    #[error("the key log has no secret for it")]
    NoSecret,
    /// What a secret opens is not authentic.
    #[error("the secret in the key log is not the right one")]
    WrongSecret,
    /// A hello is missing.
    #[error("its handshake was not captured")]
    NoHandshake,
    /// Neither 1.2 nor 1.3.
    #[error("{} is not decrypted, only TLS 1.2 and 1.3 are", .0.as_str().unwrap_or("an unknown version"))]
    Version(ProtocolVersion),
    /// A cipher that is not known here.
    #[error("the cipher suite {} is not supported", name(*.0))]
    CipherSuite(CipherSuite),
    /// Bytes that the capture does not have.
    #[error("bytes are missing in the capture")]
    Gap,
    /// A handshake within the connection (TLS 1.2).
    #[error("a new handshake begins (renegotiation), which is not followed")]
    Renegotiation,
    /// Data before the handshake (TLS 1.3).
    #[error("it begins with early data (0-RTT), which is not decrypted")]
    EarlyData,
    /// A record that cannot be, or was changed.
    #[error("a record is damaged")]
    Malformed,
    /// The handshake ended with an alert.
    #[error("the handshake failed: {}", .0.as_str().unwrap_or("an unknown alert"))]
    Alert(AlertDescription),
    /// No application data was sent.
    #[error("nothing was said in it")]
    Silent,
}

/// A suite's name, or else its number.
fn name(suite: CipherSuite) -> String {
    suite.as_str().map_or_else(|| format!("{:#06x}", u16::from(suite)), str::to_owned)
}

/// Which side's handshake begins a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hello {
    Client,
    Server,
}

/// What a ClientHello says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerName {
    /// More bytes are needed.
    Incomplete,
    /// This name, or none.
    Known(Option<String>),
}

/// Whether `bytes` start with a handshake record. They have to be 6.
pub(super) fn hello(bytes: &[u8]) -> Option<Hello> {
    match bytes {
        [0x16, 3, 0..=4, _, _, 1, ..] => Some(Hello::Client),
        [0x16, 3, 0..=4, _, _, 2, ..] => Some(Hello::Server),
        _ => None,
    }
}

/// Whether fewer bytes may become a handshake record.
pub(super) fn may_be_hello(bytes: &[u8]) -> bool {
    bytes.len() < 6 && matches!(bytes, [0x16] | [0x16, 3] | [0x16, 3, 0..=4, ..])
}

/// Whether `bytes` start with a record of encrypted data, as in the midst of a connection.
pub(super) fn is_encrypted_data(bytes: &[u8]) -> bool {
    // A record has at most 2^14 bytes and what encryption adds.
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
