//! Finds all mistakes in a file of profiles and in the variables, without connecting.

use super::document::{Document, EXPOSED, Mistake, Profile};
use super::entry::{Entry, Place, table_of};
use super::file::{self, Source};
use super::options::Options;
use super::{environment, payloads, precedence};
use crate::cli::Error;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::clap_error;
use crate::cli::session::ClientArgs;
use crate::escape;
use clap::error::ErrorKind;
use clap::{Arg, FromArgMatches};
use std::fmt;
use std::path::{Path, PathBuf};

/// The mistakes in a file.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) path: PathBuf,
    pub(crate) profiles: Vec<String>,
    /// A sentence for each mistake, with its place.
    pub(crate) mistakes: Vec<String>,
}

/// A mistake in a file.
#[derive(Debug)]
pub(super) struct Finding {
    place: Place,
    /// The table with the mistake, such as `[profile.home]`, unless the text around the values has it.
    pub(super) table: Option<String>,
    pub(super) problem: String,
    pub(super) kind: FindingKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingKind {
    /// A mistake in the text, or a value of the wrong type.
    Text,
    /// A value that the option does not accept.
    Value,
    /// Values that exclude each other.
    Contradiction,
    /// A value that needs another one.
    Incomplete,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl Finding {
    fn of_mistake(mistake: &Mistake) -> Finding {
        let remedy = mistake.remedy.iter().map(|remedy| format!("; {remedy}"));
        let problem = mistake.problem.clone() + &remedy.collect::<String>();
        let place = mistake.place.clone();
        Finding { place, table: None, problem, kind: FindingKind::Text }
    }

    fn order(&self) -> (usize, usize, String) {
        (self.place.line, self.place.column, self.problem.clone())
    }

    /// Whether it is the same mistake, perhaps at another place since the text before it changed.
    pub(super) fn is_same(&self, other: &Finding) -> bool {
        self.table == other.table && problem_of_any_key(&self.problem) == problem_of_any_key(&other.problem)
    }
}

/// A readable secret is reported once, by the first key that has one.
fn problem_of_any_key(problem: &str) -> &str {
    problem.find(EXPOSED).and_then(|at| problem.get(at..)).unwrap_or(problem)
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
    let mut found = of_document(&options, &document);
    found.sort_by_key(Finding::order);
    let mut mistakes: Vec<String> = found.iter().map(ToString::to_string).collect();
    mistakes.dedup();
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
fn of_document(options: &Options, document: &Document) -> Vec<Finding> {
    let mut found = of_text(document);
    found.extend(of_values(options, document));
    // Contradictions are meaningful only between valid values.
    if found.is_empty() {
        found = contradictions(options, document);
        found.extend(payloads::mistakes(options, document).iter().map(Finding::of_mistake));
    }
    found
}

/// All mistakes that a change of a value can cause or remove, also contradictions between the valid ones of the values.
pub(super) fn of_changeable(options: &Options, document: &Document) -> Vec<Finding> {
    let mut found = of_text(document);
    found.extend(of_values(options, document));
    found.extend(contradictions(options, document));
    found
}

fn of_text(document: &Document) -> Vec<Finding> {
    document.mistakes.iter().map(Finding::of_mistake).collect()
}

fn of_values(options: &Options, document: &Document) -> Vec<Finding> {
    let of_entry = |entry: &Entry| {
        let (place, problem) = (entry.origin.place()?.clone(), problem(options, entry)?);
        Some(Finding { place, table: entry.origin.table(), problem, kind: FindingKind::Value })
    };
    document.entries().filter_map(of_entry).collect()
}

/// The contradictions in each profile, and in the defaults if they apply without one.
fn contradictions(options: &Options, document: &Document) -> Vec<Finding> {
    let is_valid = |entry: &&Entry| problem(options, entry).is_none();
    let valid = |entries: &[Entry]| entries.iter().filter(is_valid).cloned().collect::<Vec<_>>();
    let defaults = valid(&document.defaults);
    let of_profile = |profile: &Profile| {
        let layers = [Vec::new(), valid(&profile.entries), defaults.clone()];
        let entries = precedence::winners(options.command(), &[], layers);
        let table = table_of(&profile.name);
        let found = contradictions_between(options, entries).into_iter();
        let finding = move |(problem, kind)| Finding {
            place: profile.place.clone(),
            table: Some(table.clone()),
            problem,
            kind,
        };
        found.map(finding).collect::<Vec<_>>()
    };
    let mut found: Vec<Finding> = document.profiles.iter().flat_map(of_profile).collect();
    let first = defaults.first().and_then(|entry| entry.origin.place().cloned());
    if let (Some(place), None) = (first, &document.default_profile) {
        let table = Some("[defaults]".to_owned());
        // A missing option may be typed, or set in each profile.
        let last = contradictions_between(options, defaults).pop();
        if let Some((problem, kind @ FindingKind::Contradiction)) = last {
            found.push(Finding { place, table, problem, kind });
        }
    }
    found
}

/// The values that need another one, and the first contradiction between the others, which comes last.
fn contradictions_between(options: &Options, mut entries: Vec<Entry>) -> Vec<(String, FindingKind)> {
    let mut found = Vec::new();
    while let Some((problem, kind)) = contradiction(options, &entries) {
        let incomplete = (kind == FindingKind::Incomplete).then(|| problem.split(' ').next()).flatten();
        let is_named = |entry: &Entry| {
            let arg = options.find(&entry.key);
            let [long, short] = [
                arg.and_then(Arg::get_long).map(|long| format!("--{long}")),
                arg.and_then(Arg::get_short).map(|short| format!("-{short}")),
            ];
            incomplete.is_some_and(|name| [long, short].iter().flatten().any(|option| option == name))
        };
        let before = entries.len();
        let rest: Vec<Entry> = entries.iter().filter(|entry| !is_named(entry)).cloned().collect();
        found.push((problem, kind));
        if rest.len() == before {
            break;
        }
        entries = rest;
    }
    found
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

/// The contradiction between the values, or the value that is missing beside them, if any.
fn contradiction(options: &Options, entries: &[Entry]) -> Option<(String, FindingKind)> {
    let of_client = entries.iter().filter(|entry| !entry.is_of_payloads());
    let words = of_client.filter_map(|entry| entry.word.clone());
    let matches = match options.command().clone().args_override_self(true).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            let kind = match error.kind() {
                ErrorKind::MissingRequiredArgument => FindingKind::Incomplete,
                _ => FindingKind::Contradiction,
            };
            return Some((clap_error::describe(&error, Some(options.command()), &[]), kind));
        }
    };
    let mut client = ClientArgs::from_arg_matches(&matches).ok()?;
    client.network.note_order(&matches);
    let error = client.check_combinations(Names::Mq).err()?;
    let kind = match &error {
        Error::Usage(UsageError::Needs { .. } | UsageError::Missing(_)) => FindingKind::Incomplete,
        _ => FindingKind::Contradiction,
    };
    Some((escape::line(&error.to_string()).into_owned(), kind))
}
