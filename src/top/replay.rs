//! A recording in place of a broker: its messages come into the model at their recorded pauses, and the position can be moved.
//!
//! Only the next message is in memory. A step back reads the recording from its start.

use super::feed::{Connection, Shared};
use super::model::Limits;
use super::playback::{Control, Playback, ReplayError};
use crate::message::{self, Message};
use crate::protocol::{Publish, Qos};
use crate::recording::{self, RecordingError};
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The longest line that is read: a message of the longest payload with all bytes escaped.
const MAX_LINE: u64 = 2 << 30;

/// The bytes that are read of a line that is no JSON object.
const MAX_OTHER_LINE: u64 = 4096;

/// The most messages between two looks at the keys.
const BATCH: usize = 5000;

/// The time between two updates of the position.
const TICK: Duration = Duration::from_millis(50);

/// The slowest and the fastest speed.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 1024.0);

/// A message at its time.
#[derive(Debug)]
struct Due {
    message: Message,
    time: Timestamp,
    at: u64,
}

/// Reads a recording and fills the model.
#[derive(Debug)]
pub(crate) struct Player {
    shared: Shared,
    limits: Limits,
    path: PathBuf,
    source: Source,
    first: Option<Timestamp>,
    next: Option<Due>,
    position: Playback,
}

impl Player {
    /// Opens a recording.
    ///
    /// # Errors
    /// If it is not one, or cannot be read.
    pub(crate) fn open(path: &Path, shared: Shared, limits: Limits) -> Result<Player, RecordingError> {
        let source = Source::open(path)?;
        let (path, position) = (path.to_owned(), Playback::START);
        Ok(Player { shared, limits, path, source, first: None, next: None, position })
    }

