//! The size of the messages of QoS 0, or of QoS 1 and 2, that wait for a client. Each of the two sets has the whole limit, so neither
//! takes the room of the other.

use super::Settings;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    messages: usize,
    bytes: usize,
}

impl Load {
    pub(crate) fn add(&mut self, size: usize) {
        self.messages += 1;
        self.bytes += size;
    }

    pub(crate) fn remove(&mut self, size: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is room for a message.
    pub(crate) fn is_within(&self, settings: &Settings) -> bool {
        self.messages < settings.queued_messages && self.bytes < settings.queued_bytes
    }
}
