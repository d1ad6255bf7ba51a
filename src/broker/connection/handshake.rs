//! From the first byte to CONNACK: CONNECT within a deadline, and the check of the client's identity.

use super::connack::{put_connack, put_refusal, put_short_refusal, refuse_incomplete, refuse_malformed};
use super::encode::put_auth;
use super::ending::close_refused;
use super::task::count_bytes;
use crate::broker::budget::Account;
use crate::broker::client::Client;
use crate::broker::guesses::Attempt;
use crate::broker::link::Link;
use crate::broker::scram::{Authenticator, Denial, Reply};
use crate::broker::state::Shared;
use crate::broker::{Event, Excess, Peer, Reason, Report};
use crate::protocol::session::Limits;
use crate::protocol::{
    Connect, DecodeError, Packet, PacketReader, PacketType, Problem, PropertiesBuf, PropertyId, ReasonCode,
    SizeLimits, Version,
};
use crate::transport::Connection;
use crate::transport::tls::HANDSHAKE_RECORD;
use std::rc::Rc;
use std::time::Instant;
use tokio::time::timeout_at;

/// The maximum size of CONNECT: room for every field at its maximum length. Unauthenticated clients must not cost more.
const MAXIMUM_CONNECT_SIZE: u32 = 1 << 20;

/// An accepted client.
pub(super) struct Admitted {
    pub(super) client: Rc<Client>,
    pub(super) link: Rc<Link>,
    pub(super) authenticator: Option<Authenticator>,
}

/// Waits for CONNECT and answers it. `None` if the client was refused.
pub(super) async fn open(connection: &mut Connection, shared: &Shared, peer: &Peer) -> Option<Admitted> {
    let reason = match receive_connect(connection, shared, peer).await {
        Ok(admitted) => return Some(admitted),
        Err(reason) => reason,
    };
    shared.borrow_mut().refuse(peer.clone(), reason, Instant::now());
    close_refused(connection).await;
    None
}

/// Reads until CONNECT is complete, and accepts the client. On an error, the refusal is already in the send buffer.
async fn receive_connect(
    connection: &mut Connection,
    shared: &Shared,
    peer: &Peer,
) -> Result<Admitted, Reason> {
    let deadline = tokio::time::Instant::now() + shared.borrow().config.connect_timeout;
    let account = Account::new(&shared.borrow().strangers, usize::MAX);
    let mut stranger = Stranger { connection, shared, peer, account, deadline };
    let bytes = match stranger.receive(PacketType::Connect).await {
        Ok(bytes) => bytes,
        Err(Refusal { reason_code, reason }) => {
            let version = Connect::peek_version(connection.buffers().0);
            refuse_incomplete(reason_code, version, connection.output());
            return Err(reason);
        }
    };
    let connect = match decode_connect(&bytes) {
        Ok(connect) => connect,
        Err(error) => {
            refuse_malformed(&error, &bytes, stranger.connection.output());
            return Err(error.to_string().into());
        }
    };
    let proved = match stranger.prove(&connect, &bytes).await {
        Ok(proved) => proved,
        Err(Refusal { reason_code, reason }) => {
            if let Some(reason_code) = reason_code {
                put_refusal(reason_code, connect.version, stranger.connection.output());
            }
            return Err(reason);
        }
    };
    answer_connect(&connect, proved, connection.output(), shared, peer)
}

/// A connection that is not accepted yet.
struct Stranger<'a> {
    connection: &'a mut Connection,
    shared: &'a Shared,
    peer: &'a Peer,
    /// Its memory, charged to the budget of connections that are not accepted yet.
    account: Rc<Account>,
    deadline: tokio::time::Instant,
}

