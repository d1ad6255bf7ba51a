//! The last progress of a worker process, as its leader sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Interval between the leader's checks for an awaited message.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Pulse {
    /// The time of the last progress; `None` while the leader itself is busy with a message of the process.
    progress: Mutex<Option<Instant>>,
    /// The number of signs of life, with or without progress.
    signs: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse { progress: Mutex::new(Some(Instant::now())), signs: AtomicU64::default() }
    }
}

impl Pulse {
    /// Notes progress.
    pub(super) fn note(&self) {
        self.set(Some(Instant::now()));
    }

    /// Notes a sign of life.
    pub(super) fn note_sign(&self) {
        self.signs.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of signs of life. While the leader is busy with a message of the process, it grows with each look.
    pub(super) fn signs(&self) -> u64 {
        if self.last_progress().is_none() {
            self.note_sign();
        }
        self.signs.load(Ordering::Relaxed)
    }

    /// Suspends the count of silence until this is dropped.
    pub(super) fn pause(&self) -> Pause<'_> {
        self.set(None);
        Pause(self)
    }

    fn set(&self, last: Option<Instant>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    fn last_progress(&self) -> Option<Instant> {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn silence(&self) -> Duration {
        self.last_progress().map_or(Duration::ZERO, |last| last.elapsed())
    }

    /// Waits for a message from the process until it is silent for too long, or the wait is interrupted. The error is
    /// that of the last attempt to receive.
    pub(super) async fn wait_for<T>(
        &self,
        receiver: &Receiver<T>,
        limit: Duration,
        is_interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<T, TryRecvError> {
        loop {
            match receiver.try_recv() {
                Err(TryRecvError::Empty) if self.silence() < limit && !is_interrupted() => {
                    tokio::time::sleep(LOOK_INTERVAL).await;
                }
                result => return result,
            }
        }
    }
}

/// A time in which the leader is busy.
pub(super) struct Pause<'a>(&'a Pulse);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.note();
    }
}
