//! TLS records: a kind, a length and a body.

use std::ops::Range;

// Kinds of records.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

/// The level of an alert that ends the connection.
pub(super) const FATAL: u8 = 2;

/// Kind, version and length.
pub(super) const HEADER: usize = 5;

/// The longest record body: 2^14 bytes, plus at most 2048 bytes of encryption overhead in TLS 1.2.
const MAX_BODY: usize = (1 << 14) + 2048;

/// The number of consumed bytes at the front that triggers their removal.
const SPENT: usize = 16 << 10;

#[derive(Clone)]
pub(super) struct Record {
    pub(super) header: [u8; HEADER],
    pub(super) body: Vec<u8>,
    /// Missing parts of the body, which are zero.
    pub(super) holes: Vec<Range<usize>>,
}

/// The bytes are not a valid record header.
#[derive(Debug)]
pub(super) struct Malformed;

/// Buffers bytes and splits them into records.
#[derive(Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// The number of consumed bytes at the front.
    spent: usize,
    /// Missing parts of the record at the back, which are zero.
    holes: Vec<Range<usize>>,
}

/// Whether `bytes` begin with a ClientHello.
pub(super) fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, _, _, _, 1, ..])
}

impl Record {
    pub(super) fn kind(&self) -> u8 {
        self.header[0]
    }

    pub(super) fn is_change_cipher_spec(&self) -> bool {
        self.kind() == CHANGE_CIPHER_SPEC && self.body == [1]
    }

    /// The captured parts of the body, and the lengths of the missing parts between them.
    pub(super) fn parts(&self) -> Vec<Result<&[u8], usize>> {
        let (mut parts, mut start) = (Vec::new(), 0);
        for hole in &self.holes {
            parts.push(Ok(self.body.get(start..hole.start).unwrap_or_default()));
            parts.push(Err(hole.len()));
            start = hole.end;
        }
        parts.push(Ok(self.body.get(start..).unwrap_or_default()));
        parts
    }
}

impl Records {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn buffered(&self) -> usize {
        self.bytes.len() - self.spent
    }

    /// Substitutes zeros for missing bytes, if they all belong to a record whose header arrived.
    pub(super) fn fill(&mut self, length: u64) -> Option<()> {
        // After the last record, a part of the next header may have arrived.
        let room = self.ends().last()?.checked_sub(self.bytes.len())?;
        let length = usize::try_from(length).ok().filter(|length| *length <= room)?;
        let start = self.bytes.len();
        self.bytes.resize(start + length, 0);
        self.holes.push(start..start + length);
        Some(())
    }

    /// The ends of all records whose headers arrived.
    fn ends(&self) -> impl Iterator<Item = usize> {
        let mut start = self.spent;
        std::iter::from_fn(move || {
            let (_, size) = header(self.bytes.get(start..)?)?;
            start += size;
            Some(start)
        })
    }

    /// Removes everything, and returns the number of bytes.
    pub(super) fn clear(&mut self) -> usize {
        let buffered = self.buffered();
        *self = Records::default();
        buffered
    }

    /// Skips bytes at the front until `is_record` accepts a record that starts there, or more bytes are needed. Returns the number of
    /// skipped bytes, and whether a record was found.
    pub(super) fn seek(&mut self, mut is_record: impl FnMut(&Record) -> bool) -> (usize, bool) {
        let start = self.spent;
        let found = loop {
            let Some((header, size)) = self.header() else { break false };
            if matches!(header, [CHANGE_CIPHER_SPEC..=APPLICATION_DATA, 3, 3, ..])
                && size <= HEADER + MAX_BODY
            {
                let Some(bytes) = self.bytes.get(self.spent..self.spent + size) else { break false };
                let body = bytes.get(HEADER..).unwrap_or_default().to_vec();
                if is_record(&Record { header, body, holes: Vec::new() }) {
                    break true;
                }
            }
            self.spent += 1;
        };
        let skipped = self.spent - start;
        self.compact();
        (skipped, found)
    }

    /// The kind of the next record, if it is complete.
    pub(super) fn front(&self) -> Result<Option<u8>, Malformed> {
        let Some((header, size)) = self.header() else { return Ok(None) };
        let is_possible =
            matches!(header, [CHANGE_CIPHER_SPEC..=HEARTBEAT, 3, ..]) && size <= HEADER + MAX_BODY;
        match is_possible {
            false => Err(Malformed),
            true => Ok((self.buffered() >= size).then_some(header[0])),
        }
    }

    /// Takes the record at the front, which must be complete; otherwise returns the bytes that are available.
    pub(super) fn take(&mut self) -> Record {
        let (header, size) = self.header().unwrap_or_default();
        let end = (self.spent + size).min(self.bytes.len());
        let body = self.bytes.get(self.spent + HEADER..end).unwrap_or_default().to_vec();
        let start = self.spent + HEADER;
        let is_inside = |hole: &mut Range<usize>| hole.start < end;
        let holes =
            self.holes.extract_if(.., is_inside).map(|hole| hole.start - start..hole.end - start).collect();
        self.spent = end;
        self.compact();
        Record { header, body, holes }
    }

    /// Frees the consumed bytes.
    fn compact(&mut self) {
        if self.spent == self.bytes.len() || self.spent >= SPENT {
            self.bytes.drain(..self.spent);
            for hole in &mut self.holes {
                *hole = hole.start - self.spent..hole.end - self.spent;
            }
            self.spent = 0;
        }
    }

    /// The header of the record at the front, and the total size of the record.
    fn header(&self) -> Option<([u8; HEADER], usize)> {
        header(self.bytes.get(self.spent..)?)
    }
}

/// A header, and the total size of the record.
fn header(bytes: &[u8]) -> Option<([u8; HEADER], usize)> {
    let header = *bytes.first_chunk::<HEADER>()?;
    let [_, _, _, high, low] = header;
    Some((header, HEADER + usize::from(u16::from_be_bytes([high, low]))))
}
