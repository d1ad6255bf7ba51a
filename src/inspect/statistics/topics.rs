//! Counts of messages by topic.

use std::collections::HashMap;

/// Messages and bytes by topic.
#[derive(Debug)]
pub(super) struct TopicCounts {
    counts: HashMap<Box<str>, MessageCount>,
    most: usize,
    /// Messages to topics beyond the maximum.
    others: MessageCount,
}

/// A number of messages, and the bytes of their payloads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageCount {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl TopicCounts {
    /// Counts at most this number of topics separately, and the rest together.
    pub(super) fn of_at_most(most: usize) -> TopicCounts {
        TopicCounts { counts: HashMap::new(), most, others: MessageCount::default() }
    }

    pub(super) fn count(&mut self, topic: &str, bytes: u64) {
        let count = if let Some(count) = self.counts.get_mut(topic) {
            count
        } else if self.counts.len() < self.most {
            self.counts.entry(Box::from(topic)).or_default()
        } else {
            &mut self.others
        };
        count.messages += 1;
        count.bytes += bytes;
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Messages to topics beyond the maximum.
    pub(super) fn others(&self) -> MessageCount {
        self.others
    }

    /// The topics with the most messages.
    pub(super) fn top(&self, count: usize) -> Vec<(&str, MessageCount)> {
        let mut all: Vec<(&str, MessageCount)> =
            self.counts.iter().map(|(topic, count)| (&**topic, *count)).collect();
        all.sort_by(|(one, count), (other, other_count)| other_count.cmp(count).then(one.cmp(other)));
        all.truncate(count);
        all
    }
}
