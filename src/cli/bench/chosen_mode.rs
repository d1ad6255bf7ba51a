//! The mode among the words after `mq bench`. It may follow options; clap receives it in front of them. Options of other modes are
//! refused if they are typed, and ignored if they come from a file or a variable.

use super::Mode;
use crate::cli::config::PROFILE;
use crate::cli::option_file::{Line, OPTION_FILE};
use crate::cli::values::one_of;
use crate::cli::{argv, with_common_parts};
use crate::suggestion::did_you_mean;
use clap::{Arg, ArgAction, Command, Subcommand};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The mode without a word for it.
const DEFAULT: &str = "pubsub";

/// Options of other modes that are not keys of a scenario file.
const NOT_IN_FILES: [&str; 4] = ["hold", "keep_sessions", "search", "until"];

/// A command with all modes below it.
pub(super) fn modes() -> Command {
    Mode::augment_subcommands(Command::new(super::NAME))
}

/// Adds the modes to `mq bench`; `extra` are options of all commands that its own definition has, such as `--profile`.
pub(in crate::cli) fn add_modes(bench: Command) -> Command {
    let shared: Vec<Arg> =
        [OPTION_FILE, PROFILE].iter().filter_map(|id| find_id(&bench, id)).cloned().collect();
    let bench = bench
        .disable_help_subcommand(true)
        .subcommand_help_heading("Modes")
        .subcommand_value_name("MODE")
        .override_usage("mq bench [MODE] [OPTIONS]");
    Mode::augment_subcommands(bench).mut_subcommands(|mode| {
        let connects = find_id(&mode, "host").is_some();
        let args = shared.iter().filter(|arg| connects || arg.get_id() != PROFILE).cloned();
        with_common_parts(mode.args(args))
    })
}

fn find_id<'a>(command: &'a Command, id: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_id() == id)
}

/// The mode of a command line.
pub(in crate::cli) struct ChosenMode<'a> {
    bench: &'a Command,
    /// The mode's word, if it was typed.
    pub(in crate::cli) word: Option<OsString>,
    /// The typed words without the mode.
    pub(in crate::cli) words: Vec<OsString>,
}

impl<'a> ChosenMode<'a> {
    /// Finds the mode in the words after `mq bench`: the first that is neither an option nor its value.
    ///
    /// # Errors
    /// If that word is not a mode.
    pub(in crate::cli) fn find(
        bench: &'a Command,
        all: &Command,
        words: &[OsString],
    ) -> Result<Self, String> {
        let mut chosen = ChosenMode { bench, word: None, words: words.to_vec() };
        if let Some(position) = first_free_word(all, words) {
            let word = chosen.words.remove(position);
            if bench.find_subcommand(&word).is_none() {
                return Err(unknown(bench, &word));
            }
            chosen.word = Some(word);
        }
        Ok(chosen)
    }

    /// The options of the mode.
    pub(in crate::cli) fn command(&self) -> &Command {
        self.word.as_ref().and_then(|word| self.bench.find_subcommand(word)).unwrap_or(self.bench)
    }

    fn name(&self) -> &str {
        self.word.as_deref().and_then(OsStr::to_str).unwrap_or(DEFAULT)
    }

    /// `mq bench conn`, as far as it was typed.
    pub(in crate::cli) fn full_name(&self) -> String {
        let word = self.word.iter().map(|word| format!(" {}", word.display()));
        "mq bench".to_owned() + &word.collect::<String>()
    }

    /// Whether an option with this identifier applies to the mode.
    pub(in crate::cli) fn has(&self, id: &str) -> bool {
        find_id(self.command(), id).is_some()
    }

    /// Takes the mode from an option file unless it was typed, and drops the file's options of other modes.
    pub(in crate::cli) fn sift(&mut self, all: &Command, lines: &mut Vec<Line>) {
        let is_mode = |line: &Line| self.bench.find_subcommand(&line.word).is_some();
        if self.word.is_none()
            && let Some(position) = lines.iter().position(is_mode)
        {
            self.word = Some(lines.remove(position).word);
        }
        lines
            .retain(|line| known_option(all, &line.option).is_none_or(|arg| self.has(arg.get_id().as_str())));
    }

