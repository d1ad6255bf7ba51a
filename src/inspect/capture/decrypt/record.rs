//! TLS records: a kind, a length and a body.

// Kinds of records.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

/// Kind, version and length.
pub(super) const HEADER: usize = 5;

/// The longest record body: 2^14 bytes, plus at most 2048 bytes of encryption overhead in TLS 1.2.
const MAX_BODY: usize = (1 << 14) + 2048;

/// The number of consumed bytes at the front that triggers their removal.
const SPENT: usize = 16 << 10;

pub(super) struct Record {
    pub(super) header: [u8; HEADER],
    pub(super) body: Vec<u8>,
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
}

/// Whether `bytes` begin with a ClientHello.
pub(super) fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, _, _, _, 1, ..])
}

impl Record {
    pub(super) fn kind(&self) -> u8 {
        self.header[0]
    }
}

impl Records {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn buffered(&self) -> usize {
        self.bytes.len() - self.spent
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
        self.spent = end;
        if self.spent == self.bytes.len() || self.spent >= SPENT {
            self.bytes.drain(..self.spent);
            self.spent = 0;
        }
        Record { header, body }
    }

    /// The header of the record at the front, and the total size of the record.
    fn header(&self) -> Option<([u8; HEADER], usize)> {
        let header = *self.bytes.get(self.spent..)?.first_chunk::<HEADER>()?;
        let [_, _, _, high, low] = header;
        Some((header, HEADER + usize::from(u16::from_be_bytes([high, low]))))
    }
}
