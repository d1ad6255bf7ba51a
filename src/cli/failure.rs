//! Says what is wrong with the command line, in terms of what was typed.

use crate::error::ExitStatus;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use std::ffi::OsString;

/// A command line that leads to no command: a mistake, or a wish for help.
#[derive(Debug)]
pub struct Failure {
    /// What to print.
    pub text: String,
    /// Whether it was asked for and belongs on standard output.
    pub is_wanted: bool,
}

impl Failure {
    pub(super) fn new(error: &clap::Error, command: &Command, typed: &[OsString]) -> Failure {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Failure { text: rendered(error), is_wanted: true };
        }
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Failure { text: rendered(error), is_wanted: false };
        }
        let subcommand = typed.get(1).and_then(|name| command.find_subcommand(name));
        let name = subcommand.map_or("mq".to_owned(), |subcommand| format!("mq {}", subcommand.get_name()));
        let what = describe(error, subcommand, typed);
        Failure {
            text: format!("{name}: {what}\nhint: `{name} --help` lists all options\n"),
            is_wanted: false,
        }
    }

    /// The exit status that stands for it.
    pub fn exit_status(&self) -> ExitStatus {
        if self.is_wanted { ExitStatus::DONE } else { ExitStatus::USAGE }
    }
}

/// Help as clap lays it out, in colour where standard output shows it.
fn rendered(error: &clap::Error) -> String {
    let text = error.render();
    if colored::control::SHOULD_COLORIZE.should_colorize() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

fn describe(error: &clap::Error, subcommand: Option<&Command>, typed: &[OsString]) -> String {
    let option = text(error, ContextKind::InvalidArg).map(|shown| as_typed(&shown, subcommand, typed));
    let option = option.unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let value = value.escape_debug();
    match error.kind() {
        ErrorKind::InvalidValue if value.clone().next().is_none() => format!("{option} needs a value"),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let reason = std::error::Error::source(error).map(|source| format!(": {source}"));
            format!("invalid value '{value}' for {option}{}", reason.unwrap_or_default())
        }
        ErrorKind::UnknownArgument => {
            let tip = text(error, ContextKind::SuggestedArg);
            let tip = tip.map(|suggestion| format!("; did you mean {suggestion}?"));
            format!("unknown option or word '{option}'{}", tip.unwrap_or_default())
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg).unwrap_or_default();
            format!("{option} cannot be used with {}", as_typed(&other, subcommand, typed))
        }
        ErrorKind::MissingRequiredArgument => format!("missing {}", missing(error, subcommand)),
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let tip = text(error, ContextKind::SuggestedSubcommand);
            let tip = tip.map(|suggestion| format!("; did you mean '{suggestion}'?"));
            format!("there is no command '{name}'{}", tip.unwrap_or_default())
        }
        ErrorKind::InvalidUtf8 => not_utf8(typed),
        _ => error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(" or ")),
        _ => None,
    }
}

/// The required options that were not typed.
fn missing(error: &clap::Error, subcommand: Option<&Command>) -> String {
    let shown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(shown)) => shown.as_slice(),
        _ => &[],
    };
    let shown: Vec<String> = shown.iter().map(|option| alternatives(option, subcommand)).collect();
    shown.join(" and ")
}

/// Which word is not valid UTF-8, and the option before it.
fn not_utf8(typed: &[OsString]) -> String {
    let mut previous = "";
    for word in typed {
        match word.to_str() {
            Some(word) => previous = word,
            None => {
                let shown = word.as_encoded_bytes().escape_ascii();
                return format!("'{shown}', which follows {previous}, is not valid UTF-8");
            }
        }
    }
    "a word on the command line is not valid UTF-8".to_owned()
}

/// Turns clap's `<--message <MESSAGE>|--null-message>` into `one of -m, -n`.
fn alternatives(shown: &str, subcommand: Option<&Command>) -> String {
    let options: Vec<String> =
        shown.split('|').map(|option| shortest(option.trim_start_matches('<'), subcommand)).collect();
    match options.as_slice() {
        [one] => one.clone(),
        several => format!("one of {}", several.join(", ")),
    }
}

fn shortest(shown: &str, subcommand: Option<&Command>) -> String {
    let long = shown.split([' ', '=', '>']).next().unwrap_or(shown);
    find_short(long, subcommand).unwrap_or_else(|| long.to_owned())
}

/// The short form of a long option.
fn find_short(long: &str, subcommand: Option<&Command>) -> Option<String> {
    let find = |arg: &&Arg| long.strip_prefix("--").is_some_and(|name| arg.get_long() == Some(name));
    let short = subcommand?.get_arguments().find(find)?.get_short()?;
    Some(format!("-{short}"))
}

/// Turns clap's `--qos <QOS>` into the spelling that was typed, `-q`.
fn as_typed(shown: &str, subcommand: Option<&Command>, typed: &[OsString]) -> String {
    let long = shown.split([' ', '=']).next().unwrap_or(shown);
    let short = find_short(long, subcommand);
    match short {
        Some(short) if typed.iter().any(|word| word.to_str() == Some(&short)) => short,
        Some(_) | None if long.starts_with("--") => long.to_owned(),
        _ => shown.to_owned(),
    }
}
