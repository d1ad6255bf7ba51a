//! Names, rules and topics in messages for people. MQTT allows 65,535 bytes for each, which would hide the rest of a message.

use std::borrow::Cow;

/// The most characters that are shown.
const MOST: usize = 100;

/// The text, or its start with a mark.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST) {
        None => text.into(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("é"), "é");
        assert_eq!(shortened(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(shortened(&"é".repeat(70_000)), "é".repeat(100) + "...");
    }
}
