//! Retained messages, ordered by topic level by level, so that a filter looks only at topics that can match.
//!
//! A filter is looked up in steps: each step seeks the next topic that could match, and a look-up can be suspended after any
//! step. So a filter that skips many topics does not block other clients.

use super::excess::Excess;
use super::message::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;
use std::time::Instant;

/// Replaces the slash in a key. No topic contains it [MQTT-1.5.4-2], and it sorts before all other characters, so a topic is
/// directly followed by the topics below it.
const SEPARATOR: u8 = 0;

/// Sorts after all topics below a topic.
const BEHIND: u8 = 1;

/// Expired messages that are removed at a time.
const EXPIRED_AT_A_TIME: usize = 1000;

/// The store of retained messages.
#[derive(Debug)]
pub(super) struct Retained {
    messages: BTreeMap<Box<[u8]>, Rc<Message>>,
    /// The keys of expiring messages, in the order of expiry.
    expiring: BTreeSet<(Instant, Box<[u8]>)>,
    bytes: usize,
    maximum_messages: usize,
    maximum_bytes: usize,
}

/// The position at which the look-up of a filter continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor(Vec<u8>);

impl Cursor {
    /// The start of a look-up.
    pub(super) fn of(filter: &str) -> Cursor {
        let literal = filter.split(['+', '#']).next().unwrap_or_default();
        // `a/#` matches `a` as well.
        let literal =
            if literal.len() < filter.len() { literal.strip_suffix('/').unwrap_or(literal) } else { literal };
        Cursor(key(literal).into())
    }
}

/// One step of a look-up.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Found(&'a Rc<Message>),
    /// Nothing matched here.
    Passed,
    Done,
}

impl Retained {
    pub(super) fn new(maximum_messages: usize, maximum_bytes: usize) -> Retained {
        let (messages, expiring) = (BTreeMap::new(), BTreeSet::new());
        Retained { messages, expiring, bytes: 0, maximum_messages, maximum_bytes }
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The memory of the messages.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Replaces the retained message of a topic; an empty payload only removes it [MQTT-3.3.1-6].
    ///
    /// # Errors
    /// The limit of the full store.
    pub(super) fn set(&mut self, message: &Rc<Message>) -> Result<(), Excess> {
        let key = key(&message.topic);
        self.remove(&key);
        if message.payload.is_empty() {
            return Ok(());
        }
        let size = size(message);
        if self.messages.len() >= self.maximum_messages {
            return Err(Excess::RetainedMessages(self.maximum_messages));
        }
        if self.bytes + size > self.maximum_bytes {
            return Err(Excess::RetainedBytes(self.maximum_bytes));
        }
        self.bytes += size;
        if let Some(at) = message.expires_at() {
            self.expiring.insert((at, key.clone()));
        }
        self.messages.insert(key, Rc::clone(message));
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) {
        let Some((key, old)) = self.messages.remove_entry(key) else { return };
        self.bytes -= size(&old);
        if let Some(at) = old.expires_at() {
            self.expiring.remove(&(at, key));
        }
    }

    /// Takes one step in the look-up of a filter, in the order of the topics.
    pub(super) fn step(&self, filter: &str, cursor: &mut Cursor, now: Instant) -> Step<'_> {
        let from = (Bound::Included(cursor.0.as_slice()), Bound::Unbounded);
        let Some((key, message)) = self.messages.range::<[u8], _>(from).next() else {
            return Step::Done;
        };
        match compare(filter, key) {
            Comparison::Match => {
                // The smallest key after this one.
                cursor.0.clear();
                cursor.0.extend_from_slice(key);
                cursor.0.push(SEPARATOR);
                if message.is_expired(now) { Step::Passed } else { Step::Found(message) }
            }
            Comparison::Seek(next) => {
                cursor.0 = next;
                Step::Passed
            }
            Comparison::Done => Step::Done,
        }
    }

    /// Removes expired messages. Returns true if there may be more.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        for _ in 0..EXPIRED_AT_A_TIME {
            if self.expiring.first().is_none_or(|(at, _)| *at > now) {
                return false;
            }
            if let Some((_, key)) = self.expiring.pop_first() {
                self.remove(&key);
            }
        }
        true
    }
}

/// The bytes counted for a retained message, whose topic is stored as the key as well.
fn size(message: &Message) -> usize {
    message.size + message.topic.len()
}

fn key(topic: &str) -> Box<[u8]> {
    topic.bytes().map(|byte| if byte == b'/' { SEPARATOR } else { byte }).collect()
}

/// The result of matching a filter with a key.
#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    Match,
    /// The next key that can match is not before this one, which is after the compared key.
    Seek(Vec<u8>),
    /// No later key can match.
    Done,
}

