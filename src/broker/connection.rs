//! One client's connection: CONNECT within a deadline, then packets in both directions until one side closes it.
//!
//! Each turn handles all complete packets, fills the send buffer from the client's queue, and writes once. Input is left
//! unread while the client has to wait for slow subscribers, or does not read its own answers.

use super::budget::Account;
use super::client::Client;
use super::link::Link;
use super::message::{Outbound, Queued};
use super::scram::{Authenticator, Denial, Reply};
use super::state::{Opened, Shared};
use super::{Config, Event, Peer, Report};
use crate::protocol::property::Context;
use crate::protocol::session::{self, Outgoing, Session};
use crate::protocol::{
    Auth, Connack, Connect, DecodeError, Disconnect, Frame, Packet, PacketType, Problem, Properties,
    PropertiesBuf, Property, PropertyId, PropertyValue, Qos, ReasonCode, SubscriptionAck, Version,
};
use crate::transport::{Connection, Progress, Stream};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};

/// The maximum size of CONNECT: room for every field at its maximum length. Unauthenticated clients must not cost more.
const MAXIMUM_CONNECT_SIZE: u32 = 1 << 20;

/// The maximum size of packets other than PUBLISH, as the work for them grows with their length.
const MAXIMUM_REQUEST_SIZE: u32 = 1 << 20;

/// A SUBSCRIBE or UNSUBSCRIBE over this size is handled in parts.
const LONG_REQUEST: usize = 4096;

/// The filters in such a part.
const FILTERS_AT_A_TIME: usize = 16;

/// The size up to which an incomplete packet is accepted regardless of the client's other memory.
const UNCHECKED_INPUT: usize = 16 * 1024;

/// The size of PUBACK with a reason code.
const SMALLEST_WITH_REASON: u32 = 5;

/// A message over this size waits when the broker's memory is short, since its packet is a copy.
const LARGE_MESSAGE: usize = 64 * 1024;

/// The number of unwritten bytes up to which messages are taken from the queue; the kernel's buffer is full as well by then.
const OUTPUT_TARGET: usize = 128 * 1024;

/// The number of unsent bytes at which reading stops: the client does not read its answers.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// The number of messages from one client before the others get their turn, which keeps queues short.
const MESSAGES_PER_TURN: usize = 32;

/// The number of packets, or the equal amount of work, from one client per turn; the rest of its input waits.
const PACKETS_PER_TURN: usize = 2048;
const WORK_PER_TURN: usize = 10_000;

/// The timeout for the last packet to a client that may still be sending.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// The timeout for the last packet to a client that broke no rule, and most likely sends nothing.
const PARTING_TIME: Duration = Duration::from_millis(200);

/// Why a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    /// The client closed it, or the network broke.
    Lost,
    /// DISCONNECT from the client; `has_will` if the will is still to be published.
    Disconnected { has_will: bool },
    /// The broker closes it.
    Ordered(ReasonCode),
    /// The client sent a forbidden packet, or exceeded a limit.
    Violation { reason_code: ReasonCode, text: String },
}

impl Ending {
    fn violation(reason_code: ReasonCode, text: impl Into<String>) -> Ending {
        Ending::Violation { reason_code, text: text.into() }
    }
}

/// Serves a client from its first byte to the last.
pub(super) async fn serve(shared: Shared, stream: Stream, peer: Peer) {
    let mut connection = Connection::new(stream);
    // Boxed, since the first steps need memory that later ones do not.
    let Some(admitted) = Box::pin(open(&mut connection, &shared, &peer)).await else {
        return;
    };
    let Admitted { client, link, authenticator } = admitted;
    let mut service = Service { shared, connection, client, link, authenticator };
    let ending = service.run().await;
    service.note_end(&ending);
    let (version, maximum_size) = {
        let session = service.client.session.borrow();
        (session.version(), session.peer_accepts().maximum_packet_size)
    };
    Box::pin(close(service.connection, version, maximum_size, ending)).await;
}

/// An accepted client.
struct Admitted {
    client: Rc<Client>,
    link: Rc<Link>,
    authenticator: Option<Authenticator>,
}

/// Waits for CONNECT and answers it. `None` if the client was refused.
async fn open(connection: &mut Connection, shared: &Shared, peer: &Peer) -> Option<Admitted> {
    let reason = match receive_connect(connection, shared, peer).await {
        Ok(admitted) => return Some(admitted),
        Err(reason) => reason,
    };
    shared.borrow_mut().refuse(peer.clone(), reason, Instant::now());
    drop(connection.take(usize::MAX));
    let _ = timeout(CLOSING_TIME, finish(connection)).await;
    None
}

