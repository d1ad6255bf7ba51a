//! Persistent settings for all commands that connect: profiles in a file, and `MQ_*` variables.
//!
//! The keys are the long names of a client's options, taken from their definition. A value becomes the word that would be
//! typed for it, in front of the typed words. Overridden values are dropped first (`precedence`), so the parser sees neither
//! contradictions between sources nor a missing required option.

pub(crate) mod args;
pub(crate) mod change;
pub(crate) mod check;
mod document;
mod edit;
mod entry;
mod environment;
mod file;
#[cfg(any(test, fuzzing))]
pub(in crate::cli) mod fuzzing;
pub(crate) mod list;
mod list_text;
mod options;
mod payloads;
mod precedence;
mod profile;
pub(crate) mod show;
pub(super) mod side;
mod toml_value;

use super::BENCH;
use super::Names;
use super::compat::CLIENTS;
use super::gateway::OF_CLIENTS;
use super::schema::ConfiguredTypes;
use crate::cli::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
pub(super) use document::DEFAULT_PROFILE;
pub(super) use entry::{Entry, Origin, Place};
pub(crate) use file::location;
use options::Options;
pub(super) use options::{is_flag, is_path};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The long name and the identifier of the option.
pub(super) const PROFILE: &str = "profile";

/// The content of a new file.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

const INSPECT: &str = "inspect";

const GATEWAY: &str = "gateway";

/// The reason against a profile without message types for captures.
const OF_CAPTURES: &str = "--profile is for a live client; for captured packets it needs message types, as in [profile.home.payloads]";

/// As [`OF_CAPTURES`], for recordings.
const OF_RECORDINGS: &str =
    "--profile is for a live client; for a recording it needs message types, as in [profile.home.payloads]";

/// Options that give the client of `mq inspect` a broker or a subscription.
const OF_LIVE_CLIENTS: [&str; 7] = ["topic", "host", "port", "url", "unix", "srv", PROFILE];

/// Words that the sources add to the command line.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) entries: Vec<Entry>,
    /// The file, if one was read.
    path: Option<PathBuf>,
}

impl Configuration {
    /// The options of an earlier run.
    pub(super) fn of_report(entries: Vec<Entry>) -> Configuration {
        Configuration { entries, path: None }
    }

    /// The words for clap, without the message types, which have no option.
    pub(super) fn words(&self) -> impl Iterator<Item = OsString> {
        let of_options = self.entries.iter().filter(|entry| !entry.is_of_payloads());
        of_options.filter_map(|entry| entry.word.clone())
    }

    /// The message types of `[payloads]`, which have no option.
    pub(super) fn message_types(&self) -> Option<ConfiguredTypes> {
        payloads::types(&self.entries)
    }

    /// A hint about options that were not typed, since one of them may be invalid.
    pub(super) fn note(&self) -> Option<String> {
        let in_file = self.entries.iter().filter_map(|entry| {
            let place = entry.origin.place()?;
            Some(format!("{} (line {})", entry.key, place.line))
        });
        let in_file: Vec<String> = in_file.collect();
        let of_file = self.path.as_ref().filter(|_| !in_file.is_empty());
        let of_file = of_file.map(|path| format!("{} in {}", in_file.join(", "), path.display()));
        let reports = self.entries.iter().filter_map(|entry| match &entry.origin {
            Origin::Report(path) => Some(path.display()),
            _ => None,
        });
        let reports: Vec<_> = reports.collect();
        let of_report = reports.first().map(|path| match reports.len() {
            1 => format!("1 option in {path}"),
            count => format!("{count} options in {path}"),
        });
        let variables: Vec<&str> = self.entries.iter().filter_map(|entry| entry.origin.variable()).collect();
        let of_environment =
            (!variables.is_empty()).then(|| format!("{} in the environment", variables.join(", ")));
        let parts: Vec<String> = of_file.into_iter().chain(of_report).chain(of_environment).collect();
        (!parts.is_empty()).then(|| format!("hint: not typed, but set: {}", parts.join("; ")))
    }
}

