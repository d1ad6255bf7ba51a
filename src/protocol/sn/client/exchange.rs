//! The open request: its steps, and the next request.

use super::open_exchange::{self, OpenExchange};
use super::request::{Filters, Outgoing};
use super::{Adapter, GatewayError, State, encoded};
use crate::protocol::sn::{
    MAX_DATAGRAM_SIZE, Message, MessageType, Publish, PublishQos, Register, ShortName, Subscribe,
    SubscribeTopic, TopicId, Unsubscribe,
};
use crate::protocol::topic::check_name;
use crate::protocol::{Ack, Packet, PacketId, PacketType, Qos, ReasonCode};
use std::time::Instant;

/// The octets of PUBLISH before its payload, with the longest length field.
const PUBLISH_HEADER: usize = 9;

/// A request of the MQTT client.
#[derive(Debug)]
pub(super) enum Operation {
    Publish(Outgoing),
    Subscribe(Filters),
    Unsubscribe(Filters),
    Disconnect,
}

/// A message that the gateway has to answer.
pub(super) type Exchange = OpenExchange<Step>;

/// The kind of an open exchange.
#[derive(Debug)]
pub(super) enum Step {
    Connect,
    WillTopic,
    WillMessage,
    Register {
        message_id: u16,
        outgoing: Outgoing,
    },
    Publish {
        message_id: u16,
        outgoing: Outgoing,
    },
    /// The gateway has a message of QoS 2; the PUBREL of the MQTT client is missing.
    Received {
        packet_id: PacketId,
        message_id: u16,
    },
    Release {
        packet_id: PacketId,
        message_id: u16,
    },
    Subscribe {
        message_id: u16,
        filters: Filters,
    },
    Unsubscribe {
        message_id: u16,
        filters: Filters,
    },
    /// DISCONNECT with a duration.
    Sleep,
    /// PINGREQ of a sleeping client.
    WakeUp,
    Ping,
    /// PINGREQ after a message of QoS 0: a rejection of the message comes before the answer.
    Confirm,
    Disconnect,
}

impl open_exchange::Step for Step {
    fn waits_for_client(&self) -> bool {
        matches!(self, Step::Received { .. })
    }

    fn message(&self) -> &'static str {
        let message_type = match self {
            Step::Connect => MessageType::Connect,
            Step::WillTopic => MessageType::WillTopic,
            Step::WillMessage => MessageType::WillMsg,
            Step::Register { .. } => MessageType::Register,
            Step::Publish { .. } => MessageType::Publish,
            Step::Received { .. } | Step::Release { .. } => MessageType::Pubrel,
            Step::Subscribe { .. } => MessageType::Subscribe,
            Step::Unsubscribe { .. } => MessageType::Unsubscribe,
            Step::Sleep | Step::Disconnect => MessageType::Disconnect,
            Step::WakeUp | Step::Ping | Step::Confirm => MessageType::Pingreq,
        };
        message_type.name()
    }

    /// Only PUBLISH and SUBSCRIBE have it (MQTT-SN 1.2, section 5.3.4).
    fn has_dup(&self) -> bool {
        matches!(self, Step::Publish { .. } | Step::Subscribe { .. })
    }
}

impl Adapter {
    /// Sends a message that the gateway has to answer.
    pub(super) fn ask(&mut self, step: Step, message: &Message<'_>, now: Instant) {
        self.ask_datagram(step, encoded(message), now);
    }

    /// Sends a datagram that the gateway has to answer.
    pub(super) fn ask_datagram(&mut self, step: Step, datagram: Vec<u8>, now: Instant) {
        self.traffic.send(datagram.clone());
        self.exchange = Some(Exchange::new(step, datagram, now));
    }

