//! What each mosquitto makes of a line of its password file.
//!
//! All of it was tried with the brokers. 2.0 takes salts of 12 bytes and passes over an entry that it does not like, whose user is
//! then locked out; 2.1 takes salts of 64 bytes as well, and does not start with one bad line. Argon2 is a matter of how it
//! was built.

use super::file::{Entry, PasswordFile};
use super::{Hash, Scheme};
use std::collections::HashMap;
use std::num::NonZeroU32;

/// The length of salts that every mosquitto takes.
const PORTABLE_SALT: usize = 12;

/// The length that mosquitto_passwd 2.1 writes.
const LONG_SALT: usize = 64;

/// A login costs the broker, which does nothing else meanwhile, some 15 ms with it. mosquitto's own number, 1000, makes each guess
/// twenty times cheaper for whoever has got the file; 210,000, which OWASP recommends for web sites, would stop the broker for
/// minutes when a thousand devices come back after a restart.
pub const DEFAULT_ITERATIONS: NonZeroU32 = NonZeroU32::new(20_000).expect("it is not zero");

/// A broker that is to load the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// mosquitto 1.x.
    Mosquitto1,
    /// mosquitto 2.0.
    Mosquitto20,
    /// mosquitto 2.1 that was built without Argon2, as it is by default.
    Mosquitto21,
    /// mosquitto 2.1 that was built with Argon2.
    Mosquitto21Argon2,
}

/// A line that a broker does not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its number, from 1.
    pub line: usize,
    /// The user, as it stands there.
    pub user: Vec<u8>,
    /// What is wrong with it.
    pub problem: String,
}

impl Target {
    /// How passwords are hashed for this broker: the strongest way that it loads at a cost that it can bear.
    pub fn scheme(self) -> Scheme {
        match self {
            Target::Mosquitto1 => Scheme::Sha512 { salt_len: PORTABLE_SALT },
            // The short salt leaves the way back to 2.0 open, and is long enough to be different for everyone.
            Target::Mosquitto20 | Target::Mosquitto21 => pbkdf2(DEFAULT_ITERATIONS),
            Target::Mosquitto21Argon2 => ARGON2ID,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Target::Mosquitto1 => "mosquitto 1",
            Target::Mosquitto20 => "mosquitto 2.0",
            Target::Mosquitto21 => "mosquitto 2.1 (built without Argon2)",
            Target::Mosquitto21Argon2 => "mosquitto 2.1 (built with Argon2)",
        }
    }

    /// What it does with a file that has such lines.
    pub fn consequence(self) -> &'static str {
        match self {
            Target::Mosquitto1 | Target::Mosquitto20 => "leaves them out, and these users cannot log in",
            Target::Mosquitto21 | Target::Mosquitto21Argon2 => "does not start with such a file",
        }
    }

    /// Why it does not load hashes of this scheme, if it does not.
    pub fn objection(self, scheme: Scheme) -> Option<String> {
        match (scheme, self) {
            (Scheme::Pbkdf2Sha512 { .. }, Target::Mosquitto1) => {
                Some("sha512-pbkdf2 came with mosquitto 2.0".to_owned())
            }
            (Scheme::Argon2id { .. }, Target::Mosquitto21Argon2) => None,
            (Scheme::Argon2id { .. }, _) => {
                Some("argon2id needs mosquitto 2.1 that was built with it".to_owned())
            }
            (Scheme::Sha512 { salt_len } | Scheme::Pbkdf2Sha512 { salt_len, .. }, _) => {
                self.objection_to_salt(salt_len)
            }
        }
    }

    fn objection_to_salt(self, length: usize) -> Option<String> {
        match (self, length) {
            (_, PORTABLE_SALT) | (Target::Mosquitto21 | Target::Mosquitto21Argon2, LONG_SALT) => None,
            (Target::Mosquitto1 | Target::Mosquitto20, _) => {
                Some(format!("the salt has {length} bytes; this broker takes {PORTABLE_SALT}"))
            }
            (Target::Mosquitto21 | Target::Mosquitto21Argon2, _) => {
                Some(format!("the salt has {length} bytes; this broker takes {PORTABLE_SALT} or {LONG_SALT}"))
            }
        }
    }

    /// All lines that this broker does not load.
    pub fn check(self, file: &PasswordFile) -> Vec<Finding> {
        let mut first_lines = HashMap::new();
        let mut findings = Vec::new();
        for entry in file.entries() {
            let first = *first_lines.entry(entry.user).or_insert(entry.line);
            let twice =
                (first != entry.line).then(|| format!("line {first} has the same user; only one can count"));
            let marked = (entry.line == 1 && file.has_mark()).then(|| {
                "a byte order mark stands in front, which the broker takes for a part of the name".to_owned()
            });
            if let Some(problem) = marked.or(self.problem(&entry)).or(twice) {
                findings.push(Finding { line: entry.line, user: entry.user.to_vec(), problem });
            }
        }
        findings
    }

    fn problem(self, entry: &Entry<'_>) -> Option<String> {
        if entry.user.is_empty() {
            return Some("there is no user name before the ':'".to_owned());
        }
        match Hash::parse(entry.hash) {
            Ok(hash) => self.objection(hash.scheme()),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// PBKDF2 as every mosquitto since 2.0 loads it.
pub fn pbkdf2(iterations: NonZeroU32) -> Scheme {
    Scheme::Pbkdf2Sha512 { iterations, salt_len: PORTABLE_SALT }
}

/// What mosquitto 1 wrote, and every mosquitto loads.
pub const SHA512: Scheme = Scheme::Sha512 { salt_len: PORTABLE_SALT };

/// Argon2id with mosquitto's own parameters.
pub const ARGON2ID: Scheme =
    Scheme::Argon2id { memory_kib: 47_104, passes: 1, lanes: 1, salt_len: LONG_SALT };

/// Below this, PBKDF2 slows whoever has got the file down too little.
const FEW_ITERATIONS: u32 = 10_000;

/// The least memory times passes in KiB that OWASP recommends for Argon2id.
const LITTLE_WORK: u64 = 7168 * 5;

/// Why guesses at such a hash are cheap, if they are.
pub fn weakness(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Sha512 { .. } => Some("one round of SHA-512; a graphics card tries billions a second"),
        Scheme::Pbkdf2Sha512 { iterations, .. } if iterations.get() < FEW_ITERATIONS => {
            Some("few iterations")
        }
        Scheme::Argon2id { memory_kib, passes, .. }
            if u64::from(memory_kib) * u64::from(passes) < LITTLE_WORK =>
        {
            Some("little memory, few passes")
        }
        Scheme::Pbkdf2Sha512 { .. } | Scheme::Argon2id { .. } => None,
    }
}
