//! One direction of a TLS connection: the keys of the next record, and the contents of records.

use super::hello::{self, ClientHello, ServerHello};
use super::keylog::{Label, Secrets};
use super::keys::{self, Keys};
use super::loss::{Attempts, Loss};
use super::message::{self, HandshakeMessages};
use super::record::{self, HEADER, Record, Records};
use super::version::TlsVersion;
use super::{HandshakeState, ServerParameters};
use crate::inspect::Direction;
use crate::inspect::capture::conversation::{Plain, Undecryptable};
use rustls::AlertDescription;

/// The most session tickets that a server is likely to send right after its handshake.
const TICKETS: u64 = 4;

pub(super) struct DirectionDecryptor {
    direction: Direction,
    records: Records,
    messages: HandshakeMessages,
    epoch: Epoch,
    /// The number of this direction's handshake: above 0 after a renegotiation.
    handshake: usize,
    /// The reason why the record at the front cannot be read yet.
    waits_for: Option<Undecryptable>,
    /// The alert that ended the handshake.
    alert: Option<Undecryptable>,
    /// The server rejected early data, so records that precede the handshake's are skipped.
    skips_early_data: bool,
    /// The place of the next record is unknown.
    loss: Option<Loss>,
    has_losses: bool,
    attempts: Attempts,
}

/// The keys of the next record.
enum Epoch {
    Clear,
    /// Early data (TLS 1.3).
    Early(Keys),
    /// After early data.
    BeforeHandshake,
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
    Tls12 {
        keys: Keys,
        /// The keys after the next ChangeCipherSpec, which a renegotiation sends.
        next: Option<Box<Keys>>,
    },
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

impl Epoch {
    fn keys(&self) -> Option<&Keys> {
        match self {
            Epoch::Early(keys)
            | Epoch::Handshake(keys)
            | Epoch::Application { keys, .. }
            | Epoch::Tls12 { keys, .. } => Some(keys),
            Epoch::Clear | Epoch::BeforeHandshake | Epoch::BeforeApplication | Epoch::Unreadable => None,
        }
    }

    fn keys_mut(&mut self) -> Option<&mut Keys> {
        match self {
            Epoch::Early(keys)
            | Epoch::Handshake(keys)
            | Epoch::Application { keys, .. }
            | Epoch::Tls12 { keys, .. } => Some(keys),
            Epoch::Clear | Epoch::BeforeHandshake | Epoch::BeforeApplication | Epoch::Unreadable => None,
        }
    }

    fn tls12(keys: Keys) -> Epoch {
        Epoch::Tls12 { keys, next: None }
    }
}

impl DirectionDecryptor {
    pub(super) fn new(direction: Direction) -> DirectionDecryptor {
        DirectionDecryptor {
            direction,
            records: Records::default(),
            messages: HandshakeMessages::default(),
            epoch: Epoch::Clear,
            handshake: 0,
            waits_for: None,
            alert: None,
            skips_early_data: false,
            loss: None,
            has_losses: false,
            attempts: Attempts::new(),
        }
    }

