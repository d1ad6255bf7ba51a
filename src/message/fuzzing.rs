//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::{Message, read, write};
use crate::json::Writer;
use crate::protocol::{PropertyId, Publish, Qos, TopicName};
use jiff::Timestamp;

/// Reads lines of JSON, and checks that each message reads back unchanged.
pub fn messages(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        match read(line) {
            Ok(message) => check(&message),
            Err(error) => assert!((1..=line.len() + 1).contains(&error.column), "{error}"),
        }
    }
}

fn check(message: &Message) {
    let publish = Publish {
        dup: false,
        qos: message.qos.unwrap_or(Qos::AtMostOnce),
        retain: message.retain.unwrap_or_default(),
        topic: message.topic.as_ref().map_or("topic", TopicName::as_str),
        packet_id: None,
        properties: message.properties.as_properties(),
        payload: &message.payload,
    };
    let mut out = Vec::new();
    write(&publish, message.time.unwrap_or(Timestamp::UNIX_EPOCH), &mut Writer::new(&mut out, false));
    let again = read(&out).expect("a written message can be read");
    assert_eq!(again.payload, message.payload);
    assert_eq!(again.qos, Some(publish.qos));
    assert_eq!(again.retain, Some(publish.retain));
    assert_eq!(again.topic.as_ref().map(TopicName::as_str), Some(publish.topic));
    assert_eq!(sorted(&again), sorted(message));
    assert!(again.left_out.is_empty());
    assert!(message.time.is_none() || again.time == message.time);
}

/// The properties, whose order only counts for those of the user.
fn sorted(message: &Message) -> Vec<(PropertyId, String)> {
    let properties = message.properties.as_properties().iter();
    let mut sorted: Vec<_> = properties.map(|found| (found.id, format!("{:?}", found.value))).collect();
    sorted.sort_by_key(|(id, _)| *id as u32);
    sorted
}
