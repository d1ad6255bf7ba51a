//! The last message of a topic.

use crate::protocol::{Properties, PropertiesBuf, Publish, Qos, Version};
use jiff::Timestamp;

/// The part of a payload that is kept.
const KEPT: usize = 1 << 20;

/// The cost of a value besides its payload and properties.
pub(super) const VALUE_BYTES: usize = 128;

/// A received message without its topic.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    payload: Box<[u8]>,
    properties: PropertiesBuf,
    /// The time of its arrival.
    pub(crate) time: Timestamp,
    /// The length of the whole payload.
    pub(crate) size: u32,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
}

impl Value {
    pub(crate) fn new(publish: &Publish<'_>, time: Timestamp) -> Value {
        Value {
            payload: kept(publish.payload).into(),
            properties: publish.properties.to_owned(),
            time,
            size: u32::try_from(publish.payload.len()).unwrap_or(u32::MAX),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
        }
    }

    /// No message: the place of a value that was removed.
    pub(super) fn empty() -> Value {
        Value {
            payload: Box::default(),
            properties: PropertiesBuf::new(),
            time: Timestamp::UNIX_EPOCH,
            size: 0,
            qos: Qos::AtMostOnce,
            retain: false,
            dup: false,
        }
    }

    /// As a new value, without an allocation if the payload has the same length.
    pub(super) fn replace(&mut self, publish: &Publish<'_>, time: Timestamp) {
        let payload = kept(publish.payload);
        if payload.len() != self.payload.len()
            || !(self.properties().is_empty() && publish.properties.is_empty())
        {
            *self = Value::new(publish, time);
            return;
        }
        self.payload.copy_from_slice(payload);
        self.size = u32::try_from(publish.payload.len()).unwrap_or(u32::MAX);
        (self.time, self.qos, self.retain, self.dup) = (time, publish.qos, publish.retain, publish.dup);
    }

    /// As [`Value::replace`], but without the payload, for which there is no room.
    pub(super) fn replace_without_payload(&mut self, publish: &Publish<'_>, time: Timestamp) {
        let properties = Properties::EMPTY;
        *self = Value::new(&Publish { payload: &[], properties, ..*publish }, time);
        self.size = u32::try_from(publish.payload.len()).unwrap_or(u32::MAX);
    }

    /// The payload, or its start if it is too long.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether the payload is complete.
    pub(crate) fn is_whole(&self) -> bool {
        self.payload.len() == self.size as usize
    }

    pub(crate) fn properties(&self) -> Properties<'_> {
        self.properties.as_properties()
    }

    /// The bytes that it takes.
    pub(crate) fn memory(&self) -> usize {
        VALUE_BYTES + self.payload.len() + self.properties().encoded_length(Version::V5)
    }

    /// The message again, on this topic.
    pub(crate) fn as_publish<'a>(&'a self, topic: &'a str) -> Publish<'a> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic,
            packet_id: None,
            properties: self.properties(),
            payload: &self.payload,
        }
    }
}

/// The bytes that a value of this message takes.
pub(super) fn memory_of(publish: &Publish<'_>) -> usize {
    VALUE_BYTES + kept(publish.payload).len() + publish.properties.encoded_length(Version::V5)
}

fn kept(payload: &[u8]) -> &[u8] {
    payload.get(..KEPT).unwrap_or(payload)
}
