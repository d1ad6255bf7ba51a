//! The session state: the packets that may be sent, those that must be answered, and those that are not settled yet.
//!
//! One state machine serves clients and brokers. It takes packets and appends bytes to a buffer; it never waits. The
//! application decides when to call [`Session::acknowledge`], so an acknowledgement is sent only after the message is safe.
//!
//! `M` is the application's own data, returned with the last acknowledgement of a message. If it implements [`Outgoing`], the
//! session can send the message again after a reconnect.
//!
//! Memory is proportional to the messages in flight: an idle session takes a few hundred bytes.

mod alias;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod keep_alive;
mod limits;
mod outbound;
mod rare;
mod sender;
mod subscribe;

use super::packet_id::PacketIds;
use super::publish::Delivery;
use super::{
    Ack, Auth, Disconnect, Packet, PacketId, PacketType, Properties, PropertyId, Publish, Qos, ReasonCode,
    Subscribe, Subscription, SubscriptionAck, Unsubscribe, Version,
};
use alias::InboundAliases;
pub use keep_alive::{KeepAlive, KeepAliveAction};
pub use limits::Limits;
use outbound::{Outbound, Stage};
use rare::Rare;
pub use sender::PublishError;
use sender::Sender;
use std::collections::VecDeque;
pub use subscribe::SubscribeError;

/// The local side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the specification's own
pub enum Role {
    Client,
    Server,
}

/// A message that can be retransmitted.
pub trait Outgoing {
    /// The message as a packet. Its `packet_id` and `dup` are the session's to fill in.
    fn as_publish(&self) -> Publish<'_>;
}

/// The state of one side: messages sent and received, aliases and limits.
#[derive(Debug)]
pub struct Session<M> {
    role: Role,
    accepts: Limits,
    sender: Sender,
    packet_ids: PacketIds,
    outbound: Outbound<M>,
    rare: Rare<RareState>,
}

/// The state of a session that subscribes, receives messages of QoS 2, or gets topic aliases.
#[derive(Debug, Default)]
struct RareState {
    requests: Vec<Request>,
    /// The messages of QoS 2 that were received and not yet released.
    received: VecDeque<PacketId>,
    aliases: InboundAliases,
}

/// A SUBSCRIBE or UNSUBSCRIBE that waits for its answer.
#[derive(Debug)]
struct Request {
    packet_id: PacketId,
    answer: PacketType,
    filters: usize,
}

