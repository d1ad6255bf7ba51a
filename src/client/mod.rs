//! The client loop, which joins session and transport: connects, exchanges packets, drains, and reconnects after a loss.
//!
//! A command implements [`Application`]: the loop notifies it of events and asks it for packets to send. The loop asks only
//! while there is quota and room in the send buffer, writes everything due in one call, and sends an acknowledgement only
//! after [`Application::flush`] reports the message as safe.

mod authentication;
mod handshake;

use crate::error::Error;
use crate::hosted::sas::Signer;
use crate::protocol::session::{Event, KeepAlive, KeepAliveAction, Outgoing, PublishError, Role, Session};
use crate::protocol::{
    Connack, Defect, Disconnect, Frame, Mended, Packet, PacketId, Properties, PropertiesBuf, PropertyId,
    PropertyValue, Publish, Qos, ReasonCode, SubscriptionAck, Version,
};
use crate::transport::{Connection, Endpoint, Stream, Tap};
pub use authentication::{
    Authentication, AuthenticationError, Claim, Dialogue, Means, Step, TokenSource, token_from,
};
use handshake::{Connected, Handshake};
pub use handshake::{Terms, describe_details, disconnected, first_packet, say_why, take_first};
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep, timeout};

/// The send buffer is filled up to this many bytes before it is written.
const ENOUGH_OUTPUT: usize = 64 * 1024;

/// The timeout for the peer to read the last packet, and then to close, before the connection is dropped.
pub const FAREWELL_PATIENCE: Duration = Duration::from_secs(1);

/// The maximum of the first pause before a reconnect.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The maximum pause before a reconnect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The session expiry of a run, in seconds, in case it ends without DISCONNECT: longer than any pause between connections,
/// and short enough to leave no stale session.
const SESSION_OF_RUN: u32 = 3600;

/// The connection's parameters: client, server and transport.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's endpoint.
    pub endpoint: Endpoint,
    /// The MQTT version.
    pub version: Version,
    /// The client identifier; empty to let the server assign one.
    pub client_id: String,
    /// Whether to discard an existing session.
    pub clean_start: bool,
    /// Whether later connections continue the session of the first one even after a clean start. It needs a session expiry
    /// interval.
    pub resumes_session: bool,
    /// The keep alive interval in seconds; 0 for none.
    pub keep_alive: u16,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// Signs a new password for each connection, in place of `password`.
    pub signer: Option<Signer>,
    /// Extended authentication, beyond user name and password in CONNECT; MQTT 5 only.
    pub authentication: Option<Authentication>,
    /// The will message, published by the server after the client is gone.
    pub will: Option<WillOptions>,
    /// CONNECT's properties.
    pub properties: PropertiesBuf,
    /// DISCONNECT's properties.
    pub disconnect_properties: PropertiesBuf,
    /// The maximum of unacknowledged QoS 1 and 2 messages, even if the server allows more.
    pub maximum_in_flight: u16,
    /// The number of reconnects.
    pub retries: Retries,
    /// The reason code of DISCONNECT when the application is stopped from outside.
    pub stop_reason: ReasonCode,
}

impl Options {
    /// Lets the broker keep the session during the run, so that QoS 2 messages survive a lost connection, and removes it at the
    /// end. Only MQTT 5 supports both, and only runs with reconnects need it.
    pub fn keep_session_for_run(&mut self) {
        let has_choice =
            |list: &PropertiesBuf| list.as_properties().find(PropertyId::SessionExpiryInterval).is_some();
        let is_chosen = has_choice(&self.properties) || has_choice(&self.disconnect_properties);
        if !self.version.is_v5() || !self.clean_start || is_chosen || self.retries.limit == Some(0) {
            return;
        }
        let keep = |list: &mut PropertiesBuf, seconds| {
            list.push(PropertyId::SessionExpiryInterval, PropertyValue::Number(seconds))
        };
        let kept = keep(&mut self.properties, SESSION_OF_RUN)
            .and_then(|()| keep(&mut self.disconnect_properties, 0));
        debug_assert!(kept.is_ok(), "a number of four bytes that was not there");
        self.resumes_session = true;
    }

    /// The identity that the client claims.
    fn claim(&self) -> Claim<'_> {
        Claim {
            authentication: self.authentication.as_ref(),
            username: self.username.as_deref(),
            password: self.password.as_deref(),
            properties: &self.properties,
            patience: self.endpoint.timeout,
        }
    }
}