/// The keys of the file, each with the help of its option.
pub(super) fn keys() -> Vec<(String, String)> {
    let about = |arg: &Arg| arg.get_help().map(ToString::to_string).unwrap_or_default();
    let of_file = (DEFAULT_PROFILE.to_owned(), "Profile without --profile".to_owned());
    let options = Options::all();
    let of_options = options.iter().map(|arg| (options::key(arg).to_owned(), about(arg)));
    std::iter::once(of_file).chain(of_options).collect()
}

/// The option of a key.
pub(super) fn option(key: &str) -> Option<Arg> {
    Options::all().find(key).cloned()
}

/// Whether a command connects as a client, and so has profiles.
pub(super) fn is_read_by(subcommand: &str) -> bool {
    CLIENTS.contains(&subcommand) || [BENCH, INSPECT, "doctor", "top", GATEWAY].contains(&subcommand)
}

pub(super) fn arg() -> Arg {
    Arg::new(PROFILE)
        .long(PROFILE)
        .value_name("NAME")
        .help_heading("Connection")
        .help("Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]")
}

/// Reads the entries for this command line, whose words include those of an option file.
///
/// # Errors
/// If the file or a variable is invalid, or the profile does not exist.
pub(super) fn read(subcommand: &Command, names: Names, words: &[OsString]) -> Result<Configuration, Error> {
    let name = subcommand.get_name();
    let wants_help = words.iter().any(|word| word == "--help");
    if names == Names::Mosquitto || !is_read_by(name) || wants_help {
        return Ok(Configuration::default());
    }
    if let Some(reason) = reason_against(subcommand, words) {
        return message_types(subcommand, words, reason);
    }
    let file = file::read()?;
    let profile = profile::asked_for(words)?;
    if file.is_none() && profile.is_none() && !environment::is_any_set() {
        return Ok(Configuration::default());
    }
    let Some(typed) = parsed(subcommand, words) else { return Ok(Configuration::default()) };
    let options = Options::all();
    let sources = profile::sources(&options, file.as_ref(), profile)?;
    let typed = typed_entries(subcommand, &typed);
    let entries = precedence::winners(subcommand, &typed, sources.layers);
    let mut entries = precedence::fitted(name, &typed, entries);
    entries.retain(|entry| !entry.is_of_payloads() || takes_message_types(subcommand));
    // The clients of a gateway have identifiers, sessions and wills of their own.
    entries.retain(|entry| name != GATEWAY || !OF_CLIENTS.contains(&entry.id.as_str()));
    Ok(Configuration { entries, path: file.map(|file| file.path) })
}

/// The message types of a command without a client, as for captures: those of its profile and those for all. A profile must
/// not be typed for another reason.
fn message_types(
    subcommand: &Command,
    words: &[OsString],
    reason: &'static str,
) -> Result<Configuration, Error> {
    let is_typed = profile::typed(words).is_some();
    if is_typed && ![OF_CAPTURES, OF_RECORDINGS].contains(&reason) {
        return Err(Error::usage(reason));
    }
    let file = file::read()?.filter(|_| takes_message_types(subcommand));
    let Some(file) = file else {
        return if is_typed { Err(Error::usage(reason)) } else { Ok(Configuration::default()) };
    };
    let layers = profile::of_file(&Options::all(), &file, profile::asked_for(words)?)?.layers;
    let [_, of_profile, _] = &layers;
    if is_typed && !of_profile.iter().any(Entry::is_of_payloads) {
        return Err(Error::usage(reason));
    }
    let mut entries = precedence::winners(subcommand, &[], layers);
    entries.retain(Entry::is_of_payloads);
    Ok(Configuration { entries, path: Some(file.path) })
}

fn takes_message_types(subcommand: &Command) -> bool {
    subcommand.get_arguments().any(|arg| arg.get_id() == "message_type")
}

