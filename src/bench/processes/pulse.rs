//! The last progress of a worker process, as its leader sees it.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Interval between the leader's checks for an awaited message.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The time of the last progress; `None` while the leader itself is busy with a message of the process.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<Option<Instant>>);

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse(Mutex::new(Some(Instant::now())))
    }
}

impl Pulse {
    /// Notes progress.
    pub(super) fn note(&self) {
        self.set(Some(Instant::now()));
    }

    /// Suspends the count of silence until this is dropped.
    pub(super) fn pause(&self) -> Pause<'_> {
        self.set(None);
        Pause(self)
    }

    fn set(&self, last: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    fn silence(&self) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.map_or(Duration::ZERO, |last| last.elapsed())
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
