//! `mq pub --replay`: publishes messages from recordings, each at its time.

mod progress;

use super::Messages;
use super::lines::{Lines, Next};
use super::ndjson::{Maker, NextMessage};
use super::outbound::Outbound;
use crate::bench::rate::Rate;
use crate::cli::replay::{ReplayArgs, Rewrite, Speed};
use crate::commands::error::Error;
use crate::message::{self, Message};
use crate::protocol::TopicName;
use crate::recording::{self, RecordingError};
use jiff::Timestamp;
use progress::Progress;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The messages of recordings, one after the other.
pub(super) struct Replay {
    files: VecDeque<PathBuf>,
    current: Option<Source>,
    pace: Pace,
    maker: Maker,
    rewrites: Vec<Rewrite>,
    next: Option<Due>,
    progress: Progress,
    messages: Messages,
}

/// A message that is not due yet.
struct Due {
    message: Outbound,
    at: Instant,
    /// Its size in the recording.
    size: u64,
}

/// A recording that is being read.
enum Source {
    Lines {
        path: PathBuf,
        lines: Lines,
        line: u64,
    },
    #[cfg(feature = "sqlite")]
    Database(Box<recording::sqlite::Messages>, PathBuf),
}

/// The result of reading a recording.
enum Read {
    /// A message, its place in the recording, and its size there.
    Message(Message, String, u64),
    Waiting,
    /// The end, with a defect if there is one.
    End(Option<String>),
}

/// The schedule of messages.
struct Pace {
    kind: PaceKind,
    /// The time at which the first one was sent.
    start: Option<Instant>,
    /// The first message that has a recorded time: when it was due, and that time.
    first_dated: Option<(Instant, Timestamp)>,
    /// The time at which the latest one was due.
    latest: Option<Instant>,
    /// The time of the last message, if the progress line needs the duration.
    end: Option<Timestamp>,
    count: u64,
}

enum PaceKind {
    Recorded { speed: f64 },
    Rate(Rate),
    Max,
}

impl Replay {
    /// Opens all recordings once, so that a file that is not a recording is reported before the first message is sent.
    ///
    /// # Errors
    /// If one of them cannot be read, or is not a recording.
    pub(super) fn new(args: &ReplayArgs, maker: Maker, messages: Messages) -> Result<Replay, Error> {
        let mut total = 0;
        for path in &args.replay {
            total += size(path)?;
        }
        let kind = match (args.rate, args.speed) {
            (Some(rate), _) => PaceKind::Rate(rate),
            (None, Some(Speed::Max)) => PaceKind::Max,
            (None, Some(Speed::Times(speed))) => PaceKind::Recorded { speed },
            (None, None) => PaceKind::Recorded { speed: 1.0 },
        };
        let progress = Progress::new(total, messages);
        let end = if progress.is_shown() { end(&args.replay)? } else { None };
        Ok(Replay {
            files: args.replay.iter().cloned().collect(),
            current: None,
            pace: Pace { kind, start: None, first_dated: None, latest: None, end, count: 0 },
            maker,
            rewrites: args.rewrite.clone(),
            next: None,
            progress,
            messages,
        })
    }

    /// The next message, if it is due.
    ///
    /// # Errors
    /// If a recording cannot be read further.
    pub(super) fn next(&mut self) -> Result<NextMessage, Error> {
        if self.next.is_none()
            && let Some(instead) = self.read()?
        {
            return Ok(instead);
        }
        let now = Instant::now();
        match self.next.take_if(|next| next.at <= now) {
            Some(Due { message, at, size }) => {
                self.progress.sent(size, self.pace.since_start(at));
                Ok(NextMessage::Message(message))
            }
            None => {
                self.progress.wait(self.pace.since_start(now));
                Ok(NextMessage::Waiting)
            }
        }
    }

