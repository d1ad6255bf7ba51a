//! The options in effect when none is typed, and the source of each value.

use super::entry::{Entry, Origin};
use super::options::{Options, key};
use super::profile::{self, Asked};
use super::{file, precedence};
use crate::cli::Error;
use crate::cli::network::DEFAULT_HOST;
use serde::Serialize;
use std::ffi::OsStr;
use std::path::PathBuf;

/// The options in effect, in the order of their definition.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// The profile in force.
    pub(crate) profile: Option<String>,
    /// Its source: `--profile`, `MQ_PROFILE` or `default-profile`.
    pub(crate) profile_from: Option<&'static str>,
    pub(crate) options: Vec<Row>,
}

/// A value and its source.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) key: String,
    /// The value, with secrets redacted.
    pub(crate) value: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) secret: bool,
    #[serde(flatten)]
    pub(crate) source: From,
}

/// A source, and the place in it.
#[derive(Debug, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub(crate) enum From {
    Environment { variable: String },
    Profile { profile: String, file: PathBuf, line: usize, column: usize },
    Defaults { file: PathBuf, line: usize, column: usize },
    BuiltIn,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !value
}

/// The options in effect with this profile, or by default with the configured one.
///
/// # Errors
/// If a source is invalid, or the profile does not exist.
pub(crate) fn show(profile: Option<&str>) -> Result<Shown, Error> {
    let options = Options::all();
    let file = file::read()?;
    let asked = match profile {
        Some(name) => Some(Asked { name: name.to_owned(), by: "--profile" }),
        None => profile::of_environment()?,
    };
    let sources = profile::sources(&options, file.as_ref(), asked)?;
    let mut entries = precedence::winners(options.command(), &[], sources.layers);
    entries.extend(built_in(&options, &entries));
    // Message types come last.
    let position = |entry: &Entry| options.iter().position(|arg| key(arg) == entry.key).unwrap_or(usize::MAX);
    entries.sort_by_key(position);
    let (profile, profile_from) = sources.profile.map(|asked| (asked.name, asked.by)).unzip();
    let options = entries.into_iter().map(row).collect();
    Ok(Shown { file: file.map(|file| file.path), profile, profile_from, options })
}

/// Built-in values of the options that no source sets.
fn built_in(options: &Options, entries: &[Entry]) -> Vec<Entry> {
    let has = |wanted: &str| entries.iter().any(|entry| entry.key == wanted);
    let mut added = Vec::new();
    for arg in options.iter().filter(|arg| !has(key(arg))) {
        let is_host = key(arg) == "host" && !has("url") && !has("unix");
        let usual = if is_host { Some(OsStr::new(DEFAULT_HOST)) } else { default_value(arg) };
        added.extend(usual.map(|value| Entry::new(arg, value, Origin::BuiltIn)));
    }
    added
}

/// The default value of an option that is not a flag.
fn default_value(arg: &clap::Arg) -> Option<&OsStr> {
    if super::options::is_flag(arg) { None } else { arg.get_default_values().first().map(AsRef::as_ref) }
}

fn row(entry: Entry) -> Row {
    let (value, secret) = (entry.shown(), entry.is_secret());
    let source = match entry.origin {
        Origin::Variable(variable) => From::Environment { variable },
        Origin::Profile { name, place } => From::Profile {
            profile: name.to_string(),
            file: place.path.to_path_buf(),
            line: place.line,
            column: place.column,
        },
        Origin::Defaults(place) => {
            From::Defaults { file: place.path.to_path_buf(), line: place.line, column: place.column }
        }
        Origin::BuiltIn | Origin::CommandLine | Origin::Report(_) => From::BuiltIn,
    };
    Row { key: entry.key, value, secret, source }
}
