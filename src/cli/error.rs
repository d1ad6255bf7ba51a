//! The errors of the command line beyond clap's: options that contradict each other, and the files that they name.

use std::io;
use std::path::PathBuf;

/// The reason why options cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The options are invalid, or contradict each other. The text names them as the user types them.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content of a file is not usable for the option that names it.
    #[error("{option} {}: {problem}", path.display())]
    Unusable {
        /// The option, as typed.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason, and the remedy.
        problem: String,
    },
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// A required system call failed.
    #[error("cannot {action}: {source}")]
    System {
        /// The attempted action.
        action: String,
        /// The reason.
        source: io::Error,
    },
}
