//! Reads all secrets of a file in advance, since some programs write them after the packets.

use super::fields::Endian;
use super::pcapng::{MAX_SECRETS, SECTION_MAGIC, TLS_KEY_LOG};
use crate::inspect::pcapng::{BLOCK_FRAME, DECRYPTION_SECRETS};
use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Type and length of secrets.
const SECRETS_HEADER: usize = 8;

/// The TLS key logs in a pcapng file, whose position is restored; empty for any other file. The reader reports the file's errors.
///
/// # Errors
/// If the file cannot be read, or its position cannot be restored.
pub fn secrets_of<F: Read + Seek>(file: &mut F) -> io::Result<Vec<u8>> {
    let start = file.stream_position()?;
    let mut found = Vec::new();
    let mut buffered = BufReader::with_capacity(1 << 16, &mut *file);
    let read = if buffered.fill_buf()?.starts_with(&GZIP) {
        let mut decoded = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(buffered));
        collect(&mut decoded, &mut found, |source, count| {
            io::copy(&mut source.take(count), &mut io::sink()).map(|copied| copied == count)
        })
    } else {
        collect(&mut buffered, &mut found, |source, count| {
            let count = i64::try_from(count).map_err(io::Error::other)?;
            source.seek_relative(count).map(|()| true)
        })
    };
    // A truncated or invalid file yields the secrets before the fault.
    let _ = read;
    file.seek(SeekFrom::Start(start))?;
    Ok(found)
}

/// Walks from block to block; `None` at the end or at the first fault.
fn collect<R: BufRead>(
    source: &mut R,
    found: &mut Vec<u8>,
    mut pass_over: impl FnMut(&mut R, u64) -> io::Result<bool>,
) -> Option<()> {
    let mut endian = Endian::Little;
    let mut is_first = true;
    loop {
        let (kind, length) = (four(source)?, four(source)?);
        let mut taken = 8;
        if kind == SECTION_MAGIC {
            endian = match four(source)? {
                [0x1a, 0x2b, 0x3c, 0x4d] => Endian::Big,
                [0x4d, 0x3c, 0x2b, 0x1a] => Endian::Little,
                _ => return None,
            };
            taken += 4;
        } else if is_first {
            return None;
        }
        is_first = false;
        let number = |bytes| match endian {
            Endian::Big => u32::from_be_bytes(bytes),
            Endian::Little => u32::from_le_bytes(bytes),
        };
        if number(kind) == DECRYPTION_SECRETS {
            let (kind, size) = (number(four(source)?), number(four(source)?));
            taken += SECRETS_HEADER as u64;
            let room = MAX_SECRETS.saturating_sub(found.len()) as u64;
            if kind == TLS_KEY_LOG && u64::from(size) <= room {
                let read = source.take(size.into()).read_to_end(found).ok()?;
                taken += read as u64;
            }
        }
        let length = u64::from(number(length));
        let left = length.next_multiple_of(4).max(BLOCK_FRAME as u64).checked_sub(taken)?;
        if !pass_over(source, left).ok()? {
            return None;
        }
    }
}

fn four(source: &mut impl Read) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    source.read_exact(&mut bytes).ok().map(|()| bytes)
}