/// Reads until CONNECT is complete, and accepts the client. On an error, the refusal is already in the send buffer.
async fn receive_connect(
    connection: &mut Connection,
    shared: &Shared,
    peer: &Peer,
) -> Result<Admitted, String> {
    let deadline = tokio::time::Instant::now() + shared.borrow().config.connect_timeout;
    let account = Account::new(&shared.borrow().strangers, usize::MAX);
    let mut stranger = Stranger { connection, shared, account, deadline };
    let bytes = match stranger.receive(PacketType::Connect).await {
        Ok(bytes) => bytes,
        Err(refusal) => {
            let version = Connect::peek_version(connection.buffers().0);
            return Err(refuse_unread(refusal, version, connection.output()));
        }
    };
    let connect = match decode_connect(&bytes) {
        Ok(connect) => connect,
        Err(error) => {
            refuse_malformed(&error, &bytes, stranger.connection.output());
            return Err(error.to_string());
        }
    };
    let proved = match stranger.prove(&connect, &bytes).await {
        Ok(proved) => proved,
        Err(Refusal { reason_code, text }) => {
            if let Some(reason_code) = reason_code {
                put(&refusal(reason_code), connect.version, stranger.connection.output());
            }
            return Err(text);
        }
    };
    answer_connect(&connect, proved, connection.output(), shared, peer)
}

/// A connection that is not accepted yet.
struct Stranger<'a> {
    connection: &'a mut Connection,
    shared: &'a Shared,
    /// Its memory, charged to the budget of connections that are not accepted yet.
    account: Rc<Account>,
    deadline: tokio::time::Instant,
}

impl Stranger<'_> {
    /// Reads a complete packet of this type. Any other packet is refused at its first byte.
    async fn receive(&mut self, expected: PacketType) -> Result<Vec<u8>, Refusal> {
        loop {
            let input = self.connection.buffers().0;
            if let Some(size) = cut_one(expected, input)?.map(|frame| frame.size()) {
                return Ok(self.connection.take(size));
            }
            let progress = timeout_at(self.deadline, self.connection.progress(true)).await;
            let progress = progress.map_err(|_| Refusal::silent(format!("no {expected} in time")))?;
            let progress = progress.map_err(|error| Refusal::silent(error.to_string()))?;
            count_bytes(progress, &mut self.shared.borrow_mut().report);
            if progress.is_closed && cut_one(expected, self.connection.buffers().0)?.is_none() {
                return Err(Refusal::silent(format!("closed before {expected}")));
            }
            self.check_budget()?;
        }
    }

    fn check_budget(&self) -> Result<(), Refusal> {
        self.account.set_own(self.connection.buffered());
        if self.account.is_within_budget() {
            return Ok(());
        }
        self.shared.borrow_mut().report.quota_exceeded += 1;
        let reason_code = Some(ReasonCode::QUOTA_EXCEEDED);
        let text = "too much memory is in use for connections that have not sent CONNECT".to_owned();
        Err(Refusal { reason_code, text })
    }
}

/// The packet, if it is complete. No other packet may come before CONNECT [MQTT-3.1.0-1], or during an authentication
/// [MQTT-3.1.2-30].
fn cut_one(expected: PacketType, input: &[u8]) -> Result<Option<Frame<'_>>, Refusal> {
    match input.first().map(|&byte| PacketType::from_first_byte(byte)) {
        None => Ok(None),
        Some(Some(packet_type)) if packet_type == expected => Frame::cut(input, MAXIMUM_CONNECT_SIZE)
            .map_err(|error| Refusal { reason_code: Some(error.reason_code()), text: error.to_string() }),
        Some(_) if expected == PacketType::Connect => {
            Err(Refusal::silent("the first packet is not CONNECT".to_owned()))
        }
        Some(_) => Err(Refusal::silent(format!("another packet came instead of {expected}"))),
    }
}

fn decode_connect(bytes: &[u8]) -> Result<Connect<'_>, DecodeError> {
    match decode_one(bytes)? {
        Packet::Connect(connect) => Ok(connect),
        other => {
            let (problem, packet_type) = (Problem::ForbiddenPacketType, Some(other.packet_type()));
            Err(DecodeError { problem, packet_type, offset: 0 }) // `receive` asked for its type.
        }
    }
}

/// Answers an incomplete CONNECT. Returns the text of the refusal.
fn refuse_unread(refused: Refusal, version: Option<Version>, output: &mut Vec<u8>) -> String {
    let Refusal { reason_code, text } = refused;
    match (reason_code, version) {
        (Some(ReasonCode::QUOTA_EXCEEDED), Some(version)) => {
            put(&refusal(ReasonCode::QUOTA_EXCEEDED), version, output);
        }
        (Some(reason_code), Some(Version::V5)) => put_v5_refusal(reason_code, output),
        _ => {}
    }
    text
}

