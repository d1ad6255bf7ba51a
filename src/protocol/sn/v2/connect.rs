//! CONNECT with its will, CONNACK, AUTH and DISCONNECT.

use super::field::{bit, put_long, put_packet_id, read_flags};
use super::topic::TOPIC_TYPE;
use super::{DecodeError, PROTOCOL_VERSION, Reader, Reason, Topic};
use crate::protocol::sn::{EncodeError, Problem};
use crate::protocol::{PacketId, Qos};

const CLEAN_START: u8 = 0x01;
const WILL: u8 = 0x02;
const AUTHENTICATION: u8 = 0x04;
const SESSION_EXPIRY: u8 = 0x08;
const DEFAULT_AWAKE_MESSAGES: u8 = 0x10;
const NETWORK_ADDRESS: u8 = 0x20;
const SERVER_SUGGESTIONS: u8 = 0x40;
const CONNECT_FLAGS: u8 = 0x7f;

const WILL_QOS: u8 = 0x0c;
const WILL_RETAIN: u8 = 0x10;

const SESSION_PRESENT: u8 = 0x01;
const CONNACK_SESSION_EXPIRY: u8 = 0x02;
const SERVER_KEEP_ALIVE: u8 = 0x04;
const CONNACK_AUTHENTICATION: u8 = 0x08;
const CONNACK_FLAGS: u8 = 0x0f;

const DISCONNECT_PACKET_ID: u8 = 0x01;
const DISCONNECT_SESSION_EXPIRY: u8 = 0x02;
const DISCONNECT_REASON: u8 = 0x04;

/// CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// An existing session is discarded.
    pub clean_start: bool,
    /// The client may change its network address, and sends its identifier in Connection Encapsulations.
    pub has_changing_address: bool,
    /// The server may replace keep alive, session expiry interval and sleep durations.
    pub accepts_suggestions: bool,
    /// Repeated in CONNACK.
    pub packet_id: PacketId,
    /// The keep alive in seconds. 0 is a protocol error, which the decoder does not check.
    pub keep_alive: u16,
    /// The largest packet that the client takes; 0 for no limit.
    pub maximum_packet_size: u16,
    /// The messages that the client gets each time it wakes up; `None` and 0 leave the number to the server.
    pub default_awake_messages: Option<u8>,
    /// The time in seconds that the session outlasts the connection; `None` is 0, and `u32::MAX` is forever.
    pub session_expiry: Option<u32>,
    /// The will.
    pub will: Option<Will<'a>>,
    /// The authentication.
    pub authentication: Option<Authentication<'a>>,
    /// The client identifier; empty to let the server assign one.
    pub client_id: &'a str,
}

/// The will of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// The QoS of the will.
    pub qos: Qos,
    /// The will is retained.
    pub retain: bool,
    /// The topic.
    pub topic: Topic<'a>,
    /// The message.
    pub payload: &'a [u8],
}

/// The authentication in CONNECT and CONNACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authentication<'a> {
    /// The method.
    pub method: &'a str,
    /// The data, whose form the method defines.
    pub data: &'a [u8],
}

/// CONNACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connack<'a> {
    /// The server has kept a session of the client.
    pub session_present: bool,
    /// That of the CONNECT.
    pub packet_id: PacketId,
    /// The result.
    pub reason: Reason,
    /// Replaces the requested interval.
    pub session_expiry: Option<u32>,
    /// Replaces the requested keep alive.
    pub server_keep_alive: Option<u16>,
    /// The last step of an authentication.
    pub authentication: Option<Authentication<'a>>,
    /// The identifier for a client without one, or empty.
    pub assigned_client_id: &'a str,
}

/// AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<'a> {
    /// That of the CONNECT or AUTH that it answers, or a new one.
    pub packet_id: PacketId,
    /// Success, continue or re-authenticate.
    pub reason: Reason,
    /// The method and its data.
    pub authentication: Authentication<'a>,
}

