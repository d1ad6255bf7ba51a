//! Options with numeric values. Under mosquitto's names, their values are read as by mosquitto's tools. Under `mq` the
//! whole word must be a number, except for blanks around it.

use super::Names;
use super::numbers::{decimal, integer, invalid_character, is_whole, trim};
use super::properties::{SEPARATOR, takes_number};
use super::values::{Sizes, expected};
use crate::bench::rate::Rate;
use crate::protocol::sn::PublishQos;
use crate::protocol::{Qos, Version};
use clap::{Arg, Command};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

/// The options that mosquitto's tools read with `atoi`, and those that they read with `atof`.
const INTEGERS: [&str; 8] =
    ["port", "qos", "keepalive", "timeout", "count", "max-inflight", "repeat", "will-qos"];
const DECIMALS: [&str; 2] = ["repeat-delay", "random-filter"];

/// The value for the parser: a number without surrounding blanks, and under mosquitto's names as its tools read it.
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

/// The invalid part of a number, as the end of an error message.
pub(super) fn invalid_character_of(arg: &Arg, value: &str) -> Option<String> {
    if !is_number(arg) || has_type::<Version>(arg) {
        return None;
    }
    if value.is_empty() {
        return Some("; the value is empty".to_owned());
    }
    if has_units(arg) {
        return None;
    }
    invalid_character(value, has_type::<f64>(arg))
}

/// The numbers that an option accepts, if the value is a whole number, which may be too large for any type: `expected ...`.
pub(super) fn range_of(command: &Command, arg: &Arg, value: &str) -> Option<String> {
    if !is_whole(value) {
        return None;
    }
    // clap has the range in the error about a number that it can read.
    let probe = |number: &str| range_in(&error_about(command, arg, number)?);
    [i64::MAX.to_string(), "0".to_owned()].iter().find_map(|number| probe(number))
}

/// The range in clap's error about a number.
pub(super) fn range_in(error: &str) -> Option<String> {
    let (_, range) = error.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=")?;
    Some(expected(format!("a number from {least} to {most}")))
}

/// The reason why a value of an option is invalid.
fn error_about(command: &Command, arg: &Arg, value: &str) -> Option<String> {
    let word = super::argv::join(arg.get_long()?, &[value.into()]);
    let name = (!command.is_no_binary_name_set()).then(|| OsString::from(command.get_name()));
    let error = command.clone().try_get_matches_from(name.into_iter().chain([word])).err()?;
    std::error::Error::source(&error).map(ToString::to_string)
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

/// Whether the value can have a unit, judged by the value's name.
fn has_units(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .iter()
        .any(|name| ["DURATION", "INTERVAL", "SIZE", "RATE"].iter().any(|unit| name.starts_with(unit)))
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
        || has_type::<PublishQos>(arg)
        || has_type::<Version>(arg)
        || has_type::<Sizes>(arg)
        || has_type::<Rate>(arg)
}

fn has_type<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<T>()
}
