//! The open request: its steps, and the next request.

use super::{Adapter, GatewayError, State};
use crate::protocol::property::Context;
use crate::protocol::sn::MAX_DATAGRAM_SIZE;
use crate::protocol::sn::client::open_exchange::{self, OpenExchange};
use crate::protocol::sn::client::request::{Filters, Outgoing};
use crate::protocol::sn::v2::{
    Ack as SnAck, Delivery, Packet, PacketType, Publish, Pubwos, Reason, Register, Subscribe, Topic,
    TopicAlias, Unsubscribe,
};
use crate::protocol::{Ack, Packet as MqttPacket, PacketId, Qos};
use std::time::Instant;

/// The octets of PUBLISH besides its payload and topic name, with the longest length field.
const PUBLISH_HEADER: usize = 9;

/// A request of the MQTT client.
#[derive(Debug)]
pub(super) enum Operation {
    Publish(Outgoing),
    Subscribe(Filters),
    Unsubscribe(Filters),
    /// PUBREL of a message that an earlier connection sent.
    Release(PacketId),
    Ping,
    /// DISCONNECT, with its reason and its session expiry interval.
    Disconnect(Reason, Option<u32>),
}

/// A packet that the gateway has to answer.
pub(super) type Exchange = OpenExchange<Step>;

/// The kind of an open exchange, with the packet identifier of the request.
#[derive(Debug)]
pub(super) enum Step {
    /// `resumes` if a sleeping client becomes active again.
    Connect {
        packet_id: PacketId,
        resumes: bool,
    },
    Register {
        packet_id: PacketId,
        outgoing: Outgoing,
    },
    Publish {
        packet_id: PacketId,
        outgoing: Outgoing,
    },
    /// The gateway has a message of QoS 2; the PUBREL of the MQTT client is missing.
    Received {
        packet_id: PacketId,
    },
    Release {
        packet_id: PacketId,
    },
    Subscribe {
        packet_id: PacketId,
        filters: Filters,
    },
    Unsubscribe {
        packet_id: PacketId,
        filters: Filters,
    },
    Sleep {
        packet_id: PacketId,
    },
    /// PINGREQ of a sleeping client.
    WakeUp {
        packet_id: PacketId,
    },
    Ping {
        packet_id: PacketId,
    },
}

impl Step {
    /// The packet identifier of the request.
    pub(super) fn packet_id(&self) -> PacketId {
        match self {
            Step::Connect { packet_id, .. }
            | Step::Register { packet_id, .. }
            | Step::Publish { packet_id, .. }
            | Step::Received { packet_id }
            | Step::Release { packet_id }
            | Step::Subscribe { packet_id, .. }
            | Step::Unsubscribe { packet_id, .. }
            | Step::Sleep { packet_id }
            | Step::WakeUp { packet_id }
            | Step::Ping { packet_id } => *packet_id,
        }
    }
}

impl open_exchange::Step for Step {
    fn waits_for_client(&self) -> bool {
        matches!(self, Step::Received { .. })
    }

    fn message(&self) -> &'static str {
        let packet_type = match self {
            Step::Connect { .. } => PacketType::Connect,
            Step::Register { .. } => PacketType::Register,
            Step::Publish { .. } => PacketType::Publish,
            Step::Received { .. } | Step::Release { .. } => PacketType::Pubrel,
            Step::Subscribe { .. } => PacketType::Subscribe,
            Step::Unsubscribe { .. } => PacketType::Unsubscribe,
            Step::Sleep { .. } => PacketType::Sleepreq,
            Step::WakeUp { .. } | Step::Ping { .. } => PacketType::Pingreq,
        };
        packet_type.name()
    }

    /// Only a repeated PUBLISH of QoS 2 has it [MQTT-SN-3.6.2.2.3-1].
    fn has_dup(&self) -> bool {
        matches!(self, Step::Publish { outgoing, .. } if outgoing.qos == Qos::ExactlyOnce)
    }
}

impl Adapter {
    /// Sends a packet that the gateway has to answer.
    pub(super) fn ask(&mut self, step: Step, packet: &Packet<'_>, now: Instant) {
        self.ask_datagram(step, packet.to_datagram(), now);
    }

    /// Sends a datagram that the gateway has to answer.
    pub(super) fn ask_datagram(&mut self, step: Step, datagram: Vec<u8>, now: Instant) {
        self.traffic.send(datagram.clone());
        self.exchange = Some(Exchange::new(step, datagram, now));
    }

    /// Takes the open exchange if its request has this packet identifier and passes the test.
    pub(super) fn take_exchange(
        &mut self,
        packet_id: PacketId,
        is_it: impl FnOnce(&Step) -> bool,
    ) -> Option<Step> {
        let is_open = |open: &mut Exchange| open.step.packet_id() == packet_id && is_it(&open.step);
        self.exchange.take_if(is_open).map(|open| open.step)
    }

    /// Repeats the open request if it is due.
    pub(super) fn repeat(&mut self, now: Instant) -> Result<(), GatewayError> {
        let Some(open) = &mut self.exchange else { return Ok(()) };
        let Some(datagram) = open.repeat(&self.settings, now)? else { return Ok(()) };
        if let Step::Connect { resumes, .. } = open.step {
            let repetitions = open.repetitions;
            self.connect_again(resumes, repetitions, now);
        } else {
            self.traffic.send(datagram);
        }
        Ok(())
    }

    /// Another attempt to connect, since CONNECT is not repeated.
    fn connect_again(&mut self, resumes: bool, repetitions: u32, now: Instant) {
        self.send_connect(resumes, now);
        if let Some(open) = &mut self.exchange {
            open.repetitions = repetitions;
        }
    }

