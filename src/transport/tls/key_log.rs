//! Writes the secrets of connections to a file in NSS format, for decryption by Wireshark.

use rustls::KeyLog;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file that secrets are appended to.
#[derive(Debug)]
pub(crate) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens the file, or creates one that only its owner can read.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub(crate) fn open(path: &Path) -> io::Result<KeyLogFile> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(KeyLogFile(Mutex::new(options.open(path)?)))
    }

    pub(super) fn add(&self, line: &str) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One write, so that several processes can share the file. A full disk should not break a connection.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        self.add(&format!("{label} {} {}", Hex(client_random), Hex(secret)));
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
