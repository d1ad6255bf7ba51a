//! Sources of the authentication data in a [`Token`](super::Token).

use crate::input_file;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The maximum length of authentication data, which is that of an MQTT property.
const MAX_DATA_LENGTH: u64 = 65_535;

/// The source of authentication data.
#[derive(Clone)]
pub(crate) enum TokenSource {
    /// No data: the method needs none.
    None,
    /// Fixed data.
    Bytes(Vec<u8>),
    /// Read for each authentication, since the file may have been renewed.
    File(PathBuf),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::None => f.write_str("None"),
            TokenSource::Bytes(_) => f.write_str("Bytes(..)"),
            TokenSource::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A file with authentication data that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub(crate) struct TokenFileError {
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

impl TokenSource {
    /// Reads the data.
    ///
    /// # Errors
    /// The file that cannot be read, and the reason.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, TokenFileError> {
        match self {
            TokenSource::None => Ok(None),
            TokenSource::Bytes(bytes) => Ok(Some(bytes.clone())),
            TokenSource::File(path) => {
                let failed = |source| TokenFileError { path: path.clone(), source };
                open_again(path).and_then(read_token).map(Some).map_err(failed)
            }
        }
    }
}

/// Opens a regular file only: the file may have been replaced by a pipe, and opening that would block.
fn open_again(path: &Path) -> io::Result<std::fs::File> {
    match std::fs::metadata(path)?.is_file() {
        true => std::fs::File::open(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no longer a regular file")),
    }
}

/// Reads authentication data: all of the input, except the line end after a single line of text, which is not part of the
/// token.
///
/// # Errors
/// If it cannot be read, is empty, or exceeds the maximum length of an MQTT property.
pub(crate) fn read_token(input: impl Read) -> io::Result<Vec<u8>> {
    // Allocated in full, so that growing leaves no copy of the secret in memory.
    let mut data = Vec::with_capacity(MAX_DATA_LENGTH as usize + 3);
    input.take(MAX_DATA_LENGTH + 3).read_to_end(&mut data)?;
    if is_line_of_text(data.trim_ascii_end()) {
        input_file::remove_mark(&mut data);
    }
    let line = data.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if let Some(line) = line.filter(|line| is_line_of_text(line)) {
        data.truncate(line.len());
    }
    let refused = |kind, text| Err(io::Error::new(kind, text));
    match data.len() as u64 {
        0 => refused(
            io::ErrorKind::UnexpectedEof,
            "it is empty, and authentication data needs at least one byte",
        ),
        length if length > MAX_DATA_LENGTH => {
            refused(io::ErrorKind::FileTooLarge, "it exceeds 65535 bytes, the maximum of authentication data")
        }
        _ => Ok(data),
    }
}

fn is_line_of_text(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| !line.chars().any(char::is_control))
}
