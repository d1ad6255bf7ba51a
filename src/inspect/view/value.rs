//! A field's value as text, for the views that show every field.

use super::secret::{HIDDEN, is_secret};
use super::words::{self, hex, printable};
use super::{Fielded, Options};
use crate::escape::quoted;
use crate::inspect::{Field, Name, Value};
use crate::protocol::{PacketType, PropertyId};
use crate::words::counted;

/// Maximum characters of a string to show.
const MAX_TEXT: usize = 200;

/// Maximum bytes to show.
const MAX_BYTES: usize = 32;

/// The field's value, with the meaning of coded numbers.
pub(super) fn value(unit: &impl Fielded, field: &Field<'_>, options: Options) -> String {
    if is_secret(field.name) && !options.shows_secrets {
        return HIDDEN.to_owned();
    }
    match field.value {
        Value::Group => String::new(),
        Value::Number(number) => numbered(field.name, number),
        Value::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
        Value::Text(text) => shortened(text),
        Value::BadText(bytes) => format!("not UTF-8: {}", hex(bytes, MAX_BYTES)),
        Value::Bytes(bytes) => {
            // A payload may be incomplete; other binary fields have a length prefix.
            let length = if field.name == Name::Payload { field.range.len() } else { bytes.len() };
            binary(bytes, length)
        }
        Value::BadPair(name, value) => {
            format!("not UTF-8: {} = {}", words::text_or_hex(name), words::text_or_hex(value))
        }
        Value::Pair(name, value) => format!("{} = {}", shortened(name), shortened(value)),
        Value::Code(code) => {
            let meaning = unit.meaning(field.name, code);
            format!("0x{code:02x} {}", meaning.unwrap_or("unknown"))
        }
    }
}

fn numbered(name: Name, number: u32) -> String {
    match name {
        Name::PacketType => {
            let kind = u8::try_from(number << 4).ok().and_then(PacketType::from_first_byte);
            format!("{number} {}", kind.map_or("reserved", PacketType::name))
        }
        Name::Flags | Name::Reserved => format!("{number:#b}"),
        Name::ProtocolLevel => match number {
            3 => "3 (MQTT 3.1)".to_owned(),
            4 => "4 (MQTT 3.1.1)".to_owned(),
            5 => "5 (MQTT 5.0)".to_owned(),
            0x83 | 0x84 => format!("{number} (mosquitto bridge, level {})", number & 0x7f),
            _ => format!("{number} (unknown)"),
        },
        Name::RetainHandling => match number {
            0 => "0 (send retained messages)".to_owned(),
            1 => "1 (send retained messages if the subscription is new)".to_owned(),
            2 => "2 (send no retained messages)".to_owned(),
            _ => format!("{number} (reserved)"),
        },
        Name::KeepAlive | Name::Duration => seconds(number),
        Name::TopicType => match number {
            0 => "0 (session alias)".to_owned(),
            1 => "1 (predefined alias)".to_owned(),
            3 => "3 (name or filter)".to_owned(),
            _ => format!("{number} (reserved)"),
        },
        Name::SessionExpiryInterval | Name::ServerKeepAlive => seconds(number),
        Name::Qos if number == 3 => "3 (-1)".to_owned(),
        Name::TopicIdType => match number {
            0 => "0 (normal id or name)".to_owned(),
            1 => "1 (predefined id)".to_owned(),
            2 => "2 (short name)".to_owned(),
            _ => format!("{number} (reserved)"),
        },
        Name::Property(id) => property(id, number),
        _ => number.to_string(),
    }
}

fn property(id: PropertyId, number: u32) -> String {
    match (id, number) {
        (PropertyId::PayloadFormatIndicator, 0) => "0 (bytes)".to_owned(),
        (PropertyId::PayloadFormatIndicator, 1) => "1 (UTF-8)".to_owned(),
        (PropertyId::SessionExpiryInterval, u32::MAX) => "4294967295 (never)".to_owned(),
        (
            PropertyId::SessionExpiryInterval
            | PropertyId::MessageExpiryInterval
            | PropertyId::WillDelayInterval
            | PropertyId::ServerKeepAlive,
            seconds_,
        ) => seconds(seconds_),
        (_, number) => number.to_string(),
    }
}

fn seconds(number: u32) -> String {
    format!("{number} s")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        None => quoted(text),
        Some((end, _)) => {
            format!("{}... ({} bytes)", quoted(text.get(..end).unwrap_or_default()), text.len())
        }
    }
}

/// The bytes as text or hexadecimal, with the length if they are truncated.
fn binary(bytes: &[u8], length: usize) -> String {
    let size = counted(length, "byte");
    match printable(bytes) {
        _ if bytes.is_empty() && length == 0 => "empty".to_owned(),
        Some(text) if text.len() == length => shortened(text),
        Some(text) => format!("{}, of {size}", shortened(text)),
        None if length <= MAX_BYTES => hex(bytes, MAX_BYTES),
        None => format!("{} ({size})", hex(bytes, MAX_BYTES)),
    }
}
