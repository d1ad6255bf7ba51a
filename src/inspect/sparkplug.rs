//! A connection as an observer of Sparkplug nodes: whose messages it carries, and which of them may be missing.

use super::inspector::whole_payload;
use super::{Direction, Name, Packet, Value};
use crate::payload::sparkplug::{Delivery, MessageType, Observer, Subscriptions, Topic, has_whole_sessions};
use crate::protocol::PacketType;
use crate::protocol::topic::split_share;
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(Debug, Default)]
pub(super) struct NodeView {
    /// Identifies the broker.
    broker: u64,
    /// The number of times that packets of each direction were lost.
    losses: [u32; 2],
    /// Group and name of the node whose death is the will.
    own: Option<(String, String)>,
    /// The client's subscriptions that may match nodes.
    subscriptions: Subscriptions,
    has_published: bool,
}

impl NodeView {
    pub(super) fn set_server(&mut self, server: impl Hash) {
        let mut hasher = DefaultHasher::new();
        server.hash(&mut hasher);
        self.broker = hasher.finish();
    }

    /// Packets of this direction were lost.
    pub(super) fn lose(&mut self, direction: Direction) {
        if let Some(losses) = self.losses.get_mut(direction as usize) {
            *losses = losses.wrapping_add(1);
        }
    }

    /// Takes the server's address and the connection's CONNECT.
    pub(super) fn begin(&mut self, packet: &Packet<'_>, server: impl Hash) {
        self.set_server(server);
        let connect = packet.tracker.negotiation.connect.as_ref();
        if connect.is_some_and(|connect| !connect.clean_start) {
            self.subscriptions.set_others();
        }
    }

    /// Takes a CONNECT, SUBSCRIBE or UNSUBSCRIBE. Returns whether it concerns nodes.
    pub(super) fn follow(&mut self, packet: &Packet<'_>, kind: PacketType) -> bool {
        match kind {
            PacketType::Connect => {
                let will = packet.tree.text(Name::WillTopic).and_then(Topic::parse_live);
                let own = will.filter(|topic| topic.message_type() == Some(MessageType::NodeDeath));
                if !packet.tree.is_set(Name::CleanStart) {
                    self.subscriptions.set_others();
                }
                self.own = own.map(|topic| (topic.group().to_owned(), topic.node().to_owned()));
                self.own.is_some()
            }
            PacketType::Subscribe => {
                let filters = texts(packet, Name::TopicFilter).filter(|filter| may_match_nodes(filter));
                filters.map(|filter| self.subscriptions.add(filter)).count() > 0
            }
            PacketType::Unsubscribe => {
                let removed: Vec<_> = texts(packet, Name::FilterToRemove)
                    .filter(|filter| self.subscriptions.remove(filter))
                    .collect();
                // Messages until another subscription are not delivered.
                if removed.iter().any(|filter| has_whole_sessions(filter)) {
                    self.lose(Direction::ServerToClient);
                }
                !removed.is_empty()
            }
            _ => false,
        }
    }

    /// The connection as the observer of a message. `is_captured`: all its packets were captured.
    pub(super) fn observer(&self, packet: &Packet<'_>, is_captured: bool, topic: &Topic<'_>) -> Observer {
        let is_publisher = packet.direction == Direction::ClientToServer;
        let delivery = if is_publisher {
            Delivery { is_complete: true, may_repeat: false, has_births: true }
        } else {
            self.subscriptions.delivery(topic)
        };
        Observer {
            broker: self.broker,
            connection: packet.connection,
            is_publisher,
            is_from_start: is_publisher && is_captured && self.is_own(topic) && !self.has_published,
            is_complete: delivery.is_complete,
            may_repeat: delivery.may_repeat,
            has_births: delivery.has_births,
            losses: self.losses.get(packet.direction as usize).copied().unwrap_or_default(),
        }
    }

    /// Whether the connection is the node's own.
    pub(super) fn is_own(&self, topic: &Topic<'_>) -> bool {
        self.own.as_ref().is_some_and(|(group, node)| group == topic.group() && node == topic.node())
    }

    /// Whether the connection is a node's own.
    pub(super) fn is_of_node(&self) -> bool {
        self.own.is_some()
    }

    /// The topic of the commands to the connection's node.
    pub(super) fn command_topic(&self) -> Option<String> {
        self.own.as_ref().map(|(group, node)| format!("spBv1.0/{group}/NCMD/{node}"))
    }

    /// The client has published a message of a node.
    pub(super) fn note_published(&mut self) {
        self.has_published = true;
    }
}

fn texts<'p>(packet: &'p Packet<'_>, name: Name) -> impl Iterator<Item = &'p str> {
    packet.tree.all(name).filter_map(|field| match field.value {
        Value::Text(text) => Some(text),
        _ => None,
    })
}

/// Whether a subscription to this filter may deliver messages of nodes.
fn may_match_nodes(filter: &str) -> bool {
    let filter = split_share(filter).ok().flatten().map_or(filter, |(_, filter)| filter);
    matches!(filter.split('/').next(), Some("spBv1.0" | "+" | "#"))
}

/// The payload of a message that is new: neither sent again, nor retained from an unknown time, nor the deletion of a retained
/// message. The inner option is `None` if a part is missing.
pub(super) fn new_payload<'a>(packet: &Packet<'a>) -> Option<Option<&'a [u8]>> {
    let is_retained = packet.tree.is_set(Name::Retain);
    let payload = whole_payload(packet.raw, packet.tree);
    let is_deletion = is_retained && payload.is_none_or(<[u8]>::is_empty);
    let is_old = is_retained && packet.direction == Direction::ServerToClient;
    (!packet.tree.is_set(Name::Dup) && !is_deletion && !is_old).then_some(payload)
}
