//! From an endpoint to an accepted connection: transport, CONNECT, optional AUTH exchange, CONNACK.

use super::authentication::{Claim, Dialogue};
use super::{Application, FAREWELL_PATIENCE, Options};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, SessionError};
use crate::protocol::{
    Connack, Connect, Disconnect, Frame, MAX_PACKET_SIZE, Packet, PacketType, Properties, PropertyId,
    Version, Will,
};
use crate::transport::tls::TlsError;
use crate::transport::{self, Connection};
use std::io;
use std::time::{Instant, SystemTime};

/// The number of bytes shown of an answer that is not MQTT.
const GREETING: usize = 20;

/// The size of CONNACK before MQTT 5, which added properties.
const V3_CONNACK: usize = 4;

pub(super) struct Handshake<'a, 'i> {
    pub(super) options: &'a Options,
    /// Whether this connection discards an existing session.
    pub(super) clean_start: bool,
    /// The client identifier that the server assigned on an earlier connection.
    pub(super) client_id: Option<&'i str>,
}

/// A connection that the server accepted, and the negotiated parameters.
pub(super) struct Connected<'a> {
    pub(super) connection: Connection,
    pub(super) dialogue: Dialogue<'a>,
    pub(super) terms: Terms,
}

/// The parameters from CONNECT and CONNACK.
#[derive(Debug)]
pub struct Terms {
    /// Whether the server still had our session.
    pub session_present: bool,
    /// The client's limits.
    pub accepts: Limits,
    /// The server's limits.
    pub peer_accepts: Limits,
    /// The keep alive state.
    pub keep_alive: KeepAlive,
    /// The client identifier assigned by the server.
    pub assigned_client_id: Option<String>,
}

impl<'a> Handshake<'a, '_> {
    pub(super) async fn connect<A: Application>(&self, application: &mut A) -> Result<Connected<'a>, Error> {
        let stream = transport::connect(&self.options.endpoint).await?;
        let tap = application.opened(&stream);
        let connection = Connection::watched(stream, tap);
        self.introduce(connection, |connack| application.accepted(connack)).await
    }

    /// Sends CONNECT, authenticates if requested, and waits for CONNACK, within the time limit.
    pub(super) async fn introduce(
        &self,
        connection: Connection,
        read: impl FnMut(&Connack<'_>),
    ) -> Result<Connected<'a>, Error> {
        let timeout = self.options.endpoint.timeout;
        match tokio::time::timeout(timeout, self.exchange(connection, read)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout(timeout)),
        }
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        read: impl FnMut(&Connack<'_>),
    ) -> Result<Connected<'a>, Error> {
        let mut dialogue = Dialogue::new(self.options.claim());
        match self.come_to_terms(&mut connection, &mut dialogue, read).await {
            Ok(terms) => Ok(Connected { connection, dialogue, terms }),
            Err(error) => {
                say_why(&mut connection, &error).await;
                Err(error)
            }
        }
    }

    async fn come_to_terms(
        &self,
        connection: &mut Connection,
        dialogue: &mut Dialogue<'a>,
        mut read: impl FnMut(&Connack<'_>),
    ) -> Result<Terms, Error> {
        let properties = dialogue.connect_properties()?;
        let signed = self.options.signer.as_ref().map(|signer| signer.token(SystemTime::now()));
        let password = signed.as_ref().map(|token| token.as_slice()).or(self.options.password.as_deref());
        let connect = self.connect_packet(properties.as_properties(), password);
        connect.encode(connection.output())?;
        let mut keep_alive = KeepAlive::new(self.options.keep_alive, Instant::now());
        let accepts = Limits::of_client(&connect);
        loop {
            let progress = tokio::select! {
                step = dialogue.next() => {
                    step?.append(MAX_PACKET_SIZE, connection.output())?;
                    continue;
                }
                progress = connection.progress(true) => progress.map_err(broken)?,
            };
            while let Some((size, packet)) =
                first_packet(connection.buffers().0, &accepts, self.options.version)?
            {
                let Some(connack) = take_first(packet, size, self.options.version, dialogue)? else {
                    connection.consume(size);
                    continue;
                };
                if connack.session_present && self.clean_start {
                    return Err(SessionError::SessionPresentAfterCleanStart.into()); // [MQTT-3.2.2-4]
                }
                read(&connack);
                if let Some(seconds) = connack.properties.two_bytes(PropertyId::ServerKeepAlive) {
                    keep_alive.set_interval(seconds);
                }
                let mut terms = Terms::new(&connack, accepts, keep_alive);
                // MQTT 3.1 has no flag for it: a session that should be kept is assumed to be present.
                terms.session_present |= self.options.version == Version::V31 && !self.clean_start;
                connection.consume(size);
                return Ok(terms);
            }
            if progress.is_closed {
                return Err(Error::Closed("before accepting it"));
            }
        }
    }

    fn connect_packet<'c>(&'c self, properties: Properties<'c>, password: Option<&'c [u8]>) -> Connect<'c> {
        let options = self.options;
        let will = options.will.as_ref().map(|will| Will {
            topic: &will.topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.as_properties(),
        });
        let (username, password) = Claim { password, ..options.claim() }.shown();
        Connect {
            version: options.version,
            is_bridge: false,
            clean_start: self.clean_start,
            keep_alive: options.keep_alive,
            client_id: self.client_id.unwrap_or(&options.client_id),
            will,
            username,
            password,
            properties,
        }
    }
}

