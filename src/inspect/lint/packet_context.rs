//! The packet to check, with shortcuts to its fields.

use crate::inspect::field::Tree;
use crate::inspect::{Direction, Field, Name, Packet};
use crate::protocol::{PacketType, PropertyId, ReasonCode, Version};
use std::ops::Range;

/// A packet that did not end early; the end of a long payload may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketContext<'p> {
    pub(super) packet: &'p Packet<'p>,
    pub(super) kind: PacketType,
    pub(super) tree: &'p Tree<'p>,
    pub(super) direction: Direction,
    /// The version that it was decoded as.
    pub(super) version: Version,
    /// Whether that is the connection's version, not a guess.
    pub(super) is_version_known: bool,
}

impl<'p> PacketContext<'p> {
    pub(super) fn new(packet: &'p Packet<'p>, kind: PacketType) -> PacketContext<'p> {
        let version = packet.tracker.version;
        PacketContext {
            packet,
            kind,
            tree: packet.tree,
            direction: packet.direction,
            version: version.unwrap_or(Version::V311),
            is_version_known: version.is_some(),
        }
    }

    /// Time of the packet, in nanoseconds.
    pub(super) fn time(&self) -> Option<u64> {
        self.packet.at.time
    }

    pub(super) fn is_v5(&self) -> bool {
        self.version.is_v5()
    }

    pub(super) fn is_from_client(&self) -> bool {
        self.direction == Direction::ClientToServer
    }

    pub(super) fn property(&self, id: PropertyId) -> Option<&'p Field<'p>> {
        self.tree.find(Name::Property(id))
    }

    pub(super) fn property_number(&self, id: PropertyId) -> Option<u32> {
        self.tree.number(Name::Property(id))
    }

    pub(super) fn property_text(&self, id: PropertyId) -> Option<&'p str> {
        self.tree.text(Name::Property(id))
    }

    pub(super) fn packet_id(&self) -> Option<u16> {
        self.tree.two_bytes(Name::PacketIdentifier)
    }

    /// 0, 1 or 2; 0 if it is unknown.
    pub(super) fn qos(&self) -> u32 {
        self.tree.number(Name::Qos).unwrap_or_default()
    }

    /// The reason code, which is 0 if the packet leaves it out; `None` if it is unknown.
    pub(super) fn reason_code(&self) -> Option<ReasonCode> {
        match self.tree.number(Name::ReasonCode) {
            Some(code) => Some(ReasonCode(code as u8)),
            None => self.tree.is_decoded().then_some(ReasonCode::SUCCESS),
        }
    }

    /// Whether the reason code reports a failure.
    pub(super) fn is_failure(&self) -> bool {
        self.reason_code().is_some_and(ReasonCode::is_error)
    }

    /// Whether the packet was decoded completely and does not have the property.
    pub(super) fn lacks(&self, id: PropertyId) -> bool {
        self.tree.is_decoded() && self.property(id).is_none()
    }

    /// The topic that it is published to, with aliases resolved.
    pub(super) fn topic(&self) -> Option<&'p str> {
        self.packet
            .facts
            .topic
            .as_deref()
            .or(self.tree.text(Name::TopicName))
            .filter(|topic| !topic.is_empty())
    }

    /// The bytes of a field, or the whole packet if it does not have the field.
    pub(super) fn range(&self, name: Name) -> Range<usize> {
        self.tree.find(name).map_or_else(|| self.whole(), |field| field.range.clone())
    }

    /// The first byte, with type and flags.
    pub(super) fn first_byte(&self) -> Range<usize> {
        0..1
    }

    pub(super) fn whole(&self) -> Range<usize> {
        0..self.packet.raw.length
    }
}
