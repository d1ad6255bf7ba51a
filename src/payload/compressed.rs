//! Compressed payloads, recognised by their magic numbers. Formats without one (raw deflate, Snappy blocks) are decompressed on
//! request.

use super::{PayloadFormat, Problem};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::Read;

/// The maximum of decompressed bytes.
const MAX_CONTENT: u64 = 1 << 20;

/// The largest window of a Zstandard frame; decoders are asked to support 8 MiB (RFC 8878, section 3.1.1.1.2).
const MAX_WINDOW: u64 = 8 << 20;

/// The magic number of each format. Zlib is recognised by its header's check bits.
const MAGIC: [(&[u8], PayloadFormat); 6] = [
    (b"\x1f\x8b\x08", PayloadFormat::Gzip),
    (b"\x28\xb5\x2f\xfd", PayloadFormat::Zstd),
    (b"\x04\x22\x4d\x18", PayloadFormat::Lz4),
    (b"\xff\x06\x00\x00sNaPpY", PayloadFormat::Snappy),
    (b"\xfd7zXZ\x00", PayloadFormat::Xz),
    // After the level, the first block begins with the digits of pi.
    (b"BZh", PayloadFormat::Bzip2),
];

/// The digits of pi that a block of bzip2 begins with.
const BZIP2_BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";

/// The result of decompression.
pub(super) enum Decompressed {
    Content(Vec<u8>),
    Malformed(Problem),
    /// Not decompressed, for this reason.
    Unread(&'static str),
}

/// The format of the payload, by its magic number.
pub(super) fn by_magic(payload: &[u8]) -> Option<PayloadFormat> {
    let found = MAGIC.iter().find(|(magic, _)| payload.starts_with(magic)).map(|(_, format)| *format);
    match found {
        Some(PayloadFormat::Bzip2) => {
            payload.get(4..)?.starts_with(BZIP2_BLOCK).then_some(PayloadFormat::Bzip2)
        }
        None if is_zlib(payload) => Some(PayloadFormat::Zlib),
        found => found,
    }
}

pub(super) fn read(payload: &[u8], format: PayloadFormat) -> Decompressed {
    match format {
        PayloadFormat::Gzip => members(payload, |rest, out| {
            let mut decoder = GzDecoder::new(*rest);
            let result = bounded(&mut decoder, out);
            *rest = decoder.into_inner();
            result
        }),
        PayloadFormat::Zlib => members(payload, |rest, out| {
            let mut decoder = ZlibDecoder::new(*rest);
            let result = bounded(&mut decoder, out);
            *rest = decoder.into_inner();
            result
        }),
        PayloadFormat::Deflate => members(payload, |rest, out| {
            let mut decoder = DeflateDecoder::new(*rest);
            let result = bounded(&mut decoder, out);
            *rest = decoder.into_inner();
            result
        }),
        PayloadFormat::Zstd => members(payload, zstd),
        PayloadFormat::Lz4 => {
            members(payload, |rest, out| bounded(&mut lz4_flex::frame::FrameDecoder::new(rest), out))
        }
        PayloadFormat::Snappy if by_magic(payload) == Some(PayloadFormat::Snappy) => {
            members(payload, |rest, out| bounded(&mut snap::read::FrameDecoder::new(rest), out))
        }
        PayloadFormat::Snappy => snappy_block(payload),
        PayloadFormat::Bzip2 | PayloadFormat::Xz => Decompressed::Unread("decompression is not supported"),
        _ => Decompressed::Malformed(Problem { reason: "not compressed", at: 0 }),
    }
}

/// The reason why a member was not decompressed to its end.
enum DecompressError {
    Damaged,
    TooLong,
}

/// Decompresses all members. Zeros after the last one are padding.
fn members(
    payload: &[u8],
    mut member: impl FnMut(&mut &[u8], &mut Vec<u8>) -> Result<(), DecompressError>,
) -> Decompressed {
    let (mut rest, mut content) = (payload, Vec::new());
    loop {
        let before = rest.len();
        match member(&mut rest, &mut content) {
            Ok(()) => {}
            Err(DecompressError::TooLong) => {
                return Decompressed::Unread("more than 1 MiB when decompressed");
            }
            Err(DecompressError::Damaged) => {
                return Decompressed::Malformed(Problem {
                    reason: "damaged compressed data",
                    at: content.len(),
                });
            }
        }
        if rest.iter().all(|byte| *byte == 0) {
            return Decompressed::Content(content);
        }
        if rest.len() >= before {
            return Decompressed::Malformed(Problem { reason: "damaged compressed data", at: content.len() });
        }
    }
}

/// Reads a member to its end, within the remaining limit.
fn bounded(member: &mut impl Read, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let left = (MAX_CONTENT + 1).saturating_sub(out.len() as u64);
    member.take(left).read_to_end(out).map_err(|_| DecompressError::Damaged)?;
    if out.len() as u64 > MAX_CONTENT { Err(DecompressError::TooLong) } else { Ok(()) }
}

fn zstd(rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW);
    let mut decoder =
        StreamingDecoder::new_with_decoder(rest, decoder).map_err(|_| DecompressError::Damaged)?;
    bounded(&mut decoder, out)
}

/// Decompresses a block, which states its length, but has neither a magic number nor a checksum.
fn snappy_block(payload: &[u8]) -> Decompressed {
    let damaged = Decompressed::Malformed(Problem { reason: "damaged compressed data", at: 0 });
    match snap::raw::decompress_len(payload) {
        Ok(length) if length as u64 > MAX_CONTENT => {
            Decompressed::Unread("more than 1 MiB when decompressed")
        }
        Ok(_) => snap::raw::Decoder::new().decompress_vec(payload).map_or(damaged, Decompressed::Content),
        Err(_) => damaged,
    }
}

/// Whether the header states the usual window, and is divisible by 31 (RFC 1950).
fn is_zlib(payload: &[u8]) -> bool {
    matches!(payload, [0x78, flags, _, ..] if (0x7800 + u32::from(*flags)) % 31 == 0)
}
