//! A received message as a JSON object.

use super::{Encoding, to_base64};
use crate::json::{Writer, is_plain};
use crate::protocol::{Properties, PropertyId, PropertyValue, Publish};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// RFC 3339 with all nine digits, so that times can be compared as text.
const RFC_3339: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

pub(crate) fn rfc_3339(time: Timestamp) -> String {
    RFC_3339.timestamp_to_string(&time)
}

/// Appends the JSON object of a message that arrived at this time.
pub(crate) fn write(publish: &Publish<'_>, arrived: Timestamp, json: &mut Writer<'_>) {
    write_with(publish, arrived, json, |_| {});
}

/// As [`write()`], with further keys after the payload. `mq pub --ndjson` must ignore them.
pub(crate) fn write_with(
    publish: &Publish<'_>,
    arrived: Timestamp,
    json: &mut Writer<'_>,
    more: impl FnOnce(&mut Writer<'_>),
) {
    json.open_object();
    json.key("time");
    json.string(&rfc_3339(arrived));
    json.key("topic");
    json.string(publish.topic);
    json.key("qos");
    json.literal(publish.qos);
    json.key("retain");
    json.literal(publish.retain);
    if publish.dup {
        json.key("dup");
        json.literal(true);
    }
    if let Some(packet_id) = publish.packet_id {
        json.key("packet_id");
        json.literal(packet_id.value());
    }
    write_bytes("payload", publish.payload, json);
    more(json);
    if !publish.properties.is_empty() {
        json.key("properties");
        write_properties(publish.properties, json);
    }
    json.close_object();
}

/// Writes bytes as two keys: the encoding, and a string with the bytes in that encoding. The name has no characters to escape.
pub(crate) fn write_bytes(name: &str, bytes: &[u8], json: &mut Writer<'_>) {
    // Most payloads; to check the text again as UTF-8 and for escapes would take most of the time.
    if is_plain(bytes) {
        name_bytes(name, Encoding::Utf8, json);
        return json.plain_string(bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            name_bytes(name, Encoding::Utf8, json);
            json.string(text);
        }
        Err(_) => {
            name_bytes(name, Encoding::Base64, json);
            json.plain_string(to_base64(bytes).as_bytes());
        }
    }
}

fn name_bytes(name: &str, encoding: Encoding, json: &mut Writer<'_>) {
    json.compound_key(name, "_encoding");
    json.plain_string(encoding.name().as_bytes());
    json.compound_key(name, "");
}

/// Writes the properties of PUBLISH in the order of the documentation.
pub(crate) fn write_properties(properties: Properties<'_>, json: &mut Writer<'_>) {
    json.open_object();
    for (name, id) in [
        ("payload_format_indicator", PropertyId::PayloadFormatIndicator),
        ("message_expiry_interval", PropertyId::MessageExpiryInterval),
    ] {
        write_number(name, properties.number(id), json);
    }
    for (name, id) in
        [("content_type", PropertyId::ContentType), ("response_topic", PropertyId::ResponseTopic)]
    {
        if let Some(text) = properties.text(id) {
            json.key(name);
            json.string(text);
        }
    }
    if let Some(PropertyValue::Binary(bytes)) = properties.find(PropertyId::CorrelationData) {
        write_bytes("correlation_data", bytes, json);
    }
    write_list("subscription_identifiers", properties, PropertyId::SubscriptionIdentifier, json);
    write_number("topic_alias", properties.number(PropertyId::TopicAlias), json);
    write_list("user_properties", properties, PropertyId::UserProperty, json);
    json.close_object();
}

fn write_number(name: &str, number: Option<u32>, json: &mut Writer<'_>) {
    if let Some(number) = number {
        json.key(name);
        json.literal(number);
    }
}

/// All properties with this identifier, in order; no key if the list is empty.
fn write_list(name: &str, properties: Properties<'_>, id: PropertyId, json: &mut Writer<'_>) {
    let mut values = properties.iter().filter(|property| property.id == id).map(|property| property.value);
    let Some(first) = values.next() else { return };
    json.key(name);
    json.open_array();
    for value in std::iter::once(first).chain(values) {
        json.element();
        write_value(value, json);
    }
    json.close_array();
}

fn write_value(value: PropertyValue<'_>, json: &mut Writer<'_>) {
    match value {
        PropertyValue::Number(number) => json.literal(number),
        PropertyValue::Text(text) => json.string(text),
        PropertyValue::Binary(bytes) => json.string(&to_base64(bytes)),
        PropertyValue::Pair(name, value) => {
            json.open_array();
            json.element();
            json.string(name);
            json.element();
            json.string(value);
            json.close_array();
        }
    }
}
