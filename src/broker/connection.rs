//! One client's connection: CONNECT within a deadline, then packets in and out until somebody ends it.
//!
//! Each turn handles all complete packets, fills the send buffer from the client's queue, and writes once. Input is left
//! unread while the client has to wait for slow subscribers, or does not read its own answers.

use super::client::Client;
use super::link::Link;
use super::message::{Delivery, Outbound};
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
use tokio::time::{timeout, timeout_at};

/// The largest CONNECT that is taken: room for every field at its longest. Strangers must not cost more memory.
const MAXIMUM_CONNECT_SIZE: u32 = 1 << 20;

/// Messages are taken from the queue until so many bytes wait to be written; then the kernel's buffer is full as well.
const OUTPUT_TARGET: usize = 128 * 1024;

/// With so many unsent bytes nothing more is read: the client does not read its answers.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// After so many messages from one client the others get their turn, so that queues stay short.
const MESSAGES_PER_TURN: usize = 32;

/// How long the last packet may take to a client that is perhaps still sending.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// How long it may take to a client that did nothing wrong, and most likely sends nothing.
const PARTING_TIME: Duration = Duration::from_millis(200);

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The client closed it, or the network broke.
    Lost,
    /// DISCONNECT from the client; whether the will is to be published nevertheless.
    Disconnected { has_will: bool },
    /// The broker ends it.
    Ordered(ReasonCode),
    /// The client sent what it must not send.
    Violation(ReasonCode),
}

/// Serves a client from its first byte to the last.
pub(super) async fn serve(shared: Shared, stream: Stream, peer: Peer) {
    let mut connection = Connection::new(stream);
    // The first steps need memory that later ones do not.
    let Some(admitted) = Box::pin(open(&mut connection, &shared, &peer)).await else {
        return;
    };
    let Admitted { client, link, authenticator } = admitted;
    let mut service = Service { shared, connection, client, link, authenticator };
    let ending = service.run().await;
    service.note_end(ending);
    let version = service.client.session.borrow().version();
    Box::pin(close(service.connection, version, ending)).await;
}

/// A client that was let in.
struct Admitted {
    client: Rc<Client>,
    link: Rc<Link>,
    authenticator: Option<Authenticator>,
}

/// Waits for CONNECT and answers it. `None` when the client was not let in.
async fn open(connection: &mut Connection, shared: &Shared, peer: &Peer) -> Option<Admitted> {
    let reason = match receive_connect(connection, shared, peer).await {
        Ok(admitted) => return Some(admitted),
        Err(reason) => reason,
    };
    {
        let mut state = shared.borrow_mut();
        state.report.refused += 1;
        state.tell(Event::Refused { peer: peer.clone(), reason });
    }
    let _ = timeout(CLOSING_TIME, finish(connection)).await;
    None
}

/// Reads until CONNECT is complete, and lets the client in. The error says why not; a refusal is in the send buffer then.
async fn receive_connect(
    connection: &mut Connection,
    shared: &Shared,
    peer: &Peer,
) -> Result<Admitted, String> {
    let deadline = tokio::time::Instant::now() + shared.borrow().config.connect_timeout;
    let bytes = receive_one(PacketType::Connect, connection, shared, deadline).await?;
    let connect = decode_connect(&bytes, connection.output())?;
    let proved = match prove(&connect, connection, shared, deadline).await {
        Ok(proved) => proved,
        Err(Refusal { reason_code, text }) => {
            if let Some(reason_code) = reason_code {
                put(&refusal(reason_code), connect.version, connection.output());
            }
            return Err(text);
        }
    };
    answer_connect(&connect, proved, connection.output(), shared, peer)
}

/// Reads a packet of this type to its end. Anything else is refused from its first byte on.
async fn receive_one(
    expected: PacketType,
    connection: &mut Connection,
    shared: &Shared,
    deadline: tokio::time::Instant,
) -> Result<Vec<u8>, String> {
    loop {
        let input = connection.buffers().0;
        if let Some(size) = cut_one(expected, input)?.map(|frame| frame.size()) {
            let bytes = input.get(..size).unwrap_or_default().to_vec();
            connection.consume(size);
            return Ok(bytes);
        }
        let progress = timeout_at(deadline, connection.progress(true)).await;
        let progress = progress.map_err(|_| format!("no {expected} in time"))?;
        let progress = progress.map_err(|error| error.to_string())?;
        count_bytes(progress, &mut shared.borrow_mut().report);
        if progress.is_closed && cut_one(expected, connection.buffers().0)?.is_none() {
            return Err(format!("closed before {expected}"));
        }
    }
}

