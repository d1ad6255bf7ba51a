//! The broker's limits from CONNACK. The defaults of absent properties are shown as well.

use crate::protocol::{Connack, PropertyId, PropertyValue, Version};
use std::fmt::Write;

/// The properties, their meanings, and their defaults (MQTT 5.0, section 3.2.2.3) in words and, if numeric, as numbers.
const LIMITS: [(PropertyId, &str, &str, Option<u32>); 12] = [
    (PropertyId::ReceiveMaximum, "messages of QoS 1 and 2 at a time", "65535", Some(65535)),
    (
        PropertyId::MaximumPacketSize,
        "largest packet in bytes",
        "as large as MQTT allows, 268435460",
        Some(268_435_460),
    ),
    (PropertyId::MaximumQos, "highest QoS", "2", Some(2)),
    (PropertyId::TopicAliasMaximum, "topic aliases", "none", Some(0)),
    (PropertyId::RetainAvailable, "retained messages", "yes", Some(1)),
    (PropertyId::WildcardSubscriptionAvailable, "wildcards in filters", "yes", Some(1)),
    (PropertyId::SubscriptionIdentifierAvailable, "subscription identifiers", "yes", Some(1)),
    (PropertyId::SharedSubscriptionAvailable, "shared subscriptions", "yes", Some(1)),
    (PropertyId::SessionExpiryInterval, "session expiry in seconds", "as in CONNECT", None),
    (PropertyId::ServerKeepAlive, "keep alive in seconds", "as in CONNECT", None),
    (PropertyId::AssignedClientIdentifier, "client identifier", "as in CONNECT", None),
    (PropertyId::ResponseInformation, "response information", "none", None),
];

/// The width of the first column.
const COLUMN: usize = 36;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    /// The property, as MQTT calls it, with hyphens.
    pub(super) name: &'static str,
    /// The limited quantity, in words.
    pub(super) meaning: &'static str,
    /// The value from CONNACK or the default; `None` if CONNECT decides.
    pub(super) value: Option<LimitValue>,
    /// The default, in words.
    default: &'static str,
    /// A remark on an absent property, for example that the value is a default.
    remark: &'static str,
    /// Whether CONNACK has the property.
    pub(super) is_stated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LimitValue {
    Flag(bool),
    Number(u32),
    Text(String),
}

impl Limit {
    /// The value in words.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Some(value) if self.is_stated => value.shown(),
            _ => format!("{} ({})", self.default, self.remark),
        }
    }
}

impl LimitValue {
    fn shown(&self) -> String {
        match self {
            LimitValue::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            LimitValue::Number(number) => number.to_string(),
            LimitValue::Text(text) => format!("{text:?}"),
        }
    }
}

/// All limits of a connection, always in the same order. `client_id` is the client identifier of CONNECT, perhaps empty.
pub(super) fn of(connack: &Connack<'_>, client_id: &str) -> Vec<Limit> {
    let limit = |(id, meaning, default, number): (PropertyId, _, _, Option<u32>)| {
        let stated = connack.properties.find(id);
        let silence = number.map(PropertyValue::Number);
        let (default, remark) = match id {
            PropertyId::AssignedClientIdentifier if client_id.is_empty() => {
                ("none", "CONNECT asked for one, so the broker violates MQTT-3.2.2-16")
            }
            _ => (default, "default, not in CONNACK"),
        };
        Limit {
            name: id.name(),
            meaning,
            value: stated.or(silence).map(|found| value(id, found)),
            default,
            remark,
            is_stated: stated.is_some(),
        }
    };
    LIMITS.into_iter().map(limit).collect()
}

/// The limits, one per line.
pub(super) fn describe(connack: &Connack<'_>, version: Version, client_id: &str) -> String {
    if !version.is_v5() {
        return format!("{version} has no fields for the broker's limits; use -V 5");
    }
    let mut text = "the broker's limits from CONNACK:".to_owned();
    for limit in of(connack, client_id) {
        let _ = write!(text, "\n  {:COLUMN$}{}", limit.meaning, limit.shown());
    }
    text
}

fn value(id: PropertyId, value: PropertyValue<'_>) -> LimitValue {
    match (id, value) {
        (
            PropertyId::RetainAvailable
            | PropertyId::WildcardSubscriptionAvailable
            | PropertyId::SubscriptionIdentifierAvailable
            | PropertyId::SharedSubscriptionAvailable,
            PropertyValue::Number(number),
        ) => LimitValue::Flag(number != 0),
        (_, PropertyValue::Number(number)) => LimitValue::Number(number),
        (_, PropertyValue::Text(text)) => LimitValue::Text(text.to_owned()),
        (_, PropertyValue::Binary(bytes)) => LimitValue::Text(bytes.escape_ascii().to_string()),
        (_, PropertyValue::Pair(name, value)) => LimitValue::Text(format!("{name} {value}")),
    }
}
