//! The AUTH packets of a connection: which side must send the next one, and when.
//!
//! A SCRAM server chooses the number of iterations, so another thread computes the proof: signals, time limits and the connection
//! are still served meanwhile.

use super::{Authentication, Claim, Method};
use crate::authentication::{Failure, Mechanism};
use crate::client::authentication_error::AuthenticationError;
use crate::client::cpu_time;
use crate::client::details::Details;
use crate::client::error::Error;
use crate::protocol::property::PropertyError;
use crate::protocol::{
    Auth, AuthViolation, Connack, Connect, Disconnect, Properties, PropertiesBuf, PropertyId, PropertyValue,
    ReasonCode,
};
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep_until;

/// The client's next step, for AUTH.
pub(crate) struct Step {
    reason_code: ReasonCode,
    properties: PropertiesBuf,
}

impl Step {
    /// Appends the packet.
    ///
    /// # Errors
    /// If it exceeds the broker's maximum packet size.
    pub(crate) fn append(&self, maximum: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        let before = out.len();
        let (reason_code, properties) = (self.reason_code, self.properties.as_properties());
        Auth { reason_code, properties }.encode(out)?;
        let size = out.len() - before;
        if size > maximum as usize {
            out.truncate(before);
            return Err(AuthenticationError::TooLarge { size, maximum }.into());
        }
        Ok(())
    }
}

/// The authentications of one connection, one after the other.
pub(crate) struct Authenticator<'a> {
    claim: Claim<'a>,
    turn: Turn,
    is_connected: bool,
    /// The time of the next authentication.
    due: Option<Instant>,
    answers: AnswerTime,
}

/// The client's own time for its answers to the server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnswerTime {
    /// From the server's AUTH packets to the answers.
    pub elapsed: Duration,
    /// The CPU time within `elapsed`, on other threads.
    pub cpu: Duration,
}

/// The side that must send the next AUTH.
enum Turn {
    /// No authentication is in progress.
    None,
    /// The server's turn, since that time.
    Server(Mechanism, Instant),
    /// The client's turn: the answer is being computed, since that time.
    Client(JoinHandle<Result<Answer, Failure>>, Instant),
}

/// The reply to the server's last step.
struct Answer {
    mechanism: Mechanism,
    data: Vec<u8>,
    /// The CPU time for it.
    cpu: Duration,
}

