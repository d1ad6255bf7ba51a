//! Text in the columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_cut_text_has_a_mark_within_the_columns() {
        for (columns, expected) in [(6, "abcdef"), (5, "ab..."), (3, "..."), (2, ""), (0, "")] {
            assert_eq!(cut("abcdef", columns, "..."), expected);
        }
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("", 0, "…"), "");
    }
}
