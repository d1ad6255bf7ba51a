//! Packets of MQTT and messages of MQTT-SN, for the views that show every field of either.

use super::{Options, payload, words};
use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name, Packet, sn};
use crate::payload::Decoded;
use crate::words::counted;
use std::ops::Range;

/// A decoded unit with its fields.
pub(in crate::inspect) trait Fielded {
    /// The time, the connection and the sender.
    fn place(&self) -> (Moment, u32, Direction);

    /// The name of its type.
    fn name(&self) -> &'static str;

    /// The length, and where it is, as text.
    fn size(&self) -> String;

    fn tree(&self) -> &Tree<'_>;

    /// The captured bytes.
    fn bytes(&self) -> &[u8];

    /// The ranges that were not captured.
    fn missing(&self) -> &[Range<usize>];

    /// The meaning of a coded number.
    fn meaning(&self, name: Name, code: u8) -> Option<&'static str>;

    /// The payload, if its format is known.
    fn payload(&self, options: Options) -> Option<Decoded>;
}

impl Fielded for Packet<'_> {
    fn place(&self) -> (Moment, u32, Direction) {
        (self.at, self.connection, self.direction)
    }

    fn name(&self) -> &'static str {
        words::packet_name(self)
    }

    fn size(&self) -> String {
        words::size(self)
    }

    fn tree(&self) -> &Tree<'_> {
        self.tree
    }

    fn bytes(&self) -> &[u8] {
        self.raw.bytes
    }

    fn missing(&self) -> &[Range<usize>] {
        self.raw.missing
    }

    fn meaning(&self, name: Name, code: u8) -> Option<&'static str> {
        words::code(self, name, code)
    }

    fn payload(&self, options: Options) -> Option<Decoded> {
        payload::decoded(self, options)
    }
}

impl Fielded for sn::Message<'_> {
    fn place(&self) -> (Moment, u32, Direction) {
        (self.at, self.connection, self.direction)
    }

    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn size(&self) -> String {
        counted(self.length, "byte")
    }

    fn tree(&self) -> &Tree<'_> {
        self.tree
    }

    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// The end of a truncated datagram has no bytes at all.
    fn missing(&self) -> &[Range<usize>] {
        &[]
    }

    fn meaning(&self, name: Name, code: u8) -> Option<&'static str> {
        sn::Message::meaning(self, name, code)
    }

    fn payload(&self, options: Options) -> Option<Decoded> {
        payload::decoded_message(self, options)
    }
}
