//! PUBACK, PUBREC, PUBREL and PUBCOMP: the steps that acknowledge a PUBLISH. All four have the same encoding.

use super::error::{DecodeError, Problem};
use super::property::{Context, Properties};
use super::reader::Reader;
use super::writer::{put_fixed_header, put_u16};
use super::{EncodeError, PacketId, PacketType, ReasonCode, Version};

/// One step in acknowledging a PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// Success, or the error; always success before MQTT 5.
    pub reason_code: ReasonCode,
    /// The properties; empty before MQTT 5.
    pub properties: Properties<'a>,
}

impl<'a> Ack<'a> {
    /// An acknowledgement without properties.
    pub fn new(packet_id: PacketId, reason_code: ReasonCode) -> Ack<'static> {
        Ack { packet_id, reason_code, properties: Properties::EMPTY }
    }

    #[inline(always)]
    pub(super) fn decode(
        reader: &mut Reader<'a>,
        version: Version,
        context: Context,
    ) -> Result<Ack<'a>, DecodeError> {
        let packet_id = reader.packet_id()?;
        // The short forms of MQTT 5 (section 3.4.2.1): no reason code means success, no length means no properties.
        if !version.is_v5() || reader.is_empty() {
            return Ok(Ack::new(packet_id, ReasonCode::SUCCESS));
        }
        let reason_code = decode_reason_code(reader, context)?;
        let properties =
            if reader.is_empty() { Properties::EMPTY } else { Properties::decode(reader, context)? };
        Ok(Ack { packet_id, reason_code, properties })
    }

    /// Appends the packet, in its shortest form, as one of the four.
    ///
    /// # Errors
    /// If the packet exceeds the maximum length; nothing is appended then.
    pub fn encode(
        &self,
        packet_type: PacketType,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let flags = packet_type.fixed_flags().unwrap_or(0);
        let tail = tail_length(self.reason_code, self.properties, version);
        put_fixed_header(out, packet_type, flags, 2 + tail)?;
        put_u16(out, self.packet_id.value());
        put_tail(self.reason_code, self.properties, version, out);
        Ok(())
    }
}

/// Reads a reason code and checks that the packet may carry it.
pub(super) fn decode_reason_code(
    reader: &mut Reader<'_>,
    context: Context,
) -> Result<ReasonCode, DecodeError> {
    let offset = reader.offset();
    let reason_code = ReasonCode(reader.u8("reason code")?);
    if reason_code.belongs_in(context) {
        return Ok(reason_code);
    }
    let problem = Problem::InvalidValue { field: "reason code", value: reason_code.0.into() };
    Err(reader.error_at(offset, problem))
}

/// The length of a reason code and properties, which are optional: both are omitted for success without properties, the
/// properties if the list is empty.
pub(super) fn tail_length(reason_code: ReasonCode, properties: Properties<'_>, version: Version) -> usize {
    match (version.is_v5(), properties.is_empty()) {
        (false, _) => 0,
        (true, true) => usize::from(reason_code != ReasonCode::SUCCESS),
        (true, false) => 1 + properties.encoded_length(version),
    }
}

/// Writes the bytes counted by [`tail_length`].
pub(super) fn put_tail(
    reason_code: ReasonCode,
    properties: Properties<'_>,
    version: Version,
    out: &mut Vec<u8>,
) {
    if tail_length(reason_code, properties, version) == 0 {
        return;
    }
    out.push(reason_code.0);
    if !properties.is_empty() {
        properties.encode(version, out);
    }
}
