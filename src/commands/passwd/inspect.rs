//! `mq passwd verify`, `list` and `check`, which only read the password file.

use super::{parse, print, source, user};
use crate::cli::passwd::{CheckArgs, ListArgs, VerifyArgs};
use crate::columns::{self, MAX_ALIGNED};
use crate::commands::Messages;
use crate::commands::error::{Error, ExitStatus};
use crate::escape;
use crate::passwd::file::PasswordLine;
use crate::passwd::target::{UnloadedLine, weakness};
use crate::passwd::{FileError, Hash, MosquittoTarget, Password, PasswordFile, Scheme, UserName, replace};
use crate::words::counted;
use std::fmt::Write;
use std::path::Path;

pub(super) fn verify(args: &VerifyArgs, messages: Messages) -> Result<ExitStatus, Error> {
    args.stored.settings()?;
    let user = user(&args.user, messages)?;
    let file = read(&args.file)?;
    let password = source::known(args.password_file.as_deref(), user.as_str(), messages)?;
    let shown = user.as_str();
    match find(&file, &user, &args.file)? {
        Some(hash) if hash.verify(&password)? => {
            messages.say(&format!("the password of {shown} is right"));
            Ok(ExitStatus::DONE)
        }
        Some(_) => {
            messages.say(&format!("the password of {shown} is wrong"));
            Ok(ExitStatus::REJECTED)
        }
        None => {
            pretend_to_verify(&password)?;
            messages.say(&format!("{} has no user '{shown}'", args.file.display()));
            Ok(ExitStatus::REJECTED)
        }
    }
}

/// The user's hash. An unusable hash is an error, and so are duplicate lines.
fn find(file: &PasswordFile, user: &UserName, path: &Path) -> Result<Option<Hash>, Error> {
    let mut lines = file.entries().filter(|entry| entry.user == user.as_str().as_bytes());
    let Some(entry) = lines.next() else { return Ok(None) };
    let unfit = |problem| FileError::Content { path: path.to_owned(), problem };
    if let Some(second) = lines.next() {
        let problem = format!("lines {} and {} have the same user", entry.line, second.line);
        return Err(unfit(problem).into());
    }
    let hash = Hash::parse(entry.hash).map_err(|error| unfit(format!("line {}: {error}", entry.line)))?;
    Ok(Some(hash))
}

/// Takes as long as for an existing user, so that timing does not reveal user names.
fn pretend_to_verify(password: &Password) -> Result<(), Error> {
    MosquittoTarget::Mosquitto20.scheme().hash(password)?;
    Ok(())
}

pub(super) fn list(args: &ListArgs) -> Result<ExitStatus, Error> {
    args.stored.settings()?;
    let file = read(&args.file)?;
    let rows: Vec<[String; 3]> = file.entries().map(|entry| row(&entry)).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| columns::width(cell)).max().unwrap_or(0).min(MAX_ALIGNED)
    };
    let (users, schemes) = (width(0), width(1));
    let mut text = String::new();
    for [user, scheme, details] in &rows {
        let (user, scheme) = (columns::padded(user, users), columns::padded(scheme, schemes));
        let _ = writeln!(text, "{user}  {scheme}  {details}"); // into memory
    }
    print(text.as_bytes())?;
    Ok(ExitStatus::DONE)
}

fn row(entry: &PasswordLine<'_>) -> [String; 3] {
    let (scheme, details) = match Hash::parse(entry.hash) {
        Ok(hash) => {
            let weak = weakness(hash.scheme()).map(|reason| format!("; weak: {reason}"));
            (hash.scheme().name(), parameters(hash.scheme()) + &weak.unwrap_or_default())
        }
        Err(error) => ("-", format!("line {}: {error}", entry.line)),
    };
    [shown(entry.user), scheme.to_owned(), details]
}

fn parameters(scheme: Scheme) -> String {
    match scheme {
        Scheme::Sha512 { salt_len } => format!("salt of {salt_len} bytes"),
        Scheme::Pbkdf2Sha512 { iterations, salt_len } => {
            let iterations = counted(iterations.get(), "iteration");
            format!("{iterations}, salt of {salt_len} bytes")
        }
        Scheme::Argon2id { memory_kib, passes, lanes, salt_len } => {
            format!("m={memory_kib},t={passes},p={lanes}, salt of {salt_len} bytes")
        }
    }
}

pub(super) fn check(args: &CheckArgs, messages: Messages) -> Result<ExitStatus, Error> {
    let target = MosquittoTarget::from(args.target);
    let file = read(&args.file)?;
    let findings = target.check(&file);
    let text: String =
        findings.iter().map(|finding| format!("{}\n", describe(finding, &args.file))).collect();
    print(text.as_bytes())?;
    if findings.is_empty() {
        messages.say(&format!("{} loads every line with a user: {}", target.name(), file.entries().count()));
        return Ok(ExitStatus::DONE);
    }
    messages.say(&format!(
        "{} of {} lines with a user are bad; {} {}",
        findings.len(),
        file.entries().count(),
        target.name(),
        target.consequence()
    ));
    Ok(ExitStatus::REJECTED)
}

/// A finding as one line of text.
pub(super) fn describe(finding: &UnloadedLine, path: &Path) -> String {
    let user = shown(&finding.user);
    let text = format!("{}, line {}, user '{user}': {}", path.display(), finding.line, finding.problem);
    escape::line(&text).into_owned()
}

/// An escaped name. It is not necessarily UTF-8.
fn shown(name: &[u8]) -> String {
    escape::bytes(name)
}

fn read(path: &Path) -> Result<PasswordFile, Error> {
    parse(replace::read(path)?, path)
}
