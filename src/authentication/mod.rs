//! What client and server say to each other in the authentication data of MQTT 5 (section 4.12): one state machine for each
//! mechanism, which is given bytes and gives bytes.
//!
//! Packets, methods' names and turns are the business of the client loop and of the broker; here is only what is inside.

mod failure;
pub mod scram;
mod token;

pub use failure::Failure;
pub use token::Token;

/// The client's side of a mechanism, for one authentication.
#[derive(Debug)]
pub enum Mechanism {
    /// All is said at once.
    Token(Token),
    /// A password is proved without being sent.
    Scram(Box<scram::Client>),
}

impl Mechanism {
    /// What the client begins with, if with anything.
    pub fn first(&self) -> Option<&[u8]> {
        match self {
            Mechanism::Token(token) => token.data(),
            Mechanism::Scram(client) => Some(client.first()),
        }
    }

    /// Answers a challenge. With SCRAM this may take seconds.
    ///
    /// # Errors
    /// When the server said what it must not, or wants what the mechanism does not have.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        match self {
            Mechanism::Token(_) => Err(Failure::NothingMoreToSay),
            Mechanism::Scram(client) => client.respond(challenge),
        }
    }

    /// Checks what the server ends a success with.
    ///
    /// # Errors
    /// When it proves too little.
    pub fn finish(&self, data: Option<&[u8]>) -> Result<(), Failure> {
        match self {
            Mechanism::Token(_) => Ok(()),
            Mechanism::Scram(client) => client.finish(data),
        }
    }

    /// What the server says in the data of a refusal, where the mechanism has words for it.
    pub fn words_of_refusal(&self, data: &[u8]) -> Option<String> {
        match self {
            Mechanism::Token(_) => None,
            Mechanism::Scram(_) => scram::error_in(data),
        }
    }
}
