//! The tests of a filter: one field of a packet against values.

use super::time::TimePoint;
use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::sn::{MessageKind, SnItem};
use crate::inspect::{Direction, Finding, Item, Name, Packet, Severity, Value};
use crate::protocol::{PacketType, Version, topic};
use regex::bytes::Regex;

/// A test of one field.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Type(Vec<TypeName>),
    Direction(Direction),
    Text(TextField, TextTest),
    Number(NumberField, Comparison, Vec<u64>),
    /// Any code that reports a failure.
    FailedCode,
    /// The time of the packet; the second one is set when the first packet is known.
    Time(Comparison, TimePoint, Option<u64>),
    /// A bit of PUBLISH that is set.
    Flag(Name),
    AnyFinding,
    Severity(Severity),
    Statement(String),
}

/// A packet type of MQTT, or a message type of MQTT-SN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeName {
    Mqtt(PacketType),
    Sn(MessageKind),
}

/// The fields that are text or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextField {
    /// Topic names, topic filters, and the topic of a will.
    Topic,
    Client,
    Payload,
}

/// The comparison of a text. All values are compared with each text of the packet.
#[derive(Debug, Clone)]
pub(super) enum TextTest {
    /// One of these: topic filters, client identifiers with `*`, or whole payloads.
    Is(Vec<String>),
    /// Has a match of the regular expression.
    Matches(Regex),
}

/// The fields that are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberField {
    Connection,
    Frame,
    PacketId,
    Qos,
    Code,
    /// The length of the packet in bytes.
    Size,
    /// The length of the payload in bytes.
    PayloadLength,
    /// Nanoseconds since the packet that this one answers.
    RoundTrip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

impl Test {
    pub(super) fn since(point: TimePoint) -> Test {
        Test::Time(Comparison::GreaterOrEqual, point, None)
    }

    pub(super) fn until(point: TimePoint) -> Test {
        Test::Time(Comparison::LessOrEqual, point, None)
    }

    /// Sets the time of the first packet.
    pub(super) fn start(&mut self, start: u64) {
        if let Test::Time(_, point, resolved) = self {
            *resolved = Some(point.resolve(start));
        }
    }

    /// Whether a packet has the field at all. A test with `!=` holds only then.
    pub(super) fn is_present(&self, item: &Item<'_>) -> bool {
        let packet = match item {
            Item::Packet(packet) => packet,
            Item::Sn(SnItem::Message(message)) => return self.is_in_message(message),
            item => return self.matches_event(item).is_some(),
        };
        match self {
            Test::Type(_) | Test::Direction(_) | Test::FailedCode => true,
            Test::Text(field, _) => field.any(packet, |_| true),
            Test::Number(field, ..) => field.any(packet, |_| true),
            Test::Time(..) => packet.at.time.is_some(),
            Test::Flag(name) => packet.tree.find(*name).is_some(),
            Test::AnyFinding | Test::Severity(_) | Test::Statement(_) => true,
        }
    }

    pub(super) fn matches(&self, item: &Item<'_>, findings: &[Finding]) -> bool {
        match item {
            Item::Packet(packet) => self.matches_packet(packet, findings),
            Item::Sn(SnItem::Message(message)) => self.matches_message(message, findings),
            Item::Gap(_) | Item::Skipped(_) | Item::Event(_) | Item::Sn(_) => {
                self.matches_event(item).unwrap_or_default()
            }
        }
    }

    /// Whether an event meets a test of its place or time; `None` for other tests.
    fn matches_event(&self, item: &Item<'_>) -> Option<bool> {
        let at = item.at();
        match self {
            Test::Number(NumberField::Connection, comparison, wanted) => {
                Some(is_any(*comparison, item.connection().into(), wanted))
            }
            Test::Number(NumberField::Frame, comparison, wanted) => {
                Some(is_any(*comparison, at.frame, wanted))
            }
            Test::Time(comparison, _, limit) => Some(is_time(at, *comparison, *limit)),
            _ => None,
        }
    }

