//! What ends a command from outside: SIGINT, SIGTERM, or a time limit. A second signal ends it at once.

use super::Messages;
use crate::error::{Error, ExitStatus};
use std::future::{Future, pending};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why a command was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Signal(ExitStatus),
    TimeIsUp(Duration),
}

/// The signals, caught from the moment this was made.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts catching. To be called inside the runtime.
    pub(super) fn catch() -> Result<Signals, Error> {
        let failed = |source| Error::System { action: "catch signals".to_owned(), source };
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    /// The exit status of the next signal.
    pub(super) async fn next(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::INTERRUPTED,
            _ = self.terminate.recv() => ExitStatus::TERMINATED,
        }
    }
}

/// Waits for a signal or until the time is up. After a signal, a second one ends the process without a farewell.
///
/// Signals that the command leaves to the operating system end it at once.
pub(super) fn stop(
    messages: Messages,
    timeout: Option<Duration>,
) -> Result<impl Future<Output = Stop>, Error> {
    let signals = if messages.leaves_signals { None } else { Some(Signals::catch()?) };
    Ok(async move {
        let time_is_up = async {
            match timeout {
                Some(timeout) => {
                    tokio::time::sleep(timeout).await;
                    timeout
                }
                None => pending().await,
            }
        };
        tokio::select! {
            status = next_or_second(signals) => Stop::Signal(status),
            timeout = time_is_up => Stop::TimeIsUp(timeout),
        }
    })
}

/// The first signal; a second one ends the process.
async fn next_or_second(signals: Option<Signals>) -> ExitStatus {
    let Some(mut signals) = signals else { return pending().await };
    let status = signals.next().await;
    tokio::spawn(async move { std::process::exit(signals.next().await.0.into()) });
    status
}
