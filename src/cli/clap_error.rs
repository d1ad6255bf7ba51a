//! Describes mistakes on the command line, with the options as typed.

use super::bench::chosen_mode::ChosenMode;
use super::command::CommandRow;
use super::compat::{MOSQUITTO_VERSION, Names, TOOLS};
use super::config::{Configuration, Entry};
use super::option_file::{Line, OptionFile};
use super::properties::SEPARATOR;
use super::url::without_secrets;
use super::values::{expected, one_of};
use super::{Error, PASSWD, UsageError, VERSION, argv, definitions, numeric_args, other_names, passwd};
use crate::escape::{self, shortened};
use crate::suggestion::{did_you_mean, suggested};
use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::num::{IntErrorKind, ParseIntError};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A command line that runs no command: a mistake, or a request for help.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The text to print.
    pub text: String,
    /// The kind, which decides on the exit status.
    pub kind: FailureKind,
    /// The names that the user calls the tools by.
    pub names: Names,
}

/// The kinds of command lines that run no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Help or the version was requested; the text belongs on standard output.
    Requested,
    /// A mistake on the command line.
    Usage,
    /// A file of options cannot be read.
    File,
    /// The program was called by a name that it does not know.
    UnknownTool,
}

/// The typed words, for describing mistakes in them.
pub(super) struct CommandLine<'a> {
    pub(super) names: Names,
    pub(super) row: Option<&'static CommandRow>,
    /// The options of all modes of `mq bench` that may have been typed.
    pub(super) bench: Option<&'a Command>,
    /// The command with all options, once they are needed: most command lines have no mistakes.
    pub(super) defined: OnceCell<Command>,
    /// The mode of `mq bench`.
    pub(super) mode: Option<ChosenMode>,
    /// The words after the subcommand.
    pub(super) words: &'a [OsString],
    pub(super) file: OptionFile,
    pub(super) config: Configuration,
}

/// An option that was not typed, and its place.
struct Added<'a> {
    /// Without its value.
    option: &'a OsStr,
    word: &'a OsStr,
    place: String,
}

impl Added<'_> {
    fn of_entry(entry: &Entry) -> Option<Added<'_>> {
        let word = entry.word.as_deref()?;
        let option = word.as_bytes().split(|&byte| byte == b'=').next().map(OsStr::from_bytes)?;
        Some(Added { option, word, place: entry.origin.to_string() })
    }

    fn of_line<'a>(file: &'a OptionFile, line: &'a Line) -> Added<'a> {
        let place = format!("{}, line {}", file.path.display(), line.number);
        Added { option: &line.option, word: &line.word, place }
    }
}

impl Failure {
    /// Help or the version was requested.
    pub(super) fn requested(text: String, names: Names) -> Failure {
        Failure { text, kind: FailureKind::Requested, names }
    }

    /// The program was called by the name of a mosquitto tool that it cannot replace.
    pub(super) fn unknown_tool(tool: &str) -> Failure {
        let known = TOOLS.map(|tool| Names::Mosquitto.of(tool)).join(", ");
        let name = Names::Mosquitto.of(tool);
        let text = format!("{name}: mq does not replace {name}, only {known}");
        let text = escape::line(&text).into_owned() + "\n";
        Failure { text, kind: FailureKind::UnknownTool, names: Names::Mosquitto }
    }
}

