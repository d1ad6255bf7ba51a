//! CONNECT: the client's identity, session parameters and will.

use super::error::{DecodeError, Problem};
use super::property::{Context, Properties};
use super::reader::Reader;
use super::writer::{field_length, put_field, put_fixed_header, put_u16};
use super::{EncodeError, PacketType, Qos, Version, topic};

const USERNAME: u8 = 1 << 7;
const PASSWORD: u8 = 1 << 6;
const WILL_RETAIN: u8 = 1 << 5;
const WILL_QOS_SHIFT: u8 = 3;
const WILL: u8 = 1 << 2;
const CLEAN_START: u8 = 1 << 1;
const RESERVED: u8 = 1;

/// Set in the protocol level by mosquitto's bridges, so that the broker does not send their own messages back.
const BRIDGE: u8 = 0x80;

/// The client's first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version of all later packets of the connection.
    pub version: Version,
    /// Whether mosquitto's bridge bit is set in the protocol level.
    pub is_bridge: bool,
    /// Whether to discard an existing session; "clean session" before MQTT 5.
    pub clean_start: bool,
    /// The keep alive interval in seconds; 0 for none.
    pub keep_alive: u16,
    /// The client identifier; empty to let the server assign one.
    pub client_id: &'a str,
    /// The will.
    pub will: Option<Will<'a>>,
    /// The user name.
    pub username: Option<&'a str>,
    /// The password.
    pub password: Option<&'a [u8]>,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
}

/// The message that the server publishes if the connection ends without DISCONNECT, or at the client's request in MQTT 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will<'a> {
    /// The topic to publish to.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// The QoS to publish at.
    pub qos: Qos,
    /// Whether the server retains it.
    pub retain: bool,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
}

impl<'a> Connect<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Connect<'a>, DecodeError> {
        let (version, is_bridge) = decode_version(reader)?;
        let flags = decode_flags(reader, version)?;
        let keep_alive = reader.u16("keep alive")?;
        let properties = Properties::decode_if_v5(reader, version, Context::Connect)?;
        let client_id = reader.string("client identifier")?;
        let will = if flags & WILL != 0 { Some(Will::decode(reader, version, flags)?) } else { None };
        let username = if flags & USERNAME != 0 { Some(reader.string("user name")?) } else { None };
        let password = if flags & PASSWORD != 0 { Some(reader.binary("password")?) } else { None };
        let clean_start = flags & CLEAN_START != 0;
        Ok(Connect {
            version,
            is_bridge,
            clean_start,
            keep_alive,
            client_id,
            will,
            username,
            password,
            properties,
        })
    }

    /// The version that a CONNECT names, even if the rest of it is missing or malformed.
    pub fn peek_version(packet: &[u8]) -> Option<Version> {
        let (&first, rest) = packet.split_first()?;
        if PacketType::from_first_byte(first) != Some(PacketType::Connect) {
            return None;
        }
        let length_bytes = rest.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
        let body = rest.get(length_bytes..)?;
        let (version, _) =
            decode_version(&mut Reader::new(PacketType::Connect, body, 1 + length_bytes)).ok()?;
        Some(version)
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// If a field or the packet exceeds its maximum length; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_fixed_header(out, PacketType::Connect, 0, self.body_length()?)?;
        put_field(out, self.version.protocol_name().as_bytes());
        out.push(self.version.protocol_level() | if self.is_bridge { BRIDGE } else { 0 });
        out.push(self.flags());
        put_u16(out, self.keep_alive);
        self.properties.encode(self.version, out);
        put_field(out, self.client_id.as_bytes());
        if let Some(will) = &self.will {
            will.properties.encode(self.version, out);
            put_field(out, will.topic.as_bytes());
            put_field(out, will.payload);
        }
        if let Some(username) = self.username {
            put_field(out, username.as_bytes());
        }
        if let Some(password) = self.password {
            put_field(out, password);
        }
        Ok(())
    }

    fn body_length(&self) -> Result<usize, EncodeError> {
        // Protocol name, level, flags, keep alive.
        let mut length = 2 + self.version.protocol_name().len() + 1 + 1 + 2;
        length += self.properties.encoded_length(self.version);
        length += field_length("client identifier", self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            length += will.properties.encoded_length(self.version);
            length += field_length("will topic", will.topic.as_bytes())?;
            length += field_length("will payload", will.payload)?;
        }
        if let Some(username) = self.username {
            length += field_length("user name", username.as_bytes())?;
        }
        if let Some(password) = self.password {
            length += field_length("password", password)?;
        }
        Ok(length)
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        let mut set = |condition: bool, flag: u8| flags |= if condition { flag } else { 0 };
        set(self.clean_start, CLEAN_START);
        set(self.username.is_some(), USERNAME);
        set(self.password.is_some(), PASSWORD);
        if let Some(will) = &self.will {
            set(true, WILL | (will.qos as u8) << WILL_QOS_SHIFT);
            set(will.retain, WILL_RETAIN);
        }
        flags
    }
}

impl<'a> Will<'a> {
    fn decode(reader: &mut Reader<'a>, version: Version, flags: u8) -> Result<Will<'a>, DecodeError> {
        let properties = Properties::decode_if_v5(reader, version, Context::Will)?;
        let offset = reader.offset();
        let topic = reader.string("will topic")?;
        if let Err(error) = topic::check_name(topic) {
            let problem = Problem::Topic { field: "will topic", topic: topic.to_owned(), error };
            return Err(reader.error_at(offset, problem));
        }
        let payload = reader.binary("will payload")?;
        let qos = Qos::from_u8(flags >> WILL_QOS_SHIFT & 0b11).unwrap_or_default();
        Ok(Will { topic, payload, qos, retain: flags & WILL_RETAIN != 0, properties })
    }
}

fn decode_version(reader: &mut Reader<'_>) -> Result<(Version, bool), DecodeError> {
    let offset = reader.offset();
    let name = reader.string("protocol name")?;
    let level = reader.u8("protocol level")?;
    match Version::from_name_and_level(name, level & !BRIDGE) {
        Some(version) => Ok((version, level & BRIDGE != 0)),
        None => {
            let problem = Problem::UnsupportedVersion { name: name.to_owned(), level };
            Err(reader.error_at(offset, problem))
        }
    }
}

/// Reads the connect flags and checks for contradictions [MQTT-3.1.2-3] [MQTT-3.1.2-11] to [MQTT-3.1.2-13].
fn decode_flags(reader: &mut Reader<'_>, version: Version) -> Result<u8, DecodeError> {
    let offset = reader.offset();
    let flags = reader.u8("connect flags")?;
    let fail = |problem| Err(reader.error_at(offset, problem));
    // MQTT 3.1 leaves the bit unused.
    if flags & RESERVED != 0 && version != Version::V31 {
        return fail(Problem::InvalidValue { field: "reserved connect flag", value: 1 });
    }
    if flags & WILL == 0 && flags & (WILL_RETAIN | 0b11 << WILL_QOS_SHIFT) != 0 {
        return fail(Problem::WillFlagsWithoutWill);
    }
    if flags >> WILL_QOS_SHIFT & 0b11 == 3 {
        return fail(Problem::InvalidValue { field: "will QoS", value: 3 });
    }
    // [MQTT-3.1.2-22] of 3.1.1; MQTT 5 lifted it.
    if !version.is_v5() && flags & PASSWORD != 0 && flags & USERNAME == 0 {
        return fail(Problem::PasswordWithoutUsername);
    }
    Ok(flags)
}
