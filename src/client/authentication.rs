//! Extended authentication in the client loop (MQTT 5.0, section 4.12): when AUTH is allowed, from which side and with which
//! method. `crate::authentication` handles the data.
//!
//! A SCRAM server chooses the number of iterations, so the proof is computed on another thread: meanwhile signals, time
//! limits and the connection are still served.

use super::error::{Details, Error};
use crate::authentication::{Failure, Mechanism, Token, scram};
use crate::processor::thread_time;
use crate::protocol::property::PropertyError;
use crate::protocol::{
    Auth, Connack, Connect, Disconnect, Properties, PropertiesBuf, PropertyId, PropertyValue, ReasonCode,
};
use std::fmt;
use std::future::pending;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep_until;

/// The maximum length of an MQTT property.
const MAX_DATA_LENGTH: u64 = 65_535;

/// Extended authentication beyond user name and password.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// The authentication method.
    pub means: Means,
    /// The interval between authentications.
    pub interval: Option<Duration>,
    /// Results of earlier SCRAM computations.
    pub memory: scram::Memory,
}

/// The client's claimed identity, and the credentials that prove it.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The extended authentication, if user name and password in CONNECT are not enough.
    pub authentication: Option<&'a Authentication>,
    /// The user name.
    pub username: Option<&'a str>,
    /// The password.
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

impl Authentication {
    fn mechanism(&self, claim: &Claim<'_>) -> Result<Mechanism, Error> {
        match &self.means {
            Means::Token { source, .. } => Ok(Mechanism::Token(Token::new(source.read()?))),
            Means::Scram(algorithm) => {
                let name = claim.username.unwrap_or_default();
                let client = scram::Client::new(*algorithm, name, claim.password.unwrap_or_default());
                let client = client.map_err(|failure| self.means.failed(failure))?;
                Ok(Mechanism::Scram(Box::new(client.remembering(self.memory.clone()))))
            }
        }
    }
}

/// The implementation of a method.
#[derive(Debug, Clone)]
pub enum Means {
    /// User name and password are proved instead of sent.
    Scram(scram::Algorithm),
    /// Authentication data from another source.
    Token {
        /// The authentication method.
        method: String,
        /// The authentication data.
        source: TokenSource,
    },
}

/// The source of authentication data.
#[derive(Clone)]
pub enum TokenSource {
    /// No data: the method needs none.
    Nowhere,
    /// Fixed data.
    Bytes(Vec<u8>),
    /// Read for each authentication, since the file may have been renewed.
    File(PathBuf),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::Nowhere => f.write_str("Nowhere"),
            TokenSource::Bytes(_) => f.write_str("Bytes(..)"),
            TokenSource::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl Means {
    pub(crate) fn method(&self) -> &str {
        match self {
            Means::Scram(algorithm) => algorithm.method(),
            Means::Token { method, .. } => method,
        }
    }

    fn failed(&self, failure: Failure) -> AuthenticationError {
        AuthenticationError::Failed { method: self.method().to_owned(), failure }
    }
}

impl TokenSource {
    fn read(&self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            TokenSource::Nowhere => Ok(None),
            TokenSource::Bytes(bytes) => Ok(Some(bytes.clone())),
            TokenSource::File(path) => {
                let failed = |source| Error::Token { path: path.clone(), source };
                let data = open_again(path).and_then(token_from).map_err(failed)?;
                Ok(Some(data))
            }
        }
    }
}

/// Opens without blocking: the file may have been replaced by a pipe.
fn open_again(path: &Path) -> io::Result<std::fs::File> {
    match std::fs::metadata(path)?.is_file() {
        true => std::fs::File::open(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no longer a regular file")),
    }
}

/// Reads authentication data: all of the input, except the line end after a single line of text, which is not part of the
/// token.
///
/// # Errors
/// When it cannot be read, is empty, or exceeds the maximum length of an MQTT property.
pub fn token_from(input: impl Read) -> io::Result<Vec<u8>> {
    // Allocated in full, so that growing leaves no copy of the secret in memory.
    let mut data = Vec::with_capacity(MAX_DATA_LENGTH as usize + 3);
    input.take(MAX_DATA_LENGTH + 3).read_to_end(&mut data)?;
    if is_line_of_text(data.trim_ascii_end()) {
        crate::input_file::remove_mark(&mut data);
    }
    let line = data.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if let Some(line) = line.filter(|line| is_line_of_text(line)) {
        data.truncate(line.len());
    }
    let refused = |kind, text| Err(io::Error::new(kind, text));
    match data.len() as u64 {
        0 => refused(io::ErrorKind::UnexpectedEof, "it is empty; authentication data has at least one byte"),
        length if length > MAX_DATA_LENGTH => {
            refused(io::ErrorKind::FileTooLarge, "it is longer than authentication data can be (65535 bytes)")
        }
        _ => Ok(data),
    }
}

fn is_line_of_text(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| !line.chars().any(char::is_control))
}

