//! Decoded payloads of known formats.

use super::Options;
use crate::escape;
use crate::inspect::inspector::whole_payload;
use crate::inspect::sn::Message;
use crate::inspect::{Name, Packet, Value};
use crate::payload::{Content, Decoded, Hints, decode};
use crate::protocol::{PacketType, PropertyId};
use crate::words::counted;

/// Maximum characters on one line.
const MAX_LINE: usize = 100;

/// Maximum lines of one payload.
const MAX_LINES: usize = 200;

/// Maximum depth of indentation.
const MAX_INDENT: usize = 64;

/// The decoded payload; `None` if a part of it is missing.
pub(super) fn decoded(packet: &Packet<'_>, options: Options) -> Option<Decoded> {
    packet.packet_type.filter(|packet_type| *packet_type == PacketType::Publish)?;
    let content = whole_payload(packet.raw, packet.tree).filter(|content| !content.is_empty())?;
    let content_type = packet.tree.text(Name::Property(PropertyId::ContentType));
    let hints = Hints {
        topic: packet.topic(),
        content_type,
        births: Some(packet.births),
        types: options.types,
        ..Hints::default()
    };
    decode(content, options.payload, hints)
}

/// The decoded payload of a message of MQTT-SN; `None` if a part of it is missing.
pub(in crate::inspect) fn decoded_message(message: &Message<'_>, options: Options) -> Option<Decoded> {
    let field = message.tree.find(Name::Payload)?;
    let Value::Bytes(content) = field.value else { return None };
    let is_whole = content.len() == field.range.len() && !content.is_empty();
    let hints = Hints { topic: message.topic(), types: options.types, ..Hints::default() };
    is_whole.then(|| decode(content, options.payload, hints))?
}

/// The format and the value, truncated to a line. A problem comes before `raw`.
pub(in crate::inspect) fn short(decoded: &Decoded, raw: &str) -> String {
    let mut name = decoded.label();
    match &decoded.content {
        Content::Malformed(_) if decoded.mismatch.is_some() => {
            format!("{}: {raw}", escape::line(&decoded.problem().unwrap_or_default()))
        }
        Content::Malformed(problem) => format!("not {name} ({problem}): {raw}"),
        Content::Unread(reason) => format!("{name} ({reason}): {raw}"),
        Content::Json(json) => {
            if let Some(problem) = decoded.problem() {
                name += &format!(" ({})", escape::line(&problem));
            }
            let shown: String = json.chars().take(MAX_LINE).collect();
            let more = if shown.len() < json.len() { "..." } else { "" };
            format!("{name} {}{more}", escape::line(&shown))
        }
    }
}

/// The value on lines of its own, each with the margin.
pub(super) fn lines(decoded: &Decoded, margin: &str) -> String {
    let problem = decoded.problem().map(|problem| format!("{margin}{}\n", escape::line(&problem)));
    let mut text = problem.unwrap_or_default();
    let Content::Json(json) = &decoded.content else { return text };
    text += &format!("{margin}as {}:\n", decoded.label());
    let indented = indented(json);
    for line in indented.lines().take(MAX_LINES) {
        text += &format!("{margin}  {}\n", escape::line(line));
    }
    match indented.lines().count().saturating_sub(MAX_LINES) {
        0 => text,
        more => text + &format!("{margin}  ... {}\n", counted(more, "more line")),
    }
}

/// Breaks one line of JSON into several. It does not parse into a tree, which would lose duplicate keys.
fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut is_in_string, mut is_escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if is_in_string {
            text.push(character);
            is_in_string = character != '"' || is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            continue;
        }
        let is_empty = matches!((character, characters.peek()), ('{', Some('}')) | ('[', Some(']')));
        match character {
            '{' | '[' if !is_empty => {
                depth += 1;
                text.push(character);
                break_line(depth, &mut text);
            }
            '}' | ']' if !text.ends_with(['{', '[']) => {
                depth = depth.saturating_sub(1);
                break_line(depth, &mut text);
                text.push(character);
            }
            ',' => {
                text.push(character);
                break_line(depth, &mut text);
            }
            ':' => text.push_str(": "),
            _ => {
                is_in_string = character == '"';
                text.push(character);
            }
        }
    }
    text
}

fn break_line(depth: usize, text: &mut String) {
    text.push('\n');
    // Without the limit, the output would grow with the square of the depth.
    text.extend(std::iter::repeat_n("  ", depth.min(MAX_INDENT)));
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn json_is_indented_and_keeps_equal_keys() {
        let json = r#"{"a":[1,{"b":[]}],"a":{},"c:,\"{":"x\\"}"#;
        let lines = [
            "{",
            r#"  "a": ["#,
            "    1,",
            "    {",
            r#"      "b": []"#,
            "    }",
            "  ],",
            r#"  "a": {},"#,
            r#"  "c:,\"{": "x\\""#,
            "}",
        ];
        assert_eq!(indented(json), lines.join("\n"));
        assert_eq!(indented("21.5"), "21.5");
    }
}