    /// Plays until the controls are dropped.
    ///
    /// # Errors
    /// If the recording cannot be read, or has an invalid line.
    pub(crate) fn run(mut self, controls: &Receiver<Control>) -> Result<(), ReplayError> {
        self.read_next()?;
        let last = recording::last_time(&self.path)?;
        self.position.end = last.zip(self.first).map(|(last, first)| milliseconds(first, last));
        let mut played = Instant::now();
        loop {
            let has_more = self.deliver()?;
            self.show();
            let wait = if has_more { Duration::ZERO } else { self.wait() };
            match controls.recv_timeout(wait) {
                Ok(control) => self.control(control)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let elapsed = played.elapsed();
            played += elapsed;
            if !self.position.is_paused && !self.position.is_over {
                self.position.at += (elapsed.as_secs_f64() * 1000.0 * self.position.speed).round() as u64;
            }
        }
    }

    /// Puts the messages that are due into the model. Returns whether there are more.
    fn deliver(&mut self) -> Result<bool, ReplayError> {
        for _ in 0..BATCH {
            let Some(due) = self.next.take_if(|due| due.at <= self.position.at) else { return Ok(false) };
            let Due { message, time, at } = due;
            if let Some(topic) = &message.topic {
                let publish = Publish {
                    dup: false,
                    qos: message.qos.unwrap_or(Qos::AtMostOnce),
                    retain: message.retain.unwrap_or(false),
                    topic: topic.as_str(),
                    packet_id: None,
                    properties: message.properties.as_properties(),
                    payload: &message.payload,
                };
                self.shared.lock().receive(&publish, time, at);
            }
            self.read_next()?;
        }
        Ok(true)
    }

    fn show(&mut self) {
        self.position.is_over = self.next.is_none();
        if self.position.is_over {
            self.position.at = self.position.end.unwrap_or(self.position.at).min(self.position.at);
        }
        let mut state = self.shared.lock();
        state.connection = Connection::Replay(self.position);
        state.clock = Some(self.position.at);
        state.revision += 1;
    }

    /// The time until the next message, at most until the next update.
    fn wait(&self) -> Duration {
        let Playback { at, speed, is_paused, .. } = self.position;
        match &self.next {
            Some(next) if !is_paused => {
                let left = next.at.saturating_sub(at) as f64 / 1000.0 / speed;
                Duration::try_from_secs_f64(left).unwrap_or(TICK).min(TICK)
            }
            Some(_) | None => TICK,
        }
    }

    fn control(&mut self, control: Control) -> Result<(), ReplayError> {
        let (slowest, fastest) = SPEEDS;
        match control {
            Control::TogglePause => self.position.is_paused = !self.position.is_paused,
            Control::Faster => self.position.speed = (self.position.speed * 2.0).min(fastest),
            Control::Slower => self.position.speed = (self.position.speed / 2.0).max(slowest),
            Control::Seek(by) => {
                let end = self.position.end.unwrap_or(u64::MAX);
                let target = self.position.at.saturating_add_signed(by).min(end);
                if target < self.position.at {
                    self.begin_anew()?;
                }
                self.position.at = target;
            }
        }
        Ok(())
    }

    /// Empties the model, and reads the recording from its start.
    fn begin_anew(&mut self) -> Result<(), ReplayError> {
        self.source = Source::open(&self.path)?;
        (self.first, self.next) = (None, None);
        self.shared.lock().clear(self.limits);
        self.read_next()
    }

    fn read_next(&mut self) -> Result<(), ReplayError> {
        let Some(message) = self.source.next(&self.path)? else { return Ok(()) };
        let time = message.time.or(self.first).unwrap_or_default();
        let first = *self.first.get_or_insert(time);
        self.next = Some(Due { at: milliseconds(first, time), message, time });
        Ok(())
    }
}

/// A recording that is being read.
#[derive(Debug)]
enum Source {
    Lines {
        reader: BufReader<File>,
        line: u64,
    },
    #[cfg(feature = "sqlite")]
    Database(Box<recording::sqlite::Messages>),
}

impl Source {
    fn open(path: &Path) -> Result<Source, RecordingError> {
        let failed = |source| RecordingError::File { path: path.to_owned(), source };
        if recording::is_database_file(path).map_err(failed)? {
            #[cfg(feature = "sqlite")]
            return Ok(Source::Database(Box::new(recording::sqlite::Messages::open(path)?)));
            #[cfg(not(feature = "sqlite"))]
            return Err(RecordingError::NoDatabases { path: path.to_owned() });
        }
        recording::check_lines(path)?;
        Ok(Source::Lines { reader: BufReader::new(File::open(path).map_err(failed)?), line: 0 })
    }

    /// The next message; `None` at the end.
    fn next(&mut self, path: &Path) -> Result<Option<Message>, ReplayError> {
        match self {
            Source::Lines { reader, line } => next_line(path, reader, line),
            #[cfg(feature = "sqlite")]
            Source::Database(messages) => Ok(messages.next_message()?),
        }
    }
}

/// The message on the next line that is not empty.
fn next_line(
    path: &Path,
    reader: &mut BufReader<File>,
    number: &mut u64,
) -> Result<Option<Message>, ReplayError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let failed = |source: io::Error| RecordingError::File { path: path.to_owned(), source };
        let may_be_message = matches!(reader.fill_buf().map_err(failed)?.first(), Some(b'{' | b' ' | b'\t'));
        let limit = if may_be_message { MAX_LINE } else { MAX_OTHER_LINE };
        let length = Read::by_ref(reader).take(limit).read_until(b'\n', &mut line);
        if length.map_err(failed)? == 0 {
            return Ok(None);
        }
        *number += 1;
        if !line.trim_ascii().is_empty() {
            break;
        }
    }
    match message::read(&line) {
        Ok(message) => Ok(Some(message)),
        // The recorder was killed while it wrote the last line.
        Err(_) if line.starts_with(b"{") && !line.ends_with(b"\n") && (line.len() as u64) < MAX_LINE => {
            Ok(None)
        }
        Err(error) => {
            Err(ReplayError::Line { path: path.to_owned(), line: *number, problem: error.to_string() })
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}