/// The reason for a failed authentication, or a violation by the broker during one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The mechanism failed.
    #[error("authentication with {method} failed: {failure}")]
    Failed {
        /// The authentication method.
        method: String,
        /// The underlying error.
        failure: Failure,
    },
    /// The broker refused the re-authentication.
    #[error("the broker refused the re-authentication: {reason}{details}")]
    Refused {
        /// Why.
        reason: ReasonCode,
        /// The broker's explanation.
        details: Details,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer the re-authentication for {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// AUTH must have the method of CONNECT [MQTT-4.12.0-5].
    #[error(
        "the broker broke the protocol: expected the authentication method {asked}, but found {answered}"
    )]
    OtherMethod {
        /// The method in CONNECT.
        asked: String,
        /// The method in AUTH or CONNACK.
        answered: String,
    },
    /// CONNECT had no authentication method [MQTT-4.12.0-6].
    #[error("the broker broke the protocol: AUTH, but CONNECT had no authentication method")]
    NotAskedFor,
    /// The client sent no AUTH, or its answer is still pending.
    #[error("the broker broke the protocol: AUTH, but it is not its turn")]
    OutOfTurn,
    /// The reason code is not allowed there.
    #[error("the broker broke the protocol: AUTH with {0}, which it must not send there")]
    WrongStep(ReasonCode),
    /// The packet exceeds the broker's maximum packet size.
    #[error("AUTH of {size} bytes exceeds the broker's maximum packet size of {maximum}")]
    TooLarge {
        /// The packet's size in bytes.
        size: usize,
        /// The broker's maximum packet size.
        maximum: u32,
    },
}

impl AuthenticationError {
    /// The reason code for DISCONNECT.
    pub fn reason_code(&self) -> ReasonCode {
        match self {
            AuthenticationError::Failed { failure: Failure::NothingMoreToSay, .. } => {
                ReasonCode::BAD_AUTHENTICATION_METHOD
            }
            AuthenticationError::Failed { .. }
            | AuthenticationError::Refused { .. }
            | AuthenticationError::NoAnswer(_)
            | AuthenticationError::TooLarge { .. } => ReasonCode::UNSPECIFIED_ERROR,
            AuthenticationError::OtherMethod { .. }
            | AuthenticationError::NotAskedFor
            | AuthenticationError::OutOfTurn
            | AuthenticationError::WrongStep(_) => ReasonCode::PROTOCOL_ERROR,
        }
    }

    /// Whether the protocol or the connection failed, and not the proof.
    pub fn is_lost_connection(&self) -> bool {
        match self {
            AuthenticationError::NoAnswer(_) => true,
            error => error.reason_code() == ReasonCode::PROTOCOL_ERROR,
        }
    }
}

/// The client's next step, for AUTH.
pub struct Step {
    reason_code: ReasonCode,
    properties: PropertiesBuf,
}

impl Step {
    /// Appends the packet.
    ///
    /// # Errors
    /// When it exceeds the broker's maximum packet size.
    pub fn append(&self, maximum: u32, out: &mut Vec<u8>) -> Result<(), Error> {
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
pub struct Dialogue<'a> {
    claim: Claim<'a>,
    turn: Turn,
    is_connected: bool,
    /// The time of the next authentication.
    due: Option<Instant>,
    answers: AnswerTime,
}

/// The client's own time for its answers to the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerTime {
    /// From the server's AUTH packets to the answers.
    pub elapsed: Duration,
    /// The CPU time within `elapsed`, on other threads.
    pub cpu: Duration,
}

