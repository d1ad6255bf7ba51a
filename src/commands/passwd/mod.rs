//! `mq passwd`: users and hashed passwords in mosquitto's password file.
//!
//! Slow work, such as hashing, comes first. Only then is the file locked, read, changed and replaced.

mod document;
mod import;
mod inspect;
mod plain;
mod psk;
mod scram;
mod signal_guard;
mod source;

use super::Messages;
use crate::cli::Names;
use crate::cli::UsageError;
use crate::cli::passwd::{PasswdArgs, PasswdCommand, STANDARD};
use crate::commands::error::{Error, ExitStatus};
use crate::escape;
use crate::passwd::file::Change;
use crate::passwd::{FileError, Locked, MosquittoTarget, PasswordFile, UserName, replace};
use signal_guard::{SignalGuard, interruptible};
use source::NewPassword;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// mosquitto_passwd's status if the two passwords differ. It equals the status for usage errors.
const DIFFERENT: ExitStatus = ExitStatus(2);

pub(super) fn run(args: &PasswdArgs, messages: Messages) -> Result<ExitStatus, Error> {
    match &args.command {
        Some(PasswdCommand::Import(args)) => import::run(args, messages),
        Some(PasswdCommand::Psk(args)) => psk::run(args, messages),
        Some(PasswdCommand::Scram(args)) => scram::run(args, messages),
        Some(PasswdCommand::Verify(args)) if args.stored.format.is_of_other_broker() => {
            document::verify(args, messages)
        }
        Some(PasswdCommand::List(args)) if args.stored.format.is_of_other_broker() => document::list(args),
        Some(PasswdCommand::Verify(args)) => inspect::verify(args, messages),
        Some(PasswdCommand::List(args)) => inspect::list(args),
        Some(PasswdCommand::Check(args)) => inspect::check(args, messages),
        None => edit(args, messages),
    }
}

fn edit(args: &PasswdArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let path = args.file.clone().ok_or_else(|| Error::usage(UsageError::Missing("FILE".into())))?;
    if args.format.is_of_other_broker() {
        return document::edit(args, path, messages);
    }
    args.format.check_options(&args.scheme, &args.new_user)?;
    let scheme = args.scheme.scheme(messages.names)?;
    if args.hash_plain {
        return plain::run(path, scheme, messages);
    }
    let user = user(args.user.as_deref().unwrap_or_default(), messages)?;
    if args.delete {
        return delete(path, user);
    }
    let destination = Destination::new(args.create, args.force, path)?;
    destination.check()?;
    let password = match source::password(args, user.as_str(), messages)? {
        NewPassword::Password(password) => password,
        NewPassword::Different => return Ok(DIFFERENT),
    };
    let target = args.scheme.target();
    let (change, warnings_about_file) = interruptible(move |guard| {
        let hash = scheme.hash(&password)?.to_string();
        destination.put(&user, &hash, target, guard)
    })?;
    warnings_about_file.iter().for_each(|text| messages.say(text));
    report_change(change.as_ref(), messages)?;
    Ok(ExitStatus::DONE)
}

/// The name, if a file can hold it. Names that brokers skip are rejected, but mosquitto_passwd only warns.
fn user(typed: &OsStr, messages: Messages) -> Result<UserName, Error> {
    let user = UserName::parse(typed.as_encoded_bytes())
        .map_err(|error| Error::usage(UsageError::Value(error.into())))?;
    if let Some(reason) = user.why_not_loaded() {
        let problem = format!("the user name '{}' {reason}; no broker would accept this user", user.as_str());
        match messages.names {
            Names::Mq => return Err(Error::usage(problem)),
            Names::Mosquitto => messages.say(&problem),
        }
    }
    Ok(user)
}

/// The destination of a hash.
enum Destination {
    Stdout,
    New(PathBuf),
    /// A new file that replaces an existing one.
    Instead(PathBuf),
    Existing(PathBuf),
}

struct ReportedChange {
    user: UserName,
    change: Change,
}

impl Destination {
    fn new(create: bool, force: bool, path: PathBuf) -> Result<Destination, Error> {
        Ok(match (create, path.as_os_str() == STANDARD) {
            (true, true) => Destination::Stdout,
            (true, false) if force && path.exists() => Destination::Instead(path),
            (true, false) => Destination::New(path),
            (false, true) => {
                return Err(Error::usage(
                    "- is standard output, which needs -c; for a file of this name, use ./-",
                ));
            }
            (false, false) => Destination::Existing(path),
        })
    }

    /// Checks that the file can be changed, before the password is requested.
    fn check(&self) -> Result<(), Error> {
        match self {
            Destination::Stdout => {}
            Destination::New(path) if std::fs::symlink_metadata(path).is_ok() => {
                return Err(FileError::Exists { path: path.clone() }.into());
            }
            Destination::New(_) => {}
            Destination::Instead(path) => drop(Locked::open(path)?),
            Destination::Existing(path) => drop(parse(Locked::open(path)?.read()?, path)?),
        }
        Ok(())
    }

