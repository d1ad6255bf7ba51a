//! An MQTT-SN client that looks like a broker to an MQTT client of the same process: a state machine between the packets of that
//! client and datagrams to a gateway.
//!
//! So `pub`, `sub` and `rr` run the same loop as over TCP. The adapter sends one request at a time, as the specification demands,
//! repeats it until the answer arrives, and keeps the topic ids.
//!
//! - `local` takes the packets of the MQTT client.
//! - `remote` takes the messages of the gateway.
//! - `exchange` has the steps of the open request, and the next one.
//! - `topics` finds topic ids.
//!
//! [`v2`] is the adapter of MQTT-SN 2.0. Both have in common:
//!
//! - `versions` chooses the adapter, and passes it packets and datagrams.
//! - `traffic` has the bytes and datagrams that wait for the other side.
//! - `request` has the requests of the MQTT client.
//! - `open_exchange` repeats a request.
//! - `names` has the names of topic ids and aliases.

mod exchange;
mod local;
mod names;
mod open_exchange;
mod remote;
mod request;
#[cfg(test)]
mod tests;
mod topics;
mod traffic;
pub(crate) mod v2;
mod versions;

pub(crate) use remote::return_code_of;

use super::late_copy::LateCopies;
use super::v2::Reason;
use super::{Message, Regack, ReturnCode, Suback};
use crate::protocol::{DecodeError, Packet};
use exchange::{Exchange, Operation};
use names::Names;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use traffic::Traffic;
pub(crate) use versions::AnyAdapter;

/// The requests up to which more packets are taken.
const ENOUGH_OPERATIONS: usize = 16;

/// The unsent datagrams up to which more packets are taken.
const ENOUGH_DATAGRAMS: usize = 64;

/// The parameters of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Messages are sent with QoS -1, without a connection.
    pub is_unconnected: bool,
    /// Predefined ids, with the names of their topics.
    pub predefined: Vec<(u16, String)>,
    /// Count the rejections of messages of QoS 0 (only with 1.2). Otherwise the first one ends the connection, and the first message
    /// to a predefined id waits for the gateway, which may not know it.
    pub counts_rejections: bool,
    /// The client sleeps for this time in seconds once it has subscribed, and wakes up for messages.
    pub sleep: Option<u16>,
    /// `T_retry`: the time after which an unanswered message is repeated.
    pub retry_interval: Duration,
    /// `N_retry`: the number of repetitions.
    pub retry_count: u32,
}

/// The end of a connection to a gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GatewayError {
    /// CONNACK with a return code other than 0.
    #[error("the gateway refused the connection: {0}")]
    Refused(ReturnCode),
    /// CONNACK of MQTT-SN 2.0 with a reason code from 0x80.
    #[error("the gateway refused the connection: {0}")]
    RefusedFor(Reason),
    /// A message was repeated in vain.
    #[error("the gateway did not answer {message}, sent {} in {} s", times(*attempts), time.as_secs_f64())]
    NoAnswer { message: &'static str, attempts: u32, time: Duration },
    /// The port is closed, as an ICMP message says.
    #[error("no MQTT-SN gateway listens at the port (connection refused)")]
    NotListening,
    /// DISCONNECT.
    #[error("the gateway ended the connection")]
    Ended,
    /// DISCONNECT of MQTT-SN 2.0, with its reason string.
    #[error("the gateway ended the connection: {reason}{}", quoted(.text))]
    EndedFor { reason: Reason, text: String },
    /// SLEEPRESP with a reason code from 0x80.
    #[error("the gateway rejected the sleep: {0}")]
    SleepRejected(Reason),
    /// A rejected message that the MQTT version has no reason code for.
    #[error("the gateway rejected the message to {topic}: {return_code}")]
    Rejected { topic: String, return_code: ReturnCode },
    /// The same with a reason code of MQTT-SN 2.0.
    #[error("the gateway rejected the message to {topic}: {reason}")]
    RejectedFor { topic: String, reason: Reason },
    /// A message for which no datagram is large enough.
    #[error("the message to {topic} has {size} bytes, which no MQTT-SN message can have")]
    TooLarge { topic: String, size: usize },
    /// A topic that QoS -1 cannot express.
    #[error("{topic} has no predefined topic id and is not a short topic name, which QoS -1 needs")]
    NoTopicId { topic: String },
    /// A packet of the MQTT client that MQTT-SN has no message for.
    #[error("MQTT-SN has no message for {0}")]
    NoMessage(crate::protocol::PacketType),
    /// A packet of the MQTT client that cannot be read.
    #[error("{0}")]
    Packet(DecodeError),
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// A reason string, as it follows the reason.
fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text:?})") }
}

/// Events that the MQTT client does not see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages that were sent again.
    pub repeated: u32,
    /// Messages that were given up, since all their repetitions had no answer.
    pub unanswered: u32,
    /// Answers with the return code for congestion.
    pub congestion: u32,
    /// PUBLISH messages of the gateway with DUP.
    pub received_again: u32,
    /// Datagrams that cannot be decoded.
    pub malformed: u32,
}

