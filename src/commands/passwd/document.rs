//! `mq passwd --format`, with `verify` and `list`: users in the files of other brokers.

use super::signal_guard::{SignalGuard, interruptible};
use super::source::{self, NewPassword};
use super::{DIFFERENT, Destination, check_exists, into_shown, print, warnings};
use crate::cli::UsageError;
use crate::cli::passwd::{ListArgs, PasswdArgs, VerifyArgs};
use crate::columns::{self, MAX_ALIGNED};
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::input_file;
use crate::passwd::format::{Change, Document, Format, FormatError, PasswordCheck, Settings, User};
use crate::passwd::{FileError, Locked, replace};
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The format of a file, with its settings.
#[derive(Debug, Clone)]
pub(super) struct FormatSettings {
    pub(super) format: Format,
    pub(super) settings: Settings,
}

impl FormatSettings {
    pub(super) fn open(&self, content: Option<&[u8]>, path: &Path) -> Result<Box<dyn Document>, Error> {
        self.format
            .open(content.map(input_file::without_mark), &self.settings)
            .map_err(|error| refused(error, path))
    }

    /// The name, if the format can hold it.
    pub(super) fn check_name(&self, typed: &OsStr) -> Result<String, Error> {
        let name = typed.to_str().ok_or_else(|| Error::usage(UsageError::NotUtf8("the user name")))?;
        self.format.check_name(name).map_err(|error| Error::usage(UsageError::Value(error.into())))?;
        Ok(name.to_owned())
    }

    /// Checks that the file can be changed, before the password is requested or hashed.
    pub(super) fn check(&self, destination: &Destination) -> Result<(), Error> {
        match destination {
            Destination::Existing(path) => {
                let content = Zeroizing::new(Locked::open(path)?.read()?);
                self.open(Some(&content), path).map(drop)
            }
            Destination::Stdout | Destination::New(_) | Destination::Instead(_) => {
                destination.check()?;
                self.open(None, Path::new("a new file")).map(drop)
            }
        }
    }

    /// Changes the document at `destination`. Also returns the warnings about the file.
    pub(super) fn change<T>(
        &self,
        destination: &Destination,
        guard: &SignalGuard,
        change: impl FnOnce(&mut dyn Document, &Path) -> Result<T, Error>,
    ) -> Result<(T, Vec<String>), Error> {
        let path = path_of(destination);
        let mut locked = match destination {
            Destination::Existing(_) | Destination::Instead(_) => Some(Locked::open(path)?),
            Destination::New(_) | Destination::Stdout => None,
        };
        let old = match (&mut locked, destination) {
            (Some(locked), Destination::Existing(_)) => Some(Zeroizing::new(locked.read()?)),
            _ => None,
        };
        let mut document = self.open(old.as_ref().map(|old| old.as_slice()), path)?;
        let done = change(&mut *document, path)?;
        let warnings_about_file = put(destination, locked, &document.to_bytes(), guard)?;
        Ok((done, warnings_about_file))
    }
}

fn path_of(destination: &Destination) -> &Path {
    match destination {
        Destination::Stdout => Path::new("standard output"),
        Destination::New(path) | Destination::Instead(path) | Destination::Existing(path) => path,
    }
}

fn put(
    destination: &Destination,
    locked: Option<Locked>,
    content: &[u8],
    guard: &SignalGuard,
) -> Result<Vec<String>, Error> {
    match (destination, locked) {
        (_, Some(locked)) => return replace_locked(locked, content, path_of(destination), guard),
        (Destination::Stdout, None) => print(content)?,
        (_, None) => {
            guard.pass()?;
            replace::create(path_of(destination), content)?;
        }
    }
    Ok(Vec::new())
}

fn replace_locked(
    locked: Locked,
    content: &[u8],
    path: &Path,
    guard: &SignalGuard,
) -> Result<Vec<String>, Error> {
    let mut warnings_about_file = warnings(&locked, path);
    guard.pass()?;
    warnings_about_file.extend(locked.replace(content)?);
    Ok(warnings_about_file)
}

/// Rejected input is a usage error, an invalid document an error of the file.
pub(super) fn refused(error: FormatError, path: &Path) -> Error {
    match error {
        FormatError::Line { .. } | FormatError::Document(_) => {
            FileError::Content { path: path.to_owned(), problem: error.to_string() }.into()
        }
        FormatError::Hash(error) => error.into(),
        FormatError::Name { .. } | FormatError::Password(_) | FormatError::Setting(_) => {
            Error::usage(UsageError::Value(error.into()))
        }
    }
}

