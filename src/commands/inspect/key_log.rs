//! The key log for decrypting TLS in a capture: a file, which may still grow, and the secrets in the capture itself.

use crate::commands::error::Error;
use crate::input_file;
use crate::inspect::capture::decrypt::{KeyLog, Label, Secrets};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that is read of a file, enough for the secrets of a hundred thousand connections.
const MAX_FILE: u64 = 64 << 20;

/// The most that is kept of an incomplete line.
const MAX_LINE: usize = 512;

/// All secrets, shared between the decryptor and the sources of secrets. One thread uses them at a time.
#[derive(Clone, Default)]
pub(super) struct SharedKeyLog(Arc<Mutex<KeyLogSources>>);

#[derive(Default)]
struct KeyLogSources {
    log: KeyLog,
    file: Option<GrowingKeyLog>,
}

/// A file that is read further if a secret is missing.
struct GrowingKeyLog {
    file: File,
    /// The number of bytes that were read.
    position: u64,
    /// The number of bytes that may still be read.
    left: u64,
    /// The incomplete line at its end.
    tail: Vec<u8>,
    failure: Option<io::Error>,
}

impl SharedKeyLog {
    /// Opens a key log with the secrets of this file.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a key log.
    pub(super) fn open(path: Option<&Path>) -> Result<SharedKeyLog, Error> {
        let Some(path) = path else { return Ok(SharedKeyLog::default()) };
        let failed = |source| Error::file(path, source);
        let file = File::open(path).map_err(failed)?;
        let mut file = GrowingKeyLog { file, position: 0, left: MAX_FILE, tail: Vec::new(), failure: None };
        let mut log = KeyLog::default();
        file.read_on(&mut log).map_err(failed)?;
        if log.is_empty() && file.position > 0 {
            let problem = "not a key log: no line such as CLIENT_RANDOM with two hexadecimal numbers";
            return Err(Error::unusable("--tls-keylog", path, problem.to_owned()));
        }
        Ok(SharedKeyLog(Arc::new(Mutex::new(KeyLogSources { log, file: Some(file) }))))
    }

    /// Adds a key log that came with the capture.
    pub(super) fn add(&self, text: &[u8]) {
        if !text.is_empty() {
            self.sources().log.add(text);
        }
    }

    /// A note for the user at the end.
    pub(super) fn note(&self) -> Option<String> {
        let sources = self.sources();
        let file = sources.file.as_ref()?;
        match &file.failure {
            Some(failure) => Some(format!("cannot read the rest of the key log: {failure}")),
            None if file.left == 0 => {
                Some(format!("only the first {} MiB of the key log were read", MAX_FILE >> 20))
            }
            None => None,
        }
    }

    fn sources(&self) -> MutexGuard<'_, KeyLogSources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets for SharedKeyLog {
    fn secret(&mut self, label: Label, client_random: &[u8; 32]) -> Option<Vec<u8>> {
        let KeyLogSources { log, file } = &mut *self.sources();
        if let Some(secret) = log.secret(label, client_random) {
            return Some(secret);
        }
        let file = file.as_mut().filter(|file| file.failure.is_none())?;
        file.failure = file.read_on(log).err();
        log.secret(label, client_random)
    }

    fn is_empty(&self) -> bool {
        let sources = self.sources();
        sources.file.is_none() && sources.log.is_empty()
    }
}

impl GrowingKeyLog {
    /// Reads the bytes added since the last call.
    fn read_on(&mut self, log: &mut KeyLog) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        if metadata.is_file() && metadata.len() < self.position {
            // The file was truncated and rewritten.
            self.file.rewind()?;
            self.position = 0;
            self.tail.clear();
        }
        let mut text = std::mem::take(&mut self.tail);
        let count = Read::take(&self.file, self.left).read_to_end(&mut text)? as u64;
        self.position += count;
        self.left -= count;
        if self.position == count {
            input_file::remove_mark(&mut text);
        }
        if count > 0 {
            log.add(&text);
        }
        let start = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
        self.tail = text.split_off(start);
        self.tail.truncate(MAX_LINE);
        Ok(())
    }
}
