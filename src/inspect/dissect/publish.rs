//! PUBLISH and its acknowledgements.

use super::cursor::{Cursor, DissectResult, EndOfPacket};
use super::property;
use crate::inspect::{Name, Rule, Value};
use crate::protocol::property::Context;

pub(super) fn flags(cursor: &mut Cursor<'_>, first: u8) {
    cursor.bits(Name::Dup, first, 3, 3);
    if cursor.bits(Name::Qos, first, 2, 1) == 3 {
        cursor.find(Rule::PublishQos, 0..1, "both QoS bits are set");
    }
    cursor.bits(Name::Retain, first, 0, 0);
}

pub(super) fn publish(cursor: &mut Cursor<'_>) -> DissectResult {
    cursor.string_field(Name::TopicName, Rule::StringUtf8)?;
    if cursor.tree.number(Name::Qos).is_some_and(|qos| qos > 0) {
        cursor.number(Name::PacketIdentifier)?;
    }
    property::list(cursor, Name::Properties, Context::Publish)?;
    let start = cursor.position();
    let announced = cursor.left();
    let payload = cursor.rest();
    cursor.field(Name::Payload, Value::Bytes(payload), start);
    if payload.len() < announced {
        cursor.note_absence();
    }
    Ok(())
}

/// PUBACK, PUBREC, PUBREL and PUBCOMP. MQTT 5 may leave out a reason code of 0 and empty properties.
pub(super) fn acknowledgement(cursor: &mut Cursor<'_>, context: Context) -> DissectResult {
    cursor.number(Name::PacketIdentifier)?;
    if !cursor.version.is_v5() || cursor.is_at_end() {
        return Ok(());
    }
    reason(cursor, context)
}

/// A reason code and optional properties.
pub(super) fn reason(cursor: &mut Cursor<'_>, context: Context) -> Result<(), EndOfPacket> {
    let start = cursor.position();
    let code = cursor.u8(Name::ReasonCode)?;
    cursor.field(Name::ReasonCode, Value::Code(code), start);
    if cursor.is_at_end() { Ok(()) } else { property::list(cursor, Name::Properties, context) }
}
