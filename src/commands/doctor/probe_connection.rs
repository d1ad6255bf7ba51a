//! A connection for sequential requests: each answer is waited for, up to a deadline.
//!
//! Other packets that arrive meanwhile are kept until they are asked for, within bounds: messages on the topics of the checks,
//! and acknowledgements.

use super::probe::{Probe, payload_prefix};
use crate::client::{DISCONNECT_TIMEOUT, Details, Error, Terms, disconnect, disconnected, next_event};
use crate::protocol::session::{Acknowledgement, Event, Role, Session, SessionError};
use crate::protocol::{
    Disconnect, Mended, PacketId, PacketReader, PacketType, Properties, PropertyId, Publish, Qos, ReasonCode,
    RetainHandling, SizeLimits, Subscription, SubscriptionOptions, Version,
};
use crate::transport::Connection;
use std::time::{Duration, Instant};
use tokio::time::timeout_at;

/// The broker's own topics.
pub(super) const VERSION_TOPIC: &str = "$SYS/broker/version";

/// No expected answer is larger; a larger announced packet is refused.
const LARGEST_PACKET: u32 = 1 << 20;

/// The maximum of messages kept, and of the bytes of each payload.
const MAX_MESSAGES: usize = 64;
const LONGEST_PAYLOAD: usize = 256;

/// A connection to a broker that accepted the client.
#[derive(Debug)]
pub(in crate::commands) struct ProbeConnection {
    connection: Connection,
    session: Session<()>,
    received: Received,
    mended: Mended,
    /// The timeout of a check.
    timeout: Duration,
    deadline: Instant,
    /// The filters that were granted.
    granted: Vec<String>,
}

/// Received messages and answers that were not asked for yet.
#[derive(Debug)]
struct Received {
    /// Messages with another payload are ignored, except the broker's version.
    payload_prefix: String,
    messages: Vec<Arrived>,
    answers: Vec<(PacketId, Answer)>,
    pongs: usize,
}

/// A received message.
#[derive(Debug)]
pub(super) struct Arrived {
    topic: String,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) has_identifier: bool,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    reason_code: ReasonCode,
    details: Details,
}

/// The result of a subscription.
#[derive(Debug)]
pub(in crate::commands) enum Subscribed {
    Granted(Qos),
    Rejected(String),
    /// Not supported, according to CONNACK.
    NotOffered(String),
    Unanswered,
}

/// The result of a publish.
#[derive(Debug)]
pub(super) enum Published {
    /// Sent at QoS 0, which has no acknowledgement.
    Sent,
    /// It was acknowledged.
    Taken(ReasonCode),
    Rejected(String),
    /// Not supported, according to CONNACK.
    NotOffered(String),
    Unanswered,
}

impl ProbeConnection {
    /// Continues after CONNACK. `topic` is the base topic of the run, whose messages are kept.
    pub(in crate::commands) fn new(
        (connection, terms): (Connection, Terms),
        version: Version,
        topic: &str,
        timeout: Duration,
    ) -> ProbeConnection {
        let mut session = Session::new(Role::Client, version);
        session.start(version, terms.accepts, terms.peer_accepts, terms.session_present);
        // No PINGREQ is sent during a wait, so a wait must not exceed the keep alive.
        let keep_alive = Some(terms.keep_alive.interval()).filter(|interval| !interval.is_zero());
        let timeout = keep_alive.map_or(timeout, |interval| timeout.min(interval));
        ProbeConnection {
            connection,
            session,
            received: Received::new(topic),
            mended: Mended::default(),
            timeout,
            deadline: Instant::now() + timeout,
            granted: Vec::new(),
        }
    }

    /// Restarts the timeout, for a new request.
    pub(in crate::commands) fn begin(&mut self) {
        self.deadline = Instant::now() + self.timeout;
    }

    /// The session, which knows the broker's limits.
    pub(super) fn session(&self) -> &Session<()> {
        &self.session
    }

