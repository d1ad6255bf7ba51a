//! The hashes of mosquitto's password file: `$6$` (SHA-512), `$7$` (PBKDF2 with SHA-512) and `$argon2id$`.
//!
//! A hash contains its own cost parameters, so a crafted one could demand hours of CPU time or all memory. The limits here are
//! far above the cost that a broker can afford at each login.

use super::Password;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha512};
use std::fmt;
use std::num::NonZeroU32;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The digest length of SHA-512, and of PBKDF2 in mosquitto, which accepts no other.
const SHA512_LENGTH: usize = 64;

/// The digest length in mosquitto 2.1.
const ARGON2_LENGTH: usize = 64;

/// Argon2 version 1.3.
const ARGON2_VERSION: &str = "v=19";

/// A hash algorithm with its parameters, except the salt itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// One pass of SHA-512 over password and salt, as in mosquitto 1. Guesses are cheap.
    Sha512 {
        /// The length of the salt in bytes.
        salt_len: usize,
    },
    /// PBKDF2 with HMAC-SHA-512.
    Pbkdf2Sha512 {
        iterations: NonZeroU32,
        /// The length of the salt in bytes.
        salt_len: usize,
    },
    /// Argon2id, version 1.3.
    Argon2id {
        /// The memory cost in KiB.
        memory_kib: u32,
        /// The number of passes over the memory.
        passes: u32,
        /// The number of lanes (parallelism).
        lanes: u32,
        /// The length of the salt in bytes.
        salt_len: usize,
    },
}

/// A hashed password. `Display` writes the form of mosquitto's password file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hash {
    scheme: Scheme,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// A password that cannot be hashed, or an invalid hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HashError {
    /// An unknown prefix. The text is not shown, since it could be a password.
    #[error("unknown hash; mosquitto's begin with $6$, $7$ or $argon2id$")]
    Unknown,
    /// A part is missing.
    #[error("malformed hash; the form is {form}")]
    Form {
        /// The expected form.
        form: &'static str,
    },
    /// A part is not valid Base64.
    #[error("the {part} is not Base64")]
    Base64 {
        /// The salt or the hash.
        part: &'static str,
    },
    /// A part has an unsupported length.
    #[error("the {part} has {length} bytes, {expected}")]
    Length {
        /// The salt or the hash.
        part: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The supported lengths.
        expected: String,
    },
    /// A parameter is not a number or out of range.
    #[error("invalid {name} {value}, expected {expected}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value found.
        value: String,
        /// The supported range.
        expected: String,
    },
    /// The operating system's random number generator failed.
    #[error("cannot get random bytes from the system: {0}")]
    Random(String),
    /// Allocating the memory for Argon2 failed.
    #[error("cannot allocate {0} KiB for Argon2")]
    Memory(u32),
}

impl Scheme {
    /// The maximum PBKDF2 iterations: about ten seconds of work.
    pub(crate) const MAX_ITERATIONS: u32 = 10_000_000;
    /// The maximum Argon2 memory in KiB.
    pub(crate) const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// The maximum Argon2 passes.
    pub(crate) const MAX_PASSES: u32 = 1024;
    /// The maximum Argon2 memory times passes, in KiB: about ten seconds of work.
    pub(crate) const MAX_ARGON2_WORK: u64 = 4 << 20;
    /// The maximum Argon2 lanes.
    pub(crate) const MAX_LANES: u32 = 255;
    /// The maximum salt length in bytes.
    pub(crate) const MAX_SALT_LEN: usize = 1024;

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// If a parameter is out of range, or random bytes or memory are not available.
    pub(crate) fn hash(&self, password: &Password) -> Result<Hash, HashError> {
        self.check()?;
        let mut salt = vec![0; self.salt_len()];
        getrandom::fill(&mut salt).map_err(|error| HashError::Random(error.to_string()))?;
        self.hash_with_salt(password, salt)
    }

    /// The name that mosquitto_passwd uses.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Scheme::Sha512 { .. } => "sha512",
            Scheme::Pbkdf2Sha512 { .. } => "sha512-pbkdf2",
            Scheme::Argon2id { .. } => "argon2id",
        }
    }

    /// The length of the salt in bytes.
    pub(crate) fn salt_len(&self) -> usize {
        match *self {
            Scheme::Sha512 { salt_len }
            | Scheme::Pbkdf2Sha512 { salt_len, .. }
            | Scheme::Argon2id { salt_len, .. } => salt_len,
        }
    }

    /// Hashes with the given salt, of any length.
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

    /// Checks that the parameters are in range.
    ///
    /// # Errors
    /// The first parameter that is not.
    pub(crate) fn check(&self) -> Result<(), HashError> {
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
            expected: format!("at most {} KiB times passes", Scheme::MAX_ARGON2_WORK),
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
        if least == most { format!("expected {least}") } else { format!("expected {least} to {most}") };
    Err(HashError::Length { part, length, expected })
}

impl Hash {
    /// Parses a hash in the form of mosquitto's password file.
    ///
    /// # Errors
    /// If it is malformed or too expensive to check.
    pub(crate) fn parse(text: &[u8]) -> Result<Hash, HashError> {
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

    /// Whether the password matches. The comparison takes constant time.
    ///
    /// # Errors
    /// If there is not enough memory for Argon2.
    pub(crate) fn verify(&self, password: &Password) -> Result<bool, HashError> {
        let digest = self.scheme.digest(password, &self.salt, self.digest.len())?;
        Ok(digest.ct_eq(&self.digest).into())
    }

    /// The algorithm and its parameters.
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The output of the algorithm.
    pub(crate) fn digest(&self) -> &[u8] {
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

/// Parses digits only, without a sign or blanks.
fn number(name: &'static str, text: &str, most: u32) -> Result<NonZeroU32, HashError> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok()).filter(|number: &NonZeroU32| number.get() <= most);
    number.ok_or_else(|| HashError::Parameter {
        name,
        // A few digits identify the value, which can be megabytes long.
        value: format!("'{}'", crate::escape::line(&text.chars().take(20).collect::<String>())),
        expected: format!("1 to {most}"),
    })
}

fn decode(alphabet: &impl Engine, part: &'static str, text: &str) -> Result<Vec<u8>, HashError> {
    alphabet.decode(text).map_err(|_| HashError::Base64 { part })
}

#[cfg(test)]
mod tests;
