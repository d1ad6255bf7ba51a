//! The topics of a client's topic ids.

use super::MessageKind::{self, V12, V20};
use super::exchange::{is_rejection, message_id};
use super::field_value::PREDEFINED;
use crate::inspect::field::Tree;
use crate::inspect::{Direction, Name};
use crate::protocol::sn::v2::PacketType as P;
use crate::protocol::sn::{MessageType as M, PredefinedTopics};
use std::collections::HashMap;
use std::rc::Rc;

/// The most ids of a client that are remembered.
const MAX_IDS: usize = 1024;

/// The most bytes of names of a client that are remembered.
const MAX_BYTES: usize = 64 * 1024;

/// The most names that wait for an id.
const MAX_WAITING: usize = 64;

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

/// The request that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Register,
    Subscribe,
}

#[derive(Debug)]
struct Waiting {
    direction: Direction,
    step: Step,
    message_id: u16,
    name: Rc<str>,
}

/// The topic id, or the topic alias of version 2.0.
pub(super) fn topic_id(tree: &Tree<'_>) -> Option<u16> {
    tree.two_bytes(Name::TopicId).or_else(|| tree.two_bytes(Name::TopicAlias))
}

impl Topics {
    pub(super) fn clear(&mut self) {
        *self = Topics::default();
    }

    /// Whether a name has an id.
    pub(super) fn has_id(&self, name: &str) -> bool {
        self.known.values().any(|topic| !topic.is_rejected && &*topic.name == name)
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
    pub(super) fn observe(&mut self, kind: MessageKind, direction: Direction, tree: &Tree<'_>) {
        let id = topic_id(tree).unwrap_or_default();
        match kind {
            V12(M::Register) | V20(P::Register) => {
                let Some(name) = tree.text(Name::TopicName) else { return };
                // The gateway may use its id without waiting for the answer.
                if direction == Direction::ServerToClient {
                    self.learn(id, name.into());
                }
                self.wait(direction, Step::Register, message_id(tree), name.into());
            }
            V12(M::Subscribe) | V20(P::Subscribe) => {
                if let Some(name) = tree.text(Name::TopicFilter) {
                    self.wait(direction, Step::Subscribe, message_id(tree), name.into());
                }
            }
            V12(M::Regack | M::Suback) | V20(P::Regack | P::Suback) => {
                let is_register = matches!(kind, V12(M::Regack) | V20(P::Regack));
                let step = if is_register { Step::Register } else { Step::Subscribe };
                let is_accepted = !is_rejection(tree);
                // Version 2.0 has the predefined alias of a topic in the same place.
                let is_own = tree.number(Name::TopicType) != Some(PREDEFINED);
                match self.answered(direction, step, message_id(tree)) {
                    Some(name) if is_accepted && is_own && id != 0 => self.learn(id, name),
                    _ if is_accepted || direction == Direction::ServerToClient => {}
                    _ => self.reject(id),
                }
            }
            _ => {}
        }
    }

    /// The topic of a message's id.
    pub(super) fn resolve(
        &self,
        tree: &Tree<'_>,
        client_id: Option<&str>,
        predefined: &PredefinedTopics,
    ) -> Option<Rc<str>> {
        let id = topic_id(tree)?;
        let id_type = tree.number(Name::TopicIdType).or_else(|| tree.number(Name::TopicType));
        if id_type != Some(PREDEFINED) {
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

    fn wait(&mut self, direction: Direction, step: Step, message_id: u16, name: Rc<str>) {
        self.waiting.retain(|waiting| !waiting.is(direction, step, message_id));
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.remove(0);
            self.misses_some = true;
        }
        self.waiting.push(Waiting { direction, step, message_id, name });
    }

    fn answered(&mut self, direction: Direction, step: Step, message_id: u16) -> Option<Rc<str>> {
        let is_it = |waiting: &Waiting| waiting.is(direction.reverse(), step, message_id);
        let position = self.waiting.iter().position(is_it)?;
        Some(self.waiting.remove(position).name)
    }
}

impl Waiting {
    fn is(&self, direction: Direction, step: Step, message_id: u16) -> bool {
        (self.direction, self.step, self.message_id) == (direction, step, message_id)
    }
}
