//! Untrusted text in output for people: from brokers, peers, certificates, files and file names.
//!
//! A terminal obeys control characters, and direction marks reorder the letters around them. Both are shown as escapes, `\u{1b}`.
//!
//! How to use it:
//! - Errors and notes need nothing: `commands::Messages` escapes all that it says. One message is one line there; a message of
//!   several lines goes through `Messages::say_lines` or `say_with_hint`, with each part of others escaped by [`line()`].
//! - A value in a table, a view or a report is escaped by [`line()`], where it is put into the text.
//! - A whole text whose line breaks are ours is escaped by [`lines`]. It must not have colours yet.
//! - JSON needs nothing: `json::Writer` and `json::to_string` write the same characters as `\u001b`.

use std::borrow::Cow;

/// Escapes all that could leave the line, move the cursor or change the order of letters.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// As [`line()`], but keeps line breaks and tabs.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_unsafe(character) && !matches!(character, '\n' | '\t'))
}

/// As [`line()`], and escapes characters without width as well: in a table, names that differ in one of them would look the same.
pub(crate) fn cells(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_unsafe(character) || is_invisible(character))
}

/// As [`line()`], in quotation marks; those of the text are escaped as well.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(text, &mut quoted);
    quoted
}

/// Appends the text as [`quoted`] returns it.
pub(crate) fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    let text = line(text);
    if text.contains('"') {
        out.push_str(&text.replace('"', "\\\""));
    } else {
        out.push_str(&text);
    }
    out.push('"');
}

/// As [`line()`], for text that need not be UTF-8.
pub(crate) fn bytes(text: &[u8]) -> String {
    line(&String::from_utf8_lossy(text)).into_owned()
}

/// The most characters of a text that a message shows.
const MAX_SHOWN: usize = 100;

/// The text, or its start with a mark. MQTT allows 65,535 bytes for a name or a topic, and a shell more for an argument, which would
/// hide the rest of a message. It escapes nothing.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
    }
}

/// The longest word of a message in bytes, such as a path.
const LONGEST_WORD: usize = 1000;

/// What follows a value in a message.
const PUNCTUATION: [char; 8] = ['"', '\'', ')', ':', ';', ',', '?', '.'];
const MAX_PUNCTUATION: usize = 3;

/// The text with words that are too long for a message in part.
pub(crate) fn with_short_words(text: &str) -> Cow<'_, str> {
    let is_separator = |character: char| matches!(character, ' ' | '\n');
    if text.split(is_separator).all(|word| word.len() <= LONGEST_WORD) {
        return text.into();
    }
    let mut short = String::new();
    for part in text.split_inclusive(is_separator) {
        let word = part.trim_end_matches(is_separator);
        if word.len() <= LONGEST_WORD {
            short += part;
        } else {
            let end = word.trim_end_matches(PUNCTUATION).len().max(word.len() - MAX_PUNCTUATION);
            short += &shortened(word);
            short += part.get(end..).unwrap_or_default();
        }
    }
    short.into()
}

/// Whether a terminal could obey it, or it could change the order or the line of the letters around it.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        )
}

/// Whether it takes no room and shows nothing: soft hyphens, joiners, byte order marks, tags.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether there are only printable ASCII characters, as in most texts. It has no branches, so the compiler compares many bytes
/// at once.
pub(crate) fn is_printable_ascii(text: &[u8]) -> bool {
    text.iter().fold(true, |is_printable, byte| is_printable & matches!(byte, b' '..=b'~'))
}

fn escaped(text: &str, must_go: impl Fn(char) -> bool) -> Cow<'_, str> {
    if is_printable_ascii(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(&must_go) else { return Cow::Borrowed(text) };
    let (safe, rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(safe);
    for character in rest.chars() {
        if must_go(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        let cases = [
            ("München 漢字 👩‍👩‍👧 a\\b 'c' \"d\"", "München 漢字 👩‍👩‍👧 a\\b 'c' \"d\""),
            ("\u{1b}[2J\u{7f}\u{9b}2J", "\\u{1b}[2J\\u{7f}\\u{9b}2J"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{202e}x\u{2066}\u{61c}\u{2029}", "\\u{202e}x\\u{2066}\\u{61c}\\u{2029}"),
        ];
        for (text, shown) in cases {
            assert_eq!(line(text), shown);
        }
        assert_eq!(cells("a\u{200b}b\u{feff}\u{1b}é"), "a\\u{200b}b\\u{feff}\\u{1b}é");
        assert_eq!(lines("a\n\tb\r\u{1b}"), "a\n\tb\\r\\u{1b}");
        assert_eq!(quoted("a\"\u{1b}"), "\"a\\\"\\u{1b}\"");
        assert_eq!(bytes(b"a\xff\x1b"), "a\u{fffd}\\u{1b}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("é"), "é");
        assert_eq!(shortened(&"é".repeat(100)), "é".repeat(100));
        assert_eq!(shortened(&"é".repeat(70_000)), "é".repeat(100) + "...");
        let text = format!("the topic {} is long", "é".repeat(70_000));
        assert_eq!(with_short_words(&text), format!("the topic {}... is long", "é".repeat(100)));
        let text = format!("the key \"{}\":\nhint: {}", "x".repeat(70_000), "y".repeat(1001));
        let short = format!("the key \"{}...\":\nhint: {}...", "x".repeat(99), "y".repeat(100));
        assert_eq!(with_short_words(&text), short);
        assert_eq!(with_short_words(&".".repeat(2000)).len(), 106);
    }

    proptest::proptest! {
        #[test]
        fn nothing_unsafe_is_left_and_safe_text_stays(text in ".{0,40}") {
            let escaped = line(&text);
            proptest::prop_assert!(!escaped.chars().any(is_unsafe));
            proptest::prop_assert_eq!(line(&escaped), escaped.as_ref());
            if !text.chars().any(is_unsafe) {
                proptest::prop_assert_eq!(line(&text), text.as_str());
            }
        }
    }
}
