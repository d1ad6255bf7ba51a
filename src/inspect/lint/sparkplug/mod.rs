//! Rules of Sparkplug 3.0: topics, payloads, QoS and RETAIN of its messages, wills, and the sessions of nodes.
//!
//! A message is judged where its sender publishes it. If the sender's connection was not captured, the deliveries to the first
//! subscriber are judged instead; a message that the broker may have dropped is then at most a warning.

mod host;
mod requirement;

use super::CaptureCoverage;
use super::packet_context::PacketContext;
use super::report::FindingList;
use crate::inspect::sparkplug::{NodeView, new_payload};
use crate::inspect::{Direction, Field, Name, Rule, Severity, Value};
use crate::payload::sparkplug::{Message, MessageType, Observer, Sessions, Topic, content, faults};
use crate::protocol::topic::matches;
use crate::protocol::{PacketType, PropertyId, ReasonCode};
use std::net::SocketAddr;

/// The states of all nodes in the capture.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    sessions: Sessions,
}

/// A connection that may be that of a node or a host.
#[derive(Debug, Default)]
pub(super) struct SparkplugConnection {
    view: NodeView,
    /// The births and deaths of the node whose death is the will.
    own: OwnNode,
    /// The highest QoS of a subscription to the node's commands.
    commands: Option<u32>,
    is_commands_told: bool,
    /// The timestamp of the will, if it is a host's state.
    host: Option<Option<u64>>,
    /// The last state that the host published.
    is_host_online: bool,
    /// CONNECT was captured whole, as the first packet.
    is_will_known: bool,
    is_will_missing_told: bool,
}

#[derive(Debug, Default)]
struct OwnNode {
    is_born: bool,
    is_dead: bool,
}

impl SparkplugConnection {
    pub(super) fn open(&mut self, server: SocketAddr) {
        self.view.set_server(server);
    }

    /// Packets of this direction were lost.
    pub(super) fn lose_track(&mut self, direction: Direction) {
        self.view.lose(direction);
    }
}

impl Nodes {
    pub(super) fn check(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        connection: &mut SparkplugConnection,
        report: &mut FindingList,
    ) {
        let is_from_client = context.is_from_client();
        match context.kind {
            PacketType::Publish => self.publish(context, coverage, connection, report),
            PacketType::Connect if is_from_client => self.connect(context, coverage, connection, report),
            PacketType::Subscribe | PacketType::Unsubscribe => {
                connection.view.follow(context.packet, context.kind);
                connection.commands = connection.commands.max(commands(context, &connection.view));
            }
            PacketType::Disconnect if is_from_client => disconnect(context, coverage, connection, report),
            _ => {}
        }
    }

    pub(super) fn close(&mut self, connection: u32) {
        self.sessions.close(connection);
    }

    /// The number of nodes that were forgotten, because there were too many.
    pub(super) fn evicted(&self) -> u64 {
        self.sessions.evicted()
    }

    /// Checks a will: the death of a node, or the state of a host.
    fn connect(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        connection: &mut SparkplugConnection,
        report: &mut FindingList,
    ) {
        if !context.packet.raw.missing.is_empty() {
            return;
        }
        connection.is_will_known = coverage.beginning;
        connection.view.follow(context.packet, PacketType::Connect);
        let tree = context.tree;
        let will = tree.text(Name::WillTopic).zip(tree.bytes(Name::WillPayload));
        let Some((topic, payload)) = will else { return };
        let Some(topic) = Topic::parse_live(topic) else { return };
        if topic.is_state() {
            connection.host = Some(host::check_will(context, payload, report));
            return;
        }
        if topic.message_type() != Some(MessageType::NodeDeath) {
            return;
        }
        check_will_flags(context, report);
        let content = content(payload);
        let range = context.range(Name::WillPayload);
        match Message::read(topic, MessageType::NodeDeath, &content) {
            Ok(message) => {
                for fault in faults(&message) {
                    let rule = requirement::of_fault(&fault, MessageType::NodeDeath);
                    report.find(rule, range.clone(), fault.to_string());
                }
                let observer = connection.view.observer(context.packet, coverage.is_complete(), &topic);
                if let Some(anomaly) = self.sessions.connect(observer, &message) {
                    report.find(Rule::SparkplugBdSeqIncrement, range, anomaly.to_string());
                }
            }
            Err(problem) => {
                report.find(Rule::SparkplugPayload, range, format!("the will is not Sparkplug B: {problem}"));
            }
        }
    }

