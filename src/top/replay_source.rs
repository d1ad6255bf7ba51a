//! The messages of a recording, read one after the other.

use super::playback::ReplayError;
use crate::message::{self, Message};
use crate::recording::{self, RecordingError};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

/// The longest line that is read: a message of the longest payload with all bytes escaped.
const MAX_LINE: u64 = 2 << 30;

/// The bytes that are read of a line that is not a JSON object.
const MAX_OTHER_LINE: u64 = 4096;

/// A recording that is being read.
#[derive(Debug)]
pub(super) enum Source {
    Lines(Lines),
    #[cfg(feature = "sqlite")]
    Database(Box<recording::sqlite::Messages>),
}

/// A recording of lines.
#[derive(Debug)]
pub(super) struct Lines {
    reader: BufReader<File>,
    line: u64,
    /// The end of the last line is not read yet.
    is_within: bool,
}

/// A step of reading.
#[derive(Debug)]
pub(super) enum Step {
    Message(Box<Message>),
    /// A line without a message.
    Invalid {
        line: u64,
        problem: String,
    },
    /// The last line has no end: its recorder was killed, or is writing it.
    CutOff {
        line: u64,
    },
    /// An empty line, or a part of a long one without a message.
    Nothing,
    End,
}

impl Source {
    /// Opens a recording.
    ///
    /// # Errors
    /// If it is not one, or cannot be read.
    pub(super) fn open(path: &Path) -> Result<Source, RecordingError> {
        let failed = |source| RecordingError::Read { path: path.to_owned(), source };
        if recording::is_database_file(path).map_err(failed)? {
            #[cfg(feature = "sqlite")]
            return Ok(Source::Database(Box::new(recording::sqlite::Messages::open(path)?)));
            #[cfg(not(feature = "sqlite"))]
            return Err(RecordingError::NoDatabases { path: path.to_owned() });
        }
        recording::check_lines(path)?;
        let reader = BufReader::new(File::open(path).map_err(failed)?);
        Ok(Source::Lines(Lines { reader, line: 0, is_within: false }))
    }

    /// Reads the next message, or a part of the bytes before it.
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub(super) fn step(&mut self, path: &Path) -> Result<Step, ReplayError> {
        match self {
            Source::Lines(lines) => {
                let failed = |source| RecordingError::Read { path: path.to_owned(), source };
                Ok(lines.step().map_err(failed)?)
            }
            #[cfg(feature = "sqlite")]
            Source::Database(messages) => {
                Ok(messages.next_message()?.map_or(Step::End, |message| Step::Message(Box::new(message))))
            }
        }
    }
}

impl Lines {
    fn step(&mut self) -> io::Result<Step> {
        let buffered = self.reader.fill_buf()?;
        let Some(first) = buffered.first() else { return Ok(Step::End) };
        if self.is_within {
            let end = memchr::memchr(b'\n', buffered);
            let length = end.map_or(buffered.len(), |end| end + 1);
            self.reader.consume(length);
            self.is_within = end.is_none();
            return Ok(Step::Nothing);
        }
        let limit = if matches!(first, b'{' | b' ' | b'\t') { MAX_LINE } else { MAX_OTHER_LINE };
        let mut line = Vec::new();
        let length = self.reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        self.line += 1;
        let has_end = line.ends_with(b"\n");
        self.is_within = !has_end && length as u64 == limit;
        let number = self.line;
        Ok(match message::read_recorded(&line) {
            _ if line.trim_ascii().is_empty() => Step::Nothing,
            Ok(message) if message.topic.is_some() => Step::Message(Box::new(message)),
            Ok(_) => Step::Invalid { line: number, problem: "it has no topic".to_owned() },
            Err(_) if !has_end && !self.is_within && line.starts_with(b"{") && !message::is_whole(&line) => {
                Step::CutOff { line: number }
            }
            Err(error) => Step::Invalid { line: number, problem: error.to_string() },
        })
    }
}
