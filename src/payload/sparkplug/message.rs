//! A message of a node, or a command to it: the fields that sessions and requirements are about.

use super::topic::{MessageType, Topic};
use super::{Metric, inflated};
use crate::payload::Problem;
use crate::payload::protobuf::{Field, WireValue, fields};
use std::borrow::Cow;

/// The name of the metric that pairs a node's birth with its death.
pub(super) const BD_SEQ: &str = "bdSeq";

/// The name of the metric with which hosts request another birth.
pub(super) const REBIRTH: &str = "Node Control/Rebirth";

/// The field of a boolean value in a metric.
const BOOLEAN_VALUE: u64 = 14;

/// A decoded message.
pub(crate) struct Message<'a> {
    pub(crate) topic: Topic<'a>,
    pub(crate) message_type: MessageType,
    /// In milliseconds since 1970.
    pub(crate) timestamp: Option<u64>,
    pub(crate) seq: Option<u64>,
    pub(super) content: &'a [u8],
    fields: Vec<Field<'a>>,
}

/// The payload itself, or its content if it is compressed.
pub(crate) fn content(payload: &[u8]) -> Cow<'_, [u8]> {
    inflated(payload).map_or(Cow::Borrowed(payload), Cow::Owned)
}

impl<'a> Message<'a> {
    /// Reads a payload that is not compressed.
    pub(crate) fn read(
        topic: Topic<'a>,
        message_type: MessageType,
        content: &'a [u8],
    ) -> Result<Message<'a>, Problem> {
        let fields = fields(content, 0)?;
        let (mut timestamp, mut seq) = (None, None);
        for field in &fields {
            match (field.number, field.value) {
                (1, WireValue::Number(value)) => timestamp = Some(value),
                (3, WireValue::Number(value)) => seq = Some(value),
                (2, WireValue::Bytes(metric)) => {
                    Metric::read(metric, field.at)?;
                }
                (4 | 5, WireValue::Bytes(_)) | (6.., _) => {}
                _ => return Err(Problem { reason: "not a Sparkplug payload", at: field.at }),
            }
        }
        Ok(Message { topic, message_type, timestamp, seq, content, fields })
    }

    pub(super) fn metrics(&self) -> impl Iterator<Item = Metric<'a>> {
        self.fields.iter().filter_map(|field| match (field.number, field.value) {
            (2, WireValue::Bytes(metric)) => Metric::read(metric, field.at).ok(),
            _ => None,
        })
    }

    /// The value of the metric `bdSeq`.
    pub(crate) fn bd_seq(&self) -> Option<u64> {
        self.metrics().find(|metric| metric.name == Some(BD_SEQ))?.number()
    }

    /// Whether it is a command that requests a birth.
    pub(crate) fn requests_rebirth(&self) -> bool {
        self.message_type == MessageType::NodeCommand
            && self.metrics().any(|metric| metric.name == Some(REBIRTH) && metric.boolean() == Some(true))
    }
}

impl Metric<'_> {
    pub(super) fn number(&self) -> Option<u64> {
        match self.value?.value {
            WireValue::Number(value) => Some(value),
            WireValue::Fixed32(_) | WireValue::Fixed64(_) | WireValue::Bytes(_) | WireValue::Group(_) => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let is_boolean = self.value.is_some_and(|value| value.number == BOOLEAN_VALUE);
        self.number().filter(|_| is_boolean).map(|value| value != 0)
    }
}
