//! Reads a message's fields in order.

use super::{DecodeError, MessageType, Problem};

/// The unread octets of a message.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    message_type: MessageType,
}

impl<'a> Reader<'a> {
    /// A reader over `body`, whose first octet is `offset` octets into the message.
    pub(super) fn new(message_type: MessageType, body: &'a [u8], offset: usize) -> Reader<'a> {
        Reader { rest: body, offset, message_type }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// An error about the field that starts at `offset`.
    pub(super) fn error_at(&self, offset: usize, problem: Problem) -> DecodeError {
        DecodeError { problem, message_type: Some(self.message_type), offset }
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error_at(self.offset, Problem::Truncated { field }));
        };
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(super) fn two(&mut self, field: &'static str) -> Result<[u8; 2], DecodeError> {
        self.array(field)
    }

    /// Takes the unread octets.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        self.offset += self.rest.len();
        std::mem::take(&mut self.rest)
    }

    /// The unread octets as UTF-8 without a null character.
    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        let start = self.offset;
        let bytes = self.rest();
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(self.error_at(start, Problem::InvalidUtf8 { field }));
        };
        if memchr::memchr(0, bytes).is_some() {
            return Err(self.error_at(start, Problem::NullCharacter { field }));
        }
        Ok(text)
    }

    /// The unread octets as UTF-8 without a null character, at least one.
    pub(super) fn non_empty_string(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        if self.is_empty() {
            return Err(self.error_at(self.offset, Problem::EmptyField { field }));
        }
        self.string(field)
    }

    /// Returns an error if octets are left.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error_at(self.offset, Problem::TrailingBytes { count })),
        }
    }
}
