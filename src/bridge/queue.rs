//! Messages at QoS 0 that wait for their target, up to a number of bytes.

use super::message::Message;
use std::collections::VecDeque;
use std::rc::Rc;

/// The memory of an entry beside its message.
const ENTRY: usize = size_of::<Entry>();

/// A message for one of its topics.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: Rc<Message>,
    /// The number of the topic.
    pub(super) target: usize,
}

impl Entry {
    fn size(&self) -> usize {
        ENTRY + self.message.size()
    }
}

/// A queue that drops its oldest entries if it is full.
#[derive(Debug)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    maximum: usize,
}

impl Queue {
    pub(super) fn new(maximum: usize) -> Queue {
        Queue { entries: VecDeque::new(), bytes: 0, maximum }
    }

    /// Adds an entry. Returns those that it displaces, which may include itself.
    pub(super) fn push(&mut self, entry: Entry) -> Vec<Entry> {
        self.bytes += entry.size();
        self.entries.push_back(entry);
        let mut displaced = Vec::new();
        while self.bytes > self.maximum {
            displaced.extend(self.pop());
        }
        displaced
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.size();
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
        Some(entry)
    }

    pub(super) fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
