//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::check::problem;
use super::document::Document;
use super::file::Source;
use super::options::Options;
use std::path::PathBuf;

/// More values are parsed no differently.
const MAX_ENTRIES: usize = 20;

thread_local! {
    static OPTIONS: Options = Options::all();
}

/// Reads a file of profiles, and checks the value of each key.
pub fn configurations(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let source = Source { path: PathBuf::from("/nowhere/config.toml"), text: text.to_owned(), mode: 0o600 };
    OPTIONS.with(|options| {
        let document = Document::read(&source, options);
        for mistake in &document.mistakes {
            assert!(!mistake.to_string().is_empty());
            let lines = text.split('\n').count();
            assert!((1..=lines + 1).contains(&mistake.place.line), "{mistake}");
        }
        for entry in document.entries().take(MAX_ENTRIES) {
            drop(problem(options, entry));
        }
        for profile in &document.profiles {
            assert!(document.profile(&profile.name).is_some());
        }
    });
}
