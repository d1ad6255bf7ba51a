//! Entry points for fuzzers: payloads in every format, schemas, and sequences of Sparkplug messages. Compiled for tests and with
//! `--cfg fuzzing` only.

pub use super::schema::fuzzing::schemas;
use super::{Births, Content, Hints, PayloadDecoding, decode};
use crate::json::Writer;

/// Topics of nodes and devices, births and data, and of a host.
const TOPICS: [&str; 8] = [
    "spBv1.0/g/NBIRTH/n",
    "spBv1.0/g/DBIRTH/n/d",
    "spBv1.0/g/NDATA/n",
    "spBv1.0/g/DDATA/n/d",
    "spBv1.0/g/NCMD/n",
    "spBv1.0/g/NDEATH/n",
    "spBv1.0/STATE/host",
    "a/b",
];

/// Decodes a payload. The first byte selects the format.
pub fn payloads(bytes: &[u8]) {
    let Some((how, payload)) = bytes.split_first() else { return };
    let choices = PayloadDecoding::ALL;
    let choice = choices.into_iter().nth(usize::from(*how) % choices.len()).unwrap_or_default();
    let topic = if how & 0x80 == 0 { None } else { TOPICS.first().copied() };
    check(payload, choice, Hints { topic, ..Hints::default() });
}

/// Decodes messages of a Sparkplug group with the births before them. Each has a byte with its topic, and two bytes with its
/// length, in front.
pub fn sparkplug(bytes: &[u8]) {
    let (mut births, mut rest) = (Births::default(), bytes);
    while let Some(([topic, high, low], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (payload, after) = after.split_at(length.min(after.len()));
        rest = after;
        let topic = TOPICS.into_iter().nth(usize::from(topic & 7)).unwrap_or("a");
        check(
            payload,
            PayloadDecoding::Auto,
            Hints { topic: Some(topic), births: Some(&births), ..Hints::default() },
        );
        births.learn(topic, payload);
    }
}

/// Checks that a decoded value is JSON on one line, also as a part of an object.
fn check(payload: &[u8], choice: PayloadDecoding, hints: Hints<'_>) {
    let Some(decoded) = decode(payload, choice, hints) else { return };
    assert!(!decoded.label().is_empty());
    drop(decoded.problem());
    if let Content::Json(text) = &decoded.content {
        assert!(!text.contains('\n'), "{text}");
        check_json(text.as_bytes());
    }
    for is_pretty in [false, true] {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out, is_pretty);
        json.open_object();
        decoded.write_keys(true, &mut json);
        json.close_object();
        check_json(&out);
    }
}

fn check_json(json: &[u8]) {
    let valid = serde_json::from_slice::<serde_core::de::IgnoredAny>(json);
    assert!(valid.is_ok(), "{valid:?}: {}", json.escape_ascii());
}
