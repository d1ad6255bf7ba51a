//! Makes the typed words unambiguous before clap reads them: an option and its value become one word.
//!
//! As in mosquitto's tools, the word after an option is its value, even if it looks like an option (`-m -5`). `-D` takes three
//! words, or four for a user property.

use super::config::is_path;
use super::properties::SEPARATOR;
use super::{Names, numeric_args};
use crate::protocol::PropertyId;
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The only option whose value is several words.
pub(super) const PROPERTY: &str = "property";

/// The option for the protocol of a port.
const DECODE_AS: &str = "decode-as";

/// Joins every option of this subcommand, and of those below it, with its value, and normalises numbers.
///
/// # Errors
/// If an option follows one that needs a file. Under mosquitto's names, it is the file's name.
pub(super) fn normalise(
    subcommand: &Command,
    names: Names,
    typed: &[OsString],
) -> Result<Vec<OsString>, String> {
    let mut command = subcommand;
    let mut rest = typed;
    let mut normalised = Vec::with_capacity(typed.len());
    while let Some((word, following)) = rest.split_first() {
        rest = following;
        let Some((arg, long)) = find_option(command, word).and_then(|arg| Some((arg, arg.get_long()?)))
        else {
            command = word.to_str().and_then(|name| command.find_subcommand(name)).unwrap_or(command);
            normalised.push(tidied_word(command, names, word));
            continue;
        };
        if let Some(next) = rest.first().filter(|next| names == Names::Mq && is_no_file(arg, next)) {
            let (option, next) = (word.display(), next.display());
            return Err(format!(
                "{option} needs a value, but '{next}' follows; for a file of this name, use ./{next}"
            ));
        }
        let (values, following) = rest.split_at(value_count(long, rest).min(rest.len()));
        rest = following;
        normalised.push(if values.is_empty() { word.clone() } else { joined(command, names, arg, values) });
    }
    Ok(normalised.into_iter().map(|word| with_protocol(command, word)).collect())
}

/// Whether the value is to be a file, and the next word looks like an option.
fn is_no_file(arg: &Arg, next: &OsStr) -> bool {
    let is_named_file = || arg.get_value_names().unwrap_or_default().iter().any(|name| name == "FILE");
    next.len() > 1 && next.as_bytes().starts_with(b"-") && (is_path(arg) || is_named_file())
}

/// `--port 5000=mqtt-sn` is about the protocol of a port, not about the port of a broker.
fn with_protocol(command: &Command, word: OsString) -> OsString {
    let value = word.as_bytes().strip_prefix(b"--port=").filter(|value| value.contains(&b'='));
    let is_known = || command.get_arguments().any(|arg| arg.get_long() == Some(DECODE_AS));
    match value.filter(|_| is_known()) {
        Some(value) => join(DECODE_AS, &[OsStr::from_bytes(value).to_owned()]),
        None => word,
    }
}

/// An option and its value as one word for the parser.
pub(super) fn joined(command: &Command, names: Names, arg: &Arg, values: &[OsString]) -> OsString {
    let long = arg.get_long().unwrap_or_default();
    let value = values.join(OsStr::new(SEPARATOR));
    join(long, &[numeric_args::tidied(command, names, arg, &value)])
}

/// Normalises the number in an option that was typed together with its value, as `--port=1883` or `-p1883`.
fn tidied_word(command: &Command, names: Names, word: &OsStr) -> OsString {
    let bytes = word.as_bytes();
    let is_long = bytes.starts_with(b"--");
    let end = if is_long { bytes.iter().position(|&byte| byte == b'=') } else { Some(2) };
    let split = end.and_then(|end| bytes.split_at_checked(end));
    let Some((option, value)) = split.filter(|(_, value)| !value.is_empty()) else { return word.to_owned() };
    let value = OsStr::from_bytes(value.strip_prefix(b"=").unwrap_or(value));
    match find_option(command, OsStr::from_bytes(option))
        .filter(|arg| numeric_args::trimmed(arg, value) != value)
    {
        Some(arg) => joined(command, names, arg, &[value.to_owned()]),
        None => word.to_owned(),
    }
}

/// Number of words after an option that are its value.
pub(super) fn value_count(long: &str, following: &[OsString]) -> usize {
    if long != PROPERTY {
        return 1;
    }
    let is_user_property =
        following.get(1).is_some_and(|name| name.eq_ignore_ascii_case(PropertyId::UserProperty.name()));
    if is_user_property { 4 } else { 3 }
}

/// The option with exactly this spelling, if it takes a value.
pub(super) fn find_option<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    find(command, word).filter(|arg| takes_value(arg))
}

/// Whether the next word is the option's value; an optional value is attached with `=`.
pub(super) fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_require_equals_set()
}

/// The option or flag with exactly this spelling.
pub(super) fn find<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    let word = word.to_str()?;
    let is_spelled_so = |arg: &&Arg| {
        let long = word.strip_prefix("--").is_some_and(|name| arg.get_long() == Some(name));
        let short = word.strip_prefix('-').is_some_and(|name| {
            let mut letters = name.chars();
            letters.next().is_some_and(|letter| arg.get_short() == Some(letter)) && letters.next().is_none()
        });
        long || short
    };
    command.get_arguments().find(is_spelled_so)
}

/// An option and the words of its value as one word.
pub(super) fn join(long: &str, values: &[OsString]) -> OsString {
    let mut joined = OsString::from(format!("--{long}="));
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            joined.push(SEPARATOR);
        }
        joined.push(value);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(line: &[&str]) -> Vec<String> {
        let typed: Vec<OsString> = line.iter().map(OsString::from).collect();
        let command = super::super::command();
        let words = normalise(command.find_subcommand("pub").unwrap(), Names::Mq, &typed).unwrap();
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn the_word_after_an_option_is_its_value() {
        assert_eq!(normalised(&["-m", "-5", "-r"]), ["--message=-5", "-r"]);
        assert_eq!(normalised(&["-t", "--", "-n"]), ["--topic=--", "-n"]);
        assert_eq!(normalised(&["-m"]), ["-m"]);
        assert_eq!(normalised(&["--topic=a"]), ["--topic=a"]);
    }

    #[test]
    fn a_property_takes_three_words_or_four() {
        assert_eq!(
            normalised(&["-D", "publish", "topic-alias", "5", "-n"]),
            ["--property=publish\0topic-alias\x005", "-n"]
        );
        assert_eq!(
            normalised(&["-D", "publish", "user-property", "-k", "-v", "-n"]),
            ["--property=publish\0user-property\0-k\0-v", "-n"]
        );
    }
}
