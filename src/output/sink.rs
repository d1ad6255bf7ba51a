//! The one owner of standard output while messages arrive: they are gathered in a buffer and written in one piece.

use crate::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

/// A buffer in front of standard output.
#[derive(Debug)]
pub struct Sink {
    buffer: Vec<u8>,
    output: File,
}

impl Sink {
    /// Takes standard output, past the standard library's line buffer.
    ///
    /// # Errors
    /// When there is no standard output.
    pub fn stdout() -> Result<Sink, Error> {
        let descriptor = io::stdout().as_fd().try_clone_to_owned().map_err(Error::Output)?;
        Ok(Sink { buffer: Vec::new(), output: descriptor.into() })
    }

    /// The buffer to append to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes what was appended.
    ///
    /// # Errors
    /// When standard output does not take all of it.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.output.write_all(&self.buffer).map_err(Error::Output);
        self.buffer.clear();
        written
    }
}
