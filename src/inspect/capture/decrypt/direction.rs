//! One direction of a TLS connection: the keys of the next record, and the contents of records.

use super::hello::{ClientHello, ServerHello};
use super::keylog::{Label, Secrets};
use super::keys::{self, Keys};
use super::message::{self, HandshakeMessages};
use super::record::{self, Record, Records};
use super::suite::TlsVersion;
use super::{HandshakeState, ServerParameters};
use crate::inspect::Direction;
use crate::inspect::capture::conversation::{Plain, Undecryptable};
use rustls::AlertDescription;

pub(super) struct DirectionDecryptor {
    direction: Direction,
    records: Records,
    messages: HandshakeMessages,
    epoch: Epoch,
    /// The reason why the record at the front cannot be read yet.
    waits_for: Option<Undecryptable>,
    /// The alert that ended the handshake.
    alert: Option<Undecryptable>,
}

/// The keys of the next record.
enum Epoch {
    Clear,
    /// TLS 1.3 before the side's Finished.
    Handshake(Keys),
    /// Before the first record with application keys.
    BeforeApplication,
    Application {
        keys: Keys,
        /// The secret from which a key update derives the next one.
        secret: Vec<u8>,
    },
    /// TLS 1.2 after the side's ChangeCipherSpec.
    Tls12(Keys),
    /// Nothing more can be read.
    Unreadable,
}

/// Whether a record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Some,
    Nothing,
}

/// Whether the record at the front can be read.
enum Ready {
    Yes,
    /// It has no content that matters.
    Skip,
    No(Undecryptable),
}

impl DirectionDecryptor {
    pub(super) fn new(direction: Direction) -> DirectionDecryptor {
        DirectionDecryptor {
            direction,
            records: Records::default(),
            messages: HandshakeMessages::default(),
            epoch: Epoch::Clear,
            waits_for: None,
            alert: None,
        }
    }

