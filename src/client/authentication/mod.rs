//! Enhanced authentication of clients (MQTT 5.0, section 4.12): `exchange` decides when AUTH is sent, and handles the server's;
//! `crate::authentication` handles the data.

mod exchange;

use super::authentication_error::AuthenticationError;
use super::error::Error;
pub(crate) use crate::authentication::TokenSource;
use crate::authentication::{Failure, Mechanism, Token, scram};
use crate::protocol::PropertiesBuf;
pub(crate) use exchange::{AnswerTime, Authenticator};
use std::fmt;
use std::time::Duration;

/// Enhanced authentication beyond user name and password.
#[derive(Debug, Clone)]
pub(crate) struct Authentication {
    pub method: Method,
    /// The interval between authentications.
    pub interval: Option<Duration>,
    /// Results of earlier SCRAM computations.
    pub memory: scram::Memory,
}

/// The client's claimed identity, and the credentials that prove it.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// The enhanced authentication, if user name and password in CONNECT are not enough.
    pub authentication: Option<&'a Authentication>,
    /// The user name.
    pub username: Option<&'a str>,
    pub password: Option<&'a [u8]>,
    /// CONNECT's properties without those of the authentication.
    pub properties: &'a PropertiesBuf,
    /// The timeout for the server's answer.
    pub timeout: Duration,
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The implementation of a method.
#[derive(Debug, Clone)]
pub(crate) enum Method {
    /// User name and password are proved instead of sent.
    Scram(scram::Algorithm),
    /// Authentication data from another source.
    Token {
        method: String,
        /// The authentication data.
        source: TokenSource,
    },
}

impl Method {
    pub(crate) fn name(&self) -> &str {
        match self {
            Method::Scram(algorithm) => algorithm.method(),
            Method::Token { method, .. } => method,
        }
    }

    fn failed(&self, failure: Failure) -> AuthenticationError {
        AuthenticationError::Failed { method: self.name().to_owned(), failure }
    }
}

impl Authentication {
    /// Begins an authentication.
    fn mechanism(&self, claim: &Claim<'_>) -> Result<Mechanism, Error> {
        match &self.method {
            Method::Token { source, .. } => Ok(Mechanism::Token(Token::new(source.read()?))),
            Method::Scram(algorithm) => {
                let name = claim.username.unwrap_or_default();
                let client = scram::Client::new(*algorithm, name, claim.password.unwrap_or_default());
                let client = client.map_err(|failure| self.method.failed(failure))?;
                Ok(Mechanism::Scram(Box::new(client.remembering(self.memory.clone()))))
            }
        }
    }
}
