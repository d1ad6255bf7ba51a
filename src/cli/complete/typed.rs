//! The words before the cursor: which option waits for a value, and which are typed.

use super::candidate::{Candidate, Completion};
use super::subcommands;
use super::values::{self, Context};
use crate::cli::argv;
use crate::cli::config;
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A command line up to the cursor.
pub(super) struct TypedLine<'a> {
    /// The command, mode or subcommand whose options follow.
    command: &'a Command,
    /// The identifiers of the typed options.
    options: Vec<&'a str>,
    /// The number of words that are neither options nor their values.
    positionals: usize,
    /// The option that waits for a value, and the words of the value that are typed.
    pending: Option<(&'a Arg, Vec<OsString>)>,
    /// `--` was typed.
    is_escaped: bool,
    context: Context,
}

impl<'a> TypedLine<'a> {
    /// Reads the words after the name of the command.
    pub(super) fn read(command: &'a Command, words: &[OsString]) -> TypedLine<'a> {
        let mut line = TypedLine {
            command,
            options: Vec::new(),
            positionals: 0,
            pending: None,
            is_escaped: false,
            context: Context::default(),
        };
        let mut rest = words;
        while let Some((word, following)) = rest.split_first() {
            rest = following.get(line.read_word(word, following)..).unwrap_or_default();
        }
        line
    }

    /// Reads a word, and returns the number of words after it that are its value.
    fn read_word(&mut self, word: &OsStr, following: &[OsString]) -> usize {
        if self.is_escaped || word.as_bytes().len() < 2 || !word.as_bytes().starts_with(b"-") {
            self.read_positional(word);
            return 0;
        }
        if word == "--" {
            self.is_escaped = true;
            return 0;
        }
        let Some(arg) = named(self.command, word) else { return 0 };
        self.options.push(arg.get_id().as_str());
        let attached =
            word.to_str().and_then(|word| word.split_once('=')).map(|(_, value)| OsString::from(value));
        let value = attached.as_ref().filter(|_| word.as_bytes().starts_with(b"--")).or(following.first());
        match (arg.get_id().as_str(), value) {
            ("replay", Some(path)) => self.context.recordings.push(PathBuf::from(path)),
            (config::PROFILE, Some(name)) => self.context.profile = Some(name.clone()),
            _ => {}
        }
        let is_attached = argv::find(self.command, word).is_none() && !is_group(self.command, word);
        if is_attached || !argv::takes_value(arg) {
            return 0;
        }
        let count = argv::value_count(arg.get_long().unwrap_or_default(), following);
        if following.len() < count {
            self.pending = Some((arg, following.to_vec()));
        }
        count.min(following.len())
    }

    fn read_positional(&mut self, word: &OsStr) {
        let below =
            word.to_str().filter(|_| !self.is_escaped).and_then(|word| self.command.find_subcommand(word));
        match below {
            Some(command) => (self.command, self.positionals) = (command, 0),
            None => {
                if self.positional().is_some_and(values::is_key) {
                    self.context.key = Some(word.to_owned());
                }
                self.positionals += 1;
            }
        }
    }

    /// The completions of the word after these.
    pub(super) fn complete(&self, current: &str) -> Completion {
        if let Some((arg, before)) = &self.pending {
            return values::of(arg, before, current, &self.context);
        }
        if self.is_escaped || !current.starts_with('-') {
            return self.words(current);
        }
        match current.split_once('=').filter(|(option, _)| option.starts_with("--")) {
            Some((option, value)) => {
                let arg = argv::find(self.command, OsStr::new(option));
                let arg = arg
                    .filter(|arg| arg.get_action().takes_values() && arg.get_long() != Some(argv::PROPERTY));
                let completion = arg.map(|arg| values::of(arg, &[], value, &self.context));
                completion.unwrap_or_default().after(&format!("{option}="))
            }
            None => self.options(current),
        }
    }

    fn options(&self, current: &str) -> Completion {
        let is_repeatable = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
        let is_free = |arg: &Arg| is_repeatable(arg) || !self.options.contains(&arg.get_id().as_str());
        options(self.command.get_arguments(), is_free, current)
    }

    /// Subcommands, and values of the argument at this place. Where no word belongs, the options.
    fn words(&self, current: &str) -> Completion {
        let follows_options =
            !self.options.is_empty() && self.command.is_args_conflicts_with_subcommands_set();
        let mut completion = Completion::default();
        if self.positionals == 0 && !self.is_escaped && !follows_options {
            let below = subcommands(self.command).map(|(name, about)| Candidate::new(name, about));
            completion = Completion::of(below, current);
        }
        let positional = self.positional();
        if let Some(arg) = positional {
            let of_arg = values::of(arg, &[], current, &self.context);
            completion.paths = of_arg.paths;
            completion.candidates.extend(of_arg.candidates);
        }
        if positional.is_none() && completion.is_empty() && current.is_empty() && !self.is_escaped {
            return self.options("--");
        }
        completion
    }

    /// The argument at this place; the last one may be repeated.
    fn positional(&self) -> Option<&'a Arg> {
        let mut arguments = self.command.get_positionals();
        let at_place = arguments.nth(self.positionals);
        let repeated = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Append);
        at_place.or_else(|| self.command.get_positionals().last().filter(repeated))
    }
}

/// The visible options that begin with the word: long ones, and short ones after a single dash.
pub(super) fn options<'a>(
    arguments: impl Iterator<Item = &'a Arg>,
    is_free: impl Fn(&Arg) -> bool,
    current: &str,
) -> Completion {
    let mut candidates = Vec::new();
    for arg in arguments.filter(|arg| !arg.is_positional() && !arg.is_hide_set() && is_free(arg)) {
        let about = || arg.get_help().map(ToString::to_string).unwrap_or_default();
        let short = arg.get_short().filter(|_| !current.starts_with("--"));
        candidates.extend(short.map(|short| Candidate::new(&format!("-{short}"), about())));
        candidates.extend(arg.get_long().map(|long| Candidate::new(&format!("--{long}"), about())));
    }
    Completion::of(candidates, current)
}

/// The option that a word names, alone, at the end of a group of short options, or with its value.
fn named<'a>(command: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    if let Some(arg) = argv::find(command, word) {
        return Some(arg);
    }
    let text = word.to_str()?;
    match text.split_once('=').filter(|_| text.starts_with("--")) {
        Some((option, _)) => argv::find(command, OsStr::new(option)),
        None if text.starts_with("--") => None,
        None if is_group(command, word) => short(command, text.chars().last()?),
        None => short(command, text.chars().nth(1)?),
    }
}

/// Whether a word has several short options, of which only the last one may take a value.
fn is_group(command: &Command, word: &OsStr) -> bool {
    let letters =
        word.to_str().and_then(|word| word.strip_prefix('-')).filter(|letters| !letters.starts_with('-'));
    let Some((end, _)) = letters.and_then(|letters| letters.char_indices().last()) else { return false };
    let mut before = letters.and_then(|letters| letters.get(..end)).unwrap_or_default().chars();
    before.all(|letter| short(command, letter).is_some_and(|arg| !arg.get_action().takes_values()))
}

fn short(command: &Command, letter: char) -> Option<&Arg> {
    command.get_arguments().find(|arg| arg.get_short() == Some(letter))
}
