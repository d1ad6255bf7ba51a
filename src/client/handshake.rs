//! From CONNECT to CONNACK, with the AUTH packets between them: for the client loop, `bench` and `doctor`.

use super::authentication::Authenticator;
use super::details::Details;
use super::disconnect::{disconnected, send_reason};
use super::error::{Error, Foreign};
use crate::protocol::session::{KeepAlive, Limits, SessionError};
use crate::protocol::{
    Connack, Connect, MAX_PACKET_SIZE, Packet, PacketReader, PacketType, Properties, PropertyId, SizeLimits,
    Version,
};
use crate::transport::Connection;
use crate::transport::tls::TlsError;
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// The number of bytes shown of an answer that is not MQTT.
const GREETING: usize = 20;

/// The size of CONNACK before MQTT 5, which added properties.
const V3_CONNACK: usize = 4;

/// The first packets of a connection.
pub(crate) struct Handshake<'c> {
    /// CONNECT, without the properties of an enhanced authentication.
    pub connect: Connect<'c>,
    pub accepts: Limits,
    /// The time limit for CONNACK.
    pub time_limit: TimeLimit,
}

/// The time limit for CONNACK.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimit {
    pub start: Instant,
    /// The maximum time.
    pub timeout: Duration,
    /// Whether the client's own time for its answers counts. It does not for a load generator, whose clients compute their
    /// SCRAM proofs on a few processors.
    pub counts_answers: bool,
}

/// The parameters from CONNECT and CONNACK.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Whether the server still had our session.
    pub session_present: bool,
    pub accepts: Limits,
    /// The server's limits.
    pub peer_accepts: Limits,
    /// The keep alive state.
    pub keep_alive: KeepAlive,
    /// The client identifier assigned by the server.
    pub assigned_client_id: Option<String>,
}

