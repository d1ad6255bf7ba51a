//! The memory of Sparkplug sessions: births, deaths and sequence numbers of each node, as one observer sees them.
//!
//! It takes messages and time, and returns anomalies. A message that the observer may have missed is never one: after lost
//! bytes, on another connection, or before the first birth, a node's state is unknown. The numbers on a publisher's connection
//! are judged from a birth on, and not while several connections publish as the node: others may have carried the rest.

mod anomaly;
mod node;
mod sequence;
#[cfg(test)]
mod tests;

pub(crate) use anomaly::Anomaly;

use super::births::Births;
use super::bounded::Bounded;
use super::message::Message;
use super::topic::{MessageType, Topic};
use node::Node;
use std::collections::HashSet;

/// The most nodes to remember, and the most bytes of their states.
const MAX_NODES: usize = 10_000;
const MAX_BYTES: usize = 8 << 20;

/// The place at which a message was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observer {
    /// Distinguishes brokers: their nodes are different.
    pub(crate) broker: u64,
    /// Later connections have higher numbers.
    pub(crate) connection: u32,
    /// The node sent the message on this connection; otherwise the broker delivered it.
    pub(crate) is_publisher: bool,
    /// The connection was seen from its start, and it is the node's own.
    pub(crate) is_from_start: bool,
    /// The connection carries all messages of the node.
    pub(crate) is_complete: bool,
    /// The broker may deliver a message several times, once for each subscription.
    pub(crate) may_repeat: bool,
    /// The connection carries the births of the node or the device.
    pub(crate) has_births: bool,
    /// The number of times that messages of this direction may have been lost.
    pub(crate) losses: u32,
}

/// The states of all nodes, within limits.
#[derive(Debug)]
pub(crate) struct Sessions {
    nodes: Bounded<Node>,
    /// The open connections of subscribers by which nodes are observed.
    subscribers: HashSet<u32>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions { nodes: Bounded::new(MAX_NODES, MAX_BYTES), subscribers: HashSet::new() }
    }
}

impl Sessions {
    /// Takes the next message, with the births up to it. Time is in nanoseconds. Returns `None` for a message whose node is
    /// observed elsewhere, and for a copy.
    pub(crate) fn observe(
        &mut self,
        observer: Observer,
        time: Option<u64>,
        message: &Message<'_>,
        births: &Births,
    ) -> Option<Vec<Anomaly>> {
        let key = key(observer, &message.topic);
        if message.message_type.is_command() {
            self.command(&key, observer, time, message);
            return Some(Vec::new());
        }
        let node = self.nodes.take(&key);
        let is_judged = node.as_ref().is_none_or(|node| self.is_judged(node, observer));
        let mut node = node.unwrap_or_else(|| Node::new(observer));
        let anomalies = if is_judged { node.observe(observer, time, message, births) } else { None };
        if is_judged && !observer.is_publisher {
            self.subscribers.insert(observer.connection);
        }
        let size = node.size() + key.len();
        self.nodes.insert(&key, node, size);
        anomalies
    }

    /// Takes the will of the node's CONNECT.
    pub(crate) fn connect(&mut self, observer: Observer, will: &Message<'_>) -> Option<Anomaly> {
        let key = key(observer, &will.topic);
        let mut node = self.nodes.take(&key).unwrap_or_else(|| Node::new(observer));
        let anomaly = node.connect(observer, will.bd_seq());
        let size = node.size() + key.len();
        self.nodes.insert(&key, node, size);
        anomaly
    }

    /// A message of the node could not be read, so its state is unknown.
    pub(crate) fn lose(&mut self, observer: Observer, topic: &Topic<'_>) {
        let key = key(observer, topic);
        if let Some(mut node) = self.nodes.take(&key) {
            node.lose();
            let size = node.size() + key.len();
            self.nodes.insert(&key, node, size);
        }
    }

    /// The connection has ended, so another subscriber may observe its nodes.
    pub(crate) fn close(&mut self, connection: u32) {
        self.subscribers.remove(&connection);
    }

    /// The number of nodes that were forgotten to make room for others.
    pub(crate) fn evicted(&self) -> u64 {
        self.nodes.evicted
    }

    /// A node is judged by its own packets, or else by the messages to the first subscriber.
    fn is_judged(&self, node: &Node, observer: Observer) -> bool {
        let current = node.observer();
        observer.is_publisher
            || current.connection == observer.connection
            || (!current.is_publisher && !self.subscribers.contains(&current.connection))
    }

    /// Remembers a request for a rebirth that reached the node.
    fn command(&mut self, key: &str, observer: Observer, time: Option<u64>, message: &Message<'_>) {
        if message.message_type != MessageType::NodeCommand || !message.requests_rebirth() {
            return;
        }
        if let Some(mut node) = self.nodes.take(key) {
            if node.observer().connection == observer.connection {
                node.request_rebirth(time);
            }
            let size = node.size() + key.len();
            self.nodes.insert(key, node, size);
        }
    }
}

fn key(observer: Observer, topic: &Topic<'_>) -> String {
    format!("{:x}\0{}", observer.broker, topic.of_node().key())
}
