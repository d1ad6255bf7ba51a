//! Parts of self-contained HTML pages that are also well-formed XML: the head with the permissions of the page, the common
//! colours, texts of others, and data for a script.

use crate::escape;
use base64::Engine;
use sha2::{Digest, Sha256};

/// Colours for light and dark screens, and the text of a page.
const BASE_STYLE: &str = include_str!("base.css");

/// The maximum length of a text of others, in characters.
pub(crate) const LONGEST_TEXT: usize = 200;

/// The permissions of a page: the browser loads nothing else, and runs no other scripts.
pub(crate) struct Policy<'a> {
    pub(crate) scripts: &'a [&'a str],
    /// Whether it may request data from its server.
    pub(crate) connects: bool,
}

impl Policy<'_> {
    fn text(&self) -> String {
        let hash = |script: &&str| {
            format!(" 'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script)))
        };
        let hashes: String = self.scripts.iter().map(hash).collect();
        let connects = if self.connects { "; connect-src 'self'" } else { "" };
        format!("default-src 'none'; style-src 'unsafe-inline'; script-src{hashes}{connects}")
    }
}

/// The head of a page, up to the start of its body.
pub(crate) fn head(title: &str, style: &str, policy: &Policy<'_>) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n\
         <title>{}</title>\n<style>\n{BASE_STYLE}{style}</style>\n</head>\n<body>\n",
        policy.text(),
        as_text(title)
    )
}

/// Escapes a text of others, and cuts a long one.
pub(crate) fn as_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(4 * LONGEST_TEXT));
    let shown = escape::line(text);
    let mut characters = shown.chars();
    characters.by_ref().take(LONGEST_TEXT).for_each(|character| push_character(character, &mut escaped));
    if characters.next().is_some() {
        escaped.push('…');
    }
    escaped
}

/// Escapes a whole text of ours that has texts of others in it. Line breaks stay.
pub(crate) fn as_lines(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    escape::lines(text).chars().for_each(|character| push_character(character, &mut escaped));
    escaped
}

/// As [`as_lines`]. Names in quotes that are written from right to left do not reorder the text around them.
pub(crate) fn with_isolated_names(text: &str) -> String {
    let escaped = as_lines(text);
    if !escaped.contains(is_right_to_left) {
        return escaped;
    }
    let mut isolated = String::with_capacity(escaped.len() + 64);
    // A quotation mark inside a name follows a backslash.
    let mut is_open = false;
    let mut rest = escaped.as_str();
    while let Some((before, after)) = rest.split_once(QUOTE) {
        isolated.push_str(before);
        let is_inside = before.ends_with('\\');
        if !is_open {
            isolated.push_str("<bdi>");
        }
        isolated.push_str(QUOTE);
        if is_open && !is_inside {
            isolated.push_str("</bdi>");
        }
        is_open = !is_open || is_inside;
        rest = after;
    }
    isolated.push_str(rest);
    if is_open {
        isolated.push_str("</bdi>");
    }
    isolated
}

/// A quotation mark in a page.
const QUOTE: &str = "&quot;";

/// The letters of scripts that are written from right to left.
fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// XML cannot represent most control characters, which are escaped before, nor two other characters.
fn push_character(character: char, escaped: &mut String) {
    match character {
        '&' => escaped.push_str("&amp;"),
        '<' => escaped.push_str("&lt;"),
        '>' => escaped.push_str("&gt;"),
        '"' => escaped.push_str("&quot;"),
        '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
        character => escaped.push(character),
    }
}

/// JSON as the content of a script element. The escaped characters occur in its strings only: those that could end the element,
/// and those that XML cannot represent.
pub(crate) fn script_data(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            '&' | '<' | '>' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// A text up to a number of characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(as_text("a\"<&>\u{1b}\u{ffff}"), "a&quot;&lt;&amp;&gt;\\u{1b}\u{fffd}");
        let cut = as_text(&"&".repeat(LONGEST_TEXT + 1));
        assert_eq!(cut, "&amp;".repeat(LONGEST_TEXT) + "…");
    }

    #[test]
    fn names_from_right_to_left_are_isolated() {
        assert_eq!(with_isolated_names("\"a\": b"), "&quot;a&quot;: b");
        let text = "\"אב\", \"ג\\\"ד\": 5, \"ה…";
        let expected = "<bdi>&quot;אב&quot;</bdi>, <bdi>&quot;ג\\&quot;ד&quot;</bdi>: 5, <bdi>&quot;ה…</bdi>";
        assert_eq!(with_isolated_names(text), expected);
    }

    #[test]
    fn data_cannot_leave_its_element() {
        let hostile = ["</script><script>alert('&')</script>", "<!--", "]]>", "\u{ffff}\u{7f}"];
        let json = serde_json::to_string(&hostile).unwrap();
        let data = script_data(&json);
        assert!(!data.contains(['<', '>', '&', '\u{ffff}', '\u{7f}']), "{data}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&data).unwrap(), hostile);
    }
}
