//! The tests of a filter for messages of MQTT-SN.

use super::test::{NumberField, Test, TextField, TypeName, is_any, is_time, topics};
use crate::inspect::sn::Message;
use crate::inspect::sn::field_value::MINUS_ONE;
use crate::inspect::{Finding, Name};

impl Test {
    /// Whether a message has the field at all.
    pub(super) fn is_in_message(&self, message: &Message<'_>) -> bool {
        match self {
            Test::Type(_) | Test::Direction(_) | Test::FailedCode => true,
            Test::Text(field, _) => any_text(*field, message, |_| true),
            Test::Number(field, ..) => any_number(*field, message, |_| true),
            Test::Time(..) => message.at.time.is_some(),
            Test::Flag(name) => message.tree.find(*name).is_some(),
            Test::AnyFinding | Test::Severity(_) | Test::Statement(_) => true,
        }
    }

    pub(super) fn matches_message(&self, message: &Message<'_>, findings: &[Finding]) -> bool {
        let mut findings = message.tree.findings.iter().chain(findings);
        match self {
            Test::Type(wanted) => wanted.contains(&TypeName::Sn(message.kind)),
            Test::Direction(wanted) => message.direction == *wanted,
            Test::Text(field, test) => any_text(*field, message, |text| test.matches(*field, text)),
            Test::Number(field, comparison, wanted) => {
                any_number(*field, message, |value| is_any(*comparison, value, wanted))
            }
            Test::FailedCode => message.is_rejection(),
            Test::Time(comparison, _, limit) => is_time(message.at, *comparison, *limit),
            Test::Flag(name) => message.tree.is_set(*name),
            Test::AnyFinding => findings.next().is_some(),
            Test::Severity(wanted) => findings.any(|finding| finding.severity == *wanted),
            Test::Statement(wanted) => {
                findings.any(|finding| finding.statement().eq_ignore_ascii_case(wanted))
            }
        }
    }
}

/// Whether a text of this field meets the condition.
fn any_text(field: TextField, message: &Message<'_>, mut condition: impl FnMut(&[u8]) -> bool) -> bool {
    match field {
        TextField::Topic => {
            let resolved = message.facts.topic.as_deref().into_iter();
            resolved.chain(topics(message.tree)).any(|topic| condition(topic.as_bytes()))
        }
        TextField::Client => message.client.client_id.as_deref().is_some_and(|id| condition(id.as_bytes())),
        TextField::Payload => message.tree.bytes(Name::Payload).is_some_and(condition),
    }
}

/// Whether a value of this field meets the condition.
fn any_number(field: NumberField, message: &Message<'_>, condition: impl FnMut(u64) -> bool) -> bool {
    let tree = message.tree;
    let one = match field {
        NumberField::Code => return message.code().map(u64::from).into_iter().any(condition),
        NumberField::Connection => Some(message.connection.into()),
        NumberField::Frame => Some(message.at.frame),
        NumberField::PacketId => message.id().map(u64::from),
        // No number of a filter equals QoS -1.
        NumberField::Qos => tree.number(Name::Qos).filter(|qos| *qos != MINUS_ONE).map(u64::from),
        NumberField::Size => Some(message.length as u64),
        NumberField::PayloadLength => tree.find(Name::Payload).map(|payload| payload.range.len() as u64),
        NumberField::RoundTrip => message.facts.round_trip,
    };
    one.is_some_and(condition)
}
