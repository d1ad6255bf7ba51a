//! The errors of the command line beyond clap's: options that contradict each other, and unusable files.

use crate::payload::schema::SchemaError;
use crate::protocol::Version;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why options cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The options are invalid, or contradict each other.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is not usable for the option that names it.
    #[error("{option} {}: {problem}", path.display())]
    Unusable {
        /// The option, as typed.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason, and the remedy.
        problem: String,
    },
    /// The schema that the configuration file names is not usable.
    #[error("schema of {tables}: {source}")]
    ConfiguredSchema {
        /// The tables that name it, and their file.
        tables: String,
        /// The reason.
        source: SchemaError,
    },
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// A signal ended a prompt. The exit status of the program follows.
    #[error("interrupted")]
    Interrupted(u8),
    /// A required system call failed.
    #[error("cannot {action}: {source}")]
    System {
        /// The attempted action.
        action: String,
        /// The reason.
        source: io::Error,
    },
}

/// A mistake in the options. Options are named as the user types them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// The option is for MQTT 5.
    #[error("{option} needs MQTT 5, but -V selects {version}")]
    NeedsV5 { option: String, version: Version },
    /// Another option is missing.
    #[error("{option} needs {needed}")]
    Needs {
        option: String,
        /// The other option, with its value.
        needed: &'static str,
    },
    /// Two options exclude each other.
    #[error("{one} cannot be used with {other}")]
    Conflict { one: String, other: String },
    /// An option or an argument is missing.
    #[error("missing {0}")]
    Missing(String),
    /// The value of an option is invalid. The option can include the value.
    #[error("{option}: {problem}")]
    Invalid { option: String, problem: Box<dyn std::error::Error + Send + Sync> },
    /// A value is invalid; its type has the text.
    #[error("{0}")]
    Value(Box<dyn std::error::Error + Send + Sync>),
    /// A line of a file is invalid.
    #[error("{}, line {line}{}: {problem}", path.display(), column.map(|column| format!(", column {column}")).unwrap_or_default())]
    Line { path: PathBuf, line: u64, column: Option<u64>, problem: String },
    /// The content of a file is invalid for the option that names it.
    #[error("{option} {}: {problem}", path.display())]
    Content { option: &'static str, path: PathBuf, problem: String },
    /// A variable or an argument is not text.
    #[error("{0} is not valid UTF-8")]
    NotUtf8(&'static str),
    /// A mistake in a sentence, and what corrects it.
    #[error("{problem}")]
    Remediable { problem: String, remedy: String },
    /// A mistake that is specific to one option, in a sentence.
    #[error("{0}")]
    Other(String),
}

impl From<String> for UsageError {
    fn from(sentence: String) -> UsageError {
        UsageError::Other(sentence)
    }
}

impl From<&str> for UsageError {
    fn from(sentence: &str) -> UsageError {
        UsageError::Other(sentence.to_owned())
    }
}

impl Error {
    /// A mistake in a file that describes a load or its clients.
    pub(crate) fn content(option: &'static str, path: &Path, problem: String) -> Error {
        Error::Usage(UsageError::Content { option, path: path.to_owned(), problem })
    }

    /// A file that an option names cannot be read.
    pub(crate) fn unreadable(option: &'static str, path: &Path, error: &io::Error) -> Error {
        let problem = format!("cannot be read: {error}");
        Error::Unusable { option, path: path.to_owned(), problem }
    }

    pub(crate) fn usage(problem: impl Into<UsageError>) -> Error {
        Error::Usage(problem.into())
    }
}

impl UsageError {
    pub(crate) fn invalid(
        option: impl Into<String>,
        problem: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> UsageError {
        UsageError::Invalid { option: option.into(), problem: problem.into() }
    }
}