/// The packet, when it is complete. Nothing comes before CONNECT [MQTT-3.1.0-1], nor before an authentication's end
/// [MQTT-3.1.2-30].
fn cut_one(expected: PacketType, input: &[u8]) -> Result<Option<Frame<'_>>, String> {
    match input.first().map(|&byte| PacketType::from_first_byte(byte)) {
        None => Ok(None),
        Some(Some(packet_type)) if packet_type == expected => {
            Frame::cut(input, MAXIMUM_CONNECT_SIZE).map_err(|error| error.to_string())
        }
        Some(_) if expected == PacketType::Connect => Err("the first packet is not CONNECT".to_owned()),
        Some(_) => Err(format!("another packet came in the place of {expected}")),
    }
}

fn decode_connect<'a>(bytes: &'a [u8], output: &mut Vec<u8>) -> Result<Connect<'a>, String> {
    match decode_one(bytes) {
        Ok(Packet::Connect(connect)) => Ok(connect),
        Ok(_) => Err("the first packet is not CONNECT".to_owned()),
        Err(error) => {
            refuse_unsupported(&error, output);
            Err(error.to_string())
        }
    }
}

/// The packet that was received whole.
fn decode_one(bytes: &[u8]) -> Result<Packet<'_>, DecodeError> {
    match Frame::cut(bytes, MAXIMUM_CONNECT_SIZE)? {
        Some(frame) => Packet::decode(frame, Version::V5),
        None => Ok(Packet::Pingreq), // it is whole
    }
}

/// What a client that proved who it is gets with CONNACK.
#[derive(Default)]
struct Proved {
    authenticator: Option<Authenticator>,
    properties: PropertiesBuf,
}

/// Why a client is not let in; without a reason code it gets no answer.
struct Refusal {
    reason_code: Option<ReasonCode>,
    text: String,
}

impl From<Denial> for Refusal {
    fn from(Denial { reason_code, text }: Denial) -> Refusal {
        Refusal { reason_code: Some(reason_code), text }
    }
}

/// Checks who the client is: by user name and password, or with the authentication method that it names.
async fn prove(
    connect: &Connect<'_>,
    connection: &mut Connection,
    shared: &Shared,
    deadline: tokio::time::Instant,
) -> Result<Proved, Refusal> {
    let gate = Rc::clone(&shared.borrow().gate);
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
    put_auth(&challenge, connection.output());
    note_auth(&mut shared.borrow_mut().report);
    let silent = |text| Refusal { reason_code: None, text };
    let bytes = receive_one(PacketType::Auth, connection, shared, deadline).await.map_err(silent)?;
    match decode_one(&bytes) {
        Ok(Packet::Auth(auth)) => {
            let Reply { properties, .. } = authenticator.receive(&auth)?;
            Ok(Proved { authenticator: Some(authenticator), properties })
        }
        Ok(_) => Err(silent("another packet came in the place of AUTH".to_owned())),
        Err(error) => Err(silent(error.to_string())),
    }
}

/// An AUTH went out, and another one is to come.
fn note_auth(report: &mut Report) {
    report.packets_sent += 1;
    report.packets_received += 1;
}

fn put_auth(Reply { reason_code, properties }: &Reply, output: &mut Vec<u8>) {
    let auth = Auth { reason_code: *reason_code, properties: properties.as_properties() };
    put(&Packet::Auth(auth), Version::V5, output);
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
    match state.connect(connect, Instant::now()) {
        Ok(opened) => {
            state.report.packets_received += 1;
            state.report.packets_sent += 1;
            put_connack(&opened, version, &state.config, proved.properties, output);
            let client_id = opened.client.id.to_string();
            state.tell(Event::Connected { client_id, peer: peer.clone(), version });
            let authenticator = proved.authenticator;
            Ok(Admitted { client: opened.client, link: opened.link, authenticator })
        }
        Err(reason_code) => {
            put(&refusal(reason_code), version, output);
            Err(reason_code.to_string())
        }
    }
}

/// Who a client says it is; a stranger's name can be very long.
fn shown(username: Option<&str>) -> String {
    match username {
        Some(name) => format!("user {:?}", name.chars().take(100).collect::<String>()),
        None => "nobody".to_owned(),
    }
}

/// Answers a version that is not spoken here in the form that its client understands, as far as can be told.
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

fn put_connack(
    opened: &Opened,
    version: Version,
    config: &Config,
    mut properties: PropertiesBuf,
    output: &mut Vec<u8>,
) {
    let mut add = |id, value| properties.push_checked(Property { id, value });
    let accepts = config.accepts(version);
    let silence = session::Limits::default();
    if opened.is_assigned {
        add(PropertyId::AssignedClientIdentifier, PropertyValue::Text(&opened.client.id));
    }
    let numbers = [
        (PropertyId::ReceiveMaximum, accepts.receive_maximum.into(), silence.receive_maximum.into()),
        (PropertyId::MaximumPacketSize, accepts.maximum_packet_size, silence.maximum_packet_size),
        (
            PropertyId::TopicAliasMaximum,
            accepts.topic_alias_maximum.into(),
            silence.topic_alias_maximum.into(),
        ),
    ];
    for (id, number, _) in numbers.into_iter().filter(|(_, number, silent)| number != silent) {
        add(id, PropertyValue::Number(number));
    }
    let connack = Connack {
        session_present: opened.session_present,
        reason_code: ReasonCode::SUCCESS,
        properties: properties.as_properties(),
    };
    put(&Packet::Connack(connack), version, output);
}

