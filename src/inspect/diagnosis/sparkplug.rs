//! Sparkplug nodes: lost messages, data without a birth, and deaths that do not belong to their birth.

use super::Kind;
use crate::inspect::sparkplug::{NodeView, new_payload};
use crate::inspect::{Direction, Name, Packet};
use crate::payload::sparkplug::{Anomaly, Message, MessageType, Sessions, Topic, content};
use crate::protocol::PacketType;
use foldhash::HashMap;
use std::rc::Rc;

/// The nodes, and the connections that carry their messages.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    sessions: Sessions,
    views: HashMap<u32, NodeView>,
}

/// A problem in the Sparkplug session of an edge node.
pub(super) struct NodeProblem {
    pub(super) kind: Kind,
    /// The topic filter for all messages of the node.
    pub(super) node: Rc<str>,
    /// The number of missing messages.
    pub(super) missing: u64,
    /// The node itself sent the packet.
    pub(super) is_publisher: bool,
}

impl Nodes {
    /// Takes a packet. `is_captured`: all packets of its client were captured.
    pub(super) fn packet(
        &mut self,
        packet: &Packet<'_>,
        kind: PacketType,
        server: Option<u16>,
        is_captured: bool,
    ) -> Vec<NodeProblem> {
        match kind {
            PacketType::Connect | PacketType::Subscribe | PacketType::Unsubscribe => {
                self.follow(packet, kind, server);
                Vec::new()
            }
            PacketType::Publish => self.publish(packet, server, is_captured).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    pub(super) fn lose(&mut self, connection: u32, direction: Direction) {
        if let Some(view) = self.views.get_mut(&connection) {
            view.lose(direction);
        }
    }

    pub(super) fn close(&mut self, connection: u32) {
        if self.views.remove(&connection).is_some() {
            self.sessions.close(connection);
        }
    }

    /// The number of nodes that were forgotten, because there were too many.
    pub(super) fn evicted(&self) -> u64 {
        self.sessions.evicted()
    }

    fn follow(&mut self, packet: &Packet<'_>, kind: PacketType, server: Option<u16>) {
        if let Some(view) = self.views.get_mut(&packet.connection) {
            view.follow(packet, kind);
            return;
        }
        let mut view = NodeView::default();
        if view.follow(packet, kind) {
            view.begin(packet, server);
            if kind == PacketType::Connect && view.is_of_node() {
                self.will(packet, &view);
            }
            self.views.insert(packet.connection, view);
        }
    }

    /// Takes the will of a node's CONNECT.
    fn will(&mut self, packet: &Packet<'_>, view: &NodeView) {
        let will = packet.tree.text(Name::WillTopic).zip(packet.tree.bytes(Name::WillPayload));
        let Some((topic, payload)) = will.filter(|_| packet.raw.missing.is_empty()) else { return };
        let Some(topic) = Topic::parse_live(topic) else { return };
        let content = content(payload);
        if let Ok(message) = Message::read(topic, MessageType::NodeDeath, &content) {
            self.sessions.connect(view.observer(packet, true, &topic), &message);
        }
    }

    fn publish(
        &mut self,
        packet: &Packet<'_>,
        server: Option<u16>,
        is_captured: bool,
    ) -> Option<Vec<NodeProblem>> {
        let topic = packet.topic().and_then(Topic::parse_live)?;
        let message_type = topic.message_type()?;
        let payload = new_payload(packet)?;
        let view = self.views.entry(packet.connection).or_insert_with(|| {
            let mut view = NodeView::default();
            view.begin(packet, server);
            view
        });
        let observer = view.observer(packet, is_captured, &topic);
        if observer.is_publisher && !message_type.is_command() {
            view.note_published();
        }
        let content = payload.map(content);
        let message = content.as_deref().map(|content| Message::read(topic, message_type, content));
        let Some(Ok(message)) = message else {
            self.sessions.lose(observer, &topic);
            return None;
        };
        let anomalies = self.sessions.observe(observer, packet.at.time, &message, packet.births)?;
        let problems = anomalies.iter().filter_map(|anomaly| {
            let (kind, missing) = kind(anomaly)?;
            let node = Rc::from(format!("spBv1.0/{}/+/{}/#", topic.group(), topic.node()));
            Some(NodeProblem { kind, node, missing, is_publisher: observer.is_publisher })
        });
        Some(problems.collect())
    }
}

/// The kind of problem, and the number of missing messages; `None` for anomalies that only the linter reports.
fn kind(anomaly: &Anomaly) -> Option<(Kind, u64)> {
    match anomaly {
        Anomaly::SeqGap { skipped, .. } => Some((Kind::SparkplugSequence, u64::from(*skipped))),
        Anomaly::SeqRepeated(_) | Anomaly::SeqLate { .. } | Anomaly::SeqBack { .. } => {
            Some((Kind::SparkplugSequence, 0))
        }
        Anomaly::BeforeNodeBirth(_)
        | Anomaly::AfterNodeDeath(_)
        | Anomaly::BeforeDeviceBirth(_)
        | Anomaly::AfterDeviceDeath(_)
        | Anomaly::AliasUnknown { .. }
        | Anomaly::MetricUnknown { .. }
        | Anomaly::RebirthIgnored(_) => Some((Kind::SparkplugBirth, 0)),
        Anomaly::DeathMismatch { .. } | Anomaly::WillMismatch { .. } => Some((Kind::SparkplugDeath, 0)),
        Anomaly::TwoPublishers(_) => Some((Kind::SparkplugPublishers, 0)),
        Anomaly::BirthNotSeen
        | Anomaly::DeathOfEarlier { .. }
        | Anomaly::TypeDiffers { .. }
        | Anomaly::AliasTaken { .. }
        | Anomaly::TemplateUnknown(_)
        | Anomaly::BdSeqRepeated(_) => None,
    }
}
