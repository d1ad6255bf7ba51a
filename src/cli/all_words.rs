//! The words that clap reads: those of an option file, of an earlier run and of the configuration, then the typed ones.

use super::Names;
use super::argv;
use super::bench::repeat_of::EarlierRun;
use super::clap_error::{CommandLine, Failure};
use super::config;
use super::option_file::{self, OptionFile};
use super::secrets::is_open_to_others;
use clap::Command;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The words after the name of the command.
pub(super) struct AllWords {
    pub(super) words: Vec<OsString>,
    /// Whether an option is typed twice that must not be. Mistakes that clap finds are reported first.
    pub(super) repeated: Result<(), String>,
    /// A warning about the option file.
    pub(super) warning: Option<String>,
    /// The run that `--repeat-of` names.
    pub(super) earlier: Option<EarlierRun>,
}

impl AllWords {
    /// The typed words alone, for a command that does not exist.
    pub(super) fn typed(words: &[OsString]) -> AllWords {
        AllWords { words: words.to_vec(), repeated: Ok(()), warning: None, earlier: None }
    }

    /// Reads the files that the typed words name. `typed` gets their content, for errors.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid.
    pub(super) fn gather(subcommand: &Command, typed: &mut CommandLine<'_>) -> Result<AllWords, Failure> {
        let names = typed.names;
        let words = typed.mode.as_ref().map_or(typed.words, |mode| &mode.words);
        let words = argv::normalise(subcommand, names, words);
        let words = words.map_err(|problem| typed.usage_failure(&problem))?;
        let repeated = names.check_repetitions(&words);
        if option_file::is_read_by(subcommand.get_name()) {
            let file = option_file::read(subcommand, names, &words);
            typed.file = file.map_err(|error| typed.file_failure(&error))?;
        }
        let warning = if names == Names::Mq { exposed_secret(subcommand, &typed.file) } else { None };
        if let Some(mode) = &mut typed.mode {
            mode.sift(&mut typed.file.lines);
        }
        let of_file = typed.file.lines.iter().map(|line| line.word.clone());
        let words: Vec<OsString> = of_file.chain(words).collect();
        let (mut mode_word, mut earlier) = (None, None);
        if let Some(mode) = &mut typed.mode {
            let earlier_run = EarlierRun::read(mode, &words);
            mode_word = mode.word();
            earlier = earlier_run.map_err(|error| typed.file_failure(&error))?;
        }
        let applies = |id: &str| typed.mode.as_ref().is_none_or(|mode| mode.has(id));
        let config = match (&earlier, &typed.mode) {
            (Some(earlier), Some(mode)) => Some(earlier.configuration(mode.own_options(), &words)),
            _ => applies(config::PROFILE).then(|| config::read(subcommand, names, &words)),
        };
        if let Some(config) = config {
            typed.config = config.map_err(|error| typed.file_failure(&error))?;
        }
        let words = mode_word.into_iter().chain(typed.config.words()).chain(words).collect();
        Ok(AllWords { words, repeated, warning, earlier })
    }
}

/// A warning about an option file with a secret that other users can read.
fn exposed_secret(subcommand: &Command, file: &OptionFile) -> Option<String> {
    let secret_of = |line: &option_file::Line| {
        let (option, value) = split_value(&line.word)?;
        let arg = argv::find(subcommand, option)?;
        // The option as written, unless its value is attached to it.
        let shown = argv::find(subcommand, &line.option).map_or(option, |_| &line.option);
        config::Entry::typed(arg, value).is_secret().then(|| shown.display().to_string())
    };
    let option = file.lines.iter().find_map(secret_of).filter(|_| is_open_to_others(&file.path))?;
    let shown = file.path.display();
    Some(format!("other users can read the value of {option} in {shown}; `chmod 600 {shown}` prevents it"))
}

/// The option and the value of `--long=value`, `-S=value` or `-Svalue`.
fn split_value(word: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = word.as_bytes();
    let end = if bytes.starts_with(b"--") { bytes.iter().position(|&byte| byte == b'=')? } else { 2 };
    let (option, value) = bytes.split_at_checked(end)?;
    Some((OsStr::from_bytes(option), OsStr::from_bytes(value.strip_prefix(b"=").unwrap_or(value))))
}