    /// Waits until there may be another message.
    ///
    /// # Errors
    /// If a recording cannot be read further.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        match (&self.next, &mut self.current) {
            (Some(next), _) => {
                sleep_until(self.progress.next_look(next.at)).await;
                Ok(())
            }
            (None, Some(Source::Lines { lines, .. })) => lines.wait().await,
            #[cfg(feature = "sqlite")]
            (None, Some(Source::Database(..))) => Ok(()),
            (None, None) => Ok(()),
        }
    }

    /// Reads a message and keeps it until it is due. Returns a value only if there is no message, with the reason.
    fn read(&mut self) -> Result<Option<NextMessage>, Error> {
        loop {
            let source = match (&mut self.current, self.files.pop_front()) {
                (Some(source), unread) => {
                    unread.into_iter().for_each(|path| self.files.push_front(path));
                    source
                }
                (current @ None, Some(path)) => current.insert(Source::open(&path)?),
                (None, None) => {
                    self.progress.finish();
                    return Ok(Some(NextMessage::End));
                }
            };
            match source.next()? {
                Read::Message(message, place, size) => {
                    return self.keep(message, &place, size).map(|()| None);
                }
                Read::Waiting => return Ok(Some(NextMessage::Waiting)),
                Read::End(problem) => {
                    problem.inspect(|problem| self.messages.say(problem));
                    self.current = None;
                }
            }
        }
    }

    fn keep(&mut self, mut message: Message, place: &str, size: u64) -> Result<(), Error> {
        if self.pace.start.is_none() {
            self.progress.begin(self.pace.duration_from(message.time));
        }
        let at = self.pace.due(message.time, Instant::now());
        if let Some(topic) = &message.topic
            && let Some(other) = self.rewrites.iter().find_map(|rewrite| rewrite.apply(topic.as_str()))
        {
            let invalid_topic = |error| Error::InputLine {
                place: place.to_owned(),
                problem: format!("--rewrite changes its topic to '{other}': {error}"),
            };
            message.topic = Some(TopicName::parse(&other).map_err(invalid_topic)?);
        }
        self.next = Some(Due { message: self.maker.outbound(message, place)?, at, size });
        Ok(())
    }
}

impl Pace {
    /// The time at which the next message is due, from its recorded time. One without a time follows the message before at once.
    fn due(&mut self, recorded: Option<Timestamp>, now: Instant) -> Instant {
        let start = *self.start.get_or_insert(now);
        let count = self.count;
        self.count += 1;
        let (from, after) = match self.kind {
            PaceKind::Max => return now,
            PaceKind::Rate(rate) => (start, count as f64 / rate.as_per_second()),
            // A message dated before the first one, after the clock was set back, is due immediately.
            PaceKind::Recorded { speed } => {
                let latest = self.latest.unwrap_or(start);
                let Some(time) = recorded else { return latest };
                let (begun, first) = *self.first_dated.get_or_insert((latest, time));
                (begun, time.duration_since(first).as_secs_f64().max(0.0) / speed)
            }
        };
        let due = from + Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX / 4);
        self.latest = Some(due);
        due
    }

    /// The duration of the replay from a first message at this time; `None` if the end of the recording is unknown.
    fn duration_from(&self, first: Option<Timestamp>) -> Option<Duration> {
        let PaceKind::Recorded { speed } = self.kind else { return None };
        let seconds = self.end?.duration_since(first?).as_secs_f64().max(0.0) / speed;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The time from the first message to a moment.
    fn since_start(&self, moment: Instant) -> Duration {
        self.start.map(|start| moment.saturating_duration_since(start)).unwrap_or_default()
    }
}

impl Source {
    fn open(path: &Path) -> Result<Source, Error> {
        let failed = |source| Error::Recording(RecordingError::Read { path: path.to_owned(), source });
        #[cfg(feature = "sqlite")]
        if recording::is_database_file(path).map_err(failed)? {
            let messages = recording::sqlite::Messages::open(path)?;
            return Ok(Source::Database(Box::new(messages), path.to_owned()));
        }
        let lines = File::open(path).and_then(Lines::of_file).map_err(failed)?;
        Ok(Source::Lines { path: path.to_owned(), lines, line: 0 })
    }