/// Answers a malformed CONNECT, if its version has a reason code for that (MQTT 5.0, section 4.13.1).
fn refuse_malformed(error: &DecodeError, bytes: &[u8], output: &mut Vec<u8>) {
    if matches!(error.problem, Problem::UnsupportedVersion { .. }) {
        return refuse_unsupported(error, output);
    }
    if Connect::peek_version(bytes) == Some(Version::V5) {
        put_v5_refusal(error.reason_code(), output);
    }
}

fn put_v5_refusal(reason_code: ReasonCode, output: &mut Vec<u8>) {
    let is_allowed = reason_code.belongs_in(Context::Connack);
    let reason_code = if is_allowed { reason_code } else { ReasonCode::PROTOCOL_ERROR };
    put(&refusal(reason_code), Version::V5, output);
}

/// Decodes the complete packet.
fn decode_one(bytes: &[u8]) -> Result<Packet<'_>, DecodeError> {
    match Frame::cut(bytes, MAXIMUM_CONNECT_SIZE)? {
        Some(frame) => Packet::decode(frame, Version::V5),
        None => Ok(Packet::Pingreq), // it is whole
    }
}

/// Authentication data for CONNACK, after the client proved its identity.
#[derive(Default)]
struct Proved {
    authenticator: Option<Authenticator>,
    properties: PropertiesBuf,
}

/// A refused client; without a reason code it gets no answer.
struct Refusal {
    reason_code: Option<ReasonCode>,
    text: String,
}

impl Refusal {
    fn silent(text: String) -> Refusal {
        Refusal { reason_code: None, text }
    }
}

impl From<Denial> for Refusal {
    fn from(Denial { reason_code, text }: Denial) -> Refusal {
        Refusal { reason_code: Some(reason_code), text }
    }
}

impl Stranger<'_> {
    /// Checks the client's identity: by user name and password, or with the authentication method in CONNECT.
    async fn prove(&mut self, connect: &Connect<'_>, bytes: &[u8]) -> Result<Proved, Refusal> {
        // Name and password are copied for the check.
        self.account.set_own(2 * bytes.len());
        let gate = Rc::clone(&self.shared.borrow().gate);
        let Some(method) = connect.properties.text(PropertyId::AuthenticationMethod) else {
            // The client cannot help how long its password takes to check.
            return match gate.admit(connect).await {
                Ok(()) => Ok(Proved::default()),
                Err(reason_code) => {
                    let text = format!("{reason_code}, as {}", shown(connect.username));
                    Err(Refusal { reason_code: Some(reason_code), text })
                }
            };
        };
        let (mut authenticator, challenge) = gate.begin(method, connect.properties)?;
        let maximum_size = session::Limits::of_client(connect).maximum_packet_size;
        put_auth(&challenge, maximum_size, self.connection.output()).map_err(Refusal::silent)?;
        note_auth(&mut self.shared.borrow_mut().report);
        let silent = |Refusal { text, .. }: Refusal| Refusal::silent(text);
        let bytes = self.receive(PacketType::Auth).await.map_err(silent)?;
        match decode_one(&bytes) {
            Ok(Packet::Auth(auth)) => {
                let Reply { properties, .. } = authenticator.receive(&auth)?;
                Ok(Proved { authenticator: Some(authenticator), properties })
            }
            Ok(_) => Err(Refusal::silent("another packet came instead of AUTH".to_owned())),
            Err(error) => Err(Refusal::silent(error.to_string())),
        }
    }
}

/// Counts an AUTH that was sent, and the expected answer.
fn note_auth(report: &mut Report) {
    report.packets_sent += 1;
    report.packets_received += 1;
}

/// Appends an AUTH packet, unless it exceeds the client's maximum packet size [MQTT-3.1.2-24].
fn put_auth(reply: &Reply, maximum_size: u32, output: &mut Vec<u8>) -> Result<(), String> {
    let Reply { reason_code, properties } = reply;
    let before = output.len();
    let auth = Auth { reason_code: *reason_code, properties: properties.as_properties() };
    put(&Packet::Auth(auth), Version::V5, output);
    check_size(PacketType::Auth, before, maximum_size, output)
}

/// Removes the packet after `before` if it exceeds the client's maximum packet size [MQTT-3.1.2-24].
fn check_size(
    packet_type: PacketType,
    before: usize,
    maximum_size: u32,
    output: &mut Vec<u8>,
) -> Result<(), String> {
    let size = output.len() - before;
    if size <= maximum_size as usize {
        return Ok(());
    }
    output.truncate(before);
    Err(format!("{packet_type} of {size} bytes exceeds the client's maximum packet size of {maximum_size}"))
}