/// The number of retries before giving up. The count restarts after a connection that worked: a message got through, or it
/// lasted. Otherwise a broker that accepts the client but closes at each message, as some do for a forbidden topic, would be
/// retried forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The maximum of attempts in a row; `None` for no limit.
    pub limit: Option<u32>,
    /// Whether to retry the first connection as well. By default, a wrong host is reported immediately.
    pub include_first: bool,
}

/// The will message, published by the server after the client is gone.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // as in PUBLISH
pub struct WillOptions {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub properties: PropertiesBuf,
}

impl WillOptions {
    /// The will as a PUBLISH.
    pub fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}

/// The callbacks of a command.
pub trait Application {
    /// The state kept for a message until it is settled.
    type Message: Outgoing;

    /// The broker accepted the connection, the first or a later one: subscribe here.
    ///
    /// # Errors
    /// Ends the command.
    fn connected(&mut self, link: &mut Link<'_, Self::Message>) -> Result<(), Error>;

    /// Sends the next message, if there is one.
    ///
    /// # Errors
    /// Ends the command.
    fn send(&mut self, link: &mut Link<'_, Self::Message>) -> Result<Sending, Error>;

    /// Waits until [`Application::send`] may have a packet again, or [`Application::flush`] may make progress. Cancel safe.
    fn ready(&mut self) -> impl Future<Output = ()>;

    /// A message arrived, perhaps with values that its publisher should not have sent.
    ///
    /// # Errors
    /// Ends the command.
    fn message(&mut self, publish: &Publish<'_>, defects: &[Defect]) -> Result<Flow, Error>;

    /// A sent message is settled: delivered, or rejected if the reason code is an error.
    ///
    /// # Errors
    /// Ends the command.
    fn published(
        &mut self,
        packet_id: PacketId,
        message: Self::Message,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) -> Result<Flow, Error>;

    /// The broker lost the session, and with it the state of QoS 2 messages. Those that are not sent again are settled next.
    fn uncertain(&mut self, _: &Uncertain<'_, Self::Message>) {}

    /// The command ends with unacknowledged messages, because it cannot reconnect.
    fn abandoned(&mut self, _unsettled: usize) {}

    /// A message cannot be sent again on the new connection, which has lower limits than the old one.
    fn unsendable(&mut self, message: Self::Message, error: PublishError);

    /// The server answered a SUBSCRIBE.
    ///
    /// # Errors
    /// Ends the command.
    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error>;

    /// The server answered an UNSUBSCRIBE.
    ///
    /// # Errors
    /// Ends the command.
    fn unsubscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error>;

    /// Makes the received messages safe, without waiting; returns whether all of them are. Their acknowledgements are sent
    /// afterwards, and nothing more is read until then.
    ///
    /// # Errors
    /// Ends the command.
    fn flush(&mut self) -> Result<bool, Error>;

    /// The connection was lost; a reconnect follows after a pause.
    fn lost(&mut self, error: &Error, pause: Duration);

    /// A connection is open; no packet has been sent yet. The returned tap sees all its bytes.
    fn opened(&mut self, _stream: &Stream) -> Option<Box<dyn Tap>> {
        None
    }

    /// The broker accepted the client, with these limits.
    fn accepted(&mut self, _connack: &Connack<'_>) {}
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Continue.
    Continue,
    /// Acknowledge the received messages, then disconnect.
    Finish,
    /// Stop receiving, and disconnect when [`Application::send`] has no more messages and all sent ones are acknowledged.
    Drain,
}

/// The result of [`Application::send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// A message was sent; ask again.
    Sent,
    /// No packet yet; ask again after [`Application::ready`] or when the session gets quota.
    Waiting,
    /// No more messages: disconnect when all are acknowledged.
    Finished,
}

/// The end of a connection without a failure. `S` is the reason for stopping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<S> {
    /// The application is finished.
    Finished,
    /// The `stop` future resolved first.
    Stopped {
        /// The broker's reason.
        reason: S,
        /// The number of sent messages without acknowledgement.
        unsettled: usize,
        /// Whether the broker had accepted a connection, now or earlier.
        was_connected: bool,
    },
}

/// QoS 2 messages for which exactly-once delivery is unknown.
#[derive(Debug)]
pub struct Uncertain<'a, M> {
    /// The broker had received them, and they are not sent again: they may be lost.
    pub may_be_lost: Vec<&'a M>,
    /// They are sent again, and the broker may already have received them: they may be delivered twice.
    pub may_be_doubled: Vec<&'a M>,
}

/// The application's interface for sending.
#[derive(Debug)]
pub struct Link<'a, M> {
    /// The session, which knows the server's limits.
    pub session: &'a mut Session<M>,
    /// The send buffer.
    pub output: &'a mut Vec<u8>,
}

/// Runs an application until it finishes, fails, or `stop` resolves; then disconnects.
///
/// # Errors
/// The failure that ended it before it finished.
pub async fn run<A: Application, S>(
    options: &Options,
    application: &mut A,
    stop: impl Future<Output = S>,
) -> Result<End<S>, Error> {
    let mut stop = pin!(stop);
    let mut client = Client {
        options,
        application,
        session: Session::new(Role::Client, options.version),
        client_id: None,
    };
    let mut attempts = Attempts::new(options.retries);
    loop {
        let error = match client.connect_and_converse(&mut attempts, stop.as_mut()).await {
            Ok(end) => return Ok(end),
            Err(error) => error,
        };
        let Some(pause) = attempts.next_pause(&error) else {
            let unsettled = client.session.unsettled();
            if unsettled > 0 {
                client.application.abandoned(unsettled);
            }
            return Err(error);
        };
        client.application.lost(&error, pause);
        tokio::select! {
            reason = stop.as_mut() => {
                let unsettled = client.session.unsettled();
                return Ok(End::Stopped { reason, unsettled, was_connected: attempts.was_connected });
            }
            () = sleep(pause) => {}
        }
    }
}

/// Sends CONNECT and waits for a successful CONNACK, up to the endpoint's time limit. For callers that drive the connection
/// step by step; [`run`] does the rest as well, including re-authentication if requested.
///
/// # Errors
/// When the connection cannot be established.
pub async fn introduce(
    options: &Options,
    connection: Connection,
    read: impl FnMut(&Connack<'_>),
) -> Result<(Connection, Terms), Error> {
    let connected = Handshake { options, clean_start: options.clean_start, client_id: None }
        .introduce(connection, read)
        .await?;
    Ok((connected.connection, connected.terms))
}

/// Counts attempts to connect, and increases the pause between them.
struct Attempts {
    retries: Retries,
    failed: u32,
    was_connected: bool,
}

impl Attempts {
    fn new(retries: Retries) -> Attempts {
        Attempts { retries, failed: 0, was_connected: false }
    }

    fn connected(&mut self) {
        self.was_connected = true;
    }

    fn proved(&mut self) {
        self.failed = 0;
    }

    /// The pause before the next attempt; `None` to give up.
    fn next_pause(&mut self, error: &Error) -> Option<Duration> {
        let is_used_up = self.retries.limit.is_some_and(|limit| self.failed >= limit);
        let is_first = !self.was_connected && !self.retries.include_first;
        if is_first || is_used_up || !error.is_worth_retrying() {
            return None;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failed.min(5)).min(LONGEST_PAUSE);
        self.failed = self.failed.saturating_add(1);
        // Between half and all of it, so that many clients do not reconnect at the same time.
        Some(doubled.mul_f64(0.5 + fastrand::f64() / 2.0))
    }
}

struct Client<'a, A: Application> {
    options: &'a Options,
    application: &'a mut A,
    session: Session<A::Message>,
    /// The client identifier assigned by the server.
    client_id: Option<String>,
}

impl<A: Application> Client<'_, A> {
    async fn connect_and_converse<S>(
        &mut self,
        attempts: &mut Attempts,
        mut stop: Pin<&mut impl Future<Output = S>>,
    ) -> Result<End<S>, Error> {
        let clean_start =
            self.options.clean_start && !(self.options.resumes_session && attempts.was_connected);
        let client_id = self.client_id.as_deref();
        let handshake = Handshake { options: self.options, clean_start, client_id };
        let connected = tokio::select! {
            reason = stop.as_mut() => {
                let unsettled = self.session.unsettled();
                return Ok(End::Stopped { reason, unsettled, was_connected: attempts.was_connected });
            }
            connected = handshake.connect(&mut *self.application) => connected?,
        };
        attempts.connected();
        let (options, keep_alive) = (self.options, connected.terms.keep_alive);
        let start = Instant::now();
        let (taken, mut conversation) = self.start(connected);
        let result = match conversation.begin(taken) {
            Ok(()) => conversation.run(keep_alive, stop).await,
            Err(error) => Err(error),
        };
        if conversation.moved_message || start.elapsed() >= LONGEST_PAUSE {
            attempts.proved();
        }
        match result {
            Ok(End::Finished) => conversation.say_goodbye(ReasonCode::SUCCESS).await,
            Ok(End::Stopped { .. }) => conversation.say_goodbye(options.stop_reason).await,
            Err(ref error) => conversation.end_badly(error).await,
        }
        result
    }

