//! SIGHUP of a terminal that was closed, for commands that serve others: it stops them in order, as SIGTERM does. A command that has
//! files to read again does that instead.

use crate::commands::error::Error;
use crate::signals;
use rustix::process::Signal as Number;
use std::future::pending;
use tokio::signal::unix::Signal;

/// SIGHUP, caught. `None` if it is left to others, or the program was started with it ignored, as by nohup.
#[derive(Debug)]
pub(super) struct HangUp(Option<Signal>);

impl HangUp {
    /// Starts catching it. Call it inside the runtime.
    pub(super) fn catch() -> Result<HangUp, Error> {
        let caught = (!signals::is_ignored(Number::HUP)).then(|| signals::catch(Number::HUP)).transpose();
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
