//! Prompts on the terminal, without echo. The terminal gets its modes back, also if a signal ends the prompt.

use super::Error;
use super::secrets::next_line;
use crate::transport::descriptors;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::thread;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The value of a special character that no key has.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// The number that shells add to that of a signal.
const STATUS_OF_SIGNALS: u8 = 128;

/// Prompts on the controlling terminal, even if standard input is redirected.
///
/// # Errors
/// If there is no terminal, or a signal ends the prompt.
pub(crate) fn ask(prompt: &str) -> Result<OsString, Error> {
    let terminal =
        File::options().read(true).write(true).open("/dev/tty").map_err(|_| failed(no_terminal()))?;
    let mut device = terminal.try_clone().map_err(failed)?;
    let prompt = prompt.to_owned();
    without_echo(terminal, move || {
        device.write_all(prompt.as_bytes())?;
        let answer = next_line(BufReader::new(&device))?;
        // The typed line end is not echoed.
        device.write_all(b"\n")?;
        Ok(answer)
    })
}

/// Reads while the terminal's echo is off. The caller may have an event loop, so the one for the signals has its own thread.
///
/// # Errors
/// If a signal ends the prompt, or reading fails.
pub(crate) fn without_echo<T: Send + 'static>(
    terminal: File,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let prompt = thread::Builder::new().spawn(move || {
        descriptors::reserve_for_event_loop().map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let answer = runtime.block_on(read_without_echo(&terminal, read));
        // After a signal, another thread still reads.
        runtime.shutdown_background();
        answer
    });
    let ended = prompt.map_err(failed)?.join();
    ended.unwrap_or_else(|_| Err(failed(io::Error::other("the prompt ended early"))))
}

async fn read_without_echo<T: Send + 'static>(
    mut terminal: &File,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let before = tcgetattr(terminal).map_err(|_| failed(no_terminal()))?;
    let mut interrupt = caught(SignalKind::interrupt())?;
    let mut terminate = caught(SignalKind::terminate())?;
    // Before the prompt, since the user may start typing early.
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // A caught SIGQUIT would have no effect later.
    silent.special_codes[SpecialCodeIndex::VQUIT] = NO_KEY;
    tcsetattr(terminal, OptionalActions::Now, &silent).map_err(|error| failed(error.into()))?;
    let answer = tokio::task::spawn_blocking(read);
    let answer = async {
        let answer = answer.await;
        // A signal before the answer may not have been noticed yet: let the runtime poll once more.
        tokio::task::yield_now().await;
        answer
    };
    let signal = async {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    let answer = tokio::select! {
        biased;
        signal = signal => {
            // Further output starts on a new line.
            let _ = terminal.write_all(b"\n");
            let number = u8::try_from(signal.as_raw_value()).unwrap_or_default();
            Err(Error::Interrupted(STATUS_OF_SIGNALS + number))
        }
        answer = answer => answer.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(failed),
    };
    let _ = tcsetattr(terminal, OptionalActions::Now, &before);
    answer
}

fn caught(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(|source| Error::System { action: "catch signals".to_owned(), source })
}

fn failed(source: io::Error) -> Error {
    Error::System { action: "ask for the password".to_owned(), source }
}

fn no_terminal() -> io::Error {
    io::Error::other("no terminal to ask for the password; set --password-file FILE")
}
