//! Credentials as other brokers keep them: a document each, of which only the users are ours to change. All else stays.
//!
//! | format | what the broker reads |
//! |---|---|
//! | `mosquitto` | mosquitto: its password file |
//! | `dynsec` | mosquitto's dynamic security plugin: JSON |
//! | `emqx` | EMQX's built-in database: a JSON or CSV file to import |
//! | `rabbitmq` | RabbitMQ's definitions: JSON |
//! | `vernemq` | VerneMQ: lines of mosquitto 1.x |
//! | `hivemq` | HiveMQ's file RBAC extension: XML |
//! | `nanomq` | NanoMQ: lines of plain text |
//!
//! What the three JSON documents share is in `json`, what the hashes share in `digest`.

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

use super::{HashError, Password, Scheme};
pub use emqx::{Algorithm, SaltPosition};
use std::num::NonZeroU32;
use std::str::Utf8Error;
use zeroize::Zeroizing;

/// A user name and a password each have two bytes for their length in MQTT.
const MAX_NAME: usize = 65_535;

/// The role of new users when no other is chosen. It is never one that somebody else made: that could be the administrator's.
pub const ROLE: &str = "all-topics";

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// mosquitto's password file.
    Mosquitto,
    /// mosquitto's dynamic security plugin.
    Dynsec,
    /// EMQX, as JSON.
    EmqxJson,
    /// EMQX, as CSV.
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

/// What can be chosen about new users and their hashes. A format reads what concerns it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How mosquitto's own file hashes.
    pub scheme: Scheme,
    /// How EMQX and RabbitMQ hash; `None` for SHA-256.
    pub algorithm: Option<Algorithm>,
    /// Where EMQX puts the salt.
    pub salt_position: SaltPosition,
    /// The work factor, where the hash has one.
    pub iterations: NonZeroU32,
    /// Whether a new user of EMQX is a superuser.
    pub is_superuser: bool,
    /// The role of a new user, where the broker has roles; `None` for [`ROLE`], where the document has it. A new document gets
    /// the role with all topics.
    pub role: Option<String>,
    /// The virtual host in which a new user of RabbitMQ may do everything.
    pub virtual_host: String,
}

/// What is kept of a password, in the words of the format.
#[derive(Debug, Clone)]
pub struct Secret {
    hash: Zeroizing<String>,
    salt: Option<String>,
    iterations: Option<NonZeroU32>,
}

impl Secret {
    /// One that is a single text.
    fn whole(text: String) -> Secret {
        Secret { hash: Zeroizing::new(text), salt: None, iterations: None }
    }
}

/// What became of a user that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It was there, with another password.
    Updated,
}

/// A user, and what is known about its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The scheme and its parameters.
    pub scheme: String,
    /// Whether a thief of the file would find the password cheaply.
    pub is_weak: bool,
}

/// What a check of a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the user's.
    Right,
    /// It is not.
    Wrong,
    /// There is no such user.
    UnknownUser,
    /// What stands there cannot be checked, or is nothing that the broker could check.
    Unusable(String),
}

/// Why a document, a name or a password is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A line is not what it should be.
    #[error("line {number}: {problem}")]
    Line {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The document is not what it should be.
    #[error("{0}")]
    Document(String),
    /// The format cannot hold the user name.
    #[error("the user name {name:?} {problem}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        problem: String,
    },
    /// The format cannot hold the password.
    #[error("the password {0}")]
    Password(&'static str),
    /// The format has no such choice.
    #[error("{0}")]
    Setting(String),
    /// There is no hash to be had.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// A document whose users can be read and changed.
pub trait Document {
    /// All users, in their order.
    fn users(&self) -> Vec<User>;

    /// Adds a user, or changes the password of the one who is there.
    ///
    /// # Errors
    /// When the format cannot hold the name, or the document lacks what a new user needs.
    fn set(&mut self, name: &str, secret: &Secret) -> Result<Change, FormatError>;

    /// Takes a user out. `false` when there is none with this name.
    fn remove(&mut self, name: &str) -> bool;

    /// Checks a password in a time that does not tell how much of it is right.
    fn verify(&self, name: &str, password: &Password) -> Verdict;

    /// The document as it is written.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
}

impl Format {
    /// Reads a document, or begins a new one for `None`.
    ///
    /// # Errors
    /// What is wrong with it, and where. Nothing that the broker would stumble over is let through.
    pub fn open(self, content: Option<&[u8]>, settings: &Settings) -> Result<Box<dyn Document>, FormatError> {
        let text = match self {
            // Comments in it need not be text.
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

    /// Makes what the format keeps of a password, with a fresh salt.
    ///
    /// # Errors
    /// When the format cannot hold the password, does not know the algorithm, or there is no salt to be had.
    pub fn secret(self, password: &Password, settings: &Settings) -> Result<Secret, FormatError> {
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

    /// Whether everyone who can read the file knows the passwords.
    pub fn is_plain_text(self) -> bool {
        self == Format::NanoMq
    }

    /// Checks what all brokers want of a name, and what this format wants besides.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_name(self, name: &str) -> Result<(), FormatError> {
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
    FormatError::Document(format!("it is not UTF-8 at byte {}", error.valid_up_to()))
}

/// The role of new users among those that the document has.
fn choose_role(wanted: Option<&str>, known: &[&str]) -> Result<Option<String>, FormatError> {
    match wanted {
        Some(role) if !known.contains(&role) => {
            Err(FormatError::Setting(format!("there is no role {role:?}; there are {known:?}")))
        }
        Some(role) => Ok(Some(role.to_owned())),
        None => Ok(known.contains(&ROLE).then(|| ROLE.to_owned())),
    }
}

fn common_problem(name: &str) -> Option<String> {
    let control = name.chars().position(char::is_control).map(|place| place + 1);
    match control {
        _ if name.is_empty() => Some("is empty".to_owned()),
        _ if name.len() > MAX_NAME => Some(format!("has {} bytes; MQTT has room for {MAX_NAME}", name.len())),
        Some(place) => Some(format!("has a control character at place {place}")),
        None => None,
    }
}

/// The index of the names in a document: each may be there once.
#[derive(Debug, Default)]
struct Index(std::collections::HashMap<String, usize>);

impl Index {
    /// Notes where a name is. `false` when it is somewhere else already.
    fn note(&mut self, name: &str, place: usize) -> bool {
        self.0.insert(name.to_owned(), place).is_none()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Forgets a name, and nothing else changes.
    fn take(&mut self, name: &str) -> Option<usize> {
        self.0.remove(name)
    }

    /// Forgets a name; what stood behind it moves up.
    fn remove(&mut self, name: &str) -> Option<usize> {
        let removed = self.take(name)?;
        for place in self.0.values_mut().filter(|place| **place > removed) {
            *place -= 1;
        }
        Some(removed)
    }
}
