//! The event loop of commands, and the preparations before it starts.

use crate::commands::error::Error;
use crate::transport::descriptors;
use rustix::process::Signal;
use std::future::Future;
use std::io;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command's future on a single-threaded runtime, which starts fastest.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = start().map_err(|source| Error::system("start the event loop", source))?;
    let result = runtime.block_on(future);
    // A thread that still reads standard input must not delay the exit.
    runtime.shutdown_background();
    result
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail with an error. Otherwise SIGXFSZ would end the program and
/// leave its file half written.
pub(super) fn outlive_file_size_limit() {
    // Without descriptors for an event loop the signal keeps its effect; the command itself may need none.
    let _ = start();
}

fn start() -> io::Result<Runtime> {
    // Closed again immediately: the process still has a single thread.
    descriptors::reserve_for_event_loop()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let context = runtime.enter();
    // The handler remains installed after the stream of signals is dropped.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    drop(context);
    Ok(runtime)
}