impl<'a> Authenticator<'a> {
    /// Before the first packet.
    pub(crate) fn new(claim: Claim<'a>) -> Authenticator<'a> {
        let answers = AnswerTime::default();
        Authenticator { claim, turn: Turn::None, is_connected: false, due: None, answers }
    }

    /// Whether enhanced authentication is in use.
    pub(in crate::client) fn is_wanted(&self) -> bool {
        self.claim.authentication.is_some()
    }

    /// The time that the client took for its answers.
    pub(crate) fn answer_time(&self) -> AnswerTime {
        self.answers
    }

    /// Whether the server waits for the client's answer.
    pub(in crate::client) fn is_answering(&self) -> bool {
        matches!(self.turn, Turn::Client(..))
    }

    /// Appends CONNECT, with which the first authentication begins. With SCRAM it has neither user name nor password, which the
    /// method proves.
    pub(in crate::client) fn append_connect(
        &mut self,
        connect: &Connect<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Some(authentication) = self.claim.authentication else { return Ok(connect.encode(out)?) };
        let mechanism = authentication.mechanism(&self.claim)?;
        let mut properties = self.claim.properties.clone();
        add_data(&mut properties, authentication.method.name(), mechanism.first())?;
        let (username, password) = match authentication.method {
            Method::Scram(_) => (None, None),
            Method::Token { .. } => (connect.username, connect.password),
        };
        let properties = properties.as_properties();
        Connect { username, password, properties, ..connect.clone() }.encode(out)?;
        self.turn = Turn::Server(mechanism, Instant::now());
        Ok(())
    }

    /// Handles acceptance by the server: checks the server's own proof if the method requires one.
    pub(in crate::client) fn accept(&mut self, connack: &Connack<'_>) -> Result<(), Error> {
        self.is_connected = true;
        self.finish(connack.properties)
    }

    /// The mechanism's own error from the server's refusal.
    pub(in crate::client) fn error_text(&self, connack: &Connack<'_>) -> Option<String> {
        let Turn::Server(mechanism, _) = &self.turn else { return None };
        connack.properties.binary(PropertyId::AuthenticationData).and_then(|data| mechanism.error_text(data))
    }

    /// Handles a step of the server. [`Authenticator::next`] returns the answer.
    ///
    /// # Errors
    /// If it is not allowed now, or the mechanism has no answer to it.
    pub(crate) fn receive(&mut self, auth: &Auth<'_>) -> Result<(), Error> {
        let Some(Authentication { method, .. }) = self.claim.authentication else {
            return Err(self.nothing_to_say().into());
        };
        check_method(method, auth.properties)?;
        match auth.reason_code {
            ReasonCode::CONTINUE_AUTHENTICATION => self.compute_answer(auth.properties),
            ReasonCode::SUCCESS if self.is_connected => self.finish(auth.properties),
            other => Err(AuthenticationError::from(AuthViolation::ReasonCode(other)).into()),
        }
    }

    /// A method can also come from a property option, without a mechanism.
    fn nothing_to_say(&self) -> AuthenticationError {
        let typed = self.claim.properties.as_properties().text(PropertyId::AuthenticationMethod);
        match typed.map(str::to_owned) {
            Some(method) => AuthenticationError::Failed { method, failure: Failure::NothingMoreToSay },
            None => AuthViolation::NoMethod.into(),
        }
    }

    fn compute_answer(&mut self, properties: Properties<'_>) -> Result<(), Error> {
        let challenge = properties.binary(PropertyId::AuthenticationData).unwrap_or_default().to_vec();
        let mut mechanism = self.end_server_turn()?;
        let work = spawn_blocking(move || {
            let before = cpu_time::of_thread();
            let data = mechanism.respond(&challenge)?;
            Ok(Answer { mechanism, data, cpu: cpu_time::of_thread().saturating_sub(before) })
        });
        self.turn = Turn::Client(work, Instant::now());
        Ok(())
    }

    fn finish(&mut self, properties: Properties<'_>) -> Result<(), Error> {
        let Some(Authentication { method, interval, .. }) = self.claim.authentication else { return Ok(()) };
        // A success without the method is tolerated: only the mechanism's proof matters.
        if properties.text(PropertyId::AuthenticationMethod).is_some() {
            check_method(method, properties)?;
        }
        let mechanism = self.end_server_turn()?;
        mechanism
            .finish(properties.binary(PropertyId::AuthenticationData))
            .map_err(|failure| method.failed(failure))?;
        self.due = interval.and_then(|interval| Instant::now().checked_add(interval));
        Ok(())
    }

    fn end_server_turn(&mut self) -> Result<Mechanism, AuthenticationError> {
        match std::mem::replace(&mut self.turn, Turn::None) {
            Turn::Server(mechanism, _) => Ok(mechanism),
            Turn::None | Turn::Client(..) => Err(AuthViolation::OutOfTurn.into()),
        }
    }

    /// Interprets a DISCONNECT: a rejected proof if the server gives that as the reason.
    pub(in crate::client) fn refusal(
        &self,
        disconnect: &Disconnect<'_>,
        details: Details,
    ) -> Option<AuthenticationError> {
        let reason = disconnect.reason_code;
        let is_about_proof =
            [ReasonCode::NOT_AUTHORIZED, ReasonCode::BAD_AUTHENTICATION_METHOD].contains(&reason);
        let is_going_on = !matches!(self.turn, Turn::None);
        (is_going_on && is_about_proof).then_some(AuthenticationError::Refused { reason, details })
    }

    /// Waits for the next packet to send: an answer, or the start of the next authentication. Cancel safe.
    ///
    /// # Errors
    /// If the answer cannot be computed, or the server does not reply.
    pub(crate) async fn next(&mut self) -> Result<Step, Error> {
        let Some(authentication) = self.claim.authentication else { return pending().await };
        let method = &authentication.method;
        match &mut self.turn {
            Turn::Client(work, asked) => {
                let lost = |error| Error::Computation(io::Error::other(error));
                let answer = work.await.map_err(lost)?;
                let Answer { mechanism, data, cpu } = answer.map_err(|failure| method.failed(failure))?;
                self.answers.elapsed += asked.elapsed();
                self.answers.cpu += cpu;
                self.turn = Turn::Server(mechanism, Instant::now());
                step(ReasonCode::CONTINUE_AUTHENTICATION, method, Some(&data))
            }
            // During the first authentication, the caller's connect timeout applies.
            Turn::Server(..) if !self.is_connected => pending().await,
            Turn::Server(_, asked) => {
                let timeout = self.claim.timeout;
                sleep_until((*asked + timeout).into()).await;
                Err(AuthenticationError::NoAnswer(timeout).into())
            }
            Turn::None => match self.due {
                Some(due) => {
                    sleep_until(due.into()).await;
                    self.begin_again(authentication)
                }
                None => pending().await,
            },
        }
    }

    fn begin_again(&mut self, authentication: &Authentication) -> Result<Step, Error> {
        let mechanism = authentication.mechanism(&self.claim)?;
        let step = step(ReasonCode::RE_AUTHENTICATE, &authentication.method, mechanism.first());
        self.turn = Turn::Server(mechanism, Instant::now());
        step
    }

    /// Restarts the timeout: the answer may be in input that could not be read until now.
    pub(in crate::client) fn restart_timeout(&mut self) {
        if let Turn::Server(_, asked) = &mut self.turn {
            *asked = Instant::now();
        }
    }
}

fn step(reason_code: ReasonCode, method: &Method, data: Option<&[u8]>) -> Result<Step, Error> {
    let mut properties = PropertiesBuf::new();
    add_data(&mut properties, method.name(), data)?;
    Ok(Step { reason_code, properties })
}

fn add_data(properties: &mut PropertiesBuf, method: &str, data: Option<&[u8]>) -> Result<(), Error> {
    let refused = |error: PropertyError| match error {
        PropertyError::TooLong(error) => Error::Encode(error),
        error => Error::Property(error),
    };
    properties.push(PropertyId::AuthenticationMethod, PropertyValue::Text(method)).map_err(refused)?;
    if let Some(data) = data {
        properties.push(PropertyId::AuthenticationData, PropertyValue::Binary(data)).map_err(refused)?;
    }
    Ok(())
}

fn check_method(method: &Method, properties: Properties<'_>) -> Result<(), AuthenticationError> {
    Ok(AuthViolation::check_method(method.name(), properties)?)
}