fn answer_connect(
    connect: &Connect<'_>,
    proved: Proved,
    output: &mut Vec<u8>,
    shared: &Shared,
    peer: &Peer,
) -> Result<Admitted, String> {
    let version = connect.version;
    let mut state = shared.borrow_mut();
    let opened = match state.connect(connect, Instant::now()) {
        Ok(opened) => opened,
        Err(reason_code) => {
            put(&refusal(reason_code), version, output);
            return Err(reason_code.to_string());
        }
    };
    state.report.packets_received += 1;
    state.report.packets_sent += 1;
    if let Err(text) = put_connack(&opened, version, &state.config, proved.properties, output) {
        state.disconnect(&opened.client, &opened.link, false, Instant::now());
        let before = output.len();
        put(&refusal(ReasonCode::PACKET_TOO_LARGE), version, output);
        let maximum_size = session::Limits::of_client(connect).maximum_packet_size;
        let _ = check_size(PacketType::Connack, before, maximum_size, output);
        return Err(text);
    }
    let client_id = opened.client.id.to_string();
    state.tell(Event::Connected { client_id, peer: peer.clone(), version });
    let authenticator = proved.authenticator;
    Ok(Admitted { client: opened.client, link: opened.link, authenticator })
}

/// The claimed user name for an event, shortened because it comes from an unauthenticated client.
fn shown(username: Option<&str>) -> String {
    match username {
        Some(name) => format!("user {:?}", name.chars().take(100).collect::<String>()),
        None => "an anonymous client".to_owned(),
    }
}

/// Refuses an unsupported version, if possible in an encoding that the client understands.
fn refuse_unsupported(error: &DecodeError, output: &mut Vec<u8>) {
    let Problem::UnsupportedVersion { name, level } = &error.problem else {
        return; // A malformed CONNECT gets no answer.
    };
    let version = match (name.as_str(), level) {
        ("MQTT", 5..) => Version::V5,
        ("MQTT" | "MQIsdp", _) => Version::V311,
        _ => return,
    };
    put(&refusal(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION), version, output);
}

fn refusal(reason_code: ReasonCode) -> Packet<'static> {
    Packet::Connack(Connack { session_present: false, reason_code, properties: Properties::EMPTY })
}

/// Appends the CONNACK that accepts a client. If it exceeds the client's maximum packet size, the limits are left out and do
/// not bind the client; if that does not help, nothing is appended.
fn put_connack(
    opened: &Opened,
    version: Version,
    config: &Config,
    mut properties: PropertiesBuf,
    output: &mut Vec<u8>,
) -> Result<(), String> {
    if opened.is_assigned {
        let value = PropertyValue::Text(&opened.client.id);
        properties.push_checked(Property { id: PropertyId::AssignedClientIdentifier, value });
    }
    let mut session = opened.client.session.borrow_mut();
    let maximum_size = session.peer_accepts().maximum_packet_size;
    let (accepts, silence, before) = (config.accepts(version), session::Limits::default(), output.len());
    let mut put_with = |properties: &PropertiesBuf| {
        let connack = Connack {
            session_present: opened.session_present,
            reason_code: ReasonCode::SUCCESS,
            properties: properties.as_properties(),
        };
        put(&Packet::Connack(connack), version, output);
        check_size(PacketType::Connack, before, maximum_size, output)
    };
    let limits = limit_properties(&accepts, &silence);
    if limits.is_empty() {
        return put_with(&properties);
    }
    let mut complete = properties.clone();
    limits.into_iter().for_each(|limit| complete.push_checked(limit));
    if put_with(&complete).is_ok() {
        return Ok(());
    }
    let (receive_maximum, topic_alias_maximum) = (silence.receive_maximum, silence.topic_alias_maximum);
    session.accept(session::Limits { receive_maximum, topic_alias_maximum, ..accepts });
    put_with(&properties)
}

/// The limits that differ from the defaults.
fn limit_properties(accepts: &session::Limits, silence: &session::Limits) -> Vec<Property<'static>> {
    let numbers = [
        (PropertyId::ReceiveMaximum, accepts.receive_maximum.into(), silence.receive_maximum.into()),
        (PropertyId::MaximumPacketSize, accepts.maximum_packet_size, silence.maximum_packet_size),
        (
            PropertyId::TopicAliasMaximum,
            accepts.topic_alias_maximum.into(),
            silence.topic_alias_maximum.into(),
        ),
    ];
    let told = numbers.into_iter().filter(|(_, number, silent)| number != silent);
    told.map(|(id, number, _)| Property { id, value: PropertyValue::Number(number) }).collect()
}