    /// Starts the session on the new connection. Also returns the messages that the broker had received before it lost the session.
    fn start<'c>(
        &'c mut self,
        connected: Connected<'c>,
    ) -> (Vec<(PacketId, A::Message)>, Conversation<'c, A>) {
        let Connected { connection, dialogue, terms } = connected;
        let Terms { session_present, accepts, peer_accepts, assigned_client_id, .. } = terms;
        if assigned_client_id.is_some() {
            self.client_id = assigned_client_id;
        }
        let taken = self.session.start(self.options.version, accepts, peer_accepts, session_present);
        let conversation = Conversation {
            options: self.options,
            application: self.application,
            session: &mut self.session,
            connection,
            dialogue,
            mended: Mended::default(),
            held: Vec::new(),
            is_blocked: false,
            is_draining: false,
            has_session: session_present,
            is_finished: false,
            moved_message: false,
        };
        (taken, conversation)
    }
}

/// One connection after CONNACK.
struct Conversation<'a, A: Application> {
    options: &'a Options,
    application: &'a mut A,
    session: &'a mut Session<A::Message>,
    connection: Connection,
    dialogue: Dialogue<'a>,
    /// The message being read, if it breaks the specification's rules.
    mended: Mended,
    /// Acknowledgements to send when the application has made the messages safe.
    held: Vec<u8>,
    /// The application has not made them safe yet: nothing more is read.
    is_blocked: bool,
    /// Messages are ignored, neither received nor acknowledged.
    is_draining: bool,
    /// The broker has the session of the previous connection.
    has_session: bool,
    /// The application has no more messages; only acknowledgements are left.
    is_finished: bool,
    /// A sent message was settled, or a message was received.
    moved_message: bool,
}

