//! Recordings: messages in a file, in order of arrival. `docs/recordings.md` describes them for users.
//!
//! A recorder only appends, so earlier messages survive a crash. Messages that arrive together are one write, whose last message may be
//! cut off if the process is killed.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod lines;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use crate::protocol::Publish;
use jiff::Timestamp;
pub(crate) use lines::LineFile;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The extensions of database files.
const DATABASES: [&str; 3] = ["sqlite", "sqlite3", "db"];

/// The first bytes of every database.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// When a recording continues in a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Before the file grows beyond this many bytes.
    Size(u64),
    /// When the file is this old.
    Age(Duration),
}

/// A recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordingError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is written by another recorder", path.display())]
    Locked { path: PathBuf },
    #[error("not a recording: {} ({problem})", path.display())]
    Foreign { path: PathBuf, problem: String },
    #[cfg_attr(feature = "sqlite", allow(dead_code, reason = "only a build without SQLite reports it"))]
    #[error("{}: recordings in SQLite are not in this build", path.display())]
    NoDatabases { path: PathBuf },
    #[error("{}: a database is not rotated", path.display())]
    NoRotation { path: PathBuf },
    #[cfg(feature = "sqlite")]
    #[error("{}: {source}", path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    #[cfg(feature = "sqlite")]
    #[error("{} is locked by another program, which did not let go of it for {} s", path.display(), sqlite::BUSY_TIMEOUT.as_secs())]
    Busy { path: PathBuf },
}

/// Appends messages to a file.
#[derive(Debug)]
pub(crate) enum Recorder {
    /// A JSON object a line, as `mq sub --json` prints it.
    Lines(LineFile),
    #[cfg(feature = "sqlite")]
    Database(sqlite::Database),
}

impl Recorder {
    /// Opens a recording to append to it, or creates one. The extension decides the kind. Also returns a description of a repair, if
    /// the end of the file was incomplete.
    ///
    /// # Errors
    /// If the file is not a recording, is locked by another process, or cannot be opened.
    pub(crate) fn open(
        path: &Path,
        rotation: Option<Rotation>,
    ) -> Result<(Recorder, Option<String>), RecordingError> {
        if !is_database(path) {
            let (file, note) = LineFile::open(path, rotation)?;
            return Ok((Recorder::Lines(file), note));
        }
        if rotation.is_some() {
            return Err(RecordingError::NoRotation { path: path.to_owned() });
        }
        #[cfg(feature = "sqlite")]
        return Ok((Recorder::Database(sqlite::Database::open(path)?), None));
        #[cfg(not(feature = "sqlite"))]
        Err(RecordingError::NoDatabases { path: path.to_owned() })
    }

    /// Adds a message that arrived at that time.
    ///
    /// # Errors
    /// If writing fails.
    pub(crate) fn add(&mut self, publish: &Publish<'_>, arrived: Timestamp) -> Result<(), RecordingError> {
        match self {
            Recorder::Lines(file) => file.add(publish, arrived),
            #[cfg(feature = "sqlite")]
            Recorder::Database(database) => database.add(publish, arrived),
        }
    }

    /// Writes all added messages to the file or the database.
    ///
    /// # Errors
    /// If writing fails. Messages of earlier calls stay intact.
    pub(crate) fn flush(&mut self) -> Result<(), RecordingError> {
        match self {
            Recorder::Lines(file) => file.flush(),
            #[cfg(feature = "sqlite")]
            Recorder::Database(database) => database.flush(),
        }
    }
}

/// Whether the extension is that of a database.
fn is_database(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| DATABASES.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Whether a file holds a database, whatever its name is.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn is_database_file(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(DATABASE.len() as u64).read_to_end(&mut start)?;
    Ok(begins_as_database(&start))
}

fn begins_as_database(start: &[u8]) -> bool {
    start.starts_with(DATABASE)
}

/// When the last message of a recording arrived, if that can be found without reading all of it.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn last_time(path: &Path) -> Result<Option<Timestamp>, RecordingError> {
    let failed = |source| RecordingError::Read { path: path.to_owned(), source };
    #[cfg(feature = "sqlite")]
    if is_database_file(path).map_err(failed)? {
        return sqlite::Messages::open(path)?.last_time();
    }
    lines::last_time(&mut File::open(path).map_err(failed)?).map_err(failed)
}

/// Refuses a file of lines that does not begin with a message.
///
/// # Errors
/// If it does not, or cannot be read.
pub(crate) fn check_lines(path: &Path) -> Result<(), RecordingError> {
    let failed = |source| RecordingError::Read { path: path.to_owned(), source };
    lines::check_beginning(path, &mut File::open(path).map_err(failed)?)
}
