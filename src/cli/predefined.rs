//! The file of predefined topics of MQTT-SN.

use super::{Error, UsageError};
use crate::input_file;
use crate::protocol::sn::PredefinedTopics;
use std::path::Path;

/// The option that names the file.
const OPTION: &str = "--predefined";

/// Reads the file.
///
/// # Errors
/// If the file cannot be read, or a line of it is invalid.
pub(crate) fn read(path: &Path) -> Result<PredefinedTopics, Error> {
    let text = input_file::read_utf8(path, input_file::LIMIT);
    let text = text.map_err(|error| Error::unreadable(OPTION, path, &error))?;
    PredefinedTopics::parse(&text).map_err(|error| {
        let (path, line) = (path.to_owned(), error.line as u64);
        Error::usage(UsageError::Line { path, line, column: None, problem: error.problem.to_string() })
    })
}
