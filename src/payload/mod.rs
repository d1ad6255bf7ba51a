//! Decodes payloads: JSON, CBOR, MessagePack, Sparkplug B, protocol buffers, and compressed payloads.
//!
//! The result is JSON text, whose size is bounded by the payload's length and a few megabytes. The parsers are hand-written: the
//! formats are small, and the parsers must read nothing twice, withstand any nesting, and report the position of an error.

mod cbor;
mod compressed;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod input;
mod msgpack;
mod names;
mod number;
pub(crate) mod placeholder;
mod protobuf;
pub(crate) mod schema;
pub(crate) mod sparkplug;
#[cfg(test)]
mod tests;

use crate::json::{Writer, copy_value};
use compressed::Decompressed;
use format::StatedFormat;
use schema::{DecodeError, MessageType, MessageTypes};
use sparkplug::Topic;

pub(crate) use format::PayloadFormat;
pub(crate) use sparkplug::Births;

/// The maximum nesting of values.
const MAX_DEPTH: usize = 64;

/// The format to decode payloads as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PayloadDecoding {
    /// The format detected by content type, topic and shape.
    #[default]
    Auto,
    /// No decoding: text if valid, otherwise bytes.
    Text,
    /// No decoding: bytes.
    Hex,
    /// Protocol buffers without their schema.
    Wire,
    As(PayloadFormat),
}

impl PayloadDecoding {
    /// Whether payloads may be decoded with a schema.
    pub(crate) fn uses_types(self) -> bool {
        match self {
            PayloadDecoding::Auto => true,
            PayloadDecoding::As(format) => format == PayloadFormat::Protobuf || format.is_compression(),
            PayloadDecoding::Text | PayloadDecoding::Hex | PayloadDecoding::Wire => false,
        }
    }
}

/// Information from outside the payload.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints<'a> {
    /// The message's topic.
    pub topic: Option<&'a str>,
    pub content_type: Option<&'a str>,
    /// The Sparkplug births before it.
    pub births: Option<&'a Births>,
    /// Remarks about its place in a Sparkplug session.
    pub notes: &'a [String],
    /// The types of messages in protocol buffers.
    pub types: Option<&'a MessageTypes>,
}

impl<'a> Hints<'a> {
    /// The message type of the topic.
    fn message_type(&self) -> Option<MessageType<'a>> {
        self.types?.of_topic(self.topic.unwrap_or_default())
    }
}

/// A payload in a recognised or requested format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub format: PayloadFormat,
    /// The format of the decompressed data, if recognised.
    pub inner: Option<PayloadFormat>,
    /// The type of the message, if it was read with a schema.
    pub message_type: Option<String>,
    pub content: Content,
    /// The reason why the payload does not have the format that the topic states or the user named, or lacks a part of it.
    pub mismatch: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The value as JSON on one line.
    Json(String),
    /// It does not have the format.
    Malformed(Problem),
    /// It has the format, but was not read, for this reason.
    Unread(&'static str),
}

/// The reason why a payload does not have a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub(crate) struct Problem {
    /// The defect.
    pub reason: &'static str,
    /// The position, in the decompressed data if the payload was compressed.
    pub at: usize,
}

/// Decodes a payload; `None` if no format is requested or recognised.
#[must_use]
pub(crate) fn decode(payload: &[u8], choice: PayloadDecoding, hints: Hints<'_>) -> Option<Decoded> {
    match choice {
        PayloadDecoding::Text | PayloadDecoding::Hex => None,
        PayloadDecoding::As(PayloadFormat::Sparkplug) => {
            Some(read_sparkplug(payload, hints.topic.and_then(Topic::parse_anywhere), hints))
        }
        PayloadDecoding::Wire => Some(read(payload, PayloadFormat::Protobuf)),
        PayloadDecoding::As(format) => match hints.message_type() {
            Some(of_topic) if format == PayloadFormat::Protobuf || format.is_compression() => {
                Some(read_typed(payload, of_topic, Some(format).filter(|format| format.is_compression())))
            }
            _ => Some(read(payload, format)),
        },
        PayloadDecoding::Auto if payload.is_empty() => None,
        PayloadDecoding::Auto => unasked(payload, hints),
    }
}

