//! The topic ids of a client: normal ids, which REGISTER and SUBSCRIBE assign in both directions, predefined ids and short names.

use crate::protocol::TopicName;
use crate::protocol::sn::{PredefinedTopics, ShortName, TopicId};
use std::collections::HashMap;

/// Above this number of topics, names are found by a map. Most clients have fewer, and need no memory for one.
const SEARCHED: usize = 16;

/// The maximum of bytes in the topic names of a client.
const MAX_BYTES: usize = 256 * 1024;

/// The normal topic ids of a client, from 1 on.
#[derive(Debug, Default)]
pub(super) struct Topics {
    entries: Vec<Entry>,
    bytes: usize,
    ids: HashMap<Box<str>, u16>,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    /// The client knows the id.
    is_known: bool,
    /// The predefined id that the client has subscribed to.
    is_predefined: bool,
}

/// The id for a message to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assigned {
    /// The client knows it.
    Known(TopicId),
    /// It must be registered first.
    Unknown(u16),
}

impl Topics {
    pub(super) fn clear(&mut self) {
        *self = Topics::default();
    }

    /// The name of a normal id.
    pub(super) fn name(&self, id: u16) -> Option<&str> {
        let index = usize::from(id).checked_sub(1)?;
        self.entries.get(index).map(|entry| &*entry.name)
    }

    /// The id of a name that the client has registered or subscribed to; a new one if there is room.
    pub(super) fn assign(&mut self, name: &str, maximum: usize) -> Option<u16> {
        let id = self.find_or_add(name, maximum)?;
        self.note_known(id);
        Some(id)
    }

    /// The client knows the id.
    pub(super) fn note_known(&mut self, id: u16) {
        if let Some(entry) = self.entry_mut(id) {
            entry.is_known = true;
        }
    }

    /// The client does not know the id, which must be registered again.
    pub(super) fn note_unknown(&mut self, id: u16) {
        if let Some(entry) = self.entry_mut(id) {
            entry.is_known = false;
        }
    }

    /// The client may have forgotten the ids, so each is registered before its next message.
    pub(super) fn note_all_unknown(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.is_known = false);
    }

    /// The client has subscribed to the predefined id of this topic, so messages carry it. It takes no part in the limit of
    /// topics if the topic has no id otherwise.
    pub(super) fn prefer_predefined(&mut self, name: &str, maximum: usize) {
        if let Some(id) = self.find_or_add(name, maximum)
            && let Some(entry) = self.entry_mut(id)
        {
            entry.is_predefined = true;
        }
    }

    /// The id for a message to the client; `None` if there is no room for a new one.
    pub(super) fn for_message(
        &mut self,
        name: &str,
        client_id: &str,
        predefined: &PredefinedTopics,
        maximum: usize,
    ) -> Option<Assigned> {
        let known = self.known(name, client_id, predefined);
        if let Some(topic_id) = known.or_else(|| ShortName::new(name).map(TopicId::Short)) {
            return Some(Assigned::Known(topic_id));
        }
        self.find_or_add(name, maximum).map(Assigned::Unknown)
    }

    /// The topic alias for a message to a client of MQTT-SN 2.0, which has no short topic names.
    pub(super) fn alias_for_message(
        &mut self,
        name: &str,
        client_id: &str,
        predefined: &PredefinedTopics,
        maximum: usize,
    ) -> Option<Assigned> {
        if let Some(topic_id) = self.known(name, client_id, predefined) {
            return Some(Assigned::Known(topic_id));
        }
        self.find_or_add(name, maximum).map(Assigned::Unknown)
    }

    fn find_or_add(&mut self, name: &str, maximum: usize) -> Option<u16> {
        self.find(name).or_else(|| self.add(name, maximum))
    }

    /// The id that the client knows.
    fn known(&self, name: &str, client_id: &str, predefined: &PredefinedTopics) -> Option<TopicId> {
        let id = self.find(name)?;
        let entry = self.entries.get(usize::from(id) - 1)?;
        if entry.is_known {
            return Some(TopicId::Normal(id));
        }
        let predefined_id = predefined.id(client_id, name).filter(|_| entry.is_predefined);
        predefined_id.map(TopicId::Predefined)
    }

    fn entry_mut(&mut self, id: u16) -> Option<&mut Entry> {
        self.entries.get_mut(usize::from(id).checked_sub(1)?)
    }

    fn find(&self, name: &str) -> Option<u16> {
        if self.entries.len() > SEARCHED {
            return self.ids.get(name).copied();
        }
        let index = self.entries.iter().position(|entry| &*entry.name == name)?;
        u16::try_from(index + 1).ok()
    }

    fn add(&mut self, name: &str, maximum: usize) -> Option<u16> {
        // 0xFFFF is reserved (MQTT-SN 1.2, section 5.3.11).
        let id = u16::try_from(self.entries.len() + 1).ok().filter(|id| *id < u16::MAX)?;
        if self.entries.len() >= maximum || self.bytes + name.len() > MAX_BYTES {
            return None;
        }
        self.bytes += name.len();
        self.entries.push(Entry { name: name.into(), is_known: false, is_predefined: false });
        if self.entries.len() > SEARCHED {
            let missing = self.entries.iter().zip(1..).skip(self.ids.len());
            self.ids.extend(missing.map(|(entry, id)| (entry.name.clone(), id)));
        }
        Some(id)
    }
}

/// The topic of a PUBLISH from the client.
pub(super) fn resolve<'t>(
    topic: &'t TopicId,
    topics: &'t Topics,
    client_id: &str,
    predefined: &'t PredefinedTopics,
) -> Option<&'t str> {
    match topic {
        TopicId::Normal(id) => topics.name(*id),
        TopicId::Predefined(id) => predefined.topic(client_id, *id),
        TopicId::Short(name) => short_topic(name),
    }
}

/// A short name as a topic to publish to.
pub(crate) fn short_topic(name: &ShortName) -> Option<&str> {
    name.as_str().filter(|name| TopicName::parse(name).is_ok())
}
