//! Handshake messages, which may share a record or span several.

// The messages that matter.
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const END_OF_EARLY_DATA: u8 = 5;
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const FINISHED: u8 = 20;
pub(super) const KEY_UPDATE: u8 = 24;

/// The longest body that is read.
const MAX_BODY: usize = 64 << 10;

pub(super) struct HandshakeMessage {
    pub(super) kind: u8,
    /// The body of a hello or of EncryptedExtensions; empty for other messages.
    pub(super) body: Vec<u8>,
}

/// Reassembles messages from records.
#[derive(Default)]
pub(super) struct HandshakeMessages {
    bytes: Vec<u8>,
    current: Option<Current>,
    /// The next message boundary is unknown.
    is_lost: bool,
}

/// A message in progress whose body is not kept.
struct Current {
    kind: u8,
    left: usize,
}

impl HandshakeMessages {
    /// Appends the content of a record.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.is_lost {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Skips missing bytes. All messages up to them must have been taken.
    pub(super) fn skip(&mut self, count: usize) {
        match &mut self.current {
            Some(current) if current.left >= count => current.left -= count,
            _ => self.lose(),
        }
    }

    /// Ignores all further content.
    pub(super) fn lose(&mut self) {
        *self = HandshakeMessages { is_lost: true, ..HandshakeMessages::default() };
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    pub(super) fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Option<HandshakeMessage> {
        if self.current.is_none() {
            let (&[kind, high, middle, low], _) = self.bytes.split_first_chunk::<4>()?;
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            if matches!(kind, CLIENT_HELLO | SERVER_HELLO | ENCRYPTED_EXTENSIONS) && length <= MAX_BODY {
                return self.read_body(kind, length);
            }
            self.bytes.drain(..4);
            self.current = Some(Current { kind, left: length });
        }
        self.skip_body()
    }

    fn read_body(&mut self, kind: u8, length: usize) -> Option<HandshakeMessage> {
        let body = self.bytes.get(4..4 + length)?.to_vec();
        self.bytes.drain(..4 + length);
        Some(HandshakeMessage { kind, body })
    }

    fn skip_body(&mut self) -> Option<HandshakeMessage> {
        let current = self.current.as_mut()?;
        let count = current.left.min(self.bytes.len());
        self.bytes.drain(..count);
        current.left -= count;
        if current.left > 0 {
            return None;
        }
        let kind = current.kind;
        self.current = None;
        Some(HandshakeMessage { kind, body: Vec::new() })
    }
}
