//! Payloads and topics with placeholders, filled in anew for each message.

use crate::placeholder::{self, Braces, Piece};
use jiff::Timestamp;
use std::io;
use std::ops::RangeInclusive;

/// A text that is made anew for each message.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Template(Vec<Piece<Placeholder>>);

#[derive(Debug, Clone, PartialEq)]
enum Placeholder {
    Number,
    Time(TimeForm),
    Uuid,
    Random(RangeInclusive<i64>),
    /// A number with so many decimals.
    RandomDecimal {
        range: RangeInclusive<f64>,
        decimals: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeForm {
    Rfc3339,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// Why a text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::commands) enum TemplateError {
    #[error(
        "{{{0}}} stands for nothing; there are {{i}} (the message's number, from 0), {{ts}} (the time; {{ts:s}}, {{ts:ms}}, \
         {{ts:us}}, {{ts:ns}} since 1970), {{uuid}} and {{rand:0..100}} (any number below 100; {{rand:18.0..25.5}} with a decimal)"
    )]
    Unknown(String),
    #[error("{{{0} is not closed")]
    Open(String),
    #[error(
        "{{rand:{0}}} is no range; {{rand:0..100}} is a number from 0 to 99, {{rand:18.0..25.5}} one with a decimal"
    )]
    Range(String),
}

impl Template {
    /// Reads a text, in which braces with anything but a word in them are text, so that JSON can be written as it is.
    ///
    /// # Errors
    /// When it holds an unknown placeholder.
    pub(in crate::commands) fn parse(text: &str) -> Result<Template, TemplateError> {
        placeholder::parse(text, placeholder::is_word, named).map(Template)
    }

    /// The text for a message with this number.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(in crate::commands) fn fill_in(&self, number: u64) -> io::Result<String> {
        let now = Timestamp::now();
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Placeholder(placeholder) => text.push_str(&placeholder.value(number, now)?),
            }
        }
        Ok(text)
    }
}

fn named(Braces { inside, is_open }: Braces<'_>) -> Result<Placeholder, TemplateError> {
    if is_open {
        return Err(TemplateError::Open(inside.to_owned()));
    }
    Ok(match inside {
        "i" => Placeholder::Number,
        "ts" => Placeholder::Time(TimeForm::Rfc3339),
        "ts:s" => Placeholder::Time(TimeForm::Seconds),
        "ts:ms" => Placeholder::Time(TimeForm::Milliseconds),
        "ts:us" => Placeholder::Time(TimeForm::Microseconds),
        "ts:ns" => Placeholder::Time(TimeForm::Nanoseconds),
        "uuid" => Placeholder::Uuid,
        _ => match inside.strip_prefix("rand:") {
            Some(range) => random(range).ok_or_else(|| TemplateError::Range(range.to_owned()))?,
            None => return Err(TemplateError::Unknown(inside.to_owned())),
        },
    })
}

/// A range of whole numbers, whose end is left out, or of numbers with as many decimals as were written.
fn random(text: &str) -> Option<Placeholder> {
    let (start, end) = text.split_once("..")?;
    let decimals = |number: &str| number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let most = decimals(start).max(decimals(end));
    if most == 0 {
        let (start, end): (i64, i64) = (start.parse().ok()?, end.parse().ok()?);
        return (start < end).then(|| Placeholder::Random(start..=end - 1));
    }
    let (start, end): (f64, f64) = (start.parse().ok()?, end.parse().ok()?);
    (start < end && most <= 15).then_some(Placeholder::RandomDecimal { range: start..=end, decimals: most })
}

impl Placeholder {
    fn value(&self, number: u64, now: Timestamp) -> io::Result<String> {
        Ok(match self {
            Placeholder::Number => number.to_string(),
            Placeholder::Time(form) => form.format(now),
            Placeholder::Uuid => uuid()?,
            Placeholder::Random(range) => fastrand::i64(range.clone()).to_string(),
            Placeholder::RandomDecimal { range, decimals } => {
                let value = range.start() + fastrand::f64() * (range.end() - range.start());
                format!("{value:.decimals$}")
            }
        })
    }
}

impl TimeForm {
    fn format(self, now: Timestamp) -> String {
        match self {
            TimeForm::Rfc3339 => format!("{now:.3}"),
            TimeForm::Seconds => now.as_second().to_string(),
            TimeForm::Milliseconds => now.as_millisecond().to_string(),
            TimeForm::Microseconds => now.as_microsecond().to_string(),
            TimeForm::Nanoseconds => now.as_nanosecond().to_string(),
        }
    }
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let bits = u128::from_be_bytes(bytes) & !(0xf000 << 64 | 0xc000 << 48) | 0x4000 << 64 | 0x8000 << 48;
    let digits = format!("{bits:032x}");
    let (parts, mut rest) = ([8, 4, 4, 4, 12], digits.as_str());
    let parts = parts.map(|length| {
        let (part, after) = rest.split_at(length);
        rest = after;
        part
    });
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::parse(text).unwrap().fill_in(7).unwrap()
    }

    #[test]
    fn placeholders_stand_for_values_and_json_for_itself() {
        assert_eq!(filled(r#"{"n":{i},"a":{},"b":{"c":{rand:5..6}}}"#), r#"{"n":7,"a":{},"b":{"c":5}}"#);
        assert_eq!(filled(""), "");
        assert_eq!(filled("{ i } {"), "{ i } {");
    }

    #[test]
    fn random_numbers_are_in_their_range_with_their_decimals() {
        for _ in 0..200 {
            let number: i64 = filled("{rand:-3..3}").parse().unwrap();
            assert!((-3..3).contains(&number));
            let text = filled("{rand:18.0..25.25}");
            assert_eq!(text.split_once('.').unwrap().1.len(), 2, "{text}");
            assert!((18.0..=25.25).contains(&text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_uuid_is_of_version_4_and_another_each_time() {
        let (one, other) = (filled("{uuid}"), filled("{uuid}"));
        assert_ne!(one, other);
        let shape: String = one.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }

    #[test]
    fn times_are_of_now() {
        let (before, after) = (Timestamp::now(), filled("{ts:ns}").parse::<i128>().unwrap());
        assert!(after >= before.as_nanosecond());
        assert!(filled("{ts}").parse::<Timestamp>().is_ok());
        assert_eq!(filled("{ts:s}").len() + 3, filled("{ts:ms}").len());
        assert_eq!(filled("{ts:ms}").len() + 3, filled("{ts:us}").len());
    }

    #[test]
    fn mistakes_are_told() {
        let error = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert!(error("{x}").starts_with("{x} stands for nothing; there are {i}"));
        assert!(error("a {i").contains("{i is not closed"));
        for range in ["5..5", "6..5", "..", "1", "a..b", "1.0..0.5", "0.0..1.0000000000000001"] {
            assert!(error(&format!("{{rand:{range}}}")).contains("is no range"), "{range}");
        }
    }
}