impl CommandLine<'_> {
    /// A mistake that clap found.
    pub(super) fn failure(&self, error: &clap::Error) -> Failure {
        match error.kind() {
            ErrorKind::DisplayVersion if self.names == Names::Mosquitto => {
                let text = format!("{} version {MOSQUITTO_VERSION} by mq {VERSION}\n", self.name());
                self.requested(text)
            }
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => self.requested(rendered(error)),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Failure { text: rendered(error), kind: FailureKind::Usage, names: self.names }
            }
            _ => self.usage_failure(&self.describe(error)),
        }
    }

    fn requested(&self, text: String) -> Failure {
        Failure::requested(text, self.names)
    }

    /// A mistake in an option file.
    pub(super) fn file_failure(&self, error: &Error) -> Failure {
        match error {
            Error::Usage(UsageError::Content { .. }) => {
                let text = format!("{}: {}\n", self.name(), in_message(error));
                Failure { text, kind: FailureKind::Usage, names: self.names }
            }
            Error::Usage(UsageError::Remediable { problem, remedy }) => self.hinted_failure(problem, remedy),
            Error::Usage(problem) => self.usage_failure(&problem.to_string()),
            _ => Failure {
                text: format!("{}: {}\n", self.name(), in_message(error)),
                kind: FailureKind::File,
                names: self.names,
            },
        }
    }

    /// A mistake that clap does not check for.
    pub(super) fn usage_failure(&self, problem: &str) -> Failure {
        self.hinted_failure(problem, &format!("`{} --help` lists all options", self.name_for_help()))
    }

    fn hinted_failure(&self, problem: &str, hint: &str) -> Failure {
        let origin = self.note().map(|note| format!("{note}\n")).unwrap_or_default();
        Failure {
            text: format!(
                "{}: {}\nhint: {}\n{}",
                self.name(),
                escape::lines(&escape::with_short_words(problem)),
                escape::lines(hint),
                escape::lines(&origin)
            ),
            kind: FailureKind::Usage,
            names: self.names,
        }
    }

    /// A hint about options that were not typed, since one of them may be invalid.
    pub(super) fn note(&self) -> Option<String> {
        let notes: Vec<String> = [self.file.note(), self.config.note()].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("\n"))
    }

    fn name(&self) -> String {
        self.row.map_or("mq".to_owned(), |row| self.names.of(row.name))
    }

    /// The command whose help has the options of this line: a mode of `mq bench`, or a command such as `mq config set`.
    fn name_for_help(&self) -> String {
        if let Some(mode) = &self.mode {
            return mode.full_name();
        }
        let below = self.commands_below();
        let names = below.iter().map(|command| format!(" {}", command.get_name()));
        self.name() + &names.collect::<String>()
    }

    /// The commands below the first one that are typed.
    fn commands_below(&self) -> Vec<&Command> {
        let (Some(mut command), None) = (self.subcommand(), &self.mode) else { return Vec::new() };
        let mut below = Vec::new();
        for word in self.words {
            let Some(next) = word.to_str().and_then(|word| command.find_subcommand(word)) else { break };
            command = next;
            below.push(command);
        }
        below
    }

    /// The command with all options; for `mq bench`, with those of all modes.
    fn subcommand(&self) -> Option<&Command> {
        let row = self.row?;
        let defined = || self.defined.get_or_init(|| definitions(self.names, self.row));
        self.bench.or_else(|| defined().find_subcommand(row.name))
    }

    fn describe(&self, error: &clap::Error) -> String {
        if let Some(wrong) = self.wrong_addition(error.kind()) {
            let problem = describe(error, self.subcommand(), &[wrong.option.to_owned()]);
            return format!("in {}: {problem}", wrong.place);
        }
        let from_file = self.file.lines.iter().map(|line| &line.option);
        let spellings: Vec<OsString> = self.words.iter().chain(from_file).cloned().collect();
        let refusal = self.refusal(error, &spellings);
        refusal.unwrap_or_else(|| {
            // Only options of the mode are suggested.
            let mode = self.mode.as_ref().filter(|_| error.kind() == ErrorKind::UnknownArgument);
            let options = mode.map(ChosenMode::own_options);
            let below = || self.commands_below().pop().or_else(|| self.subcommand());
            let problem = describe(error, options.or_else(below), &spellings);
            problem + &self.origin(error) + &self.meant_command(error.kind())
        })
    }

    /// The command below `mq passwd` that the first word probably means, which is the name of a missing file otherwise.
    fn meant_command(&self, kind: ErrorKind) -> String {
        let is_about_words = matches!(
            kind,
            ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict | ErrorKind::UnknownArgument
        );
        let is_passwd = is_about_words && self.row.is_some_and(|row| row.name == PASSWD);
        let first = self.words.first().filter(|word| is_passwd && !Path::new(word).exists());
        let meant = first.and_then(|word| passwd::meant_command(word).filter(|known| word != known.as_str()));
        meant.map(|command| suggested(&command)).unwrap_or_default()
    }

    /// The reason why the mode of `mq bench` does not have an option.
    fn refusal(&self, error: &clap::Error, spellings: &[OsString]) -> Option<String> {
        let shown = text(error, ContextKind::InvalidArg)?;
        let mode = self.mode.as_ref().filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
        mode.refusal(&as_typed(&shown, self.subcommand(), spellings))
    }

    /// The options that were not typed: those of the configuration, and those of the option file.
    fn additions(&self) -> impl Iterator<Item = Added<'_>> {
        let of_file = self.file.lines.iter().map(|line| Added::of_line(&self.file, line));
        self.config.entries.iter().filter_map(Added::of_entry).chain(of_file)
    }

    /// The addition that is invalid by itself. Conflicts and missing options are found later, and have no line.
    fn wrong_addition(&self, kind: ErrorKind) -> Option<Added<'_>> {
        if !is_about_one_option(kind) {
            return None;
        }
        let subcommand = self.subcommand()?;
        self.additions().find(|added| {
            let words = [OsStr::new(subcommand.get_name()), added.word];
            let result = subcommand.clone().try_get_matches_from(words);
            result.is_err_and(|error| is_about_one_option(error.kind()))
        })
    }

    /// The source of an option that was not typed, if it is one of two that conflict.
    fn origin(&self, error: &clap::Error) -> String {
        let shown = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| text(error, kind));
        let is_shown = |long: &str| shown.iter().flatten().any(|shown| is_long(shown, long));
        let added = self.additions().find(|added| {
            let arg = self.subcommand().and_then(|subcommand| argv::find(subcommand, added.option));
            arg.and_then(Arg::get_long).is_some_and(is_shown)
        });
        added.filter(|_| error.kind() == ErrorKind::ArgumentConflict).map_or_else(String::new, |added| {
            let option = added.option.display();
            format!(" ({option} is in {})", added.place)
        })
    }
}

