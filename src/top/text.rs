//! Texts of the screen: strangers' text in the columns of a cell, and quantities in few characters.

use crate::columns;
use crate::escape;
use crate::words::counted;
use std::borrow::Cow;

/// The mark of a text that was cut.
const CUT: &str = "…";

/// A text on one line of at most this many columns: escaped, with a mark if it is cut.
pub(super) fn line(text: &str, columns: usize) -> String {
    columns::cut(&escape::cells(&start(text, columns)), columns, CUT)
}

/// A text on at most `most` lines of these columns, with a mark if it is cut: escaped, and broken between words, or in a word that is
/// longer than a line.
pub(super) fn wrapped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let text = escape::cells(&start(text, columns.saturating_mul(most))).into_owned();
    let (mut lines, mut rest) = (Vec::new(), text.as_str());
    while !rest.is_empty() && lines.len() < most {
        let (length, _) = fitting(rest, columns, true);
        if length == rest.len() || lines.len() + 1 == most {
            lines.push(columns::cut(rest, columns, CUT));
            break;
        }
        // A space that follows the columns is a break as well.
        let within = rest.char_indices().take_while(|(place, _)| *place <= length);
        let space = within.filter(|(place, character)| *character == ' ' && *place > 0).last();
        let end = space.map_or(length, |(place, _)| place);
        let (line, after) = rest.split_at(end);
        lines.push(line.trim_end_matches(' ').to_owned());
        rest = after.trim_start_matches(' ');
    }
    lines
}

/// As [`wrapped`], but if the text is too long, its middle is left out: a problem has its cause at the end.
pub(super) fn fitted(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = wrapped(text, columns, most.saturating_add(1));
    // Lines are broken between words, so the text may need more room than it has columns.
    let mut room = columns.saturating_mul(most);
    while lines.len() > most && room > 0 {
        lines = wrapped(&shortened(text, room), columns, most.saturating_add(1));
        room = room.saturating_sub(columns / 8 + 1);
    }
    lines.truncate(most);
    lines
}

/// A text on one line of at most this many columns: escaped, and with a mark in its middle if it is cut.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    let (length, _) = fitting(text, columns, false);
    if length == text.len() || columns < 3 {
        return line(text, columns);
    }
    let (start, _) = fitting(text, columns / 2, false);
    let end = columns - columns / 2 - 1;
    line(text.get(..start).unwrap_or_default(), columns / 2) + CUT + &ending(text, end)
}

/// The end of a text, escaped, in at most this many columns.
pub(super) fn ending(text: &str, columns: usize) -> String {
    let mut start = text.len();
    let mut taken = 0;
    for (place, character) in text.char_indices().rev() {
        taken += columns::width(&line(character.encode_utf8(&mut [0; 4]), usize::MAX / 4));
        if taken > columns {
            break;
        }
        start = place;
    }
    line(text.get(start..).unwrap_or_default(), columns)
}

