//! Numbers in words.

use crate::inspect::Packet;
use crate::protocol::{ReasonCode, Version};
use std::fmt::Write;

/// What a CONNACK of MQTT 3 says with each return code.
const RETURN_CODES: [&str; 6] = [
    "accepted",
    "unacceptable protocol version",
    "identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorized",
];

/// What a reason code of MQTT 5 says, or `None` for a number that has no meaning.
pub(super) fn reason(code: u8) -> Option<&'static str> {
    ReasonCode(code).name()
}

/// What a return code of CONNACK says before MQTT 5.
pub(super) fn return_code(code: u8) -> Option<&'static str> {
    RETURN_CODES.get(usize::from(code)).copied()
}

/// The version as CONNECT's level counts it: `3.1`, `3.1.1` or `5.0`.
pub(in crate::inspect) fn version(version: Version) -> &'static str {
    match version {
        Version::V31 => "3.1",
        Version::V311 => "3.1.1",
        Version::V5 => "5.0",
    }
}

/// The packet's name, also where it has none.
pub(super) fn packet_name(packet: &Packet<'_>) -> &'static str {
    packet.packet_type.map_or("RESERVED", crate::protocol::PacketType::name)
}

/// The text that bytes are, unless they are none, or hold what no text does but line ends and tabs.
pub(super) fn printable(bytes: &[u8]) -> Option<&str> {
    let is_text = |character: char| !character.is_control() || "\n\r\t".contains(character);
    std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_text))
}

/// Bytes in hexadecimal with spaces between, no more than `most` of them.
pub(super) fn hex(bytes: &[u8], most: usize) -> String {
    let mut hex = String::with_capacity(bytes.len().min(most) * 3);
    for (index, byte) in bytes.iter().take(most).enumerate() {
        let space = if index == 0 { "" } else { " " };
        let _ = write!(hex, "{space}{byte:02x}");
    }
    if bytes.len() > most {
        hex.push_str(" ...");
    }
    hex
}

/// A duration in the unit that fits it.
pub(in crate::inspect) fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{} us", nanoseconds / 1000),
        1_000_000..1_000_000_000 => {
            format!("{}.{:03} ms", nanoseconds / 1_000_000, nanoseconds / 1000 % 1000)
        }
        _ => format!("{}.{:03} s", nanoseconds / 1_000_000_000, nanoseconds / 1_000_000 % 1000),
    }
}
