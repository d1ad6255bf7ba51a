//! `mq passwd scram`: SCRAM keys, in the file format of `mq broker --scram-file`.

use super::signal_guard::interruptible;
use super::source::{self, NewPassword};
use super::{DIFFERENT, Destination, delete, parse, report_change, user};
use crate::authentication::Failure;
use crate::authentication::scram::{Keys, prepared_name};
use crate::cli::passwd::{STANDARD, ScramArgs};
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::passwd::{FileError, HashError, UserName, replace};
use std::ffi::OsStr;
use std::path::Path;

/// The length of a salt in bytes.
const SALT_LENGTH: usize = 16;

pub(super) fn run(args: &ScramArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let user = checked_user(&args.user, messages)?;
    if args.delete {
        return delete(args.file.clone(), user);
    }
    let is_stdout = args.file.as_os_str() == STANDARD;
    let destination = Destination::new(args.create || is_stdout, args.force, args.file.clone())?;
    destination.check()?;
    if let Destination::Existing(path) = &destination {
        check_content(path)?;
    }
    let password = match source::new_password(args.password_file.as_deref(), user.as_str(), messages)? {
        NewPassword::Password(password) => password,
        NewPassword::Different => return Ok(DIFFERENT),
    };
    let (algorithm, iterations) = (args.mechanism, args.iterations);
    let salt = fresh_salt()?;
    let (change, warnings_about_file) = interruptible(move |guard| {
        let keys = Keys::derive(algorithm, password.as_bytes(), salt, iterations).map_err(unusable)?;
        destination.put(&user, &keys.to_string(), None, guard)
    })?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    report_change(change.as_ref(), messages)?;
    Ok(ExitStatus::DONE)
}

/// Rejects a file of another kind, which its broker would no longer load.
fn check_content(path: &Path) -> Result<(), Error> {
    let file = parse(replace::read(path)?, path)?;
    for entry in file.entries() {
        if let Err(error) = Keys::parse(entry.rest.trim_ascii()) {
            let user = String::from_utf8_lossy(entry.user);
            let problem = format!("line {} (user {user:?}): {error}; nothing was changed", entry.line);
            return Err(FileError::Content { path: path.to_owned(), problem }.into());
        }
    }
    Ok(())
}

/// The name, if a client can authenticate with it.
fn checked_user(typed: &OsStr, messages: Messages) -> Result<UserName, Error> {
    let user = user(typed, messages)?;
    prepared_name(user.as_str()).map_err(unusable)?;
    Ok(user)
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn unusable(failure: Failure) -> Error {
    Error::usage(format!("{failure}; nothing was changed"))
}

fn fresh_salt() -> Result<Vec<u8>, HashError> {
    let mut salt = vec![0; SALT_LENGTH];
    getrandom::fill(&mut salt).map_err(|error| HashError::Random(error.to_string()))?;
    Ok(salt)
}
