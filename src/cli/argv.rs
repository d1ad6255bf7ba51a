//! Makes typed words unambiguous before clap reads them: an option and its value become one word.
//!
//! As in mosquitto's tools, the word after an option is its value whatever it looks like (`-m -5`), and `-D` takes three words
//! or, for a user property, four.

use super::properties::SEPARATOR;
use crate::protocol::PropertyId;
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};

/// The one option whose value is several words.
pub(super) const PROPERTY: &str = "property";

/// Joins every option of this subcommand with its value.
pub(super) fn normalise(subcommand: &Command, typed: &[OsString]) -> Vec<OsString> {
    let mut rest = typed;
    let mut normalised = Vec::with_capacity(typed.len());
    while let Some((word, following)) = rest.split_first() {
        rest = following;
        let Some(long) = find_option(subcommand, word).and_then(Arg::get_long) else {
            normalised.push(word.clone());
            continue;
        };
        let (values, following) = rest.split_at(value_count(long, rest).min(rest.len()));
        rest = following;
        normalised.push(if values.is_empty() { word.clone() } else { join(long, values) });
    }
    normalised
}

/// How many of the words that follow an option are its value.
pub(super) fn value_count(long: &str, following: &[OsString]) -> usize {
    if long != PROPERTY {
        return 1;
    }
    let is_user_property =
        following.get(1).is_some_and(|name| name.eq_ignore_ascii_case(PropertyId::UserProperty.name()));
    if is_user_property { 4 } else { 3 }
}

/// The option that takes a value and is spelled exactly so.
pub(super) fn find_option<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    find(command, word).filter(|arg| takes_value(arg))
}

/// Whether the word that follows is an option's value; one that may go without has it behind `=`.
pub(super) fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_require_equals_set()
}

/// The option or flag that is spelled exactly so.
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
        let words = normalise(command.find_subcommand("pub").unwrap(), &typed);
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
