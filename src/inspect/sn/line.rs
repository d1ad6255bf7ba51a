//! A message on one line: its most important fields and its context.

use super::field_value::MINUS_ONE;
use super::topics::topic_id;
use super::{Message, MessageKind, SnItem, Unanswered};
use crate::escape::quoted;
use crate::inspect::view::Options;
use crate::inspect::view::line::payload;
use crate::inspect::view::payload::{decoded_message, short};
use crate::inspect::view::words::{duration, hex};
use crate::inspect::{Direction, Field, Name, Value};
use crate::payload::PayloadDecoding;
use crate::protocol::sn::MessageType;
use crate::protocol::sn::v2::PacketType;
use crate::words::{counted, counted_verb};
use std::fmt::Write;

/// Maximum bytes of binary data to show.
const MAX_HEX: usize = 16;

/// The parts of a line, separated by commas.
#[derive(Default)]
struct Line(String);

impl Line {
    fn add(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(text);
    }
}

/// The most important fields of a message, its round trip and its repetitions.
pub(in crate::inspect) fn summary(message: &Message<'_>, options: Options) -> String {
    let mut line = Line(content(message, options));
    let facts = message.facts;
    if let Some(round_trip) = facts.round_trip {
        line.add(&format!("after {}", duration(round_trip)));
        if let Some(since) = facts.since_publish {
            let _ = write!(line.0, " ({} since PUBLISH)", duration(since));
        }
    }
    if let Some(verification) = facts.verification {
        line.add(verification.text());
    }
    if let Some(slept) = facts.slept {
        line.add(&format!("asleep for {}", duration(slept)));
    }
    match facts.repeats {
        0 => {}
        1 => line.add("repeated"),
        count => line.add(&format!("repeated {count} times")),
    }
    line.0
}

/// The most important fields of a message.
pub(in crate::inspect) fn content(message: &Message<'_>, options: Options) -> String {
    let tree = message.tree;
    let mut line = Line::default();
    if let Some(envelope) = message.envelope {
        line.add(&format!("node {}", hex(envelope.node_id, MAX_HEX)));
    }
    if let MessageKind::Reserved(octet) = message.kind {
        line.add(&format!("type 0x{octet:02x}"));
    }
    let is_connect = matches!(
        message.kind,
        MessageKind::V12(MessageType::Connect) | MessageKind::V20(PacketType::Connect)
    );
    if is_connect && let Some(version) = message.client.version {
        line.add(&version.to_string());
    }
    add_topic(message, &mut line);
    let start = tree.fields.iter().position(|field| field.name == Name::EncapsulatedMessage).unwrap_or(0);
    for field in tree.fields.get(start..).unwrap_or_default() {
        add_field(message, field, &mut line);
    }
    add_payload(message, options, &mut line);
    if let Some(undecoded) = tree.bytes(Name::Undecoded).filter(|bytes| !bytes.is_empty()) {
        line.add(&format!("undecoded: {}", hex(undecoded, MAX_HEX)));
    }
    if let Some(version) = message.facts.inferred_version {
        line.add(&format!("{version} (inferred)"));
    }
    line.0
}

/// The topic, and its id.
fn add_topic(message: &Message<'_>, line: &mut Line) {
    let tree = message.tree;
    let typed = tree.text(Name::TopicName).or_else(|| tree.text(Name::TopicFilter));
    let is_v2 = matches!(message.kind, MessageKind::V20(_));
    let typed = typed.or_else(|| tree.text(Name::WillTopic).filter(|_| !is_v2));
    // In SUBACK, 0 means a filter with wildcards.
    let id = topic_id(tree).filter(|id| *id != 0);
    let id_type = tree.number(Name::TopicIdType).or_else(|| tree.number(Name::TopicType));
    let predefined = if id_type == Some(1) { "predefined " } else { "" };
    let noun = if is_v2 { "topic alias" } else { "topic id" };
    let id = id.map(|id| format!("{predefined}{noun} {id}"));
    match (typed.or(message.facts.topic.as_deref()), id) {
        (Some(topic), Some(id)) => line.add(&format!("{} ({id})", quoted(topic))),
        (Some(topic), None) => line.add(&quoted(topic)),
        (None, Some(id)) => line.add(&id),
        (None, None) => {}
    }
}

