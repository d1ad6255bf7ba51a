//! Payloads as people read them: decoded to one line for the table, or to all lines for the detail pane.

use super::image;
use super::model::Value;
use crate::json::Writer;
use crate::payload::schema::MessageTypes;
use crate::payload::{
    Births, Content, Decoded, Hints, PayloadDecoding, PayloadFormat, decode, is_sparkplug_topic,
};
use crate::protocol::PropertyId;
use crate::words::counted;
use serde_json::Value as Json;

/// The longest payload that is decoded for the table.
const MAX_DECODED: usize = 64 << 10;

/// The most characters of a line in the table.
const MAX_SUMMARY: usize = 1000;

/// The bytes on a line of a dump, the columns of such a line, and the bytes on a narrower one.
const DUMP_BYTES: usize = 16;
const DUMP_COLUMNS: usize = 71;
const NARROW_DUMP_BYTES: usize = 8;

/// The most lines of a payload.
const MAX_LINES: usize = 20_000;

/// The inputs of decoding besides the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding<'a> {
    pub(crate) births: &'a Births,
    pub(crate) types: Option<&'static MessageTypes>,
    pub(crate) choice: PayloadDecoding,
}

/// The kind of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Faint,
    Key,
    Text,
    Number,
    Literal,
}

/// A line of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The level of its value in the JSON document.
    pub(super) depth: usize,
    pub(super) parts: Vec<(Tone, String)>,
}

/// A payload in all its lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    /// The format, and a problem if there is one.
    pub(super) label: String,
    pub(super) lines: Vec<Line>,
}

impl Document {
    /// The bytes, whatever their format is.
    pub(super) fn of_bytes(value: &Value, columns: usize) -> Document {
        let lines = dump(value.payload(), columns);
        Document { label: counted(value.size, "byte"), lines }.noting_rest_of(value)
    }

    fn noting_rest_of(mut self, value: &Value) -> Document {
        if !value.is_whole() {
            self.label += &match value.payload().len() {
                0 => ", not kept: the memory limit is reached".to_owned(),
                kept => format!(", first {} MiB kept", kept >> 20),
            };
        }
        self
    }
}

impl Decoding<'_> {
    fn decode(&self, topic: &str, value: &Value) -> Option<Decoded> {
        // Sparkplug is recognised by the topic alone: other payloads may look like it.
        if self.choice == PayloadDecoding::As(PayloadFormat::Sparkplug) && !is_sparkplug_topic(topic) {
            return None;
        }
        // A short PNG can be read as CBOR.
        if self.choice == PayloadDecoding::Auto && image::describe(value.payload()).is_some() {
            return None;
        }
        let content_type = value.properties().text(PropertyId::ContentType);
        let hints = Hints {
            topic: Some(topic),
            content_type,
            births: Some(self.births),
            notes: &[],
            types: self.types,
        };
        decode(value.payload(), self.choice, hints)
    }

    /// The payload on one line.
    pub(super) fn summary(&self, topic: &str, value: &Value) -> String {
        let payload = value.payload();
        let is_short = value.is_whole() && payload.len() <= MAX_DECODED;
        if is_short && let Some(Decoded { content: Content::Json(text), .. }) = self.decode(topic, value) {
            return shortened(&text);
        }
        match (text_of(value), image::describe(payload)) {
            (Some(text), _) => shortened(text),
            (None, Some(image)) => image,
            (None, None) => hex(payload),
        }
    }

    /// The decoded value.
    pub(super) fn json(&self, topic: &str, value: &Value) -> Option<Json> {
        if !value.is_whole() {
            return None;
        }
        if let Some(Decoded { content: Content::Json(text), .. }) = self.decode(topic, value) {
            return serde_json::from_str(&text).ok();
        }
        // A number alone is not worth a document view, but a chart.
        let text = std::str::from_utf8(value.payload()).ok()?;
        serde_json::from_str(text.trim()).ok().filter(Json::is_number)
    }

    /// The payload in all its lines; a dump has lines of at most these columns.
    pub(super) fn document(&self, topic: &str, value: &Value, columns: usize) -> Document {
        let document = match value.size {
            0 => Document { label: "empty".to_owned(), ..Document::default() },
            _ => self.whole_document(topic, value, columns),
        };
        document.noting_rest_of(value)
    }

    fn whole_document(&self, topic: &str, value: &Value, columns: usize) -> Document {
        let payload = value.payload();
        let decoded = if value.is_whole() { self.decode(topic, value) } else { None };
        let label = decoded.as_ref().map(|decoded| {
            let problem = decoded.problem().map(|problem| format!(" ({problem})")).unwrap_or_default();
            decoded.label() + &problem
        });
        if let Some(Decoded { content: Content::Json(text), .. }) = &decoded {
            let label = label.unwrap_or_default();
            return match serde_json::from_str::<Json>(text) {
                Ok(json) => Document { label, lines: json_lines(&json) },
                Err(_) => Document { label, lines: text_lines(text) },
            };
        }
        match (text_of(value), image::describe(payload)) {
            (Some(text), _) => {
                Document { label: label.unwrap_or_else(|| "text".to_owned()), lines: text_lines(text) }
            }
            (None, image) => {
                let label = label.or(image).unwrap_or_else(|| "binary".to_owned());
                Document { label, lines: dump(payload, columns) }
            }
        }
    }
}

