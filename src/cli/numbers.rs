//! Numbers among the words of a command line.
//!
//! mosquitto's tools read numbers with `atoi`, which ignores a carriage return, a unit, or missing digits. Scripts
//! rely on it unknowingly: files with CRLF, variables that are not set. Under mosquitto's names numbers are read the
//! same way. Under `mq` the whole word must be a number, except for blanks around it.

use super::Names;
use super::properties::{SEPARATOR, takes_number};
use super::values::Sizes;
use crate::bench::schedule::Rate;
use crate::protocol::{Qos, Version};
use clap::{Arg, Command};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

/// The options that mosquitto's tools read with `atoi`, and with `atof`.
const INTEGERS: [&str; 8] =
    ["port", "qos", "keepalive", "timeout", "count", "max-inflight", "repeat", "will-qos"];
const DECIMALS: [&str; 2] = ["repeat-delay", "random-filter"];

/// The value for the parser: without blanks around a number, and under mosquitto's names as those tools read it.
pub(super) fn tidied(command: &Command, names: Names, arg: &Arg, value: &OsStr) -> OsString {
    let long = arg.get_long().unwrap_or_default();
    if long == super::argv::PROPERTY && names == Names::Mosquitto {
        return with_integer(value);
    }
    let trimmed = trimmed(arg, value);
    let read = match names {
        Names::Mosquitto if INTEGERS.contains(&long) => integer(value.as_bytes()).to_string(),
        Names::Mosquitto if DECIMALS.contains(&long) => decimal(value.as_bytes()),
        Names::Mosquitto | Names::Mq => return trimmed.to_owned(),
    };
    // A value that is out of range is rejected as typed.
    if is_accepted(command, long, trimmed) || !is_accepted(command, long, OsStr::new(&read)) {
        return trimmed.to_owned();
    }
    read.into()
}

/// The value, without blanks around a number.
pub(super) fn trimmed<'a>(arg: &Arg, value: &'a OsStr) -> &'a OsStr {
    if is_number(arg) { OsStr::from_bytes(trim(value.as_bytes())) } else { value }
}

/// The part that does not belong in a number, as the end of an error message.
pub(super) fn oddity(arg: &Arg, value: &str) -> Option<String> {
    if !is_number(arg) || has_type::<Version>(arg) || has_type::<Rate>(arg) {
        return None;
    }
    if value.is_empty() {
        return Some("; the value is empty".to_owned());
    }
    let is_decimal = has_type::<f64>(arg) || has_type::<Duration>(arg) || has_type::<Sizes>(arg);
    odd_character(value, is_decimal)
}

/// The first character that is not part of a number.
pub(super) fn odd_character(value: &str, is_decimal: bool) -> Option<String> {
    let digits = value.trim_start_matches(['+', '-']);
    let odd = digits.chars().find(|&character| {
        let is_of_decimal = is_decimal && matches!(character, '.' | 'e' | 'E' | '-' | '+');
        !(character.is_ascii_digit() || is_of_decimal)
    })?;
    Some(format!("; '{}' is not a digit", odd.escape_debug()))
}

/// The value without blanks and line ends around it.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// The number that `atoi` reads at the start of a text, without its overflow.
pub(super) fn integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number =
        digits.fold(0_i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if is_negative { -number } else { number }
}

/// The decimal number at the start of a text, as `atof` reads it; `0` if it has no digits.
fn decimal(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii_start());
    let end = text.find(|character: char| !character.is_ascii_digit() && !".eE+-".contains(character));
    let mut number = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    while !number.is_empty() && number.parse::<f64>().is_err() {
        number = number.get(..number.len() - 1).unwrap_or_default(); // all of it is ASCII
    }
    if number.is_empty() { "0".to_owned() } else { number.to_owned() }
}

/// The words of a property, the last one read as a number if the property is numeric.
fn with_integer(value: &OsStr) -> OsString {
    let own = value.to_owned();
    let words: Vec<&[u8]> = value.as_bytes().split(|&byte| byte == 0).collect();
    let [packet, name, number] = words.as_slice() else { return own };
    if !std::str::from_utf8(name).is_ok_and(takes_number) {
        return own;
    }
    let number = integer(number).to_string();
    OsString::from_vec([packet, *name, number.as_bytes()].join(SEPARATOR.as_bytes()))
}

fn is_accepted(command: &Command, long: &str, value: &OsStr) -> bool {
    let word = super::argv::join(long, &[value.to_owned()]);
    let line = [OsString::from(command.get_name()), word];
    let parsed = command.clone().try_get_matches_from(line);
    parsed.err().is_none_or(|error| !super::clap_error::is_about_one_option(error.kind()))
}

fn is_number(arg: &Arg) -> bool {
    has_type::<u16>(arg)
        || has_type::<u32>(arg)
        || has_type::<u64>(arg)
        || has_type::<usize>(arg)
        || has_type::<NonZeroU32>(arg)
        || has_type::<f64>(arg)
        || has_type::<Duration>(arg)
        || has_type::<Qos>(arg)
        || has_type::<Version>(arg)
        || has_type::<Sizes>(arg)
        || has_type::<Rate>(arg)
}

fn has_type<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_by_atoi() {
        for (text, number) in [
            ("1883\r", 1883),
            ("", 0),
            ("foo", 0),
            (" 1 ", 1),
            ("60s", 60),
            ("-5x", -5),
            ("+1", 1),
            ("0x1", 0),
            ("99999999999999999999", i64::MAX),
        ] {
            assert_eq!(integer(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn decimals_are_read_up_to_what_is_no_number() {
        for (text, number) in [
            ("0.1s", "0.1"),
            ("", "0"),
            ("abc", "0"),
            ("1e-2\r", "1e-2"),
            ("2e", "2"),
            ("-1", "-1"),
            ("e", "0"),
        ] {
            assert_eq!(decimal(text.as_bytes()), number, "{text}");
        }
    }

    #[test]
    fn blanks_are_taken_off_both_ends() {
        assert_eq!(trim(b" 1 2\r\n"), b"1 2");
        assert_eq!(trim(b" \r"), b"");
        assert_eq!(trim(b""), b"");
    }
}
