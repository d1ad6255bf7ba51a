//! Handshake messages, which may share a record or span several.

// The messages that matter.
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const FINISHED: u8 = 20;
pub(super) const KEY_UPDATE: u8 = 24;

/// The longest hello that is read.
const MAX_HELLO: usize = 64 << 10;

pub(super) struct HandshakeMessage {
    pub(super) kind: u8,
    /// The body of a hello; empty for other messages.
    pub(super) body: Vec<u8>,
}

/// Reassembles messages from records.
#[derive(Default)]
pub(super) struct HandshakeMessages {
    bytes: Vec<u8>,
    current: Option<Current>,
}

/// A message in progress whose body is not kept.
struct Current {
    kind: u8,
    left: usize,
}

impl HandshakeMessages {
    /// Appends the content of a record.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Option<HandshakeMessage> {
        if self.current.is_none() {
            let (&[kind, high, middle, low], _) = self.bytes.split_first_chunk::<4>()?;
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            if matches!(kind, CLIENT_HELLO | SERVER_HELLO) && length <= MAX_HELLO {
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
