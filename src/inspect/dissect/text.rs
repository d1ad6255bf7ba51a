//! Checks that strings are UTF-8 without null characters.

use super::cursor::Cursor;
use crate::inspect::{Name, Rule, Value};

/// The bytes of a string as a value; `start` is their offset, for the findings.
pub(super) fn check<'a>(
    cursor: &mut Cursor<'a>,
    name: Name,
    bytes: &'a [u8],
    start: usize,
    bad_utf8: Rule,
) -> Value<'a> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let bad = start + error.valid_up_to();
            let end = error.error_len().map_or(start + bytes.len(), |length| bad + length);
            let hex: Vec<String> =
                bytes.iter().skip(error.valid_up_to()).take(4).map(|byte| format!("{byte:02x}")).collect();
            cursor.find(
                bad_utf8,
                bad..end,
                format!("{name} is invalid UTF-8 at byte {bad}: {}", hex.join(" ")),
            );
            return Value::BadText(bytes);
        }
    };
    if let Some(at) = memchr::memchr(0, bytes) {
        let at = start + at;
        cursor.find(Rule::StringNull, at..at + 1, format!("{name} contains a null character at byte {at}"));
    }
    Value::Text(text)
}
