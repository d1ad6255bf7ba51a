//! Enhanced authentication (MQTT 5.0, section 4.12) with SCRAM: in CONNECT, and again at the client's request.
//!
//! Checking a proof takes microseconds, so the broker's own thread does it.

use crate::authentication::Failure;
use crate::authentication::scram::{Algorithm, Keys, Server, Stranger, prepared_name};
use crate::protocol::{
    Auth, AuthViolation, Properties, PropertiesBuf, Property, PropertyId, PropertyValue, ReasonCode,
};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Users and the keys of their passwords.
#[derive(Debug, Default)]
pub(crate) struct ScramUsers {
    keys: HashMap<(String, Algorithm), Keys>,
    /// The first keys of each algorithm, the model for fake keys of unknown users.
    models: HashMap<Algorithm, Keys>,
    /// The lines of the file that have no user, for a warning.
    pub ignored_lines: Vec<usize>,
}

impl ScramUsers {
    /// Takes users with their keys. If a user is repeated with the same algorithm, the last entry counts.
    pub(crate) fn new(users: impl IntoIterator<Item = (String, Keys)>) -> ScramUsers {
        let mut known = ScramUsers::default();
        for (name, keys) in users {
            let algorithm = keys.algorithm();
            known.models.entry(algorithm).or_insert_with(|| keys.clone());
            // Both sides use the prepared name; a name that cannot be prepared never matches.
            let name = prepared_name(&name).unwrap_or(name);
            known.keys.insert((name, algorithm), keys);
        }
        known
    }

    /// The number of pairs of name and algorithm.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The configuration of SCRAM authentication.
#[derive(Debug, Clone)]
pub(crate) struct ScramAccess {
    /// The users; a change applies to later authentications.
    pub users: watch::Receiver<Arc<ScramUsers>>,
    /// Answers for unknown users.
    pub stranger: Arc<Stranger>,
}

impl ScramAccess {
    fn begin(&self, algorithm: Algorithm, properties: Properties<'_>) -> Result<Server, Failure> {
        let users = Arc::clone(&self.users.borrow());
        let find = |name: &str| (users.keys.get(&(name.to_owned(), algorithm)), users.models.get(&algorithm));
        Server::new(algorithm, data_of(properties), &self.stranger, find)
    }
}

/// A refused or disconnected client.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) reason_code: ReasonCode,
    /// The reason for the event handler.
    pub(super) text: String,
}

impl Denial {
    fn of(reason_code: ReasonCode, text: impl Into<String>) -> Denial {
        Denial { reason_code, text: text.into() }
    }
}

impl From<AuthViolation> for Denial {
    fn from(violation: AuthViolation) -> Denial {
        Denial::of(ReasonCode::PROTOCOL_ERROR, violation.to_string())
    }
}

/// The broker's answer: in AUTH, or in CONNACK if it ends the first authentication.
pub(super) struct Reply {
    pub(super) reason_code: ReasonCode,
    pub(super) properties: PropertiesBuf,
}

/// The authentications of one connection.
#[derive(Debug)]
pub(super) struct Authenticator {
    access: ScramAccess,
    algorithm: Algorithm,
    user: Option<String>,
    /// The exchange that waits for the client's proof.
    exchange: Option<Server>,
}

impl Authenticator {
    /// Starts with the properties of CONNECT.
    pub(super) fn begin(
        access: Option<&ScramAccess>,
        method: &str,
        properties: Properties<'_>,
    ) -> Result<(Authenticator, Reply), Denial> {
        let (Some(access), Some(algorithm)) = (access, Algorithm::of_method(method)) else {
            let shown: String = method.chars().take(100).collect();
            let text = format!("the authentication method {shown:?} is not offered");
            return Err(Denial::of(ReasonCode::BAD_AUTHENTICATION_METHOD, text));
        };
        let mut authenticator =
            Authenticator { access: access.clone(), algorithm, user: None, exchange: None };
        let reply = authenticator.challenge(properties)?;
        Ok((authenticator, reply))
    }

    /// The user that the client claims to be, or proved to be.
    pub(super) fn claimed_user(&self) -> &str {
        let exchange = self.exchange.as_ref().map(Server::name);
        exchange.or(self.user.as_deref()).unwrap_or_default()
    }

    /// Handles an AUTH packet.
    pub(super) fn receive(&mut self, auth: &Auth<'_>) -> Result<Reply, Denial> {
        // [MQTT-4.12.0-5], and [MQTT-4.12.1-1] for a re-authentication.
        AuthViolation::check_method(self.algorithm.method(), auth.properties)?;
        match (auth.reason_code, self.exchange.take()) {
            (ReasonCode::CONTINUE_AUTHENTICATION, Some(exchange)) => self.finish(&exchange, auth.properties),
            (ReasonCode::RE_AUTHENTICATE, None) if self.user.is_some() => self.challenge(auth.properties),
            _ => Err(AuthViolation::OutOfTurn.into()),
        }
    }

    fn challenge(&mut self, properties: Properties<'_>) -> Result<Reply, Denial> {
        let exchange =
            self.access.begin(self.algorithm, properties).map_err(|failure| denied(&failure, ""))?;
        // A connection belongs to one user: its subscriptions were authorised for that user.
        if self.user.as_ref().is_some_and(|user| user != exchange.name()) {
            return Err(Denial::of(ReasonCode::NOT_AUTHORIZED, "re-authentication as another user"));
        }
        let reply = self.reply(ReasonCode::CONTINUE_AUTHENTICATION, exchange.challenge());
        self.exchange = Some(exchange);
        Ok(reply)
    }

    fn finish(&mut self, exchange: &Server, properties: Properties<'_>) -> Result<Reply, Denial> {
        let name = exchange.name();
        let proof = exchange.finish(data_of(properties)).map_err(|failure| denied(&failure, name))?;
        self.user = Some(name.to_owned());
        Ok(self.reply(ReasonCode::SUCCESS, &proof))
    }

    fn reply(&self, reason_code: ReasonCode, data: &[u8]) -> Reply {
        let mut properties = PropertiesBuf::new();
        let mut add = |id, value| properties.push_checked(Property { id, value });
        add(PropertyId::AuthenticationMethod, PropertyValue::Text(self.algorithm.method()));
        add(PropertyId::AuthenticationData, PropertyValue::Binary(data));
        Reply { reason_code, properties }
    }
}

/// The denial of a failed authentication: the client gets a general reason code, the event handler gets the reason.
fn denied(failure: &Failure, name: &str) -> Denial {
    let reason_code = match failure {
        Failure::Random(_) => ReasonCode::SERVER_UNAVAILABLE,
        _ => ReasonCode::NOT_AUTHORIZED,
    };
    let name: String = name.chars().take(100).collect();
    let user = if name.is_empty() { String::new() } else { format!(", as user {name:?}") };
    Denial::of(reason_code, format!("{reason_code}{user}: {failure}"))
}

fn data_of(properties: Properties<'_>) -> &[u8] {
    properties.binary(PropertyId::AuthenticationData).unwrap_or_default()
}
