//! Asks for the password on the terminal, without echo, and leaves the terminal as it was, also when a signal comes.
//!
//! Nobody is asked before all else that was typed is known to be right.

use super::stop::Signals;
use crate::cli::connection::ConnectionArgs;
use crate::error::{Error, ExitStatus};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long the thread that reads gets to end after a signal; it may be one that does not reach it.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Puts what the user types in the place of the password, where the options say so.
pub(super) async fn complete(
    connection: &ConnectionArgs,
    password: &mut Option<Vec<u8>>,
) -> Result<(), Error> {
    if let Some(question) = connection.password_question() {
        *password = Some(ask(question).await?);
    }
    Ok(())
}

async fn ask(question: String) -> Result<Vec<u8>, Error> {
    let terminal = File::open("/dev/tty").map_err(|_| failed(no_terminal()))?;
    let before = tcgetattr(&terminal).map_err(|_| failed(no_terminal()))?;
    let mut signals = Signals::catch()?;
    // Before the prompt, which a fast typist may not wait for; rpassword does it afterwards.
    let mut without_echo = before.clone();
    without_echo.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Now, &without_echo).map_err(|error| failed(error.into()))?;
    let mut asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
    let answer = tokio::select! {
        biased;
        status = signals.next() => {
            // Where it came from the keyboard, the thread ends, too, and restores what it found.
            let _ = timeout(LAST_WORDS, &mut asked).await;
            Err(Error::Interrupted(status))
        }
        answer = &mut asked => match answer.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(password) => Ok(password.into_bytes()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::Interrupted(ExitStatus::INTERRUPTED))
            }
            Err(source) => Err(failed(source)),
        },
    };
    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    answer
}

fn failed(source: io::Error) -> Error {
    Error::System { action: "ask for the password".to_owned(), source }
}

fn no_terminal() -> io::Error {
    io::Error::other("there is no terminal; --password-file FILE gives it without one")
}