    /// Appends the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.epoch, Epoch::Unreadable) {
            self.records.push(bytes);
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.records.buffered() + self.messages.buffered()
    }

    /// The reason why buffered bytes were not read.
    pub(super) fn unread(&self) -> Option<Undecryptable> {
        self.alert.clone().or_else(|| self.waits_for.clone())
    }

    /// Marks the rest of this direction as unreadable. Reported once.
    pub(super) fn mark_unreadable(
        &mut self,
        why: Undecryptable,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) {
        if !matches!(self.epoch, Epoch::Unreadable) {
            *self =
                DirectionDecryptor { epoch: Epoch::Unreadable, ..DirectionDecryptor::new(self.direction) };
            plain(self.direction, Plain::Unreadable(why));
        }
    }

    /// Reads all records that can be read. Returns an error if nothing more of the connection can be read.
    pub(super) fn read(
        &mut self,
        handshake: &mut HandshakeState,
        secrets: &mut dyn Secrets,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<Progress, Undecryptable> {
        let mut progress = Progress::Nothing;
        while let Some(record) = self.records.front().transpose() {
            let Ok(kind) = record else {
                self.mark_unreadable(Undecryptable::Malformed, plain);
                break;
            };
            self.waits_for = match self.prepare(kind, handshake, secrets) {
                Ready::No(why) => Some(why),
                Ready::Skip => {
                    self.records.take();
                    None
                }
                Ready::Yes => {
                    let record = self.records.take();
                    self.open(record, handshake, plain)?;
                    None
                }
            };
            if self.waits_for.is_some() {
                break;
            }
            progress = Progress::Some;
        }
        Ok(progress)
    }

    /// Ensures that the keys for a record of this kind are available.
    fn prepare(&mut self, kind: u8, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        match (&self.epoch, kind) {
            (Epoch::Clear, record::CHANGE_CIPHER_SPEC) => self.change_cipher_spec(handshake, secrets),
            (Epoch::Clear, record::APPLICATION_DATA) => match handshake.server {
                None => Ready::No(Undecryptable::NoHandshake),
                Some(parameters) => self.start_handshake(parameters, handshake, secrets),
            },
            (
                Epoch::Handshake(_) | Epoch::BeforeApplication | Epoch::Application { .. },
                record::CHANGE_CIPHER_SPEC,
            ) => Ready::Skip,
            (Epoch::BeforeApplication, _) => self.start_application(handshake, secrets),
            _ => Ready::Yes,
        }
    }

    fn change_cipher_spec(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        let parameters = match (handshake.server, self.direction) {
            (Some(parameters), _) => parameters,
            // In TLS 1.3 it has no content, and may follow a HelloRetryRequest.
            (None, Direction::ServerToClient) => return Ready::Skip,
            (None, Direction::ClientToServer) => return Ready::No(Undecryptable::NoHandshake),
        };
        if parameters.suite.version == TlsVersion::Tls13 {
            return Ready::Skip;
        }
        match secret(Label::Master, handshake, secrets) {
            Err(why) => Ready::No(why),
            Ok((client, master)) => {
                let keys = Keys::tls12(&parameters, &master, &client.random, self.direction);
                self.set(keys.map(Epoch::Tls12), Ready::Skip)
            }
        }
    }

    fn start_handshake(
        &mut self,
        parameters: ServerParameters,
        handshake: &HandshakeState,
        secrets: &mut dyn Secrets,
    ) -> Ready {
        if parameters.suite.version == TlsVersion::Tls12 {
            return Ready::No(Undecryptable::Malformed);
        }
        let label = match self.direction {
            Direction::ClientToServer => Label::ClientHandshake,
            Direction::ServerToClient => Label::ServerHandshake,
        };
        match secret(label, handshake, secrets) {
            Err(why) => Ready::No(why),
            Ok((_, secret)) => {
                let keys = Keys::tls13(parameters.suite, &secret);
                self.set(keys.map(Epoch::Handshake), Ready::Yes)
            }
        }
    }

    fn start_application(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        let label = match self.direction {
            Direction::ClientToServer => Label::ClientTraffic,
            Direction::ServerToClient => Label::ServerTraffic,
        };
        match (handshake.server, secret(label, handshake, secrets)) {
            (None, _) => Ready::No(Undecryptable::NoHandshake),
            (_, Err(why)) => Ready::No(why),
            (Some(parameters), Ok((_, secret))) => {
                let keys = Keys::tls13(parameters.suite, &secret);
                self.set(keys.map(|keys| Epoch::Application { keys, secret }), Ready::Yes)
            }
        }
    }

    fn set(&mut self, epoch: Option<Epoch>, ready: Ready) -> Ready {
        match epoch {
            None => Ready::No(Undecryptable::WrongSecret),
            Some(epoch) => {
                self.epoch = epoch;
                ready
            }
        }
    }

    /// Decrypts a record and handles its content.
    fn open(
        &mut self,
        mut record: Record,
        handshake: &mut HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        let keys = match &mut self.epoch {
            Epoch::Unreadable | Epoch::BeforeApplication => return Ok(()),
            Epoch::Clear => return self.clear(&record, handshake, plain),
            Epoch::Handshake(keys) | Epoch::Application { keys, .. } | Epoch::Tls12(keys) => keys,
        };
        let is_first = keys.is_unused();
        match keys.open(&mut record) {
            Some((record::APPLICATION_DATA, bytes)) if !bytes.is_empty() => {
                plain(self.direction, Plain::Bytes(bytes));
            }
            Some((record::HANDSHAKE, bytes)) => {
                self.messages.push(bytes);
                self.encrypted_messages(handshake, plain);
            }
            Some((record::ALERT, bytes)) => self.handle_alert(bytes),
            Some(_) => {}
            None => {
                let why = self.failure(is_first, handshake);
                self.mark_unreadable(why, plain);
            }
        }
        Ok(())
    }

    fn failure(&self, is_first: bool, handshake: &HandshakeState) -> Undecryptable {
        let offers_early_data = handshake.client.as_ref().is_some_and(|hello| hello.offers_early_data);
        match (is_first, self.direction) {
            (true, Direction::ClientToServer) if offers_early_data => Undecryptable::EarlyData,
            (true, _) => Undecryptable::WrongSecret,
            (false, _) => Undecryptable::Malformed,
        }
    }

    /// Handles an unencrypted record; only the hellos matter.
    fn clear(
        &mut self,
        record: &Record,
        handshake: &mut HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        match record.kind() {
            record::ALERT => self.handle_alert(&record.body),
            record::HANDSHAKE => self.messages.push(&record.body),
            _ => {}
        }
        while let Some(message) = self.messages.next() {
            match (message.kind, self.direction) {
                (message::CLIENT_HELLO, Direction::ClientToServer) => {
                    handshake.client = ClientHello::read(&message.body);
                }
                (message::SERVER_HELLO, Direction::ServerToClient) => {
                    match ServerHello::read(&message.body) {
                        Some(hello) if hello.is_retry() => {}
                        Some(hello) => handshake.choose(&hello)?,
                        None => self.mark_unreadable(Undecryptable::Malformed, plain),
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn encrypted_messages(
        &mut self,
        handshake: &HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) {
        while let Some(message) = self.messages.next() {
            match (&mut self.epoch, message.kind) {
                (Epoch::Handshake(_), message::FINISHED) => self.epoch = Epoch::BeforeApplication,
                (Epoch::Application { keys, secret }, message::KEY_UPDATE) => {
                    let Some(parameters) = handshake.server else { return };
                    *secret = keys::next_secret(parameters.suite, secret);
                    match Keys::tls13(parameters.suite, secret) {
                        Some(next) => *keys = next,
                        None => self.mark_unreadable(Undecryptable::Malformed, plain),
                    }
                }
                (Epoch::Tls12(_), message::CLIENT_HELLO | message::SERVER_HELLO) => {
                    self.mark_unreadable(Undecryptable::Renegotiation, plain);
                }
                _ => {}
            }
        }
    }

    /// Records an alert that ends the handshake. A `close_notify` only ends the connection.
    fn handle_alert(&mut self, alert: &[u8]) {
        if let (&[2, description], Epoch::Clear | Epoch::Handshake(_) | Epoch::BeforeApplication) =
            (alert, &self.epoch)
        {
            self.alert = Some(Undecryptable::Alert(AlertDescription::from(description)));
        }
    }
}

/// A secret of the connection, with its ClientHello.
fn secret<'a>(
    label: Label,
    handshake: &'a HandshakeState,
    secrets: &mut dyn Secrets,
) -> Result<(&'a ClientHello, Vec<u8>), Undecryptable> {
    let client = handshake.client.as_ref().ok_or(Undecryptable::NoHandshake)?;
    let secret = secrets.secret(label, &client.random).ok_or(Undecryptable::NoSecret)?;
    Ok((client, secret))
}
