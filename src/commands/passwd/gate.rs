//! Work that a signal ends at once, up to the point from which on it must be finished: a signal between making a file and
//! renaming it would leave litter.

use crate::commands::block_on;
use crate::commands::stop::Signals;
use crate::error::{Error, ExitStatus};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whoever passes it first decides: the work, which is then finished, or the signal.
#[derive(Debug, Default)]
pub(super) struct Gate(AtomicBool);

impl Gate {
    /// To be called where the work must not be interrupted any more.
    pub(super) fn pass(&self) -> Result<(), Error> {
        if self.is_first() { Ok(()) } else { Err(Error::Interrupted(ExitStatus::INTERRUPTED)) }
    }

    fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

/// Does the work in a thread, and waits for it or for a signal.
pub(super) fn interruptible<T: Send + 'static>(
    work: impl FnOnce(&Gate) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    block_on(async {
        let mut signals = Signals::catch()?;
        let gate = Arc::new(Gate::default());
        let of_work = gate.clone();
        let mut work = tokio::task::spawn_blocking(move || work(&of_work));
        let ended = tokio::select! {
            biased;
            ended = &mut work => ended,
            status = signals.next() => {
                if gate.is_first() {
                    return Err(Error::Interrupted(status));
                }
                work.await
            }
        };
        let failed =
            |error| Error::System { action: "do the work".to_owned(), source: io::Error::other(error) };
        ended.map_err(failed)?
    })
}
