//! Files with a payload to publish.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest payload of MQTT.
const MAX_FILE: u64 = 268_435_455;

/// Reads the payload from a file.
///
/// # Errors
/// The reason why it cannot be published.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    check_is_regular(path).map_err(failed)?;
    let mut content = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_FILE {
        return Err(format!("cannot publish {}: it is longer than {MAX_FILE} bytes", path.display()));
    }
    Ok(content)
}

/// Refuses pipes and devices, at which the screen would wait.
pub(super) fn check_is_regular(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}
