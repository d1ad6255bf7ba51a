//! What a CONNACK says of the broker's limits, in words. What it leaves out has a default, which is said as well.

use crate::protocol::{Connack, PropertyId, PropertyValue, Version};
use std::fmt::Write;

/// What a CONNACK may say, and what its silence means (MQTT 5.0, section 3.2.2.3).
const LIMITS: [(PropertyId, &str, &str); 12] = [
    (PropertyId::ReceiveMaximum, "messages of QoS 1 and 2 at a time", "65535"),
    (PropertyId::MaximumPacketSize, "largest packet in bytes", "as large as MQTT allows, 268435460"),
    (PropertyId::MaximumQos, "highest QoS", "2"),
    (PropertyId::TopicAliasMaximum, "topic aliases", "none"),
    (PropertyId::RetainAvailable, "retained messages", "yes"),
    (PropertyId::WildcardSubscriptionAvailable, "wildcards in filters", "yes"),
    (PropertyId::SubscriptionIdentifierAvailable, "subscription identifiers", "yes"),
    (PropertyId::SharedSubscriptionAvailable, "shared subscriptions", "yes"),
    (PropertyId::SessionExpiryInterval, "seconds that it keeps the session", "as CONNECT asked"),
    (PropertyId::ServerKeepAlive, "longest silence in seconds", "as CONNECT asked"),
    (PropertyId::AssignedClientIdentifier, "client identifier", "as CONNECT said"),
    (PropertyId::ResponseInformation, "response information", "none"),
];

/// The width of the first column.
const COLUMN: usize = 36;

/// The lines that tell it.
pub(super) fn describe(connack: &Connack<'_>, version: Version) -> String {
    if !version.is_v5() {
        return format!("{version} has no words for the broker's limits; with -V 5 it can say them");
    }
    let mut text = "what the broker's CONNACK says of its limits:".to_owned();
    for (id, meaning, default) in LIMITS {
        let value = match connack.properties.find(id) {
            Some(value) => shown(id, value),
            None => format!("{default} (not said, which means this)"),
        };
        let _ = write!(text, "\n  {meaning:COLUMN$}{value}");
    }
    text
}

fn shown(id: PropertyId, value: PropertyValue<'_>) -> String {
    match (id, value) {
        (
            PropertyId::RetainAvailable
            | PropertyId::WildcardSubscriptionAvailable
            | PropertyId::SubscriptionIdentifierAvailable
            | PropertyId::SharedSubscriptionAvailable,
            PropertyValue::Number(number),
        ) => if number == 0 { "no" } else { "yes" }.to_owned(),
        (_, PropertyValue::Number(number)) => number.to_string(),
        (_, PropertyValue::Text(text)) => format!("{text:?}"),
        (_, PropertyValue::Binary(bytes)) => bytes.escape_ascii().to_string(),
        (_, PropertyValue::Pair(name, value)) => format!("{name:?} {value:?}"),
    }
}
