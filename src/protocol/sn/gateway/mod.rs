//! The gateway's side of one MQTT-SN client: a state machine between datagrams of the client and packets of the client's own
//! MQTT connection (a transparent gateway, MQTT-SN 1.2, section 4.1).
//!
//! It is given messages, packets and the time, and appends to an [`Output`]; [`Client::deadline`] is the time of the next
//! [`Client::tick`].
//!
//! - `connect` has CONNECT with the will exchange, sleep, and the end of a client.
//! - `requests` passes the client's requests to the broker, and the answers back.
//! - `delivery` passes the broker's messages to the client, with REGISTER and retries, and `deliveries` has their queue and the open
//!   exchange, also for MQTT-SN 2.0.
//! - `topics` has the client's topic ids.

mod connect;
mod deliveries;
mod delivery;
mod load;
mod requests;
#[cfg(test)]
mod tests;
mod topics;
mod undelivered;
pub(crate) mod v2;
mod versions;

use super::late_copy::LateCopies;
use super::{Message, PredefinedTopics, PublishQos, ReturnCode, TopicId};
use crate::protocol::session::Limits;
use crate::protocol::{Packet, Version};
pub(crate) use connect::Will;
use deliveries::Deliveries;
pub(crate) use load::Load;
use requests::Request;
pub(crate) use requests::at_most_once;
use std::time::{Duration, Instant};
use topics::Topics;
pub(crate) use topics::short_topic;
pub(crate) use undelivered::Undelivered;
pub(crate) use versions::AnyClient;

/// The time for which a disconnected client is remembered, to answer repeated messages.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The limits and timers of all clients.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `T_retry`: the time after which an unanswered message is repeated.
    pub retry_interval: Duration,
    /// `N_retry`: the number of repetitions.
    pub retry_count: u32,
    /// The maximum of queued messages of a client; further ones of QoS 0 are dropped.
    pub queued_messages: usize,
    /// The maximum of bytes in these messages.
    pub queued_bytes: usize,
    /// The maximum of topic ids of a client.
    pub topics: usize,
    /// The maximum size of a datagram.
    pub datagram_size: usize,
    /// The version of MQTT towards the broker.
    pub version: Version,
}

/// The time and the parameters of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub now: Instant,
    pub settings: &'c Settings,
    pub predefined: &'c PredefinedTopics,
    /// The caller has more messages for the client, so it is kept awake.
    pub has_more: bool,
}

#[cfg(any(test, fuzzing))]
impl<'c> Context<'c> {
    /// The context of a step in a test.
    pub(super) fn of(now: Instant, settings: &'c Settings, predefined: &'c PredefinedTopics) -> Context<'c> {
        Context { now, settings, predefined, has_more: false }
    }
}

/// The result of a step.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// The datagrams for the client, in order.
    pub datagrams: Vec<Vec<u8>>,
    /// The packets for the broker.
    pub packets: Vec<u8>,
    /// The change of the connection to the broker, if any.
    pub action: Option<Action>,
    /// The session expiry interval for DISCONNECT to the broker, if a client of MQTT-SN 2.0 has changed it.
    pub session_expiry: Option<u32>,
    /// The event for the log, if any.
    pub note: Option<Note>,
}

/// A change of a client's connection to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Close the connection, if there is one, and open another with [`Client::parameters`].
    Open,
    /// Send the packets, then DISCONNECT, and close.
    Disconnect,
    /// Close without DISCONNECT, so that the broker publishes the will.
    Abandon,
    /// Forget the client.
    Forget,
}

/// An event for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    Connected,
    Disconnected,
    /// It sleeps for this time.
    Asleep(Duration),
    /// Nothing arrived from it within its keep alive or its sleep, with tolerance.
    Silent,
    /// It did not answer a repeated message.
    NoAnswer,
    /// It made room for another client.
    GaveWay,
    /// The messages of the broker exceeded its queue by far.
    Overrun,
}

/// The parameters of the client's connection to the broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters<'c> {
    pub client_id: &'c str,
    pub is_clean: bool,
    pub will: Option<&'c Will>,
    /// The session expiry interval in seconds; `u32::MAX` is forever. In 1.2, which has none, a session that is not clean lasts.
    pub session_expiry: u32,
    /// User name and password, which only MQTT-SN 2.0 has.
    pub credentials: Option<(&'c str, &'c [u8])>,
}

/// The state of a client (MQTT-SN 1.2, section 6.14, with the steps of connecting).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// WILLTOPICREQ was sent.
    WillTopic(Unanswered),
    /// WILLMSGREQ was sent.
    WillMessage(Unanswered),
    /// The broker has not accepted the client yet.
    Connecting,
    Active,
    /// Messages are kept until it wakes up.
    Asleep,
    /// Kept messages are sent; PINGRESP ends it, but not before this time.
    Awake {
        until: Instant,
    },
    /// Its messages are answered with DISCONNECT.
    Disconnected {
        since: Instant,
        /// The answers to DISCONNECT, which are limited.
        answers: u32,
    },
}

/// A message that the client has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unanswered {
    sent: Instant,
    repetitions: u32,
}

