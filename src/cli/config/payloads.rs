//! The tables of message types: their content for a command, and the mistakes that only their schema shows.

use super::document::{Document, Mistake};
use super::entry::{Entry, Origin, Place};
use super::options::{OF_PAYLOADS, Options, PAYLOADS};
use super::{precedence, toml_value};
use crate::cli::schema::{ConfiguredTypes, configured_rule};
use crate::payload::schema::{SchemaError, TypeRule, load};
use std::path::{Path, PathBuf};

/// The message types in these entries; `None` if no table has any.
pub(super) fn types(entries: &[Entry]) -> Option<ConfiguredTypes> {
    let of_tables = || entries.iter().filter(|entry| entry.is_of_payloads());
    let mut tables: Vec<String> = of_tables().map(table).collect();
    tables.dedup();
    let path = of_tables().find_map(|entry| entry.origin.place())?.path.display();
    Some(ConfiguredTypes {
        tables: format!("{} in {path}", tables.join(" and ")),
        files: files(entries),
        rules: rules(entries).map(|(_, rule)| rule).collect(),
    })
}

/// The name of the table that has an entry.
fn table(entry: &Entry) -> String {
    match &entry.origin {
        Origin::Profile { name, .. } => format!("[profile.{}.{PAYLOADS}]", toml_value::name(name)),
        _ => format!("[{PAYLOADS}]"),
    }
}

fn is_file(entry: &&Entry) -> bool {
    entry.id() == OF_PAYLOADS[0]
}

fn files(entries: &[Entry]) -> Vec<PathBuf> {
    entries.iter().filter(is_file).map(|entry| PathBuf::from(entry.value())).collect()
}

/// The types with the places of their entries.
fn rules(entries: &[Entry]) -> impl Iterator<Item = (&Entry, TypeRule)> {
    let types = entries.iter().filter(|entry| entry.is_of_payloads() && !is_file(entry));
    types.filter_map(|entry| Some((entry, configured_rule(entry.value().to_str()?).ok()?)))
}

/// The mistakes in the tables of a valid file: of the table for all profiles, and of each profile with it,
/// so that some are found several times.
pub(super) fn mistakes(options: &Options, document: &Document) -> Vec<Mistake> {
    let mut found = Vec::new();
    let tables = |entries: &[Entry]| -> Vec<Entry> {
        entries.iter().filter(|entry| entry.is_of_payloads()).cloned().collect()
    };
    let common = tables(&document.defaults);
    let of_profiles: Vec<Vec<Entry>> =
        document.profiles.iter().map(|profile| tables(&profile.entries)).collect();
    // Profiles may name the types of a common schema.
    let is_used_by_profiles = of_profiles.iter().any(|entries| rules(entries).next().is_some());
    check(&common, is_used_by_profiles, &mut found);
    for entries in of_profiles.into_iter().filter(|entries| !entries.is_empty()) {
        let layers = [Vec::new(), entries, common.clone()];
        check(&precedence::winners(options.command(), &[], layers), false, &mut found);
    }
    found
}

/// Adds the mistakes in the entries that apply together.
fn check(entries: &[Entry], may_lack_types: bool, found: &mut Vec<Mistake>) {
    let mut add = |entry: Option<&Entry>, problem: String| {
        let place: Option<&Place> = entry.and_then(|entry| entry.origin.place());
        found.extend(place.map(|place| Mistake { place: place.clone(), problem, remedy: None }));
    };
    let files = files(entries);
    let first_file = entries.iter().find(is_file);
    match (first_file, rules(entries).next()) {
        (None, None) => return,
        (None, Some((entry, _))) => return add(Some(entry), "types need schema = \"FILE\"".to_owned()),
        (Some(_), None) if !may_lack_types => {
            add(first_file, "schema needs types: add FILTER = \"pkg.Message\"".to_owned());
        }
        (Some(_), _) => {}
    }
    let schema = match load(&files) {
        Ok(schema) => schema,
        Err(error) => {
            let (SchemaError::Unreadable { path, .. } | SchemaError::Invalid { path, .. }) = &error;
            let names_it = |entry: &&Entry| is_file(entry) && Path::new(entry.value()) == path;
            return add(entries.iter().find(names_it).or(first_file), format!("schema: {error}"));
        }
    };
    for (entry, rule) in rules(entries) {
        if let Err(problem) = schema.named(&rule.type_name) {
            add(Some(entry), problem);
        }
    }
}
