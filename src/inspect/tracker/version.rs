//! Which version a connection speaks, when its CONNECT was not seen.

use crate::inspect::dissect::{RawPacket, dissect};
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name, Value};
use crate::protocol::{PacketType, PropertyId, Version};

/// What CONNECT says.
pub(super) fn stated(connect: &Tree<'_>) -> Option<Version> {
    let level = connect.number(Name::ProtocolLevel)? & 0x7f;
    Version::from_name_and_level(connect.text(Name::ProtocolName)?, u8::try_from(level).ok()?)
}

/// What this packet alone proves: only one of the versions can read it, or it carries what the other would not.
pub(super) fn inferred(packet: &RawPacket<'_>, direction: Direction) -> Option<Version> {
    if packet.is_cut {
        return None;
    }
    let [v311, v5] = [Version::V311, Version::V5].map(|version| dissect(packet, version, Some(direction)));
    let looks_like_v5 = || has_properties(&v5) || starts_like_properties(&v311, &v5);
    match (v311.is_malformed(), v5.is_malformed()) {
        (false, true) if can_differ(packet) => Some(Version::V311),
        (true, false) => Some(Version::V5),
        // Bytes that were not captured look like nothing.
        (false, false) if packet.missing.is_empty() && looks_like_v5() => Some(Version::V5),
        (false, _) | (true, true) => None,
    }
}

/// Whether the packet is one that the versions write differently.
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

/// A payload that happens to be a valid list of properties is not to be expected.
fn has_properties(v5: &Tree<'_>) -> bool {
    PropertyId::ALL.into_iter().any(|id| v5.find(Name::Property(id)).is_some())
}

/// A payload that begins with a zero byte is rarer than an empty list of properties; and a message without a topic has an alias.
fn starts_like_properties(v311: &Tree<'_>, v5: &Tree<'_>) -> bool {
    let payload = |tree: &Tree<'_>| match tree.find(Name::Payload).map(|field| field.value) {
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    v311.bytes(Name::Payload).is_some_and(|bytes| bytes.first() == Some(&0))
        && payload(v5) + 1 == payload(v311)
}
