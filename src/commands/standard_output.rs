//! Standard output of commands that print one text and end.

use super::error::Error;
use std::io::{self, Write};

/// Prints a text whole.
///
/// # Errors
/// If standard output cannot be written.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_ref()).and_then(|()| output.flush()).map_err(Error::Output)
}
