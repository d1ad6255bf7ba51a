//! Reads the reports of earlier runs.

use crate::bench::Report;
use crate::bench::report::JsonError;
use crate::cli::Error;
use crate::input_file;
use std::ffi::OsStr;
use std::path::Path;

/// The maximum size of a report.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The option that repeats the run of a report.
pub(super) const REPEAT_OF: &str = "--repeat-of";

/// Whether a word may name a report to repeat.
pub(super) fn may_name_report(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(REPEAT_OF.as_bytes())
}

/// Reads an earlier report, which an option names.
///
/// # Errors
/// If the file cannot be read, or is not a report.
pub(crate) fn read(option: &'static str, path: &Path) -> Result<Report, Error> {
    let text = input_file::read_text(path, MAX_BYTES)
        .map_err(|source| Error::File { path: path.to_owned(), source })?;
    Report::from_json(&text).map_err(|error| {
        let problem = match error {
            JsonError::NoSchema => format!("{error}; use a report of `mq bench --json FILE`"),
            JsonError::Shape(_) | JsonError::OtherSchema(_) | JsonError::Value { .. } => error.to_string(),
        };
        Error::content(option, path, problem)
    })
}
