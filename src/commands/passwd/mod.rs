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
use crate::cli::passwd::{PasswdArgs, PasswdCommand, STANDARD};
use crate::error::{Error, ExitStatus};
use crate::escape;
use crate::passwd::file::Change;
use crate::passwd::{FileError, Locked, PasswordFile, Target, UserName, replace};
use signal_guard::{Gate, interruptible};
use source::Asked;
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
        Some(PasswdCommand::Verify(args)) if args.stored.format.is_foreign() => {
            document::verify(args, messages)
        }
        Some(PasswdCommand::List(args)) if args.stored.format.is_foreign() => document::list(args),
        Some(PasswdCommand::Verify(args)) => inspect::verify(args, messages),
        Some(PasswdCommand::List(args)) => inspect::list(args),
        Some(PasswdCommand::Check(args)) => inspect::check(args, messages),
        None => edit(args, messages),
    }
}

fn edit(args: &PasswdArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let path = args.file.clone().ok_or_else(|| Error::Usage("missing FILE".to_owned()))?;
    if args.format.is_foreign() {
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
    let place = Place::new(args.create, args.force, path)?;
    place.check()?;
    let password = match source::password(args, user.as_str(), messages)? {
        Asked::Password(password) => password,
        Asked::Different => return Ok(DIFFERENT),
    };
    let target = args.scheme.target();
    let (change, said) = interruptible(move |gate| {
        let hash = scheme.hash(&password)?.to_string();
        place.put(&user, &hash, target, gate)
    })?;
    said.iter().for_each(|text| messages.say(text));
    tell(change.as_ref(), messages)?;
    Ok(ExitStatus::DONE)
}

/// The name, if a file can hold it. Names that brokers skip are rejected, but mosquitto_passwd only warns.
fn user(typed: &OsStr, messages: Messages) -> Result<UserName, Error> {
    let user = UserName::parse(typed.as_encoded_bytes()).map_err(|error| Error::Usage(error.to_string()))?;
    if let Some(reason) = user.why_not_loaded() {
        let problem = format!("the user name '{}' {reason}; no broker would accept this user", user.as_str());
        match messages.names {
            Names::Mq => return Err(Error::Usage(problem)),
            Names::Mosquitto => messages.say(&problem),
        }
    }
    Ok(user)
}

/// The destination of a hash.
enum Place {
    Stdout,
    New(PathBuf),
    /// A new file that replaces an existing one.
    Instead(PathBuf),
    Existing(PathBuf),
}

/// The change to report.
struct Told {
    user: UserName,
    change: Change,
}

impl Place {
    fn new(create: bool, force: bool, path: PathBuf) -> Result<Place, Error> {
        Ok(match (create, path.as_os_str() == STANDARD) {
            (true, true) => Place::Stdout,
            (true, false) if force && path.exists() => Place::Instead(path),
            (true, false) => Place::New(path),
            (false, true) => {
                return Err(Error::Usage(
                    "- is standard output, which needs -c; for a file of this name, use ./-".to_owned(),
                ));
            }
            (false, false) => Place::Existing(path),
        })
    }

    /// Checks that the file can be changed, before the password is requested.
    fn check(&self) -> Result<(), Error> {
        match self {
            Place::Stdout => {}
            Place::New(path) if std::fs::symlink_metadata(path).is_ok() => {
                return Err(FileError::Exists { path: path.clone() }.into());
            }
            Place::New(_) => {}
            Place::Instead(path) => drop(Locked::open(path)?),
            Place::Existing(path) => drop(parse(Locked::open(path)?.read()?, path)?),
        }
        Ok(())
    }

    /// Writes the user's line. Also returns the warnings about the file.
    fn put(
        &self,
        user: &UserName,
        hash: &str,
        target: Option<Target>,
        gate: &Gate,
    ) -> Result<(Option<Told>, Vec<String>), Error> {
        let line = format!("{user}:{hash}\n");
        let (change, said) = match self {
            Place::Stdout => {
                print(line.as_bytes())?;
                return Ok((None, Vec::new()));
            }
            Place::New(path) => {
                gate.pass()?;
                replace::create(path, line.as_bytes())?;
                (Change::Added, Vec::new())
            }
            Place::Instead(path) => (Change::Added, replace_all(path, line.as_bytes(), gate)?),
            Place::Existing(path) => edit_file(path, target, gate, |file| Ok(file.set(user, hash)))?,
        };
        Ok((Some(Told { user: user.clone(), change }), said))
    }
}

/// Replaces the whole content of a file.
fn replace_all(path: &Path, content: &[u8], gate: &Gate) -> Result<Vec<String>, Error> {
    let locked = Locked::open(path)?;
    let mut said = warnings(&locked, path);
    gate.pass()?;
    said.extend(locked.replace(content)?);
    Ok(said)
}

/// Changes a file under its lock. Also returns the warnings about it.
fn edit_file<T>(
    path: &Path,
    target: Option<Target>,
    gate: &Gate,
    change: impl FnOnce(&mut PasswordFile) -> Result<T, Error>,
) -> Result<(T, Vec<String>), Error> {
    let mut locked = Locked::open(path)?;
    let mut file = parse(locked.read()?, path)?;
    let done = change(&mut file)?;
    let mut said = warnings(&locked, path);
    said.extend(target.into_iter().flat_map(|target| objections(&file, target, path)));
    gate.pass()?;
    said.extend(locked.replace(&file.to_bytes())?);
    Ok((done, said))
}

fn parse(content: Vec<u8>, path: &Path) -> Result<PasswordFile, Error> {
    let unfit = |problem: String| FileError::Content { path: path.to_owned(), problem };
    Ok(PasswordFile::parse(content).map_err(|error| unfit(error.to_string()))?)
}

fn warnings(locked: &Locked, path: &Path) -> Vec<String> {
    let shown = path.display();
    let open = locked
        .is_open_to_others()
        .then(|| format!("every user of this machine can read {shown}; `chmod o= {shown}` prevents it"));
    let linked = (locked.hard_links() > 1)
        .then(|| format!("{shown} has {} hard links; the others keep the old content", locked.hard_links()));
    open.into_iter().chain(linked).collect()
}

/// The lines that the broker does not load, and the effect on the broker.
fn objections(file: &PasswordFile, target: Target, path: &Path) -> Vec<String> {
    let findings = target.check(file);
    let lines = findings.iter().map(|finding| inspect::describe(finding, path));
    let summary = (!findings.is_empty()).then(|| format!("{} {}", target.name(), target.consequence()));
    lines.chain(summary).collect()
}

fn delete(path: PathBuf, user: UserName) -> Result<ExitStatus, Error> {
    interruptible(move |gate| {
        let missing = |user: &UserName| Error::NoSuchUser { path: path.clone(), user: user.clone() };
        edit_file(&path, None, gate, |file| match file.remove(&user) {
            0 => Err(missing(&user)),
            _ => Ok(()),
        })
    })?;
    Ok(ExitStatus::DONE)
}

/// Reports the change: on standard output as mosquitto_passwd does, otherwise on standard error.
fn tell(told: Option<&Told>, messages: Messages) -> Result<(), Error> {
    let Some(Told { user, change }) = told else { return Ok(()) };
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
