//! Writes fields in the encodings of the specification. Lengths are computed before the first byte is written, so a failed
//! encoding leaves no partial output.

use super::{EncodeError, PacketType};

/// The largest remaining length that four bytes can encode.
pub const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The length of a string or binary field with its two-byte length.
#[inline]
pub(super) fn field_length(field: &'static str, bytes: &[u8]) -> Result<usize, EncodeError> {
    match u16::try_from(bytes.len()) {
        Ok(length) => Ok(2 + usize::from(length)),
        Err(_) => Err(EncodeError::FieldTooLong { field, length: bytes.len() }),
    }
}

/// The bytes that a variable byte integer takes.
#[inline]
pub(super) fn variable_byte_integer_length(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

/// Writes the fixed header; the body of `remaining_length` bytes follows.
#[inline]
pub(super) fn put_fixed_header(
    out: &mut Vec<u8>,
    packet_type: PacketType,
    flags: u8,
    remaining_length: usize,
) -> Result<(), EncodeError> {
    if remaining_length > MAX_REMAINING_LENGTH {
        return Err(EncodeError::PacketTooLarge { size: remaining_length });
    }
    out.reserve(1 + variable_byte_integer_length(remaining_length) + remaining_length);
    out.push((packet_type as u8) << 4 | flags);
    put_variable_byte_integer(out, remaining_length);
    Ok(())
}

/// Writes a value of at most [`MAX_REMAINING_LENGTH`] in its shortest form.
#[inline]
pub(super) fn put_variable_byte_integer(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[inline]
pub(super) fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Writes a string or binary field whose length was checked by [`field_length`].
#[inline]
pub(super) fn put_field(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u16(out, bytes.len() as u16);
    out.extend_from_slice(bytes);
}
