//! Fields that several packets have.

use super::{DecodeError, Reader, Reason};
use crate::protocol::PacketId;
use crate::protocol::sn::{EncodeError, Problem};

/// The flags with their offset. Bits outside `defined` must be 0.
pub(super) fn read_flags(reader: &mut Reader<'_>, defined: u8) -> Result<(u8, usize), DecodeError> {
    let place = reader.offset();
    let flags = reader.u8("flags")?;
    if flags & !defined != 0 {
        return Err(reader.error_at(place, Problem::ReservedBits { value: flags }));
    }
    Ok((flags, place))
}

/// The reason code at the end of a packet, which is 0 if it is absent.
pub(super) fn read_reason(reader: &mut Reader<'_>) -> Result<Reason, DecodeError> {
    if reader.is_empty() { Ok(Reason::SUCCESS) } else { reader.u8("reason code").map(Reason) }
}

pub(super) fn put_packet_id(out: &mut Vec<u8>, packet_id: PacketId) {
    out.extend_from_slice(&packet_id.value().to_be_bytes());
}

/// Appends the reason code, unless it is 0.
pub(super) fn put_reason(out: &mut Vec<u8>, reason: Reason) {
    if reason != Reason::SUCCESS {
        out.push(reason.0);
    }
}

/// Appends bytes after their length in two octets.
pub(super) fn put_long(out: &mut Vec<u8>, bytes: &[u8], field: &'static str) -> Result<(), EncodeError> {
    let length = bytes.len();
    let short = u16::try_from(length).map_err(|_| EncodeError::FieldLength { field, length })?;
    out.extend_from_slice(&short.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// The bit if it is set.
pub(super) fn bit(bit: u8, is_set: bool) -> u8 {
    if is_set { bit } else { 0 }
}
