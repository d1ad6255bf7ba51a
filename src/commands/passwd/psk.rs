//! `mq passwd psk`: keys for TLS-PSK, in the file format of mosquitto's `psk_file`.

use super::signal_guard::{SignalGuard, interruptible};
use super::{Destination, check_exists, edit_file, into_shown, print};
use crate::cli::passwd::{PskArgs, STANDARD};
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::passwd::file::Change;
use crate::passwd::{FileError, UserName, UserNameError, random_key};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The longest identity that all OpenSSL versions support.
const MAX_IDENTITY: usize = 128;

pub(super) fn run(args: &PskArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let identity = identity(args)?;
    if args.delete {
        return delete(args.file.clone(), identity);
    }
    let is_stdout = args.file.as_os_str() == STANDARD;
    let destination = Destination::new(args.create || is_stdout, args.force, args.file.clone())?;
    destination.check()?;
    let key = random_key(args.bytes.into())?;
    let printed = key.clone();
    let shown = into_shown(identity.as_str());
    let warnings_about_file = interruptible(move |guard| put(&destination, &identity, &key, guard))?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    if args.print && !is_stdout {
        print(Zeroizing::new(format!("{}\n", *printed)).as_bytes())?;
    }
    if !is_stdout {
        messages.say(&format!("{shown} has a new key"));
    }
    Ok(ExitStatus::DONE)
}

fn put(
    destination: &Destination,
    identity: &UserName,
    key: &str,
    guard: &SignalGuard,
) -> Result<Vec<String>, Error> {
    let (_, warnings_about_file) = destination.put(identity, key, None, guard)?;
    Ok(warnings_about_file)
}

fn identity(args: &PskArgs) -> Result<UserName, Error> {
    let identity = UserName::parse(args.identity.as_encoded_bytes()).map_err(|error| refused(&error))?;
    let (shown, length) = (into_shown(identity.as_str()), identity.as_str().len());
    match identity.why_not_loaded() {
        Some(reason) => Err(Error::usage(format!("the identity '{shown}' {reason}"))),
        None if length > MAX_IDENTITY => Err(too_long(length)),
        None => Ok(identity),
    }
}

/// The rules for identities are those for user names, except for the maximum length.
fn refused(error: &UserNameError) -> Error {
    match error {
        UserNameError::NotUtf8 { at } => {
            Error::usage(format!("the identity is not valid UTF-8 at byte {at}"))
        }
        UserNameError::TooLong { length } => too_long(*length),
        UserNameError::Character { name, what, at } => Error::usage(format!(
            "the identity '{}' has {what} at byte {at}, which a key file cannot contain",
            into_shown(name)
        )),
    }
}

fn too_long(length: usize) -> Error {
    Error::usage(format!("the identity has {length} bytes; OpenSSL supports at most {MAX_IDENTITY}"))
}

fn delete(path: PathBuf, identity: UserName) -> Result<ExitStatus, Error> {
    check_exists(&path)?;
    interruptible(move |guard| {
        let problem = format!("no identity '{}'", into_shown(identity.as_str()));
        let missing = FileError::Content { path: path.clone(), problem };
        edit_file(&path, None, guard, |file| match file.remove(&identity) {
            0 => Err(missing.into()),
            _ => Ok(Change::Added),
        })
    })?;
    Ok(ExitStatus::DONE)
}
