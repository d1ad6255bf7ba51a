//! The file of `--write`. A write error is reported immediately, and the rest of the command continues.

use super::super::Messages;
use crate::commands::error::Error;
use crate::inspect::capture::conversation::ConversationEvent;
use crate::inspect::write::CaptureWriter;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The buffer is written once it has reached this size.
const BUFFER: usize = 64 * 1024;

/// Records the MQTT conversations in a file.
pub(super) struct Recorder {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    writer: CaptureWriter,
    frames: Vec<u8>,
    messages: Messages,
}

impl Recorder {
    /// Creates or truncates the file.
    ///
    /// # Errors
    /// If it cannot be created, or is the file that is read.
    pub(super) fn create(path: &Path, source: Option<&Path>, messages: Messages) -> Result<Recorder, Error> {
        if path.as_os_str() == "-" {
            return Err(Error::usage("--write needs a file; standard output has the packets"));
        }
        if source.is_some_and(|source| is_same_file(source, path)) {
            return Err(Error::usage(format!("--write {}: this is the capture itself", path.display())));
        }
        let failed = |source| Error::system(format!("write {}", path.display()), source);
        let file = BufWriter::with_capacity(BUFFER, File::create(path).map_err(failed)?);
        let mut frames = Vec::new();
        let writer = CaptureWriter::default();
        writer.begin(&mut frames);
        let mut recorder = Recorder { path: path.to_owned(), file: Some(file), writer, frames, messages };
        recorder.write();
        Ok(recorder)
    }

    /// Writes the frames of an event.
    pub(super) fn take(&mut self, event: &ConversationEvent<'_>) {
        if self.file.is_some() {
            self.writer.take(event, &mut self.frames);
            self.write();
        }
    }

    /// Flushes the buffer to the file.
    pub(super) fn flush(&mut self) {
        let flushed = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        self.check(flushed);
    }

    /// Writes the rest; returns whether everything is in the file.
    pub(super) fn finish(mut self) -> bool {
        self.flush();
        self.file.is_some()
    }

    fn write(&mut self) {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(&self.frames));
        self.frames.clear();
        self.check(written);
    }

    fn check(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            let path = self.path.display();
            self.messages.say(&format!("cannot write {path}: {error}; nothing more is written to it"));
            // A normal drop would try to write the buffer again.
            self.file.take().map(BufWriter::into_parts);
        }
    }
}

/// Whether both paths name one existing file.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|data| (data.dev(), data.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}
