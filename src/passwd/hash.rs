//! Hashed passwords as mosquitto has them in its password file: `$6$` (SHA-512), `$7$` (PBKDF2 with SHA-512) and `$argon2id$`.
//!
//! A hash says itself what it costs to check. Whoever can write one could ask for hours and all memory; so the costs have bounds,
//! far over what a broker can afford at each login.

use super::Password;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha512};
use std::fmt;
use std::num::NonZeroU32;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What SHA-512 gives, and PBKDF2 with it as mosquitto uses it. Mosquitto takes nothing else.
const SHA512_LENGTH: usize = 64;

/// As mosquitto 2.1 has it.
const ARGON2_LENGTH: usize = 64;

/// What is written after `v=`: Argon2 version 1.3.
const ARGON2_VERSION: &str = "v=19";

/// How a password becomes a hash, apart from the salt's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// SHA-512 of password and salt, as mosquitto 1 had it. It is quick to compute, and so are guesses.
    Sha512 {
        /// The length of the salt in bytes.
        salt_len: usize,
    },
    /// PBKDF2 with HMAC-SHA-512.
    Pbkdf2Sha512 {
        /// How often it is computed.
        iterations: NonZeroU32,
        /// The length of the salt in bytes.
        salt_len: usize,
    },
    /// Argon2id, version 1.3.
    Argon2id {
        /// The memory that it needs, in KiB.
        memory_kib: u32,
        /// How often it goes through the memory.
        passes: u32,
        /// Into how many lanes the memory is divided.
        lanes: u32,
        /// The length of the salt in bytes.
        salt_len: usize,
    },
}

/// A hashed password. It is displayed as it stands in mosquitto's password file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    scheme: Scheme,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// Why there is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// It begins with nothing that is known. The text is not shown, since it could be a password.
    #[error("it is no hash of mosquitto's; they begin with $6$, $7$ or $argon2id$")]
    Unknown,
    /// It does not have the parts that its beginning announces.
    #[error("a hash of this kind has the form {form}")]
    Form {
        /// What it should look like.
        form: &'static str,
    },
    /// A part is no Base64.
    #[error("its {part} is not Base64: {problem}")]
    Base64 {
        /// The salt or the hash.
        part: &'static str,
        /// Where it is wrong.
        problem: String,
    },
    /// A part has a length that cannot be.
    #[error("its {part} has {length} bytes; {expected}")]
    Length {
        /// The salt or the hash.
        part: &'static str,
        /// How many bytes it has.
        length: usize,
        /// How many it could have.
        expected: String,
    },
    /// A number is none, or out of bounds.
    #[error("invalid {name} {value}; it takes {expected}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What is there.
        value: String,
        /// What could be.
        expected: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for the salt: {0}")]
    Random(String),
    /// There is not enough memory for Argon2.
    #[error("there are no {0} KiB of memory for Argon2")]
    Memory(u32),
}

impl Scheme {
    /// The most iterations of PBKDF2: some ten seconds of work.
    pub const MAX_ITERATIONS: u32 = 10_000_000;
    /// The most memory of Argon2 in KiB.
    pub const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// The most passes of Argon2.
    pub const MAX_PASSES: u32 = 1024;
    /// The most memory times passes of Argon2, in KiB: some ten seconds of work.
    pub const MAX_ARGON2_WORK: u64 = 4 << 20;
    /// The most lanes of Argon2.
    pub const MAX_LANES: u32 = 255;
    /// The longest salt in bytes.
    pub const MAX_SALT_LEN: usize = 1024;

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// When a parameter is out of bounds, or the system has no random bytes or not enough memory.
    pub fn hash(&self, password: &Password) -> Result<Hash, HashError> {
        self.check()?;
        let mut salt = vec![0; self.salt_len()];
        getrandom::fill(&mut salt).map_err(|error| HashError::Random(error.to_string()))?;
        self.hash_with_salt(password, salt)
    }

