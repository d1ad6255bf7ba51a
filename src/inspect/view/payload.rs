//! What messages hold, where their payload is of a format that is read.

use super::{Options, words};
use crate::inspect::{Field, Name, Packet, Value};
use crate::payload::{Decoded, Hints, decode};
use crate::protocol::{PacketType, PropertyId};

/// The most that is shown on one line.
const MAX_LINE: usize = 100;

/// The most lines that are shown of one payload.
const MAX_LINES: usize = 200;

/// What the payload of a message holds; nothing where not all of it is there.
pub(super) fn decoded(packet: &Packet<'_>, options: Options) -> Option<Decoded> {
    packet.packet_type.filter(|packet_type| *packet_type == PacketType::Publish)?;
    let Field { value: Value::Bytes(content), range, .. } = packet.tree.find(Name::Payload)? else {
        return None;
    };
    if content.is_empty() || content.len() != range.len() {
        return None;
    }
    let topic = packet.seen.topic.as_deref().or(packet.tree.text(Name::TopicName));
    let content_type = packet.tree.text(Name::Property(PropertyId::ContentType));
    decode(content, options.payload, Hints { topic, content_type })
}

/// The value behind its format, as far as there is room on a line. What is wrong comes in front of `raw`.
pub(super) fn short(decoded: &Decoded, raw: &str) -> String {
    let name = decoded.name();
    match &decoded.json {
        Err(problem) => format!("not {name} ({problem}): {raw}"),
        Ok(json) => {
            let shown: String = json.chars().take(MAX_LINE).collect();
            let more = if shown.len() < json.len() { "..." } else { "" };
            format!("{name} {}{more}", words::harmless(&shown))
        }
    }
}

/// The value on lines of its own, each with the margin in front.
pub(super) fn lines(decoded: &Decoded, margin: &str) -> String {
    let name = decoded.name();
    let json = match &decoded.json {
        Err(problem) => return format!("{margin}not {name}: {problem}\n"),
        Ok(json) => json,
    };
    // What is nested too deep for that stays on one line.
    let tree = serde_json::from_str::<serde_json::Value>(json);
    let pretty = tree.and_then(|tree| serde_json::to_string_pretty(&tree)).unwrap_or_else(|_| json.clone());
    let mut text = format!("{margin}as {name}:\n");
    for line in pretty.lines().take(MAX_LINES) {
        text += &format!("{margin}  {}\n", words::harmless(line));
    }
    match pretty.lines().count().saturating_sub(MAX_LINES) {
        0 => text,
        more => text + &format!("{margin}  ... {more} more lines\n"),
    }
}
