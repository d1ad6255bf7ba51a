//! The position of a replay, and the commands that change it.

use crate::recording::RecordingError;
use std::path::PathBuf;

/// A request of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    TogglePause,
    Faster,
    Slower,
    /// Moves by this many milliseconds.
    Seek(i64),
}

/// The state of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Playback {
    /// The time since the first message, in milliseconds.
    pub(crate) at: u64,
    /// The time of the last message, if it is known.
    pub(crate) end: Option<u64>,
    pub(crate) speed: f64,
    pub(crate) is_paused: bool,
    /// All messages were read.
    pub(crate) is_over: bool,
    /// The lines so far that are not messages.
    pub(crate) skipped: u64,
}

impl Playback {
    /// The state before the first message.
    pub(crate) const START: Playback =
        Playback { at: 0, end: None, speed: 1.0, is_paused: false, is_over: false, skipped: 0 };
}

/// A recording that cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error("{}, line {line}: {problem}", path.display())]
    Line { path: PathBuf, line: u64, problem: String },
}
