//! The authentication data of MQTT 5 (section 4.12): one state machine for each mechanism, bytes in and bytes out.
//!
//! Packets, method names and the order of messages belong to the client loop and the broker.

mod failure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
pub(crate) mod scram;
mod token;
mod token_source;

pub(crate) use failure::Failure;
pub(crate) use token::Token;
pub(crate) use token_source::{TokenFileError, TokenSource, read_token};

/// The client's side of a mechanism, for one authentication.
#[derive(Debug)]
pub(crate) enum Mechanism {
    /// CONNECT has all the data.
    Token(Token),
    /// The client proves its password without sending it.
    Scram(Box<scram::Client>),
}

impl Mechanism {
    /// The authentication data of CONNECT, if the mechanism has any.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        match self {
            Mechanism::Token(token) => token.data(),
            Mechanism::Scram(client) => Some(client.first()),
        }
    }

    /// Answers a challenge. With SCRAM this may take seconds.
    ///
    /// # Errors
    /// If the server's message is invalid, or asks for something that the mechanism does not support.
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        match self {
            Mechanism::Token(_) => Err(Failure::NothingMoreToSay),
            Mechanism::Scram(client) => client.respond(challenge),
        }
    }

    /// Checks the authentication data of a successful CONNACK or AUTH.
    ///
    /// # Errors
    /// If the server did not prove that it knows the keys.
    pub(crate) fn finish(&self, data: Option<&[u8]>) -> Result<(), Failure> {
        match self {
            Mechanism::Token(_) => Ok(()),
            Mechanism::Scram(client) => client.finish(data),
        }
    }

    /// The error text in the data of a refusal, if the mechanism defines one.
    pub(crate) fn error_text(&self, data: &[u8]) -> Option<String> {
        match self {
            Mechanism::Token(_) => None,
            Mechanism::Scram(_) => scram::error_in(data),
        }
    }
}
