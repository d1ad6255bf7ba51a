//! Decrypts TLS 1.2 and 1.3 with the secrets of a key log: records in, application data out.
//!
//! Each direction is read on its own, as far as its keys are known. Keys may arrive after the records (a key log is written while
//! the capture runs), so records are buffered, within bounds. Only authenticated bytes are emitted: a wrong secret is reported
//! and yields no bytes.

mod aead;
mod direction;
mod hello;
mod keylog;
mod keys;
mod loss;
mod mac;
mod message;
mod record;
mod suite;
#[cfg(test)]
mod tests;
mod version;
mod watch;

pub(crate) use keylog::{KeyLog, Label, Secrets};

use super::Moment;
use super::conversation::{Chunk, Decryptor, Plain, Session, Undecryptable};
use crate::inspect::Direction;
use direction::{DirectionDecryptor, Progress};
use hello::{ClientHello, ServerHello};
use std::cell::RefCell;
use std::rc::Rc;
use suite::Suite;
use watch::HandshakeWatch;

/// The most that one connection may buffer while it waits for a secret, or for the other side's hello.
const MAX_WAITING: usize = 256 << 10;

/// The most that all connections may buffer.
const MAX_BUFFERED: usize = 64 << 20;

/// The most handshakes of one connection.
const MAX_HANDSHAKES: usize = 1000;

/// Decrypts TLS with secrets from a [`Secrets`].
pub(crate) struct TlsDecryptor {
    shared: Rc<RefCell<Shared>>,
}

/// State shared by all connections.
struct Shared {
    secrets: Box<dyn Secrets>,
    /// The number of buffered bytes.
    buffered: usize,
}

struct TlsConnection {
    shared: Rc<RefCell<Shared>>,
    handshake: HandshakeState,
    client: DirectionDecryptor,
    server: DirectionDecryptor,
    /// This connection's share of `Shared::buffered`.
    buffered: usize,
}

/// The handshake messages of both sides that have arrived.
#[derive(Default)]
struct HandshakeState {
    /// The first handshake, and each renegotiation.
    hellos: Vec<Hellos>,
    /// Whether the server accepts early data, once it is known.
    accepts_early_data: Option<bool>,
}

/// The fields of the hellos of one handshake.
#[derive(Default)]
struct Hellos {
    client: Option<ClientHello>,
    server: Option<ServerParameters>,
}

/// The parameters that the server chose.
#[derive(Clone, Copy)]
struct ServerParameters {
    suite: Suite,
    random: [u8; 32],
    encrypt_then_mac: bool,
}

impl TlsDecryptor {
    #[must_use]
    pub(crate) fn new(secrets: Box<dyn Secrets>) -> TlsDecryptor {
        TlsDecryptor { shared: Rc::new(RefCell::new(Shared { secrets, buffered: 0 })) }
    }
}

impl Decryptor for TlsDecryptor {
    fn session(&mut self, _connection: u32, hello: &[u8]) -> Result<Box<dyn Session>, Undecryptable> {
        if self.shared.borrow_mut().secrets.is_empty() {
            return match record::is_client_hello(hello) {
                true => Ok(Box::new(HandshakeWatch::new())),
                false => Err(Undecryptable::NoKeyLog),
            };
        }
        // Without the client random, secrets cannot be looked up.
        if !record::is_client_hello(hello) {
            return Err(Undecryptable::NoHandshake);
        }
        Ok(Box::new(TlsConnection {
            shared: Rc::clone(&self.shared),
            handshake: HandshakeState::default(),
            client: DirectionDecryptor::new(Direction::ClientToServer),
            server: DirectionDecryptor::new(Direction::ServerToClient),
            buffered: 0,
        }))
    }
}

impl Session for TlsConnection {
    fn receive(
        &mut self,
        direction: Direction,
        _at: Moment,
        chunk: Chunk<'_>,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        let direction_decryptor = match direction {
            Direction::ClientToServer => &mut self.client,
            Direction::ServerToClient => &mut self.server,
        };
        match chunk {
            Chunk::Bytes(bytes) => direction_decryptor.push(bytes),
            Chunk::Gap(length) => direction_decryptor.gap(length, &self.handshake, plain),
        }
        self.read(plain)?;
        self.account()
    }

    fn close(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>)) {
        let failure = self.read(plain).err();
        for direction_decryptor in [&mut self.client, &mut self.server] {
            let reason = failure.clone().or_else(|| direction_decryptor.unread());
            if let Some(reason) = reason {
                direction_decryptor.mark_unreadable(reason, plain);
            }
        }
    }
}

impl TlsConnection {
    /// Reads both directions as far as possible: records of one may unblock the other.
    fn read(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>)) -> Result<(), Undecryptable> {
        let mut shared = self.shared.borrow_mut();
        loop {
            let client = self.client.read(&mut self.handshake, &mut *shared.secrets, plain)?;
            let server = self.server.read(&mut self.handshake, &mut *shared.secrets, plain)?;
            if (client, server) == (Progress::Nothing, Progress::Nothing) {
                return Ok(());
            }
        }
    }

    /// Enforces the limits on buffered bytes.
    fn account(&mut self) -> Result<(), Undecryptable> {
        let mut shared = self.shared.borrow_mut();
        let buffered = self.client.buffered() + self.server.buffered();
        shared.buffered = (shared.buffered + buffered).saturating_sub(self.buffered);
        self.buffered = buffered;
        match buffered > MAX_WAITING || shared.buffered > MAX_BUFFERED {
            true => Err(self.server.unread().or(self.client.unread()).unwrap_or(Undecryptable::NoSecret)),
            false => Ok(()),
        }
    }
}

impl Drop for TlsConnection {
    fn drop(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.buffered = shared.buffered.saturating_sub(self.buffered);
    }
}

impl HandshakeState {
    /// The hellos of a handshake, the first of which has number 0; `None` if there were too many.
    fn hellos_mut(&mut self, number: usize) -> Option<&mut Hellos> {
        if number < MAX_HANDSHAKES && self.hellos.len() <= number {
            self.hellos.resize_with(number + 1, Hellos::default);
        }
        self.hellos.get_mut(number)
    }

    fn client(&self, number: usize) -> Option<&ClientHello> {
        self.hellos.get(number)?.client.as_ref()
    }

    fn server(&self, number: usize) -> Option<ServerParameters> {
        self.hellos.get(number)?.server
    }
}

impl ServerParameters {
    /// The parameters in a ServerHello.
    fn of(hello: &ServerHello) -> Result<ServerParameters, Undecryptable> {
        let ServerHello { random, encrypt_then_mac, version, cipher_suite } = *hello;
        Ok(ServerParameters { suite: Suite::find(version, cipher_suite)?, random, encrypt_then_mac })
    }
}
