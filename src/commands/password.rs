//! Prompts for the passwords that options request.
//!
//! The prompt comes only after all other options are checked.

use crate::cli;
use crate::cli::connection::ConnectionArgs;
use crate::cli::prompt;
use crate::commands::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use tokio::task::spawn_blocking;

/// Prompts for the password if the options request it.
pub(super) async fn complete(
    connection: &ConnectionArgs,
    password: &mut Option<Vec<u8>>,
) -> Result<(), Error> {
    if let Some(question) = connection.password_question() {
        let answer = spawn_blocking(move || prompt::ask(&question)).await;
        let answer =
            answer.map_err(|error| Error::system("ask for the password", io::Error::other(error)))?;
        *password = Some(answer?.into_vec());
    }
    Ok(())
}

/// Prompts on the controlling terminal, even if standard input is redirected.
pub(super) fn ask(question: &str) -> Result<OsString, Error> {
    Ok(prompt::ask(question)?)
}

/// Prompts on standard output and reads a line of standard input, without its line end, as mosquitto_passwd does.
pub(super) fn ask_at_stdin(prompt: &str) -> Result<OsString, Error> {
    let stdin = io::stdin();
    let answer = if stdin.is_terminal() {
        let terminal = File::from(stdin.as_fd().try_clone_to_owned().map_err(Error::input)?);
        let prompt = prompt.to_owned();
        prompt::without_echo(terminal, prompt.clone(), move || {
            say(&prompt).and_then(|()| cli::line_of_stdin())
        })?
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
