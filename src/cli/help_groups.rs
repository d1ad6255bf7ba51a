//! Parts of the help: `mq help bench report` prints the options below one heading.

use super::command::COMMANDS;
use super::values::one_of;
use super::{Error, Names, command, definitions};
use crate::suggestion::did_you_mean;
use clap::builder::StyledStr;
use clap::{Arg, Command};

/// The heading of options without one.
const OPTIONS: &str = "Options";

/// The subject of `mq help`.
#[derive(Debug)]
pub(crate) enum Topic {
    /// The help of a command: the words that ask for it, and the names of its groups.
    Command(Vec<String>, Vec<String>),
    /// The options of a group.
    Group(StyledStr),
}

/// Finds the command and the group.
///
/// # Errors
/// If the command or the group is unknown.
pub(crate) fn find(words: &[String]) -> Result<Topic, Error> {
    let Some((first, rest)) = words.split_first() else { return Ok(Topic::Command(Vec::new(), Vec::new())) };
    let Some(row) = command::row(first) else { return Err(unknown_command(first)) };
    let mut program = definitions(Names::Mq, Some(row));
    program.build();
    let mut command = program.find_subcommand(row.name).ok_or_else(|| unknown_command(first))?;
    let mut found = vec![row.name.to_owned()];
    let mut rest = rest;
    while let Some((word, following)) = rest.split_first()
        && let Some(below) = command.find_subcommand(word)
    {
        (command, rest) = (below, following);
        found.push(word.clone());
    }
    if rest.is_empty() {
        return Ok(Topic::Command(found, names(command)));
    }
    let heading = heading(command, &rest.concat()).ok_or_else(|| unknown_group(command, &found, rest))?;
    Ok(Topic::Group(help_of(command, &heading)))
}

/// The headings of the visible options, in the order of the help.
pub(crate) fn names(command: &Command) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for heading in command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(heading_of) {
        if !names.iter().any(|name| name == heading) {
            names.push(heading.to_owned());
        }
    }
    names
}

/// A heading as it is typed: `hosted-brokers`.
pub(crate) fn word(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

/// The command with the options of one heading only; the others are hidden.
pub(crate) fn only(command: &Command, heading: &str) -> Command {
    let shown = |arg: &Arg| !arg.is_hide_set() && heading_of(arg) == Some(heading);
    command
        .clone()
        .mut_args(|arg| if shown(&arg) { arg } else { arg.hide(true) })
        .mut_subcommands(|below| below.hide(true))
}

/// The heading that a word means: in any case, or the start of one heading alone.
pub(crate) fn heading(command: &Command, typed: &str) -> Option<String> {
    let simple = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    let typed = simple(typed);
    let names = names(command);
    if let Some(exact) = names.iter().find(|name| simple(name) == typed) {
        return Some(exact.clone());
    }
    let mut starts = names.into_iter().filter(|name| !typed.is_empty() && simple(name).starts_with(&typed));
    starts.next().filter(|_| starts.next().is_none())
}

fn heading_of(arg: &Arg) -> Option<&str> {
    if arg.is_positional() { None } else { Some(arg.get_help_heading().unwrap_or(OPTIONS)) }
}

fn help_of(command: &Command, heading: &str) -> StyledStr {
    only(command, heading).help_template("{all-args}").render_help()
}

fn unknown_command(word: &str) -> Error {
    let known: Vec<&str> = COMMANDS.iter().map(|row| row.name).collect();
    let tip = match did_you_mean(word, known) {
        tip if tip.is_empty() => "; `mq help` lists the commands".to_owned(),
        tip => tip,
    };
    Error::usage(format!("unknown command '{word}'{tip}"))
}

/// Describes an unknown group of the command that these words name.
pub(crate) fn unknown_group(command: &Command, found: &[String], rest: &[String]) -> Error {
    let groups: Vec<String> = names(command).iter().map(|name| word(name)).collect();
    let below = command.get_subcommands().map(|below| below.get_name().to_owned());
    let known: Vec<String> = below.chain(groups).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let typed = rest.join(" ");
    let tip = did_you_mean(&rest.join("-"), known.iter().copied());
    Error::usage(format!("mq {} has no group '{typed}': expected {}{tip}", found.join(" "), one_of(&known)))
}
