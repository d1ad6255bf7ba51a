//! Deletes retained messages: an empty message with RETAIN to each topic, acknowledged one by one.

use crate::protocol::session::Outgoing;
use crate::protocol::{Properties, Publish, Qos};
use crate::words::counted;
use std::collections::{HashSet, VecDeque};

/// The message that deletes the retained message of a topic.
#[derive(Debug, Clone)]
pub(super) struct Removal {
    topic: Box<str>,
}

impl Outgoing for Removal {
    fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: Qos::AtLeastOnce,
            retain: true,
            topic: &self.topic,
            packet_id: None,
            properties: Properties::EMPTY,
            payload: &[],
        }
    }
}

impl Removal {
    /// The topic that is cleared.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }
}

/// The pending deletions and their results.
#[derive(Debug, Default)]
pub(super) struct Removals {
    waiting: VecDeque<Removal>,
    /// The topics found: overlapping subscriptions deliver a message several times.
    found: HashSet<Box<str>>,
    is_dry_run: bool,
    /// The number of cleared topics, or in a dry run, of those that would be.
    count: u64,
    /// The number of topics that the broker or a rule did not let be cleared.
    failed: u64,
}

impl Removals {
    pub(super) fn new(is_dry_run: bool) -> Removals {
        Removals { is_dry_run, ..Removals::default() }
    }

    /// Adds a topic to the deletions, unless it is already among them.
    pub(super) fn add(&mut self, topic: &str) {
        if !self.found.insert(topic.into()) {
            return;
        }
        if self.is_dry_run {
            self.count += 1;
        } else {
            self.waiting.push_back(Removal { topic: topic.into() });
        }
    }

    /// The next message to send.
    pub(super) fn next(&mut self) -> Option<Removal> {
        self.waiting.pop_front()
    }

    /// The broker acknowledged a removal.
    pub(super) fn done(&mut self) {
        self.count += 1;
    }

    /// The removal failed, which was reported.
    pub(super) fn failed(&mut self) {
        self.failed += 1;
    }

    /// Whether no retained message was received.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The result, in a sentence.
    pub(super) fn summary(&self) -> String {
        let verb = if self.is_dry_run { "would delete" } else { "deleted" };
        let found = self.found.len() as u64;
        let open = found.saturating_sub(self.count).saturating_sub(self.failed);
        let open = if open > 0 { format!(", {open} not acknowledged") } else { String::new() };
        format!("{verb} {}{open}", counted(self.count, "retained message"))
    }
}
