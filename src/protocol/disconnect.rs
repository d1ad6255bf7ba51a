//! DISCONNECT and AUTH: a reason code and properties, both optional.

use super::ack::{decode_reason_code, put_tail, tail_length};
use super::error::DecodeError;
use super::property::{Context, Properties};
use super::reader::Reader;
use super::writer::put_fixed_header;
use super::{EncodeError, PacketType, ReasonCode, Version};

/// The last packet of a connection, with the reason for its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// The reason; always success ("normal disconnection") before MQTT 5.
    pub reason_code: ReasonCode,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
}

/// A step of an enhanced authentication; MQTT 5 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Success, continue or re-authenticate.
    pub reason_code: ReasonCode,
    /// The properties, the authentication method among them.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: Version) -> Result<Disconnect<'a>, DecodeError> {
        if !version.is_v5() {
            return Ok(Disconnect { reason_code: ReasonCode::SUCCESS, properties: Properties::EMPTY });
        }
        let (reason_code, properties) = decode_tail(reader, Context::Disconnect)?;
        Ok(Disconnect { reason_code, properties })
    }

    /// Appends the packet in its shortest form.
    ///
    /// # Errors
    /// If the packet exceeds the maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_tail(PacketType::Disconnect, self.reason_code, self.properties, version, out)
    }
}

impl<'a> Auth<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Auth<'a>, DecodeError> {
        let (reason_code, properties) = decode_tail(reader, Context::Auth)?;
        Ok(Auth { reason_code, properties })
    }

    /// Appends the packet in its shortest form.
    ///
    /// # Errors
    /// If the packet exceeds the maximum length; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_tail(PacketType::Auth, self.reason_code, self.properties, Version::V5, out)
    }
}

fn decode_tail<'a>(
    reader: &mut Reader<'a>,
    context: Context,
) -> Result<(ReasonCode, Properties<'a>), DecodeError> {
    if reader.is_empty() {
        return Ok((ReasonCode::SUCCESS, Properties::EMPTY));
    }
    let reason_code = decode_reason_code(reader, context)?;
    if reader.is_empty() {
        return Ok((reason_code, Properties::EMPTY));
    }
    Ok((reason_code, Properties::decode(reader, context)?))
}

fn encode_tail(
    packet_type: PacketType,
    reason_code: ReasonCode,
    properties: Properties<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    put_fixed_header(out, packet_type, 0, tail_length(reason_code, properties, version))?;
    put_tail(reason_code, properties, version, out);
    Ok(())
}
