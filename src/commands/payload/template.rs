//! Payloads and topics with placeholders, filled in for each message.

use crate::payload::placeholder::{self, Piece, PlaceholderError, Value};
use jiff::Timestamp;
use std::fmt::Write;
use std::io;

/// A text with placeholders, filled in for each message.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Template(Vec<Piece<Placeholder>>);

#[derive(Debug, Clone, PartialEq)]
enum Placeholder {
    Number,
    Value(Value),
}

/// The placeholders of a message.
const PLACEHOLDERS: &str = "{i} (the message's number, from 0), {ts} (the time; {ts:s}, {ts:ms}, {ts:us}, {ts:ns} since 1970), \
                            {uuid} and {rand:0..100} (any number below 100; {rand:18.0..25.5} with a decimal)";

impl Template {
    /// Parses a text. Braces with anything other than a word in them are text, so JSON needs no escaping.
    ///
    /// # Errors
    /// If it has an unknown placeholder.
    pub(in crate::commands) fn parse(text: &str) -> Result<Template, PlaceholderError> {
        placeholder::parse(text, placeholder::is_word, PLACEHOLDERS, named).map(Template)
    }

    /// The text for a message with this number.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(in crate::commands) fn fill_in(&self, number: u64) -> io::Result<String> {
        let now = Timestamp::now();
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Placeholder(Placeholder::Value(value)) => value.append(now, &mut text)?,
                Piece::Placeholder(Placeholder::Number) => {
                    let _ = write!(text, "{number}");
                }
            }
        }
        Ok(text)
    }
}

fn named(name: &str) -> Result<Option<Placeholder>, PlaceholderError> {
    if name == "i" { Ok(Some(Placeholder::Number)) } else { Ok(Value::named(name)?.map(Placeholder::Value)) }
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
    fn mistakes_are_reported() {
        let error = |text: &str| Template::parse(text).unwrap_err().to_string();
        assert!(error("{x}").starts_with("unknown placeholder {x}; the placeholders are {i}"));
        assert!(error("a {i").contains("{i is not closed"));
        for range in ["5..5", "6..5", "..", "1", "a..b", "1.0..0.5", "0.0..1.0000000000000001"] {
            assert!(error(&format!("{{rand:{range}}}")).contains("invalid range"), "{range}");
        }
    }
}
