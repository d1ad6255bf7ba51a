//! SCRAM (RFC 5802) with SHA-256 (RFC 7677) and SHA-512, and for clients also SHA-1: the client proves its password without
//! sending it, and the server proves that it has the password's keys.
//!
//! Channel binding is not supported: MQTT over plain TCP has no channel to bind to, and brokers do not offer it.

mod client;
mod keys;
mod memory;
mod message;
mod server;
#[cfg(test)]
mod tests;

use super::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
pub(crate) use client::Client;
use hmac::{Hmac, KeyInit, Mac};
pub(crate) use keys::Keys;
pub(crate) use memory::Memory;
pub(crate) use message::error_in;
pub(crate) use server::{Server, Stranger};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

/// The minimum that RFC 7677 requires.
pub(crate) const MIN_ITERATIONS: u32 = 4096;
/// The maximum that a client computes: about ten seconds of work.
pub(crate) const MAX_ITERATIONS: u32 = 10_000_000;

/// The number of random bytes in a nonce.
const NONCE_LENGTH: usize = 18;

/// The hash function of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    /// Weak. Only for clients, since some brokers offer nothing else.
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// The algorithms of brokers and key files.
    pub(crate) const ALL: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

    /// The algorithms of clients.
    const OF_CLIENTS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

    /// The mechanism's name, which is the authentication method of MQTT.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SCRAM-SHA-1",
            Algorithm::Sha256 => "SCRAM-SHA-256",
            Algorithm::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The algorithm of an authentication method, for a client.
    pub(crate) fn of_client(method: &str) -> Option<Algorithm> {
        Algorithm::OF_CLIENTS.into_iter().find(|algorithm| algorithm.method() == method)
    }

    /// Whether a recorded exchange makes the password easy to guess.
    pub(crate) fn is_weak(self) -> bool {
        self == Algorithm::Sha1
    }

    /// The algorithm of an authentication method, for a broker and its keys.
    pub(crate) fn of_method(method: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.method() == method)
    }

    /// The length of a hash in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    fn hash(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Algorithm::Sha1 => Sha1::digest(bytes).to_vec(),
            Algorithm::Sha256 => Sha256::digest(bytes).to_vec(),
            Algorithm::Sha512 => Sha512::digest(bytes).to_vec(),
        })
    }

    fn hmac(self, key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Algorithm::Sha1 => mac::<Hmac<Sha1>>(key, text),
            Algorithm::Sha256 => mac::<Hmac<Sha256>>(key, text),
            Algorithm::Sha512 => mac::<Hmac<Sha512>>(key, text),
        }
    }

    /// PBKDF2, which is `Hi` in RFC 5802.
    fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let mut salted = Zeroizing::new(vec![0; self.length()]);
        match self {
            Algorithm::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut salted),
            Algorithm::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted),
            Algorithm::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut salted),
        }
        salted
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    Zeroizing::new(mac.chain_update(text).finalize().into_bytes().to_vec())
}

/// A name or a password after SASLprep (RFC 4013), which both sides apply.
fn prepare(what: &'static str, text: &str) -> Result<Zeroizing<String>, Failure> {
    let unprepared = |problem: String| Failure::Unprepared { what, problem };
    let prepared = stringprep::saslprep(text)
        .map_err(|_| unprepared("it contains characters that RFC 4013 prohibits".to_owned()))?;
    match prepared.is_empty() {
        true => Err(unprepared("it is empty".to_owned())),
        false => Ok(Zeroizing::new(prepared.into_owned())),
    }
}

/// A user name after SASLprep, by which users are compared.
///
/// # Errors
/// If SASLprep rejects it.
pub(crate) fn prepared_name(name: &str) -> Result<String, Failure> {
    prepare("user name", name).map(|name| name.to_string())
}

fn fresh_nonce() -> Result<String, Failure> {
    let mut bytes = [0; NONCE_LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Random(error.to_string()))?;
    Ok(STANDARD.encode(bytes))
}

/// The `AuthMessage` that both sides sign: the exchange without the proofs.
fn auth_message(first: &str, challenge: &str, last: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{first},{challenge},{last}"))
}

/// Bitwise XOR of two values as long as the hash.
fn xor(a: &[u8], b: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(a.iter().zip(b).map(|(a, b)| a ^ b).collect())
}