    /// Its name, as mosquitto_passwd has it.
    pub fn name(&self) -> &'static str {
        match self {
            Scheme::Sha512 { .. } => "sha512",
            Scheme::Pbkdf2Sha512 { .. } => "sha512-pbkdf2",
            Scheme::Argon2id { .. } => "argon2id",
        }
    }

    /// The length of the salt in bytes.
    pub fn salt_len(&self) -> usize {
        match *self {
            Scheme::Sha512 { salt_len }
            | Scheme::Pbkdf2Sha512 { salt_len, .. }
            | Scheme::Argon2id { salt_len, .. } => salt_len,
        }
    }

    /// Hashes with this salt, of whatever length.
    pub(super) fn hash_with_salt(&self, password: &Password, salt: Vec<u8>) -> Result<Hash, HashError> {
        let length = match self {
            Scheme::Sha512 { .. } | Scheme::Pbkdf2Sha512 { .. } => SHA512_LENGTH,
            Scheme::Argon2id { .. } => ARGON2_LENGTH,
        };
        let digest = self.digest(password, &salt, length)?.to_vec();
        Ok(Hash { scheme: *self, salt, digest })
    }

    fn digest(
        &self,
        password: &Password,
        salt: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let mut digest = Zeroizing::new(vec![0; length]);
        match *self {
            Scheme::Sha512 { .. } => {
                let hasher = Sha512::new().chain_update(password.as_bytes()).chain_update(salt);
                digest.copy_from_slice(&hasher.finalize());
            }
            Scheme::Pbkdf2Sha512 { iterations, .. } => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), salt, iterations.get(), &mut digest);
            }
            Scheme::Argon2id { memory_kib, passes, lanes, .. } => {
                let out_of_memory = |_| HashError::Memory(memory_kib);
                let params = Params::new(memory_kib, passes, lanes, Some(length)).map_err(out_of_memory)?;
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let bytes = password.as_bytes();
                argon2.hash_password_into(bytes, salt, &mut digest).map_err(out_of_memory)?;
            }
        }
        Ok(digest)
    }

    /// Whether the parameters are within the bounds.
    ///
    /// # Errors
    /// Which is not.
    pub fn check(&self) -> Result<(), HashError> {
        let shortest_salt = match *self {
            Scheme::Sha512 { .. } => 1,
            Scheme::Pbkdf2Sha512 { iterations, .. } => {
                within("number of iterations", iterations.get(), 1, Scheme::MAX_ITERATIONS)?;
                1
            }
            Scheme::Argon2id { memory_kib, passes, lanes, .. } => {
                check_argon2(memory_kib, passes, lanes)?;
                argon2::MIN_SALT_LEN
            }
        };
        check_length("salt", self.salt_len(), shortest_salt, Scheme::MAX_SALT_LEN)
    }
}

fn check_argon2(memory_kib: u32, passes: u32, lanes: u32) -> Result<(), HashError> {
    within("number of lanes", lanes, 1, Scheme::MAX_LANES)?;
    within("number of passes", passes, 1, Scheme::MAX_PASSES)?;
    within("memory in KiB", memory_kib, Params::MIN_M_COST * lanes, Scheme::MAX_MEMORY_KIB)?;
    let work = u64::from(memory_kib) * u64::from(passes);
    if work > Scheme::MAX_ARGON2_WORK {
        return Err(HashError::Parameter {
            name: "memory and passes",
            value: format!("m={memory_kib},t={passes}"),
            expected: format!("{} KiB times passes at most", Scheme::MAX_ARGON2_WORK),
        });
    }
    Ok(())
}

fn within(name: &'static str, value: u32, least: u32, most: u32) -> Result<(), HashError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(HashError::Parameter { name, value: value.to_string(), expected: format!("{least} to {most}") })
}

fn check_length(part: &'static str, length: usize, least: usize, most: usize) -> Result<(), HashError> {
    if (least..=most).contains(&length) {
        return Ok(());
    }
    let expected =
        if least == most { format!("it takes {least}") } else { format!("it takes {least} to {most}") };
    Err(HashError::Length { part, length, expected })
}

impl Hash {
    /// Reads a hash as it stands in mosquitto's password file.
    ///
    /// # Errors
    /// What is wrong with it, or that it would cost too much to check.
    pub fn parse(text: &[u8]) -> Result<Hash, HashError> {
        let text = std::str::from_utf8(text).map_err(|_| HashError::Unknown)?;
        let hash = if let Some(rest) = text.strip_prefix("$6$") {
            parse_sha512(rest)
        } else if let Some(rest) = text.strip_prefix("$7$") {
            parse_pbkdf2(rest)
        } else if let Some(rest) = text.strip_prefix("$argon2id$") {
            parse_argon2id(rest)
        } else {
            Err(HashError::Unknown)
        }?;
        hash.scheme.check()?;
        match hash.scheme {
            Scheme::Sha512 { .. } | Scheme::Pbkdf2Sha512 { .. } => {
                check_length("hash", hash.digest.len(), SHA512_LENGTH, SHA512_LENGTH)?;
            }
            Scheme::Argon2id { .. } => check_length("hash", hash.digest.len(), 4, Scheme::MAX_SALT_LEN)?,
        }
        Ok(hash)
    }

