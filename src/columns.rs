//! Text in the columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most columns that a table aligns. Longer cells are shown as they are, and the rest of their row follows.
pub(crate) const MAX_ALIGNED: usize = 64;

/// The columns of a text.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text, filled with spaces to this number of columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    // Rust's formatting panics at a width of 65,536.
    text.to_owned() + &" ".repeat(columns.saturating_sub(text.width()))
}

/// The text in at most this number of columns, with a mark at its end if it is cut.
pub(crate) fn cut(text: &str, columns: usize, mark: &str) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(mut left) = columns.checked_sub(mark.width()) else { return String::new() };
    let mut cut = String::new();
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or_default()) else { break };
        left = rest;
        cut.push(character);
    }
    cut + mark
}

/// The text in lines of at most this number of columns, if its words are not longer. Lines after the first one begin with
/// `hanging` spaces.
pub(crate) fn wrap(text: &str, columns: usize, hanging: usize) -> Vec<String> {
    let words = text.trim_start_matches(' ');
    let mut lines = Vec::new();
    let mut line = " ".repeat(text.len() - words.len());
    let mut is_begun = false;
    for word in words.split(' ') {
        if is_begun && line.width() + 1 + word.width() > columns {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(hanging);
        } else if is_begun {
            line.push(' ');
        }
        line.push_str(word);
        is_begun = true;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::{cut, padded, wrap};

    #[test]
    fn a_text_is_wrapped_between_words() {
        assert_eq!(wrap("a  bc def", 9, 2), ["a  bc def"]);
        assert_eq!(wrap("a  bc def", 8, 2), ["a  bc", "  def"]);
        assert_eq!(wrap("  a longword b 日本", 6, 3), ["  a", "   longword", "   b", "   日本"]);
        assert_eq!(wrap("", 6, 3), [""]);
    }

    #[test]
    fn a_cut_text_has_a_mark_within_the_columns() {
        for (columns, expected) in [(6, "abcdef"), (5, "ab..."), (3, "..."), (2, ""), (0, "")] {
            assert_eq!(cut("abcdef", columns, "..."), expected);
        }
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("", 0, "…"), "");
    }

    #[test]
    fn a_padded_text_has_as_many_columns() {
        assert_eq!([padded("日本", 6), padded("abc", 2)], ["日本  ", "abc"]);
    }
}
