//! The topics of a broker in memory: a tree of levels with counts and rates, the last message of each topic, and the history of
//! the topics that are looked at. It owns no terminal and reads no clock.
//!
//! Memory is bounded: beyond the limits, messages to further topics and further payloads are counted and left out.

mod filter;
mod forget;
mod history;
mod natural;
mod outline;
mod rate;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use crate::protocol::Publish;
pub(crate) use filter::Filter;
pub(crate) use history::{Entry, History};
use jiff::Timestamp;
pub(crate) use outline::{Outline, Row, SortKey};
use rate::Rate;
use std::collections::HashMap;
use tree::NODE_BYTES;
pub(crate) use tree::{NodeId, Tree};
pub(crate) use value::Value;

/// The most topics with a history. The one looked at least recently is dropped first.
const MAX_HISTORIES: usize = 16;

/// The bounds of the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) topics: usize,
    /// Bytes of names, payloads and their metadata.
    pub(crate) bytes: usize,
}

/// The messages that the limits left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Messages to topics that are not in the tree.
    pub(crate) messages: u64,
    /// Messages that were counted, but whose payload was not kept.
    pub(crate) payloads: u64,
}

/// The state of a node: of its topic, and of those below it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeState {
    pub(crate) messages: u64,
    /// The sizes of the last payloads.
    pub(crate) size: u64,
    /// The time of the last message, in milliseconds.
    pub(crate) last: u64,
    rate: Rate,
    /// The topics, itself included.
    pub(crate) topics: u32,
    value: Option<ValueIndex>,
    /// The subscription during which the topic's last message arrived, counted by [`Model::subscribed`].
    subscription: u16,
    /// The topic's last message was published when it arrived, not before.
    pub(crate) is_live: bool,
    /// The broker has a retained message of this topic, as far as is known.
    pub(crate) is_retained: bool,
    has_history: bool,
}

/// An index into the values, from 1, so that an absent one takes no room.
type ValueIndex = std::num::NonZeroU32;

/// All topics.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    limits: Limits,
    tree: Tree,
    states: Vec<NodeState>,
    values: Vec<Value>,
    /// The places of values that were removed.
    free: Vec<ValueIndex>,
    histories: HashMap<NodeId, History>,
    bytes: usize,
    left_out: LeftOut,
    latest: Option<NodeId>,
    /// The nodes that became a topic after they were the start of others.
    promoted: u32,
    looks: u64,
    subscription: u16,
}

impl Model {
    pub(crate) fn new(limits: Limits) -> Model {
        Model {
            limits,
            tree: Tree::new(),
            states: vec![NodeState::default()],
            values: Vec::new(),
            free: Vec::new(),
            histories: HashMap::new(),
            bytes: 0,
            left_out: LeftOut::default(),
            latest: None,
            promoted: 0,
            looks: 0,
            subscription: 1,
        }
    }

    /// A subscription begins. The broker sends its retained messages, whose time of publication is unknown.
    pub(crate) fn subscribed(&mut self) {
        self.subscription = self.subscription.wrapping_add(1);
    }

