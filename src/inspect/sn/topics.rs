//! The topics of a client's topic ids.

use super::exchange::message_id;
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::sn::{MessageType, PredefinedTopics};
use std::collections::HashMap;
use std::rc::Rc;

/// The most ids of a client that are remembered.
const MAX_IDS: usize = 1024;

/// The most bytes of names of a client that are remembered.
const MAX_BYTES: usize = 64 * 1024;

/// The most names that wait for an id.
const MAX_WAITING: usize = 64;

/// The topic id type of predefined ids.
const PREDEFINED: u32 = 1;

/// The code of an accepting answer.
const ACCEPTED: u32 = 0;

/// The topics of one client.
#[derive(Debug, Default)]
pub(super) struct Topics {
    known: HashMap<u16, Topic>,
    /// The bytes of their names.
    bytes: usize,
    /// Names in REGISTER and SUBSCRIBE without an answer yet.
    waiting: Vec<Waiting>,
    /// Some ids were not remembered.
    pub(super) misses_some: bool,
}

#[derive(Debug)]
struct Topic {
    name: Rc<str>,
    is_rejected: bool,
}

#[derive(Debug)]
struct Waiting {
    direction: Direction,
    answer: MessageType,
    message_id: u16,
    name: Rc<str>,
}

impl Topics {
    pub(super) fn clear(&mut self) {
        *self = Topics::default();
    }

    /// Whether an id is known, and was not rejected.
    pub(super) fn is_known(&self, id: u16) -> bool {
        self.known.get(&id).is_some_and(|topic| !topic.is_rejected)
    }

    /// Whether the registration of an id was rejected.
    pub(super) fn is_rejected(&self, id: u16) -> bool {
        self.known.get(&id).is_some_and(|topic| topic.is_rejected)
    }

    /// Learns from a message.
    pub(super) fn observe(&mut self, message_type: MessageType, direction: Direction, tree: &Tree<'_>) {
        let id = tree.two_bytes(Name::TopicId).unwrap_or_default();
        match message_type {
            MessageType::Register => {
                let Some(name) = tree.text(Name::TopicName) else { return };
                // The gateway may use its id without waiting for the answer.
                if direction == Direction::ServerToClient {
                    self.learn(id, name.into());
                }
                self.wait(direction, MessageType::Regack, message_id(tree), name.into());
            }
            MessageType::Subscribe => {
                if let Some(name) = tree.text(Name::TopicFilter) {
                    self.wait(direction, MessageType::Suback, message_id(tree), name.into());
                }
            }
            MessageType::Regack | MessageType::Suback => {
                let is_accepted = tree.number(Name::ReturnCode) == Some(ACCEPTED);
                match self.answered(direction, message_type, message_id(tree)) {
                    Some(name) if is_accepted && id != 0 => self.learn(id, name),
                    _ if is_accepted || direction == Direction::ServerToClient => {}
                    _ => self.reject(id),
                }
            }
            _ => {}
        }
    }

    /// The topic that a message's id stands for.
    pub(super) fn resolve(
        &self,
        tree: &Tree<'_>,
        client_id: Option<&str>,
        predefined: &PredefinedTopics,
    ) -> Option<Rc<str>> {
        let id = tree.two_bytes(Name::TopicId)?;
        if tree.number(Name::TopicIdType) != Some(PREDEFINED) {
            return self.known.get(&id).map(|topic| topic.name.clone());
        }
        let topic = match client_id {
            Some(client_id) => predefined.topic(client_id, id),
            None => predefined.topic_of_all(id),
        };
        topic.map(Rc::from)
    }

    fn learn(&mut self, id: u16, name: Rc<str>) {
        let has_room = self.known.len() < MAX_IDS && self.bytes + name.len() <= MAX_BYTES;
        if !has_room {
            self.misses_some = true;
            return;
        }
        self.bytes += name.len();
        let replaced = self.known.insert(id, Topic { name, is_rejected: false });
        self.bytes -= replaced.map_or(0, |topic| topic.name.len());
    }

    fn reject(&mut self, id: u16) {
        if let Some(topic) = self.known.get_mut(&id) {
            topic.is_rejected = true;
        }
    }

    fn wait(&mut self, direction: Direction, answer: MessageType, message_id: u16, name: Rc<str>) {
        self.waiting.retain(|waiting| !waiting.is(direction, answer, message_id));
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.remove(0);
            self.misses_some = true;
        }
        self.waiting.push(Waiting { direction, answer, message_id, name });
    }

    fn answered(&mut self, direction: Direction, answer: MessageType, message_id: u16) -> Option<Rc<str>> {
        let is_it = |waiting: &Waiting| waiting.is(direction.reverse(), answer, message_id);
        let position = self.waiting.iter().position(is_it)?;
        Some(self.waiting.remove(position).name)
    }
}

impl Waiting {
    fn is(&self, direction: Direction, answer: MessageType, message_id: u16) -> bool {
        (self.direction, self.answer, self.message_id) == (direction, answer, message_id)
    }
}