/// Whether the topic contains Sparkplug's namespace, perhaps below other levels.
#[must_use]
pub(crate) fn is_sparkplug_topic(topic: &str) -> bool {
    Topic::parse_anywhere(topic).is_some()
}

impl Decoded {
    fn new(format: PayloadFormat, content: Content) -> Decoded {
        Decoded { format, inner: None, message_type: None, content, mismatch: None }
    }

    /// The names of its formats, and the type of the message: `protobuf gw.Uplink`.
    #[must_use]
    pub(crate) fn label(&self) -> String {
        let message_type = self.message_type.as_ref().map(|name| format!(" {name}"));
        self.name() + &message_type.unwrap_or_default()
    }

    /// The names of its formats: `cbor`, or `gzip+json`.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        let inner = self.inner.map(|inner| format!("+{}", inner.name()));
        self.format.name().to_owned() + &inner.unwrap_or_default()
    }

    /// Writes the format and the value, or the problem, as keys of an open object. JSON need not be repeated if the object has the
    /// payload as text.
    pub(crate) fn write_keys(&self, repeats_json: bool, json: &mut Writer<'_>) {
        let mut text = |name: &str, text: &str| {
            json.key(name);
            json.string(text);
        };
        let is_repeated = repeats_json || self.format != PayloadFormat::Json;
        let is_json = matches!(self.content, Content::Json(_));
        if is_repeated || !is_json {
            text("payload_format", &self.name());
        }
        if let Some(message_type) = &self.message_type {
            text("payload_type", message_type);
        }
        match (&self.content, &self.mismatch) {
            (Content::Unread(why), _) => text("payload_problem", why),
            (_, Some(mismatch)) => text("payload_problem", mismatch),
            (Content::Malformed(problem), None) => text("payload_problem", &problem.to_string()),
            (Content::Json(_), None) => {}
        }
        if let (Content::Json(value), true) = (&self.content, is_repeated) {
            json.key("payload_decoded");
            if json.is_pretty() {
                // The value is JSON, but may be nested too deeply to be laid out.
                let _ = copy_value(value.as_bytes(), json);
            } else {
                json.raw(value.as_bytes());
            }
        }
    }

    /// The reason for a missing value, or for another format than the stated one: `not cbor: it ends too early at byte 2`.
    #[must_use]
    pub(crate) fn problem(&self) -> Option<String> {
        match (&self.content, &self.mismatch) {
            (Content::Unread(why), _) => Some(format!("{}: {why}", self.name())),
            (_, Some(mismatch)) => Some(mismatch.clone()),
            (Content::Malformed(problem), None) => Some(format!("not {}: {problem}", self.name())),
            (Content::Json(_), None) => None,
        }
    }
}

impl From<Result<String, Problem>> for Content {
    fn from(result: Result<String, Problem>) -> Content {
        result.map_or_else(Content::Malformed, Content::Json)
    }
}

/// Decodes a payload by its content type or topic, or else by its shape. A stated format that is not supported prevents a guess.
fn unasked(payload: &[u8], hints: Hints<'_>) -> Option<Decoded> {
    let stated = format::of_content_type(hints.content_type.unwrap_or_default());
    if let Some(of_topic) = hints.message_type() {
        let compression = match stated {
            StatedFormat::As(format) if format.is_compression() => Some(format),
            _ => None,
        };
        return Some(read_typed(payload, of_topic, compression));
    }
    match (stated, hints.topic.and_then(Topic::parse)) {
        (StatedFormat::As(format), _) => Some(read(payload, format)),
        (_, Some(topic)) => Some(read_sparkplug(payload, Some(topic), hints)),
        (StatedFormat::Other, None) => None,
        (StatedFormat::Nothing, None) => by_shape(payload),
    }
}

