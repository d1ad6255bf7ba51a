//! CONNACK: the server's acceptance with its limits, or its refusal.

use super::error::{DecodeError, Problem};
use super::property::{Context, Properties};
use super::reader::Reader;
use super::writer::put_fixed_header;
use super::{EncodeError, PacketType, ReasonCode, RefusalCode, Version};
use std::ops::RangeInclusive;

/// The return codes of MQTT 3 that refuse a connection.
const REFUSALS_V3: RangeInclusive<u8> = 1..=5;

/// The server's answer to CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack<'a> {
    /// Whether the server still has the client's session.
    pub session_present: bool,
    /// Success, or the reason for the refusal. Return codes of MQTT 3 are mapped to the equivalent reason codes.
    pub reason_code: ReasonCode,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
}

impl<'a> Connack<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>, version: Version) -> Result<Connack<'a>, DecodeError> {
        let flags = reader.u8("acknowledge flags")?;
        // A reserved byte in MQTT 3.1, whose value is ignored.
        if flags > 1 && version != Version::V31 {
            let problem = Problem::InvalidValue { field: "acknowledge flags", value: flags.into() };
            return Err(reader.error_at(reader.offset() - 1, problem));
        }
        let session_present = flags == 1 && version != Version::V31;
        let reason_code = decode_reason(reader, version)?;
        // A server without MQTT 5 refuses in the encoding of MQTT 3.1.1, without properties.
        let is_v3_refusal = reader.is_empty() && reason_code.is_error();
        let properties = if version.is_v5() && !is_v3_refusal {
            Properties::decode(reader, Context::Connack)?
        } else {
            Properties::EMPTY
        };
        if session_present && reason_code != ReasonCode::SUCCESS {
            return Err(reader.error_at(2, Problem::SessionPresentInRefusal));
        }
        Ok(Connack { session_present, reason_code, properties })
    }

    /// The code in the bytes of the packet, from which [`Connack::decode`] made the reason code.
    pub(crate) fn code_in(&self, packet: &[u8]) -> RefusalCode {
        match *packet {
            [_, _, _, code] if REFUSALS_V3.contains(&code) => RefusalCode::ReturnCode(code),
            _ => RefusalCode::ReasonCode(self.reason_code),
        }
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// If the packet exceeds the maximum length; nothing is appended then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_fixed_header(out, PacketType::Connack, 0, 2 + self.properties.encoded_length(version))?;
        out.push(u8::from(self.session_present && version != Version::V31));
        out.push(if version.is_v5() { self.reason_code.0 } else { self.reason_code.to_v3_connack() });
        self.properties.encode(version, out);
        Ok(())
    }
}

fn decode_reason(reader: &mut Reader<'_>, version: Version) -> Result<ReasonCode, DecodeError> {
    let offset = reader.offset();
    let field = if version.is_v5() { "reason code" } else { "return code" };
    let code = reader.u8(field)?;
    let is_v3_refusal = reader.is_empty() && REFUSALS_V3.contains(&code);
    let reason_code = if version.is_v5() && !is_v3_refusal {
        Some(ReasonCode(code)).filter(|reason| reason.belongs_in(Context::Connack))
    } else {
        ReasonCode::from_v3_connack(code)
    };
    reason_code.ok_or_else(|| reader.error_at(offset, Problem::InvalidValue { field, value: code.into() }))
}
