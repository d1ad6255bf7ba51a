//! The client's side: its name, its proof, and the check of the server's signature.

use super::keys::prepared_password;
use super::message::{Challenge, HEADER, Outcome, escape};
use super::{Algorithm, Memory, auth_message, fresh_nonce, prepare, xor};
use crate::authentication::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The client's state in one authentication.
pub(crate) struct Client {
    algorithm: Algorithm,
    password: Zeroizing<String>,
    memory: Memory,
    first: String,
    nonce: String,
    /// The expected final message of the server; known after the challenge.
    expected: Option<Zeroizing<Vec<u8>>>,
    /// The server's signature arrived in an AUTH of its own, and was valid.
    is_proved: bool,
}

impl Client {
    /// Starts an exchange with a fresh nonce.
    ///
    /// # Errors
    /// If SCRAM cannot use the name or the password.
    pub(crate) fn new(algorithm: Algorithm, name: &str, password: &[u8]) -> Result<Client, Failure> {
        Client::with_nonce(algorithm, name, password, fresh_nonce()?)
    }

    pub(super) fn with_nonce(
        algorithm: Algorithm,
        name: &str,
        password: &[u8],
        nonce: String,
    ) -> Result<Client, Failure> {
        let name = prepare("user name", name)?;
        let password = prepared_password(password)?;
        let first = format!("{HEADER}n={},r={nonce}", escape(&name));
        let memory = Memory::with_room_for(0);
        Ok(Client { algorithm, password, memory, first, nonce, expected: None, is_proved: false })
    }

    /// Reuses earlier PBKDF2 results, and adds its own.
    pub(crate) fn remembering(self, memory: Memory) -> Client {
        Client { memory, ..self }
    }

    /// The first message.
    pub(crate) fn first(&self) -> &[u8] {
        self.first.as_bytes()
    }

    /// The final message, which proves that the client knows the password.
    ///
    /// # Errors
    /// If the challenge or the server's signature is invalid, or arrives after the exchange.
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        if self.is_proved {
            return Err(Failure::NothingMoreToSay);
        }
        if self.expected.is_some() {
            // Some servers end SCRAM with one more AUTH, and wait for an empty answer.
            self.check(challenge)?;
            self.is_proved = true;
            return Ok(Vec::new());
        }
        let challenge = Challenge::parse(challenge)?;
        let is_ours = challenge.nonce.starts_with(&self.nonce) && challenge.nonce.len() > self.nonce.len();
        if !is_ours {
            return Err(Failure::ForeignNonce);
        }
        let Challenge { salt, iterations, .. } = &challenge;
        let salted = self.memory.salted(self.algorithm, &self.password, salt, *iterations);
        let without_proof = format!("c={},r={}", STANDARD.encode(HEADER), challenge.nonce);
        let bare = self.first.get(HEADER.len()..).unwrap_or_default();
        let said = auth_message(bare, challenge.text, &without_proof);
        let client_key = salted.client_key();
        let signature = self.algorithm.hmac(&self.algorithm.hash(&client_key), said.as_bytes());
        self.expected = Some(self.algorithm.hmac(&salted.server_key(), said.as_bytes()));
        let proof = STANDARD.encode(xor(&client_key, &signature));
        Ok(format!("{without_proof},p={proof}").into_bytes())
    }

    /// Checks the server's signature, which proves that it knows the password's keys.
    ///
    /// # Errors
    /// If the signature is missing or wrong, or the server reports an error.
    pub(crate) fn finish(&self, outcome: Option<&[u8]>) -> Result<(), Failure> {
        match outcome {
            None if self.is_proved => Ok(()),
            None => Err(Failure::NoProof),
            Some(outcome) => self.check(outcome),
        }
    }

    fn check(&self, outcome: &[u8]) -> Result<(), Failure> {
        let signature = match Outcome::parse(outcome)? {
            Outcome::Error(error) => return Err(Failure::Reported(error)),
            Outcome::Signature(signature) => signature,
        };
        let expected = self.expected.as_ref().ok_or(Failure::NoProof)?;
        match bool::from(signature.ct_eq(expected)) {
            true => Ok(()),
            false => Err(Failure::WrongProof),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