    /// The timeout of a check.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether there is a subscription to this filter.
    pub(super) fn has_subscribed(&self, filter: &str) -> bool {
        self.granted.iter().any(|granted| granted == filter)
    }

    /// Subscribes, and waits for SUBACK.
    pub(in crate::commands) async fn subscribe(
        &mut self,
        filter: &str,
        maximum_qos: Qos,
        properties: Properties<'_>,
    ) -> Result<Subscribed, Error> {
        let options = SubscriptionOptions {
            maximum_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        };
        let subscription = Subscription { filter, options };
        let sent = self.session.subscribe(vec![subscription], properties, self.connection.output());
        let packet_id = match sent {
            Ok(packet_id) => packet_id,
            Err(error) => return Ok(Subscribed::NotOffered(error.to_string())),
        };
        Ok(match self.answer(packet_id).await? {
            None => Subscribed::Unanswered,
            Some(answer) if answer.reason_code.is_error() => Subscribed::Rejected(answer.shown()),
            Some(answer) => {
                self.granted.push(filter.to_owned());
                Subscribed::Granted(Qos::from_u8(answer.reason_code.0).unwrap_or_default())
            }
        })
    }

    /// Publishes, and waits for the acknowledgement at QoS 1 and 2.
    pub(super) async fn publish(&mut self, publish: &Publish<'_>) -> Result<Published, Error> {
        let packet_id = match self.session.publish(publish, || (), self.connection.output()) {
            Ok(Some(packet_id)) => packet_id,
            Ok(None) => return Ok(Published::Sent),
            Err(error) => return Ok(Published::NotOffered(error.to_string())),
        };
        Ok(match self.answer(packet_id).await? {
            None => Published::Unanswered,
            Some(answer) if answer.reason_code.is_error() => Published::Rejected(answer.shown()),
            Some(answer) => Published::Taken(answer.reason_code),
        })
    }

    /// The message of a check, with any topic; `None` if it does not arrive in time.
    pub(super) async fn probe(&mut self, probe: &Probe) -> Result<Option<Arrived>, Error> {
        self.message(|message| probe.matches(&message.payload)).await
    }

    /// The message with the broker's version; `None` if it does not arrive in time.
    pub(super) async fn version_message(&mut self) -> Result<Option<Arrived>, Error> {
        self.message(|message| message.topic == VERSION_TOPIC).await
    }

    async fn message(&mut self, is_it: impl Fn(&Arrived) -> bool) -> Result<Option<Arrived>, Error> {
        self.until(|received| {
            let position = received.messages.iter().position(&is_it)?;
            Some(received.messages.remove(position))
        })
        .await
    }

    /// Sends PINGREQ and returns the round-trip time; `None` if PINGRESP did not arrive in time.
    pub(in crate::commands) async fn ping(&mut self) -> Result<Option<Duration>, Error> {
        self.received.pongs = 0;
        self.session.ping(self.connection.output());
        let start = Instant::now();
        self.until(|received| (received.pongs > 0).then(|| start.elapsed())).await
    }

    /// Sends DISCONNECT. Errors no longer matter.
    pub(in crate::commands) async fn leave(mut self, packet: &Disconnect<'_>) {
        disconnect(&mut self.connection, self.session.version(), packet, DISCONNECT_TIMEOUT).await;
    }

    /// Sends two messages of QoS 1 in one write; returns the time from the first acknowledgement to the second. `None` unless both
    /// arrive in time.
    pub(super) async fn acknowledge_pair(
        &mut self,
        publish: &Publish<'_>,
    ) -> Result<Option<Duration>, Error> {
        let mut packet_ids = [None; 2];
        for packet_id in &mut packet_ids {
            *packet_id = self.session.publish(publish, || (), self.connection.output()).ok().flatten();
        }
        let [Some(first), Some(second)] = packet_ids else { return Ok(None) };
        if self.answer(first).await?.is_none() {
            return Ok(None);
        }
        let start = Instant::now();
        Ok(self.answer(second).await?.map(|_| start.elapsed()))
    }

