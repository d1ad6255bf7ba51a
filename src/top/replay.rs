//! A recording in place of a broker: its messages come into the model at their recorded pauses, and the position can be moved.
//!
//! Only the next message is in memory. A step back reads the recording from its start. If reading is slower than the recorded pauses,
//! the clock waits for it.

use super::feed::{Connection, Shared};
use super::model::Limits;
use super::playback::{Control, Playback, ReplayError};
use super::replay_source::{Source, Step};
use crate::message::Message;
use crate::protocol::{Publish, Qos};
use crate::recording::{self, RecordingError};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The most messages between two looks at the keys.
const BATCH: usize = 5000;

/// The time between two updates of the position, and the longest time between two looks at the keys.
const TICK: Duration = Duration::from_millis(50);

/// The most that the clock advances at once: the process may have been stopped.
const LONGEST_STEP: Duration = Duration::from_millis(200);

/// The slowest and the fastest speed.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 1024.0);

/// A message at its time.
#[derive(Debug)]
struct Due {
    message: Box<Message>,
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
    /// The time of the first message that has one.
    first: Option<Timestamp>,
    /// The time of the latest message that has one.
    latest: Option<Timestamp>,
    next: Option<Due>,
    /// The end of the recording was read.
    is_read: bool,
    /// The time of the latest message that was read.
    reached: u64,
    /// The position to go to, without the pauses.
    target: Option<u64>,
    /// A note about a skipped line was shown.
    has_noted: bool,
    position: Playback,
}

impl Player {
    /// Opens a recording.
    ///
    /// # Errors
    /// If it is not one, or cannot be read.
    pub(crate) fn open(path: &Path, shared: Shared, limits: Limits) -> Result<Player, RecordingError> {
        let source = Source::open(path)?;
        Ok(Player {
            shared,
            limits,
            path: path.to_owned(),
            source,
            first: None,
            latest: None,
            next: None,
            is_read: false,
            reached: 0,
            target: None,
            has_noted: false,
            position: Playback::START,
        })
    }