    fn next(&mut self) -> Result<Read, Error> {
        match self {
            Source::Lines { path, lines, line } => next_line(path, lines, line),
            #[cfg(feature = "sqlite")]
            Source::Database(messages, path) => Ok(match messages.next_message()? {
                Some(message) => Read::Message(message, path.display().to_string(), 1),
                None => Read::End(None),
            }),
        }
    }
}

/// The size of a recording: bytes, or messages of a database. Fails if it is not a recording.
fn size(path: &Path) -> Result<u64, Error> {
    let failed = |source| Error::Recording(RecordingError::Read { path: path.to_owned(), source });
    if !recording::is_database_file(path).map_err(failed)? {
        recording::check_lines(path)?;
        return Ok(path.metadata().map_err(failed)?.len());
    }
    #[cfg(feature = "sqlite")]
    return Ok(recording::sqlite::Messages::open(path)?.count());
    #[cfg(not(feature = "sqlite"))]
    Err(RecordingError::NoDatabases { path: path.to_owned() }.into())
}

/// The time of the last message of all recordings, if they record it.
fn end(paths: &[PathBuf]) -> Result<Option<Timestamp>, Error> {
    let ends = paths.iter().map(|path| recording::last_time(path));
    Ok(ends.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().max())
}

/// The next message of a recording of lines; empty lines are skipped.
fn next_line(path: &Path, lines: &mut Lines, number: &mut u64) -> Result<Read, Error> {
    let failed = |source| Error::Recording(RecordingError::Read { path: path.to_owned(), source });
    loop {
        let text = match lines.next().map_err(failed)? {
            Next::Line(text) => text,
            Next::Waiting => return Ok(Read::Waiting),
            Next::End => return Ok(Read::End(None)),
        };
        *number += 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let size = text.len() as u64 + 1;
        let read = message::read_recorded(text).map_err(|error| (error, message::is_whole(text)));
        let place = || format!("{}, line {number}", path.display());
        return match read {
            Ok(message) => Ok(Read::Message(message, place(), size)),
            Err((_, false)) if lines.is_last_without_end() => Ok(Read::End(Some(format!(
                "{}: the recording is cut off there; the rest was replayed",
                place()
            )))),
            Err((error, _)) => Err(Error::InputLine {
                place: format!("{}, column {}", place(), error.column),
                problem: error.problem,
            }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of three messages with recorded pauses of half a minute, each read one second after the one before.
    fn due_after(kind: PaceKind) -> [Duration; 3] {
        let begin = Instant::now();
        let mut pace = Pace { kind, start: None, first_dated: None, latest: None, end: None, count: 0 };
        [0, 1, 2].map(|number| {
            let recorded = Timestamp::from_second(1_700_000_000 + number * 30).unwrap();
            let now = begin + Duration::from_secs(number.unsigned_abs());
            pace.due(Some(recorded), now) - begin
        })
    }

    #[test]
    fn messages_are_due_after_the_recorded_pauses_or_at_the_rate() {
        let seconds = |times: [f64; 3]| times.map(Duration::from_secs_f64);
        assert_eq!(due_after(PaceKind::Recorded { speed: 1.0 }), seconds([0.0, 30.0, 60.0]));
        assert_eq!(due_after(PaceKind::Recorded { speed: 120.0 }), seconds([0.0, 0.25, 0.5]));
        assert_eq!(due_after(PaceKind::Rate(Rate::per_second(5.0).unwrap())), seconds([0.0, 0.2, 0.4]));
        assert_eq!(due_after(PaceKind::Max), seconds([0.0, 1.0, 2.0]), "each as soon as it is read");
    }

    #[test]
    fn messages_without_time_follow_the_one_before_at_once() {
        let begin = Instant::now();
        let kind = PaceKind::Recorded { speed: 1.0 };
        let mut pace = Pace { kind, start: None, first_dated: None, latest: None, end: None, count: 0 };
        let seconds = [None, Some(0), None, Some(30), None].map(|seconds| {
            let recorded = seconds.map(|seconds| Timestamp::from_second(1_700_000_000 + seconds).unwrap());
            (pace.due(recorded, begin) - begin).as_secs()
        });
        assert_eq!(seconds, [0, 0, 0, 30, 30]);
    }
}
