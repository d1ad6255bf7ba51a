//! The packets of the MQTT client: each becomes a request to the gateway, or an answer to it.

use super::exchange::{Exchange, Operation, Step};
use super::request::{Filters, Outgoing};
use super::{Adapter, GatewayError, State, Will, encoded};
use crate::protocol::sn::{Connect, Message, Regack, ReturnCode, WillTopic};
use crate::protocol::{Ack, Connack, Connect as MqttConnect, Packet, PacketId, Properties, ReasonCode};
use std::time::Instant;

impl Adapter {
    pub(super) fn take_packet(&mut self, packet: &Packet<'_>, now: Instant) -> Result<(), GatewayError> {
        match packet {
            Packet::Connect(connect) => self.connect(connect, now),
            Packet::Publish(publish) => {
                self.operations.push_back(Operation::Publish(Outgoing::new(publish)));
            }
            Packet::Subscribe(subscribe) => {
                self.operations.push_back(Operation::Subscribe(Filters::to_subscribe(subscribe)));
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.operations.push_back(Operation::Unsubscribe(Filters::to_unsubscribe(unsubscribe)));
            }
            Packet::Puback(ack) => self.acknowledge(ack.packet_id),
            Packet::Pubrec(ack) => self.send(&Message::Pubrec { message_id: ack.packet_id.value() }),
            Packet::Pubcomp(ack) => self.send(&Message::Pubcomp { message_id: ack.packet_id.value() }),
            Packet::Pubrel(ack) => self.release(ack.packet_id, now),
            Packet::Pingreq => {
                // The answer means that the gateway has the messages before it.
                self.advance(now)?;
                self.ping(now);
            }
            Packet::Disconnect(_) => self.disconnect(now),
            other => return Err(GatewayError::NoMessage(other.packet_type())),
        }
        Ok(())
    }

    fn connect(&mut self, connect: &MqttConnect<'_>, now: Instant) {
        connect.client_id.clone_into(&mut self.client_id);
        self.is_clean = connect.clean_start;
        if self.settings.is_unconnected {
            self.state = State::Connected;
            return self.accept();
        }
        if let Some(will) = &connect.will {
            let topic = WillTopic { qos: will.qos, retain: will.retain, topic: will.topic };
            self.will = Will {
                topic: encoded(&Message::WillTopic(Some(topic))),
                message: encoded(&Message::WillMsg { payload: will.payload }),
            };
        }
        let connect = Connect {
            has_will: connect.will.is_some(),
            is_clean: connect.clean_start,
            duration: connect.keep_alive,
            client_id: connect.client_id,
        };
        self.ask(Step::Connect, &Message::Connect(connect), now);
    }

    /// Sends CONNACK to the MQTT client. CONNACK of MQTT-SN does not say whether the session was kept, so it is assumed that the
    /// request was granted.
    pub(super) fn accept(&mut self) {
        let connack = Connack {
            session_present: !self.is_clean,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        };
        self.deliver(&Packet::Connack(connack));
    }

    /// The MQTT client has a received message of QoS 1.
    fn acknowledge(&mut self, packet_id: PacketId) {
        let message_id = packet_id.value();
        let Some(index) = self.received.iter().position(|(received, _)| *received == message_id) else {
            return;
        };
        let (_, topic_id) = self.received.swap_remove(index);
        self.send(&Message::Puback(Regack { topic_id, message_id, return_code: ReturnCode::ACCEPTED }));
    }

    /// The MQTT client releases a message of QoS 2 that the gateway has.
    fn release(&mut self, packet_id: PacketId, now: Instant) {
        let message_id = match &self.exchange {
            Some(Exchange { step: Step::Received { packet_id: received, message_id }, .. })
                if *received == packet_id =>
            {
                *message_id
            }
            // From an earlier connection, whose message id the gateway may have forgotten.
            _ => {
                return self.deliver(&Packet::Pubcomp(Ack::new(packet_id, ReasonCode::SUCCESS)));
            }
        };
        self.ask(Step::Release { packet_id, message_id }, &Message::Pubrel { message_id }, now);
    }

    fn ping(&mut self, now: Instant) {
        let is_asleep = matches!(self.state, State::Asleep(_));
        if is_asleep || self.settings.is_unconnected {
            return self.deliver(&Packet::Pingresp);
        }
        self.pings = self.pings.saturating_add(1);
        if self.ping.is_none() {
            let datagram = encoded(&Message::Pingreq { client_id: None });
            self.traffic.send(datagram.clone());
            self.ping = Some(Exchange::new(Step::Ping, datagram, now));
        }
    }

    fn disconnect(&mut self, now: Instant) {
        self.operations.push_back(Operation::Disconnect);
        (self.ping, self.pings) = (None, 0);
        match &self.exchange {
            // Nothing else is worth waiting for.
            Some(Exchange { step: Step::Sleep | Step::WakeUp, .. }) => self.exchange = None,
            Some(Exchange { step: Step::Connect | Step::WillTopic | Step::WillMessage, .. }) => {
                self.ask(Step::Disconnect, &Message::Disconnect { duration: None }, now);
            }
            _ => {}
        }
    }
}
