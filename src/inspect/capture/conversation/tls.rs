//! TLS: how it is recognised, what it says in the clear, and where somebody who has the keys comes in.
//!
//! A decryptor stands between the TCP streams and the detection of what is spoken: a connection that begins with a ClientHello is offered to it,
//! and if it takes the connection it is given every byte of both directions, from the first on, and gives plain bytes back.

use super::Direction;
use crate::inspect::capture::Moment;
use rustls::server::Acceptor;

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
    /// Takes a connection whose client sent `hello`, or more or less of it, or leaves it.
    fn session(&mut self, connection: u32, hello: &[u8]) -> Option<Box<dyn Session>>;
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
        plain: &mut dyn FnMut(Direction, Chunk<'_>),
    ) -> Result<(), Undecryptable>;
}

/// There is no key, or bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecryptable;

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
