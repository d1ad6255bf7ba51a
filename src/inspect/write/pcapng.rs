//! The pcapng blocks that a capture needs: one section, one interface, and packets.

use crate::inspect::pcapng::{
    BLOCK_FRAME, END_OF_OPTIONS, ENHANCED_PACKET, INTERFACE, SECTION, TIME_RESOLUTION, USER_APPLICATION,
};

/// The interface carries IP of either version, without a link layer.
const LINK_TYPE_RAW: u16 = 101;

/// In the byte order of the section.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Section length: unknown.
const UNKNOWN_LENGTH: u64 = u64::MAX;

/// Times are in nanoseconds: ten to the power of minus this, in seconds.
const NANOSECONDS: [u8; 1] = [9];

/// Appends the section header and the interface description.
pub(super) fn begin(out: &mut Vec<u8>) {
    let mut section = Vec::new();
    section.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
    section.extend_from_slice(&1u16.to_le_bytes());
    section.extend_from_slice(&0u16.to_le_bytes());
    section.extend_from_slice(&UNKNOWN_LENGTH.to_le_bytes());
    option(USER_APPLICATION, concat!("mq ", env!("CARGO_PKG_VERSION")).as_bytes(), &mut section);
    option(END_OF_OPTIONS, &[], &mut section);
    block(SECTION, &[&section], out);

    let mut interface = Vec::new();
    interface.extend_from_slice(&LINK_TYPE_RAW.to_le_bytes());
    interface.extend_from_slice(&[0; 2]);
    // Packets of any length.
    interface.extend_from_slice(&0u32.to_le_bytes());
    option(TIME_RESOLUTION, &NANOSECONDS, &mut interface);
    option(END_OF_OPTIONS, &[], &mut interface);
    block(INTERFACE, &[&interface], out);
}

/// Appends a packet; `time` is in nanoseconds since 1970.
pub(super) fn packet(time: u64, bytes: &[u8], out: &mut Vec<u8>) {
    let length = length(bytes.len()).to_le_bytes();
    let (high, low) = ((time >> 32) as u32, time as u32);
    let head = [0u32.to_le_bytes(), high.to_le_bytes(), low.to_le_bytes(), length, length].concat();
    block(ENHANCED_PACKET, &[&head, bytes], out);
}

fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(padding(value.len()));
}

/// Appends a block whose body consists of `parts`.
fn block(kind: u32, parts: &[&[u8]], out: &mut Vec<u8>) {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    let padding = padding(body);
    let length = length(body + padding.len() + BLOCK_FRAME).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(padding);
    out.extend_from_slice(&length);
}

/// The padding from an end to the next multiple of four.
fn padding(length: usize) -> &'static [u8] {
    match length % 4 {
        0 => &[],
        1 => &[0; 3],
        2 => &[0; 2],
        _ => &[0; 1],
    }
}

/// A length in four bytes; single IP packets are far shorter.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
