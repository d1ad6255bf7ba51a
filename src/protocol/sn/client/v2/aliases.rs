//! The topic aliases that a client knows: those that the gateway assigned for the session, and predefined ones.

use crate::protocol::sn::v2::{Topic, TopicAlias};
use std::collections::HashMap;

/// The maximum of bytes in topic names that the gateway registers.
const MOST_BYTES: usize = 16 << 20;

/// The topics of the predefined aliases and of those of the session.
#[derive(Debug)]
pub(super) struct Aliases {
    predefined: Vec<(u16, String)>,
    names: HashMap<u16, String>,
    aliases: HashMap<String, u16>,
    bytes: usize,
}

impl Aliases {
    pub(super) fn new(predefined: Vec<(u16, String)>) -> Aliases {
        Aliases { predefined, names: HashMap::new(), aliases: HashMap::new(), bytes: 0 }
    }

    /// The alias of a topic, unless it has to be registered. A topic with an alias must be sent as the alias [MQTT-SN-4.7.2-1].
    pub(super) fn alias(&self, topic: &str) -> Option<TopicAlias> {
        let predefined = self.predefined_alias(topic).map(TopicAlias::Predefined);
        predefined.or_else(|| self.aliases.get(topic).copied().map(TopicAlias::Session))
    }

    /// The predefined alias of a topic or filter.
    pub(super) fn predefined_alias(&self, topic: &str) -> Option<u16> {
        self.predefined.iter().find(|(_, name)| name == topic).map(|(alias, _)| *alias)
    }

    /// The topic or filter without a session, for CONNECT, SUBSCRIBE and PUBWOS.
    pub(super) fn lasting<'t>(&self, topic: &'t str) -> Topic<'t> {
        let predefined = self.predefined_alias(topic);
        predefined.map_or(Topic::Name(topic), |alias| Topic::Alias(TopicAlias::Predefined(alias)))
    }

    /// The name of a received topic.
    pub(super) fn name<'t>(&'t self, topic: &'t Topic<'t>) -> Option<&'t str> {
        match topic {
            Topic::Name(name) => Some(name),
            Topic::Alias(TopicAlias::Session(alias)) => self.names.get(alias).map(String::as_str),
            Topic::Alias(TopicAlias::Predefined(alias)) => {
                self.predefined.iter().find(|(own, _)| own == alias).map(|(_, name)| name.as_str())
            }
        }
    }

    /// Adds an alias. Returns whether there was room.
    pub(super) fn add(&mut self, alias: TopicAlias, topic: &str) -> bool {
        if self.bytes + topic.len() > MOST_BYTES {
            return false;
        }
        self.bytes += topic.len();
        match alias {
            TopicAlias::Predefined(alias) => self.predefined.push((alias, topic.to_owned())),
            TopicAlias::Session(alias) => {
                if let Some(old) = self.names.insert(alias, topic.to_owned()) {
                    self.bytes = self.bytes.saturating_sub(old.len());
                    self.aliases.remove(&old);
                }
                self.aliases.insert(topic.to_owned(), alias);
            }
        }
        true
    }

    /// The gateway does not know the session's alias of this topic. Returns whether there was one.
    pub(super) fn forget(&mut self, topic: &str) -> bool {
        let Some(alias) = self.aliases.remove(topic) else { return false };
        if let Some(name) = self.names.remove(&alias) {
            self.bytes = self.bytes.saturating_sub(name.len());
        }
        true
    }
}
