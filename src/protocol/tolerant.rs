//! Reads a PUBLISH whose values violate the specification, if its fields can be delimited.
//!
//! Some brokers forward invalid values from publishers: a response topic with wildcards, a payload format indicator of 2, text
//! that is not UTF-8. MQTT 5 lets a receiver close the connection, but then a subscriber loses every other message because of
//! one bad publisher, and a persistent session delivers that message again after each reconnect. Errors in lengths, property
//! identifiers, the packet identifier or the topic alias are fatal: they leave the rest of the packet, or the state of the
//! connection, unknown.
//!
//! Valid packets cost nothing more, since this runs only after [`Packet::decode`] failed.

use super::error::{DecodeError, Problem};
use super::property::{Context, Encoding, PropertyId, PropertyValue, Rule};
use super::reader::Reader;
use super::{Frame, Packet, PacketType, PropertiesBuf, Publish, Qos, Version, publish, topic};
use std::borrow::Cow;
use std::fmt;

/// The maximum of defects kept per message; a packet can hold millions.
const MAX_DEFECTS: usize = 8;

const TOPIC: &str = "topic name";

/// The maximum of characters of an invalid topic in a defect.
const SHOWN: usize = 100;

/// A rule that a message breaks, and the treatment of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The rule, with the property or field.
    pub problem: Problem,
    /// The treatment of the value.
    pub treatment: Treatment,
}

/// The treatment of a value that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It is passed on as received.
    Kept,
    /// Invalid characters are replaced with U+FFFD.
    Replaced,
    /// It is removed.
    LeftOut,
}

impl Defect {
    /// Whether the topic is invalid, so that nothing can be published to it.
    pub fn is_about_topic(&self) -> bool {
        match &self.problem {
            Problem::NoTopic => true,
            Problem::InvalidUtf8 { field }
            | Problem::NullCharacter { field }
            | Problem::Topic { field, .. } => *field == TOPIC,
            _ => false,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let treatment = match self.treatment {
            Treatment::Kept => "kept as received",
            Treatment::Replaced => "shown with U+FFFD instead",
            Treatment::LeftOut => "left out",
        };
        write!(f, "{} ({treatment})", self.problem)
    }
}

/// The rewritten parts of a message. All packets of a connection can reuse one value.
#[derive(Debug, Default)]
pub struct Mended {
    topic: String,
    properties: PropertiesBuf,
}

impl<'a> Packet<'a> {
    /// Reads a packet as [`Packet::decode`] does, but accepts a PUBLISH that breaks rules. `defects` becomes the list of the
    /// packet's defects; a pair of packet and list as the result would make valid packets slower by a copy.
    ///
    /// # Errors
    /// If the packet cannot be read.
    #[inline]
    pub fn decode_tolerantly(
        frame: Frame<'a>,
        version: Version,
        mended: &'a mut Mended,
        defects: &mut Vec<Defect>,
    ) -> Result<Packet<'a>, DecodeError> {
        defects.clear();
        let decoded = Packet::decode(frame, version);
        if decoded.is_err() && frame.packet_type == PacketType::Publish {
            return Mending { mended, defects }.read(&frame, version).map(Packet::Publish);
        }
        decoded
    }
}

/// A message while it is read.
struct Mending<'m, 'd> {
    mended: &'m mut Mended,
    defects: &'d mut Vec<Defect>,
}