impl Terms {
    fn new(connack: &Connack<'_>, accepts: Limits, keep_alive: KeepAlive) -> Terms {
        let assigned_client_id = connack.properties.text(PropertyId::AssignedClientIdentifier);
        Terms {
            session_present: connack.session_present,
            accepts,
            peer_accepts: Limits::of_server(connack),
            keep_alive,
            assigned_client_id: assigned_client_id.map(str::to_owned),
        }
    }
}

/// Sends the server the reason for ending the authentication. Errors no longer matter.
pub async fn say_why(connection: &mut Connection, error: &Error) {
    let Error::Authentication(failure) = error else { return };
    let disconnect = Disconnect { reason_code: failure.reason_code(), properties: Properties::EMPTY };
    if disconnect.encode(Version::V5, connection.output()).is_ok() {
        let _ = tokio::time::timeout(FAREWELL_PATIENCE, connection.flush()).await;
    }
}

/// Handles a packet of `size` bytes before the connection is accepted, in answer to a CONNECT of the version `asked`: a
/// successful CONNACK, or a step of the authentication, for which it returns `None`.
///
/// # Errors
/// When it is a refusal, or not allowed there.
pub fn take_first<'p>(
    packet: Packet<'p>,
    size: usize,
    asked: Version,
    dialogue: &mut Dialogue<'_>,
) -> Result<Option<Connack<'p>>, Error> {
    match packet {
        Packet::Auth(auth) => dialogue.receive(&auth).map(|()| None),
        // It is not allowed before CONNACK, but its reason is worth more than that.
        Packet::Disconnect(disconnect) if dialogue.is_wanted() => Err(disconnected(&disconnect)),
        Packet::Connack(connack) if connack.reason_code.is_error() => {
            let details = dialogue.words_of_refusal(&connack) + &describe_details(connack.properties);
            Err(refused(&connack, details, size, asked))
        }
        Packet::Connack(connack) => {
            dialogue.accept(&connack)?;
            Ok(Some(connack))
        }
        other => Err(SessionError::Unexpected(other.packet_type()).into()),
    }
}

/// The server's first packet, and its size; `None` if it is incomplete.
///
/// # Errors
/// When the answer is not MQTT, or malformed.
pub fn first_packet<'a>(
    input: &'a [u8],
    accepts: &Limits,
    version: Version,
) -> Result<Option<(usize, Packet<'a>)>, Error> {
    check_greeting(input)?;
    match Frame::cut(input, accepts.maximum_packet_size)? {
        Some(frame) => Ok(Some((frame.size(), Packet::decode(frame, version)?))),
        None => Ok(None),
    }
}

/// A connection that broke before it was accepted. With TLS 1.3, a rejected client certificate shows only then.
fn broken(error: io::Error) -> Error {
    match error.downcast::<TlsError>() {
        Ok(refusal) => Error::Connect(refusal.into()),
        Err(error) => Error::NotAccepted(error),
    }
}

fn refused(connack: &Connack<'_>, details: String, size: usize, asked: Version) -> Error {
    let answered = if size == V3_CONNACK { asked.min(Version::V311) } else { asked };
    Error::Refused { reason: connack.reason_code, details, asked, answered }
}

/// Recognises other protocols, which a wrong port leads to, without waiting for the end of a packet that is not one.
fn check_greeting(input: &[u8]) -> Result<(), Error> {
    let text = match input {
        [] => return Ok(()),
        [b'H', b'T', b'T', b'P', ..] => "an HTTP server answered, not an MQTT broker; is the port right?",
        // A TLS record: alert or handshake, of version 3.x.
        [0x15 | 0x16, 3, ..] => "a TLS server answered; plain MQTT is usually on port 1883",
        [b'S', b'S', b'H', b'-', ..] => "an SSH server answered, not an MQTT broker; is the port right?",
        [first, ..] => match PacketType::from_first_byte(*first) {
            // No other packet may come before CONNACK [MQTT-3.2.0-1] except AUTH, if requested.
            Some(PacketType::Connack | PacketType::Auth | PacketType::Disconnect) => return Ok(()),
            _ => {
                let greeting = input.get(..GREETING).unwrap_or(input).escape_ascii();
                return Err(Error::NotMqtt(format!(
                    "the server did not answer as an MQTT broker; its answer begins with \"{greeting}\""
                )));
            }
        },
    };
    Err(Error::NotMqtt(text.to_owned()))
}

/// The server's DISCONNECT as the end of a connection.
pub fn disconnected(disconnect: &Disconnect<'_>) -> Error {
    Error::Disconnected { reason: disconnect.reason_code, details: describe_details(disconnect.properties) }
}

/// The server's additions to a reason code, with leading punctuation: its reason string and server reference.
pub fn describe_details(properties: Properties<'_>) -> String {
    let mut details = String::new();
    if let Some(text) = properties.text(PropertyId::ReasonString) {
        details += &format!(": {text}");
    }
    if let Some(server) = properties.text(PropertyId::ServerReference) {
        details += &format!("; use the server {server}");
    }
    details
}
