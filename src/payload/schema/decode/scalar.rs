//! Numbers, texts, bytes and enumerations as ProtoJSON.

use super::super::declaration::Scalar;
use super::super::link::{Kind, Schema};
use super::super::well_known::NULL_VALUE;
use crate::json::Writer;
use crate::message::to_base64;
use crate::payload::Problem;
use crate::payload::number::{float, single};
use crate::payload::protobuf::{self, WireValue};
use std::fmt::Display;

/// Writes a value. As in all libraries, bits of a varint beyond the type's are ignored.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn write(
    schema: &Schema,
    kind: Kind,
    value: WireValue<'_>,
    at: usize,
    json: &mut Writer<'_>,
) -> Result<(), Problem> {
    match (kind, value) {
        (Kind::Scalar(scalar), WireValue::Number(bits)) => varint(scalar, bits, json),
        (Kind::Scalar(Scalar::Double), WireValue::Fixed64(bits)) => double(f64::from_bits(bits), json),
        (Kind::Scalar(Scalar::Sfixed64), WireValue::Fixed64(bits)) => quoted(bits.cast_signed(), json),
        (Kind::Scalar(_), WireValue::Fixed64(bits)) => quoted(bits, json),
        (Kind::Scalar(Scalar::Float), WireValue::Fixed32(bits)) => {
            let value = f32::from_bits(bits);
            if value.is_finite() { single(value, json) } else { double(value.into(), json) }
        }
        (Kind::Scalar(Scalar::Sfixed32), WireValue::Fixed32(bits)) => json.literal(bits.cast_signed()),
        (Kind::Scalar(_), WireValue::Fixed32(bits)) => json.literal(bits),
        (Kind::Scalar(Scalar::String | Scalar::UncheckedString), WireValue::Bytes(text)) => {
            json.string(protobuf::text(text, at)?);
        }
        (Kind::Scalar(_), WireValue::Bytes(bytes)) => json.string(&to_base64(bytes)),
        (Kind::Enum(id), WireValue::Number(bits)) => {
            let declared = schema.enumeration(id);
            let number = bits as i32;
            match declared.values.iter().find(|(_, value)| *value == number) {
                _ if declared.name == NULL_VALUE => json.literal("null"),
                Some((name, _)) => json.string(name),
                None => json.literal(number),
            }
        }
        // The wire type was checked before.
        (Kind::Scalar(_) | Kind::Enum(_) | Kind::Message(_), _) => {
            return Err(Problem { reason: "unexpected wire type", at });
        }
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation)]
fn varint(scalar: Scalar, bits: u64, json: &mut Writer<'_>) {
    match scalar {
        Scalar::Bool => json.literal(bits != 0),
        Scalar::Int32 => json.literal(bits as i32),
        Scalar::Uint32 => json.literal(bits as u32),
        Scalar::Sint32 => {
            let bits = bits as u32;
            json.literal((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed());
        }
        Scalar::Sint64 => quoted((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed(), json),
        Scalar::Int64 => quoted(bits.cast_signed(), json),
        _ => quoted(bits, json),
    }
}

/// Numbers of 64 bits are strings, since many readers of JSON would round them.
fn quoted(number: impl Display, json: &mut Writer<'_>) {
    json.literal(format_args!("\"{number}\""));
}

pub(super) fn double(value: f64, json: &mut Writer<'_>) {
    if value.is_infinite() {
        json.string(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        float(value, json);
    }
}

/// Writes the value of a field that is absent from a map entry or wrapper.
pub(super) fn default(schema: &Schema, kind: Kind, json: &mut Writer<'_>) {
    let value = match super::wire_type(kind) {
        super::WireType::Varint => WireValue::Number(0),
        super::WireType::Fixed64 => WireValue::Fixed64(0),
        super::WireType::Fixed32 => WireValue::Fixed32(0),
        super::WireType::Length => WireValue::Bytes(&[]),
    };
    let value = match kind {
        Kind::Enum(id) => {
            let first = schema.enumeration(id).values.first().map_or(0, |(_, number)| *number);
            WireValue::Number(i64::from(first).cast_unsigned())
        }
        Kind::Scalar(_) | Kind::Message(_) => value,
    };
    // The value has the wire type of its kind, and no text.
    let _ = write(schema, kind, value, 0, json);
}
