//! The profiles of the file, each with its broker.

use super::document::{DEFAULT_PROFILE, Document, Profile};
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
    #[serde(rename = "mistakes")]
    mistake_count: usize,
    /// A sentence for each mistake, with its place.
    #[serde(skip)]
    pub(crate) mistakes: Vec<String>,
}

/// A profile, as `mq config list --json` prints it.
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
        mistake_count: document.mistakes.len(),
        mistakes: document.mistakes.iter().map(ToString::to_string).collect(),
    }))
}

/// The keys of a profile, or of the defaults, in the file that commands read, with `default-profile`.
pub(crate) fn keys_of(profile: Option<&str>) -> Vec<String> {
    let Ok(Some(source)) = file::read() else { return Vec::new() };
    let document = Document::read(&source, &Options::all());
    let entries = match profile {
        Some(name) => document.profile(name).map(|profile| profile.entries.as_slice()).unwrap_or_default(),
        None => &document.defaults,
    };
    let of_file =
        document.default_profile.as_ref().filter(|_| profile.is_none()).map(|_| DEFAULT_PROFILE.to_owned());
    let of_entries = entries.iter().filter(|entry| !entry.is_of_payloads()).map(|entry| entry.key.clone());
    let mut keys: Vec<String> = of_file.into_iter().chain(of_entries).collect();
    keys.dedup();
    keys
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
