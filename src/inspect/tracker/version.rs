//! Infers the version of a connection whose CONNECT was not captured.

use crate::inspect::dissect::{RawPacket, dissect};
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name, Value};
use crate::protocol::{PacketType, PropertyId, Version};

pub(super) fn stated(connect: &Tree<'_>) -> Option<Version> {
    let level = connect.number(Name::ProtocolLevel)? & 0x7f;
    Version::from_name_and_level(connect.text(Name::ProtocolName)?, u8::try_from(level).ok()?)
}

/// The version that follows from this packet alone: only that version can decode it, or it has features of that version.
pub(super) fn inferred(packet: &RawPacket<'_>, direction: Direction) -> Option<Version> {
    if packet.is_cut {
        return None;
    }
    let [v311, v5] = [Version::V311, Version::V5].map(|version| dissect(packet, version, Some(direction)));
    let looks_like_v5 = || has_properties(&v5) || starts_like_properties(&v311, &v5);
    match (v311.is_malformed(), v5.is_malformed()) {
        (false, true) if can_differ(packet) => Some(Version::V311),
        (true, false) => Some(Version::V5),
        // The zeros in place of missing bytes do not count as evidence.
        (false, false) if packet.missing.is_empty() && looks_like_v5() => Some(Version::V5),
        (false, _) | (true, true) => None,
    }
}

/// Whether the versions encode the packet's type differently.
fn can_differ(packet: &RawPacket<'_>) -> bool {
    match packet.packet_type() {
        Some(
            PacketType::Publish
            | PacketType::Subscribe
            | PacketType::Suback
            | PacketType::Unsubscribe
            | PacketType::Unsuback
            | PacketType::Connack,
        ) => true,
        Some(
            PacketType::Connect
            | PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp
            | PacketType::Pingreq
            | PacketType::Pingresp
            | PacketType::Disconnect
            | PacketType::Auth,
        )
        | None => false,
    }
}

/// Whether there are properties. A payload is unlikely to be a valid property list by chance.
fn has_properties(v5: &Tree<'_>) -> bool {
    PropertyId::ALL.into_iter().any(|id| v5.find(Name::Property(id)).is_some())
}

/// Whether the payload may begin with an empty property list. An initial zero byte in a payload is less likely than that, and a
/// message without a topic has an alias.
fn starts_like_properties(v311: &Tree<'_>, v5: &Tree<'_>) -> bool {
    let payload = |tree: &Tree<'_>| match tree.find(Name::Payload).map(|field| field.value) {
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    v311.bytes(Name::Payload).is_some_and(|bytes| bytes.first() == Some(&0))
        && payload(v5) + 1 == payload(v311)
}