    fn publish(
        &mut self,
        context: &PacketContext<'_>,
        coverage: CaptureCoverage,
        connection: &mut SparkplugConnection,
        report: &mut FindingList,
    ) {
        let Some(topic) = context.topic() else { return connection.lose_track(context.direction) };
        let is_publisher = context.is_from_client();
        let Some(payload) = new_payload(context.packet) else { return };
        let Some(topic) = Topic::parse_live(topic) else {
            if is_publisher {
                host::check_old_topic(context, topic, payload, report);
            }
            return;
        };
        if topic.is_state() {
            if let Some(payload) = payload.filter(|_| is_publisher) {
                host::check_state(context, connection, payload, report);
            }
            return;
        }
        if is_publisher {
            check_topic(context, &topic, report);
        }
        let Some(message_type) = topic.message_type() else { return };
        if is_publisher {
            check_flags(context, message_type, report);
        }
        let observer = connection.view.observer(context.packet, coverage.is_complete(), &topic);
        let read = payload.map(content);
        let message = read.as_deref().map(|content| Message::read(topic, message_type, content));
        match message {
            Some(Ok(message)) => self.message(context, observer, &message, report),
            Some(Err(problem)) if is_publisher => {
                self.sessions.lose(observer, &topic);
                let detail = format!("the payload is not Sparkplug B: {problem}");
                report.find(Rule::SparkplugPayload, context.range(Name::Payload), detail);
            }
            Some(Err(_)) | None => self.sessions.lose(observer, &topic),
        }
        if is_publisher && !message_type.is_command() {
            published(context, coverage, &topic, message_type, connection, report);
        }
    }

    fn message(
        &mut self,
        context: &PacketContext<'_>,
        observer: Observer,
        message: &Message<'_>,
        report: &mut FindingList,
    ) {
        let anomalies = self.sessions.observe(observer, context.time(), message, context.packet.births);
        // A command is judged where the host sends it.
        let is_delivered_command = message.message_type.is_command() && !observer.is_publisher;
        let Some(anomalies) = anomalies.filter(|_| !is_delivered_command) else { return };
        let range = context.range(Name::Payload);
        for fault in faults(message) {
            let rule = requirement::of_fault(&fault, message.message_type);
            report.find(rule, range.clone(), fault.to_string());
        }
        for anomaly in anomalies {
            let Some(rule) = requirement::of_anomaly(&anomaly, message.message_type) else { continue };
            // The broker may have dropped messages.
            let worst = if observer.is_publisher { Severity::Error } else { Severity::Warning };
            report.find_as(rule.severity().min(worst), rule, range.clone(), anomaly.to_string());
        }
    }
}

fn check_will_flags(context: &PacketContext<'_>, report: &mut FindingList) {
    let qos = context.tree.number(Name::WillQos).unwrap_or_default();
    if qos != 1 {
        report.find(Rule::SparkplugWillQos, context.range(Name::WillQos), format!("the will QoS is {qos}"));
    }
    if context.tree.is_set(Name::WillRetain) {
        report.find(Rule::SparkplugWillRetain, context.range(Name::WillRetain), "will RETAIN is set");
    }
    check_clean_session(context, Rule::SparkplugNodeCleanSession, report);
}

/// Checks that the session starts clean and ends with the connection.
fn check_clean_session(context: &PacketContext<'_>, rule: Rule, report: &mut FindingList) {
    let name = if context.is_v5() { "Clean Start" } else { "Clean Session" };
    let expiry = context.property_number(PropertyId::SessionExpiryInterval).unwrap_or_default();
    if !context.tree.is_set(Name::CleanStart) {
        report.find(rule, context.range(Name::CleanStart), format!("{name} is 0"));
    } else if expiry != 0 {
        let range = context.range(Name::Property(PropertyId::SessionExpiryInterval));
        report.find(rule, range, format!("the session expiry interval is {expiry}"));
    }
}

fn check_topic(context: &PacketContext<'_>, topic: &Topic<'_>, report: &mut FindingList) {
    let range = context.range(Name::TopicName);
    let Some(message_type) = topic.message_type() else {
        if topic.type_level() == "STATE" {
            let detail = format!("the topic has the group {:?}", topic.group());
            return report.find_as(Severity::Warning, Rule::SparkplugStateTopic, range, detail);
        }
        let detail = format!("{:?} is not a message type", topic.type_level());
        return report.find(Rule::SparkplugTopic, range, detail);
    };
    if topic.group().is_empty() || topic.node().is_empty() {
        report.find(Rule::SparkplugTopic, range.clone(), "the group or the edge node is empty");
    }
    match (message_type.is_of_device(), topic.device()) {
        (true, "") => {
            let detail = format!("{message_type} without a device");
            report.find(Rule::SparkplugDeviceMissing, range, detail);
        }
        (true, device) if device.contains('/') => {
            report.find(Rule::SparkplugDeviceId, range, format!("the device is {device:?}"));
        }
        (false, device) if !device.is_empty() => {
            let detail = format!("{message_type} with the device {device:?}");
            report.find(Rule::SparkplugDeviceUnwanted, range, detail);
        }
        (true | false, _) => {}
    }
}

