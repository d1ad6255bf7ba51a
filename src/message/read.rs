//! Parses a JSON object as a message to publish. An unknown key is an error, since a misspelled one would be ignored silently.

use super::{Encoding, Message};
use crate::input_file::without_mark;
use crate::protocol::property::PropertyError;
use crate::protocol::{PropertiesBuf, PropertyId, PropertyValue, Qos, TopicName};
use crate::suggestion::did_you_mean;
use jiff::Timestamp;
use serde_core::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

const KEYS: &[&str] = &[
    "time",
    "topic",
    "qos",
    "retain",
    "dup",
    "packet_id",
    "payload_encoding",
    "payload",
    "payload_format",
    "payload_type",
    "payload_decoded",
    "payload_problem",
    "properties",
];

const PROPERTY_KEYS: &[&str] = &[
    "payload_format_indicator",
    "message_expiry_interval",
    "content_type",
    "response_topic",
    "correlation_data_encoding",
    "correlation_data",
    "subscription_identifiers",
    "topic_alias",
    "user_properties",
];

/// The reason why a text is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub(crate) struct MessageError {
    /// The position of the error in bytes, from 1.
    pub column: usize,
    /// The reason.
    pub problem: String,
}

/// Parses the JSON object of a message. Its time is not published, so one in another program's format is ignored.
///
/// # Errors
/// The problem and its position.
pub(crate) fn read(text: &[u8]) -> Result<Message, MessageError> {
    read_with(text, |value| Ok(recorded_time(value).ok().flatten()))
}

/// Parses the JSON object of a message in a recording, whose time decides when it is replayed.
///
/// # Errors
/// The problem and its position.
pub(crate) fn read_recorded(text: &[u8]) -> Result<Message, MessageError> {
    read_with(text, recorded_time)
}

/// Whether a text is whole JSON, so that a problem in it does not come from a missing end.
pub(crate) fn is_whole(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(without_mark(text)).is_ok()
}

fn read_with(
    text: &[u8],
    time: impl Fn(RawText<'_>) -> Result<Option<Timestamp>, MessageError>,
) -> Result<Message, MessageError> {
    // Editors write a byte order mark at the start of a file, and files may be concatenated.
    let text = without_mark(text);
    let entries =
        entries(serde_json::Deserializer::from_slice(text), KEYS).map_err(|error| malformed(&error, 0))?;
    let start = text.as_ptr() as usize;
    let mut message = Message {
        topic: None,
        payload: Vec::new(),
        is_json: false,
        qos: None,
        retain: None,
        time: None,
        properties: PropertiesBuf::new(),
        left_out: Vec::new(),
    };
    let mut payload = None;
    let mut encoding = Encoding::Utf8;
    for (key, raw) in entries {
        let value = RawText::new(raw, start);
        match key {
            "time" => message.time = time(value)?,
            "topic" => message.topic = Some(value.topic()?),
            "qos" => message.qos = Some(value.qos()?),
            "retain" => message.retain = Some(value.boolean()?),
            "payload_encoding" => encoding = value.encoding()?,
            "payload" => payload = Some(value),
            "properties" => (message.properties, message.left_out) = read_properties(value, start)?,
            // The other keys repeat the payload, or describe the connection on which the message arrived.
            _ => {}
        }
    }
    if let Some(payload) = payload {
        message.is_json = !payload.text.starts_with('"') && payload.text != "null";
        message.payload = payload.payload(encoding)?;
    }
    Ok(message)
}

/// Parses the JSON object of a message's properties. Also returns the reasons for those that were left out.
///
/// # Errors
/// The problem and its position.
#[cfg(feature = "sqlite")]
pub(crate) fn read_properties_of(text: &str) -> Result<(PropertiesBuf, Vec<String>), MessageError> {
    read_properties(RawText { text, column: 1 }, text.as_ptr() as usize)
}

fn read_properties(object: RawText<'_>, start: usize) -> Result<(PropertiesBuf, Vec<String>), MessageError> {
    let (mut list, mut left_out) = (PropertiesBuf::new(), Vec::new());
    if object.text == "null" {
        return Ok((list, left_out));
    }
    let entries = entries(serde_json::Deserializer::from_str(object.text), PROPERTY_KEYS)
        .map_err(|error| malformed(&error, object.column - 1))?;
    let encoding = entries.iter().find(|(key, _)| *key == "correlation_data_encoding");
    let encoding = encoding.map_or(Ok(Encoding::Utf8), |(_, raw)| RawText::new(raw, start).encoding())?;
    for (key, raw) in entries {
        let value = RawText::new(raw, start);
        let mut push = |id: PropertyId, property: PropertyValue<'_>| match list.push(id, property) {
            Err(error @ PropertyError::InvalidValue(..)) => {
                left_out.push(error.to_string());
                Ok(())
            }
            pushed => pushed.map_err(|error| value.error(error.to_string())),
        };
        match key {
            "payload_format_indicator" => {
                push(PropertyId::PayloadFormatIndicator, PropertyValue::Number(value.number()?))?;
            }
            "message_expiry_interval" => {
                push(PropertyId::MessageExpiryInterval, PropertyValue::Number(value.number()?))?;
            }
            "content_type" => push(PropertyId::ContentType, PropertyValue::Text(&value.mqtt_string()?))?,
            "response_topic" => push(PropertyId::ResponseTopic, PropertyValue::Text(&value.mqtt_string()?))?,
            "correlation_data" => {
                push(PropertyId::CorrelationData, PropertyValue::Binary(&value.bytes(encoding)?))?;
            }
            "user_properties" => {
                for (name, text) in &value.pairs()? {
                    push(PropertyId::UserProperty, PropertyValue::Pair(name, text))?;
                }
            }
            // The encoding was read already; the others belong to the connection on which the message arrived.
            _ => {}
        }
    }
    Ok((list, left_out))
}