    /// Writes the user's line. Also returns the warnings about the file.
    fn put(
        &self,
        user: &UserName,
        hash: &str,
        target: Option<MosquittoTarget>,
        guard: &SignalGuard,
    ) -> Result<(Option<ReportedChange>, Vec<String>), Error> {
        let line = format!("{user}:{hash}\n");
        let (change, warnings_about_file) = match self {
            Destination::Stdout => {
                print(line.as_bytes())?;
                return Ok((None, Vec::new()));
            }
            Destination::New(path) => {
                guard.pass()?;
                replace::create(path, line.as_bytes())?;
                (Change::Added, Vec::new())
            }
            Destination::Instead(path) => (Change::Added, replace_all(path, line.as_bytes(), guard)?),
            Destination::Existing(path) => edit_file(path, target, guard, |file| Ok(file.set(user, hash)))?,
        };
        Ok((Some(ReportedChange { user: user.clone(), change }), warnings_about_file))
    }
}

/// Replaces the whole content of a file.
fn replace_all(path: &Path, content: &[u8], guard: &SignalGuard) -> Result<Vec<String>, Error> {
    let locked = Locked::open(path)?;
    let mut warnings_about_file = warnings(&locked, path);
    guard.pass()?;
    warnings_about_file.extend(locked.replace(content)?);
    Ok(warnings_about_file)
}

/// Changes a file under its lock. Also returns the warnings about it.
fn edit_file<T>(
    path: &Path,
    target: Option<MosquittoTarget>,
    guard: &SignalGuard,
    change: impl FnOnce(&mut PasswordFile) -> Result<T, Error>,
) -> Result<(T, Vec<String>), Error> {
    let mut locked = Locked::open(path)?;
    let mut file = parse(locked.read()?, path)?;
    let done = change(&mut file)?;
    let mut warnings_about_file = warnings(&locked, path);
    warnings_about_file.extend(target.into_iter().flat_map(|target| objections(&file, target, path)));
    guard.pass()?;
    warnings_about_file.extend(locked.replace(&file.to_bytes())?);
    Ok((done, warnings_about_file))
}

fn parse(content: Vec<u8>, path: &Path) -> Result<PasswordFile, Error> {
    let unfit = |problem: String| FileError::Content { path: path.to_owned(), problem };
    Ok(PasswordFile::parse(content).map_err(|error| unfit(error.to_string()))?)
}

fn warnings(locked: &Locked, path: &Path) -> Vec<String> {
    let shown = path.display();
    let open = locked
        .is_open_to_others()
        .then(|| format!("all users of this machine can read {shown}; `chmod o= {shown}` prevents it"));
    let linked = (locked.hard_links() > 1)
        .then(|| format!("{shown} has {} hard links; the others keep the old content", locked.hard_links()));
    open.into_iter().chain(linked).collect()
}

/// The lines that the broker does not load, and the effect on the broker.
fn objections(file: &PasswordFile, target: MosquittoTarget, path: &Path) -> Vec<String> {
    let findings = target.check(file);
    let lines = findings.iter().map(|finding| inspect::describe(finding, path));
    let summary = (!findings.is_empty()).then(|| format!("{} {}", target.name(), target.consequence()));
    lines.chain(summary).collect()
}

/// Checks that the file of a deletion exists: no option creates it, as the hint of later errors says.
fn check_exists(path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::System { action: "open", path: path.to_owned(), source };
    std::fs::metadata(path).map(drop).map_err(failed)
}

fn delete(path: PathBuf, user: UserName) -> Result<ExitStatus, Error> {
    check_exists(&path)?;
    interruptible(move |guard| {
        let missing = |user: &UserName| Error::NoSuchUser { path: path.clone(), user: user.clone() };
        edit_file(&path, None, guard, |file| match file.remove(&user) {
            0 => Err(missing(&user)),
            _ => Ok(()),
        })
    })?;
    Ok(ExitStatus::DONE)
}

/// Reports the change: on standard output as mosquitto_passwd does, otherwise on standard error.
fn report_change(reported: Option<&ReportedChange>, messages: Messages) -> Result<(), Error> {
    let Some(ReportedChange { user, change }) = reported else { return Ok(()) };
    if messages.names == Names::Mosquitto {
        let verb = if *change == Change::Added { "Adding" } else { "Updating" };
        return print(format!("{verb} password for user {user}\n").as_bytes());
    }
    let shown = user.as_str();
    messages.say(&match change {
        Change::Added => format!("{shown} was added"),
        Change::Updated { lines: 1 } => format!("the password of {shown} was changed"),
        Change::Updated { lines } => {
            format!("the password of {shown} was changed; {lines} lines of this user were merged into one")
        }
    });
    Ok(())
}

/// A name escaped for the terminal.
fn into_shown(name: &str) -> String {
    escape::line(name).into_owned()
}

fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Converts without a copy, which would leave the password in memory.
fn into_bytes(word: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(word)
}
