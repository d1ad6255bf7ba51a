//! `mq help`: the help of a command, or of one group of its options.

use super::{end_without_command, pager};
use crate::cli;
use crate::cli::generated_docs::HelpArgs;
use crate::cli::help_groups::{self, Topic};
use crate::commands::error::{Error, ExitStatus};
use std::ffi::OsString;

/// The number of groups from which on they are listed below the help.
const MANY: usize = 4;

pub(super) fn run(args: &HelpArgs) -> Result<ExitStatus, Error> {
    match help_groups::find(&args.words)? {
        Topic::Group(help) => {
            let is_coloured = colored::control::SHOULD_COLORIZE.should_colorize();
            let text = if is_coloured { help.ansi().to_string() } else { help.to_string() };
            pager::print(&(text.trim_end().to_owned() + "\n"))?;
            Ok(ExitStatus::DONE)
        }
        Topic::Command(words, groups) => {
            let line = ["mq"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
            match cli::parse(line.map(OsString::from)) {
                Err(mut failure) => {
                    failure.text += &list(&words, &groups);
                    Ok(end_without_command(&failure))
                }
                Ok(_) => Ok(ExitStatus::DONE),
            }
        }
    }
}

/// The groups, if the help is so long that one of them is easier to read.
fn list(words: &[String], groups: &[String]) -> String {
    if groups.len() < MANY {
        return String::new();
    }
    let groups: Vec<String> = groups.iter().map(|group| help_groups::word(group)).collect();
    format!("\nPrint one group with `mq help {} GROUP`: {}.\n", words.join(" "), groups.join(", "))
}
