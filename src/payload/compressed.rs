//! Payloads that were compressed with gzip or zlib.

use super::Problem;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// What is decompressed at most.
const MAX_CONTENT: u64 = 1 << 20;

/// How gzip with its only method begins.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Whether it begins like gzip or zlib.
pub(super) fn is_likely(payload: &[u8]) -> bool {
    payload.starts_with(&GZIP) || is_zlib(payload)
}

/// What was compressed.
pub(super) fn read(payload: &[u8]) -> Result<Vec<u8>, Problem> {
    if payload.starts_with(&GZIP) {
        decompressed(MultiGzDecoder::new(payload))
    } else {
        decompressed(ZlibDecoder::new(payload))
    }
}

fn decompressed(source: impl Read) -> Result<Vec<u8>, Problem> {
    let mut content = Vec::new();
    let result = source.take(MAX_CONTENT + 1).read_to_end(&mut content);
    match (result, content.len()) {
        (Err(_), at) => Err(Problem { what: "damaged compressed data", at }),
        (Ok(_), at) if at as u64 > MAX_CONTENT => {
            Err(Problem { what: "more than 1 MiB when decompressed; not read on", at })
        }
        (Ok(_), _) => Ok(content),
    }
}

/// The usual window, and a header that is divisible by 31 (RFC 1950).
fn is_zlib(payload: &[u8]) -> bool {
    matches!(payload, [0x78, flags, _, ..] if (0x7800 + u32::from(*flags)) % 31 == 0)
}
