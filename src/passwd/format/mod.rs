//! Credential files of several brokers. Only the users in a document are changed; the rest stays as it is.
//!
//! | format | file |
//! |---|---|
//! | `mosquitto` | mosquitto: its password file |
//! | `dynsec` | mosquitto's dynamic security plugin: JSON |
//! | `emqx` | EMQX's built-in database: a JSON or CSV file to import |
//! | `rabbitmq` | RabbitMQ's definitions: JSON |
//! | `vernemq` | VerneMQ: lines of mosquitto 1.x |
//! | `hivemq` | HiveMQ's file RBAC extension: XML |
//! | `nanomq` | NanoMQ: lines of plain text |
//!
//! The modules `json` and `digest` have the code that several formats share.

mod digest;
mod dynsec;
mod emqx;
mod emqx_csv;
mod hivemq;
mod json;
mod lines;
mod mosquitto;
mod nanomq;
mod rabbitmq;
#[cfg(test)]
mod tests;
mod vernemq;

use super::{HashError, Password, Scheme, UserName};
pub(crate) use emqx::{Algorithm, SaltPosition};
use std::num::NonZeroU32;
use std::str::Utf8Error;
use zeroize::Zeroizing;

/// The default role of new users. Roles made by others are never chosen, since one could be the administrator's.
pub(crate) const ROLE: &str = "all-topics";

/// A document format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// mosquitto's password file.
    Mosquitto,
    /// mosquitto's dynamic security plugin.
    Dynsec,
    EmqxJson,
    EmqxCsv,
    /// RabbitMQ's definitions.
    RabbitMq,
    /// VerneMQ's password file.
    VerneMq,
    /// HiveMQ's file RBAC extension.
    HiveMq,
    /// NanoMQ's password file.
    NanoMq,
}

/// Settings for new users and their hashes. Each format reads the ones it needs.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The scheme for mosquitto's own file.
    pub scheme: Scheme,
    /// The algorithm for EMQX and RabbitMQ; `None` for SHA-256.
    pub algorithm: Option<Algorithm>,
    /// The salt position for EMQX.
    pub salt_position: SaltPosition,
    /// The PBKDF2 iterations, if the format uses PBKDF2.
    pub iterations: NonZeroU32,
    /// Whether a new user of EMQX is a superuser.
    pub is_superuser: bool,
    /// The role of a new user, if the broker has roles; `None` for [`ROLE`], if the document has it. A new document gets the
    /// role with all topics.
    pub role: Option<String>,
    /// The virtual host in which a new user of RabbitMQ gets all permissions.
    pub virtual_host: String,
}

/// The stored form of a password, encoded for the format.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    hash: Zeroizing<String>,
    salt: Option<String>,
    iterations: Option<NonZeroU32>,
}

impl Secret {
    /// A secret that is a single string.
    fn whole(text: String) -> Secret {
        Secret { hash: Zeroizing::new(text), salt: None, iterations: None }
    }
}

/// The result of [`Document::set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The user is new.
    Added,
    /// The user existed; the password was changed.
    Updated,
}

/// A user and the hash scheme of its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub name: String,
    /// The scheme and its parameters.
    pub scheme: String,
    /// Whether guesses are cheap for an attacker with the file.
    pub is_weak: bool,
}

/// The result of a password check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PasswordCheck {
    /// The password matches.
    Right,
    /// The password does not match.
    Wrong,
    /// The user does not exist.
    UnknownUser,
    /// The stored hash cannot be checked, here or by the broker.
    Unusable(String),
}