impl<A: Application> Conversation<'_, A> {
    /// Hands the application the messages that are not sent again, and lets it subscribe.
    fn begin(&mut self, taken: Vec<(PacketId, A::Message)>) -> Result<(), Error> {
        if !self.has_session {
            let is_qos_2 = |message: &&A::Message| message.as_publish().qos == Qos::ExactlyOnce;
            let uncertain = Uncertain {
                may_be_lost: taken.iter().map(|(_, message)| message).collect(),
                may_be_doubled: self.session.unsettled_messages().filter(is_qos_2).collect(),
            };
            if !uncertain.may_be_lost.is_empty() || !uncertain.may_be_doubled.is_empty() {
                self.application.uncertain(&uncertain);
            }
        }
        for (packet_id, message) in taken {
            self.application.published(packet_id, message, ReasonCode::SUCCESS, Properties::EMPTY)?;
        }
        let mut link = Link { session: self.session, output: self.connection.output() };
        self.application.connected(&mut link)
    }

    async fn run<S>(
        &mut self,
        mut keep_alive: KeepAlive,
        mut stop: Pin<&mut impl Future<Output = S>>,
    ) -> Result<End<S>, Error> {
        let mut timer = pin!(sleep(Duration::ZERO));
        self.check_keep_alive(&mut keep_alive, timer.as_mut())?;
        let mut flow = Flow::Continue;
        loop {
            let is_waiting = flow != Flow::Finish && self.fill()?;
            let was_blocked = self.is_blocked;
            self.release()?;
            if was_blocked && !self.is_blocked {
                // Packets that arrived in the meantime are only read now.
                keep_alive.received();
                self.dialogue.begin_patience();
            }
            let is_done = flow == Flow::Finish || self.is_all_sent();
            if is_done && !self.is_blocked {
                return Ok(End::Finished);
            }
            tokio::select! {
                biased;
                reason = stop.as_mut() => {
                    let unsettled = self.session.unsettled();
                    return Ok(End::Stopped { reason, unsettled, was_connected: true });
                }
                // Before the connection, which is always ready during a flood.
                () = timer.as_mut() => self.check_keep_alive(&mut keep_alive, timer.as_mut())?,
                step = self.dialogue.next(), if !self.is_blocked => {
                    step?.append(self.session.peer_accepts().maximum_packet_size, self.connection.output())?;
                }
                progress = self.connection.progress(!self.is_blocked) => {
                    let progress = progress.map_err(Error::Lost)?;
                    if progress.sent > 0 {
                        keep_alive.sent(Instant::now());
                    }
                    if progress.received > 0 {
                        keep_alive.received();
                        flow = self.take_packets()?;
                    }
                    if progress.is_closed && flow != Flow::Finish {
                        return Err(Error::Closed("without giving a reason"));
                    }
                }
                () = self.application.ready(), if is_waiting || self.is_blocked => {}
            }
        }
    }

    /// Appends messages while the session has quota and the buffer has room. Returns whether the application is waiting.
    fn fill(&mut self) -> Result<bool, Error> {
        let mut is_waiting = false;
        for (message, error) in self.session.resend(ENOUGH_OUTPUT, self.connection.output()) {
            self.application.unsendable(message, error);
        }
        while !self.is_finished && self.connection.unsent() < ENOUGH_OUTPUT {
            if self.quota() == 0 {
                break;
            }
            let mut link = Link { session: self.session, output: self.connection.output() };
            match self.application.send(&mut link)? {
                Sending::Sent => {}
                Sending::Waiting => {
                    is_waiting = true;
                    break;
                }
                Sending::Finished => self.is_finished = true,
            }
        }
        Ok(is_waiting)
    }

    /// Whether everything is acknowledged, and output without acknowledgement is at least in the kernel's buffer: the
    /// disconnect waits only briefly for a slow broker.
    fn is_all_sent(&self) -> bool {
        self.is_finished && self.session.is_drained() && self.connection.is_flushed()
    }

    /// The number of messages that may be sent. The window is refilled with every acknowledgement, not half a window at a time:
    /// a broker without TCP_NODELAY delays its next acknowledgement until the TCP acknowledgement, which our next message carries.
    fn quota(&self) -> usize {
        let own = usize::from(self.options.maximum_in_flight).saturating_sub(self.session.unsettled());
        self.session.quota().min(own)
    }

    /// Sends the acknowledgements of messages that are safe.
    fn release(&mut self) -> Result<(), Error> {
        self.is_blocked = !self.application.flush()?;
        if !self.is_blocked && !self.held.is_empty() {
            self.connection.output().append(&mut self.held);
        }
        Ok(())
    }

    /// Handles all complete packets in the receive buffer.
    fn take_packets(&mut self) -> Result<Flow, Error> {
        let mut taken = 0;
        let mut result = Ok(Flow::Continue);
        while let Ok(Flow::Continue | Flow::Drain) = result {
            let (rest, _) = self.connection.buffers();
            let rest = rest.get(taken..).unwrap_or_default();
            let mut taker = Taker {
                session: self.session,
                application: self.application,
                dialogue: &mut self.dialogue,
                mended: &mut self.mended,
            };
            match taker.take_packet(self.is_draining, rest, &mut self.held) {
                Ok(None) => break,
                Ok(Some(Taken { size, is_message, flow })) => {
                    taken += size;
                    self.moved_message |= is_message;
                    self.is_draining |= flow == Flow::Drain;
                    result = Ok(flow);
                }
                Err(error) => result = Err(error),
            }
        }
        self.connection.consume(taken);
        result
    }

    fn check_keep_alive(&mut self, keep_alive: &mut KeepAlive, timer: Pin<&mut Sleep>) -> Result<(), Error> {
        let now = Instant::now();
        if self.is_blocked {
            keep_alive.received(); // The answer may be among what is not read.
        }
        let due = match keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(due) => due,
            KeepAliveAction::Ping => {
                self.session.ping(self.connection.output());
                return self.check_keep_alive(keep_alive, timer);
            }
            KeepAliveAction::PeerIsGone => return Err(Error::KeepAlive(keep_alive.interval())),
        };
        let far = now + Duration::from_secs(24 * 3600);
        timer.reset(due.unwrap_or(far).into());
        Ok(())
    }

    /// Sends pending output and DISCONNECT. Errors no longer matter.
    async fn say_goodbye(&mut self, reason_code: ReasonCode) {
        self.append_disconnect(reason_code);
        self.connection.finish(FAREWELL_PATIENCE).await;
    }

    fn append_disconnect(&mut self, reason_code: ReasonCode) {
        let properties = self.options.disconnect_properties.as_properties();
        let disconnect = Disconnect { reason_code, properties };
        // A DISCONNECT that cannot be encoded is left out.
        let _ = disconnect.encode(self.session.version(), self.connection.output());
    }

    /// Sends the reason for the end, if the peer may still be reading and MQTT 5 has a reason code for it. Does not wait for a
    /// peer that broke the protocol.
    async fn end_badly(&mut self, error: &Error) {
        let reason_code = match error {
            Error::Decode(error) => error.reason_code(),
            Error::Session(error) => error.reason_code(),
            Error::Authentication(AuthenticationError::Refused { .. }) => return,
            Error::Authentication(error) => error.reason_code(),
            Error::Lost(_) | Error::Closed(_) | Error::Disconnected { .. } | Error::KeepAlive(_) => return,
            _ => return self.say_goodbye(ReasonCode::SUCCESS).await,
        };
        if self.session.version().is_v5() {
            self.append_disconnect(reason_code);
            let _ = timeout(FAREWELL_PATIENCE, self.connection.flush()).await;
        }
    }
}

