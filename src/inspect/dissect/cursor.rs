//! The dissector's position in a packet: each step reads a field and adds it to the tree.

use super::RawPacket;
use crate::inspect::field::{Bits, Tree};
use crate::inspect::{Direction, Field, Finding, Name, Rule, Value};
use crate::protocol::Version;
use crate::words::counted;
use std::ops::Range;

/// The rest of the packet cannot be decoded; a finding has the reason.
pub(super) struct EndOfPacket;

pub(super) type DissectResult<T = ()> = Result<T, EndOfPacket>;

/// A packet that is being decoded.
pub(super) struct Cursor<'a> {
    /// The captured bytes.
    bytes: &'a [u8],
    /// Number of bytes before the first missing one.
    unbroken: usize,
    has_gap: bool,
    /// The packet's length by its Remaining Length, or the number of bytes in `bytes` until that is known.
    length: usize,
    is_cut: bool,
    position: usize,
    /// The end of the innermost area: the packet, or a property list.
    end: usize,
    depth: u8,
    pub(super) version: Version,
    pub(super) direction: Option<Direction>,
    pub(super) tree: Tree<'a>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(packet: &RawPacket<'a>, version: Version, direction: Option<Direction>) -> Cursor<'a> {
        Cursor {
            bytes: packet.bytes,
            unbroken: packet.unbroken(),
            has_gap: !packet.missing.is_empty(),
            length: packet.length,
            is_cut: packet.is_cut,
            position: 0,
            end: packet.length,
            depth: 0,
            version,
            direction,
            // Most packets have fewer.
            tree: Tree { fields: Vec::with_capacity(16), findings: Vec::new() },
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Number of bytes left in the innermost area.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Whether the innermost area is at its end.
    pub(super) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    pub(super) fn find(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.tree.findings.push(Finding::new(rule, self.version, range, detail));
    }

    /// Adds a field from `start` to the current position.
    pub(super) fn field(&mut self, name: Name, value: Value<'a>, start: usize) {
        let range = start..self.position;
        self.tree.fields.push(Field { name, value, range, bits: None, depth: self.depth });
    }

    /// Adds a field for some bits of the last byte.
    pub(super) fn bits(&mut self, name: Name, byte: u8, high: u8, low: u8) -> u8 {
        self.tree.push_bits(name, byte, Bits { high, low }, self.position, self.depth)
    }

    /// Adds the fields that `read` decodes as one group.
    pub(super) fn group<T>(
        &mut self,
        name: Name,
        read: impl FnOnce(&mut Self) -> DissectResult<T>,
    ) -> DissectResult<T> {
        let index = self.tree.fields.len();
        self.field(name, Value::Group, self.position);
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        if result.is_err() {
            self.back_to_last_leaf();
            if self.tree.fields.len() == index + 1 {
                // The group is empty.
                self.tree.fields.pop();
            }
        }
        if let Some(group) = self.tree.fields.get_mut(index) {
            group.range.end = self.position;
        }
        result
    }

    /// Limits `read` to the next `length` bytes.
    pub(super) fn area<T>(
        &mut self,
        length: usize,
        read: impl FnOnce(&mut Self) -> DissectResult<T>,
    ) -> DissectResult<T> {
        let outer = self.end;
        self.end = self.end.min(self.position + length);
        let result = read(self);
        self.end = outer;
        result
    }

    /// Takes `count` bytes for the field `name`.
    pub(super) fn take(&mut self, name: Name, count: usize) -> DissectResult<&'a [u8]> {
        if count > self.left() {
            let needed = counted(count, "byte");
            let detail = format!("{name} needs {needed}, but found {}", self.left());
            self.find(Rule::TooShort, self.position..self.end, detail);
            return Err(EndOfPacket);
        }
        let end = self.position + count;
        match self.bytes.get(self.position..end) {
            Some(taken) if end <= self.unbroken => {
                self.position = end;
                Ok(taken)
            }
            _ => {
                self.note_absence();
                Err(EndOfPacket)
            }
        }
    }

    /// Reports missing bytes. Gaps are reported once, at the end.
    pub(super) fn note_absence(&mut self) {
        let (have, length) = (self.bytes.len(), self.length);
        if self.is_cut {
            self.find(Rule::CutOff, have..length, format!("the packet ends after {have} of {length} bytes"));
        } else if !self.has_gap {
            self.find(
                Rule::LargePacket,
                have..length,
                format!("{} of {length} bytes were not kept", length - have),
            );
        }
    }

    pub(super) fn u8(&mut self, name: Name) -> DissectResult<u8> {
        let bytes = self.take(name, 1)?;
        Ok(bytes.first().copied().unwrap_or_default())
    }

    pub(super) fn u16(&mut self, name: Name) -> DissectResult<u16> {
        let bytes = self.take(name, 2)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes)))
    }

    pub(super) fn u32(&mut self, name: Name) -> DissectResult<u32> {
        let bytes = self.take(name, 4)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes)))
    }

    /// Two bytes, as a field.
    pub(super) fn number(&mut self, name: Name) -> DissectResult<u16> {
        let start = self.position;
        let number = self.u16(name)?;
        self.field(name, Value::Number(number.into()), start);
        Ok(number)
    }

    /// A variable byte integer, for the field `name`.
    pub(super) fn variable_byte_integer(&mut self, name: Name) -> DissectResult<u32> {
        let start = self.position;
        let (too_long, not_minimal) = match name {
            Name::RemainingLength => (Rule::RemainingLengthTooLong, Rule::RemainingLengthNotMinimal),
            _ => (Rule::VariableByteIntegerTooLong, Rule::VariableByteIntegerNotMinimal),
        };
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8(name)?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if shift > 0 && byte == 0 {
                    let detail = format!("{name} {value} takes {} bytes", self.position - start);
                    self.find(not_minimal, start..self.position, detail);
                }
                return Ok(value);
            }
        }
        self.find(too_long, start..self.position, format!("{name} has more than four bytes"));
        Err(EndOfPacket)
    }

    /// A two-byte length and the bytes.
    pub(super) fn binary(&mut self, name: Name) -> DissectResult<&'a [u8]> {
        let length = self.u16(name)?;
        self.take(name, length.into())
    }

    /// A string. Reports `bad_utf8` if it is invalid.
    pub(super) fn string(&mut self, name: Name, bad_utf8: Rule) -> DissectResult<Value<'a>> {
        let bytes = self.binary(name)?;
        let start = self.position - bytes.len();
        Ok(self.text(name, bytes, start, bad_utf8))
    }

    /// The bytes of a string as a value; `start` is their offset, for the findings.
    fn text(&mut self, name: Name, bytes: &'a [u8], start: usize, bad_utf8: Rule) -> Value<'a> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let bad = start + error.valid_up_to();
                let end = error.error_len().map_or(start + bytes.len(), |length| bad + length);
                let hex: Vec<String> = bytes
                    .iter()
                    .skip(error.valid_up_to())
                    .take(4)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                self.find(
                    bad_utf8,
                    bad..end,
                    format!("{name} is invalid UTF-8 at byte {bad}: {}", hex.join(" ")),
                );
                return Value::BadText(bytes);
            }
        };
        if let Some(at) = memchr::memchr(0, bytes) {
            let at = start + at;
            self.find(Rule::StringNull, at..at + 1, format!("{name} contains a null character at byte {at}"));
        }
        Value::Text(text)
    }

    pub(super) fn string_field(&mut self, name: Name, bad_utf8: Rule) -> DissectResult<Value<'a>> {
        let start = self.position;
        let value = self.string(name, bad_utf8)?;
        self.field(name, value, start);
        Ok(value)
    }

    /// Moves back to the end of the last complete field.
    pub(super) fn back_to_last_leaf(&mut self) {
        self.position =
            self.tree.fields.iter().rfind(|field| field.is_leaf()).map_or(0, |leaf| leaf.range.end);
    }

    /// The rest of the packet, which may be incomplete.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let end = self.end.min(self.bytes.len()).max(self.position);
        let rest = self.bytes.get(self.position..end).unwrap_or_default();
        self.position = self.end.max(self.position);
        rest
    }
}
