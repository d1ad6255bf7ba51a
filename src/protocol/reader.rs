//! Reads a packet's fields in order.

use super::error::{DecodeError, Problem};
use super::{PacketId, PacketType};

/// The unread bytes of a packet.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    packet_type: PacketType,
}

impl<'a> Reader<'a> {
    /// A reader over `body`, whose first byte is `offset` bytes into the packet.
    pub(super) fn new(packet_type: PacketType, body: &'a [u8], offset: usize) -> Reader<'a> {
        Reader { rest: body, offset, packet_type }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The offset of the next field from the start of the packet, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// An error about the field that starts at `offset`.
    pub(super) fn error_at(&self, offset: usize, problem: Problem) -> DecodeError {
        DecodeError { problem, packet_type: Some(self.packet_type), offset }
    }

    /// An error about the next field.
    pub(super) fn error(&self, problem: Problem) -> DecodeError {
        self.error_at(self.offset, problem)
    }

    pub(super) fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.error(Problem::Truncated { field }));
        };
        self.rest = rest;
        self.offset += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(Problem::Truncated { field }));
        };
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    /// Takes the unread bytes.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        self.offset += self.rest.len();
        std::mem::take(&mut self.rest)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// A variable byte integer in its shortest form [MQTT-1.5.5-1].
    pub(super) fn variable_byte_integer(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        let start = self.offset;
        let mut value = 0;
        for position in 0..4 {
            let byte = self.u8(field)?;
            value |= u32::from(byte & 0x7f) << (7 * position);
            if byte & 0x80 == 0 {
                if byte == 0 && position > 0 {
                    return Err(self.error_at(start, Problem::VariableByteIntegerNotShortest { field }));
                }
                return Ok(value);
            }
        }
        Err(self.error_at(start, Problem::VariableByteIntegerTooLong { field }))
    }

    /// Binary data after its two-byte length.
    pub(super) fn binary(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.u16(field)?;
        self.take(usize::from(length), field)
    }

    /// A UTF-8 string after its two-byte length, without a null character [MQTT-1.5.4-1] [MQTT-1.5.4-2].
    pub(super) fn string(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        let start = self.offset;
        let bytes = self.binary(field)?;
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(self.error_at(start, Problem::InvalidUtf8 { field }));
        };
        if memchr::memchr(0, bytes).is_some() {
            return Err(self.error_at(start, Problem::NullCharacter { field }));
        }
        Ok(text)
    }

    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        let start = self.offset;
        let value = self.u16("packet identifier")?;
        PacketId::new(value).ok_or_else(|| self.error_at(start, Problem::ZeroPacketId))
    }

    /// A reader over the next `length` bytes, which this one steps over.
    pub(super) fn sub_reader(
        &mut self,
        length: usize,
        field: &'static str,
    ) -> Result<Reader<'a>, DecodeError> {
        let offset = self.offset;
        Ok(Reader { rest: self.take(length, field)?, offset, packet_type: self.packet_type })
    }

    /// Returns an error if bytes are left.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error(Problem::TrailingBytes { count })),
        }
    }
}