    /// Whether it is the hash of this password. The comparison takes the same time whatever the answer.
    ///
    /// # Errors
    /// When there is not enough memory for Argon2.
    pub fn verify(&self, password: &Password) -> Result<bool, HashError> {
        let digest = self.scheme.digest(password, &self.salt, self.digest.len())?;
        Ok(digest.ct_eq(&self.digest).into())
    }

    /// How it was made.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// What the algorithm gave.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padded = |bytes: &[u8]| STANDARD.encode(bytes);
        let plain = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        match self.scheme {
            Scheme::Sha512 { .. } => write!(f, "$6${}${}", padded(&self.salt), padded(&self.digest)),
            Scheme::Pbkdf2Sha512 { iterations, .. } => {
                write!(f, "$7${iterations}${}${}", padded(&self.salt), padded(&self.digest))
            }
            Scheme::Argon2id { memory_kib, passes, lanes, .. } => {
                let (salt, digest) = (plain(&self.salt), plain(&self.digest));
                write!(f, "$argon2id${ARGON2_VERSION}$m={memory_kib},t={passes},p={lanes}${salt}${digest}")
            }
        }
    }
}

fn parse_sha512(rest: &str) -> Result<Hash, HashError> {
    let form = HashError::Form { form: "$6$SALT$HASH" };
    let (salt, digest) = rest.split_once('$').ok_or(form)?;
    let (salt, digest) = (decode(&STANDARD, "salt", salt)?, decode(&STANDARD, "hash", digest)?);
    Ok(Hash { scheme: Scheme::Sha512 { salt_len: salt.len() }, salt, digest })
}

fn parse_pbkdf2(rest: &str) -> Result<Hash, HashError> {
    let form = || HashError::Form { form: "$7$ITERATIONS$SALT$HASH" };
    let (iterations, rest) = rest.split_once('$').ok_or_else(form)?;
    let (salt, digest) = rest.split_once('$').ok_or_else(form)?;
    let iterations = number("number of iterations", iterations, Scheme::MAX_ITERATIONS)?;
    let (salt, digest) = (decode(&STANDARD, "salt", salt)?, decode(&STANDARD, "hash", digest)?);
    Ok(Hash { scheme: Scheme::Pbkdf2Sha512 { iterations, salt_len: salt.len() }, salt, digest })
}

fn parse_argon2id(rest: &str) -> Result<Hash, HashError> {
    let form = || HashError::Form { form: "$argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$HASH" };
    let rest = rest.strip_prefix(ARGON2_VERSION).and_then(|rest| rest.strip_prefix('$')).ok_or_else(form)?;
    let (costs, rest) = rest.split_once('$').ok_or_else(form)?;
    let (salt, digest) = rest.split_once('$').ok_or_else(form)?;
    let mut costs = costs.split(',');
    let mut cost = |key: &str| costs.next().and_then(|cost| cost.strip_prefix(key)).ok_or_else(form);
    let memory_kib = number("memory in KiB", cost("m=")?, Scheme::MAX_MEMORY_KIB)?.get();
    let passes = number("number of passes", cost("t=")?, Scheme::MAX_PASSES)?.get();
    let lanes = number("number of lanes", cost("p=")?, Scheme::MAX_LANES)?.get();
    if costs.next().is_some() {
        return Err(form());
    }
    let (salt, digest) = (decode(&STANDARD_NO_PAD, "salt", salt)?, decode(&STANDARD_NO_PAD, "hash", digest)?);
    Ok(Hash { scheme: Scheme::Argon2id { memory_kib, passes, lanes, salt_len: salt.len() }, salt, digest })
}

/// Digits alone: no sign, no blanks.
fn number(name: &'static str, text: &str, most: u32) -> Result<NonZeroU32, HashError> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok()).filter(|number: &NonZeroU32| number.get() <= most);
    number.ok_or_else(|| HashError::Parameter {
        name,
        // A few digits show what it is; there may be megabytes of them.
        value: format!("'{}'", crate::escape::line(&text.chars().take(20).collect::<String>())),
        expected: format!("1 to {most}"),
    })
}

fn decode(alphabet: &impl Engine, part: &'static str, text: &str) -> Result<Vec<u8>, HashError> {
    alphabet.decode(text).map_err(|error| HashError::Base64 { part, problem: error.to_string() })
}

#[cfg(test)]
mod tests;
