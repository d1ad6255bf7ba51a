//! The keys that a server stores instead of a password, in the format of RFC 5803 that PostgreSQL also uses:
//! `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`. They suffice to check a proof and to sign, but not to log in.

use super::{Algorithm, MAX_ITERATIONS, MIN_ITERATIONS, prepare};
use crate::authentication::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// The longest salt in bytes.
const MAX_SALT_LENGTH: usize = 1024;

/// The keys of a password. `Display` writes them in the file format.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(super) algorithm: Algorithm,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Zeroizing<Vec<u8>>,
    pub(super) server_key: Zeroizing<Vec<u8>>,
}

/// Invalid keys. The error does not show the text, which could be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeysError {
    /// The text does not begin with a supported mechanism.
    #[error("not SCRAM keys, which begin with SCRAM-SHA-256$ or SCRAM-SHA-512$")]
    Unknown,
    /// A part is missing.
    #[error("malformed SCRAM keys; the form is MECHANISM$ITERATIONS:SALT$STOREDKEY:SERVERKEY")]
    Form,
    /// Not a number, or out of range.
    #[error("the number of iterations must be from {MIN_ITERATIONS} to {MAX_ITERATIONS}")]
    Iterations,
    /// A part is not Base64.
    #[error("the {0} is not Base64")]
    Base64(&'static str),
    /// A part has an invalid length.
    #[error("the {part} has {length} bytes, expected {expected}")]
    Length {
        /// The salt, or a key.
        part: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The valid lengths.
        expected: String,
    },
}

/// The password after PBKDF2, from which the other keys are derived.
#[derive(Clone)]
pub(super) struct Salted {
    algorithm: Algorithm,
    key: Zeroizing<Vec<u8>>,
}

impl Salted {
    /// The time is proportional to the iterations.
    pub(super) fn new(algorithm: Algorithm, password: &str, salt: &[u8], iterations: u32) -> Salted {
        Salted { algorithm, key: algorithm.stretch(password.as_bytes(), salt, iterations) }
    }

    pub(super) fn client_key(&self) -> Zeroizing<Vec<u8>> {
        self.algorithm.hmac(&self.key, b"Client Key")
    }

    pub(super) fn server_key(&self) -> Zeroizing<Vec<u8>> {
        self.algorithm.hmac(&self.key, b"Server Key")
    }
}

impl Keys {
    /// Derives the keys of a password with a fresh salt.
    ///
    /// # Errors
    /// If SCRAM cannot use the password.
    pub(crate) fn derive(
        algorithm: Algorithm,
        password: &[u8],
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<Keys, Failure> {
        let password = prepared_password(password)?;
        let salted = Salted::new(algorithm, &password, &salt, iterations);
        let stored_key = algorithm.hash(&salted.client_key());
        Ok(Keys { algorithm, iterations, salt, stored_key, server_key: salted.server_key() })
    }

    /// Parses keys in the file format.
    ///
    /// # Errors
    /// If the keys are invalid.
    pub(crate) fn parse(text: &[u8]) -> Result<Keys, KeysError> {
        let text = std::str::from_utf8(text).map_err(|_| KeysError::Unknown)?;
        let (method, rest) = text.split_once('$').ok_or(KeysError::Unknown)?;
        let algorithm = Algorithm::of_method(method).ok_or(KeysError::Unknown)?;
        let (costs, keys) = rest.split_once('$').ok_or(KeysError::Form)?;
        let (iterations, salt) = costs.split_once(':').ok_or(KeysError::Form)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(KeysError::Form)?;
        Ok(Keys {
            algorithm,
            iterations: iterations_of(iterations)?,
            salt: decode("salt", salt, 1..=MAX_SALT_LENGTH)?,
            stored_key: Zeroizing::new(decode("stored key", stored_key, only(algorithm.length()))?),
            server_key: Zeroizing::new(decode("server key", server_key, only(algorithm.length()))?),
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// The password after SASLprep, which both sides apply.
pub(super) fn prepared_password(password: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let not_text = |_| Failure::Unprepared { what: "password", problem: "it is not valid UTF-8".to_owned() };
    prepare("password", std::str::from_utf8(password).map_err(not_text)?)
}

fn iterations_of(text: &str) -> Result<u32, KeysError> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number.filter(|number| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(number)).ok_or(KeysError::Iterations)
}

fn only(length: usize) -> std::ops::RangeInclusive<usize> {
    length..=length
}

fn decode(
    part: &'static str,
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<Vec<u8>, KeysError> {
    let bytes = STANDARD.decode(text).map_err(|_| KeysError::Base64(part))?;
    if lengths.contains(&bytes.len()) {
        return Ok(bytes);
    }
    let (least, most) = lengths.into_inner();
    let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(KeysError::Length { part, length: bytes.len(), expected })
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] =
            [&self.salt, &*self.stored_key, &*self.server_key].map(|bytes| STANDARD.encode(bytes));
        write!(f, "{}${}:{salt}${stored}:{server}", self.algorithm.method(), self.iterations)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}
