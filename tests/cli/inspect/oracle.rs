//! What an independent decoder says of a packet, from our words into its own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mqkit::protocol::PropertyId;
use serde_json::{Map, Value, json};

/// What the decoder shows of a payload.
const PAYLOAD_BYTES: usize = 64;

/// A packet of ours, as the decoder would have written it.
pub(super) fn packet(ours: &Value) -> Map<String, Value> {
    let length = ours["length"].as_u64().unwrap();
    let mut theirs = Map::new();
    theirs.insert("conn".into(), ours["connection"].clone());
    theirs.insert("dir".into(), ours["direction"].clone());
    theirs.insert("frame".into(), ours["frame"].clone());
    theirs.insert("off".into(), ours["offset"].clone());
    theirs.insert("type".into(), ours["type"].clone());
    theirs.insert("flags".into(), ours["flags"].clone());
    if let Some(remaining) = ours["remaining_length"].as_u64() {
        theirs.insert("rl".into(), remaining.into());
        theirs.insert("hdr".into(), (length - remaining).into());
    }
    theirs.insert("t".into(), seconds(&ours["time"]));
    fields(ours, &mut theirs);
    theirs
}

/// Seconds since 1970; `null` for a frame without a time.
fn seconds(time: &Value) -> Value {
    let Some(text) = time.as_str() else { return Value::Null };
    let timestamp: jiff::Timestamp = text.parse().unwrap();
    json!(timestamp.as_nanosecond() as f64 / 1e9)
}

fn fields(ours: &Value, theirs: &mut Map<String, Value>) {
    let kind = ours["type"].as_str().unwrap();
    for (our_key, their_key) in [
        ("protocol_name", "proto"),
        ("protocol_level", "level"),
        ("keep_alive", "keepalive"),
        ("packet_id", "pid"),
        ("qos", "qos"),
        ("return_code", "rc"),
        ("reason_code", "rc"),
        ("reason_codes", "rcs"),
        ("payload_length", "payload_len"),
        ("resolved_topic", "resolved_topic"),
    ] {
        if let Some(value) = ours.get(our_key) {
            theirs.insert(their_key.into(), value.clone());
        }
    }
    for key in ["topic", "will_topic", "username"] {
        if ours.get(key).is_some() {
            theirs.insert(key.into(), text(ours, key));
        }
    }
    for key in ["dup", "retain"] {
        if let Some(flag) = ours[key].as_bool() {
            theirs.insert(key.into(), u8::from(flag).into());
        }
    }
    if let Some(flag) = ours["session_present"].as_bool() {
        // The decoder's is the whole byte.
        let reserved = ours["reserved"].as_u64().unwrap_or_default() << 1;
        theirs.insert("session_present".into(), (reserved | u64::from(flag)).into());
    }
    for (key, most) in [("will_payload", usize::MAX), ("password", usize::MAX), ("payload", PAYLOAD_BYTES)] {
        if let Some(bytes) = bytes(ours, key) {
            theirs.insert(key.into(), hex(&bytes[..bytes.len().min(most)]).into());
        }
    }
    if kind == "CONNECT" {
        theirs.insert("client_id".into(), text(ours, "client_id"));
        theirs.insert("cflags".into(), connect_flags(ours).into());
        theirs.insert("will_props".into(), properties(&ours["will_properties"]));
    }
    theirs.insert("props".into(), properties(&ours["properties"]));
    if kind == "SUBSCRIBE" {
        let all = ours["subscriptions"].as_array().cloned().unwrap_or_default();
        theirs.insert("filters".into(), all.iter().map(subscription).collect());
    }
    if kind == "UNSUBSCRIBE" {
        theirs.insert("filters".into(), ours.get("topic_filters").cloned().unwrap_or(json!([])));
    }
    theirs.entry("rcs").or_insert(json!([]));
}

fn subscription(ours: &Value) -> Value {
    let number = |key: &str| ours[key].as_u64().unwrap_or_default();
    let flag = |key: &str| u64::from(ours[key].as_bool().unwrap_or_default());
    // Before MQTT 5 all but the QoS is reserved.
    let reserved = number("reserved") << if ours.get("retain_handling").is_some() { 6 } else { 2 };
    let options = number("qos")
        | flag("no_local") << 2
        | flag("retain_as_published") << 3
        | number("retain_handling") << 4
        | reserved;
    json!([text(ours, "topic_filter"), options])
}

fn connect_flags(ours: &Value) -> u64 {
    let flag = |key: &str| u64::from(ours[key].as_bool().unwrap_or_default());
    flag("user_name_flag") << 7
        | flag("password_flag") << 6
        | flag("will_retain") << 5
        | ours["will_qos"].as_u64().unwrap_or_default() << 3
        | flag("will_flag") << 2
        | flag("clean_start") << 1
        | flag("reserved")
}

/// A string, or the bytes of what should be one.
fn text(ours: &Value, key: &str) -> Value {
    match bytes(ours, key) {
        Some(bytes) => json!({ "hex": hex(&bytes) }),
        None => ours[key].clone(),
    }
}

/// Bytes that say how they are encoded.
fn bytes(ours: &Value, key: &str) -> Option<Vec<u8>> {
    let encoding = ours.get(format!("{key}_encoding"))?.as_str()?;
    let text = ours[key].as_str()?;
    Some(if encoding == "utf8" { text.as_bytes().to_vec() } else { STANDARD.decode(text).unwrap() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The properties in the order of their numbers, since ours are named and not listed.
fn properties(ours: &Value) -> Value {
    let mut all = Vec::new();
    for id in PropertyId::ALL {
        let key = id.name().replace('-', "_");
        let number = id as u8;
        if let Some(bytes) = bytes(ours, &key) {
            all.push(json!([number, hex(&bytes)]));
        } else if let Some(value) = ours.get(&key) {
            all.push(json!([number, value]));
        }
        let lists =
            [("user_property", "user_properties"), ("subscription_identifier", "subscription_identifiers")];
        if let Some((_, plural)) = lists.iter().find(|(single, _)| *single == key) {
            let values = ours.get(*plural).and_then(Value::as_array).cloned().unwrap_or_default();
            all.extend(values.into_iter().map(|value| json!([number, value])));
        }
    }
    Value::Array(all)
}

/// The decoder's list in the same order.
pub(super) fn sorted(properties: &Value) -> Value {
    let mut all = properties.as_array().cloned().unwrap_or_default();
    all.sort_by_key(|property| property[0].as_u64());
    Value::Array(all)
}
