//! The topics that stand behind topic aliases in one direction, within bounds.

use std::collections::HashMap;
use std::rc::Rc;

/// The most bytes of topics that are kept.
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

    /// The alias stands for that topic from now on. `false` when there is no room to remember it.
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

    pub(super) fn clear(&mut self) {
        *self = Aliases::default();
    }
}
