//! Asks for the password on the terminal, without echo, and leaves the terminal as it was, also when a signal comes.
//!
//! Nobody is asked before all else that was typed is known to be right.

use super::block_on;
use super::stop::Signals;
use crate::cli;
use crate::cli::connection::ConnectionArgs;
use crate::error::{Error, ExitStatus};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
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
        let terminal = controlling_terminal()?;
        let answer = without_echo(&terminal, move || rpassword::prompt_password(question)).await?;
        *password = Some(answer.into_bytes());
    }
    Ok(())
}

/// Asks at the terminal that the program was started from, wherever its standard input comes from.
pub(super) fn ask(prompt: &str) -> Result<OsString, Error> {
    let terminal = controlling_terminal()?;
    let prompt = prompt.to_owned();
    let read = move || rpassword::prompt_password(prompt).map(OsString::from);
    block_on(without_echo(&terminal, read))
}

/// Asks on standard output, and takes a line of standard input, as mosquitto_passwd does. The line's end is not part of it.
pub(super) fn ask_at_stdin(prompt: &str) -> Result<OsString, Error> {
    let stdin = io::stdin();
    let answer = if stdin.is_terminal() {
        let terminal = File::from(stdin.as_fd().try_clone_to_owned().map_err(Error::Input)?);
        let prompt = prompt.to_owned();
        let read = move || say(&prompt).and_then(|()| cli::line_of_stdin());
        block_on(without_echo(&terminal, read))?
    } else {
        say(prompt).map_err(Error::Output)?;
        cli::line_of_stdin().map_err(Error::Input)?
    };
    say("\n").map_err(Error::Output)?;
    Ok(answer)
}

fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn controlling_terminal() -> Result<File, Error> {
    File::open("/dev/tty").map_err(|_| failed(no_terminal()))
}

/// Reads in a thread while the terminal does not show what is typed.
async fn without_echo<T: Send + 'static>(
    terminal: &File,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let before = tcgetattr(terminal).map_err(|_| failed(no_terminal()))?;
    let mut signals = Signals::catch()?;
    // Before the prompt, which a fast typist may not wait for; rpassword does it afterwards.
    let mut without_echo = before.clone();
    without_echo.local_modes.remove(LocalModes::ECHO);
    tcsetattr(terminal, OptionalActions::Now, &without_echo).map_err(|error| failed(error.into()))?;
    let mut asked = tokio::task::spawn_blocking(read);
    let answer = tokio::select! {
        biased;
        status = signals.next() => {
            // Where it came from the keyboard, the thread ends, too, and restores what it found.
            let _ = timeout(LAST_WORDS, &mut asked).await;
            Err(Error::Interrupted(status))
        }
        answer = &mut asked => match answer.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(answer) => Ok(answer),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Error::Interrupted(ExitStatus::INTERRUPTED))
            }
            Err(source) => Err(failed(source)),
        },
    };
    let _ = tcsetattr(terminal, OptionalActions::Now, &before);
    answer
}

fn failed(source: io::Error) -> Error {
    Error::System { action: "ask for the password".to_owned(), source }
}

fn no_terminal() -> io::Error {
    io::Error::other("there is no terminal; --password-file FILE gives it without one")
}
