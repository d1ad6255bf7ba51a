//! The topics of one direction's topic aliases. Memory is bounded.

use std::collections::HashMap;
use std::rc::Rc;

/// Maximum bytes of topics to keep.
const MAX_BYTES: usize = 1024 * 1024;

/// Topics by their aliases.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    topics: HashMap<u16, Rc<str>>,
    bytes: usize,
}

impl Aliases {
    pub(super) fn topic(&self, alias: u16) -> Option<Rc<str>> {
        self.topics.get(&alias).cloned()
    }

    /// Maps the alias to the topic. Returns `false` if the limit is reached.
    pub(super) fn learn(&mut self, alias: u16, topic: &str) -> bool {
        if self.topics.get(&alias).is_some_and(|known| **known == *topic) {
            return true;
        }
        let before = self.topics.remove(&alias).map_or(0, |topic| topic.len());
        self.bytes = self.bytes - before + topic.len();
        if self.bytes > MAX_BYTES {
            self.bytes -= topic.len();
            return false;
        }
        self.topics.insert(alias, Rc::from(topic));
        true
    }
}
