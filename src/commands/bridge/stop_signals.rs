//! The signals that stop a bridge: SIGINT, SIGTERM, and SIGHUP from a terminal that was closed. The first one starts the drain.
//! A second one ends the drain, unless it is SIGHUP, which is never impatience.

use crate::commands::error::Error;
use crate::commands::hang_up::HangUp;
use crate::commands::shutdown::Signals;
use crate::commands::{Messages, echo};
use std::time::Duration;
use tokio::time::timeout;

/// The timeout for the last message: a terminal that was stopped with Ctrl-S takes none.
const LAST_MESSAGE: Duration = Duration::from_secs(1);

/// The caught signals.
#[derive(Debug)]
pub(super) struct StopSignals {
    signals: Signals,
    hang_up: HangUp,
}

impl StopSignals {
    /// Starts catching signals. Call it inside the runtime.
    pub(super) fn catch() -> Result<StopSignals, Error> {
        Ok(StopSignals { signals: Signals::catch()?, hang_up: HangUp::catch()? })
    }

    /// Waits for the first signal.
    pub(super) async fn first(&mut self) {
        let StopSignals { signals, hang_up } = self;
        tokio::select! {
            _ = signals.next() => {}
            () = hang_up.received() => {}
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
        echo::restore();
        std::process::exit(status.0.into())
    }
}