    /// Takes a message that arrived at `time`, which is `now` in milliseconds since the start.
    pub(crate) fn receive(&mut self, publish: &Publish<'_>, time: Timestamp, now: u64) {
        let Some(id) = self.node_for(publish) else {
            self.left_out.messages += 1;
            return;
        };
        let size = publish.payload.len() as u64;
        let old_size =
            self.state(id).value.and_then(|index| self.values.get(position(index))).map(|old| old.size);
        let is_new = self.state(id).value.is_none();
        self.keep(id, publish, time);
        // Live messages have the flag as well, as the client asks for it.
        let is_live = !publish.retain || self.state(id).subscription == self.subscription;
        if let Some(state) = self.states.get_mut(id.index()) {
            (state.subscription, state.is_live) = (self.subscription, is_live);
            state.is_retained =
                if publish.payload.is_empty() { false } else { state.is_retained || publish.retain };
            if state.has_history
                && let Some(history) = self.histories.get_mut(&id)
            {
                history.add(publish, time, now);
            }
        }
        let mut next = Some(id);
        while let Some(id) = next {
            if let Some(state) = self.states.get_mut(id.index()) {
                let last = (state.messages > 0).then_some(state.last);
                state.rate.count(last, now, is_live);
                state.messages += 1;
                state.last = now;
                state.size = (state.size + size).saturating_sub(old_size.unwrap_or_default().into());
                state.topics += u32::from(is_new);
            }
            next = self.tree.parent(id);
        }
        self.latest = Some(id);
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The state of a node; of all topics for the root.
    pub(crate) fn state(&self, id: NodeId) -> NodeState {
        self.states.get(id.index()).copied().unwrap_or_default()
    }

    /// Messages per second to the node's topic and those below it.
    pub(crate) fn rate(&self, id: NodeId, now: u64) -> f32 {
        let state = self.state(id);
        if state.messages == 0 { 0.0 } else { state.rate.at(state.last, now) }
    }

    /// The last message of the node's topic; `None` if it is only the start of others.
    pub(crate) fn value(&self, id: NodeId) -> Option<&Value> {
        self.values.get(position(self.state(id).value?))
    }

    pub(crate) fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// The number of nodes that became a topic after they were the start of others.
    pub(crate) fn promoted(&self) -> u32 {
        self.promoted
    }

    /// The topic of the last message.
    pub(crate) fn latest(&self) -> Option<NodeId> {
        self.latest
    }

    /// The bytes in use, as the limit counts them.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps the messages of a topic from now on, its last one included. Returns whether they were not kept before.
    pub(crate) fn look_at(&mut self, id: NodeId) -> bool {
        let Some(value) = self.value(id).cloned() else { return false };
        self.looks += 1;
        let looks = self.looks;
        if let Some(history) = self.histories.get_mut(&id) {
            history.looked_at = looks;
            return false;
        }
        let mut history = History::new(looks);
        history.begin(value, self.state(id).last);
        if self.histories.len() >= MAX_HISTORIES {
            let oldest =
                self.histories.iter().min_by_key(|(_, history)| history.looked_at).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.histories.remove(&oldest);
                if let Some(state) = self.states.get_mut(oldest.index()) {
                    state.has_history = false;
                }
            }
        }
        self.histories.insert(id, history);
        if let Some(state) = self.states.get_mut(id.index()) {
            state.has_history = true;
        }
        true
    }

    pub(crate) fn history(&self, id: NodeId) -> Option<&History> {
        self.histories.get(&id)
    }

    /// The topics at a node and below it whose message the broker has retained, as far as is known.
    pub(crate) fn retained_below(&self, id: NodeId) -> Vec<String> {
        let retained = self.states.iter().enumerate().filter(|(_, state)| state.is_retained);
        let ids = retained.filter_map(|(index, _)| self.tree.id(index));
        ids.filter(|found| self.tree.is_below(*found, id)).map(|id| self.tree.path(id)).collect()
    }

    /// The node of the message's topic, which is added if there is room.
    fn node_for(&mut self, publish: &Publish<'_>) -> Option<NodeId> {
        match self.tree.find(publish.topic) {
            Some(id) if self.state(id).value.is_some() => Some(id),
            _ => {
                let topics = self.state(NodeId::ROOT).topics as usize;
                let cost = self.tree.cost(publish.topic) + value::memory_of(publish);
                if topics >= self.limits.topics || self.bytes.saturating_add(cost) > self.limits.bytes {
                    return None;
                }
                let names = self.tree.names_length();
                let (id, added) = self.tree.insert(publish.topic)?;
                self.promoted += u32::from(added == 0);
                self.bytes += added * NODE_BYTES + self.tree.names_length() - names;
                self.states.resize(self.tree.len(), NodeState::default());
                Some(id)
            }
        }
    }

    /// Keeps the message as the topic's last one.
    fn keep(&mut self, id: NodeId, publish: &Publish<'_>, time: Timestamp) {
        let memory = value::memory_of(publish);
        let Some(index) = self.state(id).value else {
            self.bytes += memory;
            let index = self.place(Value::new(publish, time));
            if let Some(state) = self.states.get_mut(id.index()) {
                state.value = index;
            }
            return;
        };
        let Some(value) = self.values.get_mut(position(index)) else { return };
        let old = value.memory();
        if memory > old && self.bytes + memory - old > self.limits.bytes {
            self.left_out.payloads += 1;
            value.replace_without_payload(publish, time);
        } else {
            value.replace(publish, time);
        }
        self.bytes = self.bytes + value.memory() - old;
    }

    /// Puts a value into a free place, or a new one.
    fn place(&mut self, value: Value) -> Option<ValueIndex> {
        if let Some(index) = self.free.pop()
            && let Some(place) = self.values.get_mut(position(index))
        {
            *place = value;
            return Some(index);
        }
        self.values.push(value);
        u32::try_from(self.values.len()).ok().and_then(ValueIndex::new)
    }
}

/// The position of a value.
fn position(index: ValueIndex) -> usize {
    index.get() as usize - 1
}
