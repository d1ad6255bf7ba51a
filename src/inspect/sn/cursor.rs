//! The dissector's position in a message: each step reads a field and adds it to the tree.

use super::version::rule_column;
use crate::inspect::field::{Bits, Tree};
use crate::inspect::{Field, Finding, Name, Rule, Value};
use crate::protocol::sn::Version;
use crate::words::{counted, verb};
use std::ops::Range;

/// The rest of the message cannot be decoded; a finding has the reason, unless the rest was not captured.
#[derive(Debug)]
pub(super) struct EndOfMessage;

pub(super) type DissectResult<T = ()> = Result<T, EndOfMessage>;

/// A message that is being decoded.
pub(super) struct Cursor<'a> {
    /// The captured bytes of the datagram.
    bytes: &'a [u8],
    position: usize,
    /// The end of the innermost area: the datagram, or the part of it before an encapsulated message.
    end: usize,
    depth: u8,
    pub(super) version: Version,
    pub(super) tree: Tree<'a>,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of a datagram of this length, of which `bytes` were captured.
    pub(super) fn new(bytes: &'a [u8], length: usize, version: Version) -> Cursor<'a> {
        let tree = Tree { fields: Vec::with_capacity(16), findings: Vec::new() };
        Cursor { bytes, position: 0, end: length, depth: 0, version, tree }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Number of bytes left in the innermost area.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// The unread captured bytes.
    pub(super) fn peek(&self) -> &'a [u8] {
        let end = self.end.min(self.bytes.len());
        self.bytes.get(self.position..end).unwrap_or_default()
    }

    pub(super) fn find(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.tree.findings.push(Finding::new(rule, rule_column(self.version), range, detail));
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
        if self.tree.fields.len() == index + 1 {
            self.tree.fields.pop();
        } else if let Some(group) = self.tree.fields.get_mut(index) {
            group.range.end = self.position;
        }
        result
    }

    /// Limits `read` to the bytes before `end`.
    pub(super) fn area<T>(
        &mut self,
        end: usize,
        read: impl FnOnce(&mut Self) -> DissectResult<T>,
    ) -> DissectResult<T> {
        let outer = self.end;
        self.end = self.end.min(end);
        let result = read(self);
        self.end = outer;
        result
    }

    /// Takes `count` bytes for the field `name`.
    pub(super) fn take(&mut self, count: usize, name: Name) -> DissectResult<&'a [u8]> {
        if count > self.left() {
            let (here, left) = (self.position, self.left());
            self.find(
                Rule::SnTooShort,
                here..here + left,
                format!("{name} needs {}, {left} {} left", counted(count, "byte"), verb(left, "is")),
            );
            return Err(EndOfMessage);
        }
        let end = self.position + count;
        let taken = self.bytes.get(self.position..end).ok_or(EndOfMessage)?;
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, name: Name) -> DissectResult<[u8; N]> {
        let taken = self.take(N, name)?;
        taken.try_into().map_err(|_| EndOfMessage)
    }

    /// Takes a byte without adding a field.
    pub(super) fn byte(&mut self, name: Name) -> DissectResult<u8> {
        self.array::<1>(name).map(|[byte]| byte)
    }

    pub(super) fn number_1(&mut self, name: Name) -> DissectResult<u8> {
        let start = self.position;
        let byte = self.byte(name)?;
        self.field(name, Value::Number(byte.into()), start);
        Ok(byte)
    }

    pub(super) fn number_2(&mut self, name: Name) -> DissectResult<u16> {
        let start = self.position;
        let number = u16::from_be_bytes(self.array(name)?);
        self.field(name, Value::Number(number.into()), start);
        Ok(number)
    }

    pub(super) fn number_4(&mut self, name: Name) -> DissectResult<u32> {
        let start = self.position;
        let number = u32::from_be_bytes(self.array(name)?);
        self.field(name, Value::Number(number), start);
        Ok(number)
    }

    /// `count` bytes of binary data.
    pub(super) fn bytes(&mut self, count: usize, name: Name) -> DissectResult {
        let start = self.position;
        let bytes = self.take(count, name)?;
        self.field(name, Value::Bytes(bytes), start);
        Ok(())
    }

    /// The length of one octet, or of three after 1.
    pub(super) fn length_field(&mut self) -> DissectResult<usize> {
        let start = self.position;
        let length = match self.byte(Name::Length)? {
            1 => u16::from_be_bytes(self.array(Name::Length)?).into(),
            length => usize::from(length),
        };
        self.field(Name::Length, Value::Number(length as u32), start);
        Ok(length)
    }

    /// The captured bytes in a range.
    pub(super) fn between(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn code(&mut self, name: Name) -> DissectResult<u8> {
        let start = self.position;
        let code = self.byte(name)?;
        self.field(name, Value::Code(code), start);
        Ok(code)
    }

    /// The unread captured bytes, as binary data.
    pub(super) fn rest(&mut self, name: Name) -> &'a [u8] {
        let start = self.position;
        let bytes = self.peek();
        self.position = self.end;
        self.field(name, Value::Bytes(bytes), start);
        bytes
    }

    /// `count` bytes as UTF-8.
    pub(super) fn text(&mut self, count: usize, name: Name) -> DissectResult {
        let start = self.position;
        let bytes = self.take(count, name)?;
        self.add_text(bytes, name, start);
        Ok(())
    }

    /// The unread bytes as UTF-8.
    pub(super) fn rest_text(&mut self, name: Name) -> DissectResult {
        let start = self.position;
        if self.left() > self.peek().len() {
            return Err(EndOfMessage);
        }
        let bytes = self.peek();
        self.position = self.end;
        self.add_text(bytes, name, start);
        Ok(())
    }

    fn add_text(&mut self, bytes: &'a [u8], name: Name, start: usize) {
        let range = start..self.position;
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                if text.contains('\0') {
                    self.find(Rule::SnStringNull, range, format!("{name} contains a null character"));
                }
                self.field(name, Value::Text(text), start);
            }
            Err(_) => {
                self.find(Rule::SnStringUtf8, range, format!("{name} is not UTF-8"));
                self.field(name, Value::BadText(bytes), start);
            }
        }
    }

    /// Discards partly read bytes, so that they belong to the undecoded rest.
    pub(super) fn back_to_last_leaf(&mut self) {
        let leaf = self.tree.fields.iter().rev().find(|field| field.is_leaf());
        // A byte whose lowest bits have no field yet is not decoded.
        self.position = leaf.map_or(0, |leaf| leaf.range.end);
    }
}
