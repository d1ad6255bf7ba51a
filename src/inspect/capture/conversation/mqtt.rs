//! Detects MQTT packets and their sender.
//!
//! This does not decode packets: packets with errors must still be recognised, so that the linter can report them.

use crate::inspect::Direction;
use crate::protocol::PacketType;

/// The protocol names of MQTT 3.1.1 and 5.0, and of 3.1, with their lengths.
const NAMES: [&[u8]; 2] = [b"\x00\x04MQTT", b"\x00\x06MQIsdp"];

/// A stream's protocol, judged by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    No,
    /// There are too few bytes to decide.
    Maybe,
    Yes,
}

/// The result of walking from packet to packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walk {
    /// The number of whole packets.
    pub(super) packets: usize,
    /// Whether all bytes may be MQTT from one sender.
    pub(super) is_plausible: bool,
    /// The direction, if a packet type determines it.
    pub(super) direction: Option<Direction>,
}

/// Whether `bytes` start with a CONNECT, judged by its protocol name.
pub(super) fn connect(bytes: &[u8]) -> Likeness {
    let Some((0x10, rest)) = bytes.split_first() else {
        return if bytes.is_empty() { Likeness::Maybe } else { Likeness::No };
    };
    let Some((_, size)) = remaining_length(rest) else {
        return if rest.len() < 4 { Likeness::Maybe } else { Likeness::No };
    };
    let body = rest.get(size..).unwrap_or_default();
    if NAMES.iter().any(|name| body.starts_with(name)) {
        return Likeness::Yes;
    }
    if NAMES.iter().any(|name| name.starts_with(body)) { Likeness::Maybe } else { Likeness::No }
}

/// Walks from packet to packet.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk { packets: 0, is_plausible: true, direction: None };
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let Some(packet_type) = packet_type(*first) else { return Walk { is_plausible: false, ..walk } };
        let Some((length, size)) = remaining_length(after) else {
            return Walk { is_plausible: after.len() < 4, ..walk };
        };
        let body = after.get(size..).unwrap_or_default();
        if !is_plausible_body(packet_type, length, body) {
            return Walk { is_plausible: false, ..walk };
        }
        match (walk.direction, Direction::of(packet_type)) {
            (Some(before), Some(now)) if before != now => return Walk { is_plausible: false, ..walk },
            (before, now) => walk.direction = before.or(now),
        }
        let Some(next) = body.get(length..) else { return walk };
        walk.packets += 1;
        rest = next;
    }
    walk
}

/// The packet type in a first byte with valid flags.
fn packet_type(first: u8) -> Option<PacketType> {
    let packet_type = PacketType::from_first_byte(first)?;
    let is_right = match packet_type.fixed_flags() {
        // MQTT 3.1 does not fix the flags of CONNECT, but accepting any of them would match one byte in 16.
        Some(flags) => {
            first & 0x0f == flags
                || packet_type != PacketType::Connect && packet_type.may_have_flags(first & 0x0f)
        }
        // PUBLISH: QoS 3 is invalid.
        None => first & 0x06 != 0x06,
    };
    is_right.then_some(packet_type)
}

/// The Remaining Length and the number of bytes that encode it.
fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let size = bytes.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let digits = bytes.iter().take(size).rev();
    Some((digits.fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f)), size))
}

/// Whether a body may have this length and this beginning.
fn is_plausible_body(packet_type: PacketType, length: usize, body: &[u8]) -> bool {
    match packet_type {
        PacketType::Connect => length >= 10,
        PacketType::Connack | PacketType::Suback | PacketType::Unsuback => length >= 2,
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => length >= 2,
        PacketType::Publish => is_plausible_topic(length, body),
        PacketType::Subscribe | PacketType::Unsubscribe => length >= 5,
        PacketType::Pingreq | PacketType::Pingresp => length == 0,
        PacketType::Disconnect | PacketType::Auth => true,
    }
}

/// Whether a PUBLISH begins with a topic that is text and fits the packet.
fn is_plausible_topic(length: usize, body: &[u8]) -> bool {
    let Some((topic_length, rest)) = body.split_first_chunk::<2>() else { return length >= 2 };
    let topic_length = usize::from(u16::from_be_bytes(*topic_length));
    let topic = rest.get(..topic_length).unwrap_or(rest);
    let is_text = std::str::from_utf8(topic).is_ok_and(|topic| !topic.contains(char::is_control));
    topic_length + 2 <= length && (is_text || topic.len() < topic_length)
}
