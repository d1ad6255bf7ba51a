//! Durations and sizes as text: `500ms`, `1m30s`, `64KiB`. Options, configuration, scenario files and thresholds share
//! this parser.

use std::time::Duration;

/// The accepted durations, for error messages.
pub(crate) const DURATION: &str = "a duration such as 500ms, 5s or 2m";

/// The accepted sizes, for error messages.
pub(crate) const SIZE: &str = "a size such as 512, 64KiB or 1MiB";

/// About three hundred years, which includes current times since 1970; sums of a few such times do not overflow.
const MAX_SECONDS: f64 = 1e10;

/// Units of time in seconds. Both code points for the micro sign are in use.
const TIME_UNITS: [(&str, f64); 10] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
];

/// Units of size in bytes, as GNU's tools read them: K and KiB are 1024, KB is 1000.
const SIZE_UNITS: [(&str, u64); 12] = [
    ("B", 1),
    ("k", 1 << 10),
    ("K", 1 << 10),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("KB", 1000),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("G", 1 << 30),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
];

/// Parses a number of seconds, or numbers with units from the largest to the smallest.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => from_seconds(seconds),
        Err(_) => from_seconds(sum_of_units(text)?),
    }
}

/// Parses a duration whose unit is written, for values that readers would take for something else without one.
pub(crate) fn duration_with_unit(text: &str) -> Option<Duration> {
    duration(text).filter(|_| text.trim_end().ends_with(char::is_alphabetic))
}

/// A duration from a number of seconds that is finite, not negative, and at most about three hundred years.
pub(crate) fn from_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= MAX_SECONDS)
}

fn sum_of_units(mut text: &str) -> Option<f64> {
    let (mut sum, mut previous_unit) = (0.0, f64::INFINITY);
    loop {
        let (number, rest) = leading_number(text)?;
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        let unit = unit_of(&TIME_UNITS, name).filter(|unit| *unit < previous_unit)?;
        sum += number.parse::<f64>().ok()? * unit;
        if rest.is_empty() {
            return Some(sum);
        }
        (text, previous_unit) = (rest.trim_start(), unit);
    }
}

/// Parses a number of bytes, or a number with a unit.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, name) = leading_number(text.trim())?;
    let unit = if name.is_empty() { 1 } else { unit_of(&SIZE_UNITS, name)? };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    // A fraction of a byte is an error; a fraction of a unit need not be whole bytes.
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    (unit > 1 && bytes < 1e15).then_some(bytes as u64)
}

/// Splits off a decimal number and the blanks after it.
fn leading_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    number.starts_with(|c: char| c.is_ascii_digit()).then(|| (number, rest.trim_start()))
}

fn unit_of<T: Copy>(units: &[(&str, T)], name: &str) -> Option<T> {
    units.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("5", 5_000_000_000),
            ("0.5", 500_000_000),
            (".5", 500_000_000),
            ("1e3", 1_000_000_000_000),
            ("250ns", 250),
            ("500us", 500_000),
            ("500µs", 500_000),
            ("500μs", 500_000),
            ("500ms", 500_000_000),
            ("10 ms", 10_000_000),
            ("1.5s", 1_500_000_000),
            ("2m", 120_000_000_000),
            ("2min", 120_000_000_000),
            ("2h", 7_200_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h 30m", 5_400_000_000_000),
            (" 5s\r", 5_000_000_000),
        ] {
            let expected = Some(nanoseconds);
            assert_eq!(duration(text).map(|duration| duration.as_nanos()), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_durations() {
        for text in [
            "", " ", "s", "5x", "5S", "-5", "-5s", "1m30", "30s1m", "5s5s", "1..5s", "inf", "nan", "1e11",
            "5 s x", "365000d", "1e3ms", "٣s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_units_or_are_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("64K", 64 << 10),
            ("64k", 64 << 10),
            ("64KiB", 64 << 10),
            ("64 KiB", 64 << 10),
            ("64KB", 64_000),
            ("1.5MiB", 3 << 19),
            ("16M", 16 << 20),
            ("1MB", 1_000_000),
            ("2G", 2 << 30),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in
            ["", "K", "-1", "1.5", "1m", "64kib", "1T", "1e3", "99999999999999999999", "99999999999999G", "é"]
        {
            assert_eq!(size(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_rejected(text in "\\PC{0,12}", sum in "([0-9]{0,4}\\.?[0-9]{0,4} ?[a-zµ]{0,3}){0,3}") {
            let _ = (duration(&text), size(&text), duration(&sum), size(&sum));
        }
    }
}
