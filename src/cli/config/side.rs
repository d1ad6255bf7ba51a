//! The client of one side of a bridge: from a URL or a profile, and from variables for that side alone.

use super::check::problem;
use super::entry::{Entry, Origin};
use super::options::{Options, PAYLOADS, key};
use super::profile::{self, Asked};
use super::{environment, file, precedence};
use crate::cli::network::TypedOptions;
use crate::cli::session::ClientArgs;
use crate::cli::{Error, UsageError, clap_error};
use crate::suggestion::similar;
use clap::{Arg, FromArgMatches};
use std::ffi::{OsStr, OsString};

/// A side of a bridge.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Side {
    /// The option with the URL or profile.
    pub(in crate::cli) option: &'static str,
    /// The start of the variables of this side.
    pub(in crate::cli) variables: &'static str,
}

/// The client that a URL, a profile or HOST:PORT describes.
///
/// # Errors
/// If the profile does not exist, or a value is invalid.
pub(in crate::cli) fn client(side: Side, value: &str) -> Result<ClientArgs, Error> {
    let options = Options::all();
    let file = file::read()?;
    let environment = environment::entries_with(&options, side.variables)?;
    let is_profile = url(value).is_none();
    let asked = is_profile.then(|| Asked { name: value.to_owned(), by: side.option });
    let [of_profile, defaults] = match (&file, asked) {
        (None, Some(asked)) => return Err(profile::without_file(&asked)),
        (None, None) => [Vec::new(), Vec::new()],
        (Some(file), asked) => {
            let [_, of_profile, defaults] = profile::of_file(&options, file, asked)?.layers;
            // A default profile is for commands with one connection.
            [if is_profile { of_profile } else { Vec::new() }, defaults]
        }
    };
    let url = url(value);
    let typed = typed(&options, url.as_deref());
    let mut entries = precedence::winners(options.command(), &typed, [environment, of_profile, defaults]);
    precedence::leave_topic_out("bench", &mut entries);
    let mut client = client_of(&options, side.option, &entries)?;
    if let Some(url) = url {
        client.network.lead_to(&url, side.option);
    }
    Ok(client)
}

/// Remarks on the variables of a side that have no effect. As for all commands, an unknown variable is ignored, since it may belong to
/// another program; one that resembles a known one is a typing mistake. `missing` is the option without which the known ones are not
/// used, `value` that of the side's option.
pub(in crate::cli) fn remarks_on_variables(
    side: Side,
    missing: Option<&str>,
    value: Option<&str>,
) -> Vec<String> {
    let names = environment::names_with(side.variables);
    if names.is_empty() {
        return Vec::new();
    }
    let options = Options::all();
    let known: Vec<String> = options.iter().map(|arg| environment::variable_with(arg, "")).collect();
    let overridden = overridden(&options, side, value);
    let remark = |name: String| {
        let key = name.strip_prefix(side.variables)?;
        match (known.iter().any(|known| known == key), missing) {
            (true, Some(option)) => Some(format!("the variable {name} has no effect without {option}")),
            (true, None) => {
                let is_overridden = overridden.contains(&name);
                is_overridden
                    .then(|| format!("the variable {name} has no effect: {} overrides it", side.option))
            }
            (false, _) => {
                let meant = similar(key, known.iter().map(String::as_str))?;
                Some(format!("ignored the variable {name}; did you mean '{}{meant}'?", side.variables))
            }
        }
    };
    names.into_iter().filter_map(remark).collect()
}

/// The variables of a side that the value of its option overrides. A mistake in one of them is reported elsewhere.
fn overridden(options: &Options, side: Side, value: Option<&str>) -> Vec<String> {
    let typed = typed(options, value.and_then(url).as_deref());
    let read = || environment::entries_with(options, side.variables).unwrap_or_default();
    let in_effect = precedence::winners(options.command(), &typed, [read(), Vec::new(), Vec::new()]);
    let is_in_effect = |arg: &&Arg| in_effect.iter().any(|entry| entry.key == key(arg));
    let set = read();
    let is_set = |arg: &&Arg| set.iter().any(|entry| entry.key == key(arg));
    let args = options.iter().filter(is_set).filter(|arg| !is_in_effect(arg));
    args.map(|arg| environment::variable_with(arg, side.variables)).collect()
}

/// The URL that the value of `--from` or `--to` means; `None` for a profile.
fn url(value: &str) -> Option<String> {
    match value.contains("://") {
        true => Some(value.to_owned()),
        false => looks_like_host(value).then(|| format!("mqtt://{value}")),
    }
}

/// The URL as if it were typed.
fn typed(options: &Options, url: Option<&str>) -> Vec<Entry> {
    let arg = options.find("url");
    arg.zip(url).map(|(arg, url)| Entry::typed(arg, url.as_ref())).into_iter().collect()
}

/// The client of a profile alone, without variables.
///
/// # Errors
/// If the profile does not exist, or a value is invalid.
pub(in crate::cli) fn client_of_profile(option: &'static str, name: &str) -> Result<ClientArgs, Error> {
    let options = Options::all();
    let asked = Asked { name: name.to_owned(), by: option };
    let Some(file) = file::read()? else { return Err(profile::without_file(&asked)) };
    let [_, of_profile, defaults] = profile::of_file(&options, &file, Some(asked))?.layers;
    let entries = precedence::winners(options.command(), &[], [Vec::new(), of_profile, defaults]);
    client_of(&options, option, &entries)
}

/// The client that values from a file of another format describe; each has a key of profiles.
///
/// # Errors
/// The invalid value.
pub(in crate::cli) fn client_of_values(
    option: &'static str,
    values: Vec<(&'static str, OsString, Origin)>,
) -> Result<ClientArgs, Error> {
    let options = Options::all();
    let entry = |(key, value, origin): (&str, OsString, Origin)| {
        options.find(key).map(|arg| Entry::new(arg, &value, origin))
    };
    let entries: Vec<Entry> = values.into_iter().filter_map(entry).collect();
    client_of(&options, option, &entries)
}

fn client_of(options: &Options, option: &'static str, entries: &[Entry]) -> Result<ClientArgs, Error> {
    let entries: Vec<&Entry> = entries.iter().filter(|entry| entry.key != PAYLOADS).collect();
    for entry in &entries {
        if let Some(problem) = problem(options, entry) {
            return Err(Error::usage(UsageError::invalid(entry.origin.to_string(), problem)));
        }
    }
    let words = entries.iter().filter_map(|entry| entry.word.clone());
    let command = options.command().clone().args_override_self(true);
    let failed = |error: &clap::Error| {
        let problem = clap_error::describe(error, Some(options.command()), &[]);
        Error::usage(UsageError::invalid(option, problem))
    };
    let matches = command.try_get_matches_from(words).map_err(|error| failed(&error))?;
    let mut client = ClientArgs::from_arg_matches(&matches).map_err(|error| failed(&error))?;
    client.network.typed = TypedOptions::of(&matches);
    client.network.needs_no_topic();
    client.connection.ignores_variables = true;
    Ok(client)
}

/// The options of a client as messages name them, `-u` and `--username`, each with its key in profiles.
pub(in crate::cli) fn option_keys() -> Vec<(String, String)> {
    let options = Options::all();
    let names = options.iter().flat_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        [long, short].into_iter().flatten().map(|name| (name, key(arg).to_owned()))
    });
    names.collect()
}

/// Whether a text without a scheme is a host, and not the name of a profile.
fn looks_like_host(text: &str) -> bool {
    text == "localhost" || OsStr::new(text).as_encoded_bytes().iter().any(|byte| b".:[".contains(byte))
}