impl Unanswered {
    fn new(now: Instant) -> Unanswered {
        Unanswered { sent: now, repetitions: 0 }
    }

    fn due(&self, settings: &Settings) -> Instant {
        self.sent + settings.retry_interval
    }

    /// Counts a repetition. Returns whether there may be another one.
    fn repeat(&mut self, context: Context<'_>) -> bool {
        self.sent = context.now;
        self.repetitions += 1;
        self.repetitions <= context.settings.retry_count
    }
}

/// A client of a gateway.
#[derive(Debug)]
pub(crate) struct Client {
    id: Box<str>,
    phase: Phase,
    /// The keep alive, or the sleep duration of a sleeping client; zero for none.
    interval: Duration,
    /// The keep alive of CONNECT, for after the sleep.
    keep_alive: Duration,
    /// When the last message arrived.
    heard: Instant,
    is_clean: bool,
    will: Option<Will>,
    /// The broker has another will, or none.
    is_will_changed: bool,
    /// Whether the last message was the CONNECT that CONNACK answered.
    is_just_accepted: bool,
    /// When CONNACK answered it; `None` after a change of the address.
    accepted: Option<Instant>,
    broker_accepts: Limits,
    topics: Topics,
    /// Copies of QoS 2 messages of the client.
    late_copies: LateCopies,
    /// The requests that the broker has not answered.
    requests: Vec<Request>,
    deliveries: Deliveries<TopicId>,
}

impl Client {
    /// A client that is about to connect.
    pub(crate) fn new(id: &str, now: Instant) -> Client {
        Client {
            id: id.into(),
            phase: Phase::Disconnected { since: now, answers: 0 },
            interval: Duration::ZERO,
            keep_alive: Duration::ZERO,
            heard: now,
            is_clean: true,
            will: None,
            is_will_changed: false,
            is_just_accepted: false,
            accepted: None,
            broker_accepts: Limits::default(),
            topics: Topics::default(),
            late_copies: LateCopies::default(),
            requests: Vec::new(),
            deliveries: Deliveries::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The parameters for [`Action::Open`].
    pub(crate) fn parameters(&self) -> Parameters<'_> {
        let (is_clean, will) = (self.is_clean, self.will.as_ref());
        let session_expiry = if is_clean { 0 } else { u32::MAX };
        Parameters { client_id: &self.id, is_clean, will, session_expiry, credentials: None }
    }

    /// Whether it sleeps, so that a PINGREQ may come from another address.
    pub(crate) fn is_asleep(&self) -> bool {
        matches!(self.phase, Phase::Asleep | Phase::Awake { .. })
    }

    /// It has another address, from which a copy of its CONNECT cannot come.
    pub(crate) fn note_moved(&mut self) {
        self.accepted = None;
    }

    /// Whether it is only remembered.
    pub(crate) fn is_disconnected(&self) -> bool {
        matches!(self.phase, Phase::Disconnected { .. })
    }

    /// Whether the queue has room for more packets of the broker.
    pub(crate) fn has_room(&self, settings: &Settings) -> bool {
        self.deliveries.has_room(settings)
    }

    /// Whether its silence is not limited, so that it may be gone unnoticed.
    pub(crate) fn has_no_keep_alive(&self) -> bool {
        self.phase == Phase::Active && self.interval.is_zero()
    }

    /// When the last message arrived.
    pub(crate) fn last_heard(&self) -> Instant {
        self.heard
    }

    /// Whether it takes a message at once: it is awake, and no other message is on its way.
    pub(crate) fn wants_message(&self) -> bool {
        matches!(self.phase, Phase::Active | Phase::Awake { .. }) && self.deliveries.is_idle()
    }

    /// The messages that the client did not get since the last call.
    pub(crate) fn take_undelivered(&mut self) -> Undelivered {
        self.deliveries.take_undelivered()
    }

    /// Handles a message of the client, except for gateway discovery.
    pub(crate) fn receive(&mut self, message: &Message<'_>, context: Context<'_>, out: &mut Output) {
        self.heard = context.now;
        if let Message::Connect(connect) = message {
            return self.receive_connect(connect, context, out);
        }
        self.is_just_accepted = false;
        match self.phase {
            Phase::WillTopic(_) | Phase::WillMessage(_) => self.receive_will(message, context, out),
            Phase::Connecting => {
                if matches!(message, Message::Disconnect { .. }) {
                    self.leave(context, out);
                }
            }
            Phase::Active | Phase::Asleep | Phase::Awake { .. } => {
                self.receive_connected(message, context, out);
            }
            Phase::Disconnected { since, answers } => {
                let is_disconnect = matches!(message, Message::Disconnect { .. });
                // Limited, or two gateways could answer each other forever.
                if !is_disconnect || answers <= context.settings.retry_count {
                    let answers = answers + u32::from(is_disconnect);
                    self.phase = Phase::Disconnected { since, answers };
                    send(&Message::Disconnect { duration: None }, out);
                }
            }
        }
    }

    fn receive_connected(&mut self, message: &Message<'_>, context: Context<'_>, out: &mut Output) {
        match message {
            Message::Publish(publish) => match publish.qos {
                PublishQos::MinusOne => self.publish_minus_one(publish, context, out),
                PublishQos::Connected(qos) => self.publish(publish, qos, context, out),
            },
            Message::Pubrel { message_id } => self.release(*message_id, context, out),
            Message::Register(register) => self.register(register, context, out),
            Message::Subscribe(subscribe) => self.subscribe(subscribe, context, out),
            Message::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe, context, out),
            Message::Regack(ack) => self.registered(*ack, context, out),
            Message::Puback(ack) => self.published(*ack, context, out),
            Message::Pubrec { message_id } => self.received(*message_id, context, out),
            Message::Pubcomp { message_id } => self.completed(*message_id, context, out),
            Message::Pingreq { .. } => self.ping(context, out),
            Message::Disconnect { duration: None | Some(0) } => self.leave(context, out),
            Message::Disconnect { duration: Some(seconds) } => self.fall_asleep(*seconds, out),
            Message::WillTopicUpd(topic) => self.change_will_topic(*topic, out),
            Message::WillMsgUpd { payload } => self.change_will_message(payload, out),
            // Late answers of the will exchange, and messages that only gateways send.
            Message::WillTopic(_)
            | Message::WillMsg { .. }
            | Message::Connect(_)
            | Message::Advertise { .. }
            | Message::SearchGw { .. }
            | Message::GwInfo { .. }
            | Message::Connack { .. }
            | Message::WillTopicReq
            | Message::WillMsgReq
            | Message::Suback(_)
            | Message::Unsuback { .. }
            | Message::Pingresp
            | Message::WillTopicResp { .. }
            | Message::WillMsgResp { .. }
            | Message::Encapsulated(_) => {}
        }
    }