/// Decodes a payload of a topic whose message type is known. It may be compressed: as stated, or by its magic number if it is not a
/// message.
fn read_typed(payload: &[u8], of_topic: MessageType<'_>, compression: Option<PayloadFormat>) -> Decoded {
    let error = match (compression, message(payload, of_topic)) {
        (None, Ok(decoded)) => return decoded,
        (None, Err(error)) => Some(error),
        (Some(_), _) => None,
    };
    let compression = compressed::by_magic(payload).or(compression);
    if let Some(format) = compression
        && let Decompressed::Content(content) = compressed::read(payload, format)
    {
        return match message(&content, of_topic) {
            Ok(decoded) => Decoded { format, inner: Some(PayloadFormat::Protobuf), ..decoded },
            Err(error) => mistyped(of_topic, error, || read(payload, format)),
        };
    }
    match (error, compression) {
        (Some(error), _) => mistyped(of_topic, error, || without_schema(payload)),
        (None, Some(format)) => read(payload, format),
        (None, None) => without_schema(payload),
    }
}

/// A payload that is not of its topic's message type, as decoded without the schema.
fn mistyped(
    of_topic: MessageType<'_>,
    error: DecodeError,
    without_schema: impl FnOnce() -> Decoded,
) -> Decoded {
    match error {
        DecodeError::TooLarge(why) => Decoded::new(PayloadFormat::Protobuf, Content::Unread(why)),
        DecodeError::Mismatch(problem) => {
            Decoded { mismatch: Some(format!("not {}: {problem}", of_topic.name())), ..without_schema() }
        }
    }
}

/// Decodes a payload that should be in protocol buffers: as JSON, as fields by number, or by its shape.
fn without_schema(payload: &[u8]) -> Decoded {
    let is_json = matches!(shape(payload), Some((PayloadFormat::Json, _)));
    let fields = read(payload, PayloadFormat::Protobuf);
    match fields.content {
        Content::Json(_) if !is_json => fields,
        _ => by_shape(payload).unwrap_or(fields),
    }
}

/// Decodes a message with its schema.
fn message(payload: &[u8], of_topic: MessageType<'_>) -> Result<Decoded, DecodeError> {
    let mut out = Vec::with_capacity(payload.len());
    let mismatch = of_topic.write(payload, &mut Writer::new(&mut out, false))?;
    Ok(Decoded {
        message_type: Some(of_topic.name().to_owned()),
        mismatch,
        ..Decoded::new(PayloadFormat::Protobuf, Content::Json(text(out)))
    })
}

/// Decodes a payload below Sparkplug's topics. The states of hosts are JSON, and so are, against the specification, the payloads
/// of some libraries.
fn read_sparkplug(payload: &[u8], topic: Option<Topic<'_>>, hints: Hints<'_>) -> Decoded {
    if topic.is_some_and(|topic| topic.is_state()) {
        return read(payload, PayloadFormat::Json);
    }
    let births = hints.births.zip(topic.as_ref());
    let content = match sparkplug::compressed_body(payload) {
        Some((format, Decompressed::Content(body))) => {
            write(body.len(), |json| sparkplug::write(&body, births, Some(format), hints.notes, json)).into()
        }
        Some((_, Decompressed::Malformed(problem))) => Content::Malformed(problem),
        Some((_, Decompressed::Unread(why))) => Content::Unread(why),
        None => {
            write(payload.len(), |json| sparkplug::write(payload, births, None, hints.notes, json)).into()
        }
    };
    let is_json = || value(payload, PayloadFormat::Json).ok();
    match content {
        Content::Malformed(problem) => match is_json() {
            Some(json) => Decoded {
                mismatch: Some(format!("not {}: {problem}", PayloadFormat::Sparkplug)),
                ..Decoded::new(PayloadFormat::Json, Content::Json(json))
            },
            None => Decoded::new(PayloadFormat::Sparkplug, content),
        },
        content => Decoded::new(PayloadFormat::Sparkplug, content),
    }
}

fn read(payload: &[u8], format: PayloadFormat) -> Decoded {
    if !format.is_compression() {
        return Decoded::new(format, value(payload, format).into());
    }
    // The magic number takes precedence over the requested compression.
    let format = compressed::by_magic(payload).unwrap_or(format);
    match compressed::read(payload, format) {
        Decompressed::Content(content) => {
            let (inner, content) = unpacked(&content);
            Decoded { inner, ..Decoded::new(format, content) }
        }
        Decompressed::Malformed(problem) => Decoded::new(format, Content::Malformed(problem)),
        Decompressed::Unread(why) => Decoded::new(format, Content::Unread(why)),
    }
}

