//! The values of an option or argument: the few that there are, or those that the configuration and recordings know.
//!
//! The parsers of these options know their values, but not as a list, since they accept other forms as well (`-V mqttv5`).

use super::candidate::{Candidate, Completion, Paths};
use super::{filter_terms, topics};
use crate::cli::argv::PROPERTY;
use crate::cli::broker_limits;
use crate::cli::config;
use crate::cli::output;
use crate::cli::properties;
use crate::hosted::Service;
use clap::{Arg, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// The values of a switch in the configuration file.
const SWITCH: [&str; 2] = ["true", "false"];

/// Parts of the line that values of other options depend on.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The files of --replay.
    pub(super) recordings: Vec<PathBuf>,
    /// The name of --profile.
    pub(super) profile: Option<OsString>,
    /// The key of the configuration file whose values follow.
    pub(super) key: Option<OsString>,
}

/// The completions of a value, whose words before this one are typed.
pub(super) fn of(arg: &Arg, before: &[OsString], current: &str, context: &Context) -> Completion {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let visible = possible.iter().filter(|value| !value.is_hide_set());
        let about = |help: Option<_>| help.map(ToString::to_string).unwrap_or_default();
        return Completion::of(
            visible.map(|value| Candidate::new(value.get_name(), about(value.get_help()))),
            current,
        );
    }
    let name = arg.get_long().unwrap_or(arg.get_id().as_str());
    match name {
        "key" if is_key(arg) => Completion::of(keys(), current),
        "set_key" => Completion::of(keys_in_file(context), current),
        "values" if context.key.is_some() => values_of_key(current, context),
        PROPERTY => Completion::of(words_of_property(before), current),
        "filter" => filter_terms::complete(current),
        "limit" => beginnings(broker_limits::words().map(|word| format!("{word}=")), current),
        _ if takes_profile(arg) => Completion::of(profiles(), current),
        "topic" | "filter-out" | "unsubscribe" => {
            Completion::of(plain(topics::known(&context.recordings)), current)
        }
        _ => match known(name) {
            Some(values) => Completion::of(plain(values.into_iter().map(str::to_owned)), current),
            None => Completion::paths(paths(arg)),
        },
    }
}

fn plain(values: impl IntoIterator<Item = String>) -> impl Iterator<Item = Candidate> {
    values.into_iter().map(|value| Candidate::new(&value, ""))
}

/// Words that the user continues.
fn beginnings(words: impl IntoIterator<Item = String>, current: &str) -> Completion {
    Completion { is_partial: true, ..Completion::of(plain(words), current) }
}

/// The values of an option, wherever it appears.
fn known(option: &str) -> Option<Vec<&'static str>> {
    let values: &[&str] = match option {
        "qos" | "will-qos" => &["0", "1", "2"],
        "protocol-version" => &["31", "311", "5"],
        "tls-version" => &["tlsv1.2", "tlsv1.3"],
        "sn-version" => &["1.2", "2.0"],
        "proxy-protocol" => &["v1", "v2"],
        "retain-handling" => &["always", "new", "never"],
        "input" => &["raw", "hex", "base64", "json"],
        "output" => &["raw", "hex", "base64"],
        "direction" => &["c2s", "s2c"],
        "auth-method" => &["SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTH2-JWT"],
        "preset" => return Some(Service::ALL.into_iter().map(Service::word).collect()),
        "decode" => return Some(output::decoders().map(|decoder| decoder.name().0).collect()),
        _ => return None,
    };
    Some(values.to_vec())
}

/// The packet, the names of its properties, or the values of a property that has few.
fn words_of_property(before: &[OsString]) -> Vec<Candidate> {
    let before: Vec<&str> = before.iter().filter_map(|word| word.to_str()).collect();
    let words = match before.as_slice() {
        [] => properties::packets(),
        [packet] => properties::names(packet),
        [_, name] => properties::values(name),
        _ => Vec::new(),
    };
    words.into_iter().map(|word| Candidate::new(word, "")).collect()
}

/// Whether the value is a profile, or may be one.
fn takes_profile(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    arg.get_long() == Some(config::PROFILE) || names.iter().any(|name| name.starts_with("PROFILE"))
}

/// The keys of the configuration file.
fn keys() -> impl Iterator<Item = Candidate> {
    config::keys().into_iter().map(|(key, about)| Candidate::new(&key, about))
}

/// Whether the argument is a key of the configuration file, and its values may follow.
pub(super) fn is_key(arg: &Arg) -> bool {
    arg.is_positional() && arg.get_id() == "key"
}

/// The keys that the table of the profile, or the defaults, has.
fn keys_in_file(context: &Context) -> impl Iterator<Item = Candidate> {
    let profile = context.profile.as_ref().map(|name| name.to_string_lossy());
    plain(config::list::keys_of(profile.as_deref()))
}

/// The values of a key, as those of its option.
fn values_of_key(current: &str, context: &Context) -> Completion {
    let Some(key) = context.key.as_ref().and_then(|key| key.to_str()) else { return Completion::default() };
    if key == config::DEFAULT_PROFILE {
        return Completion::of(profiles(), current);
    }
    match config::option(key) {
        Some(arg) if config::is_flag(&arg) => Completion::of(plain(SWITCH.map(str::to_owned)), current),
        Some(arg) => of(&arg, &[], current, &Context::default()),
        None => Completion::default(),
    }
}

/// The profiles of the configuration file, each with its broker.
fn profiles() -> Vec<Candidate> {
    let listed = config::list::list().ok().flatten();
    let profiles = listed.map(|listed| listed.profiles).unwrap_or_default();
    profiles
        .iter()
        .map(|profile| Candidate::new(&profile.name, crate::escape::line(&profile.broker)))
        .collect()
}

fn paths(arg: &Arg) -> Paths {
    match arg.get_value_hint() {
        ValueHint::FilePath | ValueHint::AnyPath | ValueHint::ExecutablePath => Paths::Files,
        ValueHint::DirPath => Paths::Directories,
        _ => Paths::None,
    }
}

#[cfg(test)]
mod tests {
    use super::known;
    use crate::cli;
    use clap::error::ErrorKind;

    #[test]
    fn the_listed_values_are_accepted() {
        let options = ["qos", "will-qos", "protocol-version", "tls-version", "sn-version", "proxy-protocol"];
        for option in options.into_iter().chain(["retain-handling", "output", "preset", "decode"]) {
            for value in known(option).unwrap() {
                let words = ["mq", "sub", "--topic", "a", &format!("--{option}"), value].map(str::to_owned);
                // Whatever else is missing, the value is right.
                let kind = cli::command().try_get_matches_from(words).map_err(|error| error.kind());
                let is_refused = matches!(kind, Err(ErrorKind::InvalidValue | ErrorKind::ValueValidation));
                assert!(!is_refused, "--{option} {value}");
            }
        }
    }
}
