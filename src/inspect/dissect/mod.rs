//! The dissector: decodes a packet's bytes into a tree of fields.
//!
//! It never fails. If the rest of a packet cannot be decoded, the tree keeps the fields so far, a finding has the reason, and
//! the rest becomes one raw field.

mod connect;
mod cursor;
mod property;
mod publish;
mod session;
#[cfg(test)]
mod tests;

use super::field::Tree;
use super::{Direction, Name, Rule, Value};
use crate::protocol::property::Context;
use crate::protocol::{PacketType, Version};
use crate::words::counted_verb;
use cursor::{Cursor, DissectResult, EndOfPacket};
use std::ops::Range;

/// The bytes of one packet of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawPacket<'a> {
    /// The captured bytes, from the packet's first byte on.
    pub bytes: &'a [u8],
    /// The packet's length by its Remaining Length, including the fixed header.
    pub length: usize,
    /// Whether the stream ended before the packet did.
    pub is_cut: bool,
    /// Ranges that were not captured, in order, relative to the packet's first byte. `bytes` holds zeros in their place.
    pub missing: &'a [Range<usize>],
}

impl<'a> RawPacket<'a> {
    /// A complete packet.
    pub(crate) fn whole(bytes: &'a [u8]) -> RawPacket<'a> {
        RawPacket { bytes, length: bytes.len(), is_cut: false, missing: &[] }
    }

    /// Its type; `None` for the reserved type 0.
    pub(crate) fn packet_type(&self) -> Option<PacketType> {
        PacketType::from_first_byte(*self.bytes.first()?)
    }

    /// Number of bytes before the first missing one.
    pub(crate) fn unbroken(&self) -> usize {
        self.missing.first().map_or(self.bytes.len(), |hole| hole.start.min(self.bytes.len()))
    }

    /// Whether the packet was captured completely.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_cut && self.missing.is_empty() && self.bytes.len() >= self.length
    }
}

/// Decodes a packet in the connection's version; CONNECT states its own.
pub(crate) fn dissect<'a>(
    packet: &RawPacket<'a>,
    version: Version,
    direction: Option<Direction>,
) -> Tree<'a> {
    let mut cursor = Cursor::new(packet, version, direction);
    let stopped = read(&mut cursor).is_err();
    if !stopped && !cursor.is_at_end() {
        let (here, left) = (cursor.position(), cursor.left());
        let detail = format!("{} the last field", counted_verb(left, "byte", "follows"));
        cursor.find(Rule::TrailingBytes, here..here + left, detail);
    }
    cursor.back_to_last_leaf();
    if !cursor.is_at_end() {
        let start = cursor.position();
        let rest = cursor.rest();
        // Leave out the zeros that replace missing bytes.
        let known = packet.unbroken().saturating_sub(start).min(rest.len());
        cursor.field(Name::Undecoded, Value::Bytes(rest.get(..known).unwrap_or_default()), start);
    }
    if let (Some(first), Some(last)) = (packet.missing.first(), packet.missing.last()) {
        let count: usize = packet.missing.iter().map(ExactSizeIterator::len).sum();
        let pieces = match packet.missing.len() {
            1 => String::new(),
            pieces => format!(" in {pieces} places"),
        };
        let detail = format!("{} not captured{pieces}", counted_verb(count, "byte", "was"));
        cursor.find(Rule::MissingBytes, first.start..last.end, detail);
    }
    // CONNECT's version is known only after some of its fields.
    let version = cursor.version;
    cursor.tree.findings.iter_mut().for_each(|finding| finding.version = version);
    cursor.tree
}

fn read(cursor: &mut Cursor<'_>) -> DissectResult {
    let packet_type = fixed_header(cursor)?;
    match packet_type {
        PacketType::Connect => connect::connect(cursor),
        PacketType::Connack => connect::connack(cursor),
        PacketType::Publish => publish::publish(cursor),
        PacketType::Puback => publish::acknowledgement(cursor, Context::Puback),
        PacketType::Pubrec => publish::acknowledgement(cursor, Context::Pubrec),
        PacketType::Pubrel => publish::acknowledgement(cursor, Context::Pubrel),
        PacketType::Pubcomp => publish::acknowledgement(cursor, Context::Pubcomp),
        PacketType::Subscribe => session::subscribe(cursor),
        PacketType::Suback => session::suback(cursor),
        PacketType::Unsubscribe => session::unsubscribe(cursor),
        PacketType::Unsuback => session::unsuback(cursor),
        PacketType::Pingreq | PacketType::Pingresp => Ok(()),
        PacketType::Disconnect => session::end(cursor, Context::Disconnect),
        PacketType::Auth => session::end(cursor, Context::Auth),
    }
}

/// The first byte and the Remaining Length.
fn fixed_header(cursor: &mut Cursor<'_>) -> DissectResult<PacketType> {
    cursor.group(Name::FixedHeader, |cursor| {
        let first = cursor.u8(Name::PacketType)?;
        cursor.bits(Name::PacketType, first, 7, 4);
        let packet_type = PacketType::from_first_byte(first);
        match packet_type {
            Some(PacketType::Publish) => publish::flags(cursor, first),
            packet_type => reserved_flags(cursor, first, packet_type),
        }
        let start = cursor.position();
        let length = cursor.variable_byte_integer(Name::RemainingLength)?;
        cursor.field(Name::RemainingLength, Value::Number(length), start);
        match packet_type {
            None => Err(unknown(cursor, 0)),
            Some(PacketType::Auth) if !cursor.version.is_v5() => Err(unknown(cursor, 15)),
            Some(packet_type) => Ok(packet_type),
        }
    })
}

fn unknown(cursor: &mut Cursor<'_>, number: u8) -> EndOfPacket {
    let detail = format!("{} does not define packet type {number}", cursor.version);
    cursor.find(Rule::ReservedType, 0..1, detail);
    EndOfPacket
}

fn reserved_flags(cursor: &mut Cursor<'_>, first: u8, packet_type: Option<PacketType>) {
    let flags = cursor.bits(Name::Flags, first, 3, 0);
    let Some((packet_type, fixed)) = packet_type.and_then(|kind| Some((kind, kind.fixed_flags()?))) else {
        return;
    };
    // CONNECT states its version later; `connect` removes the finding if MQTT 3.1 allows the flags.
    let is_allowed = packet_type != PacketType::Connect && packet_type.allows_flags(flags, cursor.version);
    if flags != fixed && !is_allowed {
        let rule = match packet_type {
            PacketType::Pubrel => Rule::PubrelFlags,
            PacketType::Subscribe => Rule::SubscribeFlags,
            PacketType::Unsubscribe => Rule::UnsubscribeFlags,
            PacketType::Disconnect => Rule::DisconnectFlags,
            PacketType::Auth => Rule::AuthFlags,
            _ => Rule::ReservedFlags,
        };
        cursor.find(rule, 0..1, format!("{packet_type}'s flags are {flags:04b}, expected {fixed:04b}"));
    }
}
