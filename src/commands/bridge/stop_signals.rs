//! The signals that stop a bridge: SIGINT, SIGTERM, and SIGHUP from a terminal that was closed. The first one starts the drain.
//! A second one ends the drain, unless it is SIGHUP, which is never impatience.

use crate::commands::Messages;
use crate::commands::error::Error;
use crate::commands::shutdown::Signals;
use std::future::pending;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

/// The timeout for the last message: a terminal that was stopped with Ctrl-S takes none.
const LAST_MESSAGE: Duration = Duration::from_secs(1);

/// The caught signals.
#[derive(Debug)]
pub(super) struct StopSignals {
    signals: Signals,
    /// `None` if the program was started with SIGHUP ignored, as by nohup.
    hang_up: Option<Signal>,
}

impl StopSignals {
    /// Starts catching signals. Call it inside the runtime.
    pub(super) fn catch() -> Result<StopSignals, Error> {
        let hang_up = (!is_hang_up_ignored()).then(|| signal(SignalKind::hangup())).transpose();
        let hang_up = hang_up.map_err(|source| Error::system("catch SIGHUP", source))?;
        Ok(StopSignals { signals: Signals::catch()?, hang_up })
    }

    /// Waits for the first signal.
    pub(super) async fn first(&mut self) {
        let StopSignals { signals, hang_up } = self;
        let hung_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = signals.next() => {}
            _ = hung_up => {}
        }
    }

    /// Ends the process at the next signal that does not belong to the first one.
    pub(super) async fn end_at_second(mut self, messages: Messages) {
        let status = self.signals.second().await;
        let say = move || {
            messages.say(
                "second signal: ended without waiting for acknowledgements; the brokers deliver again what was in flight",
            );
        };
        let _ = timeout(LAST_MESSAGE, tokio::task::spawn_blocking(say)).await;
        std::process::exit(status.0.into())
    }
}

/// Whether SIGHUP was ignored when the program was started. Only Linux tells without unsafe code.
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is the first signal, so its bit is the lowest.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