/// Appends a packet of the broker's own making, all of whose parts are short.
fn put(packet: &Packet<'_>, version: Version, output: &mut Vec<u8>) {
    let encoded = packet.encode(version, output);
    debug_assert!(encoded.is_ok(), "the broker's own packets are never too long");
}

/// A client that was let in, and all that its task needs.
struct Service {
    shared: Shared,
    connection: Connection,
    client: Rc<Client>,
    link: Rc<Link>,
    /// Of a client that named an authentication method.
    authenticator: Option<Authenticator>,
}

impl Service {
    async fn run(&mut self) -> Ending {
        loop {
            if let Some(reason_code) = self.link.order() {
                return Ending::Ordered(reason_code);
            }
            match self.take_input() {
                Ok(messages) if messages >= MESSAGES_PER_TURN => yield_once().await,
                Ok(_) => {}
                Err(ending) => return ending,
            }
            self.fill_output();
            match self.wait().await {
                Ok(progress) if progress.is_closed => return Ending::Lost,
                Ok(progress) => self.note_progress(progress),
                Err(_) => return Ending::Lost,
            }
        }
    }

    /// Waits until bytes came or went, or the task was signalled.
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

    /// Handles all packets that are complete, as long as the client may go on. Gives the number of packets.
    fn take_input(&mut self) -> Result<usize, Ending> {
        let now = Instant::now();
        let mut session = self.client.session.borrow_mut();
        let maximum_size = session.accepts().maximum_packet_size;
        let unsent = self.connection.unsent();
        let (mut input, output) = self.connection.buffers();
        let full = output.len() + OUTPUT_LIMIT.saturating_sub(unsent);
        let (before, mut count) = (input.len(), 0);
        let (shared, client, authenticator) = (&self.shared, &self.client, &mut self.authenticator);
        let mut turn = Turn { shared, client, authenticator, output, now };
        while !self.link.is_paused() && turn.output.len() < full {
            let Some(frame) = Frame::cut(input, maximum_size).map_err(|error| violation(&error))? else {
                break;
            };
            input = input.get(frame.size()..).unwrap_or_default();
            count += 1;
            turn.take(frame, &mut session)?;
        }
        let used = before - input.len();
        self.connection.consume(used);
        Ok(count)
    }

    /// Moves messages from the queue to the send buffer, as far as the client takes them now.
    fn fill_output(&mut self) {
        let now = Instant::now();
        let mut session = self.client.session.borrow_mut();
        let refused = session.resend(OUTPUT_TARGET, self.connection.output());
        let mut moved = Moved { dropped: refused.len() as u64, ..Moved::default() };
        while self.connection.unsent() < OUTPUT_TARGET {
            let mut outbox = self.client.outbox.borrow_mut();
            let Some(qos) = outbox.next_qos() else {
                break;
            };
            if qos > Qos::AtMostOnce && session.quota() == 0 {
                moved.needs_acknowledgement = true;
                break;
            }
            let Some(delivery) = outbox.pop() else {
                break;
            };
            moved.send(delivery, &mut session, self.connection.output(), now);
        }
        drop(session);
        self.note_moved(&moved, now);
    }

    fn note_moved(&self, moved: &Moved, now: Instant) {
        let mut state = self.shared.borrow_mut();
        state.report.messages_sent += moved.sent;
        state.report.packets_sent += moved.sent;
        state.report.messages_expired += moved.expired;
        let has_progress = moved.sent + moved.dropped + moved.expired > 0;
        let mut outbox = self.client.outbox.borrow_mut();
        outbox.drained(has_progress, moved.needs_acknowledgement, state.bounds(), now);
        drop(outbox);
        state.note_drops(&self.client, moved.dropped);
    }

    /// Tells the rest of the broker that the connection is over.
    fn note_end(&self, ending: Ending) {
        let mut state = self.shared.borrow_mut();
        let is_shutdown = ending == Ending::Ordered(ReasonCode::SERVER_SHUTTING_DOWN);
        let has_will = !is_shutdown && ending != Ending::Disconnected { has_will: false };
        state.disconnect(&self.client, &self.link, has_will, Instant::now());
        let reason = match ending {
            Ending::Lost => None,
            Ending::Disconnected { .. } => Some(ReasonCode::SUCCESS),
            Ending::Ordered(reason_code) | Ending::Violation(reason_code) => Some(reason_code),
        };
        state.tell(Event::Disconnected { client_id: self.client.id.to_string(), reason });
    }
}

