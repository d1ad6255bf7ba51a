//! From an endpoint to an accepted connection: TCP, CONNECT, CONNACK.

use super::{Application, Direction, Options};
use crate::error::Error;
use crate::protocol::session::{KeepAlive, Limits, SessionError};
use crate::protocol::{
    Connack, Connect, Frame, MAX_PACKET_SIZE, Packet, PacketType, Properties, PropertiesBuf, PropertyId,
    ReasonCode, Will,
};
use crate::transport::{Connection, tcp};
use std::time::Instant;

/// How much of an answer that is no MQTT is shown.
const GREETING: usize = 20;

pub(super) struct Handshake<'a> {
    pub(super) options: &'a Options,
    /// The identifier that the server chose at an earlier connection.
    pub(super) client_id: Option<&'a str>,
}

/// A connection that the server accepted.
pub(super) struct Connected {
    pub(super) connection: Connection,
    pub(super) connack: AcceptedConnack,
    pub(super) accepts: Limits,
    pub(super) peer_accepts: Limits,
    pub(super) keep_alive: KeepAlive,
    pub(super) assigned_client_id: Option<String>,
}

/// A CONNACK that outlives its bytes.
#[derive(Debug, Clone)]
pub(super) struct AcceptedConnack {
    session_present: bool,
    properties: PropertiesBuf,
}

impl AcceptedConnack {
    pub(super) fn as_connack(&self) -> Connack<'_> {
        Connack {
            session_present: self.session_present,
            reason_code: ReasonCode::SUCCESS,
            properties: self.properties.as_properties(),
        }
    }
}

impl Handshake<'_> {
    pub(super) async fn connect<A: Application>(&self, trace: Option<&mut A>) -> Result<Connected, Error> {
        let stream = tcp::connect(&self.options.endpoint).await?;
        let timeout = self.options.endpoint.timeout;
        match tokio::time::timeout(timeout, self.introduce(Connection::new(stream), trace)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout(timeout)),
        }
    }

    /// Sends CONNECT and waits for CONNACK.
    async fn introduce<A: Application>(
        &self,
        mut connection: Connection,
        mut trace: Option<&mut A>,
    ) -> Result<Connected, Error> {
        let connect = self.connect_packet();
        connect.encode(connection.output())?;
        if let Some(application) = &mut trace {
            application.trace(Direction::Sent, &Packet::Connect(connect.clone()));
        }
        let mut keep_alive = KeepAlive::new(self.options.keep_alive, Instant::now());
        let accepts = Limits::of_client(&connect);
        loop {
            let progress = connection.progress(true).await.map_err(Error::Lost)?;
            if let Some(taken) = self.take_connack(connection.buffers().0, &accepts, trace.as_deref_mut())? {
                let TakenConnack { size, connack, peer_accepts } = taken;
                connection.consume(size);
                let properties = connack.properties.as_properties();
                if let Some(seconds) = properties.two_bytes(PropertyId::ServerKeepAlive) {
                    keep_alive.set_interval(seconds);
                }
                let assigned_client_id =
                    properties.text(PropertyId::AssignedClientIdentifier).map(str::to_owned);
                return Ok(Connected {
                    connection,
                    connack,
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

    fn take_connack<A: Application>(
        &self,
        input: &[u8],
        accepts: &Limits,
        trace: Option<&mut A>,
    ) -> Result<Option<TakenConnack>, Error> {
        check_greeting(input)?;
        let Some(frame) = Frame::cut(input, accepts.maximum_packet_size.min(MAX_PACKET_SIZE))? else {
            return Ok(None);
        };
        let packet = Packet::decode(frame, self.options.version)?;
        if let Some(application) = trace {
            application.trace(Direction::Received, &packet);
        }
        let Packet::Connack(connack) = packet else {
            return Err(SessionError::Unexpected(packet.packet_type()).into());
        };
        if connack.reason_code.is_error() {
            let details = describe_details(connack.properties);
            return Err(Error::Refused { reason: connack.reason_code, details });
        }
        if connack.session_present && self.options.clean_start {
            return Err(SessionError::SessionPresentAfterCleanStart.into()); // [MQTT-3.2.2-4]
        }
        Ok(Some(TakenConnack {
            size: frame.size(),
            peer_accepts: Limits::of_server(&connack),
            connack: AcceptedConnack {
                session_present: connack.session_present,
                properties: connack.properties.to_owned(),
            },
        }))
    }
}

struct TakenConnack {
    size: usize,
    connack: AcceptedConnack,
    peer_accepts: Limits,
}

/// Tells the protocols that people reach by a wrong port from a broken broker, without waiting for the end of what is no
/// packet.
///
/// # Errors
/// When no MQTT broker answered.
pub fn check_greeting(input: &[u8]) -> Result<(), Error> {
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