/// The side that must send the next AUTH.
enum Turn {
    /// No authentication is in progress.
    Nobodys,
    /// The server's turn, since that time.
    Theirs(Mechanism, Instant),
    /// The client's turn: the answer is being computed, since that time.
    Ours(JoinHandle<Result<Answer, Failure>>, Instant),
}

/// The reply to the server's last step.
struct Answer {
    mechanism: Mechanism,
    data: Vec<u8>,
    /// The CPU time for it.
    cpu: Duration,
}

impl<'a> Dialogue<'a> {
    /// Before the first packet.
    pub fn new(claim: Claim<'a>) -> Dialogue<'a> {
        let answers = AnswerTime::default();
        Dialogue { claim, turn: Turn::Nobodys, is_connected: false, due: None, answers }
    }

    /// Whether extended authentication is in use.
    pub(super) fn is_wanted(&self) -> bool {
        self.claim.authentication.is_some()
    }

    /// The time that the client took for its answers.
    pub fn answer_time(&self) -> AnswerTime {
        self.answers
    }

    /// Whether the server waits for the client's answer.
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.turn, Turn::Ours(..))
    }

    /// Appends CONNECT, with which the first authentication begins. With SCRAM it has neither user name nor password, which the
    /// method proves.
    pub(super) fn append_connect(&mut self, connect: &Connect<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(authentication) = self.claim.authentication else { return Ok(connect.encode(out)?) };
        let mechanism = authentication.mechanism(&self.claim)?;
        let mut properties = self.claim.properties.clone();
        add_data(&mut properties, authentication.means.method(), mechanism.first())?;
        let (username, password) = match authentication.means {
            Means::Scram(_) => (None, None),
            Means::Token { .. } => (connect.username, connect.password),
        };
        let properties = properties.as_properties();
        Connect { username, password, properties, ..connect.clone() }.encode(out)?;
        self.turn = Turn::Theirs(mechanism, Instant::now());
        Ok(())
    }

    /// Handles acceptance by the server: checks the server's own proof if the method requires one.
    pub(super) fn accept(&mut self, connack: &Connack<'_>) -> Result<(), Error> {
        self.is_connected = true;
        self.finish(connack.properties)
    }

    /// The mechanism's own error from the server's refusal.
    pub(super) fn words_of_refusal(&self, connack: &Connack<'_>) -> Option<String> {
        let Turn::Theirs(mechanism, _) = &self.turn else { return None };
        data_of(connack.properties).and_then(|data| mechanism.words_of_refusal(data))
    }

    /// Handles a step of the server. [`Dialogue::next`] returns the answer.
    ///
    /// # Errors
    /// When it is not allowed now, or the mechanism has no answer to it.
    pub fn receive(&mut self, auth: &Auth<'_>) -> Result<(), Error> {
        let Some(Authentication { means, .. }) = self.claim.authentication else {
            return Err(self.nothing_to_say().into());
        };
        check_method(means, auth.properties)?;
        match auth.reason_code {
            ReasonCode::CONTINUE_AUTHENTICATION => self.compute_answer(auth.properties),
            ReasonCode::SUCCESS if self.is_connected => self.finish(auth.properties),
            other => Err(AuthenticationError::WrongStep(other).into()),
        }
    }

    /// A method can also come from a property option, without a mechanism.
    fn nothing_to_say(&self) -> AuthenticationError {
        let typed = self.claim.properties.as_properties().text(PropertyId::AuthenticationMethod);
        match typed.map(str::to_owned) {
            Some(method) => AuthenticationError::Failed { method, failure: Failure::NothingMoreToSay },
            None => AuthenticationError::NotAskedFor,
        }
    }

    fn compute_answer(&mut self, properties: Properties<'_>) -> Result<(), Error> {
        let challenge = data_of(properties).unwrap_or_default().to_vec();
        let mut mechanism = self.take_their_turn()?;
        let work = spawn_blocking(move || {
            let before = thread_time();
            let data = mechanism.respond(&challenge)?;
            Ok(Answer { mechanism, data, cpu: thread_time().saturating_sub(before) })
        });
        self.turn = Turn::Ours(work, Instant::now());
        Ok(())
    }

    fn finish(&mut self, properties: Properties<'_>) -> Result<(), Error> {
        let Some(Authentication { means, interval, .. }) = self.claim.authentication else { return Ok(()) };
        // A success without the method is tolerated: only the mechanism's proof matters.
        check_method_if_any(means, properties)?;
        let mechanism = self.take_their_turn()?;
        mechanism.finish(data_of(properties)).map_err(|failure| means.failed(failure))?;
        self.due = interval.and_then(|interval| Instant::now().checked_add(interval));
        Ok(())
    }

    fn take_their_turn(&mut self) -> Result<Mechanism, AuthenticationError> {
        match std::mem::replace(&mut self.turn, Turn::Nobodys) {
            Turn::Theirs(mechanism, _) => Ok(mechanism),
            Turn::Nobodys | Turn::Ours(..) => Err(AuthenticationError::OutOfTurn),
        }
    }

    /// Interprets a DISCONNECT: a rejected proof if the server gives that as the reason.
    pub(super) fn refusal(
        &self,
        disconnect: &Disconnect<'_>,
        details: Details,
    ) -> Option<AuthenticationError> {
        let reason = disconnect.reason_code;
        let is_about_proof =
            [ReasonCode::NOT_AUTHORIZED, ReasonCode::BAD_AUTHENTICATION_METHOD].contains(&reason);
        let is_going_on = !matches!(self.turn, Turn::Nobodys);
        (is_going_on && is_about_proof).then_some(AuthenticationError::Refused { reason, details })
    }

    /// Waits for the next packet to send: an answer, or the start of the next authentication. Cancel safe.
    ///
    /// # Errors
    /// When the answer cannot be computed, or the server does not reply.
    pub async fn next(&mut self) -> Result<Step, Error> {
        let Some(authentication) = self.claim.authentication else { return pending().await };
        let means = &authentication.means;
        match &mut self.turn {
            Turn::Ours(work, asked) => {
                let lost = |error| Error::Computation(io::Error::other(error));
                let answer = work.await.map_err(lost)?;
                let Answer { mechanism, data, cpu } = answer.map_err(|failure| means.failed(failure))?;
                self.answers.elapsed += asked.elapsed();
                self.answers.cpu += cpu;
                self.turn = Turn::Theirs(mechanism, Instant::now());
                step(ReasonCode::CONTINUE_AUTHENTICATION, means, Some(&data))
            }
            // During the first authentication, the caller's connect timeout applies.
            Turn::Theirs(..) if !self.is_connected => pending().await,
            Turn::Theirs(_, asked) => {
                let timeout = self.claim.timeout;
                sleep_until((*asked + timeout).into()).await;
                Err(AuthenticationError::NoAnswer(timeout).into())
            }
            Turn::Nobodys => match self.due {
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
        let step = step(ReasonCode::RE_AUTHENTICATE, &authentication.means, mechanism.first());
        self.turn = Turn::Theirs(mechanism, Instant::now());
        step
    }

    /// Restarts the timeout: the answer may be in input that could not be read until now.
    pub(super) fn restart_timeout(&mut self) {
        if let Turn::Theirs(_, asked) = &mut self.turn {
            *asked = Instant::now();
        }
    }
}

fn step(reason_code: ReasonCode, means: &Means, data: Option<&[u8]>) -> Result<Step, Error> {
    let mut properties = PropertiesBuf::new();
    add_data(&mut properties, means.method(), data)?;
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

fn data_of(properties: Properties<'_>) -> Option<&[u8]> {
    match properties.find(PropertyId::AuthenticationData)? {
        PropertyValue::Binary(data) => Some(data),
        PropertyValue::Number(_) | PropertyValue::Text(_) | PropertyValue::Pair(..) => None,
    }
}

fn check_method(means: &Means, properties: Properties<'_>) -> Result<(), AuthenticationError> {
    let asked = means.method();
    match properties.text(PropertyId::AuthenticationMethod) {
        Some(answered) if answered == asked => Ok(()),
        answered => {
            let answered =
                answered.map_or_else(|| "none".to_owned(), |method| method.escape_debug().to_string());
            Err(AuthenticationError::OtherMethod { asked: asked.to_owned(), answered })
        }
    }
}

fn check_method_if_any(means: &Means, properties: Properties<'_>) -> Result<(), AuthenticationError> {
    match properties.text(PropertyId::AuthenticationMethod) {
        Some(_) => check_method(means, properties),
        None => Ok(()),
    }
}