/// A time; null is none.
fn recorded_time(value: RawText<'_>) -> Result<Option<Timestamp>, MessageError> {
    if value.text == "null" {
        return Ok(None);
    }
    let time = value.string().ok().and_then(|text| text.parse().ok());
    time.map(Some).ok_or_else(|| value.wrong("a time such as \"2026-01-31T12:00:00Z\""))
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    format!("unknown key {key:?}{}", did_you_mean(key, known.iter().copied()))
}

/// An error of serde_json, with the position moved to the front.
fn malformed(error: &serde_json::Error, offset: usize) -> MessageError {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    MessageError { column: offset + error.column().max(1), problem: problem.to_owned() }
}

/// A value as written.
#[derive(Debug, Clone, Copy)]
struct RawText<'t> {
    text: &'t str,
    /// The position of its first byte in the line, from 1.
    column: usize,
}

impl<'t> RawText<'t> {
    /// A part of the text that begins at the address `start`.
    fn new(raw: &'t RawValue, start: usize) -> RawText<'t> {
        let text = raw.get();
        RawText { text, column: (text.as_ptr() as usize).saturating_sub(start) + 1 }
    }

    fn error(self, problem: String) -> MessageError {
        MessageError { column: self.column, problem }
    }

    fn wrong(self, wanted: &str) -> MessageError {
        let shown: String = self.text.chars().take(40).collect();
        let dots = if shown.len() < self.text.len() { "..." } else { "" };
        self.error(format!("expected {wanted}, found {shown}{dots}"))
    }

    fn string(self) -> Result<String, MessageError> {
        serde_json::from_str(self.text).map_err(|_| self.wrong("a string"))
    }

    /// A string without null characters [MQTT-1.5.4-2].
    fn mqtt_string(self) -> Result<String, MessageError> {
        self.without_null(self.string()?)
    }

    fn without_null(self, text: String) -> Result<String, MessageError> {
        if text.contains('\0') {
            return Err(self.error(format!("{text:?} contains a null character, which MQTT does not allow")));
        }
        Ok(text)
    }

    fn number(self) -> Result<u32, MessageError> {
        self.text.parse().map_err(|_| self.wrong("a whole number up to 4294967295"))
    }

    fn boolean(self) -> Result<bool, MessageError> {
        self.text.parse().map_err(|_| self.wrong("true or false"))
    }

    fn qos(self) -> Result<Qos, MessageError> {
        let qos = self.text.parse().ok().and_then(Qos::from_u8);
        qos.ok_or_else(|| self.wrong("a QoS of 0, 1 or 2"))
    }

    fn topic(self) -> Result<TopicName, MessageError> {
        let topic = self.string()?;
        TopicName::parse(&topic).map_err(|error| self.error(format!("invalid topic {topic:?}: {error}")))
    }

    fn encoding(self) -> Result<Encoding, MessageError> {
        let name = self.string()?;
        let encoding = Encoding::ALL.into_iter().find(|encoding| encoding.name() == name);
        encoding.ok_or_else(|| self.wrong("\"utf8\", \"base64\" or \"hex\""))
    }

    fn bytes(self, encoding: Encoding) -> Result<Vec<u8>, MessageError> {
        encoding.decode(self.string()?).map_err(|problem| self.error(problem))
    }

    /// The bytes of a string, no bytes for null, and the text of any other value, for hand-written messages.
    fn payload(self, encoding: Encoding) -> Result<Vec<u8>, MessageError> {
        match (self.text, encoding) {
            (text, _) if text.starts_with('"') => self.bytes(encoding),
            ("null", _) => Ok(Vec::new()),
            (text, Encoding::Utf8) => Ok(text.as_bytes().to_vec()),
            (_, Encoding::Base64 | Encoding::Hex) => {
                Err(self.wrong(&format!("a string in {}", encoding.name())))
            }
        }
    }

    fn pairs(self) -> Result<Vec<(String, String)>, MessageError> {
        let pairs: Vec<(String, String)> =
            serde_json::from_str(self.text).map_err(|_| self.wrong("an array of [\"name\", \"value\"]"))?;
        let checked = |(name, value)| Ok((self.without_null(name)?, self.without_null(value)?));
        pairs.into_iter().map(checked).collect()
    }
}

/// An object's keys and values, in order.
type Entries<'t> = Vec<(&'static str, &'t RawValue)>;

/// Reads one object that has only these keys, and no duplicates.
fn entries<'de, R: serde_json::de::Read<'de>>(
    mut json: serde_json::Deserializer<R>,
    known: &'static [&'static str],
) -> serde_json::Result<Entries<'de>> {
    let entries = json.deserialize_map(EntriesVisitor { known })?;
    json.end()?;
    Ok(entries)
}

struct EntriesVisitor {
    known: &'static [&'static str],
}

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Entries::new();
        while let Some(key) = map.next_key::<String>()? {
            let Some(known) = self.known.iter().find(|known| **known == key) else {
                return Err(A::Error::custom(unknown_key(&key, self.known)));
            };
            if entries.iter().any(|(earlier, _)| earlier == known) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            entries.push((known, map.next_value()?));
        }
        Ok(entries)
    }
}
