//! `mq passwd`, and mosquitto_passwd in its shape: what the file holds, who can log in with it, and that it survives everything.

mod brokers;
mod credentials;
mod edits;
mod inspection;
mod interruptions;
mod mosquitto_passwd;
mod prompts;
mod refusals;

use super::support::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// A hash of "secret", quick to check.
const SECRET: &str = "$7$1$MDEyMzQ1Njc4OWFi$3tRQU83jhvduc7r/1pc5YS9xcdkQejbeK3zAr85h0v7Y/G/3y1yXSvBLGJ28BkriqtC0m7lT20gzFF8MS31UAg==";

/// A directory with nothing but a password file.
struct Passwords {
    directory: TempDir,
    path: PathBuf,
}

impl Passwords {
    fn with(content: impl AsRef<[u8]>) -> Passwords {
        let passwords = Passwords::none();
        std::fs::write(&passwords.path, content).unwrap();
        std::fs::set_permissions(&passwords.path, PermissionsExt::from_mode(0o600)).unwrap();
        passwords
    }

    /// The file is not there yet.
    fn none() -> Passwords {
        let directory = TempDir::new().unwrap();
        Passwords { path: directory.path().join("pw"), directory }
    }

    /// `mq passwd` with these options, the file, and these words.
    fn passwd(&self, options: &str, words: &str) -> Program {
        mq("passwd").words(options).arg(&self.path).words(words)
    }

    /// `mosquitto_passwd` with these options, the file, and these words.
    fn mosquitto_passwd(&self, options: &str, words: &str) -> Program {
        called_as("mosquitto_passwd", options).arg(&self.path).words(words)
    }

    /// `mq passwd` with a command below it, the file, and these words.
    fn below(&self, command: &str, words: &str) -> Program {
        self.passwd(command, words)
    }

    /// Sets a password, quickly.
    fn set(&self, user: &str, password: &str) {
        self.passwd("-b -I 1", &format!("{user} {password}")).run().expect_status(0);
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    #[track_caller]
    fn assert_verifies(&self, user: &str, password: &str) {
        for (password, status) in [(password, 0), (&format!("{password}x"), 3)] {
            let finished = self.below("verify", user).stdin(format!("{password}\n")).run();
            finished.expect_status(status);
        }
    }

    /// The names of all files in the directory.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// The part of a line behind the user.
fn hash_of<'a>(text: &'a str, user: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(user)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {user} in {text}"))
}
