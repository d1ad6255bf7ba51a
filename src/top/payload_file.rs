//! Files with a payload to publish.

use crate::input_file;
use crate::protocol::MAX_REMAINING_LENGTH;
use std::io;
use std::path::{Path, PathBuf};

/// Reads the payload from a file.
///
/// # Errors
/// The reason why it cannot be published.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    check_is_regular(path).map_err(failed)?;
    match input_file::read(path, MAX_REMAINING_LENGTH as u64) {
        Ok(mut content) => Ok(std::mem::take(&mut *content)),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(format!("cannot publish {}: it is longer than {MAX_REMAINING_LENGTH} bytes", path.display()))
        }
        Err(error) => Err(failed(error)),
    }
}

/// The path of a typed file name, in which `~/` is the home directory, as in shells.
pub(super) fn path(typed: &str) -> PathBuf {
    match (typed.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => typed.into(),
    }
}

/// Refuses pipes and devices, at which the screen would wait.
pub(super) fn check_is_regular(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}
