//! What payloads hold: JSON, CBOR, MessagePack, Sparkplug B, and what was compressed with gzip or zlib.
//!
//! Whatever the format, what is found is JSON text, whose length is at most a small multiple of the payload's. Formats are read by hand: they are
//! small, and what matters is that nothing is read twice, no depth is too much, and a mistake has its place.

mod cbor;
mod compressed;
mod input;
mod msgpack;
mod sparkplug;
#[cfg(test)]
mod tests;

use crate::json::{Writer, copy_value};
use std::fmt;

/// How deep values may lie in each other.
const MAX_DEPTH: usize = 64;

/// Topics of Sparkplug B.
pub(crate) const SPARKPLUG: &str = "spBv1.0/";

/// Sparkplug's topics whose payload is JSON.
const SPARKPLUG_STATE: &str = "spBv1.0/STATE/";

/// A format that payloads have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// CBOR (RFC 8949).
    Cbor,
    /// MessagePack.
    MessagePack,
    /// Gzip or zlib.
    Gzip,
    /// Sparkplug B, in protocol buffers.
    Sparkplug,
}

/// Which format payloads are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// What content type, topic and shape say.
    #[default]
    Auto,
    /// None: text where it is some, and else bytes.
    Text,
    /// None: bytes.
    Hex,
    /// This one.
    As(Format),
}

/// What is known beside the payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The message's topic.
    pub topic: Option<&'a str>,
    /// The property.
    pub content_type: Option<&'a str>,
}

/// What a payload holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// How it is encoded.
    pub format: Format,
    /// What was compressed, if it is of a format.
    pub inner: Option<Format>,
    /// The value as JSON on one line, or why there is none.
    pub json: Result<String, Problem>,
}

/// Why a payload is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Problem {
    /// What is wrong.
    pub what: &'static str,
    /// Where, in what was decompressed if it was compressed.
    pub at: usize,
}

/// Reads a payload, if it is of a format that there is something to say of.
#[must_use]
pub fn decode(payload: &[u8], choice: Choice, hints: Hints<'_>) -> Option<Decoded> {
    match choice {
        Choice::Text | Choice::Hex => None,
        Choice::As(format) => Some(read(payload, format)),
        Choice::Auto if payload.is_empty() => None,
        Choice::Auto => match stated(hints) {
            Some(format) => Some(read(payload, format)),
            None => by_shape(payload),
        },
    }
}

impl Format {
    /// Its name in options and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Cbor => "cbor",
            Format::MessagePack => "msgpack",
            Format::Gzip => "gzip",
            Format::Sparkplug => "sparkplug",
        }
    }
}

impl Decoded {
    /// The names of its formats: `cbor`, or `gzip+json`.
    #[must_use]
    pub fn name(&self) -> String {
        let inner = self.inner.map(|inner| format!("+{}", inner.name()));
        self.format.name().to_owned() + &inner.unwrap_or_default()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The format that the content type or the topic names.
fn stated(hints: Hints<'_>) -> Option<Format> {
    let content_type = hints.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match content_type.to_ascii_lowercase().as_str() {
        "application/json" => return Some(Format::Json),
        "application/cbor" => return Some(Format::Cbor),
        "application/msgpack" | "application/x-msgpack" | "application/vnd.msgpack" => {
            return Some(Format::MessagePack);
        }
        "application/gzip" | "application/zlib" => return Some(Format::Gzip),
        _ => {}
    }
    let topic = hints.topic.unwrap_or_default();
    match (topic.starts_with(SPARKPLUG_STATE), topic.starts_with(SPARKPLUG)) {
        (true, _) => Some(Format::Json),
        (false, true) => Some(Format::Sparkplug),
        (false, false) => None,
    }
}

fn read(payload: &[u8], format: Format) -> Decoded {
    let (inner, json) = match format {
        Format::Gzip => match compressed::read(payload) {
            Ok(content) => unpacked(&content),
            Err(problem) => (None, Err(problem)),
        },
        format => (None, value(payload, format)),
    };
    Decoded { format, inner, json }
}

/// A payload that nobody says anything about: only what is whole and can hardly be anything else.
fn by_shape(payload: &[u8]) -> Option<Decoded> {
    if compressed::is_likely(payload) {
        return Some(read(payload, Format::Gzip)).filter(|decoded| decoded.json.is_ok());
    }
    let format = shape(payload)?;
    Some(read(payload, format))
}

/// The only format that the whole payload is one map or array of.
fn shape(payload: &[u8]) -> Option<Format> {
    if std::str::from_utf8(payload).is_ok_and(|text| text.trim_start().starts_with(['{', '['])) {
        return value(payload, Format::Json).is_ok().then_some(Format::Json);
    }
    let fits = |format| value(payload, format).is_ok();
    let is_cbor = cbor::is_container(payload) && fits(Format::Cbor);
    let is_msgpack = msgpack::is_container(payload) && fits(Format::MessagePack);
    match (is_cbor, is_msgpack) {
        (true, false) => Some(Format::Cbor),
        (false, true) => Some(Format::MessagePack),
        // What could be both is not said to be either.
        (true, true) | (false, false) => None,
    }
}

/// What was compressed: of a format, text, or bytes.
fn unpacked(content: &[u8]) -> (Option<Format>, Result<String, Problem>) {
    if let Some(format) = shape(content) {
        return (Some(format), value(content, format));
    }
    let mut out = Vec::new();
    match std::str::from_utf8(content) {
        Ok(text) => Writer::new(&mut out, false).string(text),
        Err(_) => bytes(content, &mut Writer::new(&mut out, false)),
    }
    (None, Ok(text(out)))
}

/// A value of one format as JSON.
fn value(payload: &[u8], format: Format) -> Result<String, Problem> {
    let mut out = Vec::with_capacity(payload.len());
    let json = &mut Writer::new(&mut out, false);
    match format {
        Format::Json => copy_value(payload, json).map_err(|_| json_problem(payload))?,
        Format::Cbor => cbor::write(payload, json)?,
        Format::MessagePack => msgpack::write(payload, json)?,
        Format::Sparkplug => sparkplug::write(payload, json)?,
        Format::Gzip => return Err(Problem { what: "compressed more than once", at: 0 }),
    }
    Ok(text(out))
}

/// Where JSON stops to be some.
fn json_problem(payload: &[u8]) -> Problem {
    let what = "no JSON";
    let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(payload) else {
        return Problem { what, at: payload.len() };
    };
    let before = payload.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    Problem { what, at: before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1) }
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Bytes as JSON: hexadecimal in a string.
fn bytes(bytes: &[u8], json: &mut Writer<'_>) {
    json.string(&hex(bytes));
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].iter().filter_map(|digit| char::from_digit((*digit).into(), 16)));
    }
    text
}

/// A number as JSON, which has no infinity.
fn float(value: f64, json: &mut Writer<'_>) {
    if value.is_finite() { json.literal(format_args!("{value:?}")) } else { json.string(&value.to_string()) }
}

/// A number of single precision, with no more digits than it has.
fn single(value: f32, json: &mut Writer<'_>) {
    if value.is_finite() { json.literal(format_args!("{value:?}")) } else { json.string(&value.to_string()) }
}