    /// Why a word that clap does not know is refused, if it is an option of other modes or a file.
    pub(in crate::cli) fn refusal(&self, all: &Command, word: &str) -> Option<String> {
        let mode = self.name();
        match argv::find(all, OsStr::new(word)) {
            Some(arg) => {
                let default = if self.word.is_none() { " (the default mode)" } else { "" };
                Some(format!(
                    "{word} does not go with {mode}{default}{}",
                    self.instead(arg.get_id().as_str())
                ))
            }
            None if word.starts_with('-') => None,
            None if mode == "scenario" => Some(format!("unknown word '{word}': scenario takes one file")),
            None => Some(format!("unknown word '{word}': {mode} takes no file; scenario and merge do")),
        }
    }

    /// The modes that have an option, or an alternative.
    fn instead(&self, id: &str) -> String {
        let has_option = |mode: &Command| find_id(mode, id).is_some();
        let modes = self.bench.get_subcommands().filter(|mode| has_option(mode)).map(Command::get_name);
        let modes: Vec<&str> = modes.collect();
        match (self.name(), id) {
            ("merge", _) => ", which only reads reports".to_owned(),
            ("scenario", id) if !NOT_IN_FILES.contains(&id) => "; set it in the scenario file".to_owned(),
            ("conn", "duration") => "; use --hold".to_owned(),
            ("reconnect", "messages") => "; use --duration".to_owned(),
            _ => format!(", only with {}", all_of(&modes)),
        }
    }
}

/// All options of all modes, in one command that is only searched, or parsed for single options.
pub(in crate::cli) fn all_options(bench: &Command) -> Command {
    let (mut args, mut groups) = (HashSet::new(), HashSet::new());
    let mut all = Command::new(super::NAME).disable_help_flag(true).args_override_self(true);
    for mode in std::iter::once(bench).chain(bench.get_subcommands()) {
        let new = mode.get_arguments().filter(|arg| args.insert(arg.get_id().clone()));
        all = all.args(new.map(|arg| arg.clone().required(false)));
        all = all.groups(mode.get_groups().filter(|group| groups.insert(group.get_id().clone())).cloned());
    }
    all
}

/// The first word that is neither an option nor its value. After an unknown option, which may have a value, there is none.
fn first_free_word(all: &Command, words: &[OsString]) -> Option<usize> {
    let mut position = 0;
    while let Some(word) = words.get(position) {
        if !word.as_encoded_bytes().starts_with(b"-") {
            return Some(position);
        }
        if known_option(all, word).is_none() && word != "--help" {
            return None;
        }
        let following = words.get(position + 1..).unwrap_or_default();
        position += 1 + value_words(all, word, following);
    }
    None
}

/// The option of a word, which may contain its value too.
fn known_option<'a>(all: &'a Command, word: &OsStr) -> Option<&'a Arg> {
    let word = word.to_string_lossy();
    let end = match word.starts_with("--") {
        true => word.find('=').unwrap_or(word.len()),
        false => word.char_indices().nth(2).map_or(word.len(), |(end, _)| end),
    };
    argv::find(all, OsStr::new(word.get(..end)?))
}

/// Number of words after an option, or after a group of short options, that are its value.
fn value_words(all: &Command, word: &OsStr, following: &[OsString]) -> usize {
    let option = argv::find_option(all, word).or_else(|| last_of_group(all, word.to_str()?));
    let long = option.and_then(Arg::get_long);
    long.map_or(0, |long| argv::value_count(long, following))
}

/// The last of several short options, if its value is the next word, as in `-rq 1`.
fn last_of_group<'a>(all: &'a Command, word: &str) -> Option<&'a Arg> {
    let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?;
    let (end, last) = letters.char_indices().last()?;
    let find = |letter: char| all.get_arguments().find(|arg| arg.get_short() == Some(letter));
    let is_flag =
        |letter: char| find(letter).is_some_and(|arg| matches!(arg.get_action(), ArgAction::SetTrue));
    let flags = letters.get(..end)?;
    find(last).filter(|arg| flags.chars().all(is_flag) && argv::takes_value(arg))
}

fn unknown(bench: &Command, word: &OsStr) -> String {
    let modes: Vec<&str> = bench.get_subcommands().map(Command::get_name).collect();
    let shown = word.display();
    match Path::new(word).extension().and_then(OsStr::to_str) {
        Some("toml") => format!("unknown mode '{shown}'; did you mean 'scenario {shown}'?"),
        Some("json") => format!("unknown mode '{shown}'; did you mean 'merge {shown}'?"),
        _ => {
            let tip = did_you_mean(&word.to_string_lossy(), modes.iter().copied());
            format!("unknown mode '{shown}': expected {}{tip}", one_of(&modes))
        }
    }
}

/// `a, b and c`.
fn all_of(words: &[&str]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        words => words.concat(),
    }
}
