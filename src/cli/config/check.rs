//! Finds all mistakes in a file of profiles and in the variables, without connecting.

use super::document::{Document, Mistake};
use super::entry::{Entry, Place};
use super::file::{self, Source};
use super::options::Options;
use super::{environment, payloads, precedence};
use crate::cli::Error;
use crate::cli::Names;
use crate::cli::clap_error;
use crate::cli::session::ClientArgs;
use clap::FromArgMatches;
use std::path::{Path, PathBuf};

/// The mistakes in a file.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) path: PathBuf,
    pub(crate) profiles: Vec<String>,
    /// A sentence for each mistake, with its place.
    pub(crate) mistakes: Vec<String>,
}

/// Checks this file, or by default the file that commands read and the variables; `None` if neither exists.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn check(path: Option<&Path>) -> Result<Option<Findings>, Error> {
    let options = Options::all();
    let source = match path {
        Some(path) => Some(file::read_from(path)?),
        None => file::read()?,
    };
    let variables = if path.is_none() { of_variables(&options) } else { Vec::new() };
    let Some(source) = source else {
        return if variables.is_empty() { Ok(None) } else { Err(Error::usage(variables.join("\n"))) };
    };
    let document = Document::read(&source, &options);
    let mut mistakes: Vec<String> = of_document(&options, document.mistakes.iter(), &document);
    mistakes.extend(variables);
    let profiles = document.profiles.iter().map(|profile| profile.name.to_string()).collect();
    let Source { path, .. } = source;
    Ok(Some(Findings { path, profiles, mistakes }))
}

fn of_variables(options: &Options) -> Vec<String> {
    let mut mistakes = environment::mistakes(options);
    let entries = options.iter().filter_map(|arg| environment::of_option(arg).ok()).flatten();
    mistakes
        .extend(entries.filter_map(|entry| Some(format!("{}: {}", entry.origin, problem(options, &entry)?))));
    mistakes
}

/// Mistakes in the text and in single values; if there are none, contradictions between values.
fn of_document<'a>(
    options: &Options,
    found: impl Iterator<Item = &'a Mistake>,
    document: &Document,
) -> Vec<String> {
    let mut mistakes: Vec<((usize, usize), String)> =
        found.map(|mistake| (order(&mistake.place), mistake.to_string())).collect();
    let of_values = document.entries().filter_map(|entry| {
        let place = entry.origin.place()?;
        Some((order(place), format!("{place}: {}", problem(options, entry)?)))
    });
    mistakes.extend(of_values);
    // Contradictions are meaningful only between valid values.
    if mistakes.is_empty() {
        for profile in &document.profiles {
            let layers = [Vec::new(), profile.entries.clone(), document.defaults.clone()];
            let entries = precedence::winners(options.command(), &[], layers);
            let contradiction = contradiction(options, &entries);
            mistakes.extend(
                contradiction.map(|problem| (order(&profile.place), format!("{}: {problem}", profile.place))),
            );
        }
        let of_schemas = payloads::mistakes(options, document);
        mistakes.extend(of_schemas.iter().map(|mistake| (order(&mistake.place), mistake.to_string())));
    }
    mistakes.sort();
    mistakes.dedup();
    mistakes.into_iter().map(|(_, text)| text).collect()
}

fn order(place: &Place) -> (usize, usize) {
    (place.line, place.column)
}

/// The reason why the parser rejects a single value.
pub(super) fn problem(options: &Options, entry: &Entry) -> Option<String> {
    if entry.is_of_payloads() {
        return None;
    }
    let command = options.command();
    let result = command.clone().try_get_matches_from([entry.word.as_ref()?]);
    let error = result.err().filter(|error| clap_error::is_about_one_option(error.kind()))?;
    Some(clap_error::describe(&error, Some(command), &[]))
}

/// The contradiction between the values, if any.
fn contradiction(options: &Options, entries: &[Entry]) -> Option<String> {
    let of_client = entries.iter().filter(|entry| !entry.is_of_payloads());
    let words = of_client.filter_map(|entry| entry.word.clone());
    let matches = match options.command().clone().args_override_self(true).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return Some(clap_error::describe(&error, Some(options.command()), &[])),
    };
    let client = ClientArgs::from_arg_matches(&matches).ok()?;
    client.check_combinations(Names::Mq).err().map(|error| error.to_string())
}
