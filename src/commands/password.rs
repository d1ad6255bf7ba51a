//! Prompts for the password on the terminal, without echo, and restores the terminal, even after a signal.
//!
//! The prompt comes only after all other options are checked.

use super::block_on;
use super::shutdown::Signals;
use crate::cli;
use crate::cli::connection::ConnectionArgs;
use crate::commands::error::Error;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;

/// Prompts for the password if the options request it.
pub(super) async fn complete(
    connection: &ConnectionArgs,
    password: &mut Option<Vec<u8>>,
) -> Result<(), Error> {
    if let Some(question) = connection.password_question() {
        let terminal = controlling_terminal()?;
        let read = line_of(&terminal, &question)?;
        *password = Some(without_echo(&terminal, read).await?.into_vec());
    }
    Ok(())
}

/// Prompts on the controlling terminal, even if standard input is redirected.
pub(super) fn ask(prompt: &str) -> Result<OsString, Error> {
    let terminal = controlling_terminal()?;
    let read = line_of(&terminal, prompt)?;
    block_on(without_echo(&terminal, read))
}

/// A function that prompts at this terminal and reads a line.
fn line_of(
    terminal: &File,
    prompt: &str,
) -> Result<impl FnOnce() -> io::Result<OsString> + Send + use<>, Error> {
    let mut terminal = terminal.try_clone().map_err(failed)?;
    let prompt = prompt.to_owned();
    Ok(move || {
        terminal.write_all(prompt.as_bytes())?;
        let answer = cli::next_line(BufReader::new(&terminal))?;
        // The typed line end is not echoed.
        terminal.write_all(b"\n")?;
        Ok(answer)
    })
}

/// Prompts on standard output and reads a line of standard input, without its line end, as mosquitto_passwd does.
pub(super) fn ask_at_stdin(prompt: &str) -> Result<OsString, Error> {
    let stdin = io::stdin();
    let answer = if stdin.is_terminal() {
        let terminal = File::from(stdin.as_fd().try_clone_to_owned().map_err(Error::input)?);
        let prompt = prompt.to_owned();
        let read = move || say(&prompt).and_then(|()| cli::line_of_stdin());
        block_on(without_echo(&terminal, read))?
    } else {
        say(prompt).map_err(Error::Output)?;
        cli::line_of_stdin().map_err(Error::input)?
    };
    // mosquitto_passwd ends the prompt's line only when it got a password; on a terminal, the message that follows needs it.
    if !answer.is_empty() || stdin.is_terminal() {
        say("\n").map_err(Error::Output)?;
    }
    Ok(answer)
}

fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn controlling_terminal() -> Result<File, Error> {
    File::options().read(true).write(true).open("/dev/tty").map_err(|_| failed(no_terminal()))
}

/// Reads in a thread while the terminal's echo is off.
async fn without_echo<T: Send + 'static>(
    mut terminal: &File,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let before = tcgetattr(terminal).map_err(|_| failed(no_terminal()))?;
    let mut signals = Signals::catch()?;
    // Before the prompt, since the user may start typing early.
    let mut without_echo = before.clone();
    without_echo.local_modes.remove(LocalModes::ECHO);
    tcsetattr(terminal, OptionalActions::Now, &without_echo).map_err(|error| failed(error.into()))?;
    let answer_task = tokio::task::spawn_blocking(read);
    let answer_task = async {
        let answer = answer_task.await;
        // A signal before the answer may not have been noticed yet: let the runtime poll once more.
        tokio::task::yield_now().await;
        answer
    };
    let answer = tokio::select! {
        biased;
        status = signals.next() => {
            // Further output starts on a new line.
            let _ = terminal.write_all(b"\n");
            Err(Error::Interrupted(status))
        }
        answer = answer_task => answer.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(failed),
    };
    let _ = tcsetattr(terminal, OptionalActions::Now, &before);
    answer
}

/// Runs work that may prompt on the terminal, in a thread. A signal ends the wait for it, and restores the terminal.
pub(super) async fn interruptible<T: Send + 'static>(
    signals: &mut Signals,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let terminal = controlling_terminal().ok();
    let modes = || terminal.as_ref().and_then(|terminal| tcgetattr(terminal).ok());
    let before = modes();
    let work = tokio::task::spawn_blocking(work);
    let work = async {
        let done = work.await;
        // A signal before the end may not have been noticed yet: let the runtime poll once more.
        tokio::task::yield_now().await;
        done
    };
    tokio::select! {
        biased;
        status = signals.next() => {
            if let (Some(mut terminal), Some(before), Some(now)) = (terminal.as_ref(), &before, modes())
                // Changed by a prompt. A process in the background would be stopped for a change of its own.
                && now.local_modes != before.local_modes
            {
                let _ = terminal.write_all(b"\n");
                let _ = tcsetattr(terminal, OptionalActions::Now, before);
            }
            Err(Error::Interrupted(status))
        }
        done = work => done.unwrap_or_else(|error| Err(failed(io::Error::other(error)))),
    }
}

fn failed(source: io::Error) -> Error {
    Error::system("ask for the password", source)
}

fn no_terminal() -> io::Error {
    io::Error::other("no terminal to ask for the password; set --password-file FILE")
}
