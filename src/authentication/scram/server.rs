//! The server's side: the challenge, and the check of the proof.
//!
//! An unknown user also gets a challenge, with the same salt each time, and fails only at the proof. A client therefore cannot
//! find out whether a user exists.

use super::keys::Keys;
use super::message::{First, Last};
use super::{Algorithm, MIN_ITERATIONS, auth_message, fresh_nonce, xor};
use crate::authentication::Failure;
use crate::authentication::failure::Malformed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The salt length for unknown users in bytes, if there are no keys to imitate.
const SALT_LENGTH: usize = 16;

/// The server's state in one authentication, after the client's first message.
#[derive(Debug)]
pub(crate) struct Server {
    keys: Keys,
    is_known: bool,
    name: String,
    /// The header and the attributes of the client's first message.
    header: String,
    first: String,
    challenge: String,
    nonce: String,
}

/// Makes keys for unknown users.
#[derive(Debug)]
pub(crate) struct Stranger {
    secret: Zeroizing<[u8; 32]>,
}

impl Stranger {
    /// An unknown user has the same keys during the lifetime of this value.
    ///
    /// # Errors
    /// If the operating system's random number generator fails.
    pub(crate) fn new() -> Result<Stranger, Failure> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(|error| Failure::Random(error.to_string()))?;
        Ok(Stranger { secret })
    }

    /// Keys without a password, with the algorithm and iterations of `model`.
    fn keys(&self, algorithm: Algorithm, name: &str, model: Option<&Keys>) -> Keys {
        let length = model.map_or(SALT_LENGTH, |model| model.salt.len());
        let made = |label: &[u8]| algorithm.hmac(&*self.secret, &[label, name.as_bytes()].concat());
        let salt = made(b"salt").iter().copied().cycle().take(length).collect();
        Keys {
            algorithm,
            iterations: model.map_or(MIN_ITERATIONS, |model| model.iterations),
            salt,
            stored_key: made(b"stored key"),
            server_key: made(b"server key"),
        }
    }
}

impl Server {
    /// Reads the client's first message. `find` returns a user's keys, and the keys to imitate for an unknown user.
    ///
    /// # Errors
    /// If the message is invalid.
    pub(crate) fn new<'k>(
        algorithm: Algorithm,
        first: &[u8],
        stranger: &Stranger,
        find: impl FnOnce(&str) -> (Option<&'k Keys>, Option<&'k Keys>),
    ) -> Result<Server, Failure> {
        Server::with_nonce(algorithm, first, stranger, find, &fresh_nonce()?)
    }

    pub(super) fn with_nonce<'k>(
        algorithm: Algorithm,
        first: &[u8],
        stranger: &Stranger,
        find: impl FnOnce(&str) -> (Option<&'k Keys>, Option<&'k Keys>),
        nonce: &str,
    ) -> Result<Server, Failure> {
        let first = First::parse(first)?;
        // All spellings of a name get the same challenge, known or unknown.
        let name = super::prepared_name(&first.name).unwrap_or_else(|_| first.name.clone());
        let (known, model) = find(&name);
        let keys = known.cloned().unwrap_or_else(|| stranger.keys(algorithm, &name, model));
        let nonce = format!("{}{nonce}", first.nonce);
        let challenge = format!("r={nonce},s={},i={}", STANDARD.encode(&keys.salt), keys.iterations);
        let (header, bare) = (first.header.to_owned(), first.bare.to_owned());
        Ok(Server { is_known: known.is_some(), keys, name, header, first: bare, challenge, nonce })
    }

    pub(crate) fn challenge(&self) -> &[u8] {
        self.challenge.as_bytes()
    }

    /// The user name of the client's first message.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Checks the client's proof, and returns the server's signature.
    ///
    /// # Errors
    /// If the message is invalid, or the proof is wrong.
    pub(crate) fn finish(&self, last: &[u8]) -> Result<Vec<u8>, Failure> {
        let algorithm = self.keys.algorithm;
        let last = Last::parse(last, algorithm)?;
        if last.binding != self.header.as_bytes() {
            let problem = "not the header of the first message";
            return Err(Malformed::Value { name: "channel binding", problem }.into());
        }
        if last.nonce != self.nonce {
            return Err(Failure::ForeignNonce);
        }
        let said = auth_message(&self.first, &self.challenge, last.without_proof);
        let signature = algorithm.hmac(&self.keys.stored_key, said.as_bytes());
        let client_key = xor(&last.proof, &signature);
        let is_right = algorithm.hash(&client_key).ct_eq(&self.keys.stored_key);
        if !(bool::from(is_right) && self.is_known) {
            return Err(Failure::Denied);
        }
        let proof = algorithm.hmac(&self.keys.server_key, said.as_bytes());
        Ok(format!("v={}", STANDARD.encode(&*proof)).into_bytes())
    }
}