impl<'m> Mending<'m, '_> {
    #[cold]
    fn read(mut self, frame: &Frame<'m>, version: Version) -> Result<Publish<'m>, DecodeError> {
        *self.mended = Mended::default();
        let reader = &mut frame.reader();
        let publish::Flags { dup, qos, retain } = publish::Flags::decode(reader, frame.flags())?;
        let is_acknowledged = qos != Qos::AtMostOnce;
        if dup && !is_acknowledged {
            self.note(Problem::DupAtQosZero, Treatment::LeftOut);
        }
        self.mended.topic = self.text(reader, TOPIC)?.into_owned();
        let packet_id = if is_acknowledged { Some(reader.packet_id()?) } else { None };
        if version.is_v5() {
            self.read_properties(reader)?;
        }
        self.check_topic(version);
        let Mended { topic, properties } = self.mended;
        Ok(Publish {
            dup: dup && is_acknowledged,
            qos,
            retain,
            topic,
            packet_id,
            properties: properties.as_properties(),
            payload: reader.rest(),
        })
    }

    /// Notes the defects of a topic in the packet; it may be empty if there is an alias.
    fn check_topic(&mut self, version: Version) {
        let Mended { topic, properties } = &*self.mended;
        let has_alias = properties.as_properties().find(PropertyId::TopicAlias).is_some();
        match topic::check_name(topic) {
            Err(_) if topic.is_empty() && has_alias => {}
            Err(_) if topic.is_empty() && version.is_v5() => {
                self.note(Problem::NoTopic, Treatment::Kept);
            }
            Err(error) => {
                let topic = excerpt(topic);
                self.note(Problem::Topic { field: TOPIC, topic, error }, Treatment::Kept);
            }
            Ok(()) => {}
        }
    }

    fn read_properties(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let length = reader.variable_byte_integer("property length")?;
        let mut list = reader.sub_reader(length as usize, "properties")?;
        let mut seen = 0u64;
        while !list.is_empty() {
            self.read_property(&mut list, &mut seen)?;
        }
        Ok(())
    }

    fn read_property(&mut self, list: &mut Reader<'_>, seen: &mut u64) -> Result<(), DecodeError> {
        let offset = list.offset();
        let id = PropertyId::decode(list)?;
        let rule = id.check_place(Context::Publish, *seen);
        *seen |= id.bit();
        match id.encoding() {
            Encoding::Utf8String => {
                let text = self.text(list, id.name())?;
                self.keep(id, PropertyValue::Text(&text), rule);
            }
            Encoding::Utf8StringPair => {
                let name = self.text(list, "user property name")?;
                let value = self.text(list, "user property value")?;
                self.keep(id, PropertyValue::Pair(&name, &value), rule);
            }
            Encoding::Flag
            | Encoding::TwoByteInteger
            | Encoding::FourByteInteger
            | Encoding::VariableByteInteger
            | Encoding::BinaryData => {
                let value = id.decode_value(list)?;
                // The broker sets it, and later topics depend on it.
                if id == PropertyId::TopicAlias {
                    rule.clone().map_err(|problem| list.error_at(offset, problem))?;
                    id.check_value(value).map_err(|problem| list.error_at(offset, problem))?;
                }
                self.keep(id, value, rule);
            }
        }
        Ok(())
    }

    /// Adds a property to the result, unless it is not allowed there.
    fn keep(&mut self, id: PropertyId, value: PropertyValue<'_>, rule: Rule) {
        if let Err(problem) = rule {
            return self.note(problem, Treatment::LeftOut);
        }
        let problem = id.check_value(value).err();
        // Only a text that grew over its limit through replacements does not fit.
        let is_kept = self.mended.properties.push_received(id, value);
        match problem {
            Some(Problem::Topic { field, topic, error }) => {
                let topic = excerpt(&topic);
                self.note(Problem::Topic { field, topic, error }, Treatment::Kept);
            }
            Some(problem) => self.note(problem, Treatment::Kept),
            None if !is_kept => self.note(Problem::InvalidUtf8 { field: id.name() }, Treatment::LeftOut),
            None => {}
        }
    }

    /// A string with any content; invalid characters are replaced.
    fn text<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        field: &'static str,
    ) -> Result<Cow<'a, str>, DecodeError> {
        let text = String::from_utf8_lossy(reader.binary(field)?);
        if let Cow::Owned(_) = text {
            self.note(Problem::InvalidUtf8 { field }, Treatment::Replaced);
        }
        if !text.contains('\0') {
            return Ok(text);
        }
        self.note(Problem::NullCharacter { field }, Treatment::Replaced);
        Ok(text.replace('\0', "\u{FFFD}").into())
    }

    fn note(&mut self, problem: Problem, treatment: Treatment) {
        let defect = Defect { problem, treatment };
        if self.defects.len() < MAX_DEFECTS && !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}

/// The beginning of a topic that may be long.
fn excerpt(topic: &str) -> String {
    match topic.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", topic.get(..end).unwrap_or_default()),
        None => topic.to_owned(),
    }
}
