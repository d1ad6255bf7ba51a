//! Reads a message's fields in order.

use super::{DecodeError, MessageType, Problem};
use crate::protocol::PacketId;

/// The unread octets of a message. `T` is the message type of its version.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a, T = MessageType> {
    rest: &'a [u8],
    offset: usize,
    message_type: T,
}

impl<'a, T: Copy> Reader<'a, T> {
    /// A reader over `body`, whose first octet is `offset` octets into the message.
    pub(super) fn new(message_type: T, body: &'a [u8], offset: usize) -> Reader<'a, T> {
        Reader { rest: body, offset, message_type }
    }

    pub(super) fn message_type(&self) -> T {
        self.message_type
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// An error about the field that starts at `offset`.
    pub(super) fn error_at(&self, offset: usize, problem: Problem) -> DecodeError<T> {
        DecodeError { problem, message_type: Some(self.message_type), offset }
    }

    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError<T>> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error_at(self.offset, Problem::Truncated { field }));
        };
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError<T>> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError<T>> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError<T>> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// A packet identifier, which is not 0.
    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError<T>> {
        let place = self.offset;
        let value = self.u16("packet identifier")?;
        PacketId::new(value).ok_or_else(|| self.error_at(place, Problem::ZeroPacketId))
    }

    pub(super) fn two(&mut self, field: &'static str) -> Result<[u8; 2], DecodeError<T>> {
        self.array(field)
    }

    /// Takes the unread octets.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        self.offset += self.rest.len();
        std::mem::take(&mut self.rest)
    }

    /// Takes `count` octets.
    pub(super) fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], DecodeError<T>> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.error_at(self.offset, Problem::Truncated { field }));
        };
        self.rest = rest;
        self.offset += count;
        Ok(taken)
    }

    /// Takes the octets before the last `count` ones.
    pub(super) fn all_but(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], DecodeError<T>> {
        match self.rest.len().checked_sub(count) {
            Some(length) => self.take(length, field),
            None => Err(self.error_at(self.offset, Problem::Truncated { field })),
        }
    }

    /// `count` octets as UTF-8 without a null character.
    pub(super) fn text(&mut self, count: usize, field: &'static str) -> Result<&'a str, DecodeError<T>> {
        let start = self.offset;
        let bytes = self.take(count, field)?;
        Reader { rest: bytes, offset: start, message_type: self.message_type }.string(field)
    }

    /// The unread octets as UTF-8 without a null character.
    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a str, DecodeError<T>> {
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
    pub(super) fn non_empty_string(&mut self, field: &'static str) -> Result<&'a str, DecodeError<T>> {
        if self.is_empty() {
            return Err(self.error_at(self.offset, Problem::EmptyField { field }));
        }
        self.string(field)
    }

    /// Returns an error if octets are left.
    pub(super) fn finish(&self) -> Result<(), DecodeError<T>> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error_at(self.offset, Problem::TrailingBytes { count })),
        }
    }
}