fn add_field(message: &Message<'_>, field: &Field<'_>, line: &mut Line) {
    let has_qos = match message.kind {
        MessageKind::V12(kind) => matches!(
            kind,
            MessageType::Publish
                | MessageType::Subscribe
                | MessageType::Suback
                | MessageType::WillTopic
                | MessageType::WillTopicUpd
        ),
        MessageKind::V20(kind) => matches!(kind, PacketType::Publish | PacketType::Subscribe),
        MessageKind::Reserved(_) | MessageKind::Empty => false,
    };
    let is_advertisement = matches!(
        message.kind,
        MessageKind::V12(MessageType::Advertise) | MessageKind::V20(PacketType::Advertise)
    );
    match (field.name, field.value) {
        (Name::Qos, Value::Number(MINUS_ONE)) if has_qos => line.0.push_str(" QoS -1"),
        (Name::Qos, Value::Number(qos)) if has_qos => {
            let dup = if message.tree.is_set(Name::Dup) { " dup" } else { "" };
            let _ = write!(line.0, " QoS {qos}{dup}");
        }
        (Name::Retain, Value::Flag(true)) => line.0.push_str(" retain"),
        (Name::WillFlag, Value::Flag(true)) => line.add("will"),
        (Name::CleanSession, Value::Flag(true)) => line.add("clean session"),
        (Name::ClientIdentifier, Value::Text(client_id)) => {
            line.add(&format!("client id {}", quoted(client_id)));
        }
        (Name::KeepAlive, Value::Number(seconds)) => line.add(&format!("keep alive {seconds} s")),
        (Name::Duration, Value::Number(seconds)) if is_advertisement => {
            line.add(&format!("every {seconds} s"));
        }
        (Name::Duration, Value::Number(seconds)) => line.add(&format!("sleep {seconds} s")),
        (Name::GatewayId, Value::Number(id)) => line.add(&format!("gateway {id}")),
        (Name::GatewayAddress, Value::Bytes(address)) => {
            line.add(&format!("address {}", hex(address, MAX_HEX)));
        }
        (Name::Radius, Value::Number(0)) => line.add("all hops"),
        (Name::Radius, Value::Number(radius)) => line.add(&format!("radius {radius}")),
        (Name::MessageId | Name::PacketIdentifier, Value::Number(id @ 1..)) => line.add(&format!("id {id}")),
        (name @ Name::ReturnCode, Value::Code(code)) => {
            let meaning = message.meaning(name, code);
            match (code, meaning) {
                (0, _) => line.add("accepted"),
                (_, Some(meaning)) => line.add(&format!("rejected: {meaning} (0x{code:02x})")),
                (_, None) => line.add(&format!("unknown code 0x{code:02x}")),
            }
        }
        _ => add_field_v2(message, field, line),
    }
}

/// The fields that only version 2.0 has.
fn add_field_v2(message: &Message<'_>, field: &Field<'_>, line: &mut Line) {
    match (field.name, field.value) {
        (name @ Name::ReasonCode, Value::Code(code)) => match message.meaning(name, code) {
            Some(meaning) if code < 0x80 => line.add(meaning),
            Some(meaning) => line.add(&format!("{meaning} (0x{code:02x})")),
            None => line.add(&format!("unknown code 0x{code:02x}")),
        },
        (Name::ProtectionScheme, Value::Code(code)) => {
            let unknown = || format!("scheme 0x{code:02x}");
            line.add(&message.meaning(Name::ProtectionScheme, code).map_or_else(unknown, str::to_owned));
        }
        (
            name @ (Name::CleanStart
            | Name::SessionPresent
            | Name::NoLocal
            | Name::RetainAsPublished
            | Name::RetainTopicAliases),
            Value::Flag(true),
        ) => line.add(&name.to_string()),
        (name @ (Name::SessionExpiryInterval | Name::ServerKeepAlive), Value::Number(seconds)) => {
            line.add(&format!("{name} {seconds} s"));
        }
        (
            name @ (Name::MaximumPacketSize
            | Name::DefaultAwakeMessages
            | Name::RetainHandling
            | Name::Counter),
            Value::Number(number @ 1..),
        ) => line.add(&format!("{name} {number}")),
        (Name::MessagesRemaining, Value::Number(255)) => line.add("more messages remain"),
        (Name::MessagesRemaining, Value::Number(count)) => {
            line.add(&counted_verb(count, "message", "remains"));
        }
        (Name::WillTopic, Value::Text(topic)) if matches!(message.kind, MessageKind::V20(_)) => {
            line.add(&format!("will {}", quoted(topic)));
        }
        (
            name @ (Name::AssignedClientIdentifier | Name::AuthenticationMethod | Name::ReasonString),
            Value::Text(text),
        ) => line.add(&format!("{name} {}", quoted(text))),
        (name @ (Name::SenderIdentifier | Name::NetworkInformation), Value::Bytes(bytes)) => {
            line.add(&format!("{name} {}", hex(bytes, MAX_HEX)));
        }
        (Name::ProtectedPacket, Value::Bytes(bytes)) => {
            line.add(&format!("{} encrypted", counted(bytes.len(), "byte")));
        }
        _ => {}
    }
}

fn add_payload(message: &Message<'_>, options: Options, line: &mut Line) {
    let tree = message.tree;
    let Some(field) = tree.find(Name::Payload).or_else(|| tree.find(Name::WillPayload)) else { return };
    let Value::Bytes(content) = field.value else { return };
    let length = field.range.len();
    line.add(&counted(length, "byte"));
    if length > 0 {
        let raw = match options.payload {
            PayloadDecoding::Hex => hex(content, MAX_HEX),
            _ => payload(content, length),
        };
        let decoded = decoded_message(message, options);
        let _ = write!(line.0, " {}", decoded.map_or_else(|| raw.clone(), |decoded| short(&decoded, &raw)));
    }
}

/// An item that is not a message, as text; `None` if it has none.
pub(in crate::inspect) fn note(item: &SnItem<'_>) -> Option<String> {
    match item {
        SnItem::Opened(opened) => {
            Some(format!("MQTT-SN between {} and the gateway {}", opened.client, opened.gateway))
        }
        SnItem::Message(_) | SnItem::Closed { .. } => None,
        SnItem::End(end) => {
            let node = end.node_id.as_ref().map(|node_id| format!("node {}: ", hex(node_id, MAX_HEX)));
            let requests: Vec<String> = end.unanswered.iter().map(unanswered).collect();
            let text = node.unwrap_or_default() + "no answer to " + &requests.join("; ");
            (!requests.is_empty()).then_some(text)
        }
    }
}

fn unanswered(request: &Unanswered) -> String {
    let id = if request.id == 0 { String::new() } else { format!(" with id {}", request.id) };
    let sent = match request.sent {
        0 | 1 => String::new(),
        count => format!(", sent {count} times"),
    };
    format!("{} of the {}{id}{sent}", request.kind.name(), sender(request.direction))
}

fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "gateway",
    }
}
