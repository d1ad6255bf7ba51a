//! The users of `mq broker`: read at the start, and again at every SIGHUP.

use super::log::Log;
use crate::authentication::scram::Keys;
use crate::broker::{ScramUsers, Users};
use crate::commands::error::Error;
use crate::passwd::file::PasswordLine;
use crate::passwd::{Hash, PasswordFile, replace};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// A password file and its parsed users.
#[derive(Debug)]
pub(super) struct UserFile<T> {
    path: PathBuf,
    users: watch::Sender<Arc<T>>,
    hangup: Signal,
}

/// Users in the broker's form.
pub(super) trait FromFile: Sized {
    /// The option that names the file.
    const OPTION: &'static str;

    /// Takes all lines or none: a user whose line is skipped would be locked out silently.
    fn take(file: &PasswordFile) -> Result<Self, String>;

    /// The number of entries.
    fn count(&self) -> usize;
}

impl<T: FromFile> UserFile<T> {
    /// Reads the file. From here on, SIGHUP no longer ends the program.
    ///
    /// # Errors
    /// When it cannot be read, or has a bad line.
    pub(super) fn open(path: &Path) -> Result<UserFile<T>, Error> {
        let failed = |source| Error::system("catch SIGHUP", source);
        let hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let users = watch::Sender::new(Arc::new(read(path)?));
        Ok(UserFile { path: path.to_owned(), users, hangup })
    }

    /// The current users.
    pub(super) fn users(&self) -> watch::Receiver<Arc<T>> {
        self.users.subscribe()
    }

    /// Reads the file again at each SIGHUP, forever. A bad file changes nothing.
    pub(super) async fn keep_up_to_date(&mut self, log: &Log) {
        while self.hangup.recv().await.is_some() {
            match read::<T>(&self.path) {
                Ok(read) => {
                    log.say(&format!("read {} again: {}", self.path.display(), count(&read)));
                    self.users.send_replace(Arc::new(read));
                }
                Err(error) => {
                    let kept = count(&**self.users.borrow());
                    log.say(&error.to_string());
                    log.say(&format!("the users are unchanged: {kept}"));
                }
            }
        }
    }
}

fn read<T: FromFile>(path: &Path) -> Result<T, Error> {
    let failed = |problem: String| Error::unusable(T::OPTION, path, problem);
    let content = replace::read(path).map_err(|error| failed(error.to_string()))?;
    let file = PasswordFile::parse(content).map_err(|error| failed(error.to_string()))?;
    T::take(&file).map_err(failed)
}

impl FromFile for Users {
    const OPTION: &'static str = "--password-file";

    fn take(file: &PasswordFile) -> Result<Users, String> {
        let hash = |entry: &PasswordLine<'_>| Hash::parse(entry.hash).map_err(|error| error.to_string());
        Ok(Users::new(take(file, hash, |_| ())?))
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl FromFile for ScramUsers {
    const OPTION: &'static str = "--scram-file";

    fn take(file: &PasswordFile) -> Result<ScramUsers, String> {
        let keys = |entry: &PasswordLine<'_>| {
            Keys::parse(entry.rest.trim_ascii()).map_err(|error| error.to_string())
        };
        Ok(ScramUsers::new(take(file, keys, Keys::algorithm)?))
    }

    fn count(&self) -> usize {
        self.len()
    }
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

fn count(users: &impl FromFile) -> String {
    match users.count() {
        1 => "1 user".to_owned(),
        count => format!("{count} users"),
    }
}
