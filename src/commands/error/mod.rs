//! The errors of commands: those of the layers below, which carry data, and those of the commands themselves.
//!
//! This file has the sentences, `hint` and `broker_hint` the remedies, `status` and `mosquitto` the exit statuses under each
//! set of names. Only the commands and the command line name options.

pub(super) mod broker_hint;
mod hint;
pub(super) mod mosquitto;
mod status;

use crate::bench::limits::BrokerShortage;
use crate::cli::UsageError;
use crate::cli::bridge::Words;
use crate::hosted::Violation;
use crate::passwd::{FileError, HashError, UserName};
use crate::protocol::session::{PublishError, SubscribeError};
use crate::recording::RecordingError;
use crate::{bench, bridge, cli, client};
pub use status::ExitStatus;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands) enum Error {
    /// Invalid options, or a file or system call that they need.
    #[error(transparent)]
    Options(#[from] cli::Error),
    /// A credentials file cannot be read or replaced.
    #[error(transparent)]
    Credentials(#[from] FileError),
    /// The file with the profiles cannot be read or replaced.
    #[error(transparent)]
    Profiles(FileError),
    /// A password cannot be hashed, or a hash cannot be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The user to delete does not exist.
    #[error("{} has no user '{}'", path.display(), crate::escape::line(user.as_str()))]
    NoSuchUser {
        /// The password file.
        path: PathBuf,
        user: UserName,
    },
    /// A recording cannot be read or appended to.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A capture cannot be read, or has another format.
    #[error("{name}: {problem}")]
    Capture {
        /// The file, or standard input.
        name: String,
        /// The reason.
        problem: String,
    },
    /// A line of standard input or of a recording is invalid.
    #[error("{place}: {problem}")]
    InputLine {
        /// The input, the line and, if known, the column.
        place: String,
        /// The reason.
        problem: String,
    },
    /// Standard output cannot be written. The error kind identifies a closed pipe.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// The client has no connection, or lost it.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A bridge ended. Its connection options have these words, local and remote, and its client identifiers are set by these keys.
    #[error("{name}: {source}")]
    Bridge { name: String, source: bridge::Error, words: [Words; 2], identifier_keys: [&'static str; 2] },
    /// The run of a load cannot begin, or has no result.
    #[error(transparent)]
    Bench(#[from] bench::Error),
    /// The embedded broker of a run cannot open enough files.
    #[error("--embedded: {0}")]
    BrokerFiles(#[from] BrokerShortage),
    /// The broker rejected a subscription or a message.
    #[error("{0}")]
    Rejected(String),
    /// The broker does not support this message, which was not sent.
    #[error("cannot publish to {topic}: {source}")]
    Unsendable {
        /// The message's topic.
        topic: String,
        /// The reason.
        source: PublishError,
    },
    /// The hosted service does not accept this message, which was not sent.
    #[error("cannot publish to {topic}: {violation}")]
    NotTaken {
        /// The message's topic.
        topic: String,
        /// The reason.
        violation: Violation,
    },
    /// The broker does not support this subscription, which was not requested.
    #[error("cannot subscribe: {0}")]
    Unsubscribable(#[from] SubscribeError),
    /// A signal interrupted the command.
    #[error("interrupted")]
    Interrupted(ExitStatus),
    /// The timeout expired.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No message arrived within the idle timeout.
    #[error("no message for {} s", .0.as_secs_f64())]
    Idle(Duration),
}

impl Error {
    pub(in crate::commands) fn usage(problem: impl Into<UsageError>) -> Error {
        Error::Options(cli::Error::usage(problem))
    }

    pub(in crate::commands) fn file(path: &Path, source: io::Error) -> Error {
        Error::Options(cli::Error::File { path: path.to_owned(), source })
    }

    /// The content of a file is not usable for the option that names it.
    pub(in crate::commands) fn unusable(option: &'static str, path: &Path, problem: String) -> Error {
        Error::Options(cli::Error::Unusable { option, path: path.to_owned(), problem })
    }

    /// Standard input cannot be read.
    pub(in crate::commands) fn input(source: io::Error) -> Error {
        Error::Options(cli::Error::Input(source))
    }

    /// A required system call failed.
    pub(in crate::commands) fn system(action: impl Into<String>, source: io::Error) -> Error {
        Error::Options(cli::Error::System { action: action.into(), source })
    }

    /// Whether the reader of the output closed the pipe, which ends a command quietly.
    pub(in crate::commands) fn is_closed_output(&self) -> bool {
        matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether no message is necessary: the user interrupted the command, or the reader closed the pipe.
    pub(in crate::commands) fn is_known_to_the_user(&self) -> bool {
        self.is_closed_output()
            || matches!(self, Error::Interrupted(_) | Error::Options(cli::Error::Interrupted(_)))
    }

    /// Whether a timeout expired, of the command or of an attempt to connect.
    pub(in crate::commands) fn is_timeout(&self) -> bool {
        matches!(
            self,
            Error::Timeout(_)
                | Error::Client(client::Error::Timeout(_))
                | Error::Bench(bench::Error::Timeout(_))
        )
    }
}
