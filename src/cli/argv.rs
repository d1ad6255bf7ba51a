//! Makes typed words unambiguous before clap reads them: an option and its value become one word.
//!
//! As in mosquitto's tools, the word after an option is its value whatever it looks like (`-m -5`), and `-D` takes three words
//! or, for a user property, four.

use super::properties::SEPARATOR;
use crate::protocol::PropertyId;
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};

/// Joins every option of the chosen subcommand with its value.
pub(super) fn normalise(command: &Command, typed: &[OsString]) -> Vec<OsString> {
    let (head, mut rest) = typed.split_at(typed.len().min(2));
    let mut normalised = head.to_vec();
    let Some(subcommand) = head.get(1).and_then(|name| command.find_subcommand(name)) else {
        normalised.extend_from_slice(rest);
        return normalised;
    };
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
fn value_count(long: &str, following: &[OsString]) -> usize {
    if long != "property" {
        return 1;
    }
    let is_user_property =
        following.get(1).is_some_and(|name| name.eq_ignore_ascii_case(PropertyId::UserProperty.name()));
    if is_user_property { 4 } else { 3 }
}

/// The option that takes a value and is spelled exactly so.
fn find_option<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    let word = word.to_str()?;
    let takes_value = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let is_spelled_so = |arg: &&Arg| {
        let long = word.strip_prefix("--").is_some_and(|name| arg.get_long() == Some(name));
        let short = word.strip_prefix('-').is_some_and(|name| {
            let mut letters = name.chars();
            letters.next().is_some_and(|letter| arg.get_short() == Some(letter)) && letters.next().is_none()
        });
        long || short
    };
    command.get_arguments().filter(takes_value).find(is_spelled_so)
}

fn join(long: &str, values: &[OsString]) -> OsString {
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
        let words = normalise(&super::super::command(), &typed);
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn the_word_after_an_option_is_its_value() {
        assert_eq!(normalised(&["mq", "pub", "-m", "-5", "-r"]), ["mq", "pub", "--message=-5", "-r"]);
        assert_eq!(normalised(&["mq", "pub", "-t", "--", "-n"]), ["mq", "pub", "--topic=--", "-n"]);
        assert_eq!(normalised(&["mq", "pub", "-m"]), ["mq", "pub", "-m"]);
        assert_eq!(normalised(&["mq", "pub", "--topic=a"]), ["mq", "pub", "--topic=a"]);
    }

    #[test]
    fn a_property_takes_three_words_or_four() {
        assert_eq!(
            normalised(&["mq", "pub", "-D", "publish", "topic-alias", "5", "-n"]),
            ["mq", "pub", "--property=publish\0topic-alias\x005", "-n"]
        );
        assert_eq!(
            normalised(&["mq", "pub", "-D", "publish", "user-property", "-k", "-v", "-n"]),
            ["mq", "pub", "--property=publish\0user-property\0-k\0-v", "-n"]
        );
    }
}