/// The meaning of a received packet to the application. The session has already appended its own answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'e, M> {
    /// Nothing to do: an intermediate step, or a packet that repeats an earlier one.
    Nothing,
    /// A message. Its topic is filled in if an alias replaced it.
    Message {
        /// The message.
        publish: Publish<'e>,
        /// The argument for [`Session::acknowledge`].
        acknowledgement: Acknowledgement,
    },
    /// A sent message is settled: delivered, or rejected if the reason code is an error.
    Published {
        /// The identifier that it had; it is free again.
        packet_id: PacketId,
        /// Success, or the peer's reason for rejecting it. "No matching subscribers" of PUBREC is kept until PUBCOMP.
        reason_code: ReasonCode,
        /// The properties of the packet that settled it.
        properties: Properties<'e>,
        /// The data kept for the message.
        message: M,
    },
    /// The server's answer to SUBSCRIBE.
    Subscribed(SubscriptionAck<'e>),
    /// The server's answer to UNSUBSCRIBE.
    Unsubscribed(SubscriptionAck<'e>),
    /// A client's SUBSCRIBE, to be answered with SUBACK.
    Subscribe(Subscribe<'e>),
    /// A client's UNSUBSCRIBE, to be answered with UNSUBACK.
    Unsubscribe(Unsubscribe<'e>),
    /// The server's answer to PINGREQ.
    Pingresp,
    /// The peer ends the connection.
    Disconnect(Disconnect<'e>),
    /// A step of an enhanced authentication.
    Auth(Auth<'e>),
}

/// The acknowledgement that a received message requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Nothing: it came at QoS 0.
    None,
    /// PUBACK.
    Puback(PacketId),
    /// PUBREC.
    Pubrec(PacketId),
}

/// A valid packet that the peer must not send now. The caller must close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum SessionError {
    #[error("unexpected {0}")]
    Unexpected(PacketType),
    #[error("{packet_type} for packet identifier {packet_id}, which waits for another packet type")]
    WrongAcknowledgement { packet_type: PacketType, packet_id: PacketId },
    #[error("{packet_type} with {received} reason codes for {expected} topic filters")]
    WrongReasonCodeCount { packet_type: PacketType, expected: usize, received: usize },
    #[error("more than the receive maximum of {maximum} messages are unacknowledged")]
    ReceiveMaximumExceeded { maximum: u16 },
    #[error("topic alias {alias} exceeds the topic alias maximum of {maximum}")]
    TopicAliasInvalid { alias: u16, maximum: u16 },
    #[error("empty topic name with topic alias {alias}, which was not set on this connection")]
    UnknownTopicAlias { alias: u16 },
    #[error("PUBLISH at QoS {qos} exceeds the maximum QoS of {maximum}")]
    QosNotSupported { qos: Qos, maximum: Qos },
    #[error("PUBLISH with RETAIN, which the server does not support")]
    RetainNotSupported,
    #[error("PUBLISH from a client with a subscription identifier")]
    SubscriptionIdentifierFromClient,
    #[error("CONNACK with a session present, after a clean start")]
    SessionPresentAfterCleanStart,
}

impl SessionError {
    /// The reason code to close the connection with.
    pub fn reason_code(self) -> ReasonCode {
        match self {
            SessionError::ReceiveMaximumExceeded { .. } => ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
            SessionError::TopicAliasInvalid { .. } => ReasonCode::TOPIC_ALIAS_INVALID,
            SessionError::QosNotSupported { .. } => ReasonCode::QOS_NOT_SUPPORTED,
            SessionError::RetainNotSupported => ReasonCode::RETAIN_NOT_SUPPORTED,
            SessionError::Unexpected(_)
            | SessionError::UnknownTopicAlias { .. }
            | SessionError::WrongAcknowledgement { .. }
            | SessionError::WrongReasonCodeCount { .. }
            | SessionError::SubscriptionIdentifierFromClient
            | SessionError::SessionPresentAfterCleanStart => ReasonCode::PROTOCOL_ERROR,
        }
    }
}

impl<M> Session<M> {
    /// A session with nothing in flight, and without a connection yet.
    pub fn new(role: Role, version: Version) -> Session<M> {
        Session {
            role,
            accepts: Limits::default(),
            sender: Sender::new(version),
            packet_ids: PacketIds::new(),
            outbound: Outbound::new(),
            rare: Rare::default(),
        }
    }

    /// Makes the session replace topics by aliases, up to the peer's Topic Alias Maximum.
    pub fn choose_aliases(&mut self) {
        self.sender.chooses_aliases = true;
    }

    /// Starts on a new connection, after CONNECT and CONNACK.
    ///
    /// Messages in flight wait to be sent again ([`Session::resend`]). If the peer lost the session, messages that it already
    /// acknowledged with PUBREC (QoS 2) are returned: their delivery is unknown, and sending them again could deliver them twice.
    pub fn start(
        &mut self,
        version: Version,
        accepts: Limits,
        peer_accepts: Limits,
        session_present: bool,
    ) -> Vec<(PacketId, M)> {
        self.accepts = accepts;
        self.sender.restart(version, peer_accepts);
        if let Some(rare) = self.rare.get_mut() {
            rare.aliases.clear();
            rare.requests.clear();
            if !session_present {
                rare.received.clear();
            }
        }
        self.outbound.restart(session_present)
    }

    /// The version that packets are read and written in.
    pub fn version(&self) -> Version {
        self.sender.version
    }

    /// The local limits.
    pub fn accepts(&self) -> &Limits {
        &self.accepts
    }

    /// Changes the local limits, before the first packet is received.
    pub fn accept(&mut self, limits: Limits) {
        self.accepts = limits;
    }

    /// The peer's limits.
    pub fn peer_accepts(&self) -> &Limits {
        &self.sender.limits
    }

    /// The number of QoS 1 and 2 messages that may be sent before one is acknowledged.
    pub fn quota(&self) -> usize {
        if !self.outbound.is_caught_up() {
            return 0;
        }
        usize::from(self.sender.limits.receive_maximum).saturating_sub(self.outbound.in_flight())
    }

    /// The number of unsettled QoS 1 and 2 messages.
    pub fn unsettled(&self) -> usize {
        self.outbound.len()
    }

    /// The session's memory, without memory that the messages hold elsewhere.
    pub fn memory(&self) -> usize {
        let rare = self.rare.get().map_or(0, |rare| {
            size_of::<RareState>() + rare.received.capacity() * size_of::<PacketId>() + rare.aliases.bytes()
        });
        rare + self.sender.alias_bytes() + self.outbound.bytes()
    }

    /// The messages that are not settled, in the order in which they were sent.
    pub fn unsettled_messages(&self) -> impl Iterator<Item = &M> {
        self.outbound.messages()
    }

    /// Whether every message is settled and every request answered.
    pub fn is_drained(&self) -> bool {
        self.outbound.len() == 0 && self.rare.get().is_none_or(|rare| rare.requests.is_empty())
    }

    /// Sends a message. The data from `keep` stays until a message of QoS 1 or 2 is settled; at QoS 0 it is not called.
    /// Sets the packet's `packet_id` and `dup`.
    ///
    /// # Errors
    /// If the peer does not accept it, or the quota is used up; nothing is appended then.
    pub fn publish(
        &mut self,
        publish: &Publish<'_>,
        keep: impl FnOnce() -> M,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, PublishError> {
        if publish.qos == Qos::AtMostOnce {
            self.sender.write(publish, Delivery { dup: false, packet_id: None }, out)?;
            return Ok(None);
        }
        if self.quota() == 0 {
            return Err(PublishError::QuotaUsedUp);
        }
        let packet_id = self.allocate_packet_id().ok_or(PublishError::QuotaUsedUp)?;
        self.sender.write(publish, Delivery { dup: false, packet_id: Some(packet_id) }, out)?;
        self.outbound.push_sent(packet_id, publish.qos, keep());
        Ok(Some(packet_id))
    }

    /// Sends SUBSCRIBE.
    ///
    /// # Errors
    /// If the server lacks a feature that it needs, or no packet identifier is left; nothing is appended then.
    pub fn subscribe(
        &mut self,
        subscriptions: Vec<Subscription<'_>>,
        properties: Properties<'_>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, SubscribeError> {
        let packet_id = self.allocate_packet_id().ok_or(SubscribeError::NoPacketId)?;
        let filters = subscriptions.len();
        let subscribe = Subscribe { packet_id, properties, subscriptions };
        subscribe::check(&subscribe, &self.sender.limits)?;
        self.append_within_size(&Packet::Subscribe(subscribe), out)?;
        self.rare.used().requests.push(Request { packet_id, answer: PacketType::Suback, filters });
        Ok(packet_id)
    }

    /// Sends UNSUBSCRIBE.
    ///
    /// # Errors
    /// If the packet is too large, or no packet identifier is left; nothing is appended then.
    pub fn unsubscribe(
        &mut self,
        filters: Vec<&str>,
        properties: Properties<'_>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, SubscribeError> {
        let packet_id = self.allocate_packet_id().ok_or(SubscribeError::NoPacketId)?;
        let count = filters.len();
        self.append_within_size(&Packet::Unsubscribe(Unsubscribe { packet_id, properties, filters }), out)?;
        self.rare.used().requests.push(Request { packet_id, answer: PacketType::Unsuback, filters: count });
        Ok(packet_id)
    }

    /// Handles a packet: appends the immediate answer and returns the packet's meaning.
    ///
    /// # Errors
    /// If the peer must not send it; the caller must then close the connection.
    pub fn receive<'e>(
        &'e mut self,
        packet: Packet<'e>,
        out: &mut Vec<u8>,
    ) -> Result<Event<'e, M>, SessionError> {
        let is_client = self.role == Role::Client;
        match packet {
            Packet::Publish(publish) => self.receive_publish(publish, out),
            Packet::Puback(ack) => self.receive_ack(PacketType::Puback, ack, out),
            Packet::Pubrec(ack) => self.receive_ack(PacketType::Pubrec, ack, out),
            Packet::Pubrel(ack) => self.receive_ack(PacketType::Pubrel, ack, out),
            Packet::Pubcomp(ack) => self.receive_ack(PacketType::Pubcomp, ack, out),
            Packet::Disconnect(disconnect) => Ok(Event::Disconnect(disconnect)),
            Packet::Auth(auth) => Ok(Event::Auth(auth)),
            Packet::Suback(ack) if is_client => self.receive_answer(PacketType::Suback, ack),
            Packet::Unsuback(ack) if is_client => self.receive_answer(PacketType::Unsuback, ack),
            Packet::Pingresp if is_client => Ok(Event::Pingresp),
            Packet::Subscribe(subscribe) if !is_client => Ok(Event::Subscribe(subscribe)),
            Packet::Unsubscribe(unsubscribe) if !is_client => Ok(Event::Unsubscribe(unsubscribe)),
            Packet::Pingreq if !is_client => {
                append(&Packet::Pingresp, self.sender.version, out);
                Ok(Event::Nothing)
            }
            unexpected => Err(SessionError::Unexpected(unexpected.packet_type())),
        }
    }

    /// As [`Session::receive`], for a packet that acknowledges a PUBLISH.
    ///
    /// # Errors
    /// If the peer must not send it.
    #[inline(always)]
    pub(crate) fn receive_ack<'e>(
        &mut self,
        packet_type: PacketType,
        ack: Ack<'e>,
        out: &mut Vec<u8>,
    ) -> Result<Event<'e, M>, SessionError> {
        match packet_type {
            PacketType::Puback => self.settle(packet_type, Stage::Puback, ack),
            PacketType::Pubrec => self.receive_pubrec(ack, out),
            PacketType::Pubrel => Ok(self.receive_pubrel(ack.packet_id, out)),
            PacketType::Pubcomp => self.settle(packet_type, Stage::Pubcomp, ack),
            other => Err(SessionError::Unexpected(other)),
        }
    }

    /// Acknowledges a message, or rejects it with an error reason code. Fields that the version lacks are left out.
    pub fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        reason_code: ReasonCode,
        out: &mut Vec<u8>,
    ) {
        let version = self.sender.version;
        match acknowledgement {
            Acknowledgement::None => {}
            Acknowledgement::Puback(packet_id) => {
                append_ack(PacketType::Puback, packet_id, reason_code, version, out);
            }
            Acknowledgement::Pubrec(packet_id) => {
                if reason_code.is_error() && version.is_v5() {
                    self.release(packet_id);
                }
                append_ack(PacketType::Pubrec, packet_id, reason_code, version, out);
            }
        }
    }

    /// Sends PINGREQ.
    pub fn ping(&self, out: &mut Vec<u8>) {
        append(&Packet::Pingreq, self.sender.version, out);
    }

    fn append_within_size(&self, packet: &Packet<'_>, out: &mut Vec<u8>) -> Result<(), SubscribeError> {
        let before = out.len();
        packet.encode(self.sender.version, out)?;
        let size = out.len() - before;
        let maximum = self.sender.limits.maximum_packet_size;
        if size > maximum as usize {
            out.truncate(before);
            return Err(SubscribeError::PacketTooLarge { size, maximum });
        }
        Ok(())
    }

    fn allocate_packet_id(&mut self) -> Option<PacketId> {
        let requests = self.rare.get().into_iter().flat_map(|rare| &rare.requests);
        let requests = requests.map(|request| request.packet_id);
        self.packet_ids.allocate(self.outbound.packet_ids().chain(requests))
    }

    fn receive_publish<'e>(
        &'e mut self,
        mut publish: Publish<'e>,
        out: &mut Vec<u8>,
    ) -> Result<Event<'e, M>, SessionError> {
        self.check_publish(&publish)?;
        let acknowledgement = match (publish.qos, publish.packet_id) {
            (Qos::AtLeastOnce, Some(packet_id)) => Acknowledgement::Puback(packet_id),
            (Qos::ExactlyOnce, Some(packet_id)) => Acknowledgement::Pubrec(packet_id),
            (Qos::AtMostOnce, _) | (_, None) => Acknowledgement::None,
        };
        if let Acknowledgement::Pubrec(packet_id) = acknowledgement
            && self.rare.get().is_some_and(|rare| rare.received.contains(&packet_id))
        {
            // The alias that it sets is valid even though the message was delivered before.
            let mut repeated = publish;
            self.resolve_alias(&mut repeated)?;
            self.acknowledge(acknowledgement, ReasonCode::SUCCESS, out);
            return Ok(Event::Nothing);
        }
        let maximum = self.accepts.receive_maximum;
        let unreleased = self.rare.get().map_or(0, |rare| rare.received.len());
        if acknowledgement != Acknowledgement::None && unreleased >= usize::from(maximum) {
            return Err(SessionError::ReceiveMaximumExceeded { maximum });
        }
        if let Acknowledgement::Pubrec(packet_id) = acknowledgement {
            self.rare.used().received.push_back(packet_id);
        }
        self.resolve_alias(&mut publish)?;
        Ok(Event::Message { publish, acknowledgement })
    }

    fn check_publish(&self, publish: &Publish<'_>) -> Result<(), SessionError> {
        if publish.qos > self.accepts.maximum_qos {
            let maximum = self.accepts.maximum_qos;
            return Err(SessionError::QosNotSupported { qos: publish.qos, maximum });
        }
        if publish.retain && !self.accepts.retain_available {
            return Err(SessionError::RetainNotSupported);
        }
        // [MQTT-3.3.4-6]
        if self.role == Role::Server && publish.properties.find(PropertyId::SubscriptionIdentifier).is_some()
        {
            return Err(SessionError::SubscriptionIdentifierFromClient);
        }
        Ok(())
    }

    fn resolve_alias<'e>(&'e mut self, publish: &mut Publish<'e>) -> Result<(), SessionError> {
        let Some(alias) = publish.properties.two_bytes(PropertyId::TopicAlias) else {
            return Ok(());
        };
        let maximum = self.accepts.topic_alias_maximum;
        if alias > maximum {
            return Err(SessionError::TopicAliasInvalid { alias, maximum });
        }
        let topic = self.rare.used().aliases.resolve(alias, publish.topic);
        publish.topic = topic.ok_or(SessionError::UnknownTopicAlias { alias })?;
        Ok(())
    }

    /// Handles the last acknowledgement of a sent message.
    #[inline(always)]
    fn settle<'e>(
        &mut self,
        packet_type: PacketType,
        stage: Stage,
        ack: Ack<'e>,
    ) -> Result<Event<'e, M>, SessionError> {
        let packet_id = ack.packet_id;
        let Some((index, slot)) = self.outbound.find(packet_id) else {
            return Ok(Event::Nothing); // A late answer to a message that was settled on an earlier connection.
        };
        if slot.stage != stage {
            return Err(SessionError::WrongAcknowledgement { packet_type, packet_id });
        }
        // In recovery, the peer completed the exchange before the connection broke (MQTT 5.0, section 3.7.2.1).
        let is_completed_earlier =
            slot.is_released_again && ack.reason_code == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
        let is_success = is_completed_earlier || ack.reason_code == ReasonCode::SUCCESS;
        let reason_code = match (is_success, slot.is_unmatched) {
            (true, true) => ReasonCode::NO_MATCHING_SUBSCRIBERS,
            (true, false) => ReasonCode::SUCCESS,
            (false, _) => ack.reason_code,
        };
        let Some(message) = self.outbound.remove(index) else {
            return Ok(Event::Nothing);
        };
        Ok(Event::Published { packet_id, reason_code, properties: ack.properties, message })
    }

    fn receive_pubrec<'e>(&mut self, ack: Ack<'e>, out: &mut Vec<u8>) -> Result<Event<'e, M>, SessionError> {
        let packet_id = ack.packet_id;
        let reason_code = match self.outbound.find(packet_id) {
            Some((_, slot)) if slot.stage == Stage::Puback => {
                return Err(SessionError::WrongAcknowledgement {
                    packet_type: PacketType::Pubrec,
                    packet_id,
                });
            }
            // A rejected message is settled: nothing follows a PUBREC with an error (MQTT 5.0, section 4.3.3).
            Some((_, slot)) if ack.reason_code.is_error() => {
                let stage = slot.stage;
                return self.settle(PacketType::Pubrec, stage, ack);
            }
            Some((_, slot)) => {
                slot.stage = Stage::Pubcomp;
                slot.is_unmatched = ack.reason_code == ReasonCode::NO_MATCHING_SUBSCRIBERS;
                ReasonCode::SUCCESS
            }
            None if ack.reason_code.is_error() => return Ok(Event::Nothing),
            None => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        };
        append_ack(PacketType::Pubrel, packet_id, reason_code, self.sender.version, out);
        Ok(Event::Nothing)
    }

    fn receive_pubrel(&mut self, packet_id: PacketId, out: &mut Vec<u8>) -> Event<'static, M> {
        let reason_code = if self.release(packet_id) {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        append_ack(PacketType::Pubcomp, packet_id, reason_code, self.sender.version, out);
        Event::Nothing
    }

    /// Forgets a message of QoS 2 that the peer will not retransmit. Returns whether it was known.
    fn release(&mut self, packet_id: PacketId) -> bool {
        let Some(RareState { received, .. }) = self.rare.get_mut() else { return false };
        let position = received.iter().position(|&received| received == packet_id);
        let was_known = position.and_then(|index| received.remove(index)).is_some();
        if received.is_empty() && received.capacity() > 64 {
            *received = VecDeque::new();
        }
        was_known
    }

    fn receive_answer<'e>(
        &mut self,
        packet_type: PacketType,
        ack: SubscriptionAck<'e>,
    ) -> Result<Event<'e, M>, SessionError> {
        let is_asked =
            |request: &Request| request.packet_id == ack.packet_id && request.answer == packet_type;
        let Some(RareState { requests, .. }) = self.rare.get_mut() else { return Ok(Event::Nothing) };
        let Some(index) = requests.iter().position(is_asked) else {
            return Ok(Event::Nothing);
        };
        let expected = requests.swap_remove(index).filters;
        let received = ack.reason_codes().len();
        if packet_type == PacketType::Unsuback {
            if self.sender.version.is_v5() && received != expected {
                return Err(SessionError::WrongReasonCodeCount { packet_type, expected, received });
            }
            return Ok(Event::Unsubscribed(ack));
        }
        if received != expected {
            return Err(SessionError::WrongReasonCodeCount { packet_type, expected, received });
        }
        Ok(Event::Subscribed(ack))
    }
}

