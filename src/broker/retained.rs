//! Retained messages, ordered by topic, so that a filter looks only at the topics that begin as it does.

use super::message::Message;
use crate::protocol::topic;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;
use std::time::Instant;

/// The store of retained messages.
#[derive(Debug)]
pub(super) struct Retained {
    messages: BTreeMap<Box<str>, Rc<Message>>,
    bytes: usize,
    maximum_messages: usize,
    maximum_bytes: usize,
}

impl Retained {
    pub(super) fn new(maximum_messages: usize, maximum_bytes: usize) -> Retained {
        Retained { messages: BTreeMap::new(), bytes: 0, maximum_messages, maximum_bytes }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// What they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps a message in place of an earlier one; one without payload only removes it [MQTT-3.3.1-6].
    /// False when the store is full.
    pub(super) fn set(&mut self, message: &Rc<Message>) -> bool {
        self.remove(&message.topic);
        if message.payload.is_empty() {
            return true;
        }
        if self.messages.len() >= self.maximum_messages || self.bytes + message.size > self.maximum_bytes {
            return false;
        }
        self.bytes += message.size;
        self.messages.insert(message.topic.clone(), Rc::clone(message));
        true
    }

    fn remove(&mut self, name: &str) {
        if let Some(old) = self.messages.remove(name) {
            self.bytes -= old.size;
        }
    }

    /// The messages whose topics a filter matches, in the order of the topics.
    pub(super) fn matching<'a>(
        &'a self,
        filter: &'a str,
        now: Instant,
    ) -> impl Iterator<Item = &'a Rc<Message>> {
        let prefix = literal_prefix(filter);
        self.messages
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix))
            .filter(move |(name, message)| topic::matches(filter, name) && !message.is_expired(now))
            .map(|(_, message)| message)
    }

    /// Removes what has expired.
    pub(super) fn expire(&mut self, now: Instant) {
        let bytes = &mut self.bytes;
        self.messages.retain(|_, message| {
            let is_kept = !message.is_expired(now);
            *bytes -= if is_kept { 0 } else { message.size };
            is_kept
        });
    }
}

/// What all topics that a filter matches begin with: all before the first wildcard, and for `a/#`, which matches `a`, without
/// the slash.
fn literal_prefix(filter: &str) -> &str {
    match filter.find(['+', '#']) {
        None => filter,
        Some(0) => "",
        Some(position) => {
            let prefix = filter.get(..position).unwrap_or_default();
            prefix.strip_suffix('/').unwrap_or(prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Properties, Publish, Qos};

    fn message(topic: &str, payload: &str) -> Rc<Message> {
        let publish = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: true,
            topic,
            packet_id: None,
            properties: Properties::EMPTY,
            payload: payload.as_bytes(),
        };
        Rc::new(Message::new(&publish, Instant::now()))
    }

    fn topics(store: &Retained, filter: &str) -> Vec<String> {
        store.matching(filter, Instant::now()).map(|message| message.topic.to_string()).collect()
    }

    #[test]
    fn filters_find_retained_messages() {
        let mut store = Retained::new(100, 100_000);
        for topic in ["a", "a/b", "a/b/c", "a.b", "ab", "/x", "b", "$SYS/x"] {
            assert!(store.set(&message(topic, "1")));
        }
        assert_eq!(topics(&store, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(topics(&store, "a/b"), ["a/b"]);
        assert_eq!(topics(&store, "a"), ["a"]);
        assert_eq!(topics(&store, "+"), ["a", "a.b", "ab", "b"]);
        assert_eq!(topics(&store, "+/+"), ["/x", "a/b"]);
        assert_eq!(topics(&store, "a/+/c"), ["a/b/c"]);
        assert_eq!(topics(&store, "#").len(), 7);
        assert_eq!(topics(&store, "$SYS/#"), ["$SYS/x"]);
    }

    #[test]
    fn an_empty_payload_removes_and_the_store_is_bounded() {
        let mut store = Retained::new(2, 100_000);
        assert!(store.set(&message("a", "1")));
        assert!(store.set(&message("a", "2")));
        assert!(store.set(&message("b", "1")));
        assert!(!store.set(&message("c", "1")));
        assert!(store.set(&message("a", "")));
        assert!(store.set(&message("b", "")));
        assert_eq!((store.len(), store.bytes()), (0, 0));
    }
}
