//! Reads a password from the command line, a file, standard input or the terminal.

use super::into_bytes;
use crate::cli::UsageError;
use crate::cli::passwd::PasswdArgs;
use crate::cli::{self, Names};
use crate::commands::error::Error;
use crate::commands::{Messages, password};
use crate::escape;
use crate::passwd::Password;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;

/// The result of asking for a new password.
pub(super) enum NewPassword {
    Password(Password),
    /// The two answers differ, which has been reported.
    Different,
}

pub(super) fn password(args: &PasswdArgs, user: &str, messages: Messages) -> Result<NewPassword, Error> {
    if let Some(password) = args.password.as_ref().filter(|_| args.batch) {
        if io::stdin().is_terminal() || io::stderr().is_terminal() {
            messages.say(
                "a password on the command line is visible in the process list; without it, mq asks for it",
            );
        }
        let password = checked(password.clone())?;
        // mosquitto_passwd accepts an empty password here.
        return Ok(NewPassword::Password(match messages.names {
            Names::Mosquitto => password,
            Names::Mq => filled(password)?,
        }));
    }
    match messages.names {
        // mosquitto_passwd treats a missing second password as empty, not as a different one.
        Names::Mosquitto => twice(messages, |prompt| {
            let answer = password::ask_at_stdin(prompt)?;
            if answer.is_empty() { Err(empty()) } else { Ok(answer) }
        }),
        Names::Mq => new_password(args.password_file.as_deref(), user, messages),
    }
}

/// A new password from a file, from standard input or from the terminal.
pub(super) fn new_password(
    file: Option<&Path>,
    user: &str,
    messages: Messages,
) -> Result<NewPassword, Error> {
    match given(file, messages)? {
        Some(password) => Ok(NewPassword::Password(password)),
        None => twice(messages, |prompt| {
            password::ask(&prompt.replace(": ", &format!(" for {}: ", escape::line(user))))
        }),
    }
}

/// An existing password to check, typed once.
pub(super) fn known(file: Option<&Path>, user: &str, messages: Messages) -> Result<Password, Error> {
    match given(file, messages)? {
        Some(password) => Ok(password),
        None => checked(password::ask(&format!("Password for {}: ", escape::line(user)))?),
    }
}

/// The password from a file or standard input; `None` if the user must be asked.
fn given(file: Option<&Path>, messages: Messages) -> Result<Option<Password>, Error> {
    let word = match file {
        Some(path) => {
            let (word, warning) = cli::password_from_file(path)?;
            warning.inspect(|warning| messages.say(warning));
            word
        }
        None if io::stdin().is_terminal() => return Ok(None),
        None => cli::first_line(io::stdin().lock()).map_err(Error::input)?,
    };
    checked(word).map(Some)
}

fn twice(messages: Messages, ask: impl Fn(&str) -> Result<OsString, Error>) -> Result<NewPassword, Error> {
    let first = filled(checked(ask("Password: ")?)?)?;
    let second = checked(ask("Reenter password: ")?)?;
    if first == second {
        return Ok(NewPassword::Password(first));
    }
    messages.say("the two passwords differ; nothing was changed");
    Ok(NewPassword::Different)
}

fn checked(word: OsString) -> Result<Password, Error> {
    Password::new(into_bytes(word)).map_err(|error| Error::usage(UsageError::Value(error.into())))
}

fn empty() -> Error {
    Error::usage("the password is empty; nothing was changed")
}

fn filled(password: Password) -> Result<Password, Error> {
    match password.is_empty() {
        true => Err(empty()),
        false => Ok(password),
    }
}
