//! Formatting of numbers and names for display.

use crate::columns;

/// The maximum line width; only a single long word exceeds it.
pub(crate) const COLUMNS: usize = 80;

/// Wraps a text to the columns that remain after an indentation; further lines get the same indentation.
pub(crate) fn folded(text: &str, indent: usize) -> String {
    let mut folded = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let length = columns::width(word);
        if column > indent && column + 1 + length > COLUMNS {
            folded.push('\n');
            folded.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += length;
    }
    folded
}

/// The column of the text that follows a name.
pub(crate) const INDENT: usize = 18;

/// The end of a cut name.
const CUT: &str = "...";

/// A name in a column of this width. One that is too long for it has its own line, and is cut to the width of the terminal.
pub(crate) fn name_cell(name: &str, width: usize) -> String {
    let name = columns::cut(name, COLUMNS, CUT);
    let end = if columns::width(&name) > width { format!("\n{:width$}", "") } else { String::new() };
    columns::padded(&name, width) + &end
}

/// Cells in columns, and after them some words, which have their own line if they do not fit.
pub(crate) fn cells_and_words(cells: &str, words: &str) -> String {
    let last_line = cells.rsplit('\n').next().unwrap_or_default();
    let line = match columns::width(last_line) + 2 + columns::width(words) > COLUMNS {
        true => format!("{cells}\n{:INDENT$}{}", "", folded(words, INDENT)),
        false => format!("{cells}  {words}"),
    };
    line.trim_end().to_owned() + "\n"
}

/// A rate per second, without decimals unless it is low.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 10.0 { format!("{per_second:.1}") } else { format!("{per_second:.0}") }
}

/// Nanoseconds in the unit that fits, with three digits.
pub(crate) fn duration(nanoseconds: u64) -> String {
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..999_500 => (nanoseconds as f64 / 1e3, "µs"),
        999_500..999_500_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let decimals = match value {
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_80_columns() {
        let text = "word ".repeat(40);
        let folded = folded(text.trim_end(), 18);
        assert!(
            folded.lines().skip(1).all(|line| line.starts_with(&" ".repeat(18)) && line.len() <= 80),
            "{folded}"
        );
        assert_eq!(folded.lines().next().map(str::len), Some(59), "62 columns are left of 80");
        assert_eq!(folded.split_whitespace().count(), 40);
    }

    #[test]
    fn names_are_measured_in_columns() {
        assert_eq!(name_cell("温度", 6), "温度  ");
        assert_eq!(name_cell("温度センサー", 6), format!("温度センサー\n{:6}", ""));
        let long = name_cell(&"温度".repeat(30), 18);
        assert_eq!(long.lines().next().map(columns::width), Some(79), "{long}");
    }

    #[test]
    fn words_that_do_not_fit_have_their_own_line() {
        let cells = format!("{:70}", "name");
        assert_eq!(cells_and_words(&cells, "12345678"), format!("{cells}  12345678\n"));
        assert_eq!(cells_and_words(&cells, "123456789"), format!("{cells}\n{:18}123456789\n", ""));
    }

    #[test]
    fn durations_have_three_digits_in_the_unit_that_fits() {
        let texts =
            [0, 999, 1000, 9_994, 9_996, 99_960, 999_499, 999_500, 1_000_000, 999_499_999, 61_000_000_000];
        let texts = texts.map(duration);
        let expected = [
            "0 ns", "999 ns", "1.00 µs", "9.99 µs", "10.0 µs", "100 µs", "999 µs", "1.00 ms", "1.00 ms",
            "999 ms", "61.0 s",
        ];
        assert_eq!(texts, expected);
    }
}