/// Appends a packet built by the broker, whose fields are all short.
fn put(packet: &Packet<'_>, version: Version, output: &mut Vec<u8>) {
    let encoded = packet.encode(version, output);
    debug_assert!(encoded.is_ok(), "the broker's own packets are never too long");
}

/// An accepted client, and the state of its task.
struct Service {
    shared: Shared,
    connection: Connection,
    client: Rc<Client>,
    link: Rc<Link>,
    /// For a client with an authentication method.
    authenticator: Option<Authenticator>,
}

impl Service {
    async fn run(&mut self) -> Ending {
        loop {
            if let Some(reason_code) = self.link.order() {
                return Ending::Ordered(reason_code);
            }
            if let Err(ending) = self.turn().await {
                return ending;
            }
            match self.wait().await {
                Ok(progress) if progress.is_closed => return Ending::Lost,
                Ok(progress) => self.note_progress(progress),
                Err(_) => return Ending::Lost,
            }
        }
    }

    /// Handles input and fills the output. Yields to other clients in between if there is much to do.
    async fn turn(&mut self) -> Result<(), Ending> {
        let taken = self.take_input()?;
        if taken.has_long_request {
            self.take_long_request().await?;
        }
        if taken.has_more() {
            self.link.signal();
        } else {
            self.check_budget()?;
        }
        if taken.packets >= MESSAGES_PER_TURN || taken.has_more() {
            yield_now().await;
        }
        if self.fill_output() {
            self.link.signal();
            yield_now().await;
        }
        Ok(())
    }

    /// Checks that an incomplete packet is within the budget.
    fn check_budget(&self) -> Result<(), Ending> {
        self.client.count_own(self.connection.buffered());
        let is_growing = self.connection.unread() > UNCHECKED_INPUT && !self.link.is_paused();
        if !is_growing || self.client.account.is_within_budget() {
            return Ok(());
        }
        let limit = self.client.account.limit();
        let text = format!("it made the broker hold more memory than its share ({limit} bytes at most)");
        Err(Ending::violation(ReasonCode::QUOTA_EXCEEDED, text))
    }

    /// Waits until bytes were read or written, or the task was signalled.
    async fn wait(&mut self) -> io::Result<Progress> {
        let link = &self.link;
        let wants_input = !link.is_paused() && self.connection.unsent() < OUTPUT_LIMIT;
        let mut progress = pin!(self.connection.progress(wants_input));
        poll_fn(|cx| {
            let is_signalled = link.take_signal(cx);
            match progress.as_mut().poll(cx) {
                Poll::Pending if is_signalled => {
                    Poll::Ready(Ok(Progress { received: 0, sent: 0, is_closed: false }))
                }
                polled => polled,
            }
        })
        .await
    }

    fn note_progress(&self, progress: Progress) {
        if progress.received > 0 {
            self.link.received(Instant::now());
        }
        count_bytes(progress, &mut self.shared.borrow_mut().report);
    }

    /// Handles complete packets until the client must wait or its turn is over.
    fn take_input(&mut self) -> Result<Taken, Ending> {
        let now = Instant::now();
        let mut session = self.client.session.borrow_mut();
        let maximum_size = session.accepts().maximum_packet_size;
        let unsent = self.connection.unsent();
        let (mut input, output) = self.connection.buffers();
        let full = output.len() + OUTPUT_LIMIT.saturating_sub(unsent);
        let before = input.len();
        let mut taken = Taken::default();
        let (shared, client, authenticator) = (&self.shared, &self.client, &mut self.authenticator);
        let work_limit = shared.borrow().work + WORK_PER_TURN;
        let mut turn = Turn { shared, client, authenticator, output, now };
        while !self.link.is_paused() && turn.output.len() < full {
            let Some(frame) = cut(input, maximum_size)? else {
                break;
            };
            if is_long_request(&frame) {
                taken.has_long_request = true;
                break;
            }
            if taken.packets >= PACKETS_PER_TURN || shared.borrow().work >= work_limit {
                taken.is_cut_short = true;
                break;
            }
            input = input.get(frame.size()..).unwrap_or_default();
            taken.packets += 1;
            turn.take(frame, &mut session)?;
        }
        let used = before - input.len();
        self.connection.consume(used);
        Ok(taken)
    }

