//! Arrays, which Sparkplug packs into bytes: little-endian numbers, flags as bits after their number, and zero-terminated
//! strings (Sparkplug 3.0, section 6.4.17).

use crate::json::Writer;
use crate::payload::bytes;
use crate::payload::number::{float, single};

/// Writes an array of this type. Bytes that are not a valid array are written as bytes.
pub(super) fn write(data_type: Option<u64>, packed: &[u8], json: &mut Writer<'_>) {
    match data_type {
        Some(22) => numbers(packed, json, |[byte], json| json.literal(byte as i8)),
        Some(23) => numbers(packed, json, |bytes, json| json.literal(i16::from_le_bytes(bytes))),
        Some(24) => numbers(packed, json, |bytes, json| json.literal(i32::from_le_bytes(bytes))),
        Some(25) => numbers(packed, json, |bytes, json| json.literal(i64::from_le_bytes(bytes))),
        Some(26) => numbers(packed, json, |[byte], json| json.integer(byte.into())),
        Some(27) => numbers(packed, json, |bytes, json| json.integer(u16::from_le_bytes(bytes).into())),
        Some(28) => numbers(packed, json, |bytes, json| json.integer(u32::from_le_bytes(bytes).into())),
        Some(29 | 34) => numbers(packed, json, |bytes, json| json.integer(u64::from_le_bytes(bytes))),
        Some(30) => numbers(packed, json, |bytes, json| single(f32::from_le_bytes(bytes), json)),
        Some(31) => numbers(packed, json, |bytes, json| float(f64::from_le_bytes(bytes), json)),
        Some(32) => flags(packed, json),
        Some(33) => strings(packed, json),
        _ => bytes(packed, json),
    }
}

fn numbers<const N: usize>(packed: &[u8], json: &mut Writer<'_>, write: impl Fn([u8; N], &mut Writer<'_>)) {
    let (values, []) = packed.as_chunks::<N>() else {
        return bytes(packed, json);
    };
    json.open_array();
    for value in values {
        json.element();
        write(*value, json);
    }
    json.close_array();
}

/// Writes packed flags: their number, and a bit each, the highest bit of a byte first.
fn flags(packed: &[u8], json: &mut Writer<'_>) {
    let whole = packed.split_first_chunk().and_then(|(count, bits)| {
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        (count.div_ceil(8) == bits.len()).then_some((count, bits))
    });
    let Some((count, bits)) = whole else { return bytes(packed, json) };
    let flags = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
    json.open_array();
    for flag in flags.take(count) {
        json.element();
        json.literal(flag);
    }
    json.close_array();
}

fn strings(packed: &[u8], json: &mut Writer<'_>) {
    let text = std::str::from_utf8(packed).ok().filter(|text| text.is_empty() || text.ends_with('\0'));
    let Some(text) = text else { return bytes(packed, json) };
    json.open_array();
    for string in text.split_terminator('\0') {
        json.element();
        json.string(string);
    }
    json.close_array();
}
