//! Texts as users read them: the help of each command, and a catalogue of error messages.
//!
//! The files are in `tests/snapshots/`. `SNAPSHOTS=overwrite cargo test --test cli -- texts::` writes them again.

mod catalogue;
mod coverage;
mod help;
mod script;
mod tls;

use snapbox::{Assert, Data};
use std::path::PathBuf;

/// The directory of the files.
fn snapshots(area: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots")).join(area)
}

/// Compares a text with its file, to the byte.
#[track_caller]
fn assert_snapshot(area: &str, name: &str, text: String) {
    let path = snapshots(area).join(format!("{name}.txt"));
    let expected = Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
    Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV).eq(text, expected);
}

/// The names of the files in a directory, without `.txt`.
fn names(area: &str) -> Vec<String> {
    let entries = std::fs::read_dir(snapshots(area)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}
