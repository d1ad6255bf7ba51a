//! Formatting of numbers for display.

/// A count with its noun.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// The maximum line width; only a single long word exceeds it.
pub(super) const COLUMNS: usize = 80;

/// Wraps a text to the columns that remain after an indentation; further lines get the same indentation.
pub(crate) fn folded(text: &str, indent: usize) -> String {
    let mut folded = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
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