/// Messages of QoS 0 that the gateway rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejections {
    pub count: u32,
    /// That of the last one.
    pub return_code: ReturnCode,
}

/// The state of the connection to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The MQTT client has not sent CONNECT, or it is not answered.
    Opening,
    Connected,
    /// The client sleeps until that time.
    Asleep(Instant),
    /// The connection has ended.
    Closed,
}

/// The will, for the gateway's questions.
#[derive(Debug, Default)]
struct Will {
    topic: Vec<u8>,
    message: Vec<u8>,
}

/// The client's side of a connection to a gateway.
#[derive(Debug)]
pub(crate) struct Adapter {
    settings: Settings,
    state: State,
    client_id: String,
    is_clean: bool,
    will: Will,
    traffic: Traffic,
    counts: Counts,
    rejections: Option<Rejections>,
    /// Requests that wait for the open one.
    operations: VecDeque<Operation>,
    exchange: Option<Exchange>,
    /// PINGREQ, if it is not answered.
    ping: Option<Exchange>,
    /// The PINGREQ packets of the MQTT client that it answers.
    pings: u32,
    last_message_id: u16,
    topics: Names,
    /// Message id and topic id of received messages that the MQTT client has not acknowledged.
    received: Vec<(u16, u16)>,
    /// Copies of QoS 2 messages of the gateway.
    late_copies: LateCopies,
    has_subscribed: bool,
    /// The gateway was asked whether it knows the predefined id of a message of QoS 0.
    has_confirmed: bool,
}

impl Adapter {
    /// A connection that is not open yet.
    fn new(settings: Settings) -> Adapter {
        Adapter {
            topics: Names::new(settings.predefined.clone()),
            settings,
            state: State::Opening,
            client_id: String::new(),
            is_clean: true,
            will: Will::default(),
            traffic: Traffic::new(),
            counts: Counts::default(),
            rejections: None,
            operations: VecDeque::new(),
            exchange: None,
            ping: None,
            pings: 0,
            last_message_id: 0,
            received: Vec::new(),
            late_copies: LateCopies::default(),
            has_subscribed: false,
            has_confirmed: false,
        }
    }

    fn takes_packets(&self) -> bool {
        // The PUBREL that the open exchange waits for may be behind other packets.
        let waits = self.exchange.as_ref().is_some_and(Exchange::waits_for_client);
        let has_room = self.operations.len() < ENOUGH_OPERATIONS && self.traffic.unsent() < ENOUGH_DATAGRAMS;
        waits || has_room
    }

    /// Whether every request is answered.
    fn is_settled(&self) -> bool {
        self.operations.is_empty() && self.exchange.as_ref().is_none_or(Exchange::waits_for_client)
    }

    fn has_ended(&self) -> bool {
        self.state == State::Closed
    }

    fn take_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), GatewayError> {
        match Message::decode(datagram) {
            Ok(message) => {
                self.count(&message);
                self.take_message(&message, now)?;
            }
            Err(_) => self.counts.malformed += 1,
        }
        self.advance(now)
    }

    fn tick(&mut self, now: Instant) -> Result<(), GatewayError> {
        self.repeat(now)?;
        if let State::Asleep(end) = self.state
            && now >= end
            && self.exchange.is_none()
        {
            self.wake_up(now);
        }
        self.advance(now)
    }

    fn deadline(&self) -> Option<Instant> {
        let interval = self.settings.retry_interval;
        let exchanges = self.exchange.iter().chain(&self.ping).filter_map(|exchange| exchange.due(interval));
        let end_of_sleep = match self.state {
            State::Asleep(end) if self.exchange.is_none() => Some(end),
            _ => None,
        };
        exchanges.chain(end_of_sleep).min()
    }

    /// Counts a rejection of a message of QoS 0.
    fn note_rejection(&mut self, return_code: ReturnCode) {
        let count = self.rejections.map_or(1, |earlier| earlier.count.saturating_add(1));
        self.rejections = Some(Rejections { count, return_code });
    }

    fn count(&mut self, message: &Message<'_>) {
        let return_code = match message {
            Message::Connack { return_code }
            | Message::Regack(Regack { return_code, .. })
            | Message::Puback(Regack { return_code, .. })
            | Message::Suback(Suback { return_code, .. }) => *return_code,
            Message::Publish(publish) => {
                self.counts.received_again += u32::from(publish.dup);
                return;
            }
            _ => return,
        };
        self.counts.congestion += u32::from(return_code == ReturnCode::CONGESTION);
    }

    /// Sends a message once.
    fn send(&mut self, message: &Message<'_>) {
        self.traffic.send(encoded(message));
    }

    /// Appends a packet for the MQTT client.
    fn deliver(&mut self, packet: &Packet<'_>) {
        self.traffic.deliver(packet);
    }

    fn next_message_id(&mut self) -> u16 {
        self.last_message_id = self.last_message_id.checked_add(1).unwrap_or(1);
        self.last_message_id
    }
}

/// A message as a datagram; empty if it is too long, which is checked before.
fn encoded(message: &Message<'_>) -> Vec<u8> {
    let mut datagram = Vec::new();
    let _ = message.encode(&mut datagram);
    datagram
}
