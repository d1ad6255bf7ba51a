//! The profiles of the file, each with its broker.

use super::document::{Document, Profile};
use super::entry::Entry;
use super::file;
use super::options::Options;
use crate::cli::Error;
use serde::Serialize;
use std::path::PathBuf;

/// The profiles of a file, in its order.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) file: PathBuf,
    /// The profile that applies if none is chosen.
    pub(crate) default: Option<String>,
    pub(crate) profiles: Vec<ListedProfile>,
    /// The number of mistakes in the file, whose profiles may be incomplete.
    pub(crate) mistakes: usize,
}

/// A profile.
#[derive(Debug, Serialize)]
pub(crate) struct ListedProfile {
    pub(crate) name: String,
    /// The URL or the host and port, without secrets; empty if the profile has none.
    pub(crate) broker: String,
}

/// The profiles of the file that commands read; `None` if there is no file.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn list() -> Result<Option<Listed>, Error> {
    let Some(source) = file::read()? else { return Ok(None) };
    let document = Document::read(&source, &Options::all());
    let profiles = document.profiles.iter();
    let profiles =
        profiles.map(|profile| ListedProfile { name: profile.name.to_string(), broker: broker(profile) });
    Ok(Some(Listed {
        file: source.path,
        default: document.default_profile.as_ref().map(|(name, _)| name.clone()),
        profiles: profiles.collect(),
        mistakes: document.mistakes.len(),
    }))
}

fn broker(profile: &Profile) -> String {
    let value = |key: &str| profile.entries.iter().find(|entry| entry.key == key).map(Entry::shown);
    let address = ["url", "unix", "srv", "preset"].into_iter().find_map(value);
    match (address, value("host"), value("port")) {
        (Some(address), None, _) => address,
        (_, Some(host), Some(port)) => format!("{host}:{port}"),
        (_, Some(host), None) => host,
        (None, None, Some(port)) => format!("port {port}"),
        (None, None, None) => String::new(),
    }
}