/// The reason why a document, name, password or setting is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    /// A line is invalid.
    #[error("line {number}: {problem}")]
    Line {
        /// The line number, from 1.
        number: usize,
        /// The reason, and the remedy.
        problem: String,
    },
    /// The document is invalid.
    #[error("{0}")]
    Document(String),
    /// The format cannot hold the user name.
    #[error("the user name {name:?} {problem}")]
    Name {
        name: String,
        /// The reason.
        problem: String,
    },
    /// The format cannot hold the password.
    #[error("the password {0}")]
    Password(&'static str),
    /// The format does not support a setting.
    #[error("{0}")]
    Setting(String),
    /// Hashing failed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// A document whose users can be read and changed.
pub(crate) trait Document {
    /// All users, in document order.
    fn users(&self) -> Vec<User>;

    /// Adds a user, or changes the password of an existing one.
    ///
    /// # Errors
    /// If the format cannot hold the name, or the document lacks a role for new users.
    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError>;

    /// Removes a user. `false` if it does not exist.
    fn remove(&mut self, name: &str) -> bool;

    /// Checks a password. The comparison takes constant time.
    fn verify(&self, name: &str, password: &Password) -> PasswordCheck;

    /// The serialized document.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
}

impl Format {
    /// All formats, in the order of the help.
    pub(crate) const ALL: [Format; 8] = [
        Format::Mosquitto,
        Format::Dynsec,
        Format::EmqxJson,
        Format::EmqxCsv,
        Format::RabbitMq,
        Format::VerneMq,
        Format::HiveMq,
        Format::NanoMq,
    ];

    /// The name in options, and its description in the help.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            Format::Mosquitto => ("mosquitto", "mosquitto's password file"),
            Format::Dynsec => ("mosquitto-dynsec", "mosquitto's dynamic security plugin (JSON)"),
            Format::EmqxJson => ("emqx-json", "EMQX's built-in database, for import (JSON)"),
            Format::EmqxCsv => ("emqx-csv", "EMQX's built-in database, for import (CSV without quotes)"),
            Format::RabbitMq => ("rabbitmq", "RabbitMQ's definitions (JSON)"),
            Format::VerneMq => ("vernemq", "VerneMQ's password file"),
            Format::HiveMq => ("hivemq", "HiveMQ's file RBAC extension (XML)"),
            Format::NanoMq => ("nanomq", "NanoMQ's password file, in plain text"),
        }
    }

    /// Parses a document, or creates a new one for `None`.
    ///
    /// # Errors
    /// If the document is invalid, including anything that the broker would reject.
    pub(crate) fn open(
        self,
        content: Option<&[u8]>,
        settings: &Settings,
    ) -> Result<Box<dyn Document>, FormatError> {
        let text = match self {
            // Its comments are not necessarily UTF-8.
            Format::Mosquitto => None,
            _ => content.map(std::str::from_utf8).transpose().map_err(not_text)?,
        };
        Ok(match self {
            Format::Mosquitto => Box::new(mosquitto::Mosquitto::open(content)?),
            Format::Dynsec => Box::new(dynsec::Dynsec::open(text, settings)?),
            Format::EmqxJson => Box::new(emqx::Emqx::open(text, settings)?),
            Format::EmqxCsv => Box::new(emqx_csv::EmqxCsv::open(text, settings)?),
            Format::RabbitMq => Box::new(rabbitmq::RabbitMq::open(text, settings)?),
            Format::VerneMq => Box::new(vernemq::VerneMq::open(text)?),
            Format::HiveMq => Box::new(hivemq::HiveMq::open(text, settings)?),
            Format::NanoMq => Box::new(nanomq::NanoMq::open(text)?),
        })
    }

    /// Hashes or encodes a password for the format, with a random salt.
    ///
    /// # Errors
    /// If the format cannot hold the password or does not support the algorithm, or random bytes are not available.
    pub(crate) fn secret(self, password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
        match self {
            Format::Mosquitto => mosquitto::secret(password, settings.scheme),
            Format::Dynsec => dynsec::secret(password, settings),
            Format::EmqxJson | Format::EmqxCsv => emqx::secret(password, settings),
            Format::RabbitMq => rabbitmq::secret(password, settings),
            Format::VerneMq => vernemq::secret(password),
            Format::HiveMq => hivemq::secret(password, settings),
            Format::NanoMq => nanomq::secret(password),
        }
    }

    /// Whether the file holds the passwords in plain text.
    pub(crate) fn is_plain_text(self) -> bool {
        self == Format::NanoMq
    }

    /// Checks a name against the rules of all brokers and of this format.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub(crate) fn check_name(self, name: &str) -> Result<(), FormatError> {
        let problem = common_problem(name).or_else(|| match self {
            Format::Mosquitto => mosquitto::problem_of(name),
            Format::EmqxCsv => emqx_csv::problem_of(name),
            Format::VerneMq => vernemq::problem_of(name),
            Format::HiveMq => hivemq::problem_of(name),
            Format::NanoMq => nanomq::problem_of(name),
            Format::Dynsec | Format::EmqxJson | Format::RabbitMq => None,
        });
        let shown = || name.chars().take(100).collect();
        problem.map_or(Ok(()), |problem| Err(FormatError::Name { name: shown(), problem }))
    }
}

fn not_text(error: Utf8Error) -> FormatError {
    FormatError::Document(format!("not valid UTF-8 at byte {}", error.valid_up_to()))
}

/// The role for new users, out of the document's roles.
fn choose_role(wanted: Option<&str>, known: &[&str]) -> Result<Option<String>, FormatError> {
    match wanted {
        Some(role) if !known.contains(&role) => {
            Err(FormatError::Setting(format!("unknown role {role:?}; known roles: {known:?}")))
        }
        Some(role) => Ok(Some(role.to_owned())),
        None => Ok(known.contains(&ROLE).then(|| ROLE.to_owned())),
    }
}

fn common_problem(name: &str) -> Option<String> {
    let control = name.chars().position(char::is_control).map(|position| position + 1);
    match control {
        _ if name.is_empty() => Some("is empty".to_owned()),
        _ if name.len() > UserName::MAX_LENGTH => {
            Some(format!("has {} bytes; MQTT permits at most {}", name.len(), UserName::MAX_LENGTH))
        }
        Some(position) => Some(format!("has a control character at position {position}")),
        None => None,
    }
}

/// An index of the names in a document, to find users and duplicates.
#[derive(Debug, Default)]
struct Index(std::collections::HashMap<String, usize>);

impl Index {
    /// Records the position of a name. `false` if the name is a duplicate.
    fn note(&mut self, name: &str, position: usize) -> bool {
        self.0.insert(name.to_owned(), position).is_none()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Removes a name, without changing other positions.
    fn take(&mut self, name: &str) -> Option<usize> {
        self.0.remove(name)
    }

    /// Removes a name, and moves the following positions up.
    fn remove(&mut self, name: &str) -> Option<usize> {
        let removed = self.take(name)?;
        for position in self.0.values_mut().filter(|position| **position > removed) {
            *position -= 1;
        }
        Some(removed)
    }
}
