//! Counts of messages by topic.

use std::collections::HashMap;

/// Messages and bytes by topic.
#[derive(Debug)]
pub(super) struct Topics {
    counts: HashMap<Box<str>, Count>,
    most: usize,
    /// Messages to topics beyond the maximum.
    others: Count,
}

/// A number of messages, and the bytes of their payloads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Topics {
    /// Counts at most this number of topics separately, and the rest together.
    pub(super) fn of_at_most(most: usize) -> Topics {
        Topics { counts: HashMap::new(), most, others: Count::default() }
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

    /// Number of topics that are counted separately.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Messages to topics beyond the maximum.
    pub(super) fn others(&self) -> Count {
        self.others
    }

    /// The topics with the most messages.
    pub(super) fn top(&self, count: usize) -> Vec<(&str, Count)> {
        let mut all: Vec<(&str, Count)> =
            self.counts.iter().map(|(topic, count)| (&**topic, *count)).collect();
        all.sort_by(|(one, count), (other, other_count)| other_count.cmp(count).then(one.cmp(other)));
        all.truncate(count);
        all
    }
}