/// Parses the words as far as possible. Mistakes and requests for help are left to the parser.
fn parsed(subcommand: &Command, words: &[OsString]) -> Option<ArgMatches> {
    let line = [OsString::from(subcommand.get_name())].into_iter().chain(words.iter().cloned());
    subcommand.clone().ignore_errors(true).try_get_matches_from(line).ok()
}

/// The reason why profiles do not apply to these words of `mq bench`, `mq inspect` and `mq top`, if any. For example, reading a capture
/// does not depend on the configuration of clients.
fn reason_against(subcommand: &Command, words: &[OsString]) -> Option<&'static str> {
    if CLIENTS.contains(&subcommand.get_name()) || subcommand.get_name() == GATEWAY {
        return None;
    }
    let typed = &parsed(subcommand, words)?;
    let is_typed = |id: &&str| is_typed(typed, id);
    if is_typed(&"embedded") {
        return Some("--profile cannot be used with --embedded");
    }
    if is_typed(&"listen") {
        return Some("--profile cannot be used with --listen; the proxy forwards the packets of its clients");
    }
    if subcommand.get_name() == "top" && is_typed(&"replay") {
        return Some(OF_RECORDINGS);
    }
    let is_inspection = subcommand.get_name() == INSPECT;
    if is_inspection && ["file", "hex", "base64"].iter().any(is_typed) {
        return Some(OF_CAPTURES);
    }
    let is_client = OF_LIVE_CLIENTS.iter().any(is_typed);
    (is_inspection && !is_client).then_some("--profile needs a client")
}

/// Whether the words, each an option with its value, choose a profile.
pub(super) fn names_profile(words: &[OsString]) -> bool {
    profile::typed(words).is_some()
}

/// The options in the words, with their values.
pub(super) fn typed_options<'a>(subcommand: &'a Command, words: &[OsString]) -> Vec<(&'a Arg, OsString)> {
    let Some(matches) = parsed(subcommand, words) else { return Vec::new() };
    let typed = subcommand.get_arguments().filter(|arg| is_typed(&matches, arg.get_id().as_str()));
    let values = typed.flat_map(|arg| {
        let raw = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
        raw.map(|value| (arg, value.to_owned())).collect::<Vec<_>>()
    });
    values.collect()
}

/// The entries that the words do not override.
pub(super) fn below_typed(subcommand: &Command, words: &[OsString], entries: Vec<Entry>) -> Vec<Entry> {
    let Some(typed) = parsed(subcommand, words) else { return entries };
    let typed = typed_entries(subcommand, &typed);
    precedence::winners(subcommand, &typed, [entries, Vec::new(), Vec::new()])
}

pub(super) fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    super::is_set(matches, id) && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// The typed options, as entries of the highest source.
fn typed_entries(subcommand: &Command, matches: &ArgMatches) -> Vec<Entry> {
    let mut entries = Vec::new();
    for arg in subcommand.get_arguments().filter(|arg| is_typed(matches, arg.get_id().as_str())) {
        let raw = matches.get_raw(arg.get_id().as_str());
        let values: Vec<&OsStr> = raw.map(Iterator::collect).unwrap_or_default();
        entries.extend(values.into_iter().map(|value| Entry::typed(arg, value)));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_a_client_has_a_key_and_a_variable_of_its_own() {
        let options = Options::all();
        let keys: Vec<&str> = options.iter().map(options::key).collect();
        let mut unique = keys.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), keys.len());
        for key in ["host", "password", "password-file", "keepalive", "protocol-version", "srv", "property"] {
            assert!(keys.contains(&key), "{key} in {keys:?}");
        }
        assert!(
            !keys.contains(&PROFILE) && !keys.contains(&"config"),
            "MQ_PROFILE and MQ_CONFIG are not options"
        );
    }

    #[test]
    fn the_rules_of_precedence_name_existing_options() {
        let options = Options::all();
        for key in precedence::named_keys() {
            assert!(options.find(key).is_some(), "{key}");
        }
    }
}