/// A packet that was removed from the receive buffer.
struct Taken {
    /// Its size in bytes.
    size: usize,
    /// Whether it is a message, or settles one that we sent.
    is_message: bool,
    /// Whether to continue.
    flow: Flow,
}

/// The context for handling a packet.
struct Taker<'c, 'a, A: Application> {
    session: &'c mut Session<A::Message>,
    application: &'c mut A,
    dialogue: &'c mut Dialogue<'a>,
    mended: &'c mut Mended,
}

impl<A: Application> Taker<'_, '_, A> {
    /// Handles the first packet of `input`; `None` if it is incomplete.
    fn take_packet(
        &mut self,
        is_draining: bool,
        input: &[u8],
        held: &mut Vec<u8>,
    ) -> Result<Option<Taken>, Error> {
        let Taker { session, application, dialogue, mended } = self;
        let Some(frame) = Frame::cut(input, session.accepts().maximum_packet_size)? else {
            return Ok(None);
        };
        let (packet, defects) = Packet::decode_tolerantly(frame, session.version(), mended)?;
        let event = session.receive(packet, held)?;
        let is_message = matches!(event, Event::Message { .. } | Event::Published { .. });
        let flow = match event {
            Event::Nothing | Event::Pingresp => Flow::Continue,
            Event::Message { .. } if is_draining => Flow::Continue,
            Event::Message { publish, acknowledgement } => {
                let flow = application.message(&publish, defects)?;
                session.acknowledge(acknowledgement, ReasonCode::SUCCESS, held);
                flow
            }
            Event::Published { packet_id, reason_code, properties, message } => {
                application.published(packet_id, message, reason_code, properties)?
            }
            Event::Subscribed(ack) => application.subscribed(&ack)?,
            Event::Unsubscribed(ack) => application.unsubscribed(&ack)?,
            Event::Auth(auth) => {
                dialogue.receive(&auth)?;
                Flow::Continue
            }
            Event::Disconnect(disconnect) => return Err(ended_by(&disconnect, dialogue)),
            Event::Subscribe(_) | Event::Unsubscribe(_) => {
                return Err(crate::protocol::session::SessionError::Unexpected(frame.packet_type).into());
            }
        };
        Ok(Some(Taken { size: frame.size(), is_message, flow }))
    }
}

/// Interprets the server's DISCONNECT.
fn ended_by(disconnect: &Disconnect<'_>, dialogue: &Dialogue<'_>) -> Error {
    let details = describe_details(disconnect.properties);
    match dialogue.refusal(disconnect, &details) {
        Some(refusal) => refusal.into(),
        None => Error::Disconnected { reason: disconnect.reason_code, details },
    }
}
