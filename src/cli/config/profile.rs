//! Selects the profile, and collects the entries of all sources.

use super::document::{Document, no_profile};
use super::entry::Entry;
use super::environment;
use super::file::{Source, location};
use super::options::Options;
use super::{PROFILE, precedence::LAYERS};
use crate::cli::{Error, UsageError};
use std::ffi::OsString;

/// The variable that chooses a profile.
const PROFILE_VARIABLE: &str = "MQ_PROFILE";

/// A requested profile, and the option or variable that requests it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) by: &'static str,
}

/// The entries of each source, the highest first, and the profile in force.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) layers: [Vec<Entry>; LAYERS],
    pub(super) profile: Option<Asked>,
}

/// The profile in these words, each an option with its value. The parser reports a name that is not UTF-8.
pub(super) fn typed(words: &[OsString]) -> Option<String> {
    let start = format!("--{PROFILE}=");
    let options = words.iter().take_while(|word| *word != "--");
    let name = |word: &OsString| word.to_str().and_then(|word| word.strip_prefix(&start)).map(str::to_owned);
    options.filter_map(name).last()
}

/// The profile requested by these words, or by the environment.
pub(super) fn asked_for(words: &[OsString]) -> Result<Option<Asked>, Error> {
    typed(words).map_or_else(of_environment, |name| Ok(Some(Asked { name, by: "--profile" })))
}

/// The profile requested by the environment.
pub(super) fn of_environment() -> Result<Option<Asked>, Error> {
    let not_text = |_| Error::usage(format!("the variable {PROFILE_VARIABLE} is not valid UTF-8"));
    let name = environment::value_of(PROFILE_VARIABLE).map(|name| name.into_string().map_err(not_text));
    Ok(name.transpose()?.map(|name| Asked { name, by: PROFILE_VARIABLE }))
}

/// Collects the entries of all sources.
pub(super) fn sources(
    options: &Options,
    file: Option<&Source>,
    asked: Option<Asked>,
) -> Result<Sources, Error> {
    let environment = environment::entries(options)?;
    let Some(file) = file else {
        return match asked {
            Some(asked) => Err(without_file(&asked)),
            None => Ok(Sources { layers: [environment, Vec::new(), Vec::new()], profile: None }),
        };
    };
    let Sources { layers: [_, of_profile, defaults], profile } = of_file(options, file, asked)?;
    Ok(Sources { layers: [environment, of_profile, defaults], profile })
}

/// The entries of the file alone.
pub(super) fn of_file(options: &Options, file: &Source, asked: Option<Asked>) -> Result<Sources, Error> {
    let mut document = Document::read(file, options);
    if let Some(mistake) = document.mistakes.first() {
        let problem = format!("in {mistake}");
        return Err(match mistake.remedy.clone() {
            Some(remedy) => Error::usage(UsageError::Remediable { problem, remedy }),
            None => Error::usage(problem),
        });
    }
    let default = document.default_profile.take().map(|(name, _)| Asked { name, by: "default-profile" });
    let asked = asked.or(default);
    let mut profile = Vec::new();
    if let Some(asked) = &asked {
        let found = document.profile(&asked.name).map(|profile| profile.entries.clone());
        let missing = || {
            let problem = no_profile(&asked.name, &document);
            Error::usage(format!("{}: {problem} in {}", asked.by, file.path.display()))
        };
        profile = found.ok_or_else(missing)?;
    }
    Ok(Sources { layers: [Vec::new(), profile, document.defaults], profile: asked })
}

pub(super) fn without_file(asked: &Asked) -> Error {
    let why = match location().path {
        Ok(path) => format!("{} does not exist", path.display()),
        Err(reason) => format!("no file of profiles: {reason}"),
    };
    Error::usage(format!("{}: unknown profile {:?}: {why}", asked.by, asked.name))
}
