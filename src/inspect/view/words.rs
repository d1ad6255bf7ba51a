//! Names of codes and versions, and text for bytes and durations.

use crate::escape::{is_printable_ascii, quoted};
use crate::inspect::{Name, Packet};
use crate::message::hex_digit;
use crate::protocol::property::Context;
use crate::protocol::{PacketType, ReasonCode, Version, return_code_name};
use crate::words::counted;

/// The failure code of SUBACK in MQTT 3.1.1.
const FAILURE: u8 = 0x80;

/// The meaning of a code in this field and the packet's version; `None` if it has none.
pub(super) fn code(packet: &Packet<'_>, field: Name, code: u8) -> Option<&'static str> {
    let is_v5 = packet.tracker.version.is_some_and(Version::is_v5);
    match field {
        Name::ReturnCode => return_code_name(code),
        Name::FilterReasonCode if !is_v5 && code == FAILURE => Some("failure"),
        _ => ReasonCode(code).name_in(packet.packet_type.and_then(context)?),
    }
}

/// The context in which the packet's reason codes are defined.
pub(in crate::inspect) fn context(packet_type: PacketType) -> Option<Context> {
    match packet_type {
        PacketType::Connack => Some(Context::Connack),
        PacketType::Puback => Some(Context::Puback),
        PacketType::Pubrec => Some(Context::Pubrec),
        PacketType::Pubrel => Some(Context::Pubrel),
        PacketType::Pubcomp => Some(Context::Pubcomp),
        PacketType::Suback => Some(Context::Suback),
        PacketType::Unsuback => Some(Context::Unsuback),
        PacketType::Disconnect => Some(Context::Disconnect),
        PacketType::Auth => Some(Context::Auth),
        PacketType::Connect
        | PacketType::Publish
        | PacketType::Subscribe
        | PacketType::Unsubscribe
        | PacketType::Pingreq
        | PacketType::Pingresp => None,
    }
}

/// The version number: `3.1`, `3.1.1` or `5.0`.
pub(in crate::inspect) fn version(version: Version) -> &'static str {
    match version {
        Version::V31 => "3.1",
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    }
}

/// The name of the packet's type, `RESERVED` for type 0.
pub(super) fn packet_name(packet: &Packet<'_>) -> &'static str {
    packet.packet_type.map_or("RESERVED", PacketType::name)
}

/// The bytes as text, if they are UTF-8 without control characters other than line breaks and tabs.
pub(super) fn printable(bytes: &[u8]) -> Option<&str> {
    if is_printable_ascii(bytes) {
        return std::str::from_utf8(bytes).ok();
    }
    let is_text = |character: char| !character.is_control() || "\n\r\t".contains(character);
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_text))
}

/// Maximum bytes of an invalid string to show.
const MAX_HEX: usize = 32;

/// Quoted text, or hexadecimal if it is not UTF-8.
pub(super) fn text_or_hex(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| hex(bytes, MAX_HEX), quoted)
}

/// At most `most` bytes in hexadecimal, separated by spaces.
pub(in crate::inspect) fn hex(bytes: &[u8], most: usize) -> String {
    let mut hex = String::with_capacity(bytes.len().min(most) * 3);
    push_hex(bytes, most, &mut hex);
    hex
}

/// Appends the text as [`hex`] returns it.
pub(super) fn push_hex(bytes: &[u8], most: usize, out: &mut String) {
    for (index, byte) in bytes.iter().take(most).enumerate() {
        out.push_str(if index == 0 { "" } else { " " });
        out.extend([byte >> 4, byte & 15].map(|digit| char::from(hex_digit(digit))));
    }
    if bytes.len() > most {
        out.push_str(" ...");
    }
}

/// Appends a number.
pub(super) fn push_number(number: u64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// A duration in a suitable unit.
pub(in crate::inspect) fn duration(nanoseconds: u64) -> String {
    let mut text = String::new();
    push_duration(nanoseconds, &mut text);
    text
}

/// Appends the text as [`duration`] returns it.
pub(super) fn push_duration(nanoseconds: u64, out: &mut String) {
    let (thousandths, unit) = match nanoseconds {
        0..1_000_000 => {
            push_number(nanoseconds / 1000, out);
            return out.push_str(" µs");
        }
        1_000_000..1_000_000_000 => (nanoseconds / 1000, " ms"),
        _ => (nanoseconds / 1_000_000, " s"),
    };
    push_number(thousandths / 1000, out);
    out.push('.');
    out.extend([100, 10, 1].map(|place| char::from(b'0' + (thousandths / place % 10) as u8)));
    out.push_str(unit);
}

/// The packet's length and offset, for the views that list fields.
pub(super) fn size(packet: &Packet<'_>) -> String {
    format!("{} at {}", counted(packet.raw.length, "byte"), packet.offset)
}
