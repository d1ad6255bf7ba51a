//! Asks for the password on the terminal, without echo, and leaves the terminal as it was, also when a signal comes.

use super::block_on;
use super::stop::Signals;
use crate::error::{Error, ExitStatus};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long the thread that reads gets to end after a signal; it may be one that does not reach it.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub(super) fn ask(prompt: &str) -> Result<OsString, Error> {
    let failed = |source| Error::System { action: "ask for the password".to_owned(), source };
    let terminal = File::open("/dev/tty").map_err(|_| failed(no_terminal()))?;
    let before = tcgetattr(&terminal).map_err(|_| failed(no_terminal()))?;
    let prompt = prompt.to_owned();
    block_on(async {
        let mut signals = Signals::catch()?;
        // Before the prompt, which a fast typist may not wait for; rpassword does it afterwards.
        let mut without_echo = before.clone();
        without_echo.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &without_echo).map_err(|error| failed(error.into()))?;
        let mut asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt));
        let answer = tokio::select! {
            biased;
            status = signals.next() => {
                // Where it came from the keyboard, the thread ends, too, and restores what it found.
                let _ = timeout(LAST_WORDS, &mut asked).await;
                Err(Error::Interrupted(status))
            }
            answer = &mut asked => match answer.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(password) => Ok(password.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    Err(Error::Interrupted(ExitStatus::INTERRUPTED))
                }
                Err(source) => Err(failed(source)),
            },
        };
        let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
        answer
    })
}

fn no_terminal() -> io::Error {
    io::Error::other("there is no terminal; --password-file FILE gives it without one")
}