/// Checks QoS and RETAIN. A node may publish its death with any QoS.
fn check_flags(context: &PacketContext<'_>, message_type: MessageType, report: &mut FindingList) {
    let Some(rule) = requirement::of_flags(message_type) else { return };
    let qos = context.qos();
    let detail = match (qos, context.tree.is_set(Name::Retain)) {
        (0, false) => return,
        (0, true) => "RETAIN is set".to_owned(),
        (qos, false) => format!("the QoS is {qos}"),
        (qos, true) => format!("the QoS is {qos}, and RETAIN is set"),
    };
    report.find(rule, context.first_byte(), detail);
}

/// Notes a node's birth and death for the end of the connection. A birth needs a will.
fn published(
    context: &PacketContext<'_>,
    coverage: CaptureCoverage,
    topic: &Topic<'_>,
    message_type: MessageType,
    connection: &mut SparkplugConnection,
    report: &mut FindingList,
) {
    connection.view.note_published();
    match (message_type, connection.view.is_own(topic)) {
        (MessageType::NodeBirth, true) => connection.own = OwnNode { is_born: true, is_dead: false },
        (MessageType::NodeDeath, true) => connection.own.is_dead = true,
        (MessageType::NodeData | MessageType::DeviceData, true) if coverage.is_complete() => {
            check_commands(context, connection, report);
        }
        (MessageType::NodeBirth, false) if connection.is_will_known && !connection.is_will_missing_told => {
            connection.is_will_missing_told = true;
            let detail = "the will in CONNECT is not the node's NDEATH";
            report.find(Rule::SparkplugWill, context.whole(), detail);
        }
        _ => {}
    }
}

/// The highest QoS at which a SUBSCRIBE requests the commands to the connection's node.
fn commands(context: &PacketContext<'_>, view: &NodeView) -> Option<u32> {
    let topic = view.command_topic().filter(|_| context.kind == PacketType::Subscribe)?;
    let fields = context.tree.fields.iter().enumerate();
    let subscriptions = fields.filter(|(_, field)| field.name == Name::Subscription);
    let requested = subscriptions.filter_map(|(index, _)| {
        let inside = context.tree.inside(index);
        let is_it = |field: &Field<'_>| match field.value {
            Value::Text(filter) => field.name == Name::TopicFilter && matches(filter, &topic),
            _ => false,
        };
        inside.iter().find(|field| is_it(field))?;
        inside.iter().find(|field| field.name == Name::MaximumQos).and_then(|field| match field.value {
            Value::Number(qos) => Some(qos),
            _ => None,
        })
    });
    requested.max()
}

/// Checks, once data come, that the node can receive commands.
fn check_commands(
    context: &PacketContext<'_>,
    connection: &mut SparkplugConnection,
    report: &mut FindingList,
) {
    if std::mem::replace(&mut connection.is_commands_told, true) {
        return;
    }
    let detail = match connection.commands {
        Some(1) => return,
        Some(qos) => format!("the subscription to NCMD has QoS {qos}"),
        None => "data without a subscription to NCMD".to_owned(),
    };
    report.find(Rule::SparkplugCommands, context.whole(), detail);
}

/// Checks that a node that disconnects announces its death, or lets the broker do so.
fn disconnect(
    context: &PacketContext<'_>,
    coverage: CaptureCoverage,
    connection: &SparkplugConnection,
    report: &mut FindingList,
) {
    let is_alive = connection.own.is_born && !connection.own.is_dead;
    let is_will_sent = context.is_v5() && context.reason_code() == Some(ReasonCode::DISCONNECT_WITH_WILL);
    if is_alive && !is_will_sent && coverage.is_whole(Direction::ClientToServer) {
        report.find(Rule::SparkplugDisconnect, context.whole(), "DISCONNECT without NDEATH");
    }
    if connection.is_host_online && !is_will_sent && coverage.is_whole(Direction::ClientToServer) {
        let detail = "DISCONNECT without the state offline";
        report.find(Rule::SparkplugHostDisconnect, context.whole(), detail);
    }
}
