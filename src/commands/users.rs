//! The users of `mq broker`: read at the start, and again at every SIGHUP.

use super::Messages;
use crate::broker::{Access, Users};
use crate::error::Error;
use crate::passwd::{Hash, PasswordFile, replace};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The file that `mq broker --password-file` names, and what was read from it.
#[derive(Debug)]
pub(super) struct UserFile {
    path: PathBuf,
    users: watch::Sender<Arc<Users>>,
    hangup: Signal,
}

impl UserFile {
    /// Reads the file. From here on SIGHUP does not end the program.
    ///
    /// # Errors
    /// When it cannot be read, or has a bad line.
    pub(super) fn open(path: &Path) -> Result<UserFile, Error> {
        let failed = |source| Error::System { action: "catch SIGHUP".to_owned(), source };
        let hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let users = watch::Sender::new(Arc::new(read(path)?));
        Ok(UserFile { path: path.to_owned(), users, hangup })
    }

    /// Lets these users in, as they are at each moment.
    pub(super) fn access(&self, allows_anonymous: bool) -> Access {
        Access { users: self.users.subscribe(), allows_anonymous }
    }

    /// Reads the file again whenever SIGHUP comes, for ever. A bad file changes nothing.
    pub(super) async fn keep_up_to_date(&mut self, messages: Messages) {
        while self.hangup.recv().await.is_some() {
            match read(&self.path) {
                Ok(read) => {
                    messages.say(&format!("read {} again: {}", self.path.display(), count(&read)));
                    self.users.send_replace(Arc::new(read));
                }
                Err(error) => {
                    let kept = count(&self.users.borrow());
                    messages.say(&format!("{error}\nthe users stay as they were: {kept}"));
                }
            }
        }
    }
}

fn read(path: &Path) -> Result<Users, Error> {
    let failed =
        |problem: String| Error::Unusable { option: "--password-file", path: path.to_owned(), problem };
    let content = replace::read(path).map_err(|error| failed(error.to_string()))?;
    let file = PasswordFile::parse(content).map_err(|error| failed(error.to_string()))?;
    take(&file).map_err(failed)
}

/// Takes all lines or none: a user who is left out would be locked out without a word.
fn take(file: &PasswordFile) -> Result<Users, String> {
    let mut first_lines = HashMap::new();
    let mut users = Vec::new();
    for entry in file.entries() {
        let name = String::from_utf8_lossy(entry.user);
        let failed = |problem: String| format!("line {} (user {name:?}): {problem}", entry.line);
        let text = std::str::from_utf8(entry.user).map_err(|_| failed("the name is not UTF-8".to_owned()))?;
        let hash = Hash::parse(entry.hash).map_err(|error| failed(error.to_string()))?;
        if let Some(first) = first_lines.insert(entry.user, entry.line) {
            return Err(failed(format!("line {first} has the same user; remove one of them")));
        }
        users.push((text.to_owned(), hash));
    }
    Ok(Users::new(users))
}

fn count(users: &Users) -> String {
    match users.len() {
        1 => "1 user".to_owned(),
        count => format!("{count} users"),
    }
}