pub(super) fn is_about_one_option(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidValue
            | ErrorKind::UnknownArgument
            | ErrorKind::ValueValidation
            | ErrorKind::TooManyValues
            | ErrorKind::InvalidUtf8
    )
}

/// The error in one line, without words that would hide the others.
fn in_message(error: &Error) -> String {
    escape::line(&escape::with_short_words(&error.to_string())).into_owned()
}

/// Whether clap's `--message <MESSAGE>` is this long option.
fn is_long(shown: &str, long: &str) -> bool {
    shown.split([' ', '=']).next().and_then(|option| option.strip_prefix("--")) == Some(long)
}

/// clap's help, coloured if standard output supports it.
fn rendered(error: &clap::Error) -> String {
    let text = error.render();
    if colored::control::SHOULD_COLORIZE.should_colorize() {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

pub(super) fn describe(error: &clap::Error, subcommand: Option<&Command>, typed: &[OsString]) -> String {
    let option = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand]
        .into_iter()
        .find_map(|kind| text(error, kind));
    let option = option.map(|shown| as_typed(&shown, subcommand, typed));
    let option = option.unwrap_or_default();
    let option = shortened(&option);
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{option} needs a value"),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let arg = option_of(error, subcommand);
            let reason = std::error::Error::source(error).map(|source| {
                let range = || numeric_args::range_of(subcommand?, arg?, &value);
                let range = source.downcast_ref::<ParseIntError>().and_then(|_| range());
                format!(": {}", range.unwrap_or_else(|| reason(source)))
            });
            let reason = reason.or_else(|| valid_values(error, &value));
            let invalid = arg.and_then(|arg| numeric_args::invalid_character_of(arg, &value));
            let reason = reason.unwrap_or_default();
            format!("invalid value{} for {option}{reason}{}", quoted(&value), invalid.unwrap_or_default())
        }
        ErrorKind::UnknownArgument => {
            format!("unknown option or word '{option}'{}", similar_option(&option, subcommand))
        }
        // The word may be a part of a password.
        ErrorKind::ArgumentConflict if is_no_subcommand(error, subcommand) => {
            "one word too many; a value with spaces needs quotation marks".to_owned()
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg).unwrap_or_default();
            format!("{option} cannot be used with {}", as_typed(&other, subcommand, typed))
        }
        ErrorKind::MissingRequiredArgument => format!("missing {}", missing(error, subcommand)),
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let name = shortened(&name);
            let root = super::command();
            let known = subcommand.unwrap_or(&root).get_subcommands().map(Command::get_name);
            format!("unknown command '{name}'{}", did_you_mean(&name, known))
        }
        ErrorKind::InvalidUtf8 => not_utf8(subcommand, typed),
        _ => error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
    }
}

/// Whether the error is about a word in the place of a subcommand, which is none.
fn is_no_subcommand(error: &clap::Error, command: Option<&Command>) -> bool {
    let word = text(error, ContextKind::InvalidSubcommand);
    let is_known = |word: &str| command.is_some_and(|command| command.find_subcommand(word).is_some());
    word.is_some_and(|word| !is_known(&word))
}

