//! From an endpoint to an accepted connection: TCP, CONNECT, CONNACK.

use super::{Application, Options};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, SessionError};
use crate::protocol::{Connack, Connect, Frame, Packet, PacketType, Properties, PropertyId, Version, Will};
use crate::transport::tls::TlsError;
use crate::transport::{self, Connection};
use std::io;
use std::time::Instant;

/// How much of an answer that is no MQTT is shown.
const GREETING: usize = 20;

/// The size of CONNACK before MQTT 5, which added properties.
const V3_CONNACK: usize = 4;

pub(super) struct Handshake<'a> {
    pub(super) options: &'a Options,
    /// The identifier that the server chose at an earlier connection.
    pub(super) client_id: Option<&'a str>,
}

/// A connection that the server accepted, and what its CONNACK said.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// Whether the server still had our session.
    pub session_present: bool,
    /// What we accept.
    pub accepts: Limits,
    /// What the server accepts.
    pub peer_accepts: Limits,
    /// When a sign of life is due.
    pub keep_alive: KeepAlive,
    /// The identifier that the server chose for us.
    pub assigned_client_id: Option<String>,
}

impl Handshake<'_> {
    pub(super) async fn connect<A: Application>(&self, application: &mut A) -> Result<Connected, Error> {
        let stream = transport::connect(&self.options.endpoint).await?;
        let tap = application.opened(&stream);
        let connection = Connection::watched(stream, tap);
        self.introduce(connection, |connack| application.accepted(connack)).await
    }

    /// Sends CONNECT and waits for CONNACK, within the time limit.
    pub(super) async fn introduce(
        &self,
        connection: Connection,
        read: impl FnMut(&Connack<'_>),
    ) -> Result<Connected, Error> {
        let timeout = self.options.endpoint.timeout;
        match tokio::time::timeout(timeout, self.exchange(connection, read)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout(timeout)),
        }
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        mut read: impl FnMut(&Connack<'_>),
    ) -> Result<Connected, Error> {
        let connect = self.connect_packet();
        connect.encode(connection.output())?;
        let mut keep_alive = KeepAlive::new(self.options.keep_alive, Instant::now());
        let accepts = Limits::of_client(&connect);
        loop {
            let progress = connection.progress(true).await.map_err(broken)?;
            let input = connection.buffers().0;
            if let Some((size, packet)) = first_packet(input, &accepts, self.options.version)? {
                let connack = accepted(packet, size, self.options.version)?;
                if connack.session_present && self.options.clean_start {
                    return Err(SessionError::SessionPresentAfterCleanStart.into()); // [MQTT-3.2.2-4]
                }
                read(&connack);
                if let Some(seconds) = connack.properties.two_bytes(PropertyId::ServerKeepAlive) {
                    keep_alive.set_interval(seconds);
                }
                let session_present = connack.session_present;
                let peer_accepts = Limits::of_server(&connack);
                let assigned_client_id =
                    connack.properties.text(PropertyId::AssignedClientIdentifier).map(str::to_owned);
                connection.consume(size);
                return Ok(Connected {
                    connection,
                    session_present,
                    accepts,
                    peer_accepts,
                    keep_alive,
                    assigned_client_id,
                });
            }
            if progress.is_closed {
                return Err(Error::Closed("before accepting it"));
            }
        }
    }

    fn connect_packet(&self) -> Connect<'_> {
        let options = self.options;
        let will = options.will.as_ref().map(|will| Will {
            topic: &will.topic,
            payload: &will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.as_properties(),
        });
        Connect {
            version: options.version,
            is_bridge: false,
            clean_start: options.clean_start,
            keep_alive: options.keep_alive,
            client_id: self.client_id.unwrap_or(&options.client_id),
            will,
            username: options.username.as_deref(),
            password: options.password.as_deref(),
            properties: options.properties.as_properties(),
        }
    }
}

/// The first packet that a server sent, and its size; `None` when it is not complete.
///
/// # Errors
/// When no MQTT broker answered, or not right.
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

/// A connection that broke before it was accepted. TLS 1.3 refuses our certificate only then.
fn broken(error: io::Error) -> Error {
    match error.downcast::<TlsError>() {
        Ok(refusal) => Error::Connect(refusal.into()),
        Err(error) => Error::Lost(error),
    }
}

/// The CONNACK that lets us in, of a packet with `size` bytes that answers a CONNECT of the version `asked`.
///
/// # Errors
/// When it is another packet, or a refusal.
pub fn accepted(packet: Packet<'_>, size: usize, asked: Version) -> Result<Connack<'_>, Error> {
    match packet {
        Packet::Connack(connack) if connack.reason_code.is_error() => {
            let details = describe_details(connack.properties);
            let answered = if size == V3_CONNACK { asked.min(Version::V311) } else { asked };
            Err(Error::Refused { reason: connack.reason_code, details, asked, answered })
        }
        Packet::Connack(connack) => Ok(connack),
        other => Err(SessionError::Unexpected(other.packet_type()).into()),
    }
}

/// Tells the protocols that people reach by a wrong port from a broken broker, without waiting for the end of what is no
/// packet.
fn check_greeting(input: &[u8]) -> Result<(), Error> {
    let text = match input {
        [] => return Ok(()),
        [b'H', b'T', b'T', b'P', ..] => "an HTTP server answered, not an MQTT broker; is the port right?",
        // A TLS record: alert or handshake, of version 3.x.
        [0x15 | 0x16, 3, ..] => "a TLS server answered; plain MQTT is usually on port 1883",
        [b'S', b'S', b'H', b'-', ..] => "an SSH server answered, not an MQTT broker; is the port right?",
        [first, ..] => match PacketType::from_first_byte(*first) {
            // Nothing else may come before CONNACK [MQTT-3.2.0-1]; AUTH is told apart later.
            Some(PacketType::Connack | PacketType::Auth | PacketType::Disconnect) => return Ok(()),
            _ => {
                let greeting = input.get(..GREETING).unwrap_or(input).escape_ascii();
                return Err(Error::NotMqtt(format!(
                    "what answered is no MQTT broker; it began with \"{greeting}\""
                )));
            }
        },
    };
    Err(Error::NotMqtt(text.to_owned()))
}

/// What a server adds to a reason code, with punctuation in front: its reason string, and the server to use instead.
pub fn describe_details(properties: Properties<'_>) -> String {
    let mut details = String::new();
    if let Some(text) = properties.text(PropertyId::ReasonString) {
        details += &format!(": {text}");
    }
    if let Some(server) = properties.text(PropertyId::ServerReference) {
        details += &format!("; the server to use is {server}");
    }
    details
}
