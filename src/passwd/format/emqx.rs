//! EMQX's built-in database: a JSON file to import, or to load at the first start. The file does not contain the hash
//! settings, which must match the authenticator's.
//!
//! The salt is text: its hexadecimal digits are hashed, not the bytes they encode.

use super::json::{self, UserList};
use super::{Change, Document, FormatError, PasswordCheck, Secret, Settings, User, digest};
use crate::passwd::Password;
use serde_json::Value;
use std::fmt;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The hash algorithm, if the broker supports several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// One pass of SHA-256.
    Sha256,
    /// One pass of SHA-512.
    Sha512,
    /// PBKDF2 with SHA-256.
    Pbkdf2Sha256,
    /// PBKDF2 with SHA-512.
    Pbkdf2Sha512,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
            Algorithm::Pbkdf2Sha256 => "PBKDF2-SHA256",
            Algorithm::Pbkdf2Sha512 => "PBKDF2-SHA512",
        })
    }
}

/// The position of the salt relative to the password in the hash input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SaltPosition {
    /// Before the password.
    #[default]
    Prefix,
    /// After the password.
    Suffix,
    /// No salt.
    Disable,
}

/// The hash settings of an authenticator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashing {
    algorithm: Algorithm,
    salt_position: SaltPosition,
    iterations: NonZeroU32,
}

impl Hashing {
    pub(super) fn of(settings: &Settings) -> Result<Hashing, FormatError> {
        let (salt_position, iterations) = (settings.salt_position, settings.iterations);
        let algorithm = settings.algorithm.unwrap_or(Algorithm::Sha256);
        let is_simple = matches!(algorithm, Algorithm::Sha256 | Algorithm::Sha512);
        if !is_simple && salt_position != SaltPosition::Prefix {
            return Err(FormatError::Setting(format!("{algorithm} does not support a salt position")));
        }
        Ok(Hashing { algorithm, salt_position, iterations })
    }

    fn hash(self, password: &Password, salt: &str) -> String {
        let parts = match self.salt_position {
            SaltPosition::Prefix => [salt.as_bytes(), password.as_bytes()],
            SaltPosition::Suffix => [password.as_bytes(), salt.as_bytes()],
            SaltPosition::Disable => [password.as_bytes(), b""],
        };
        digest::to_hex(&match self.algorithm {
            Algorithm::Sha256 => digest::sha256(parts),
            Algorithm::Sha512 => digest::sha512(parts),
            Algorithm::Pbkdf2Sha256 => digest::pbkdf2_sha256(password, salt.as_bytes(), self.iterations),
            Algorithm::Pbkdf2Sha512 => digest::pbkdf2_sha512(password, salt.as_bytes(), self.iterations),
        })
    }

    /// The number of hexadecimal digits in a hash.
    fn digits(self) -> usize {
        match self.algorithm {
            Algorithm::Sha256 | Algorithm::Pbkdf2Sha256 => 64,
            Algorithm::Sha512 | Algorithm::Pbkdf2Sha512 => 128,
        }
    }

    fn problem_of(self, hash: &str) -> Option<String> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        let is_hash = hash.len() == self.digits() && hash.bytes().all(is_hex);
        let wanted = || {
            format!("the hash is not {} in {} lower-case hexadecimal digits", self.algorithm, self.digits())
        };
        (!is_hash).then(wanted)
    }

    pub(super) fn verify(self, hash: &str, salt: &str, password: &Password) -> PasswordCheck {
        if let Some(problem) = self.problem_of(hash) {
            return PasswordCheck::Unusable(problem);
        }
        digest::verdict(digest::are_equal(self.hash(password, salt).as_bytes(), hash.as_bytes()))
    }

    pub(super) fn describe(self, name: &str, hash: &str) -> User {
        let is_weak = matches!(self.algorithm, Algorithm::Sha256 | Algorithm::Sha512);
        let scheme = match self.problem_of(hash) {
            Some(problem) => format!("unusable: {problem}"),
            None => format!("{} (as the authenticator is set)", self.algorithm),
        };
        User { name: name.to_owned(), scheme, is_weak }
    }
}

pub(super) fn secret(password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
    let hashing = Hashing::of(settings)?;
    let salt = match settings.salt_position {
        SaltPosition::Disable => String::new(),
        // The length of EMQX's own salts.
        SaltPosition::Prefix | SaltPosition::Suffix => digest::to_hex(&digest::random::<16>()?),
    };
    Ok(Secret { hash: hashing.hash(password, &salt).into(), salt: Some(salt), iterations: None })
}

/// The array of users that EMQX imports.
#[derive(Debug)]
pub(super) struct Emqx {
    list: UserList,
    hashing: Hashing,
    is_superuser: bool,
}

impl Emqx {
    pub(super) fn open(text: Option<&str>, settings: &Settings) -> Result<Emqx, FormatError> {
        let hashing = Hashing::of(settings)?;
        let list = UserList::parse(text.unwrap_or("[\n]\n"), None, "user_id")?;
        if let Some((name, _)) = list.all().find(|(_, user)| json::text(user, "password_hash").is_none()) {
            return Err(FormatError::Document(format!(
                "the user {name:?} has no \"password_hash\"; a file of plain passwords cannot also hold hashes"
            )));
        }
        Ok(Emqx { list, hashing, is_superuser: settings.is_superuser })
    }
}

/// Hash and salt. A missing one is empty.
fn parts(user: &Value) -> (&str, &str) {
    let part = |key| json::text(user, key).unwrap_or_default();
    (part("password_hash"), part("salt"))
}

impl Document for Emqx {
    fn users(&self) -> Vec<User> {
        self.list.all().map(|(name, user)| self.hashing.describe(name, parts(user).0)).collect()
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError> {
        let is_superuser = self.is_superuser;
        Ok(self.list.set(name, |user, change| {
            user.insert("password_hash".to_owned(), secret.hash.as_str().into());
            user.insert("salt".to_owned(), secret.salt.as_deref().into());
            if change == Change::Added {
                user.insert("is_superuser".to_owned(), is_superuser.into());
            }
        }))
    }

    fn remove(&mut self, name: &str) -> bool {
        self.list.remove(name)
    }

    fn verify(&self, name: &str, password: &Password) -> PasswordCheck {
        let user = self.list.find(name).map(parts);
        user.map_or(PasswordCheck::UnknownUser, |(hash, salt)| self.hashing.verify(hash, salt, password))
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.list.to_bytes()
    }
}
