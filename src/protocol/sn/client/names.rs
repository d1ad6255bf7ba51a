//! The names of topic ids and topic aliases that a client knows, in either version: predefined ones, and those that the gateway
//! assigned.

use std::collections::HashMap;

/// The maximum of bytes in topic names that the gateway registers.
const MAX_BYTES: usize = 16 << 20;

/// The names of topics by their ids, which MQTT-SN 2.0 calls aliases. `topics` and `v2::aliases` have the lookups of each version.
#[derive(Debug)]
pub(super) struct Names {
    predefined: Vec<(u16, String)>,
    assigned: HashMap<u16, String>,
    ids: HashMap<String, u16>,
    /// The bytes of the names that the gateway registered.
    bytes: usize,
}

impl Names {
    pub(super) fn new(predefined: Vec<(u16, String)>) -> Names {
        Names { predefined, assigned: HashMap::new(), ids: HashMap::new(), bytes: 0 }
    }

    /// The predefined id of a topic or filter.
    pub(super) fn predefined_id(&self, topic: &str) -> Option<u16> {
        self.predefined.iter().find(|(_, name)| name == topic).map(|(id, _)| *id)
    }

    /// The id that the gateway assigned to a topic.
    pub(super) fn assigned_id(&self, topic: &str) -> Option<u16> {
        self.ids.get(topic).copied()
    }

    /// The topic of a predefined id.
    pub(super) fn of_predefined(&self, id: u16) -> Option<&str> {
        self.predefined.iter().find(|(own, _)| *own == id).map(|(_, name)| name.as_str())
    }

    /// The topic of an assigned id.
    pub(super) fn of_assigned(&self, id: u16) -> Option<&str> {
        self.assigned.get(&id).map(String::as_str)
    }

    /// Adds an assigned id. Returns whether there was room.
    pub(super) fn add(&mut self, id: u16, topic: &str) -> bool {
        if !self.has_room(topic) {
            return false;
        }
        self.bytes += topic.len();
        if let Some(old) = self.assigned.insert(id, topic.to_owned()) {
            self.bytes = self.bytes.saturating_sub(old.len());
            self.ids.remove(&old);
        }
        self.ids.insert(topic.to_owned(), id);
        true
    }

    /// Adds a predefined id. Returns whether there was room.
    pub(super) fn add_predefined(&mut self, id: u16, topic: &str) -> bool {
        let has_room = self.has_room(topic);
        if has_room {
            self.bytes += topic.len();
            self.predefined.push((id, topic.to_owned()));
        }
        has_room
    }

    fn has_room(&self, topic: &str) -> bool {
        self.bytes + topic.len() <= MAX_BYTES
    }

    /// The gateway does not know the assigned id of this topic. Returns whether there was one.
    pub(super) fn forget(&mut self, topic: &str) -> bool {
        let Some(id) = self.ids.remove(topic) else { return false };
        if let Some(name) = self.assigned.remove(&id) {
            self.bytes = self.bytes.saturating_sub(name.len());
        }
        true
    }
}
