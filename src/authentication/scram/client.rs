//! The client's side: who it is, its proof, and a look at the server's.

use super::keys::prepared_password;
use super::message::{Challenge, HEADER, Outcome, escape};
use super::{Algorithm, Memory, auth_message, fresh_nonce, prepare, xor};
use crate::authentication::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// One authentication.
pub struct Client {
    algorithm: Algorithm,
    password: Zeroizing<String>,
    memory: Memory,
    first: String,
    nonce: String,
    /// What the server must end with, once it sent its challenge.
    expected: Option<Zeroizing<Vec<u8>>>,
    /// The server ended before its success.
    is_proved: bool,
}

impl Client {
    /// Begins, with a nonce that is fresh.
    ///
    /// # Errors
    /// When the name or the password is none that SCRAM can use.
    pub fn new(algorithm: Algorithm, name: &str, password: &[u8]) -> Result<Client, Failure> {
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

    /// Lets it look up what was computed before, and remember what it computes.
    pub fn remembering(self, memory: Memory) -> Client {
        Client { memory, ..self }
    }

    /// The first message.
    pub fn first(&self) -> &[u8] {
        self.first.as_bytes()
    }

    /// The last message, which proves that the client knows the password.
    ///
    /// # Errors
    /// When the challenge is none, or a second one.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
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

    /// Checks that the server knows the password as well, from what it sends with its success.
    ///
    /// # Errors
    /// When it does not prove that, or says why it failed.
    pub fn finish(&self, outcome: Option<&[u8]>) -> Result<(), Failure> {
        match outcome {
            None if self.is_proved => Ok(()),
            None => Err(Failure::NoProof),
            Some(outcome) => self.check(outcome),
        }
    }

    fn check(&self, outcome: &[u8]) -> Result<(), Failure> {
        let signature = match Outcome::parse(outcome)? {
            Outcome::Error(error) => return Err(Failure::Told(error)),
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