    /// Handles a packet of the broker, after CONNACK.
    pub(crate) fn receive_packet(&mut self, packet: &Packet<'_>, context: Context<'_>, out: &mut Output) {
        match packet {
            Packet::Publish(publish) => self.queue(publish, context, out),
            Packet::Puback(ack) => self.broker_acknowledged(ack, out),
            Packet::Pubrec(ack) => self.broker_received(ack, out),
            Packet::Pubcomp(ack) => self.broker_completed(ack, out),
            Packet::Pubrel(ack) => self.broker_released(ack.packet_id, context, out),
            Packet::Suback(ack) => self.broker_subscribed(ack, out),
            Packet::Unsuback(ack) => self.broker_unsubscribed(ack, out),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
    }

    /// Acts on timers that have expired.
    pub(crate) fn tick(&mut self, context: Context<'_>, out: &mut Output) {
        match self.phase {
            Phase::WillTopic(_) | Phase::WillMessage(_) => self.repeat_will_request(context, out),
            Phase::Connecting => {}
            Phase::Active | Phase::Asleep | Phase::Awake { .. } => {
                if self.silence_limit().is_some_and(|limit| context.now >= limit) {
                    return self.lose(Note::Silent, context, out);
                }
                self.repeat_delivery(context, out);
                self.end_awakening_if_idle(context, out);
            }
            Phase::Disconnected { since, .. } => {
                if self.is_clean && context.now >= since + REMEMBERED {
                    out.action = Some(Action::Forget);
                }
            }
        }
    }

    /// The time of the next [`Client::tick`].
    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        match &self.phase {
            Phase::WillTopic(unanswered) | Phase::WillMessage(unanswered) => Some(unanswered.due(settings)),
            Phase::Connecting => None,
            Phase::Active => self.silence_limit().into_iter().chain(self.deliveries.due(settings)).min(),
            Phase::Awake { until } => {
                let end = self.deliveries.is_idle().then_some(*until);
                self.silence_limit().into_iter().chain(self.deliveries.due(settings)).chain(end).min()
            }
            Phase::Asleep => self.silence_limit(),
            Phase::Disconnected { since, .. } => self.is_clean.then(|| *since + REMEMBERED),
        }
    }

    /// The time at which silence makes the client a lost one: 10 % after its interval, or 50 % up to a minute (section 7.2).
    fn silence_limit(&self) -> Option<Instant> {
        let tolerance = if self.interval > Duration::from_secs(60) { 10 } else { 2 };
        (!self.interval.is_zero()).then(|| self.heard + self.interval + self.interval / tolerance)
    }
}

/// Appends a message as a datagram.
fn send(message: &Message<'_>, out: &mut Output) {
    let mut datagram = Vec::new();
    // Only PUBLISH and REGISTER can be too long, and their sizes are checked before.
    if message.encode(&mut datagram).is_ok() {
        out.datagrams.push(datagram);
    }
}

/// Appends a packet for the broker. Returns whether it could be encoded.
fn send_packet(packet: &Packet<'_>, context: Context<'_>, out: &mut Output) -> bool {
    packet.encode(context.settings.version, &mut out.packets).is_ok()
}

/// The acceptance or the rejection of a topic.
fn code_of(is_accepted: bool, rejection: ReturnCode) -> ReturnCode {
    if is_accepted { ReturnCode::ACCEPTED } else { rejection }
}