    async fn answer(&mut self, packet_id: PacketId) -> Result<Option<Answer>, Error> {
        self.until(|received| {
            let position = received.answers.iter().position(|(answered, _)| *answered == packet_id)?;
            Some(received.answers.remove(position).1)
        })
        .await
    }

    /// Reads until `find` finds something in the received packets; `None` at the deadline.
    async fn until<T>(
        &mut self,
        mut find: impl FnMut(&mut Received) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            if let Some(found) = find(&mut self.received) {
                return Ok(Some(found));
            }
            // During a flood there is always input.
            if Instant::now() >= self.deadline {
                return Ok(None);
            }
            let progress = match timeout_at(self.deadline.into(), self.connection.progress(true)).await {
                Ok(progress) => progress.map_err(Error::Lost)?,
                Err(_) => return Ok(None),
            };
            self.take_packets()?;
            if progress.is_closed {
                return Err(Error::Closed);
            }
        }
    }

    fn take_packets(&mut self) -> Result<(), Error> {
        let limit = self.session.accepts().maximum_packet_size.min(LARGEST_PACKET);
        let (input, output) = self.connection.buffers();
        let mut packets = PacketReader::new(input, SizeLimits::all(limit));
        let (session, mended, defects) = (&mut self.session, &mut self.mended, &mut Vec::new());
        while let Some(event) = next_event(&mut packets, session, mended, defects, output)? {
            let acknowledgement = self.received.take(&event)?;
            session.acknowledge(acknowledgement, ReasonCode::SUCCESS, output);
        }
        let consumed = packets.consumed();
        self.connection.consume(consumed);
        Ok(())
    }
}

impl Received {
    fn new(topic: &str) -> Received {
        Received {
            payload_prefix: payload_prefix(topic),
            messages: Vec::new(),
            answers: Vec::new(),
            pongs: 0,
        }
    }

    /// Keeps the messages and acknowledgements that a check may ask for. Returns the acknowledgement of a message.
    fn take(&mut self, event: &Event<'_, ()>) -> Result<Acknowledgement, Error> {
        match event {
            Event::Nothing => {}
            Event::Pingresp => self.pongs += 1,
            Event::Message { publish, acknowledgement } => {
                self.note(publish);
                return Ok(*acknowledgement);
            }
            Event::Published { packet_id, reason_code, properties, .. } => {
                let (reason_code, details) = (*reason_code, Details::of(*properties));
                self.answers.push((*packet_id, Answer { reason_code, details }));
            }
            Event::Subscribed(ack) => {
                let reason_code = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
                let details = Details::of(ack.properties);
                self.answers.push((ack.packet_id, Answer { reason_code, details }));
            }
            Event::Disconnect(disconnect) => return Err(disconnected(disconnect)),
            Event::Unsubscribed(_) => return Err(SessionError::Unexpected(PacketType::Unsuback).into()),
            Event::Auth(_) => return Err(SessionError::Unexpected(PacketType::Auth).into()),
            // The session of a client refuses them.
            Event::Subscribe(_) => return Err(SessionError::Unexpected(PacketType::Subscribe).into()),
            Event::Unsubscribe(_) => return Err(SessionError::Unexpected(PacketType::Unsubscribe).into()),
        }
        Ok(Acknowledgement::None)
    }

    fn note(&mut self, publish: &Publish<'_>) {
        let is_ours =
            publish.payload.starts_with(self.payload_prefix.as_bytes()) || publish.topic == VERSION_TOPIC;
        if !is_ours || self.messages.len() >= MAX_MESSAGES {
            return;
        }
        self.messages.push(Arrived {
            topic: publish.topic.to_owned(),
            qos: publish.qos,
            retain: publish.retain,
            has_identifier: publish.properties.find(PropertyId::SubscriptionIdentifier).is_some(),
            payload: publish.payload.iter().copied().take(LONGEST_PAYLOAD).collect(),
        });
    }
}

impl Answer {
    fn shown(&self) -> String {
        format!("{}{}", self.reason_code, self.details)
    }
}
