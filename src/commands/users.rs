//! The users of `mq broker`, from files that are read again at every SIGHUP.

use super::reloaded::{Content, Reloaded};
use crate::authentication::scram::Keys;
use crate::broker::{ScramUsers, Users};
use crate::commands::error::Error;
use crate::passwd::file::PasswordLine;
use crate::passwd::replace::{self, FileError};
use crate::passwd::{Hash, PasswordFile};
use crate::words::counted;
use std::collections::HashMap;
use std::path::Path;

/// Users in the broker's form.
pub(super) trait FromFile: Content {
    /// The option that names the file.
    const OPTION: &'static str;

    /// Takes all lines or none: a user whose line is skipped would be locked out silently.
    fn take(file: &PasswordFile) -> Result<Self, String>;
}

/// Reads a file.
///
/// # Errors
/// If it cannot be read, or has a bad line.
pub(super) fn open<T: FromFile>(path: &Path) -> Result<Reloaded<T>, Error> {
    let file = path.to_owned();
    Reloaded::open(path, move |_| read(&file))
}

fn read<T: FromFile>(path: &Path) -> Result<T, Error> {
    let failed = |problem: String| Error::unusable(T::OPTION, path, problem);
    let content = replace::read(path).map_err(|error| match error {
        FileError::System { source, .. } => failed(format!("cannot be read: {source}")),
        other => failed(other.to_string()),
    })?;
    let file = PasswordFile::parse(content).map_err(|error| failed(error.to_string()))?;
    T::take(&file).map_err(failed)
}

impl FromFile for Users {
    const OPTION: &'static str = "--password-file";

    fn take(file: &PasswordFile) -> Result<Users, String> {
        let hash = |entry: &PasswordLine<'_>| Hash::parse(entry.hash).map_err(|error| error.to_string());
        let mut users = Users::new(take(file, hash, |_| ())?);
        users.ignored_lines = file.ignored_lines().collect();
        Ok(users)
    }
}

impl Content for Users {
    const SUBJECT: &'static str = "the users are";

    fn summary(&self) -> String {
        counted(self.len(), "user")
    }

    fn warnings(&self) -> Vec<String> {
        of_ignored(&self.ignored_lines)
    }
}

impl Content for ScramUsers {
    const SUBJECT: &'static str = "the users are";

    fn summary(&self) -> String {
        counted(self.len(), "user")
    }

    fn warnings(&self) -> Vec<String> {
        of_ignored(&self.ignored_lines)
    }
}

impl FromFile for ScramUsers {
    const OPTION: &'static str = "--scram-file";

    fn take(file: &PasswordFile) -> Result<ScramUsers, String> {
        let keys = |entry: &PasswordLine<'_>| {
            Keys::parse(entry.rest.trim_ascii()).map_err(|error| error.to_string())
        };
        let mut users = ScramUsers::new(take(file, keys, Keys::algorithm)?);
        users.ignored_lines = file.ignored_lines().collect();
        Ok(users)
    }
}

/// The warning about lines without a user, if there are any. mosquitto ignores them silently.
fn of_ignored(lines: &[usize]) -> Vec<String> {
    let Some((first, more)) = lines.split_first() else { return Vec::new() };
    let more = match more.len() {
        0 => String::new(),
        count => format!(" and {} more", counted(count, "line")),
    };
    vec![format!(", line {first}{more}: ignored, since there is no colon after a user name")]
}

/// The secret of each user. A user may occur once for each `kind` of secret.
fn take<S, K: Eq + std::hash::Hash>(
    file: &PasswordFile,
    parse: impl Fn(&PasswordLine<'_>) -> Result<S, String>,
    kind: impl Fn(&S) -> K,
) -> Result<Vec<(String, S)>, String> {
    let mut first_lines = HashMap::new();
    let mut users = Vec::new();
    for entry in file.entries() {
        let name = String::from_utf8_lossy(entry.user);
        let failed = |problem: String| format!("line {} (user {name:?}): {problem}", entry.line);
        let text = std::str::from_utf8(entry.user).map_err(|_| failed("the name is not UTF-8".to_owned()))?;
        if text.is_empty() {
            return Err(failed("missing user name before the ':'".to_owned()));
        }
        let secret = parse(&entry).map_err(failed)?;
        if let Some(first) = first_lines.insert((entry.user, kind(&secret)), entry.line) {
            return Err(failed(format!("duplicate user, also on line {first}; remove one of the lines")));
        }
        users.push((text.to_owned(), secret));
    }
    Ok(users)
}
