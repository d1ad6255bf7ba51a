//! Entry points for fuzzers: files of credentials, and lists of users. Compiled for tests and with `--cfg fuzzing` only.

use super::format::{Change, Document, Format, PasswordCheck, SaltPosition, Secret, Settings, User};
use super::import::{ImportError, Rows};
use super::{Password, Scheme};
use std::num::NonZeroU32;

/// The user that is added.
const ADDED: &str = "added by the fuzzer";

thread_local! {
    /// The hash of the added user's password in each format, as hashing takes longer than all else.
    static SECRETS: Vec<(Format, Secret)> = Format::ALL
        .into_iter()
        .map(|format| (format, format.secret(&password(), &settings()).expect("a password for all formats")))
        .collect();
}

fn password() -> Password {
    Password::new(b"secret".to_vec()).expect("a password")
}

fn settings() -> Settings {
    let iterations = NonZeroU32::new(101).expect("not zero");
    Settings {
        scheme: Scheme::Pbkdf2Sha512 { iterations, salt_len: 12 },
        algorithm: None,
        salt_position: SaltPosition::Prefix,
        iterations,
        is_superuser: false,
        role: None,
        virtual_host: "/".to_owned(),
    }
}

/// Reads a file of credentials, adds a user and removes it again: the other users stay. The first byte selects the format.
pub fn credentials(bytes: &[u8]) {
    let Some((how, content)) = bytes.split_first() else { return };
    SECRETS.with(|secrets| {
        let chosen = usize::from(*how) % secrets.len();
        let Some((format, secret)) = secrets.get(chosen) else { return };
        let Ok(mut document) = format.open(Some(content), &settings()) else { return };
        let users = document.users();
        let written = document.to_bytes();
        assert_eq!(reopened(*format, &written).users(), users);
        if users.iter().any(|user| user.name == ADDED) || document.set(ADDED, secret) != Ok(Change::Added) {
            return;
        }
        let document_with_user = reopened(*format, &document.to_bytes());
        assert_eq!(document_with_user.verify(ADDED, &password()), PasswordCheck::Right);
        assert!(document.remove(ADDED));
        let names = |users: Vec<User>| users.into_iter().map(|user| user.name).collect::<Vec<_>>();
        let left = reopened(*format, &document.to_bytes()).users();
        assert_eq!(names(left), names(users));
        assert_eq!(document.verify(ADDED, &password()), PasswordCheck::UnknownUser);
    });
}

fn reopened(format: Format, content: &[u8]) -> Box<dyn Document> {
    let opened = format.open(Some(content), &settings());
    opened.unwrap_or_else(|error| panic!("{format:?}: {error}: {}", content.escape_ascii()))
}

/// Reads a list of users. The first byte says whether it has a header.
pub fn user_lists(bytes: &[u8]) {
    let Some((how, content)) = bytes.split_first() else { return };
    let Ok(rows) = Rows::new(content, how & 1 == 1) else { return };
    let mut line = 1;
    for row in rows {
        match row {
            Ok(row) => {
                // A row may also end with a carriage return, which ends no line.
                assert!(row.line >= line, "the lines of rows do not decrease");
                line = row.line;
            }
            Err(ImportError::Unreadable(_)) => return,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