impl Stranger<'_> {
    /// Reads a complete packet of this type. Any other packet is refused at its first byte.
    async fn receive(&mut self, expected: PacketType) -> Result<Vec<u8>, Refusal> {
        loop {
            let input = self.connection.buffers().0;
            if let Some(size) = size_of_packet(expected, input)? {
                return Ok(self.connection.take(size));
            }
            let progress = timeout_at(self.deadline, self.connection.progress(true)).await;
            let progress = progress.map_err(|_| {
                let excess = Some(Excess::ConnectTime(self.shared.borrow().config.connect_timeout));
                let reason = Reason { text: format!("no {expected} in time"), excess };
                Refusal { reason_code: None, reason }
            })?;
            let progress = progress.map_err(|error| Refusal::silent(error.to_string()))?;
            count_bytes(progress, &mut self.shared.borrow_mut().report);
            if progress.is_closed && size_of_packet(expected, self.connection.buffers().0)?.is_none() {
                return Err(Refusal::silent(format!("closed before {expected}")));
            }
            self.check_budget()?;
        }
    }

    fn check_budget(&self) -> Result<(), Refusal> {
        self.account.set_own(self.connection.buffered());
        if self.account.is_within_budget() {
            return Ok(());
        }
        let mut state = self.shared.borrow_mut();
        state.report.quota_exceeded += 1;
        let text = "too much memory is in use for connections that have not sent CONNECT".to_owned();
        let (limit, memory) = (state.strangers.limit(), state.config.memory);
        let reason = Reason { text, excess: Some(Excess::MemoryOfStrangers { limit, memory }) };
        Err(Refusal { reason_code: Some(ReasonCode::QUOTA_EXCEEDED), reason })
    }
}

/// The size of the packet, if it is complete. No other packet may come before CONNECT [MQTT-3.1.0-1], or during an
/// authentication [MQTT-3.1.2-30].
fn size_of_packet(expected: PacketType, input: &[u8]) -> Result<Option<usize>, Refusal> {
    match input.first().map(|&byte| PacketType::from_first_byte(byte)) {
        None => Ok(None),
        Some(_) if expected == PacketType::Connect && input.starts_with(HANDSHAKE_RECORD) => {
            Err(Refusal::silent("the client speaks TLS, and this port is without TLS".to_owned()))
        }
        Some(Some(packet_type)) if packet_type == expected => match one_packet(input).peek() {
            Ok(frame) => Ok(frame.map(|frame| frame.size())),
            Err(error) => {
                Err(Refusal { reason_code: Some(error.reason_code()), reason: error.to_string().into() })
            }
        },
        Some(_) if expected == PacketType::Connect => {
            Err(Refusal::silent("the first packet is not CONNECT".to_owned()))
        }
        Some(_) => Err(Refusal::silent(format!("another packet came instead of {expected}"))),
    }
}

fn one_packet(input: &[u8]) -> PacketReader<'_> {
    PacketReader::new(input, SizeLimits::all(MAXIMUM_CONNECT_SIZE))
}

fn decode_connect(bytes: &[u8]) -> Result<Connect<'_>, DecodeError> {
    match one_packet(bytes).read(Version::V5)? {
        Some(Packet::Connect(connect)) => Ok(connect),
        other => {
            let packet_type = other.map(|packet| packet.packet_type());
            Err(DecodeError { problem: Problem::ForbiddenPacketType, packet_type, offset: 0 }) // `receive` asked for its type.
        }
    }
}

/// Authentication data for the CONNACK of a client that proved its identity.
#[derive(Default)]
struct Proved {
    authenticator: Option<Authenticator>,
    properties: PropertiesBuf,
}

/// A refused client; without a reason code it gets no answer.
struct Refusal {
    reason_code: Option<ReasonCode>,
    reason: Reason,
}

impl Refusal {
    fn silent(text: String) -> Refusal {
        Refusal { reason_code: None, reason: text.into() }
    }
}

impl From<Denial> for Refusal {
    fn from(Denial { reason_code, text }: Denial) -> Refusal {
        Refusal { reason_code: Some(reason_code), reason: text.into() }
    }
}