    /// Handles a SUBSCRIBE or UNSUBSCRIBE with many filters. Yields to other clients in between.
    async fn take_long_request(&mut self) -> Result<(), Ending> {
        let (version, maximum_size, peer_maximum) = {
            let session = self.client.session.borrow();
            let sizes = (session.accepts().maximum_packet_size, session.peer_accepts().maximum_packet_size);
            (session.version(), sizes.0, sizes.1)
        };
        let Some(size) = cut(self.connection.buffers().0, maximum_size)?.map(|frame| frame.size()) else {
            return Ok(());
        };
        let bytes = self.connection.take(size);
        let Some(frame) = cut(&bytes, maximum_size)? else { return Ok(()) };
        let packet = Packet::decode(frame, version).map_err(|error| violation(&error))?;
        self.shared.borrow_mut().report.packets_received += 1;
        let mut codes = Vec::new();
        let ack = match &packet {
            Packet::Subscribe(subscribe) => {
                let id = subscribe.properties.number(PropertyId::SubscriptionIdentifier);
                for subscriptions in subscribe.subscriptions.chunks(FILTERS_AT_A_TIME) {
                    self.shared.borrow_mut().subscribe(&self.client, subscriptions, id, version, &mut codes);
                    self.give_way().await?;
                }
                Packet::Suback(SubscriptionAck::new(subscribe.packet_id, Properties::EMPTY, &codes))
            }
            Packet::Unsubscribe(unsubscribe) => {
                for filters in unsubscribe.filters.chunks(FILTERS_AT_A_TIME) {
                    self.shared.borrow_mut().unsubscribe(&self.client, filters, &mut codes);
                    self.give_way().await?;
                }
                Packet::Unsuback(SubscriptionAck::new(unsubscribe.packet_id, Properties::EMPTY, &codes))
            }
            _ => return Ok(()), // `is_long_request` takes no other.
        };
        self.shared.borrow_mut().report.packets_sent += 1;
        let output = self.connection.output();
        let before = output.len();
        put(&ack, version, output);
        check_size(ack.packet_type(), before, peer_maximum, output)
            .map_err(|text| Ending::violation(ReasonCode::PACKET_TOO_LARGE, text))
    }

    /// Yields to other clients. The error is an order to end that came meanwhile.
    async fn give_way(&self) -> Result<(), Ending> {
        yield_now().await;
        match self.link.order() {
            Some(reason_code) => Err(Ending::Ordered(reason_code)),
            None => Ok(()),
        }
    }

    /// Moves messages from the queue to the send buffer, as far as the client accepts them now. Returns true if the look-up of
    /// retained messages is unfinished.
    fn fill_output(&mut self) -> bool {
        let now = Instant::now();
        let has_scans = !self.client.scans.borrow().is_empty();
        if has_scans {
            self.shared.borrow_mut().scan_retained(&self.client, WORK_PER_TURN, now);
        }
        let target = self.output_target();
        let mut session = self.client.session.borrow_mut();
        let refused = session.resend(target, self.connection.output());
        let mut moved = Moved { dropped: refused.len() as u64, ..Moved::default() };
        while self.connection.unsent() < target {
            let mut outbox = self.client.outbox.borrow_mut();
            let Some(next) = outbox.next() else {
                break;
            };
            if next.qos > Qos::AtMostOnce && (session.quota() == 0 || outbox.is_window_full()) {
                moved.needs_acknowledgement = true;
                break;
            }
            if next.message.size > LARGE_MESSAGE && !self.client.account.fits_beside(next.message.size) {
                self.shared.borrow_mut().starved.push(Rc::clone(&self.link));
                break;
            }
            let Some(queued) = outbox.pop() else {
                break;
            };
            moved.send(queued, &mut session, self.connection.output(), now);
        }
        drop(session);
        self.note_moved(&moved, now);
        has_scans && !self.client.scans.borrow().is_empty() && self.client.outbox.borrow().has_room()
    }

    /// The maximum of bytes that wait to be written; less when memory is short.
    fn output_target(&self) -> usize {
        let state = self.shared.borrow();
        let budget = &state.budget;
        if budget.is_tight() { (budget.share() / 2).clamp(4096, OUTPUT_TARGET) } else { OUTPUT_TARGET }
    }

    fn note_moved(&self, moved: &Moved, now: Instant) {
        let mut state = self.shared.borrow_mut();
        state.report.messages_sent += moved.sent;
        state.report.packets_sent += moved.sent;
        state.report.messages_expired += moved.expired;
        let has_progress = moved.sent + moved.dropped + moved.expired > 0;
        let mut outbox = self.client.outbox.borrow_mut();
        outbox.drained(has_progress, moved.needs_acknowledgement, now);
        drop(outbox);
        state.note_drops(&self.client, moved.dropped);
    }

