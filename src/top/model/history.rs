//! The messages of one topic since it was looked at, bounded by count and bytes.

use super::value::Value;
use crate::protocol::Publish;
use jiff::Timestamp;
use std::collections::VecDeque;

/// The most messages of a history.
pub(crate) const MAX_ENTRIES: usize = 1000;

/// The most bytes of a history. The last message is kept in any case.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// A message, and the time of its arrival in milliseconds since the start.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) at: u64,
}

/// The messages, the oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The number of messages that exceeded a bound.
    dropped: u64,
    /// In milliseconds since the start.
    pub(super) looked_at: u64,
}

impl History {
    pub(super) fn new(looked_at: u64) -> History {
        History { looked_at, ..History::default() }
    }

    /// Starts with the message that was there before.
    pub(super) fn begin(&mut self, value: Value, at: u64) {
        self.push(Entry { value, at });
    }

    pub(super) fn add(&mut self, publish: &Publish<'_>, time: Timestamp, now: u64) {
        self.push(Entry { value: Value::new(publish, time), at: now });
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.value.memory();
        self.entries.push_back(entry);
        while self.entries.len() > MAX_ENTRIES || (self.bytes > MAX_BYTES && self.entries.len() > 1) {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.value.memory();
            self.dropped += 1;
        }
    }

    /// The messages, the oldest first.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The number of older messages that were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