impl Stranger<'_> {
    /// Checks the client's identity: by user name and password, or with the authentication method in CONNECT.
    async fn prove(&mut self, connect: &Connect<'_>, bytes: &[u8]) -> Result<Proved, Refusal> {
        // Name and password are copied for the check.
        self.account.set_own(2 * bytes.len());
        let gate = Rc::clone(&self.shared.borrow().gate);
        let Some(method) = connect.properties.text(PropertyId::AuthenticationMethod) else {
            // The time for checking the password does not count against the client.
            let admitted = gate.admit(connect, self.peer.network()).await;
            return admitted.map(|()| Proved::default()).map_err(|code| refused(code, connect.username));
        };
        let (mut authenticator, challenge) = gate.begin(method, connect.properties)?;
        let maximum_size = Limits::of_client(connect).maximum_packet_size;
        put_auth(&challenge, maximum_size, self.connection.output()).map_err(Refusal::silent)?;
        note_auth(&mut self.shared.borrow_mut().report);
        let silent = |Refusal { reason, .. }: Refusal| Refusal { reason_code: None, reason };
        let bytes = self.receive(PacketType::Auth).await.map_err(silent)?;
        match one_packet(&bytes).read(Version::V5) {
            Ok(Some(Packet::Auth(auth))) => {
                let user = authenticator.claimed_user().to_owned();
                let attempt = Attempt { network: self.peer.network(), user: &user };
                let turn = gate.turn(attempt).await.map_err(|code| refused(code, Some(&user)))?;
                let reply = authenticator.receive(&auth);
                turn.end(reply.is_ok());
                let Reply { properties, .. } = reply?;
                Ok(Proved { authenticator: Some(authenticator), properties })
            }
            Ok(_) => Err(Refusal::silent("another packet came instead of AUTH".to_owned())),
            Err(error) => Err(Refusal::silent(error.to_string())),
        }
    }
}

/// Counts an AUTH that was sent, and the expected answer.
fn note_auth(report: &mut Report) {
    report.packets_sent += 1;
    report.packets_received += 1;
}

fn answer_connect(
    connect: &Connect<'_>,
    proved: Proved,
    output: &mut Vec<u8>,
    shared: &Shared,
    peer: &Peer,
) -> Result<Admitted, Reason> {
    let version = connect.version;
    let mut state = shared.borrow_mut();
    let proved_user = proved.authenticator.as_ref().map(Authenticator::claimed_user);
    let user = proved_user.or(connect.username);
    let opened = match state.connect(connect, user, Instant::now()) {
        Ok(opened) => opened,
        Err((reason_code, excess)) => {
            put_refusal(reason_code, version, output);
            return Err(Reason { text: reason_code.to_string(), excess });
        }
    };
    state.report.packets_received += 1;
    state.report.packets_sent += 1;
    if let Err(text) = put_connack(&opened, version, &state.config, proved.properties, output) {
        state.disconnect(&opened.client, &opened.link, false, Instant::now());
        put_short_refusal(ReasonCode::PACKET_TOO_LARGE, connect, output);
        return Err(text.into());
    }
    let client_id = opened.client.id.to_string();
    state.emit(Event::Connected { client_id, peer: peer.clone(), version });
    let authenticator = proved.authenticator;
    Ok(Admitted { client: opened.client, link: opened.link, authenticator })
}

/// The refusal of a client under the name that it claims.
fn refused(reason_code: ReasonCode, username: Option<&str>) -> Refusal {
    let cause = match reason_code {
        ReasonCode::SERVER_BUSY => ": too many attempts wait for their turn",
        _ => "",
    };
    let text = format!("{reason_code}, as {}{cause}", shown(username));
    Refusal { reason_code: Some(reason_code), reason: text.into() }
}

/// The claimed user name for an event, shortened because it comes from an unauthenticated client.
fn shown(username: Option<&str>) -> String {
    match username {
        Some(name) => format!("user {:?}", name.chars().take(100).collect::<String>()),
        None => "an anonymous client".to_owned(),
    }
}
