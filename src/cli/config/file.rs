//! Finds and reads the file of profiles. Rejects pipes and devices, which could block a command.

use crate::cli::Error;
use crate::cli::option_file::configuration_directory;
use crate::input_file;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The variable with the path of another file; if empty, no file is read.
pub(super) const FILE_VARIABLE: &str = "MQ_CONFIG";

/// The maximum size of a file of profiles.
const MAX_SIZE: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Permission bits, as for `chmod`.
    pub(super) mode: u32,
}

#[derive(Debug)]
pub(crate) struct Location {
    /// Its path, or the reason why no file is read.
    pub(crate) path: Result<PathBuf, &'static str>,
    is_asked_for: bool,
}

/// The location of the file, whether or not it exists.
pub(crate) fn location() -> Location {
    if let Some(path) = std::env::var_os(FILE_VARIABLE) {
        let is_none = path.is_empty();
        let path = if is_none { Err("MQ_CONFIG is empty, which means none") } else { Ok(absolute(path)) };
        return Location { path, is_asked_for: !is_none };
    }
    let directory = configuration_directory();
    let path = directory.map(|directory| absolute(directory.join("mq/config.toml")));
    Location { path: path.ok_or("neither XDG_CONFIG_HOME nor HOME is set"), is_asked_for: false }
}

/// The path from the root, so that messages, and paths relative to the file, are valid in every directory.
fn absolute(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    std::path::absolute(&path).unwrap_or(path)
}

/// Reads the file, if it exists.
///
/// # Errors
/// If it cannot be read, or does not exist although MQ_CONFIG names it.
pub(super) fn read() -> Result<Option<Source>, Error> {
    let location = location();
    let Ok(path) = location.path else { return Ok(None) };
    match open(&path) {
        Ok(file) => of(path, &file).map(Some),
        Err(error) if is_missing(&error) && !location.is_asked_for => Ok(None),
        Err(source) if is_missing(&source) => {
            let problem = format!("{FILE_VARIABLE}: cannot read {}: {source}", path.display());
            Err(Error::usage(problem))
        }
        Err(source) => Err(Error::File { path, source }),
    }
}

pub(super) fn read_from(path: &Path) -> Result<Source, Error> {
    let file = open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    of(path.to_owned(), &file)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

fn of(path: PathBuf, file: &File) -> Result<Source, Error> {
    let failed = |source| Error::File { path: path.clone(), source };
    let refused = |problem: &str| Error::usage(format!("{}: {problem}", path.display()));
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused(
            "not a regular file but a directory, a pipe or a device; set MQ_CONFIG to an empty value to read no file",
        ));
    }
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(refused(&format!(
            "it is larger than {MAX_SIZE} bytes, too large for a file of profiles"
        )));
    }
    input_file::remove_mark(&mut bytes);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { path, text, mode: metadata.permissions().mode() & 0o7777 }),
        Err(error) => {
            let line = error
                .as_bytes()
                .iter()
                .take(error.utf8_error().valid_up_to())
                .filter(|&&byte| byte == b'\n')
                .count()
                + 1;
            Err(refused(&format!("line {line} is not valid UTF-8")))
        }
    }
}
