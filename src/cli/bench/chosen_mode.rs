//! The mode among the words after `mq bench`. It may follow options; clap receives it in front of them. Options of other modes are
//! refused if they are typed, and ignored if they come from a file or a variable.

use super::{MODES, Mode, report_file};
use crate::cli::BENCH;
use crate::cli::argv;
use crate::cli::option_file::{self, Line};
use crate::cli::values::one_of;
use crate::suggestion::did_you_mean;
use clap::{Arg, ArgAction, Command};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The mode of a command line that names none.
const DEFAULT: &str = "pubsub";

/// Options of other modes that are not keys of a scenario file.
const NOT_IN_FILES: [&str; 4] = ["hold", "keep_sessions", "search", "until"];

/// Adds the modes to `mq bench`. clap defines their options when it needs them.
pub(in crate::cli) fn add_modes(bench: Command) -> Command {
    let modes = MODES.iter().map(|mode| Command::new(mode.name).about(mode.about).defer(mode.define));
    bench
        .disable_help_subcommand(true)
        .subcommand_help_heading("Modes")
        .subcommand_value_name("MODE")
        .override_usage("mq bench [MODE] [OPTIONS]")
        .subcommands(modes)
}

fn mode(name: &OsStr) -> Option<&'static Mode> {
    MODES.iter().find(|mode| name == mode.name)
}

/// The options of a mode, in a command that is only searched, or parsed for single options.
pub(super) fn options_of(mode: &Mode) -> Command {
    searchable((mode.define)(Command::new(BENCH)))
}

/// The names of the modes with an option.
fn modes_with(id: &str) -> Vec<&'static str> {
    let has_option = |mode: &&Mode| find_id(&options_of(mode), id).is_some();
    MODES.iter().filter(has_option).map(|mode| mode.name).collect()
}

pub(super) fn all_options() -> Command {
    let (mut args, mut groups) = (HashSet::new(), HashSet::new());
    let mut all = Command::new(BENCH);
    for mode in &MODES {
        let mode = (mode.define)(Command::new(BENCH));
        let new = mode.get_arguments().filter(|arg| args.insert(arg.get_id().clone()));
        all = all.args(new.cloned());
        all = all.groups(mode.get_groups().filter(|group| groups.insert(group.get_id().clone())).cloned());
    }
    searchable(all)
}

fn searchable(command: Command) -> Command {
    command.disable_help_flag(true).args_override_self(true).mut_args(|arg| arg.required(false))
}

fn find_id<'a>(command: &'a Command, id: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_id() == id)
}

/// The mode of a command line.
pub(in crate::cli) struct ChosenMode {
    /// If it was named.
    mode: Option<&'static Mode>,
    /// The typed words without the mode.
    pub(in crate::cli) words: Vec<OsString>,
    /// The options of the mode, once they are needed.
    own: OnceCell<Command>,
}

impl ChosenMode {
    /// Finds the mode in the words after `mq bench`: the first that is neither an option nor its value. Also returns the options that
    /// may have been typed: those of the mode if the words begin with it, those of pubsub if no mode can follow, else those of all modes.
    ///
    /// # Errors
    /// If that word is not a mode.
    pub(in crate::cli) fn find(words: &[OsString]) -> Result<(ChosenMode, Command), String> {
        if let Some((first, words)) = words.split_first()
            && let Some(mode) = mode(first)
        {
            let chosen = ChosenMode::new(Some(mode), words);
            let options = chosen.own_options().clone();
            return Ok((chosen, options));
        }
        let mut chosen = ChosenMode::new(None, words);
        // An option file or a report may name the mode, and have options of other modes.
        let may_name_a_mode = |word: &OsString| {
            mode(word).is_some() || option_file::may_name_file(word) || report_file::may_name_report(word)
        };
        // The options of all modes take time, and are rarely needed.
        let options = match words.iter().any(may_name_a_mode) {
            true => all_options(),
            false => chosen.own_options().clone(),
        };
        if let Some(position) = first_free_word(&options, words) {
            let word = chosen.words.remove(position);
            chosen = ChosenMode::new(Some(mode(&word).ok_or_else(|| unknown(&word))?), &chosen.words);
        }
        Ok((chosen, options))
    }

    fn new(mode: Option<&'static Mode>, words: &[OsString]) -> ChosenMode {
        ChosenMode { mode, words: words.to_vec(), own: OnceCell::new() }
    }

