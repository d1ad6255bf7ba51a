//! The topic ids that a client knows: those of REGISTER and SUBACK, the predefined one, and short names.

use crate::protocol::sn::{ShortName, TopicId};
use std::collections::HashMap;

/// The maximum of bytes in topic names that the gateway registers.
const MOST_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Topics {
    predefined: Vec<(u16, String)>,
    names: HashMap<u16, String>,
    ids: HashMap<String, u16>,
    bytes: usize,
}

impl Topics {
    pub(super) fn new(predefined: Vec<(u16, String)>) -> Topics {
        Topics { predefined, names: HashMap::new(), ids: HashMap::new(), bytes: 0 }
    }

    /// The id of a topic, unless it has to be registered.
    pub(super) fn id(&self, topic: &str) -> Option<TopicId> {
        if let Some(id) = self.predefined_id(topic) {
            return Some(TopicId::Predefined(id));
        }
        let short = ShortName::new(topic).map(TopicId::Short);
        short.or_else(|| self.ids.get(topic).copied().map(TopicId::Normal))
    }

    /// The predefined id of a topic or filter.
    pub(super) fn predefined_id(&self, topic: &str) -> Option<u16> {
        self.predefined.iter().find(|(_, name)| name == topic).map(|(id, _)| *id)
    }

    /// The topic of a received message.
    pub(super) fn name<'t>(&'t self, id: &'t TopicId) -> Option<&'t str> {
        match id {
            TopicId::Normal(id) => self.names.get(id).map(String::as_str),
            TopicId::Predefined(id) => {
                self.predefined.iter().find(|(own, _)| own == id).map(|(_, name)| name.as_str())
            }
            TopicId::Short(name) => name.as_str(),
        }
    }

    /// Adds an id. Returns whether there was room.
    pub(super) fn add(&mut self, id: u16, topic: &str) -> bool {
        if self.bytes + topic.len() > MOST_BYTES {
            return false;
        }
        self.bytes += topic.len();
        if let Some(old) = self.names.insert(id, topic.to_owned()) {
            self.bytes = self.bytes.saturating_sub(old.len());
            self.ids.remove(&old);
        }
        self.ids.insert(topic.to_owned(), id);
        true
    }

    /// The topic of an id in a PUBACK, which does not have the kind of the id.
    pub(super) fn sent(&self, id: u16) -> String {
        let ids = [TopicId::Predefined(id), TopicId::Normal(id)];
        let known = ids.iter().find_map(|id| self.name(id)).map(str::to_owned);
        known.or_else(|| str::from_utf8(&id.to_be_bytes()).ok().map(str::to_owned)).unwrap_or_default()
    }

    /// The gateway does not know this registered id. Returns whether the client knew it.
    pub(super) fn forget_id(&mut self, id: u16) -> bool {
        let Some(topic) = self.names.get(&id).cloned() else { return false };
        self.forget(&topic);
        true
    }

    /// The gateway does not know the id of this topic.
    pub(super) fn forget(&mut self, topic: &str) {
        if let Some(id) = self.ids.remove(topic)
            && let Some(name) = self.names.remove(&id)
        {
            self.bytes = self.bytes.saturating_sub(name.len());
        }
    }
}