/// The start of a text, long enough for these columns. Characters without width could make a cell endless.
fn start(text: &str, columns: usize) -> Cow<'_, str> {
    match text.char_indices().nth(columns.saturating_mul(2).saturating_add(2)) {
        Some((end, _)) => Cow::Owned(format!("{}{CUT}", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// The bytes of the start of a text that fit into these columns once escaped, and the columns that they take. With `at_least_one`,
/// that is a character even if it is wider.
pub(super) fn fitting(text: &str, columns: usize, at_least_one: bool) -> (usize, usize) {
    let (mut length, mut taken) = (0, 0);
    for (place, character) in text.char_indices() {
        let width = match character {
            ' '..='~' => 1,
            _ => columns::width(&escape::cells(character.encode_utf8(&mut [0; 4]))),
        };
        if taken + width > columns && !(at_least_one && place == 0) {
            break;
        }
        (length, taken) = (place + character.len_utf8(), taken + width);
    }
    (length, taken)
}

/// A count in at most five characters: `99999`, `123k`, `4.5M`.
pub(super) fn count(count: u64) -> String {
    if count < 100_000 { count.to_string() } else { scaled(count as f64) }
}

/// A rate in at most four characters: `0.1`, `12`, `3.4k`; nothing if it is almost zero.
pub(super) fn rate(rate: f32) -> String {
    match rate {
        rate if rate < 0.05 => String::new(),
        rate if rate < 9.95 => format!("{rate:.1}"),
        rate if rate < 999.5 => format!("{rate:.0}"),
        rate => scaled(rate.into()),
    }
}

/// As [`rate`], with `0` for almost zero.
pub(super) fn rate_or_zero(per_second: f32) -> String {
    Some(rate(per_second)).filter(|text| !text.is_empty()).unwrap_or_else(|| "0".to_owned())
}

/// Bytes in at most five characters: `999`, `1.2k`, `256M`.
pub(super) fn size(bytes: u64) -> String {
    if bytes < 1000 { bytes.to_string() } else { scaled(bytes as f64) }
}

/// Bytes with their unit: `999 bytes`, `1.2 kB`, `256 MB`.
pub(super) fn bytes(bytes: u64) -> String {
    let mut size = size(bytes);
    match size.pop() {
        Some(unit) if unit.is_ascii_alphabetic() => format!("{size} {unit}B"),
        _ => counted(bytes, "byte"),
    }
}

fn scaled(value: f64) -> String {
    let mut value = value;
    for unit in ["", "k", "M", "G", "T"] {
        if value < 9.95 && !unit.is_empty() {
            return format!("{value:.1}{unit}");
        }
        if value < 999.5 {
            return format!("{value:.0}{unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0}P")
}

/// A duration in at most four characters: `0s`, `59s`, `12m`, `23h`, `99d`.
pub(super) fn age(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", (seconds / 86_400).min(999)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_short() {
        assert_eq!(
            [0, 99_999, 123_456, 4_500_000, 99_950_000].map(count),
            ["0", "99999", "123k", "4.5M", "100M"]
        );
        assert_eq!(
            [0.0, 0.1, 9.94, 12.4, 999.6, 45_600.0].map(rate),
            ["", "0.1", "9.9", "12", "1.0k", "46k"]
        );
        assert_eq!([999, 1234, 256_000_000].map(size), ["999", "1.2k", "256M"]);
        assert_eq!([1, 999, 1234, 256_000_000].map(bytes), ["1 byte", "999 bytes", "1.2 kB", "256 MB"]);
        assert_eq!([999, 59_999, 60_000, 86_400_000].map(age), ["0s", "59s", "1m", "1d"]);
    }

    #[test]
    fn the_start_of_a_text_fits_into_its_columns() {
        assert_eq!([fitting("abc", 2, false), fitting("abc", 5, false)], [(2, 2), (3, 3)]);
        assert_eq!([fitting("日本語", 5, false), fitting("日", 1, false)], [(6, 4), (0, 0)]);
        assert_eq!(fitting("\u{1b}a", 3, true), (1, 6), "an escape may be wider than the columns");
    }

    #[test]
    fn a_text_is_wrapped_between_words_or_within_a_long_one() {
        assert_eq!(wrapped("one two  three", 7, 9), ["one two", "three"]);
        assert_eq!(wrapped("a longword b 日本", 6, 9), ["a", "longwo", "rd b", "日本"]);
        assert_eq!(wrapped("a b\u{1b}c", 6, 9), ["a", "b\\u{1b", "}c"]);
        assert_eq!(wrapped("one two three four", 5, 2), ["one", "two …"]);
        assert_eq!(wrapped("日本", 1, 9), ["日", "…"]);
        assert_eq!([wrapped("", 5, 2), wrapped("a", 5, 0)], [[""; 0], [""; 0]]);
        assert!(wrapped(&"\u{301}".repeat(100_000), 10, 3).concat().len() < 300);
    }

    #[test]
    fn the_middle_of_a_long_text_is_left_out() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!([shortened("abcdefghij", 7), shortened("abcdefghij", 2)], ["abc…hij", "a…"]);
        assert_eq!(shortened("日本日本日本", 8), "日本…本");
        assert_eq!(shortened("a\u{1b}bcdefg\u{1b}", 14), "a\\u{1b}…\\u{1b}");
        let long = format!("cannot publish to {}: not authorized", "a/".repeat(30_000));
        let lines = fitted(&long, 20, 3);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(
            lines.concat().starts_with("cannot publish to") && lines.concat().ends_with("not authorized")
        );
        assert_eq!(fitted("one two three", 9, 3), ["one two", "three"]);
        assert!(fitted("a b c", 1, 0).is_empty());
    }

    #[test]
    fn a_text_stays_in_its_cells() {
        assert_eq!(line("a\nb\u{1b}[2J", 40), "a\\nb\\u{1b}[2J");
        assert_eq!(line("日本語", 5), "日本…");
        assert_eq!(line("a\u{200b}\u{202e}b", 40), "a\\u{200b}\\u{202e}b");
        assert!(line(&"\u{301}".repeat(100_000), 10).len() < 60, "combining characters are bounded");
    }
}