/// The payload as a text, if it is one.
fn text_of(value: &Value) -> Option<&str> {
    let payload = value.payload();
    match std::str::from_utf8(payload) {
        Ok(text) => Some(text),
        // The start of a payload may end within a character.
        Err(error) if !value.is_whole() && error.error_len().is_none() => {
            std::str::from_utf8(payload.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    let end = text.char_indices().nth(MAX_SUMMARY).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().to_owned()
}

fn hex(payload: &[u8]) -> String {
    let mut text = "0x".to_owned();
    payload.iter().take(MAX_SUMMARY / 2).for_each(|byte| text += &format!("{byte:02x}"));
    text
}

fn text_lines(text: &str) -> Vec<Line> {
    let lines = text.lines().map(|line| Line { depth: 0, parts: vec![(Tone::Plain, line.to_owned())] });
    bounded(lines)
}

/// The lines up to the maximum, and a word about the rest.
fn bounded(mut lines: impl Iterator<Item = Line>) -> Vec<Line> {
    let mut shown: Vec<Line> = lines.by_ref().take(MAX_LINES).collect();
    shown.extend(lines.next().map(|_| rest_line()));
    shown
}

fn rest_line() -> Line {
    Line { depth: 0, parts: vec![(Tone::Faint, "… further lines are not shown".to_owned())] }
}

/// Offsets, bytes, and their characters.
fn dump(payload: &[u8], columns: usize) -> Vec<Line> {
    let width = if columns >= DUMP_COLUMNS { DUMP_BYTES } else { NARROW_DUMP_BYTES };
    let rows = payload.chunks(width).enumerate();
    bounded(rows.map(|(number, bytes)| {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown =
            |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let characters: String = bytes.iter().map(shown).collect();
        let offset = format!("{:04x}  ", number * width);
        let parts = vec![
            (Tone::Faint, offset),
            (Tone::Plain, format!("{:1$}  ", hex.join(" "), 3 * width - 1)),
            (Tone::Faint, characters),
        ];
        Line { depth: 0, parts }
    }))
}

/// A JSON value over several lines, each entry on its own.
fn json_lines(json: &Json) -> Vec<Line> {
    let mut lines = Vec::new();
    push_value(json, 0, Vec::new(), "", &mut lines);
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        lines.push(rest_line());
    }
    lines
}

/// Appends the lines of a value; `lead` are the parts in front of it, and `end` follows it. The nesting is bounded by the parser.
fn push_value(json: &Json, depth: usize, lead: Vec<(Tone, String)>, end: &str, lines: &mut Vec<Line>) {
    if lines.len() > MAX_LINES {
        return;
    }
    let mut parts = lead;
    let entries: Vec<(Option<&str>, &Json)> = match json {
        Json::Object(members) => members.iter().map(|(key, value)| (Some(key.as_str()), value)).collect(),
        Json::Array(items) => items.iter().map(|item| (None, item)).collect(),
        _ => Vec::new(),
    };
    let (open, close) = if json.is_object() { ("{", "}") } else { ("[", "]") };
    if entries.is_empty() {
        parts.push(scalar(json));
        parts.push((Tone::Faint, end.to_owned()));
        lines.push(Line { depth, parts });
        return;
    }
    parts.push((Tone::Faint, open.to_owned()));
    lines.push(Line { depth, parts });
    let count = entries.len();
    for (number, (key, value)) in entries.into_iter().enumerate() {
        let lead = key.map(|key| vec![(Tone::Key, quoted(key)), (Tone::Faint, ": ".to_owned())]);
        let end = if number + 1 < count { "," } else { "" };
        push_value(value, depth + 1, lead.unwrap_or_default(), end, lines);
    }
    lines.push(Line { depth, parts: vec![(Tone::Faint, format!("{close}{end}"))] });
}

fn scalar(json: &Json) -> (Tone, String) {
    match json {
        Json::Null | Json::Bool(_) => (Tone::Literal, json.to_string()),
        Json::Number(number) => (Tone::Number, number.to_string()),
        Json::String(text) => (Tone::Text, quoted(text)),
        Json::Array(_) => (Tone::Faint, "[]".to_owned()),
        Json::Object(_) => (Tone::Faint, "{}".to_owned()),
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    Writer::new(&mut out, false).string(text);
    String::from_utf8(out).unwrap_or_default()
}

/// The numbers in a value with their paths, as in `a.b[0]`. A number alone has an empty path.
pub(super) fn numbers(json: &Json) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), json)];
    while let Some((path, json)) = waiting.pop() {
        match json {
            Json::Number(number) => found.extend(number.as_f64().map(|number| (path, number))),
            Json::Bool(is_true) => found.push((path, f64::from(u8::from(*is_true)))),
            Json::Array(items) => {
                let items = items.iter().enumerate().rev();
                waiting.extend(items.map(|(index, item)| (format!("{path}[{index}]"), item)));
            }
            Json::Object(members) => {
                let dot = if path.is_empty() { "" } else { "." };
                let members = members.iter().rev();
                waiting.extend(members.map(|(key, value)| (format!("{path}{dot}{key}"), value)));
            }
            Json::Null | Json::String(_) => {}
        }
    }
    found
}
