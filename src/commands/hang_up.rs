//! SIGHUP of a terminal that was closed, for commands that serve others: it stops them in order, as SIGTERM does. A command that has
//! files to read again does that instead.

use crate::commands::error::Error;
use std::future::pending;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, caught. `None` if it is left to others, or the program was started with it ignored, as by nohup.
#[derive(Debug)]
pub(super) struct HangUp(Option<Signal>);

impl HangUp {
    /// Starts catching it. Call it inside the runtime.
    pub(super) fn catch() -> Result<HangUp, Error> {
        let caught = (!is_ignored()).then(|| signal(SignalKind::hangup())).transpose();
        caught.map(HangUp).map_err(|source| Error::system("catch SIGHUP", source))
    }

    /// Leaves it to others in this process.
    pub(super) fn never() -> HangUp {
        HangUp(None)
    }

    /// Waits for it; forever if it is ignored, or left to others.
    pub(super) async fn received(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => pending().await,
        }
    }
}

/// Whether SIGHUP was ignored when the program was started. Only Linux shows it without unsafe code.
fn is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is the first signal, so its bit is the lowest.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
