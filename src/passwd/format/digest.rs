//! Hash functions and encodings that several formats use.

use super::{PasswordCheck, User};
use crate::passwd::target::weakness;
use crate::passwd::{Hash, HashError, Password, Scheme};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write;
use std::num::NonZeroU32;
use subtle::ConstantTimeEq;

/// SHA-256 of the concatenated parts.
pub(super) fn sha256(parts: [&[u8]; 2]) -> Vec<u8> {
    parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().to_vec()
}

/// SHA-512 of the concatenated parts.
pub(super) fn sha512(parts: [&[u8]; 2]) -> Vec<u8> {
    parts.iter().fold(Sha512::new(), Digest::chain_update).finalize().to_vec()
}

pub(super) fn pbkdf2_sha256(password: &Password, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
    pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, iterations.get()).to_vec()
}

pub(super) fn pbkdf2_sha512(password: &Password, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
    pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password.as_bytes(), salt, iterations.get()).to_vec()
}

/// Compares in constant time.
pub(super) fn are_equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

pub(super) fn verdict(is_right: bool) -> PasswordCheck {
    if is_right { PasswordCheck::Right } else { PasswordCheck::Wrong }
}

/// Random bytes for a salt.
pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], HashError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| HashError::Random(error.to_string()))?;
    Ok(bytes)
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// PBKDF2 with SHA-512 from the fields of a file. Checks that the cost is within the limits.
pub(super) fn pbkdf2_of(iterations: &str, salt: &str, digest: &str) -> Result<Hash, String> {
    Hash::parse(format!("$7${iterations}${salt}${digest}").as_bytes()).map_err(|error| error.to_string())
}

/// Checks a password against one of mosquitto's hashes, or returns the reason that the hash is unusable.
pub(super) fn verify(hash: Result<Hash, String>, password: &Password) -> PasswordCheck {
    match hash.and_then(|hash| hash.verify(password).map_err(|error| error.to_string())) {
        Ok(is_right) => verdict(is_right),
        Err(problem) => PasswordCheck::Unusable(problem),
    }
}

/// Describes a user whose password has one of mosquitto's hashes.
pub(super) fn describe(name: &str, hash: Result<Hash, String>) -> User {
    let scheme = hash.map(|hash| hash.scheme());
    let is_weak = scheme.as_ref().is_ok_and(|scheme| weakness(*scheme).is_some());
    let scheme = match scheme {
        Ok(Scheme::Sha512 { .. }) => "SHA-512".to_owned(),
        Ok(Scheme::Pbkdf2Sha512 { iterations, .. }) => format!("PBKDF2-SHA512, {iterations} iterations"),
        Ok(Scheme::Argon2id { memory_kib, passes, .. }) => {
            format!("Argon2id, {memory_kib} KiB, {passes} passes")
        }
        Err(problem) => format!("unusable: {problem}"),
    };
    User { name: name.to_owned(), scheme, is_weak }
}