/// DISCONNECT, which has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect<'a> {
    /// That of the packet that was rejected.
    pub packet_id: Option<PacketId>,
    /// Replaces the interval of CONNECT; only from a client.
    pub session_expiry: Option<u32>,
    /// The reason; a normal disconnect without one.
    pub reason: Option<Reason>,
    /// Text for people, or empty.
    pub reason_text: &'a str,
}

impl<'a> Connect<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Connect<'a>, DecodeError> {
        let (flags, _) = read_flags(reader, CONNECT_FLAGS)?;
        let has = |bit: u8| flags & bit != 0;
        let will_flags =
            if has(WILL) { Some(read_flags(reader, WILL_QOS | WILL_RETAIN | TOPIC_TYPE)?) } else { None };
        let packet_id = reader.packet_id()?;
        let place = reader.offset();
        let value = reader.u8("protocol version")?;
        if value != PROTOCOL_VERSION {
            return Err(reader.error_at(place, Problem::UnsupportedVersion { value }));
        }
        Ok(Connect {
            clean_start: has(CLEAN_START),
            has_changing_address: has(NETWORK_ADDRESS),
            accepts_suggestions: has(SERVER_SUGGESTIONS),
            packet_id,
            keep_alive: reader.u16("keep alive")?,
            maximum_packet_size: reader.u16("maximum packet size")?,
            default_awake_messages: optional(has(DEFAULT_AWAKE_MESSAGES), || {
                reader.u8("default awake messages")
            })?,
            session_expiry: optional(has(SESSION_EXPIRY), || reader.u32("session expiry interval"))?,
            will: will_flags.map(|(flags, place)| Will::read(reader, flags, place)).transpose()?,
            authentication: optional(has(AUTHENTICATION), || Authentication::read(reader))?,
            client_id: reader.string("client identifier")?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(
            bit(CLEAN_START, self.clean_start)
                | bit(WILL, self.will.is_some())
                | bit(AUTHENTICATION, self.authentication.is_some())
                | bit(SESSION_EXPIRY, self.session_expiry.is_some())
                | bit(DEFAULT_AWAKE_MESSAGES, self.default_awake_messages.is_some())
                | bit(NETWORK_ADDRESS, self.has_changing_address)
                | bit(SERVER_SUGGESTIONS, self.accepts_suggestions),
        );
        out.extend(self.will.iter().map(Will::flags));
        put_packet_id(out, self.packet_id);
        out.push(PROTOCOL_VERSION);
        out.extend_from_slice(&self.keep_alive.to_be_bytes());
        out.extend_from_slice(&self.maximum_packet_size.to_be_bytes());
        out.extend(self.default_awake_messages);
        out.extend(self.session_expiry.iter().flat_map(|interval| interval.to_be_bytes()));
        if let Some(will) = &self.will {
            will.topic.put_before_payload(out)?;
            put_long(out, will.payload, "will payload")?;
        }
        if let Some(authentication) = &self.authentication {
            authentication.put(out)?;
        }
        out.extend_from_slice(self.client_id.as_bytes());
        Ok(())
    }
}

impl<'a> Will<'a> {
    fn read(reader: &mut Reader<'a>, flags: u8, flags_place: usize) -> Result<Will<'a>, DecodeError> {
        let qos = Qos::from_u8((flags & WILL_QOS) >> 2);
        let qos = qos.ok_or_else(|| reader.error_at(flags_place, Problem::InvalidQos))?;
        let topic = Topic::read_before_payload(reader, flags, flags_place)?;
        let length = reader.u16("will payload length")?;
        let payload = reader.take(length.into(), "will payload")?;
        Ok(Will { qos, retain: flags & WILL_RETAIN != 0, topic, payload })
    }

    fn flags(&self) -> u8 {
        (self.qos as u8) << 2 | bit(WILL_RETAIN, self.retain) | self.topic.topic_type()
    }
}

impl<'a> Authentication<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Authentication<'a>, DecodeError> {
        let method = read_method(reader)?;
        let length = reader.u16("authentication data length")?;
        Ok(Authentication { method, data: reader.take(length.into(), "authentication data")? })
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_method(out, self.method)?;
        put_long(out, self.data, "authentication data")
    }
}

impl<'a> Connack<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Connack<'a>, DecodeError> {
        let (flags, _) = read_flags(reader, CONNACK_FLAGS)?;
        let has = |bit: u8| flags & bit != 0;
        Ok(Connack {
            session_present: has(SESSION_PRESENT),
            packet_id: reader.packet_id()?,
            reason: reader.u8("reason code").map(Reason)?,
            session_expiry: optional(has(CONNACK_SESSION_EXPIRY), || reader.u32("session expiry interval"))?,
            server_keep_alive: optional(has(SERVER_KEEP_ALIVE), || reader.u16("server keep alive"))?,
            authentication: optional(has(CONNACK_AUTHENTICATION), || Authentication::read(reader))?,
            assigned_client_id: reader.string("assigned client identifier")?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(
            bit(SESSION_PRESENT, self.session_present)
                | bit(CONNACK_SESSION_EXPIRY, self.session_expiry.is_some())
                | bit(SERVER_KEEP_ALIVE, self.server_keep_alive.is_some())
                | bit(CONNACK_AUTHENTICATION, self.authentication.is_some()),
        );
        put_packet_id(out, self.packet_id);
        out.push(self.reason.0);
        out.extend(self.session_expiry.iter().flat_map(|interval| interval.to_be_bytes()));
        out.extend(self.server_keep_alive.iter().flat_map(|seconds| seconds.to_be_bytes()));
        if let Some(authentication) = &self.authentication {
            authentication.put(out)?;
        }
        out.extend_from_slice(self.assigned_client_id.as_bytes());
        Ok(())
    }
}

impl<'a> Auth<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Auth<'a>, DecodeError> {
        let packet_id = reader.packet_id()?;
        let reason = reader.u8("reason code").map(Reason)?;
        let method = read_method(reader)?;
        Ok(Auth { packet_id, reason, authentication: Authentication { method, data: reader.rest() } })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_packet_id(out, self.packet_id);
        out.push(self.reason.0);
        put_method(out, self.authentication.method)?;
        out.extend_from_slice(self.authentication.data);
        Ok(())
    }
}

impl<'a> Disconnect<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Disconnect<'a>, DecodeError> {
        let (flags, _) =
            read_flags(reader, DISCONNECT_PACKET_ID | DISCONNECT_SESSION_EXPIRY | DISCONNECT_REASON)?;
        let has = |bit: u8| flags & bit != 0;
        Ok(Disconnect {
            packet_id: optional(has(DISCONNECT_PACKET_ID), || reader.packet_id())?,
            session_expiry: optional(has(DISCONNECT_SESSION_EXPIRY), || {
                reader.u32("session expiry interval")
            })?,
            reason: optional(has(DISCONNECT_REASON), || reader.u8("reason code").map(Reason))?,
            reason_text: reader.string("reason string")?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(
            bit(DISCONNECT_PACKET_ID, self.packet_id.is_some())
                | bit(DISCONNECT_SESSION_EXPIRY, self.session_expiry.is_some())
                | bit(DISCONNECT_REASON, self.reason.is_some()),
        );
        if let Some(packet_id) = self.packet_id {
            put_packet_id(out, packet_id);
        }
        out.extend(self.session_expiry.iter().flat_map(|interval| interval.to_be_bytes()));
        out.extend(self.reason.iter().map(|reason| reason.0));
        out.extend_from_slice(self.reason_text.as_bytes());
    }
}

/// A field that a flag announces.
fn optional<T>(
    is_present: bool,
    read: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if is_present { read().map(Some) } else { Ok(None) }
}

fn read_method<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let length = reader.u8("authentication method length")?;
    reader.text(length.into(), "authentication method")
}

fn put_method(out: &mut Vec<u8>, method: &str) -> Result<(), EncodeError> {
    let length = method.len();
    let field = "authentication method";
    out.push(u8::try_from(length).map_err(|_| EncodeError::FieldLength { field, length })?);
    out.extend_from_slice(method.as_bytes());
    Ok(())
}