fn compare(filter: &str, key: &[u8]) -> Comparison {
    // Leading wildcards do not match the server's own topics [MQTT-4.7.2-1].
    if filter.starts_with(['+', '#']) && key.first() == Some(&b'$') {
        return Comparison::Seek(vec![b'$' + 1]);
    }
    // The end of the last level that `+` matched: the next match may come after all topics below that one.
    let mut last_choice = None;
    let mut rest = Some(key);
    for level in filter.split('/') {
        if level == "#" {
            return Comparison::Match;
        }
        let Some(present) = rest else {
            let wanted = if level == "+" { "" } else { level };
            return Comparison::Seek([key, &[SEPARATOR], wanted.as_bytes()].concat());
        };
        let start = key.len() - present.len();
        let length = present.iter().position(|&byte| byte == SEPARATOR);
        let (found, end) = match length {
            Some(length) => (present.get(..length).unwrap_or_default(), start + length),
            None => (present, key.len()),
        };
        if level == "+" {
            last_choice = Some(end);
        } else if found < level.as_bytes() {
            let before = key.get(..start).unwrap_or_default();
            return Comparison::Seek([before, level.as_bytes()].concat());
        } else if found > level.as_bytes() {
            return behind(key, last_choice);
        }
        rest = length.and_then(|length| present.get(length + 1..));
    }
    match rest {
        None => Comparison::Match,
        Some(_) => behind(key, last_choice),
    }
}

/// Seeks past all topics below the one that ends there.
fn behind(key: &[u8], end: Option<usize>) -> Comparison {
    match end.and_then(|end| key.get(..end)) {
        Some(start) => Comparison::Seek([start, &[BEHIND]].concat()),
        None => Comparison::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;
    use crate::protocol::{Properties, Publish, Qos, topic};
    use proptest::prelude::*;

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
        Rc::new(Message::new(&publish, 0, Instant::now(), &Budget::new(usize::MAX)))
    }

    /// The topics that a filter finds, and the number of steps.
    fn look_up(store: &Retained, filter: &str) -> (Vec<String>, usize) {
        let (mut cursor, mut found, mut steps) = (Cursor::of(filter), Vec::new(), 0);
        loop {
            steps += 1;
            match store.step(filter, &mut cursor, Instant::now()) {
                Step::Found(message) => found.push(message.topic.to_string()),
                Step::Passed => {}
                Step::Done => return (found, steps),
            }
        }
    }

    fn topics(store: &Retained, filter: &str) -> Vec<String> {
        look_up(store, filter).0
    }

    #[test]
    fn filters_find_retained_messages() {
        let mut store = Retained::new(100, 100_000);
        for topic in ["a", "a/b", "a/b/c", "a.b", "ab", "/x", "b", "$SYS/x"] {
            store.set(&message(topic, "1")).unwrap();
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

    proptest! {
        #[test]
        fn a_filter_finds_the_topics_that_the_specification_names(
            names in prop::collection::btree_set("([ab$]{0,2}/){0,3}[ab.\u{1}]{0,2}", 0..30),
            filter in "([ab$]{0,2}/|\\+/){0,3}([ab]{0,2}|\\+|#)",
        ) {
            let mut store = Retained::new(100, 100_000);
            let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
            for name in &names {
                store.set(&message(name, "1")).unwrap();
            }
            prop_assume!(!filter.is_empty());
            let mut expected: Vec<_> = names.into_iter().filter(|name| topic::matches(&filter, name)).collect();
            let mut found = topics(&store, &filter);
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn topics_that_cannot_match_are_not_looked_at() {
        let mut store = Retained::new(100_000, 100_000_000);
        for number in 0..10_000 {
            store.set(&message(&format!("site/{number}"), "1")).unwrap();
        }
        for filter in ["+/x", "x/+", "+/5000", "site/5000", "+/+/+/x", "$SYS/#", "site/5000/#"] {
            let steps = look_up(&store, filter).1;
            assert!(steps < 6 || filter == "+/+/+/x", "{filter}: {steps} steps");
        }
    }

    #[test]
    fn an_empty_payload_removes_and_the_store_is_bounded() {
        let mut store = Retained::new(2, 100_000);
        assert_eq!(store.set(&message("a", "1")), Ok(()));
        assert_eq!(store.set(&message("a", "2")), Ok(()));
        assert_eq!(store.set(&message("b", "1")), Ok(()));
        assert!(store.set(&message("c", "1")).is_err());
        assert_eq!(store.set(&message("a", "")), Ok(()));
        assert_eq!(store.set(&message("b", "")), Ok(()));
        assert_eq!((store.len(), store.bytes()), (0, 0));
    }
}
