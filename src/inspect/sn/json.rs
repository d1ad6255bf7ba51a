//! Messages as JSON objects. `docs/inspect-json.md` documents them for users; keys are only ever added.

use super::field_value::MINUS_ONE;
use super::{Message, SnItem, Unanswered};
use crate::inspect::view::json::{ranges, write_findings};
use crate::inspect::view::secret::{HIDDEN, is_secret};
use crate::inspect::view::{Options, payload::decoded_message, shown};
use crate::inspect::{Field, Finding, Name, Value};
use crate::json::Writer;
use crate::message::write_bytes;
use std::fmt::Write as _;

/// The value of `protocol`.
const PROTOCOL: &str = "mqtt-sn";

/// The name of an item's event.
pub(in crate::inspect) fn event(item: &SnItem<'_>) -> &'static str {
    match item {
        SnItem::Opened(_) => "opened",
        SnItem::Message(_) => "message",
        SnItem::End(_) => "unanswered",
        SnItem::Closed { .. } => "closed",
    }
}

/// Writes an item's keys after those that all objects have.
pub(in crate::inspect) fn write(
    item: &SnItem<'_>,
    findings: &[Finding],
    options: Options,
    json: &mut Writer<'_>,
) {
    text("protocol", PROTOCOL, json);
    match item {
        SnItem::Opened(opened) => {
            text("client", &opened.client.to_string(), json);
            text("server", &opened.gateway.to_string(), json);
        }
        SnItem::Message(message) => write_message(message, findings, options, json),
        SnItem::End(end) => {
            if let Some(client_id) = &end.client_id {
                text("client_id", client_id, json);
            }
            if let Some(node_id) = &end.node_id {
                text("node_id", &hexadecimal(node_id), json);
            }
            unanswered(&end.unanswered, json);
            write_findings(findings.iter(), json);
        }
        SnItem::Closed { .. } => {}
    }
}

fn write_message(message: &Message<'_>, findings: &[Finding], options: Options, json: &mut Writer<'_>) {
    let (tree, client, facts) = (message.tree, message.client, message.facts);
    text("direction", message.direction.name(), json);
    number("length", message.length as u64, json);
    let captured = (message.bytes.len() < message.length).then_some(message.bytes.len());
    if let Some(captured) = captured {
        number("captured", captured as u64, json);
    }
    text("type", message.kind.name(), json);
    if let Some(version) = client.version {
        text("version", version.number(), json);
    }
    if client.is_version_inferred {
        flag("version_inferred", true, json);
    }
    if let Some(client_id) =
        client.client_id.as_deref().filter(|_| tree.find(Name::ClientIdentifier).is_none())
    {
        text("client_id", client_id, json);
    }
    if let Some(topic) = &facts.topic {
        text("resolved_topic", topic, json);
    }
    if let Some(verification) = facts.verification {
        text("verification", verification.text(), json);
    }
    for (key, value) in [
        ("round_trip_ns", facts.round_trip),
        ("since_publish_ns", facts.since_publish),
        ("asleep_ns", facts.slept),
        ("repeats", Some(facts.repeats.into()).filter(|repeats| *repeats > 0)),
    ] {
        if let Some(value) = value {
            number(key, value, json);
        }
    }
    tree.fields.iter().for_each(|field| write_field(message, field, options, json));
    if let Some(decoded) = decoded_message(message, options) {
        decoded.write_keys(false, json);
    }
    write_findings(shown(&tree.findings, findings, options.least), json);
    if options.shows_ranges {
        ranges(&tree.fields, captured, json);
    }
}

fn write_field(message: &Message<'_>, field: &Field<'_>, options: Options, json: &mut Writer<'_>) {
    let key = field.name.key();
    match (field.name, field.value) {
        // The object has type and length; reserved bits have a finding if they are set.
        (_, Value::Group) | (Name::Length | Name::MessageType | Name::Reserved, _) => {}
        (name, _) if is_secret(name) && !options.shows_secrets => text(key, HIDDEN, json),
        (
            Name::NodeId
            | Name::SenderIdentifier
            | Name::Random
            | Name::CryptoMaterial
            | Name::AuthenticationTag,
            Value::Bytes(bytes),
        ) => text(key, &hexadecimal(bytes), json),
        (Name::Qos, Value::Number(MINUS_ONE)) => {
            json.plain_key(key);
            json.raw(b"-1");
        }
        (_, Value::Number(value)) => number(key, value.into(), json),
        (_, Value::Flag(value)) => flag(key, value, json),
        (_, Value::Text(value)) => text(key, value, json),
        (name, Value::Bytes(bytes) | Value::BadText(bytes)) => {
            if name == Name::Payload {
                number("payload_length", field.range.len() as u64, json);
            }
            write_bytes(key, bytes, json);
        }
        (name, Value::Code(code)) => {
            number(key, code.into(), json);
            text("reason", message.meaning(name, code).unwrap_or("unknown"), json);
        }
        // Properties, which MQTT-SN does not have.
        (_, Value::Pair(..) | Value::BadPair(..)) => {}
    }
}

fn unanswered(requests: &[Unanswered], json: &mut Writer<'_>) {
    json.plain_key("unanswered");
    json.open_array();
    for request in requests {
        json.element();
        json.open_object();
        text("direction", request.direction.name(), json);
        text("type", request.kind.name(), json);
        if request.id != 0 {
            number("message_id", request.id.into(), json);
        }
        number("sent", request.sent.into(), json);
        if let Some(waited) = request.waited {
            number("waited_ns", waited, json);
        }
        json.close_object();
    }
    json.close_array();
}

fn number(key: &'static str, number: u64, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.integer(number);
}

fn text(key: &'static str, text: &str, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.string(text);
}

fn flag(key: &'static str, flag: bool, json: &mut Writer<'_>) {
    json.plain_key(key);
    json.raw(if flag { b"true" } else { b"false" });
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