    /// Plays until the controls are dropped.
    ///
    /// # Errors
    /// If the recording cannot be read, or does not begin with a message.
    pub(crate) fn run(mut self, controls: &Receiver<Control>) -> Result<(), ReplayError> {
        let last = recording::last_time(&self.path)?;
        let mut played = Instant::now();
        loop {
            let is_late = self.deliver()?;
            self.position.end = last.zip(self.first).map(|(last, first)| milliseconds(first, last));
            self.show();
            if is_late {
                played = Instant::now();
            }
            match controls.recv_timeout(if is_late { Duration::ZERO } else { self.wait() }) {
                Ok(control) => self.control(control)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let elapsed = played.elapsed();
            played += elapsed;
            self.advance(elapsed);
        }
    }

    /// Moves the clock.
    fn advance(&mut self, elapsed: Duration) {
        if self.position.is_paused || self.position.is_over || self.target.is_some() {
            return;
        }
        let step = elapsed.min(LONGEST_STEP).as_secs_f64() * 1000.0 * self.position.speed;
        self.position.at = self.position.at.saturating_add(step.round() as u64);
    }

    /// Puts the messages that are due into the model. If there may be more, the clock goes back to the last one, and this returns
    /// true.
    fn deliver(&mut self) -> Result<bool, ReplayError> {
        let until = self.target.unwrap_or(self.position.at);
        let begin = Instant::now();
        for _ in 0..BATCH {
            if self.next.is_none() && !self.is_read {
                self.read_next()?;
            } else if let Some(due) = self.next.take_if(|due| due.at <= until) {
                self.receive(&due);
            } else {
                self.position.at = self.target.take().unwrap_or(self.position.at);
                return Ok(false);
            }
            if begin.elapsed() >= TICK {
                break;
            }
        }
        let next = self.next.as_ref().map(|next| next.at);
        self.position.at = self.reached.max(next.unwrap_or_default()).min(until);
        Ok(true)
    }

    fn receive(&mut self, due: &Due) {
        let Due { message, time, at } = due;
        self.reached = self.reached.max(*at);
        let Some(topic) = &message.topic else { return };
        let publish = Publish {
            dup: false,
            qos: message.qos.unwrap_or(Qos::AtMostOnce),
            retain: message.retain.unwrap_or(false),
            topic: topic.as_str(),
            packet_id: None,
            properties: message.properties.as_properties(),
            payload: &message.payload,
        };
        self.shared.lock().receive(&publish, *time, *at);
    }

    fn show(&mut self) {
        self.position.is_over = self.next.is_none() && self.is_read;
        if self.position.is_over {
            self.position.at = self.position.end.unwrap_or(self.position.at).min(self.position.at);
        }
        let mut state = self.shared.lock();
        let shown = Connection::Replay(self.position);
        if state.connection != shown || state.clock.is_none() {
            state.connection = shown;
            state.clock = Some(self.position.at);
            state.revision += 1;
        }
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
                let from = self.target.unwrap_or(self.position.at);
                let target = from.saturating_add_signed(by).min(end);
                if target < self.position.at {
                    self.begin_anew()?;
                }
                self.target = Some(target);
            }
        }
        Ok(())
    }

    /// Empties the model, and reads the recording from its start.
    fn begin_anew(&mut self) -> Result<(), ReplayError> {
        self.source = Source::open(&self.path)?;
        (self.first, self.latest, self.next, self.is_read) = (None, None, None, false);
        (self.reached, self.position.at, self.position.skipped) = (0, 0, 0);
        self.position.is_over = false;
        self.shared.lock().clear(self.limits);
        Ok(())
    }

    /// Reads a message, or a part of the bytes before it.
    fn read_next(&mut self) -> Result<(), ReplayError> {
        match self.source.step(&self.path)? {
            Step::Message(message) => {
                // A message without a time follows the one before at once.
                self.latest = message.time.or(self.latest);
                self.first = self.first.or(self.latest);
                let at = self.first.zip(self.latest).map_or(0, |(first, time)| milliseconds(first, time));
                self.next = Some(Due { at, message, time: self.latest.unwrap_or_default() });
                self.shared.lock().has_begun = true;
            }
            Step::Invalid { line, problem } if !self.shared.lock().has_begun => {
                return Err(ReplayError::Line { path: self.path.clone(), line, problem });
            }
            Step::Invalid { line, problem } => self.skip(line, &problem),
            Step::CutOff { line } => self.skip(line, "the message is cut off"),
            Step::Nothing => {}
            Step::End => self.is_read = true,
        }
        Ok(())
    }

    /// Counts a line without a message, and names the first one.
    fn skip(&mut self, line: u64, problem: &str) {
        self.position.skipped += 1;
        if !std::mem::replace(&mut self.has_noted, true) {
            self.shared.lock().note(format!("line {line} of the recording is skipped: {problem}"));
        }
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A player of a recording with a message for each of the first milliseconds.
    fn player(messages: u64) -> (TempDir, Player) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("day.ndjson");
        let line = |at: u64| {
            let time = Timestamp::from_millisecond(i64::try_from(at).unwrap()).unwrap();
            format!("{{\"time\":\"{time}\",\"topic\":\"a\",\"payload\":\"{at}\"}}\n")
        };
        std::fs::write(&path, (0..messages).map(line).collect::<String>()).unwrap();
        let limits = Limits { topics: 10, bytes: 1 << 20 };
        let shared = Shared::new(limits, Connection::Replay(Playback::START));
        let player = Player::open(&path, shared, limits).unwrap();
        (directory, player)
    }

    #[test]
    fn the_clock_waits_for_reading() {
        let (_directory, mut player) = player(20_000);
        player.position.at = 19_000;
        assert!(player.deliver().unwrap(), "there are more messages than in a batch");
        let at = player.position.at;
        assert!((1..=5000).contains(&at), "the position of reading: {at}");
        player.advance(Duration::from_secs(3600));
        assert_eq!(player.position.at, at + 200, "a program that was stopped does not jump");
        player.position.speed = 4.0;
        player.advance(Duration::from_millis(10));
        assert_eq!(player.position.at, at + 240, "it goes on at the speed asked for");
    }

    #[test]
    fn a_step_goes_to_its_position_however_long_reading_takes() {
        let (_directory, mut player) = player(12_000);
        player.control(Control::Seek(10_000)).unwrap();
        while player.deliver().unwrap() {
            player.advance(Duration::from_secs(1));
            assert!(player.position.at <= 10_000);
        }
        assert_eq!((player.position.at, player.reached), (10_000, 10_000));
        player.control(Control::Seek(-4000)).unwrap();
        player.control(Control::Seek(1)).unwrap();
        while player.deliver().unwrap() {}
        assert_eq!((player.position.at, player.reached), (6001, 6001));
        let messages = player.shared.lock().model.state(super::super::model::NodeId::ROOT).messages;
        assert_eq!(messages, 6002);
    }
}