/// The subcommand's option that the error is about, if any.
fn option_of<'a>(error: &clap::Error, subcommand: Option<&'a Command>) -> Option<&'a Arg> {
    let shown = text(error, ContextKind::InvalidArg)?;
    let long = shown.split([' ', '=', '[']).next()?.strip_prefix("--")?;
    subcommand?.get_arguments().find(|arg| arg.get_long() == Some(long))
}

/// The reason why a value is rejected. Rephrases the standard library's and clap's messages about numbers.
fn reason(source: &(dyn std::error::Error + 'static)) -> String {
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        return expected(match error.kind() {
            IntErrorKind::Zero => "a number of at least 1",
            IntErrorKind::PosOverflow => "a smaller number",
            _ => "a whole number",
        });
    }
    let text = source.to_string();
    numeric_args::range_in(&text).unwrap_or(text)
}

/// The values that an option accepts, if there are only a few.
fn valid_values(error: &clap::Error, value: &str) -> Option<String> {
    let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue) else { return None };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Some(format!(": {}{}", expected(one_of(&known)), did_you_mean(value, known)))
}

/// A suggestion for an unknown option; empty for a word that is not an option.
fn similar_option(option: &str, subcommand: Option<&Command>) -> String {
    let root = super::command();
    let options = subcommand.unwrap_or(&root).get_arguments().filter(|arg| !arg.is_hide_set());
    let known: Vec<String> = options.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let Some(typed) = option.split('=').next().filter(|typed| typed.starts_with("--")) else {
        return String::new();
    };
    other_names::option_for(typed, &known).map_or_else(|| did_you_mean(typed, known), suggested)
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(" or ")),
        _ => None,
    }
}

/// The missing required options.
fn missing(error: &clap::Error, subcommand: Option<&Command>) -> String {
    let shown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(shown)) => shown.as_slice(),
        _ => &[],
    };
    let shown: Vec<String> = shown.iter().map(|option| alternatives(option, subcommand)).collect();
    shown.join(" and ")
}

/// A value for display. The words of a property are omitted, since one of them can be a secret, and so are the secrets of a URL.
fn quoted(value: &str) -> String {
    match value {
        _ if value.contains(SEPARATOR) => String::new(),
        _ if value.contains("://") => format!(" '{}'", escape::line(&shortened(&without_secrets(value)))),
        _ => format!(" '{}'", escape::line(&shortened(value))),
    }
}

/// The word that is not valid UTF-8, and the option before it. Options that take any bytes, such as passwords, are
/// skipped.
fn not_utf8(subcommand: Option<&Command>, typed: &[OsString]) -> String {
    let mut previous = "";
    for word in typed {
        match word.to_str() {
            Some(word) => previous = word,
            None if takes_any_bytes(subcommand, previous) => {}
            None => {
                let shown = word.as_encoded_bytes().escape_ascii().to_string();
                let shown = shortened(&shown);
                return format!("'{shown}', which follows {previous}, is not valid UTF-8");
            }
        }
    }
    "a word on the command line is not valid UTF-8".to_owned()
}

fn takes_any_bytes(subcommand: Option<&Command>, option: &str) -> bool {
    let arg = subcommand.and_then(|subcommand| argv::find_option(subcommand, option.as_ref()));
    arg.is_some_and(|arg| arg.get_value_parser().type_id() == ValueParser::os_string().type_id())
}

/// Turns clap's `<--message <MESSAGE>|--null-message>` into `one of -m, -n`.
fn alternatives(shown: &str, subcommand: Option<&Command>) -> String {
    let options: Vec<String> =
        shown.split('|').map(|option| shortest(option.trim_start_matches('<'), subcommand)).collect();
    match options.as_slice() {
        [one] => with_value(one, shown),
        several => format!("one of {}", several.join(", ")),
    }
}

/// An option with the name of its value, as in `-t TOPIC`.
fn with_value(option: &str, shown: &str) -> String {
    match shown.strip_suffix('>').and_then(|shown| shown.split_once(" <")) {
        Some((_, value)) => format!("{option} {value}"),
        None => option.to_owned(),
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

/// Turns clap's `--qos <QOS>` into the spelling that was typed, `-q`, and `--lint[=<LEVEL>]` into `--lint`.
fn as_typed(shown: &str, subcommand: Option<&Command>, typed: &[OsString]) -> String {
    let long = shown.split([' ', '=', '[']).next().unwrap_or(shown);
    let short = find_short(long, subcommand);
    match short {
        Some(short) if typed.iter().any(|word| word.to_str() == Some(&short)) => short,
        Some(_) | None if long.starts_with("--") => long.to_owned(),
        _ => shown.to_owned(),
    }
}
