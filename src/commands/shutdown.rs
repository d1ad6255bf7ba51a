//! Stops a command from outside: SIGINT, SIGTERM, or a time limit. A second signal ends it immediately.
//!
//! One wish to stop often arrives as several signals: `timeout` and shells signal the process and its group, and the end of a
//! session sends SIGTERM and SIGHUP. So a second signal counts only if it comes a while after the first.

use super::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::signals;
use rustix::process::Signal as Number;
use std::cell::Cell;
use std::future::{Future, pending};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::signal::unix::Signal;

/// The time after a signal in which others belong to it.
const SAME_STOP: Duration = Duration::from_millis(500);

/// Why a command was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Signal(ExitStatus),
    TimeIsUp(Duration),
    /// Nothing happened for this time.
    Idle(Duration),
}

/// The caught signals.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts catching signals. Call it inside the runtime.
    pub(super) fn catch() -> Result<Signals, Error> {
        let failed = |source| Error::system("catch signals", source);
        Ok(Signals {
            interrupt: signals::catch(Number::INT).map_err(failed)?,
            terminate: signals::catch(Number::TERM).map_err(failed)?,
        })
    }

    pub(super) async fn next(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::INTERRUPTED,
            _ = self.terminate.recv() => ExitStatus::TERMINATED,
        }
    }

    /// Waits for a signal that does not belong to one that has just arrived.
    pub(super) async fn second(&mut self) -> ExitStatus {
        let first = Instant::now();
        loop {
            let status = self.next().await;
            if first.elapsed() >= SAME_STOP {
                return status;
            }
        }
    }
}

/// The time limits of a command.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    /// The time limit for the whole command, connecting included.
    pub(super) timeout: Option<Duration>,
    /// The maximum idle time.
    pub(super) idle: Option<Idle>,
}

/// Detects a lack of activity.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    limit: Duration,
    last: Rc<Cell<Instant>>,
    /// Messages wait to be handled, so none is read.
    is_held: Rc<Cell<bool>>,
}

impl Idle {
    /// Starts counting now.
    pub(super) fn new(limit: Duration) -> Idle {
        Idle { limit, last: Rc::new(Cell::new(Instant::now())), is_held: Rc::default() }
    }

    /// Notes activity.
    pub(super) fn note(&self) {
        self.last.set(Instant::now());
    }

    /// Stops counting, or starts again.
    pub(super) fn hold(&self, is_held: bool) {
        if self.is_held.replace(is_held) && !is_held {
            self.note();
        }
    }

    async fn is_up(&self) {
        loop {
            if self.is_held.get() {
                self.note();
            }
            let due = self.last.get() + self.limit;
            if Instant::now() >= due {
                return;
            }
            tokio::time::sleep_until(due.into()).await;
        }
    }
}

/// Waits for a signal or until a limit is reached. After a signal, a second one ends the process without DISCONNECT.
///
/// Signals that the command leaves to the operating system end it immediately.
pub(super) fn stop(messages: Messages, limits: Limits) -> Result<impl Future<Output = Stop>, Error> {
    let signals = if messages.leaves_signals { None } else { Some(Signals::catch()?) };
    Ok(async move {
        let time_is_up = async {
            match limits.timeout {
                Some(timeout) => {
                    tokio::time::sleep(timeout).await;
                    Stop::TimeIsUp(timeout)
                }
                None => pending().await,
            }
        };
        let idle = async {
            match &limits.idle {
                Some(idle) => {
                    idle.is_up().await;
                    Stop::Idle(idle.limit)
                }
                None => pending().await,
            }
        };
        tokio::select! {
            status = next_or_second(signals) => Stop::Signal(status),
            reason = time_is_up => reason,
            reason = idle => reason,
        }
    })
}

/// The first signal; a second one ends the process.
async fn next_or_second(signals: Option<Signals>) -> ExitStatus {
    let Some(mut signals) = signals else { return pending().await };
    let status = signals.next().await;
    tokio::spawn(async move { std::process::exit(signals.second().await.0.into()) });
    status
}
