//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::link::Schema;
use super::{MessageTypes, TypeRule, descriptor_set, source};
use crate::json::Writer;

/// Reads a schema, decodes a payload with it, and encodes the result: a byte that selects source or descriptor set, two bytes with
/// its length, the schema, and the payload.
pub fn schemas(bytes: &[u8]) {
    let Some(([how, high, low], rest)) = bytes.split_first_chunk::<3>() else { return };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (schema, payload) = rest.split_at(length.min(rest.len()));
    let files = if how & 1 == 0 {
        let Ok(text) = std::str::from_utf8(schema) else { return };
        source::read("fuzzing.proto", text).map(|file| vec![file])
    } else {
        descriptor_set::read(schema).map_err(|problem| problem.to_string())
    };
    let Ok(files) = files else { return };
    let Ok(schema) = Schema::link(&files) else { return };
    let name = files.iter().flat_map(|file| &file.messages).map(|message| message.full_name.clone()).next();
    let mut types = MessageTypes::new(schema);
    let Some(type_name) = name else { return };
    if types.add(&[TypeRule { filter: None, type_name }]).is_err() {
        return;
    }
    let Some(message_type) = types.of_topic("t") else { return };
    let mut out = Vec::new();
    if message_type.write(payload, &mut Writer::new(&mut out, false)).is_ok() {
        let valid = serde_json::from_slice::<serde_core::de::IgnoredAny>(&out);
        assert!(valid.is_ok(), "{valid:?}: {}", out.escape_ascii());
        drop(message_type.encode(&out));
    }
    drop(message_type.encode(payload));
}