impl Handshake<'_> {
    /// Sends CONNECT, authenticates if requested, and waits for a CONNACK that accepts the client; `accepted` sees it. Later
    /// packets stay in the receive buffer.
    ///
    /// # Errors
    /// If the server does not accept the client in time.
    pub(crate) async fn run(
        &self,
        connection: &mut Connection,
        authenticator: &mut Authenticator<'_>,
        accepted: impl FnMut(&Connack<'_>),
    ) -> Result<Terms, Error> {
        let result = self.exchange(connection, authenticator, accepted).await;
        if let Err(Error::Authentication(failure)) = &result {
            send_reason(connection, failure.reason_code(), Properties::EMPTY).await;
        }
        result
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        authenticator: &mut Authenticator<'_>,
        mut accepted: impl FnMut(&Connack<'_>),
    ) -> Result<Terms, Error> {
        authenticator.append_connect(&self.connect, connection.output())?;
        let sent_at = Instant::now();
        loop {
            let expiry = self.time_limit.expiry(authenticator);
            let progress = tokio::select! {
                step = authenticator.next() => {
                    step?.append(MAX_PACKET_SIZE, connection.output())?;
                    continue;
                }
                () = expire(expiry) => return Err(Error::Timeout(self.time_limit.timeout)),
                progress = connection.progress(true) => progress.map_err(broken)?,
            };
            if let Some(terms) = self.read_answers(connection, authenticator, sent_at, &mut accepted)? {
                return Ok(terms);
            }
            if progress.is_closed {
                return Err(Error::ClosedEarly);
            }
        }
    }

    /// Handles the packets in the receive buffer up to CONNACK.
    fn read_answers(
        &self,
        connection: &mut Connection,
        authenticator: &mut Authenticator<'_>,
        sent_at: Instant,
        accepted: &mut impl FnMut(&Connack<'_>),
    ) -> Result<Option<Terms>, Error> {
        let (input, _) = connection.buffers();
        let mut packets = PacketReader::new(input, SizeLimits::all(self.accepts.maximum_packet_size));
        let mut terms = None;
        while terms.is_none() {
            check_greeting(packets.unread())?;
            let before = packets.consumed();
            let Some(packet) = packets.read(self.connect.version)? else { break };
            let bytes = input.get(before..packets.consumed()).unwrap_or_default();
            if let Some(connack) = handle(packet, bytes, self.connect.version, authenticator)? {
                terms = Some(self.terms(&connack, sent_at)?);
                accepted(&connack);
            }
        }
        let consumed = packets.consumed();
        connection.consume(consumed);
        Ok(terms)
    }

    fn terms(&self, connack: &Connack<'_>, sent_at: Instant) -> Result<Terms, Error> {
        let Connect { version, clean_start, keep_alive, .. } = self.connect;
        if connack.session_present && clean_start {
            return Err(SessionError::SessionPresentAfterCleanStart.into()); // [MQTT-3.2.2-4]
        }
        // The server's interval has priority [MQTT-3.1.2-21].
        let interval = connack.properties.two_bytes(PropertyId::ServerKeepAlive).unwrap_or(keep_alive);
        let assigned_client_id = connack.properties.text(PropertyId::AssignedClientIdentifier);
        Ok(Terms {
            // MQTT 3.1 has no flag for it: a session that should be kept is assumed to be present.
            session_present: connack.session_present || (version == Version::V31 && !clean_start),
            accepts: self.accepts,
            peer_accepts: Limits::of_server(connack),
            keep_alive: KeepAlive::new(interval, sent_at),
            assigned_client_id: assigned_client_id.map(str::to_owned),
        })
    }
}

impl TimeLimit {
    /// The time at which the handshake fails; `None` while the client's own time does not count.
    fn expiry(&self, authenticator: &Authenticator<'_>) -> Option<Instant> {
        let end = self.start + self.timeout;
        match self.counts_answers {
            true => Some(end),
            false if authenticator.is_answering() => None,
            false => Some(end + authenticator.answer_time().elapsed),
        }
    }
}

async fn expire(expiry: Option<Instant>) {
    match expiry {
        Some(expiry) => sleep_until(expiry.into()).await,
        None => pending().await,
    }
}

/// Handles a packet, encoded in `bytes`, before the connection is accepted, in answer to a CONNECT of the version `asked`: a
/// successful CONNACK, or a step of the authentication, for which it returns `None`.
///
/// # Errors
/// If it is a refusal, or not allowed there.
fn handle<'p>(
    packet: Packet<'p>,
    bytes: &[u8],
    asked: Version,
    authenticator: &mut Authenticator<'_>,
) -> Result<Option<Connack<'p>>, Error> {
    match packet {
        Packet::Auth(auth) => authenticator.receive(&auth).map(|()| None),
        // It is not allowed before CONNACK, but its reason is more useful than that error.
        Packet::Disconnect(disconnect) if authenticator.is_wanted() => Err(disconnected(&disconnect)),
        Packet::Connack(connack) if connack.reason_code.is_error() => {
            let mechanism = authenticator.error_text(&connack);
            let details = Details { mechanism, ..Details::of(connack.properties) };
            Err(refused(&connack, details, bytes, asked))
        }
        Packet::Connack(connack) => {
            authenticator.accept(&connack)?;
            Ok(Some(connack))
        }
        other => Err(SessionError::Unexpected(other.packet_type()).into()),
    }
}

/// A connection that broke before it was accepted. With TLS 1.3, a rejected client certificate shows only then.
fn broken(error: io::Error) -> Error {
    match error.downcast::<TlsError>() {
        Ok(refusal) => Error::Connect(refusal.into()),
        Err(error) => Error::not_accepted(error),
    }
}

fn refused(connack: &Connack<'_>, details: Details, bytes: &[u8], asked: Version) -> Error {
    let answered = if bytes.len() == V3_CONNACK { asked.min(Version::V311) } else { asked };
    Error::Refused { reason: connack.reason_code, code: connack.code_in(bytes), details, asked, answered }
}

/// Recognises other protocols, as on a wrong port, without waiting for the end of a supposed packet.
fn check_greeting(input: &[u8]) -> Result<(), Error> {
    let foreign = match input {
        [] => return Ok(()),
        [b'H', b'T', b'T', b'P', ..] => Foreign::Http,
        // A TLS record: alert or handshake, of version 3.x.
        [0x15 | 0x16, 3, ..] => Foreign::Tls,
        [b'S', b'S', b'H', b'-', ..] => Foreign::Ssh,
        [first, ..] => match PacketType::from_first_byte(*first) {
            // No other packet may come before CONNACK [MQTT-3.2.0-1] except AUTH, if requested.
            Some(PacketType::Connack | PacketType::Auth | PacketType::Disconnect) => return Ok(()),
            _ => Foreign::Other(input.get(..GREETING).unwrap_or(input).to_vec()),
        },
    };
    Err(Error::NotMqtt(foreign))
}