/// What handling one packet needs, borrowed for as long as the input lasts.
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
        let event =
            session.receive(packet, self.output).map_err(|error| Ending::Violation(error.reason_code()))?;
        match event {
            session::Event::Nothing | session::Event::Published { .. } => {}
            session::Event::Message { publish, acknowledgement } => {
                state.report.messages_received += 1;
                let reason_code = state.publish(&publish, Some(self.client), self.now);
                session.acknowledge(acknowledgement, reason_code, self.output);
            }
            session::Event::Subscribe(subscribe) => {
                let codes = state.subscribe(self.client, &subscribe, version, self.now);
                let ack = SubscriptionAck::new(subscribe.packet_id, Properties::EMPTY, &codes);
                put(&Packet::Suback(ack), version, self.output);
            }
            session::Event::Unsubscribe(unsubscribe) => {
                let codes = state.unsubscribe(self.client, &unsubscribe);
                let ack = SubscriptionAck::new(unsubscribe.packet_id, Properties::EMPTY, &codes);
                put(&Packet::Unsuback(ack), version, self.output);
            }
            session::Event::Disconnect(disconnect) => return Err(self.disconnect(&disconnect)),
            session::Event::Auth(auth) => self.authenticate(&auth)?,
            // These are for clients.
            session::Event::Subscribed(_) | session::Event::Unsubscribed(_) | session::Event::Pingresp => {
                return Err(Ending::Violation(ReasonCode::PROTOCOL_ERROR));
            }
        }
        state.report.packets_sent += u64::from(self.output.len() > length);
        Ok(())
    }

    /// Takes a step of a re-authentication. Without a method in CONNECT there is none.
    fn authenticate(&mut self, auth: &Auth<'_>) -> Result<(), Ending> {
        let violation = Ending::Violation(ReasonCode::PROTOCOL_ERROR);
        let authenticator = self.authenticator.as_mut().ok_or(violation)?;
        let denied = |Denial { reason_code, .. }: Denial| Ending::Violation(reason_code);
        put_auth(&authenticator.receive(auth).map_err(denied)?, self.output);
        Ok(())
    }

    /// Takes a DISCONNECT, which may change how long the session is kept, but not bring one back that was to end with the
    /// connection (MQTT 5.0, section 3.14.2.2.2).
    fn disconnect(&self, disconnect: &Disconnect<'_>) -> Ending {
        if let Some(interval) = disconnect.properties.number(PropertyId::SessionExpiryInterval) {
            if interval > 0 && self.client.expiry_interval.get() == 0 {
                return Ending::Violation(ReasonCode::PROTOCOL_ERROR);
            }
            self.client.expiry_interval.set(interval);
        }
        Ending::Disconnected { has_will: disconnect.reason_code != ReasonCode::SUCCESS }
    }
}

/// What became of the messages that left a queue.
#[derive(Debug, Default)]
struct Moved {
    sent: u64,
    /// The client does not take them.
    dropped: u64,
    expired: u64,
    /// The next one has to wait for an acknowledgement.
    needs_acknowledgement: bool,
}

impl Moved {
    fn send(
        &mut self,
        delivery: Delivery,
        session: &mut Session<Outbound>,
        output: &mut Vec<u8>,
        now: Instant,
    ) {
        let Some(message) = delivery.prepare(session.version().is_v5(), now) else {
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
    Ending::Violation(error.reason_code())
}

fn count_bytes(progress: Progress, report: &mut Report) {
    report.bytes_received += progress.received as u64;
    report.bytes_sent += progress.sent as u64;
}

/// Lets the other tasks run once.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Says why the connection ends, where the version can, and closes it.
async fn close(mut connection: Connection, version: Version, ending: Ending) {
    let (Ending::Ordered(reason_code) | Ending::Violation(reason_code)) = ending else {
        return;
    };
    if !version.is_v5() {
        return;
    }
    let is_allowed = reason_code.belongs_in(Context::Disconnect);
    let reason_code = if is_allowed { reason_code } else { ReasonCode::PROTOCOL_ERROR };
    let disconnect = Disconnect { reason_code, properties: Properties::EMPTY };
    put(&Packet::Disconnect(disconnect), version, connection.output());
    let time = if matches!(ending, Ending::Ordered(_)) { PARTING_TIME } else { CLOSING_TIME };
    let _ = timeout(time, finish(&mut connection)).await;
}

/// Sends what is left and waits for the client to close as well: closing with unread input would reset the connection, and the
/// client might never see the last packet.
async fn finish(connection: &mut Connection) -> io::Result<()> {
    connection.flush().await?;
    connection.shutdown().await?;
    while !connection.progress(true).await?.is_closed {
        connection.consume(usize::MAX);
    }
    Ok(())
}