impl<M: Outgoing> Session<M> {
    /// Retransmits the messages in flight from the last connection, within the quota and until `out` holds `enough` bytes. Call it
    /// after [`Session::start`], and again whenever `out` was written or an acknowledgement arrived.
    ///
    /// Returns the messages that this connection does not accept, each with the reason.
    pub fn resend(&mut self, enough: usize, out: &mut Vec<u8>) -> Vec<(M, PublishError)> {
        let mut refused = Vec::new();
        while out.len() < enough
            && self.outbound.in_flight() < usize::from(self.sender.limits.receive_maximum)
        {
            let is_duplicate = self.outbound.is_duplicate();
            let Some(slot) = self.outbound.next_waiting() else {
                break;
            };
            let packet_id = slot.packet_id;
            if slot.stage == Stage::Pubcomp {
                append_ack(PacketType::Pubrel, packet_id, ReasonCode::SUCCESS, self.sender.version, out);
                self.outbound.advance();
                continue;
            }
            let delivery = Delivery { dup: is_duplicate, packet_id: Some(packet_id) };
            match self.sender.write(&slot.message.as_publish(), delivery, out) {
                Ok(()) => self.outbound.advance(),
                Err(error) => refused.extend(self.outbound.remove_waiting().map(|message| (message, error))),
            }
        }
        refused
    }
}

/// Appends a packet that has no field of variable length, and so cannot be too long.
fn append(packet: &Packet<'_>, version: Version, out: &mut Vec<u8>) {
    let encoded = packet.encode(version, out);
    debug_assert!(encoded.is_ok(), "a packet of a few bytes is never too long");
}

/// Appends one of the four acknowledgements, without properties.
fn append_ack(
    packet_type: PacketType,
    packet_id: PacketId,
    reason_code: ReasonCode,
    version: Version,
    out: &mut Vec<u8>,
) {
    let encoded = Ack::new(packet_id, reason_code).encode(packet_type, version, out);
    debug_assert!(encoded.is_ok(), "a packet of a few bytes is never too long");
}

#[cfg(test)]
mod tests;