    /// The name of the mode, as clap's subcommand.
    pub(in crate::cli) fn word(&self) -> Option<OsString> {
        self.mode.map(|mode| mode.name.into())
    }

    pub(in crate::cli) fn name(&self) -> &'static str {
        self.mode.map_or(DEFAULT, |mode| mode.name)
    }

    /// `mq bench`, followed by the mode if it was typed.
    pub(in crate::cli) fn full_name(&self) -> String {
        let word = self.mode.map(|mode| format!(" {}", mode.name));
        "mq bench".to_owned() + &word.unwrap_or_default()
    }

    pub(in crate::cli) fn own_options(&self) -> &Command {
        let mode = || self.mode.or_else(|| mode(DEFAULT.as_ref()));
        self.own.get_or_init(|| mode().map_or_else(|| Command::new(BENCH), options_of))
    }

    /// Takes the mode from the report of an earlier run, unless it was typed.
    ///
    /// # Errors
    /// If another mode was typed.
    pub(super) fn adopt(&mut self, name: &str) -> Result<(), String> {
        match self.mode {
            Some(typed) if typed.name != name => {
                Err(format!("it is a run of {name}; leave {} out", typed.name))
            }
            Some(_) => Ok(()),
            None => {
                *self = ChosenMode::new(mode(name.as_ref()), &self.words);
                Ok(())
            }
        }
    }

    /// Whether an option with this identifier applies to the mode.
    pub(in crate::cli) fn has(&self, id: &str) -> bool {
        find_id(self.own_options(), id).is_some()
    }

    /// Takes the mode from an option file unless it was typed, and drops the file's options of other modes.
    pub(in crate::cli) fn sift(&mut self, lines: &mut Vec<Line>) {
        let position = lines.iter().position(|line| mode(&line.word).is_some());
        if let (None, Some(position)) = (self.mode, position) {
            *self = ChosenMode::new(mode(&lines.remove(position).word), &self.words);
        }
        if lines.is_empty() {
            return;
        }
        let (own, all) = (self.own_options(), all_options());
        let is_own = |line: &Line| known_option(own, &line.option).is_some();
        lines.retain(|line| is_own(line) || known_option(&all, &line.option).is_none());
    }

    /// Why a word that clap does not know is refused, if it is an option of other modes or a file.
    pub(in crate::cli) fn refusal(&self, word: &str) -> Option<String> {
        let mode = self.name();
        match argv::find(&all_options(), OsStr::new(word)) {
            Some(arg) => {
                let default = if self.mode.is_none() { " (the default mode)" } else { "" };
                let instead = self.instead(arg.get_id().as_str());
                Some(format!("{word} cannot be used with {mode}{default}{instead}"))
            }
            None if word.starts_with('-') => None,
            None if mode == "scenario" => Some(format!("unknown word '{word}': scenario takes one file")),
            None => {
                Some(format!("unknown word '{word}': {mode} takes no file; scenario, merge and compare do"))
            }
        }
    }

    /// The modes that have an option, or an alternative.
    fn instead(&self, id: &str) -> String {
        match (self.name(), id) {
            ("merge" | "compare", _) => ", which only reads reports".to_owned(),
            ("scenario", id) if !NOT_IN_FILES.contains(&id) => "; set it in the scenario file".to_owned(),
            ("conn", "duration") => "; use --hold".to_owned(),
            ("reconnect", "messages") => "; use --duration".to_owned(),
            _ => format!(", only with {}", all_of(&modes_with(id))),
        }
    }
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
    // An option in the place of a value: the value is missing, which clap reports.
    let is_missing = |option: &Arg| {
        let next = following.first().filter(|next| next.as_encoded_bytes().starts_with(b"--"));
        !option.is_allow_hyphen_values_set() && next.is_some_and(|next| known_option(all, next).is_some())
    };
    let long = option.filter(|option| !is_missing(option)).and_then(Arg::get_long);
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

fn unknown(word: &OsStr) -> String {
    let modes = MODES.each_ref().map(|mode| mode.name);
    let shown = word.display();
    match Path::new(word).extension().and_then(OsStr::to_str) {
        Some("toml") => format!("unknown mode '{shown}'; did you mean 'scenario {shown}'?"),
        Some("json") => format!("unknown mode '{shown}'; did you mean 'merge {shown}'?"),
        _ => {
            let tip = did_you_mean(&word.to_string_lossy(), modes);
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
