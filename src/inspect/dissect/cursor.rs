//! Where the dissector stands in a packet: each step takes a field off the front, and notes it in the tree.

use super::RawPacket;
use super::text;
use crate::inspect::field::{Bits, Tree};
use crate::inspect::{Direction, Field, Finding, Name, Rule, Value};
use crate::protocol::Version;
use std::ops::Range;

/// The packet cannot be read on; why is among the findings already.
pub(super) struct Stop;

pub(super) type Step<T = ()> = Result<T, Stop>;

/// A packet that is being taken apart.
pub(super) struct Cursor<'a> {
    /// What is there of the packet.
    bytes: &'a [u8],
    /// How many of these bytes come before the first that was not captured.
    unbroken: usize,
    has_gap: bool,
    /// How many bytes the packet has by its Remaining Length, or those that are there until that is known.
    length: usize,
    is_cut: bool,
    position: usize,
    /// Where the innermost area ends: the packet, or a property list.
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

    /// Where the next byte stands.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// How many bytes of the innermost area are left.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Whether the innermost area is at its end.
    pub(super) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// Notes what is wrong.
    pub(super) fn find(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.tree.findings.push(Finding::new(rule, self.version, range, detail));
    }

    /// Notes a field that goes from there to here.
    pub(super) fn field(&mut self, name: Name, value: Value<'a>, start: usize) {
        let range = start..self.position;
        self.tree.fields.push(Field { name, value, range, bits: None, depth: self.depth });
    }

    /// Notes some bits of the byte that was taken last.
    pub(super) fn bits(&mut self, name: Name, byte: u8, high: u8, low: u8) -> u8 {
        let mask = u8::MAX >> (7 - (high - low));
        let value = (byte >> low) & mask;
        let held = if high == low { Value::Flag(value == 1) } else { Value::Number(value.into()) };
        let range = self.position - 1..self.position;
        self.tree.fields.push(Field {
            name,
            value: held,
            range,
            bits: Some(Bits { high, low }),
            depth: self.depth,
        });
        value
    }

    /// Notes what `read` takes as one group.
    pub(super) fn group<T>(&mut self, name: Name, read: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        let index = self.tree.fields.len();
        self.field(name, Value::Group, self.position);
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        if result.is_err() {
            self.back_to_last_leaf();
            if self.tree.fields.len() == index + 1 {
                // Nothing of it is there.
                self.tree.fields.pop();
            }
        }
        if let Some(group) = self.tree.fields.get_mut(index) {
            group.range.end = self.position;
        }
        result
    }

    /// Takes the next `length` bytes, of which `read` may not leave the area.
    pub(super) fn area<T>(&mut self, length: usize, read: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        let outer = self.end;
        self.end = self.end.min(self.position + length);
        let result = read(self);
        self.end = outer;
        result
    }

    /// Takes so many bytes, for a field of that name.
    pub(super) fn take(&mut self, name: Name, count: usize) -> Step<&'a [u8]> {
        if count > self.left() {
            let unit = if count == 1 { "byte" } else { "bytes" };
            let detail = format!("{name} needs {count} {unit}, and {} are left", self.left());
            self.find(Rule::TooShort, self.position..self.end, detail);
            return Err(Stop);
        }
        let end = self.position + count;
        match self.bytes.get(self.position..end) {
            Some(taken) if end <= self.unbroken => {
                self.position = end;
                Ok(taken)
            }
            _ => {
                self.note_absence();
                Err(Stop)
            }
        }
    }

    /// The packet is longer than what is there of it. What was not captured is noted once, at the end.
    pub(super) fn note_absence(&mut self) {
        let (have, length) = (self.bytes.len(), self.length);
        if self.is_cut {
            self.find(Rule::CutOff, have..length, format!("it ends after {have} of {length} bytes"));
        } else if !self.has_gap {
            self.find(
                Rule::MissingBytes,
                have..length,
                format!("{} of {length} bytes were not kept", length - have),
            );
        }
    }

    pub(super) fn u8(&mut self, name: Name) -> Step<u8> {
        let bytes = self.take(name, 1)?;
        Ok(bytes.first().copied().unwrap_or_default())
    }

    pub(super) fn u16(&mut self, name: Name) -> Step<u16> {
        let bytes = self.take(name, 2)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes)))
    }

    pub(super) fn u32(&mut self, name: Name) -> Step<u32> {
        let bytes = self.take(name, 4)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes)))
    }

    /// Two bytes, as a field.
    pub(super) fn number(&mut self, name: Name) -> Step<u16> {
        let start = self.position;
        let number = self.u16(name)?;
        self.field(name, Value::Number(number.into()), start);
        Ok(number)
    }

    /// A variable byte integer, which stands for what `name` says.
    pub(super) fn variable_byte_integer(&mut self, name: Name) -> Step<u32> {
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
        self.find(too_long, start..self.position, format!("{name} goes on after four bytes"));
        Err(Stop)
    }

    /// Two bytes of length and the bytes.
    pub(super) fn binary(&mut self, name: Name) -> Step<&'a [u8]> {
        let length = self.u16(name)?;
        self.take(name, length.into())
    }

    /// A string that breaks `bad_utf8` where it is not one.
    pub(super) fn string(&mut self, name: Name, bad_utf8: Rule) -> Step<Value<'a>> {
        let bytes = self.binary(name)?;
        let start = self.position - bytes.len();
        Ok(text::check(self, name, bytes, start, bad_utf8))
    }

    /// A string, as a field.
    pub(super) fn string_field(&mut self, name: Name, bad_utf8: Rule) -> Step<Value<'a>> {
        let start = self.position;
        let value = self.string(name, bad_utf8)?;
        self.field(name, value, start);
        Ok(value)
    }

    /// Gives back what was taken for a field that did not come about.
    pub(super) fn back_to_last_leaf(&mut self) {
        self.position =
            self.tree.fields.iter().rfind(|field| field.is_leaf()).map_or(0, |leaf| leaf.range.end);
    }

    /// All that is left of the packet, of which not all need be there.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let end = self.end.min(self.bytes.len()).max(self.position);
        let rest = self.bytes.get(self.position..end).unwrap_or_default();
        self.position = self.end.max(self.position);
        rest
    }
}
