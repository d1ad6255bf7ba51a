//! Filters for the packets to show: `type=PUBLISH,PUBACK topic=home/# qos=1`.
//!
//! A packet has to match all terms, and at least one value of each. `!` before a term negates it.

use super::{Finding, Item, Name, Packet, Severity, Value};
use crate::protocol::{PacketType, topic};
use crate::suggestion::did_you_mean;

/// The reason why a filter is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    #[error("unknown filter key '{0}': expected one of {known}{tip}", known = KEYS.join(", "), tip = did_you_mean(.0, KEYS))]
    UnknownKey(String),
    /// An unknown packet type.
    #[error("unknown packet type '{0}'{tip}", tip = did_you_mean(.0, PacketType::ALL.map(PacketType::name)))]
    UnknownType(String),
    /// A key without a value.
    #[error("missing value for '{0}': write {0}=VALUE")]
    NoValue(&'static str),
    /// A value that is invalid for the key.
    #[error("{key}: {problem} ('{value}')")]
    BadValue {
        key: &'static str,
        value: String,
        /// The reason, or the valid values.
        problem: &'static str,
    },
}

/// The known keys.
const KEYS: [&str; 8] = ["type", "topic", "client", "connection", "id", "qos", "code", "finding"];

/// Terms that a packet has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    is_negated: bool,
    wanted: Vec<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Type(PacketType),
    /// A topic filter. It matches topics, and topic filters with the same text.
    Topic(String),
    /// A pattern in which `*` matches any text.
    Client(String),
    Connection(u32),
    PacketId(u32),
    Qos(u32),
    Code(u32),
    /// Any code that reports a failure.
    FailedCode,
    AnyFinding,
    Severity(Severity),
    Statement(String),
}

impl Filter {
    /// Parses terms that are separated by spaces.
    ///
    /// # Errors
    /// If a term has an unknown key, or a value that is invalid for the key.
    pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
        text.split_whitespace().map(Term::parse).collect::<Result<_, _>>().map(|terms| Filter { terms })
    }

    /// Whether to show the item. Events of a connection are shown unless a term is about packets.
    pub(crate) fn matches(&self, item: &Item<'_>, findings: &[Finding]) -> bool {
        self.terms.iter().all(|term| {
            let meets = match item {
                Item::Packet(packet) => term.wanted.iter().any(|wanted| wanted.matches(packet, findings)),
                Item::Gap(range) | Item::Skipped(range) => term.is_about_connection(range.connection),
                Item::Event(event) => term.is_about_connection(event.connection()),
            };
            meets != term.is_negated
        })
    }
}

impl Term {
    fn parse(text: &str) -> Result<Term, FilterError> {
        let (is_negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (typed, values) = text.split_once('=').map_or((text, None), |(key, values)| (key, Some(values)));
        let key = KEYS
            .into_iter()
            .find(|key| *key == typed)
            .ok_or_else(|| FilterError::UnknownKey(typed.to_owned()))?;
        let wanted = match values {
            None if key == "finding" => vec![Wanted::AnyFinding],
            None => return Err(FilterError::NoValue(key)),
            Some(values) => {
                values.split(',').map(|value| Wanted::parse(key, value)).collect::<Result<_, _>>()?
            }
        };
        Ok(Term { is_negated, wanted })
    }

    fn is_about_connection(&self, connection: u32) -> bool {
        self.wanted.contains(&Wanted::Connection(connection))
    }
}

impl Wanted {
    fn parse(key: &'static str, value: &str) -> Result<Wanted, FilterError> {
        let bad = |problem| FilterError::BadValue { key, value: value.to_owned(), problem };
        let number = |problem| parse_number(value).ok_or_else(|| bad(problem));
        Ok(match key {
            "type" => {
                let of_name = |kind: &PacketType| kind.name().eq_ignore_ascii_case(value);
                let found = PacketType::ALL.into_iter().find(of_name);
                Wanted::Type(found.ok_or_else(|| FilterError::UnknownType(value.to_owned()))?)
            }
            "topic" => {
                topic::check_filter(value).map_err(|_| bad("the value must be a topic filter"))?;
                Wanted::Topic(value.to_owned())
            }
            "client" => Wanted::Client(value.to_owned()),
            "connection" => {
                Wanted::Connection(number("the value must be a connection number, counted from 0")?)
            }
            "id" => Wanted::PacketId(number("the value must be a packet identifier from 1 to 65535")?),
            "qos" => Wanted::Qos(number("the value must be 0, 1 or 2")?),
            "code" if value == "error" => Wanted::FailedCode,
            "code" => {
                Wanted::Code(number("the value must be a number such as 0x87, or 'error' for all failures")?)
            }
            _ => match [Severity::Error, Severity::Warning, Severity::Info]
                .into_iter()
                .find(|one| one.name() == value)
            {
                Some(severity) => Wanted::Severity(severity),
                None => Wanted::Statement(value.to_owned()),
            },
        })
    }