/// Detects the format by the payload's shape, if it is complete and unlikely to be anything else.
fn by_shape(payload: &[u8]) -> Option<Decoded> {
    if let Some(format) = compressed::by_magic(payload) {
        let decoded = read(payload, format);
        return (!matches!(decoded.content, Content::Malformed(_))).then_some(decoded);
    }
    let (format, json) = shape(payload)?;
    Some(Decoded::new(format, Content::Json(json)))
}

/// The format in which the whole payload is one map or array, if there is exactly one, and the value.
fn shape(payload: &[u8]) -> Option<(PayloadFormat, String)> {
    if may_be_json(payload)
        && std::str::from_utf8(payload).is_ok_and(|text| text.trim_start().starts_with(['{', '[']))
    {
        return Some((PayloadFormat::Json, value(payload, PayloadFormat::Json).ok()?));
    }
    let cbor = cbor::is_container(payload).then(|| value(payload, PayloadFormat::Cbor).ok()).flatten();
    let message_pack = msgpack::is_container(payload).then(|| strict_message_pack(payload).ok()).flatten();
    match (cbor, message_pack) {
        (Some(json), None) => Some((PayloadFormat::Cbor, json)),
        (None, Some(json)) => Some((PayloadFormat::MessagePack, json)),
        // If both parse, the payload is ambiguous.
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// Whether text, if it is text, may begin with an object or an array: a quick look at the first character that is no white space.
fn may_be_json(payload: &[u8]) -> bool {
    let first = payload.trim_ascii_start().first();
    first.is_some_and(|first| matches!(first, b'{' | b'[' | b'\x0b' | 0x80..))
}

fn strict_message_pack(payload: &[u8]) -> Result<String, Problem> {
    write(payload.len(), |json| msgpack::write(payload, msgpack::RawStrings::Refused, json))
}

/// Decodes decompressed data: by its shape, or else as text or bytes.
fn unpacked(content: &[u8]) -> (Option<PayloadFormat>, Content) {
    if let Some((format, json)) = shape(content) {
        return (Some(format), Content::Json(json));
    }
    let json = write(content.len(), |json| {
        match std::str::from_utf8(content) {
            Ok(text) => json.string(text),
            Err(_) => bytes(content, json),
        }
        Ok(())
    });
    (None, json.into())
}

/// The payload, decoded in this format.
fn value(payload: &[u8], format: PayloadFormat) -> Result<String, Problem> {
    write(payload.len(), |json| match format {
        PayloadFormat::Json => copy_value(payload, json).map_err(|_| json_problem(payload)),
        PayloadFormat::Cbor => cbor::write(payload, json),
        PayloadFormat::CborSequence => cbor::write_sequence(payload, json),
        PayloadFormat::MessagePack => msgpack::write(payload, msgpack::RawStrings::Shown, json),
        PayloadFormat::Sparkplug => sparkplug::write(payload, None, None, &[], json),
        PayloadFormat::Protobuf => protobuf::write(payload, json),
        PayloadFormat::Gzip
        | PayloadFormat::Zlib
        | PayloadFormat::Deflate
        | PayloadFormat::Zstd
        | PayloadFormat::Lz4
        | PayloadFormat::Snappy
        | PayloadFormat::Bzip2
        | PayloadFormat::Xz => Err(Problem { reason: "compressed more than once", at: 0 }),
    })
}

/// Runs the writer, with room for a payload of this length, and returns its JSON.
fn write(
    length: usize,
    content: impl FnOnce(&mut Writer<'_>) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let mut out = Vec::with_capacity(length);
    content(&mut Writer::new(&mut out, false))?;
    Ok(text(out))
}

/// The position of the first syntax error.
fn json_problem(payload: &[u8]) -> Problem {
    let reason = "not JSON";
    let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(payload) else {
        return Problem { reason, at: payload.len() };
    };
    let before = payload.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    Problem { reason, at: before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1) }
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
