//! Work that a signal can interrupt, until a point after which it must finish: a signal between creating a temporary file and
//! renaming it would leave the file behind.

use crate::commands::block_on;
use crate::commands::error::{Error, ExitStatus};
use crate::commands::shutdown::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first to pass decides: the work, which then finishes, or the signal.
#[derive(Debug, Default)]
pub(super) struct SignalGuard(AtomicBool);

impl SignalGuard {
    /// Called before the part that must not be interrupted.
    pub(super) fn pass(&self) -> Result<(), Error> {
        if self.is_first() { Ok(()) } else { Err(Error::Interrupted(ExitStatus::INTERRUPTED)) }
    }

    fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

/// Runs the work in a thread, and waits for it or for a signal.
pub(super) fn interruptible<T: Send + 'static>(
    work: impl FnOnce(&SignalGuard) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    block_on(async {
        let mut signals = Signals::catch()?;
        let guard = Arc::new(SignalGuard::default());
        let of_work = guard.clone();
        let mut work = tokio::task::spawn_blocking(move || work(&of_work));
        let ended = tokio::select! {
            biased;
            ended = &mut work => ended,
            status = signals.next() => {
                if guard.is_first() {
                    return Err(Error::Interrupted(status));
                }
                work.await
            }
        };
        let failed = |error| Error::system("do the work", io::Error::other(error));
        ended.map_err(failed)?
    })
}