    /// The gateway asks for a pause: the request is repeated later. Returns false if it was repeated often enough.
    pub(super) fn pause(&mut self, packet_id: PacketId, now: Instant) -> bool {
        let open = self.exchange.as_mut().filter(|open| open.step.packet_id() == packet_id);
        open.is_some_and(|open| open.postpone(&self.settings, now))
    }

    /// Starts the next requests, as far as none is open.
    pub(in crate::protocol::sn::client) fn advance(&mut self, now: Instant) -> Result<(), GatewayError> {
        while self.exchange.is_none() && !matches!(self.state, State::Opening | State::Closed) {
            let Some(operation) = self.operations.pop_front() else {
                self.fall_asleep_if_idle(now);
                break;
            };
            if matches!(self.state, State::Asleep(_)) && !matches!(operation, Operation::Disconnect(..)) {
                // Only CONNECT makes a sleeping client active.
                self.operations.push_front(operation);
                self.send_connect(true, now);
                break;
            }
            self.start(operation, now)?;
        }
        Ok(())
    }

    fn start(&mut self, operation: Operation, now: Instant) -> Result<(), GatewayError> {
        match operation {
            Operation::Publish(outgoing) => self.publish(outgoing, now)?,
            Operation::Subscribe(filters) => self.subscribe(filters, now),
            Operation::Unsubscribe(filters) => self.unsubscribe(filters, now),
            Operation::Release(packet_id) => self.send_release(packet_id, now),
            Operation::Ping => {
                let packet_id = self.next_packet_id();
                self.ask(Step::Ping { packet_id }, &Packet::Pingreq { packet_id }, now);
            }
            Operation::Disconnect(reason, session_expiry) => self.leave(reason, session_expiry),
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, outgoing: Outgoing, now: Instant) -> Result<(), GatewayError> {
        let size = PUBLISH_HEADER + outgoing.payload.len() + outgoing.topic.len();
        if size > MAX_DATAGRAM_SIZE {
            return Err(GatewayError::TooLarge { topic: outgoing.topic, size });
        }
        if self.settings.is_unconnected {
            self.publish_without_session(&outgoing);
            return Ok(());
        }
        match self.aliases.alias(&outgoing.topic) {
            Some(alias) => self.send_publish(alias, outgoing, now),
            None => {
                let packet_id = self.next_packet_id();
                let topic = outgoing.topic.clone();
                let register = Packet::Register(Register { packet_id, alias: None, topic: &topic });
                self.ask(Step::Register { packet_id, outgoing }, &register, now);
            }
        }
        Ok(())
    }

    fn publish_without_session(&mut self, outgoing: &Outgoing) {
        let topic = self.aliases.lasting(&outgoing.topic);
        let publish = Pubwos { retain: outgoing.retain, topic, payload: &outgoing.payload };
        self.send(&Packet::Pubwos(publish));
    }

    fn send_publish(&mut self, alias: TopicAlias, outgoing: Outgoing, now: Instant) {
        let Some(delivery) = Delivery::new(outgoing.qos, outgoing.packet_id) else { return };
        let payload = outgoing.payload.clone();
        let publish = Publish {
            dup: outgoing.dup && outgoing.qos == Qos::ExactlyOnce,
            retain: outgoing.retain,
            delivery,
            topic: Topic::Alias(alias),
            payload: &payload,
        };
        match delivery.packet_id() {
            None => self.send(&Packet::Publish(publish)),
            Some(packet_id) => {
                self.ask(Step::Publish { packet_id, outgoing }, &Packet::Publish(publish), now);
            }
        }
    }

    pub(super) fn send_release(&mut self, packet_id: PacketId, now: Instant) {
        self.ask(Step::Release { packet_id }, &Packet::Pubrel(SnAck::success(packet_id)), now);
    }

    pub(super) fn subscribe(&mut self, filters: Filters, now: Instant) {
        let Some((filter, options)) = filters.next().cloned() else {
            self.deliver(&MqttPacket::Suback(filters.ack()));
            self.has_subscribed = true;
            return;
        };
        let packet_id = self.next_packet_id();
        let topic = self.aliases.lasting(&filter);
        let subscribe = Packet::Subscribe(Subscribe { packet_id, options, topic });
        self.ask(Step::Subscribe { packet_id, filters }, &subscribe, now);
    }

    pub(super) fn unsubscribe(&mut self, filters: Filters, now: Instant) {
        let Some((filter, _)) = filters.next().cloned() else {
            return self.deliver(&MqttPacket::Unsuback(filters.ack()));
        };
        let packet_id = self.next_packet_id();
        let topic = self.aliases.lasting(&filter);
        let unsubscribe = Packet::Unsubscribe(Unsubscribe { packet_id, topic });
        self.ask(Step::Unsubscribe { packet_id, filters }, &unsubscribe, now);
    }

    fn fall_asleep_if_idle(&mut self, now: Instant) {
        if let Some(seconds) = self.settings.sleep
            && self.state == State::Active
            && self.has_subscribed
            && self.received.is_empty()
        {
            let packet_id = self.next_packet_id();
            let request = Packet::Sleepreq { packet_id, duration: seconds.into(), retains_aliases: true };
            self.ask(Step::Sleep { packet_id }, &request, now);
        }
    }

    /// Sends the MQTT client the result of a message.
    pub(super) fn settle(&mut self, outgoing: &Outgoing, reason: Reason) {
        let Some(packet_id) = outgoing.packet_id else { return };
        let packet = match outgoing.qos {
            Qos::ExactlyOnce => MqttPacket::Pubrec(Ack::new(packet_id, reason.to_mqtt(Context::Pubrec))),
            _ => MqttPacket::Puback(Ack::new(packet_id, reason.to_mqtt(Context::Puback))),
        };
        self.deliver(&packet);
    }
}