    fn matches_packet(&self, packet: &Packet<'_>, findings: &[Finding]) -> bool {
        let mut findings = packet.tree.findings.iter().chain(findings);
        match self {
            Test::Type(wanted) => {
                packet.packet_type.is_some_and(|kind| wanted.contains(&TypeName::Mqtt(kind)))
            }
            Test::Direction(wanted) => packet.direction == *wanted,
            Test::Text(field, test) => field.any(packet, |text| test.matches(*field, text)),
            Test::Number(field, comparison, wanted) => {
                field.any(packet, |value| is_any(*comparison, value, wanted))
            }
            Test::FailedCode => has_failed(packet),
            Test::Time(comparison, _, limit) => is_time(packet.at, *comparison, *limit),
            Test::Flag(name) => packet.tree.is_set(*name),
            Test::AnyFinding => findings.next().is_some(),
            Test::Severity(wanted) => findings.any(|finding| finding.severity == *wanted),
            Test::Statement(wanted) => {
                let version = packet.tracker.version.unwrap_or(Version::V311);
                findings.any(|finding| finding.rule.id(version).eq_ignore_ascii_case(wanted))
            }
        }
    }
}

pub(super) fn is_any(comparison: Comparison, value: u64, wanted: &[u64]) -> bool {
    wanted.iter().any(|wanted| comparison.holds(value, *wanted))
}

pub(super) fn is_time(at: Moment, comparison: Comparison, limit: Option<u64>) -> bool {
    at.time.zip(limit).is_some_and(|(time, limit)| comparison.holds(time, limit))
}

/// Whether a code reports a failure.
fn has_failed(packet: &Packet<'_>) -> bool {
    let is_v5 = packet.tracker.version.is_some_and(Version::is_v5);
    let failed = |code| code >= 0x80 || (!is_v5 && code > 2);
    codes(packet.tree).any(failed) || packet.tree.number(Name::ReturnCode).is_some_and(|code| code > 0)
}

impl TextField {
    /// Whether a text of this field meets the condition.
    fn any(self, packet: &Packet<'_>, mut condition: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            TextField::Topic => {
                let resolved = packet.facts.topic.as_deref().into_iter();
                resolved.chain(topics(packet.tree)).any(|topic| condition(topic.as_bytes()))
            }
            TextField::Client => {
                packet.tracker.client_id.as_deref().is_some_and(|id| condition(id.as_bytes()))
            }
            TextField::Payload => packet.tree.bytes(Name::Payload).is_some_and(condition),
        }
    }
}

impl TextTest {
    pub(super) fn matches(&self, field: TextField, text: &[u8]) -> bool {
        match self {
            TextTest::Matches(regex) => regex.is_match(text),
            TextTest::Is(wanted) => wanted.iter().any(|wanted| match field {
                TextField::Topic => {
                    wanted.as_bytes() == text
                        || std::str::from_utf8(text).is_ok_and(|text| topic::matches(wanted, text))
                }
                TextField::Client => is_like(wanted.as_bytes(), text),
                TextField::Payload => wanted.as_bytes() == text,
            }),
        }
    }
}

impl NumberField {
    /// Whether a value of this field meets the condition.
    fn any(self, packet: &Packet<'_>, condition: impl FnMut(u64) -> bool) -> bool {
        let tree = packet.tree;
        let one = match self {
            NumberField::Code => return codes(tree).map(u64::from).any(condition),
            NumberField::Connection => Some(packet.connection.into()),
            NumberField::Frame => Some(packet.at.frame),
            NumberField::PacketId => tree.number(Name::PacketIdentifier).map(u64::from),
            NumberField::Qos => tree.number(Name::Qos).map(u64::from),
            NumberField::Size => Some(packet.raw.length as u64),
            NumberField::PayloadLength => tree.find(Name::Payload).map(|payload| payload.range.len() as u64),
            NumberField::RoundTrip => packet.facts.answers.as_ref().map(|answers| answers.nanoseconds),
        };
        one.is_some_and(condition)
    }
}

pub(super) fn topics<'p>(tree: &'p Tree<'_>) -> impl Iterator<Item = &'p str> {
    tree.fields.iter().filter_map(|field| match (field.name, field.value) {
        (Name::TopicName | Name::TopicFilter | Name::FilterToRemove | Name::WillTopic, Value::Text(text)) => {
            Some(text)
        }
        _ => None,
    })
}

fn codes(tree: &Tree<'_>) -> impl Iterator<Item = u32> {
    tree.fields.iter().filter_map(|field| match field.value {
        Value::Code(code) => Some(u32::from(code)),
        _ => None,
    })
}

/// Whether the text matches the pattern, in which `*` matches any text.
pub(in crate::inspect) fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = memchr::memmem::find(rest, part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}
