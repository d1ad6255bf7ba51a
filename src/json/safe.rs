//! JSON strings that a terminal can show: C1 and direction marks are escaped, besides the characters that JSON requires.

use crate::escape::is_unsafe;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// A value as JSON on one line.
///
/// # Errors
/// If the value cannot be JSON, as a map whose keys are not text.
pub(crate) fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    text(value, CompactFormatter)
}

/// A value as JSON, a key to a line.
///
/// # Errors
/// If the value cannot be JSON.
pub(crate) fn to_string_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    text(value, PrettyFormatter::new())
}

fn text(value: &impl Serialize, layout: impl Formatter) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Safe(layout)))?;
    // serde_json writes text in UTF-8, and so does the layout.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Appends one string in quotation marks.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    if is_plain(text.as_bytes()) {
        return plain_string(text.as_bytes(), out);
    }
    // Neither a string nor a write into memory can fail.
    let _ = text.serialize(&mut Serializer::with_formatter(out, Safe(CompactFormatter)));
}

/// Appends one string in which nothing is escaped.
pub(super) fn plain_string(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Whether nothing is escaped, as in most strings. It has no branches, so the compiler compares many bytes at once.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |is_plain, &byte| {
        is_plain & matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
    })
}

/// Whether a character is escaped. DEL is not: it moves no cursor, and mosquitto_sub prints it.
fn is_escaped(character: char) -> bool {
    character != '\u{7f}' && is_unsafe(character)
}

/// Another formatter, with escaped strings.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Only characters beyond ASCII are left to escape; most text has none.
        if fragment.is_ascii() {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(is_escaped) {
            let (safe, behind) = rest.split_at(at);
            out.write_all(safe.as_bytes())?;
            let mut characters = behind.chars();
            // All of them are in the basic plane.
            let code = characters.next().map_or(0, u32::from);
            write!(out, "\\u{code:04x}")?;
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, is_first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, is_first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_in_every_string() {
        let value = serde_json::json!({"k\u{9b}": ["\u{1b}\u{7f}\u{202e}é漢👩"]});
        let compact = "{\"k\\u009b\":[\"\\u001b\u{7f}\\u202eé漢👩\"]}";
        assert_eq!(to_string(&value).unwrap(), compact);
        let pretty = "{\n  \"k\\u009b\": [\n    \"\\u001b\u{7f}\\u202eé漢👩\"\n  ]\n}";
        assert_eq!(to_string_pretty(&value).unwrap(), pretty);
    }

    proptest::proptest! {
        #[test]
        fn every_string_reads_back_as_it_was(text in ".{0,40}") {
            let mut out = Vec::new();
            string(&text, &mut out);
            proptest::prop_assert!(!String::from_utf8_lossy(&out).chars().any(is_escaped));
            proptest::prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