    /// Notifies the rest of the broker that the connection is over.
    fn note_end(&self, ending: &Ending) {
        let mut state = self.shared.borrow_mut();
        let has_will = !matches!(
            ending,
            Ending::Ordered(ReasonCode::SERVER_SHUTTING_DOWN) | Ending::Disconnected { has_will: false }
        );
        state.disconnect(&self.client, &self.link, has_will, Instant::now());
        let (reason, fault) = match ending {
            Ending::Lost => (None, None),
            Ending::Disconnected { .. } => (Some(ReasonCode::SUCCESS), None),
            Ending::Ordered(reason_code) => (Some(*reason_code), None),
            Ending::Violation { reason_code, text } => (Some(*reason_code), Some(text.clone())),
        };
        if matches!(reason, Some(ReasonCode::QUOTA_EXCEEDED | ReasonCode::RECEIVE_MAXIMUM_EXCEEDED)) {
            state.note_exceeded(&self.client);
        }
        state.tell(Event::Disconnected { client_id: self.client.id.to_string(), reason, fault });
    }
}

/// The result of [`Service::take_input`].
#[derive(Debug, Default)]
struct Taken {
    packets: usize,
    /// There are more complete packets.
    is_cut_short: bool,
    /// The next packet is handled in parts.
    has_long_request: bool,
}

impl Taken {
    fn has_more(&self) -> bool {
        self.is_cut_short || self.has_long_request
    }
}

/// Cuts off the next packet, if it is complete. Packets other than PUBLISH have a smaller maximum size.
fn cut(input: &[u8], maximum_size: u32) -> Result<Option<Frame<'_>>, Ending> {
    let packet_type = input.first().and_then(|&first| PacketType::from_first_byte(first));
    let is_publish = packet_type == Some(PacketType::Publish);
    let limit = if is_publish { maximum_size } else { maximum_size.min(MAXIMUM_REQUEST_SIZE) };
    Frame::cut(input, limit).map_err(|error| match error.problem {
        Problem::PacketTooLarge { size, .. } if size <= maximum_size as usize => {
            Ending::violation(ReasonCode::QUOTA_EXCEEDED, error.to_string())
        }
        _ => violation(&error),
    })
}

fn is_long_request(frame: &Frame<'_>) -> bool {
    matches!(frame.packet_type, PacketType::Subscribe | PacketType::Unsubscribe)
        && frame.size() > LONG_REQUEST
}

/// The context for handling one packet, borrowed for as long as the input lasts.
struct Turn<'a> {
    shared: &'a Shared,
    client: &'a Rc<Client>,
    authenticator: &'a mut Option<Authenticator>,
    output: &'a mut Vec<u8>,
    now: Instant,
}

