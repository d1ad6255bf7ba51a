//! `%j` and `%J`: a message as mosquitto_sub's JSON, key for key. Unlike there, it is valid JSON for any message: bytes that
//! are not UTF-8 become U+FFFD, NUL is escaped, and numbers keep their digits.

use super::timestamp::{MessageTime, TimeFormat};
use crate::json::{InvalidJson, Writer, copy_value};
use crate::protocol::{Properties, PropertyId, PropertyValue, Publish};

/// The payload's form in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PayloadForm {
    String,
    Parsed,
}

/// Appends the object; on an error, the caller must discard the appended bytes.
///
/// # Errors
/// If the payload should be JSON but is not.
pub(super) fn write(
    publish: &Publish<'_>,
    moment: &MessageTime,
    form: PayloadForm,
    json: &mut Writer<'_>,
) -> Result<(), InvalidJson> {
    json.open_object();
    json.key("tst");
    json.string(&moment.format(TimeFormat::ISO_8601_MICROSECONDS));
    json.key("topic");
    json.string(publish.topic);
    json.key("qos");
    json.literal(publish.qos);
    json.key("retain");
    json.literal(publish.retain);
    json.key("payloadlen");
    json.literal(publish.payload.len());
    if let Some(packet_id) = publish.packet_id {
        json.key("mid");
        json.literal(packet_id.value());
    }
    if !publish.properties.is_empty() {
        json.key("properties");
        write_properties(publish.properties, json);
    }
    json.key("payload");
    match form {
        _ if publish.payload.is_empty() => json.literal("null"),
        PayloadForm::String => json.lossy_string(publish.payload),
        PayloadForm::Parsed => copy_value(publish.payload, json)?,
    }
    json.close_object();
    Ok(())
}

/// The properties in order of arrival, all user properties at the position of the first one.
fn write_properties(properties: Properties<'_>, json: &mut Writer<'_>) {
    json.open_object();
    let mut has_user_properties = false;
    for property in properties.iter() {
        let is_user_property = property.id == PropertyId::UserProperty;
        if is_user_property && has_user_properties {
            continue;
        }
        json.key(if is_user_property { "user-properties" } else { property.id.name() });
        match property.value {
            PropertyValue::Number(number) => json.literal(number),
            PropertyValue::Text(text) => json.string(text),
            PropertyValue::Binary(bytes) => json.lossy_string(bytes),
            PropertyValue::Pair(..) => {
                has_user_properties = true;
                write_user_properties(properties, json);
            }
        }
    }
    json.close_object();
}

fn write_user_properties(properties: Properties<'_>, json: &mut Writer<'_>) {
    json.open_array();
    for property in properties.iter() {
        if let PropertyValue::Pair(name, value) = property.value {
            json.element();
            json.open_object();
            json.key(name);
            json.string(value);
            json.close_object();
        }
    }
    json.close_array();
}
