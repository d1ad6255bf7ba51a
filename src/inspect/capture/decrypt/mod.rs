//! Decrypts TLS 1.2 and 1.3 with the secrets of a key log: records in, application data out.
//!
//! Each direction is read on its own, as far as its keys are known. Keys may arrive after the records (a key log is written while
//! the capture runs), so records are buffered, within bounds. Only authenticated bytes are emitted: a wrong secret is reported
//! and yields no bytes.

mod direction;
mod hello;
mod keylog;
mod keys;
mod message;
mod record;
mod suite;
#[cfg(test)]
mod tests;

pub use keylog::{KeyLog, Label, Secrets};

use super::Moment;
use super::conversation::{Chunk, Decryptor, Plain, Session, Undecryptable};
use crate::inspect::Direction;
use direction::{Half, Progress};
use hello::{ClientHello, ServerHello};
use std::cell::RefCell;
use std::rc::Rc;
use suite::Suite;

/// The most that one connection may buffer while it waits for a secret, or for the other side's hello.
const MAX_WAITING: usize = 256 << 10;

/// The most that all connections may buffer.
const MAX_HELD: usize = 64 << 20;

/// Decrypts TLS with secrets from a [`Secrets`].
pub struct TlsDecryptor {
    shared: Rc<RefCell<Shared>>,
}

/// State shared by all connections.
struct Shared {
    secrets: Box<dyn Secrets>,
    /// The number of buffered bytes.
    held: usize,
}

/// One connection.
struct Connection {
    shared: Rc<RefCell<Shared>>,
    agreement: Agreement,
    client: Half,
    server: Half,
    /// This connection's share of `Shared::held`.
    held: usize,
}

/// The fields of both hellos, as far as they have arrived.
#[derive(Default)]
struct Agreement {
    client: Option<ClientHello>,
    server: Option<Agreed>,
}

/// The parameters that the server chose.
#[derive(Clone, Copy)]
struct Agreed {
    suite: Suite,
    random: [u8; 32],
}

impl TlsDecryptor {
    /// Uses the secrets of `secrets`.
    #[must_use]
    pub fn new(secrets: Box<dyn Secrets>) -> TlsDecryptor {
        TlsDecryptor { shared: Rc::new(RefCell::new(Shared { secrets, held: 0 })) }
    }
}

impl Decryptor for TlsDecryptor {
    fn session(&mut self, _connection: u32, hello: &[u8]) -> Result<Box<dyn Session>, Undecryptable> {
        if self.shared.borrow_mut().secrets.is_empty() {
            return Err(Undecryptable::NoKeyLog);
        }
        // Without the client random, secrets cannot be looked up.
        if !record::is_client_hello(hello) {
            return Err(Undecryptable::NoHandshake);
        }
        Ok(Box::new(Connection {
            shared: Rc::clone(&self.shared),
            agreement: Agreement::default(),
            client: Half::new(Direction::ClientToServer),
            server: Half::new(Direction::ServerToClient),
            held: 0,
        }))
    }
}

impl Session for Connection {
    fn receive(
        &mut self,
        direction: Direction,
        _at: Moment,
        chunk: Chunk<'_>,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        let half = self.half(direction);
        match chunk {
            Chunk::Bytes(bytes) => half.push(bytes),
            Chunk::Gap(_) => half.lose(Undecryptable::Gap, plain),
        }
        self.read(plain)?;
        self.account()
    }

    fn close(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>)) {
        let failure = self.read(plain).err();
        for half in [&mut self.client, &mut self.server] {
            let why = failure.clone().or_else(|| half.unread());
            if let Some(why) = why {
                half.lose(why, plain);
            }
        }
    }
}

impl Connection {
    fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::ClientToServer => &mut self.client,
            Direction::ServerToClient => &mut self.server,
        }
    }

    /// Reads both directions as far as possible: records of one may unblock the other.
    fn read(&mut self, plain: &mut dyn FnMut(Direction, Plain<'_>)) -> Result<(), Undecryptable> {
        let mut shared = self.shared.borrow_mut();
        loop {
            let client = self.client.read(&mut self.agreement, &mut *shared.secrets, plain)?;
            let server = self.server.read(&mut self.agreement, &mut *shared.secrets, plain)?;
            if (client, server) == (Progress::Nothing, Progress::Nothing) {
                return Ok(());
            }
        }
    }

    /// Enforces the limits on buffered bytes.
    fn account(&mut self) -> Result<(), Undecryptable> {
        let mut shared = self.shared.borrow_mut();
        let held = self.client.held() + self.server.held();
        shared.held = (shared.held + held).saturating_sub(self.held);
        self.held = held;
        match held > MAX_WAITING || shared.held > MAX_HELD {
            true => Err(self.server.unread().or(self.client.unread()).unwrap_or(Undecryptable::NoSecret)),
            false => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.held = shared.held.saturating_sub(self.held);
    }
}

impl Agreement {
    /// Records the parameters that a ServerHello chose.
    fn choose(&mut self, hello: &ServerHello) -> Result<(), Undecryptable> {
        let suite = Suite::find(hello.version, hello.cipher_suite)?;
        self.server = Some(Agreed { suite, random: hello.random });
        Ok(())
    }
}
