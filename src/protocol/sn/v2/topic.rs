//! Topics on the wire: names, and the two kinds of topic aliases (MQTT-SN 2.0, section 2.4).

use super::field::put_long;
use super::{DecodeError, Reader};
use crate::protocol::sn::{EncodeError, Problem};

/// The bits of the topic type in the flags.
pub(super) const TOPIC_TYPE: u8 = 0x03;

const SESSION: u8 = 0;
const PREDEFINED: u8 = 1;
pub(super) const NAME: u8 = 3;

/// A number in place of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicAlias {
    /// The server assigned it for the session.
    Session(u16),
    /// Client and server know it in advance.
    Predefined(u16),
}

/// A topic, or a filter in SUBSCRIBE and UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic<'a> {
    /// A topic alias.
    Alias(TopicAlias),
    /// A topic name or filter.
    Name(&'a str),
}

impl TopicAlias {
    /// The number.
    pub fn value(self) -> u16 {
        match self {
            TopicAlias::Session(alias) | TopicAlias::Predefined(alias) => alias,
        }
    }

    pub(super) fn topic_type(self) -> u8 {
        match self {
            TopicAlias::Session(_) => SESSION,
            TopicAlias::Predefined(_) => PREDEFINED,
        }
    }

    /// Reads an alias. `flags_place` is the offset of the flags.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        flags: u8,
        flags_place: usize,
    ) -> Result<TopicAlias, DecodeError> {
        match flags & TOPIC_TYPE {
            SESSION => reader.u16("topic alias").map(TopicAlias::Session),
            PREDEFINED => reader.u16("topic alias").map(TopicAlias::Predefined),
            value => Err(reader.error_at(flags_place, Problem::TopicType { value })),
        }
    }

    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.value().to_be_bytes());
    }
}

impl<'a> Topic<'a> {
    pub(super) fn topic_type(self) -> u8 {
        match self {
            Topic::Alias(alias) => alias.topic_type(),
            Topic::Name(_) => NAME,
        }
    }

    /// Reads an alias, or a name after its length.
    pub(super) fn read_before_payload(
        reader: &mut Reader<'a>,
        flags: u8,
        flags_place: usize,
    ) -> Result<Topic<'a>, DecodeError> {
        if flags & TOPIC_TYPE != NAME {
            return TopicAlias::read(reader, flags, flags_place).map(Topic::Alias);
        }
        let place = reader.offset();
        match reader.u16("topic length")? {
            0 => Err(reader.error_at(place, Problem::EmptyField { field: "topic name" })),
            length => reader.text(length.into(), "topic name").map(Topic::Name),
        }
    }

    /// Reads an alias, or a filter up to the end.
    pub(super) fn read_last(
        reader: &mut Reader<'a>,
        flags: u8,
        flags_place: usize,
    ) -> Result<Topic<'a>, DecodeError> {
        if flags & TOPIC_TYPE == NAME {
            return reader.non_empty_string("topic filter").map(Topic::Name);
        }
        TopicAlias::read(reader, flags, flags_place).map(Topic::Alias)
    }

    /// The number of its alias, to recognise copies of a message; 0 for a name.
    pub fn number(&self) -> u16 {
        match self {
            Topic::Alias(alias) => alias.value(),
            Topic::Name(_) => 0,
        }
    }

    pub(super) fn put_before_payload(self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Topic::Alias(alias) => alias.put(out),
            Topic::Name(name) => return put_long(out, name.as_bytes(), "topic name"),
        }
        Ok(())
    }

    pub(super) fn put_last(self, out: &mut Vec<u8>) {
        match self {
            Topic::Alias(alias) => alias.put(out),
            Topic::Name(name) => out.extend_from_slice(name.as_bytes()),
        }
    }
}