/// Adds, changes or deletes a user.
pub(super) fn edit(args: &PasswdArgs, path: PathBuf, messages: Messages) -> Result<ExitStatus, Error> {
    let settings = args.format.settings(&args.scheme, &args.new_user)?;
    let kind = FormatSettings { format: args.format.format(), settings };
    if args.hash_plain {
        return Err(Error::usage("-U is only for mosquitto's password file"));
    }
    let name = kind.check_name(args.user.as_deref().unwrap_or_default())?;
    if args.delete {
        check_exists(&path)?;
        return delete(kind, Destination::Existing(path), name);
    }
    let destination = Destination::new(args.create, args.force, path)?;
    kind.check(&destination)?;
    warn_about_plain_text(kind.format, messages);
    let password = match source::password(args, &name, messages)? {
        NewPassword::Password(password) => password,
        NewPassword::Different => return Ok(DIFFERENT),
    };
    let shown = into_shown(&name);
    let (change, warnings_about_file) = interruptible(move |guard| {
        let secret = kind.format.secret(&password, &kind.settings);
        let secret = secret.map_err(|error| refused(error, Path::new("the password")))?;
        kind.change(&destination, guard, |document, path| {
            document.set(&name, &secret).map_err(|error| refused(error, path))
        })
    })?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    messages.say(&match change {
        Change::Added => format!("{shown} was added"),
        Change::Updated => format!("the password of {shown} was changed"),
    });
    Ok(ExitStatus::DONE)
}

pub(super) fn warn_about_plain_text(format: Format, messages: Messages) {
    if format.is_plain_text() {
        messages
            .say("WARNING: the file stores passwords in plain text; any user with read access knows them");
    }
}

fn delete(kind: FormatSettings, destination: Destination, name: String) -> Result<ExitStatus, Error> {
    interruptible(move |guard| {
        kind.change(&destination, guard, |document, path| match document.remove(&name) {
            true => Ok(()),
            false => {
                let problem = format!("no user '{}'", into_shown(&name));
                Err(FileError::Content { path: path.to_owned(), problem }.into())
            }
        })
    })?;
    Ok(ExitStatus::DONE)
}

fn read(kind: &FormatSettings, path: &Path) -> Result<Box<dyn Document>, Error> {
    let content = Zeroizing::new(replace::read(path)?);
    kind.open(Some(&content), path)
}

/// Checks a password.
pub(super) fn verify(args: &VerifyArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let kind = FormatSettings { format: args.stored.format.format(), settings: args.stored.settings()? };
    let name = kind.check_name(&args.user)?;
    let document = read(&kind, &args.file)?;
    let password = source::known(args.password_file.as_deref(), &name, messages)?;
    let shown = into_shown(&name);
    let (status, text) = match document.verify(&name, &password) {
        PasswordCheck::Right => (ExitStatus::DONE, format!("the password of {shown} is right")),
        PasswordCheck::Wrong => (ExitStatus::REJECTED, format!("the password of {shown} is wrong")),
        PasswordCheck::UnknownUser => {
            // Takes as long as for an existing user, so that timing does not reveal user names.
            let _ = kind.format.secret(&password, &kind.settings);
            (ExitStatus::REJECTED, format!("{} has no user '{shown}'", args.file.display()))
        }
        PasswordCheck::Unusable(problem) => {
            let problem = format!("user '{shown}': {problem}");
            return Err(FileError::Content { path: args.file.clone(), problem }.into());
        }
    };
    messages.say(&text);
    Ok(status)
}

/// Prints all users.
pub(super) fn list(args: &ListArgs) -> Result<ExitStatus, Error> {
    let kind = FormatSettings { format: args.stored.format.format(), settings: args.stored.settings()? };
    let users = read(&kind, &args.file)?.users();
    let width =
        users.iter().map(|user| columns::width(&into_shown(&user.name))).max().unwrap_or(0).min(MAX_ALIGNED);
    let mut text = String::new();
    for User { name, scheme, is_weak } in &users {
        let (name, weak) = (into_shown(name), if *is_weak { "; weak" } else { "" });
        let _ = writeln!(text, "{}  {scheme}{weak}", columns::padded(&name, width)); // into memory
    }
    print(text.as_bytes())?;
    Ok(ExitStatus::DONE)
}
