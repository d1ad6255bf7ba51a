//! Topic aliases: numbers in place of topics, per connection and direction (MQTT 5.0, section 3.3.2.3.4).

use std::collections::HashMap;

/// The maximum of automatic aliases per connection, even if the peer allows more, since each costs memory.
const MAX_AUTOMATIC: u16 = 64;

/// The aliases that the peer set.
#[derive(Debug, Default)]
pub(super) struct InboundAliases {
    topics: Vec<Option<Box<str>>>,
    bytes: usize,
}

impl InboundAliases {
    pub(super) fn clear(&mut self) {
        *self = InboundAliases::default();
    }

    /// The memory that the topics take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The topic of a PUBLISH with an alias: sets the alias if there is a topic, and looks it up otherwise; `None` if it is not set.
    pub(super) fn resolve<'a>(&'a mut self, alias: u16, topic: &'a str) -> Option<&'a str> {
        let index = usize::from(alias).checked_sub(1)?;
        if topic.is_empty() {
            return self.topics.get(index)?.as_deref();
        }
        if self.topics.len() <= index {
            self.topics.resize(index + 1, None);
        }
        let slot = self.topics.get_mut(index)?;
        if slot.as_deref() != Some(topic) {
            self.bytes += topic.len();
            self.bytes -= slot.as_deref().map_or(0, str::len);
            *slot = Some(topic.into());
        }
        Some(topic)
    }
}

/// The aliases that this side set.
#[derive(Debug, Default)]
pub(super) struct OutboundAliases {
    numbers: HashMap<Box<str>, u16>,
    bytes: usize,
}

/// The encoding of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aliased {
    /// With its name and no alias.
    Plain,
    /// With its name, and the alias that replaces it from now on.
    Introduced(u16),
    /// With the alias alone.
    Known(u16),
}

impl OutboundAliases {
    pub(super) fn clear(&mut self) {
        *self = OutboundAliases::default();
    }

    /// The memory that the topics take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Uses the alias that the application chose for the topic.
    pub(super) fn set(&mut self, alias: u16, topic: &str) -> Aliased {
        if self.numbers.get(topic) == Some(&alias) {
            return Aliased::Known(alias);
        }
        let bytes = &mut self.bytes;
        self.numbers.retain(|topic, number| {
            let is_kept = *number != alias;
            *bytes -= if is_kept { 0 } else { topic.len() };
            is_kept
        });
        self.insert(topic, alias);
        Aliased::Introduced(alias)
    }

    /// Removes an alias whose first PUBLISH was not sent.
    pub(super) fn forget(&mut self, topic: &str) {
        if self.numbers.remove(topic).is_some() {
            self.bytes -= topic.len();
        }
    }

    fn insert(&mut self, topic: &str, alias: u16) {
        self.bytes += topic.len();
        if self.numbers.insert(topic.into(), alias).is_some() {
            self.bytes -= topic.len();
        }
    }

    /// Uses the topic's alias, or the next free one.
    pub(super) fn assign(&mut self, topic: &str, maximum: u16) -> Aliased {
        if let Some(&alias) = self.numbers.get(topic) {
            return Aliased::Known(alias);
        }
        if self.numbers.len() >= usize::from(maximum.min(MAX_AUTOMATIC)) {
            return Aliased::Plain;
        }
        let alias = self.numbers.len() as u16 + 1;
        self.insert(topic, alias);
        Aliased::Introduced(alias)
    }
}