    fn matches(&self, packet: &Packet<'_>, findings: &[Finding]) -> bool {
        let tree = packet.tree;
        let mut findings = tree.findings.iter().chain(findings);
        match self {
            Wanted::Type(wanted) => packet.packet_type == Some(*wanted),
            Wanted::Topic(wanted) => {
                let topics = packet.facts.topic.as_deref().into_iter().chain(topics(packet));
                topics.into_iter().any(|topic| topic == wanted || topic::matches(wanted, topic))
            }
            Wanted::Client(wanted) => packet
                .tracker
                .client_id
                .as_deref()
                .is_some_and(|id| is_like(wanted.as_bytes(), id.as_bytes())),
            Wanted::Connection(wanted) => packet.connection == *wanted,
            Wanted::PacketId(wanted) => tree.number(Name::PacketIdentifier) == Some(*wanted),
            Wanted::Qos(wanted) => tree.number(Name::Qos) == Some(*wanted),
            Wanted::Code(wanted) => codes(packet).any(|code| code == *wanted),
            Wanted::FailedCode => {
                let is_v5 = packet.tracker.version.is_some_and(crate::protocol::Version::is_v5);
                let failed = |code| code >= 0x80 || (!is_v5 && code > 2);
                codes(packet).any(failed) || tree.number(Name::ReturnCode).is_some_and(|code| code > 0)
            }
            Wanted::AnyFinding => findings.next().is_some(),
            Wanted::Severity(wanted) => findings.any(|finding| finding.severity == *wanted),
            Wanted::Statement(wanted) => {
                let version = packet.tracker.version.unwrap_or(crate::protocol::Version::V311);
                findings.any(|finding| finding.rule.id(version).eq_ignore_ascii_case(wanted))
            }
        }
    }
}

/// A decimal number, or a hexadecimal one after `0x`.
fn parse_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn topics<'p>(packet: &'p Packet<'_>) -> impl Iterator<Item = &'p str> {
    packet.tree.fields.iter().filter_map(|field| match (field.name, field.value) {
        (Name::TopicName | Name::TopicFilter | Name::FilterToRemove | Name::WillTopic, Value::Text(text)) => {
            Some(text)
        }
        _ => None,
    })
}

fn codes(packet: &Packet<'_>) -> impl Iterator<Item = u32> {
    packet.tree.fields.iter().filter_map(|field| match field.value {
        Value::Code(code) => Some(u32::from(code)),
        _ => None,
    })
}

/// Whether the text matches the pattern, in which `*` matches any text.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, is_match) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "abcd", true),
            ("*d", "abcd", true),
            ("a*c*", "abcd", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn invalid_filters_are_reported() {
        for (text, problem) in [
            ("tpye=PUBLISH", "did you mean 'type'"),
            ("type", "missing value for 'type'"),
            ("type=PUBLISHED", "unknown packet type 'PUBLISHED'; did you mean 'PUBLISH'?"),
            (
                "zzz=1",
                "unknown filter key 'zzz': expected one of type, topic, client, connection, id, qos, code, finding",
            ),
            ("topic=a#", "must be a topic filter ('a#')"),
            ("qos=two", "0, 1 or 2 ('two')"),
        ] {
            let error = Filter::parse(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
