//! Colours for JSON on a terminal. The text stays the same.

use serde_core::de::IgnoredAny;

const KEY: &str = "\x1b[36m";
const STRING: &str = "\x1b[32m";
const SCALAR: &str = "\x1b[33m";
const END: &str = "\x1b[0m";

/// Colours the JSON that was appended to `out` from this place on.
pub(crate) fn colour(out: &mut Vec<u8>, start: usize) {
    let text = out.split_off(start.min(out.len()));
    push_coloured(&text, out);
}

/// A text in colours, if it is JSON.
pub(crate) fn coloured(text: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    let mut out = Vec::with_capacity(text.len() * 2);
    push_coloured(text, &mut out);
    Some(out)
}

fn push_coloured(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(first) = rest.first() {
        let (length, colour) = match first {
            b'"' => {
                let length = string_length(rest);
                let is_key =
                    rest.get(length..).is_some_and(|after| after.trim_ascii_start().starts_with(b":"));
                (length, Some(if is_key { KEY } else { STRING }))
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' => (scalar_length(rest), Some(SCALAR)),
            _ => (1, None),
        };
        let Some((token, after)) = rest.split_at_checked(length.max(1)) else { break };
        match colour {
            Some(colour) => {
                out.extend_from_slice(colour.as_bytes());
                out.extend_from_slice(token);
                out.extend_from_slice(END.as_bytes());
            }
            None => out.extend_from_slice(token),
        }
        rest = after;
    }
}

/// The length of a string with its quotation marks.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

fn scalar_length(text: &[u8]) -> usize {
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':' | b'"') || byte.is_ascii_whitespace();
    text.iter().position(is_end).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let mut out = b"x ".to_vec();
        out.extend_from_slice(text.as_bytes());
        colour(&mut out, 2);
        let out = String::from_utf8(out).unwrap();
        out.replace(KEY, "<k>").replace(STRING, "<s>").replace(SCALAR, "<n>").replace(END, "<>")
    }

    #[test]
    fn keys_strings_and_scalars_differ() {
        assert_eq!(
            shown(r#"{"a":"b\"c\\","d": [-1.5e3,true,null]}"#),
            r#"x {<k>"a"<>:<s>"b\"c\\"<>,<k>"d"<>: [<n>-1.5e3<>,<n>true<>,<n>null<>]}"#
        );
        assert_eq!(shown("\"open"), "x <s>\"open<>");
        assert_eq!(coloured(b"no json"), None);
    }

    proptest! {
        #[test]
        fn the_text_stays(text in any::<String>()) {
            prop_assume!(!text.contains('\x1b'));
            let mut out = Vec::new();
            push_coloured(text.as_bytes(), &mut out);
            let plain = String::from_utf8(out).unwrap().replace(KEY, "").replace(STRING, "").replace(SCALAR, "").replace(END, "");
            prop_assert_eq!(plain, text);
        }
    }
}