impl Turn<'_> {
    fn take(&mut self, frame: Frame<'_>, session: &mut Session<Outbound>) -> Result<(), Ending> {
        let version = session.version();
        let length = self.output.len();
        let packet = Packet::decode(frame, version).map_err(|error| violation(&error))?;
        let mut state = self.shared.borrow_mut();
        state.report.packets_received += 1;
        state.work += 1;
        let packet_type = packet.packet_type();
        let maximum_size = session.peer_accepts().maximum_packet_size;
        let event = session
            .receive(packet, self.output)
            .map_err(|error| Ending::violation(error.reason_code(), error.to_string()))?;
        match event {
            session::Event::Nothing | session::Event::Published { .. } => {}
            session::Event::Message { publish, acknowledgement } => {
                state.report.messages_received += 1;
                let mut reason_code = state.publish(&publish, Some(self.client), self.now);
                if maximum_size < SMALLEST_WITH_REASON && !reason_code.is_error() {
                    reason_code = ReasonCode::SUCCESS;
                }
                session.acknowledge(acknowledgement, reason_code, self.output);
            }
            session::Event::Subscribe(subscribe) => {
                let id = subscribe.properties.number(PropertyId::SubscriptionIdentifier);
                let mut codes = Vec::with_capacity(subscribe.subscriptions.len());
                state.subscribe(self.client, &subscribe.subscriptions, id, version, &mut codes);
                let ack = SubscriptionAck::new(subscribe.packet_id, Properties::EMPTY, &codes);
                put(&Packet::Suback(ack), version, self.output);
            }
            session::Event::Unsubscribe(unsubscribe) => {
                let mut codes = Vec::with_capacity(unsubscribe.filters.len());
                state.unsubscribe(self.client, &unsubscribe.filters, &mut codes);
                let ack = SubscriptionAck::new(unsubscribe.packet_id, Properties::EMPTY, &codes);
                put(&Packet::Unsuback(ack), version, self.output);
            }
            session::Event::Disconnect(disconnect) => return Err(self.disconnect(&disconnect)),
            session::Event::Auth(auth) => self.authenticate(&auth, maximum_size)?,
            // Only clients receive these.
            session::Event::Subscribed(_) | session::Event::Unsubscribed(_) | session::Event::Pingresp => {
                let text = format!("{packet_type} from a client");
                return Err(Ending::violation(ReasonCode::PROTOCOL_ERROR, text));
            }
        }
        // The answer is one packet.
        check_size(packet_type, length, maximum_size, self.output).map_err(|text| {
            Ending::violation(ReasonCode::PACKET_TOO_LARGE, format!("the answer to {text}"))
        })?;
        state.report.packets_sent += u64::from(self.output.len() > length);
        Ok(())
    }

    /// Handles a step of a re-authentication, which requires an authentication method in CONNECT.
    fn authenticate(&mut self, auth: &Auth<'_>, maximum_size: u32) -> Result<(), Ending> {
        let unexpected = || Ending::violation(ReasonCode::PROTOCOL_ERROR, "AUTH without a method in CONNECT");
        let authenticator = self.authenticator.as_mut().ok_or_else(unexpected)?;
        let denied = |Denial { reason_code, text }: Denial| Ending::violation(reason_code, text);
        put_auth(&authenticator.receive(auth).map_err(denied)?, maximum_size, self.output)
            .map_err(|text| Ending::violation(ReasonCode::PACKET_TOO_LARGE, text))
    }

    /// Handles DISCONNECT, which may change the session expiry interval, except from zero (MQTT 5.0, section 3.14.2.2.2).
    fn disconnect(&self, disconnect: &Disconnect<'_>) -> Ending {
        if let Some(interval) = disconnect.properties.number(PropertyId::SessionExpiryInterval) {
            if interval > 0 && self.client.expiry_interval.get() == 0 {
                let text = "DISCONNECT with a session expiry interval after CONNECT with none";
                return Ending::violation(ReasonCode::PROTOCOL_ERROR, text);
            }
            self.client.expiry_interval.set(interval);
        }
        Ending::Disconnected { has_will: disconnect.reason_code != ReasonCode::SUCCESS }
    }
}

/// The results for the messages taken from a queue.
#[derive(Debug, Default)]
struct Moved {
    sent: u64,
    /// The client does not accept them.
    dropped: u64,
    expired: u64,
    /// The next one has to wait for an acknowledgement.
    needs_acknowledgement: bool,
}

impl Moved {
    fn send(&mut self, queued: Queued, session: &mut Session<Outbound>, output: &mut Vec<u8>, now: Instant) {
        let Some(message) = queued.prepare(session.version().is_v5(), now) else {
            self.expired += 1;
            return;
        };
        match session.publish(&message.as_publish(), || message.clone(), output) {
            Ok(_) => self.sent += 1,
            Err(_) => self.dropped += 1,
        }
    }
}

fn violation(error: &DecodeError) -> Ending {
    Ending::violation(error.reason_code(), error.to_string())
}

fn count_bytes(progress: Progress, report: &mut Report) {
    report.bytes_received += progress.received as u64;
    report.bytes_sent += progress.sent as u64;
}

/// Sends the reason for the end, if the version has one, and closes the connection.
async fn close(mut connection: Connection, version: Version, maximum_size: u32, ending: Ending) {
    let (Ending::Ordered(reason_code) | Ending::Violation { reason_code, .. }) = ending else {
        return;
    };
    if !version.is_v5() {
        return;
    }
    drop(connection.take(usize::MAX));
    let is_allowed = reason_code.belongs_in(Context::Disconnect);
    let reason_code = if is_allowed { reason_code } else { ReasonCode::PROTOCOL_ERROR };
    let disconnect = Disconnect { reason_code, properties: Properties::EMPTY };
    let output = connection.output();
    let before = output.len();
    put(&Packet::Disconnect(disconnect), version, output);
    let _ = check_size(PacketType::Disconnect, before, maximum_size, output);
    let time = if matches!(ending, Ending::Ordered(_)) { PARTING_TIME } else { CLOSING_TIME };
    let _ = timeout(time, finish(&mut connection)).await;
}

/// Sends the remaining output and waits for the client to close as well: closing with unread input would reset the connection,
/// and the client might never see the last packet.
async fn finish(connection: &mut Connection) -> io::Result<()> {
    connection.flush().await?;
    connection.shutdown().await?;
    while !connection.progress(true).await?.is_closed {
        connection.consume(usize::MAX);
    }
    Ok(())
}