    /// Appends the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.epoch, Epoch::Unreadable) {
            self.attempts.add(bytes.len());
            self.records.push(bytes);
        }
    }

    /// Handles bytes that are missing.
    pub(super) fn gap(
        &mut self,
        length: u64,
        handshake: &HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) {
        if matches!(self.epoch, Epoch::Unreadable) {
            return;
        }
        self.has_losses = true;
        if self.loss.is_none() && self.records.fill(length).is_some() {
            return;
        }
        let is_waiting = self.loss.is_none() && self.waits_for.is_some();
        if is_waiting || handshake.server(0).is_none() || handshake.client(0).is_none() {
            return self.mark_unreadable(Undecryptable::Gap, plain);
        }
        let before = self.loss.take().map_or(0, |loss| loss.bytes);
        let bytes = before.saturating_add(self.records.clear() as u64).saturating_add(length);
        self.loss = Some(Loss { bytes });
    }

    /// The number of buffered bytes.
    pub(super) fn buffered(&self) -> usize {
        self.records.buffered() + self.messages.buffered()
    }

    /// The reason why bytes were not read.
    pub(super) fn unread(&self) -> Option<Undecryptable> {
        let is_lost = self.loss.as_ref().is_some_and(|loss| loss.bytes > 0);
        let has_skipped_all = self.skips_early_data && self.epoch.keys().is_some_and(Keys::is_unused);
        let rest = match (is_lost, has_skipped_all) {
            (true, _) => Some(Undecryptable::Gap),
            (false, true) => Some(Undecryptable::WrongSecret),
            (false, false) => None,
        };
        self.alert.clone().or_else(|| self.waits_for.clone()).or(rest)
    }

    /// Marks the rest of this direction as unreadable. Reported once.
    pub(super) fn mark_unreadable(
        &mut self,
        reason: Undecryptable,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) {
        if !matches!(self.epoch, Epoch::Unreadable) {
            *self =
                DirectionDecryptor { epoch: Epoch::Unreadable, ..DirectionDecryptor::new(self.direction) };
            plain(self.direction, Plain::Unreadable(reason));
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
        while self.find_record(handshake, secrets, plain)
            && let Some(record) = self.records.front().transpose()
        {
            let Ok(kind) = record else {
                let reason = if self.has_losses { Undecryptable::Gap } else { Undecryptable::Malformed };
                self.mark_unreadable(reason, plain);
                break;
            };
            self.waits_for = match self.prepare(kind, handshake, secrets) {
                Ready::No(reason) => Some(reason),
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

    /// Ensures that the next bytes are the start of a record.
    fn find_record(
        &mut self,
        handshake: &HandshakeState,
        secrets: &mut dyn Secrets,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> bool {
        let Some(mut loss) = self.loss.take() else { return true };
        let mut epochs = vec![std::mem::replace(&mut self.epoch, Epoch::Clear)];
        let following = self.following(epochs.first(), handshake, secrets);
        epochs.extend(following);
        let mut found = None;
        let (skipped, is_found) = self.records.seek(|record| {
            found = epochs.iter().enumerate().find_map(|(index, epoch)| {
                let lost = match epoch.keys() {
                    Some(keys) => loss.records_before(record, keys, &mut self.attempts),
                    None => (matches!(epoch, Epoch::Clear) && record.is_change_cipher_spec()).then_some(0),
                };
                Some((index, lost?))
            });
            found.is_some()
        });
        loss.bytes = loss.bytes.saturating_add(skipped as u64);
        let (index, lost) = found.filter(|_| is_found).unwrap_or_default();
        self.epoch = epochs.swap_remove(index);
        if !is_found {
            self.loss = Some(loss);
            if self.attempts.are_spent() {
                self.mark_unreadable(Undecryptable::Gap, plain);
            }
            return false;
        }
        match self.epoch {
            Epoch::Handshake(_) if index == 0 || lost > 0 => self.messages.lose(),
            _ => self.messages = HandshakeMessages::default(),
        }
        if let Some(length) = self.lost_content(index == 0, lost, loss.bytes) {
            plain(self.direction, Plain::Gap(length));
        }
        if let Some(keys) = self.epoch.keys_mut() {
            keys.skip(lost);
        }
        true
    }

    /// The keys that may follow those of `epoch`.
    fn following(
        &self,
        epoch: Option<&Epoch>,
        handshake: &HandshakeState,
        secrets: &mut dyn Secrets,
    ) -> Vec<Epoch> {
        let Some(parameters) = handshake.server(self.handshake) else { return Vec::new() };
        let handshake_keys =
            |secrets: &mut dyn Secrets| self.handshake_keys(parameters, handshake, secrets).ok();
        let application = |secrets: &mut dyn Secrets| self.application(parameters, handshake, secrets).ok();
        let epochs = match (epoch, parameters.suite.version) {
            (Some(Epoch::Clear), TlsVersion::Tls12) => {
                [self.tls12(handshake, secrets).ok().map(Epoch::tls12), None]
            }
            (Some(Epoch::Clear | Epoch::Early(_) | Epoch::BeforeHandshake), TlsVersion::Tls13) => {
                [handshake_keys(secrets), application(secrets)]
            }
            (Some(Epoch::Handshake(_) | Epoch::BeforeApplication), TlsVersion::Tls13) => {
                [application(secrets), None]
            }
            (Some(Epoch::Application { secret, .. }), TlsVersion::Tls13) => {
                [updated(parameters, secret), None]
            }
            _ => [None, None],
        };
        epochs.into_iter().flatten().collect()
    }

    /// The number of missing bytes of application data, or 0 if it is unknown; `None` if nothing is missing.
    fn lost_content(&self, are_same_keys: bool, records: u64, bytes: u64) -> Option<u64> {
        let keys = self.epoch.keys()?;
        let may_be_tickets = self.direction == Direction::ServerToClient && keys.sequence() < TICKETS;
        match &self.epoch {
            Epoch::Handshake(_) => None,
            Epoch::Tls12 { .. } if !are_same_keys => (records > 1).then_some(0),
            Epoch::Application { .. } if !are_same_keys || may_be_tickets => (records > 0).then_some(0),
            _ if records == 0 => None,
            _ => {
                let length =
                    keys.overhead().and_then(|overhead| bytes.checked_sub(records.checked_mul(overhead)?));
                match length {
                    // Only empty records.
                    Some(0) => None,
                    length => Some(length.unwrap_or(0)),
                }
            }
        }
    }

    /// Ensures that the keys for a record of this kind are available.
    fn prepare(&mut self, kind: u8, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        match (&self.epoch, kind) {
            (Epoch::Clear, record::CHANGE_CIPHER_SPEC) => self.change_cipher_spec(handshake, secrets),
            (Epoch::Clear, record::APPLICATION_DATA) => self.start_encryption(handshake, secrets),
            (Epoch::Tls12 { next: None, .. }, record::CHANGE_CIPHER_SPEC) => {
                self.renegotiate(handshake, secrets)
            }
            (
                Epoch::Early(_)
                | Epoch::BeforeHandshake
                | Epoch::Handshake(_)
                | Epoch::BeforeApplication
                | Epoch::Application { .. },
                record::CHANGE_CIPHER_SPEC,
            ) => Ready::Skip,
            (Epoch::BeforeHandshake, _) => self.start_handshake(handshake, secrets),
            (Epoch::BeforeApplication, _) => match handshake.server(0) {
                None => Ready::No(Undecryptable::NoHandshake),
                Some(parameters) => {
                    let epoch = self.application(parameters, handshake, secrets);
                    self.set(epoch, Ready::Yes)
                }
            },
            _ => Ready::Yes,
        }
    }

    fn change_cipher_spec(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        let parameters = match (handshake.server(0), self.direction) {
            (Some(parameters), _) => parameters,
            // In TLS 1.3 it has no content, and may follow a HelloRetryRequest.
            (None, Direction::ServerToClient) => return Ready::Skip,
            (None, Direction::ClientToServer) => return Ready::No(Undecryptable::NoHandshake),
        };
        if parameters.suite.version == TlsVersion::Tls13 {
            return Ready::Skip;
        }
        let epoch = self.tls12(handshake, secrets).map(Epoch::tls12);
        self.set(epoch, Ready::Skip)
    }

    /// Prepares the keys that follow an encrypted ChangeCipherSpec.
    fn renegotiate(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        let keys = self.tls12(handshake, secrets);
        match (keys, &mut self.epoch) {
            (Err(reason), _) => Ready::No(reason),
            (Ok(keys), Epoch::Tls12 { next, .. }) => {
                *next = Some(Box::new(keys));
                Ready::Yes
            }
            (Ok(_), _) => Ready::Yes,
        }
    }

    /// Handles the first encrypted record in TLS 1.3.
    fn start_encryption(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        let Some(parameters) = handshake.server(0) else { return Ready::No(Undecryptable::NoHandshake) };
        if parameters.suite.version == TlsVersion::Tls12 {
            return Ready::No(Undecryptable::Malformed);
        }
        let may_be_early = self.direction == Direction::ClientToServer
            && handshake.client(0).is_some_and(|client| client.offers_early_data);
        match (may_be_early, handshake.accepts_early_data) {
            (true, None) => Ready::No(Undecryptable::NoHandshake),
            (true, Some(true)) => match secret(Label::ClientEarly, handshake, 0, secrets) {
                Err(Undecryptable::NoSecret) => Ready::No(Undecryptable::EarlyData),
                Err(reason) => Ready::No(reason),
                Ok((_, secret)) => {
                    let keys = Keys::tls13(parameters.suite, &secret).ok_or(Undecryptable::WrongSecret);
                    self.set(keys.map(Epoch::Early), Ready::Yes)
                }
            },
            (true, Some(false)) => {
                self.skips_early_data = true;
                self.start_handshake(handshake, secrets)
            }
            (false, _) => self.start_handshake(handshake, secrets),
        }
    }

    fn start_handshake(&mut self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Ready {
        match handshake.server(0) {
            None => Ready::No(Undecryptable::NoHandshake),
            Some(parameters) => {
                let epoch = self.handshake_keys(parameters, handshake, secrets);
                self.set(epoch, Ready::Yes)
            }
        }
    }

    fn tls12(&self, handshake: &HandshakeState, secrets: &mut dyn Secrets) -> Result<Keys, Undecryptable> {
        let parameters = handshake.server(self.handshake).ok_or(Undecryptable::NoHandshake)?;
        let (client, master) = secret(Label::Master, handshake, self.handshake, secrets)?;
        Keys::tls12(&parameters, &master, &client.random, self.direction).ok_or(Undecryptable::WrongSecret)
    }

    fn handshake_keys(
        &self,
        parameters: ServerParameters,
        handshake: &HandshakeState,
        secrets: &mut dyn Secrets,
    ) -> Result<Epoch, Undecryptable> {
        let label = match self.direction {
            Direction::ClientToServer => Label::ClientHandshake,
            Direction::ServerToClient => Label::ServerHandshake,
        };
        let (_, secret) = secret(label, handshake, 0, secrets)?;
        Keys::tls13(parameters.suite, &secret).map(Epoch::Handshake).ok_or(Undecryptable::WrongSecret)
    }

    fn application(
        &self,
        parameters: ServerParameters,
        handshake: &HandshakeState,
        secrets: &mut dyn Secrets,
    ) -> Result<Epoch, Undecryptable> {
        let label = match self.direction {
            Direction::ClientToServer => Label::ClientTraffic,
            Direction::ServerToClient => Label::ServerTraffic,
        };
        let (_, secret) = secret(label, handshake, 0, secrets)?;
        let keys = Keys::tls13(parameters.suite, &secret).ok_or(Undecryptable::WrongSecret)?;
        Ok(Epoch::Application { keys, secret })
    }

    fn set(&mut self, epoch: Result<Epoch, Undecryptable>, ready: Ready) -> Ready {
        match epoch {
            Err(reason) => Ready::No(reason),
            Ok(epoch) => {
                self.epoch = epoch;
                self.messages = HandshakeMessages::default();
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
        if matches!(self.epoch, Epoch::Clear) {
            return self.clear(&record, handshake, plain);
        }
        if !record.holes.is_empty() {
            self.skip_damaged(&record, plain);
            return Ok(());
        }
        let Some(keys) = self.epoch.keys_mut() else { return Ok(()) };
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
            Some((record::CHANGE_CIPHER_SPEC, _)) => self.switch_keys(),
            Some(_) => {}
            None if is_first && self.skips_early_data => {}
            None => {
                let reason = self.failure(is_first);
                self.mark_unreadable(reason, plain);
            }
        }
        self.expect_any_epoch();
        Ok(())
    }

    /// Handles a record that lacks a part.
    fn skip_damaged(&mut self, record: &Record, plain: &mut dyn FnMut(Direction, Plain<'_>)) {
        let bytes = (HEADER + record.body.len()) as u64;
        let is_content = record.kind() == record::APPLICATION_DATA;
        let length = self.lost_content(true, 1, bytes).filter(|_| is_content);
        if let Some(length) = length {
            plain(self.direction, Plain::Gap(length));
        }
        if let Some(keys) = self.epoch.keys_mut() {
            keys.skip(1);
        }
        match self.epoch {
            Epoch::Handshake(_) => self.messages.lose(),
            _ => self.messages = HandshakeMessages::default(),
        }
        self.expect_any_epoch();
    }

    /// Without all handshake messages, the end of the handshake is found by trying the next keys.
    fn expect_any_epoch(&mut self) {
        if matches!(self.epoch, Epoch::Handshake(_)) && self.messages.is_lost() {
            self.loss = Some(Loss { bytes: 0 });
        }
    }

    fn failure(&self, is_first: bool) -> Undecryptable {
        match (is_first, self.has_losses) {
            (_, true) => Undecryptable::Gap,
            (true, false) => Undecryptable::WrongSecret,
            (false, false) => Undecryptable::Malformed,
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
            record::HANDSHAKE => {
                for part in record.parts() {
                    match part {
                        Ok(bytes) => self.messages.push(bytes),
                        Err(missing) => self.messages.skip(missing),
                    }
                    self.clear_messages(handshake, plain)?;
                }
            }
            _ => {}
        }
        let has_hello = match self.direction {
            Direction::ClientToServer => handshake.client(0).is_some(),
            Direction::ServerToClient => handshake.server(0).is_some(),
        };
        if self.messages.is_lost() && !has_hello {
            self.mark_unreadable(Undecryptable::Gap, plain);
        }
        Ok(())
    }

    fn clear_messages(
        &mut self,
        handshake: &mut HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) -> Result<(), Undecryptable> {
        while let Some(message) = self.messages.next() {
            match (message.kind, self.direction) {
                (message::CLIENT_HELLO, Direction::ClientToServer) => {
                    if let Some(hellos) = handshake.hellos_mut(0) {
                        hellos.client = ClientHello::read(&message.body);
                    }
                }
                (message::SERVER_HELLO, Direction::ServerToClient) => {
                    match ServerHello::read(&message.body) {
                        Some(hello) if hello.is_retry() => handshake.accepts_early_data = Some(false),
                        Some(hello) => {
                            let parameters = ServerParameters::of(&hello)?;
                            if let Some(hellos) = handshake.hellos_mut(0) {
                                hellos.server = Some(parameters);
                            }
                        }
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
        handshake: &mut HandshakeState,
        plain: &mut dyn FnMut(Direction, Plain<'_>),
    ) {
        while let Some(message) = self.messages.next() {
            match (&mut self.epoch, message.kind) {
                (Epoch::Early(_), message::END_OF_EARLY_DATA) => self.epoch = Epoch::BeforeHandshake,
                (Epoch::Handshake(_), message::ENCRYPTED_EXTENSIONS) => {
                    let accepts = hello::accepts_early_data(&message.body);
                    handshake.accepts_early_data.get_or_insert(accepts);
                }
                (Epoch::Handshake(_), message::FINISHED) => self.epoch = Epoch::BeforeApplication,
                (Epoch::Application { secret, .. }, message::KEY_UPDATE) => {
                    let Some(parameters) = handshake.server(0) else { return };
                    match updated(parameters, secret) {
                        Some(next) => self.epoch = next,
                        None => self.mark_unreadable(Undecryptable::Malformed, plain),
                    }
                }
                (Epoch::Tls12 { .. }, message::CLIENT_HELLO | message::SERVER_HELLO) => {
                    if let Err(reason) = self.next_hello(&message.body, handshake) {
                        self.mark_unreadable(reason, plain);
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes the hello of a renegotiation.
    fn next_hello(&mut self, body: &[u8], handshake: &mut HandshakeState) -> Result<(), Undecryptable> {
        self.handshake += 1;
        let hellos = handshake.hellos_mut(self.handshake).ok_or(Undecryptable::Renegotiation)?;
        match self.direction {
            Direction::ClientToServer => hellos.client = ClientHello::read(body),
            Direction::ServerToClient => {
                let hello = ServerHello::read(body).ok_or(Undecryptable::Malformed)?;
                hellos.server = Some(ServerParameters::of(&hello)?);
            }
        }
        Ok(())
    }

    /// Handles an encrypted ChangeCipherSpec.
    fn switch_keys(&mut self) {
        if let Epoch::Tls12 { keys, next } = &mut self.epoch
            && let Some(next) = next.take()
        {
            *keys = *next;
        }
    }

    /// Records an alert that ends the handshake. A `close_notify` only ends the connection.
    fn handle_alert(&mut self, alert: &[u8]) {
        let is_in_handshake = matches!(
            self.epoch,
            Epoch::Clear
                | Epoch::Early(_)
                | Epoch::BeforeHandshake
                | Epoch::Handshake(_)
                | Epoch::BeforeApplication
        );
        if let (&[record::FATAL, description], true) = (alert, is_in_handshake) {
            let description = AlertDescription::from(description);
            self.alert = Some(Undecryptable::Alert(self.direction, description));
        }
    }
}

/// The keys after a key update.
fn updated(parameters: ServerParameters, secret: &[u8]) -> Option<Epoch> {
    let secret = keys::next_secret(parameters.suite, secret);
    Some(Epoch::Application { keys: Keys::tls13(parameters.suite, &secret)?, secret })
}

/// A secret of a handshake, with its ClientHello.
fn secret<'a>(
    label: Label,
    handshake: &'a HandshakeState,
    number: usize,
    secrets: &mut dyn Secrets,
) -> Result<(&'a ClientHello, Vec<u8>), Undecryptable> {
    let client = handshake.client(number).ok_or(Undecryptable::NoHandshake)?;
    let secret = secrets.secret(label, &client.random).ok_or(Undecryptable::NoSecret)?;
    Ok((client, secret))
}