    /// Repeats the messages that are due.
    pub(super) fn repeat(&mut self, now: Instant) -> Result<(), GatewayError> {
        for exchange in self.exchange.iter_mut().chain(&mut self.ping) {
            match exchange.repeat(&self.settings, now) {
                Ok(None) => {}
                Ok(Some(datagram)) => {
                    self.counts.repeated += 1;
                    self.traffic.send(datagram);
                }
                Err(_) if matches!(exchange.step, Step::Disconnect) => {
                    // The gateway is gone, which is as good.
                    self.state = State::Closed;
                    self.exchange = None;
                    return Ok(());
                }
                Err(error) => {
                    self.counts.unanswered += 1;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The gateway asks for a pause: the message is repeated later. Returns false if it was repeated often enough.
    pub(super) fn pause(&mut self, now: Instant) -> bool {
        self.exchange.as_mut().is_some_and(|exchange| exchange.postpone(&self.settings, now))
    }

    /// Starts the next requests, as far as none is open.
    pub(super) fn advance(&mut self, now: Instant) -> Result<(), GatewayError> {
        while self.exchange.is_none() && !matches!(self.state, State::Opening | State::Closed) {
            let Some(operation) = self.operations.pop_front() else {
                self.fall_asleep_if_idle(now);
                break;
            };
            match operation {
                Operation::Publish(outgoing) => self.publish(outgoing, now)?,
                Operation::Subscribe(filters) => self.subscribe(filters, now),
                Operation::Unsubscribe(filters) => self.unsubscribe(filters, now),
                Operation::Disconnect if self.settings.is_unconnected => self.state = State::Closed,
                Operation::Disconnect => {
                    self.ask(Step::Disconnect, &Message::Disconnect { duration: None }, now);
                }
            }
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, outgoing: Outgoing, now: Instant) -> Result<(), GatewayError> {
        let size = PUBLISH_HEADER + outgoing.payload.len().max(outgoing.topic.len());
        if size > MAX_DATAGRAM_SIZE {
            return Err(GatewayError::TooLarge { topic: outgoing.topic, size });
        }
        let Some(topic) = self.topics.id(&outgoing.topic) else {
            if self.settings.is_unconnected {
                return Err(GatewayError::NoTopicId { topic: outgoing.topic });
            }
            let message_id = self.next_message_id();
            let topic = outgoing.topic.clone();
            let register = Register { topic_id: 0, message_id, topic: &topic };
            self.ask(Step::Register { message_id, outgoing }, &Message::Register(register), now);
            return Ok(());
        };
        self.send_publish(topic, outgoing, now);
        Ok(())
    }

    fn send_publish(&mut self, topic: TopicId, outgoing: Outgoing, now: Instant) {
        let message_id = if outgoing.qos == Qos::AtMostOnce { 0 } else { self.next_message_id() };
        let qos = match self.settings.is_unconnected {
            true => PublishQos::MinusOne,
            false => PublishQos::Connected(outgoing.qos),
        };
        // A message that an earlier connection sent has a new message id, so the gateway cannot have seen this one.
        let Outgoing { dup, retain, ref payload, .. } = outgoing;
        let datagram = encoded(&Message::Publish(Publish { dup, qos, retain, topic, message_id, payload }));
        if outgoing.qos == Qos::AtMostOnce {
            self.traffic.send(datagram);
            return self.confirm(&topic, now);
        }
        self.ask_datagram(Step::Publish { message_id, outgoing }, datagram, now);
    }

    /// Waits for the gateway after the first message to a predefined id, so that `pub` reports an unknown one: PUBACK rejects it,
    /// but nothing accepts a message of QoS 0.
    fn confirm(&mut self, topic: &TopicId, now: Instant) {
        let is_predefined = matches!(topic, TopicId::Predefined(_));
        if is_predefined
            && !self.settings.is_unconnected
            && !self.settings.counts_rejections
            && !std::mem::replace(&mut self.has_confirmed, true)
        {
            self.ask(Step::Confirm, &Message::Pingreq { client_id: None }, now);
        }
    }

    pub(super) fn subscribe(&mut self, filters: Filters, now: Instant) {
        let Some((filter, options)) = filters.next().cloned() else {
            self.deliver(&Packet::Suback(filters.ack()));
            self.has_subscribed = true;
            return;
        };
        let message_id = self.next_message_id();
        let topic = self.subscribe_topic(&filter);
        let qos = options.maximum_qos;
        let subscribe = Message::Subscribe(Subscribe { dup: false, qos, message_id, topic });
        self.ask(Step::Subscribe { message_id, filters }, &subscribe, now);
    }

    pub(super) fn unsubscribe(&mut self, filters: Filters, now: Instant) {
        let Some((filter, _)) = filters.next().cloned() else {
            return self.deliver(&Packet::Unsuback(filters.ack()));
        };
        let message_id = self.next_message_id();
        let topic = self.subscribe_topic(&filter);
        let unsubscribe = Message::Unsubscribe(Unsubscribe { message_id, topic });
        self.ask(Step::Unsubscribe { message_id, filters }, &unsubscribe, now);
    }

    fn subscribe_topic<'f>(&self, filter: &'f str) -> SubscribeTopic<'f> {
        if let Some(id) = self.topics.predefined_id(filter) {
            return SubscribeTopic::Predefined(id);
        }
        let short = ShortName::new(filter).filter(|_| check_name(filter).is_ok());
        short.map_or(SubscribeTopic::Name(filter), SubscribeTopic::Short)
    }

    /// A sleeping client wakes up for its messages.
    pub(super) fn wake_up(&mut self, now: Instant) {
        let client_id = self.client_id.clone();
        self.ask(Step::WakeUp, &Message::Pingreq { client_id: Some(&client_id) }, now);
    }

    fn fall_asleep_if_idle(&mut self, now: Instant) {
        if let Some(seconds) = self.settings.sleep
            && self.state == State::Connected
            && self.has_subscribed
            && self.received.is_empty()
        {
            self.ask(Step::Sleep, &Message::Disconnect { duration: Some(seconds) }, now);
        }
    }

    /// Acknowledges a message to the MQTT client.
    pub(super) fn settle(&mut self, outgoing: &Outgoing, reason_code: ReasonCode, packet_type: PacketType) {
        let Some(packet_id) = outgoing.packet_id else { return };
        let ack = Ack::new(packet_id, reason_code);
        let packet =
            if packet_type == PacketType::Pubrec { Packet::Pubrec(ack) } else { Packet::Puback(ack) };
        self.deliver(&packet);
    }
}
