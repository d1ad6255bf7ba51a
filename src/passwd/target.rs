//! Whether a mosquitto version loads a line of its password file.
//!
//! Verified with the brokers: 2.0 requires 12-byte salts, and skips a rejected entry, which locks out that user. 2.1 also
//! accepts 64-byte salts, and does not start if one line is bad. Argon2 is a build option.

use super::file::{PasswordFile, PasswordLine};
use super::{Hash, Scheme};
use std::collections::HashMap;
use std::num::NonZeroU32;

/// The salt length that all mosquitto versions accept.
const PORTABLE_SALT: usize = 12;

/// The salt length that mosquitto_passwd 2.1 writes.
const LONG_SALT: usize = 64;

/// One login takes about 15 ms, during which the broker does nothing else. mosquitto's own default, 1000, makes guesses twenty
/// times cheaper for an attacker with the file. The OWASP recommendation for web sites, 210,000, would block the broker for
/// minutes when a thousand devices reconnect after a restart.
pub(crate) const DEFAULT_ITERATIONS: NonZeroU32 = NonZeroU32::new(20_000).expect("it is not zero");

/// A broker version that loads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MosquittoTarget {
    /// mosquitto 1.x.
    Mosquitto1,
    /// mosquitto 2.0.
    Mosquitto20,
    /// mosquitto 2.1 built without Argon2, the default.
    Mosquitto21,
    /// mosquitto 2.1 built with Argon2.
    Mosquitto21Argon2,
}

/// A line that a broker does not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnloadedLine {
    /// The line number, from 1.
    pub line: usize,
    /// The user, as in the file.
    pub user: Vec<u8>,
    /// The reason.
    pub problem: String,
}

impl MosquittoTarget {
    /// The strongest scheme that this broker loads and can afford at each login.
    pub(crate) fn scheme(self) -> Scheme {
        match self {
            MosquittoTarget::Mosquitto1 => Scheme::Sha512 { salt_len: PORTABLE_SALT },
            // The short salt permits a downgrade to 2.0, and is long enough to be unique.
            MosquittoTarget::Mosquitto20 | MosquittoTarget::Mosquitto21 => pbkdf2(DEFAULT_ITERATIONS),
            MosquittoTarget::Mosquitto21Argon2 => ARGON2ID,
        }
    }

    /// The display name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MosquittoTarget::Mosquitto1 => "mosquitto 1",
            MosquittoTarget::Mosquitto20 => "mosquitto 2.0",
            MosquittoTarget::Mosquitto21 => "mosquitto 2.1 (built without Argon2)",
            MosquittoTarget::Mosquitto21Argon2 => "mosquitto 2.1 (built with Argon2)",
        }
    }

    /// The effect of a bad line on the broker.
    pub(crate) fn consequence(self) -> &'static str {
        match self {
            MosquittoTarget::Mosquitto1 | MosquittoTarget::Mosquitto20 => {
                "skips them, and these users cannot log in"
            }
            MosquittoTarget::Mosquitto21 | MosquittoTarget::Mosquitto21Argon2 => {
                "does not start with such a file"
            }
        }
    }

    /// The reason why this broker rejects hashes of this scheme, if it does.
    pub(crate) fn objection(self, scheme: Scheme) -> Option<String> {
        match (scheme, self) {
            (Scheme::Pbkdf2Sha512 { .. }, MosquittoTarget::Mosquitto1) => {
                Some("sha512-pbkdf2 needs mosquitto 2.0 or later".to_owned())
            }
            (Scheme::Argon2id { .. }, MosquittoTarget::Mosquitto21Argon2) => None,
            (Scheme::Argon2id { .. }, _) => Some("argon2id needs mosquitto 2.1 built with Argon2".to_owned()),
            (Scheme::Sha512 { salt_len } | Scheme::Pbkdf2Sha512 { salt_len, .. }, _) => {
                self.objection_to_salt(salt_len)
            }
        }
    }

    fn objection_to_salt(self, length: usize) -> Option<String> {
        match (self, length) {
            (_, PORTABLE_SALT)
            | (MosquittoTarget::Mosquitto21 | MosquittoTarget::Mosquitto21Argon2, LONG_SALT) => None,
            (MosquittoTarget::Mosquitto1 | MosquittoTarget::Mosquitto20, _) => {
                Some(format!("the salt has {length} bytes; this broker takes {PORTABLE_SALT}"))
            }
            (MosquittoTarget::Mosquitto21 | MosquittoTarget::Mosquitto21Argon2, _) => {
                Some(format!("the salt has {length} bytes; this broker takes {PORTABLE_SALT} or {LONG_SALT}"))
            }
        }
    }

    /// All lines that this broker does not load.
    pub(crate) fn check(self, file: &PasswordFile) -> Vec<UnloadedLine> {
        let mut first_lines = HashMap::new();
        let mut findings = Vec::new();
        for entry in file.entries() {
            let first = *first_lines.entry(entry.user).or_insert(entry.line);
            let twice = (first != entry.line)
                .then(|| format!("duplicate user, also on line {first}; only one line takes effect"));
            let marked = (entry.line == 1 && file.has_mark()).then(|| {
                "the file begins with a byte order mark, which the broker takes as part of the name"
                    .to_owned()
            });
            if let Some(problem) = marked.or(self.problem(&entry)).or(twice) {
                findings.push(UnloadedLine { line: entry.line, user: entry.user.to_vec(), problem });
            }
        }
        findings
    }

    fn problem(self, entry: &PasswordLine<'_>) -> Option<String> {
        if entry.user.is_empty() {
            return Some("missing user name before the ':'".to_owned());
        }
        match Hash::parse(entry.hash) {
            Ok(hash) => self.objection(hash.scheme()),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// PBKDF2 in the form that mosquitto 2.0 and later load.
pub(crate) fn pbkdf2(iterations: NonZeroU32) -> Scheme {
    Scheme::Pbkdf2Sha512 { iterations, salt_len: PORTABLE_SALT }
}

/// The scheme of mosquitto 1, which all versions load.
pub(crate) const SHA512: Scheme = Scheme::Sha512 { salt_len: PORTABLE_SALT };

/// Argon2id with mosquitto's default parameters.
pub(crate) const ARGON2ID: Scheme =
    Scheme::Argon2id { memory_kib: 47_104, passes: 1, lanes: 1, salt_len: LONG_SALT };

/// With fewer PBKDF2 iterations, guesses are too cheap for an attacker with the file.
const FEW_ITERATIONS: u32 = 10_000;

/// The OWASP minimum for Argon2id: memory in KiB times passes.
const LITTLE_WORK: u64 = 7168 * 5;

/// The reason that guesses are cheap for this scheme, if they are.
pub(crate) fn weakness(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Sha512 { .. } => Some("one round of SHA-512; a GPU tests billions of passwords per second"),
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
