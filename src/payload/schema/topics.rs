//! The message types of topics.

use super::decode::{self, DecodeError};
use super::encode::{self, EncodeError};
use super::link::{MessageId, Schema};
use crate::json::Writer;
use crate::protocol::TopicFilter;

/// A message type for the topics of a filter, or for all topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeRule {
    pub(crate) filter: Option<TopicFilter>,
    pub(crate) type_name: String,
}

/// A schema, and the types of topics in it.
#[derive(Debug)]
pub(crate) struct MessageTypes {
    schema: Schema,
    /// Groups of rules: a group counts only for topics without a rule in those before.
    groups: Vec<Vec<(TypeRule, MessageId)>>,
}

/// The message type of a topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageType<'t> {
    schema: &'t Schema,
    id: MessageId,
}

impl MessageTypes {
    pub(crate) fn new(schema: Schema) -> MessageTypes {
        MessageTypes { schema, groups: Vec::new() }
    }

    /// Adds a group of rules.
    ///
    /// # Errors
    /// The unknown type, with the types of the schema.
    pub(crate) fn add(&mut self, rules: &[TypeRule]) -> Result<(), String> {
        let found = rules.iter().map(|rule| Ok((rule.clone(), self.schema.named(&rule.type_name)?)));
        self.groups.push(found.collect::<Result<_, String>>()?);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn groups_mut(&mut self) -> &mut Vec<Vec<(TypeRule, MessageId)>> {
        &mut self.groups
    }

    /// The type of a topic: that of the most exact filter, or the last one of several.
    pub(crate) fn of_topic(&self, topic: &str) -> Option<MessageType<'_>> {
        let matching =
            |rule: &&(TypeRule, MessageId)| rule.0.filter.as_ref().is_none_or(|filter| filter.matches(topic));
        let mut groups = self.groups.iter();
        let (_, id) = groups.find_map(|group| {
            group.iter().filter(matching).max_by(|one, other| exactness(&one.0).cmp(&exactness(&other.0)))
        })?;
        Some(MessageType { schema: &self.schema, id: *id })
    }
}

/// A rank by which filters are compared, level by level: names before `+`, `+` before `#`, and no filter last.
fn exactness(rule: &TypeRule) -> Vec<u8> {
    let Some(filter) = &rule.filter else { return Vec::new() };
    let rank = |level: &str| match level {
        "#" => 1,
        "+" => 2,
        _ => 3,
    };
    let levels = filter.as_str().split('/').map(rank);
    // The end of a filter is more exact than `#`, which matches the same topic.
    levels.chain((!filter.as_str().ends_with('#')).then_some(4)).collect()
}

impl<'t> MessageType<'t> {
    /// The full name.
    pub(crate) fn name(self) -> &'t str {
        self.schema.name(self.id)
    }

    /// Writes a payload as JSON; returns a note on missing fields, or on a part that JSON cannot represent.
    pub(in crate::payload) fn write(
        self,
        payload: &[u8],
        json: &mut Writer<'_>,
    ) -> Result<Option<String>, DecodeError> {
        decode::write(self.schema, self.id, payload, json)
    }

    /// Encodes JSON as a payload.
    ///
    /// # Errors
    /// The path of the fault, and the problem.
    pub(crate) fn encode(self, text: &[u8]) -> Result<Vec<u8>, EncodeError> {
        encode::encode(self.schema, self.id, text)
    }
}
