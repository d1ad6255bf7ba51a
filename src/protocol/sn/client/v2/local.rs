//! The packets of the MQTT client: each becomes a request to the gateway, or an answer to it.

use super::exchange::{Exchange, Operation, Step};
use super::{Adapter, GatewayError, State};
use crate::protocol::sn::client::request::{Filters, Outgoing};
use crate::protocol::sn::v2::{self, Authentication, BASIC, Connect, Disconnect, Reason, Will};
use crate::protocol::{
    Ack, Connack, Connect as MqttConnect, Packet, PacketId, Properties, PropertyId, Qos, ReasonCode,
};
use std::time::Instant;

/// The parameters of CONNECT, for each attempt.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) client_id: String,
    pub(super) is_clean: bool,
    keep_alive: u16,
    session_expiry: Option<u32>,
    will: Option<OwnedWill>,
    /// The data of the method for user name and password.
    credentials: Option<Vec<u8>>,
}

#[derive(Debug)]
struct OwnedWill {
    topic: String,
    payload: Vec<u8>,
    qos: Qos,
    retain: bool,
}

impl Adapter {
    pub(in crate::protocol::sn::client) fn take_packet(
        &mut self,
        packet: &Packet<'_>,
        now: Instant,
    ) -> Result<(), GatewayError> {
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
            Packet::Puback(ack) => self.acknowledge(ack),
            Packet::Pubrec(ack) => self.send(&v2::Packet::Pubrec(own(ack))),
            Packet::Pubcomp(ack) => self.send(&v2::Packet::Pubcomp(own(ack))),
            Packet::Pubrel(ack) => self.release(ack.packet_id, now),
            Packet::Pingreq => self.ping(),
            Packet::Disconnect(disconnect) => {
                let expiry = disconnect.properties.number(PropertyId::SessionExpiryInterval);
                self.disconnect(Reason(disconnect.reason_code.0), expiry);
            }
            other => return Err(GatewayError::NoMessage(other.packet_type())),
        }
        Ok(())
    }

    fn connect(&mut self, connect: &MqttConnect<'_>, now: Instant) {
        let expiry = connect.properties.number(PropertyId::SessionExpiryInterval);
        // A session that is not clean has no end before MQTT 5.
        let lasts = !connect.version.is_v5() && !connect.clean_start;
        self.identity = Identity {
            client_id: connect.client_id.to_owned(),
            is_clean: connect.clean_start,
            keep_alive: connect.keep_alive,
            session_expiry: expiry.or_else(|| lasts.then_some(u32::MAX)).filter(|seconds| *seconds > 0),
            will: connect.will.as_ref().map(|will| OwnedWill {
                topic: will.topic.to_owned(),
                payload: will.payload.to_vec(),
                qos: will.qos,
                retain: will.retain,
            }),
            credentials: credentials(connect.username, connect.password),
        };
        if self.settings.is_unconnected {
            self.state = State::Active;
            return self.accept(false, Properties::EMPTY);
        }
        self.send_connect(false, now);
    }

    /// Sends CONNECT with a new packet identifier. A client that sleeps keeps its session.
    pub(super) fn send_connect(&mut self, resumes: bool, now: Instant) {
        let packet_id = self.next_packet_id();
        let identity = &self.identity;
        let will = identity.will.as_ref().map(|will| Will {
            qos: will.qos,
            retain: will.retain,
            topic: self.aliases.lasting(&will.topic),
            payload: &will.payload,
        });
        let connect = Connect {
            clean_start: identity.is_clean && !resumes,
            has_changing_address: false,
            accepts_suggestions: true,
            packet_id,
            keep_alive: identity.keep_alive,
            maximum_packet_size: 0,
            default_awake_messages: None,
            session_expiry: identity.session_expiry,
            will,
            authentication: identity.credentials.as_ref().map(|data| Authentication { method: BASIC, data }),
            client_id: &identity.client_id,
        };
        let datagram = v2::Packet::Connect(connect).to_datagram();
        self.ask_datagram(Step::Connect { packet_id, resumes }, datagram, now);
    }

    /// Sends CONNACK to the MQTT client.
    pub(super) fn accept(&mut self, session_present: bool, properties: Properties<'_>) {
        let properties = if self.traffic.is_v5() { properties } else { Properties::EMPTY };
        let connack = Connack { session_present, reason_code: ReasonCode::SUCCESS, properties };
        self.deliver(&Packet::Connack(connack));
    }

    /// The MQTT client has a received message of QoS 1.
    fn acknowledge(&mut self, ack: &Ack<'_>) {
        let received = &mut self.received;
        if let Some(index) = received.iter().position(|packet_id| *packet_id == ack.packet_id) {
            received.swap_remove(index);
            self.send(&v2::Packet::Puback(own(ack)));
        }
    }

    /// The MQTT client releases a message of QoS 2 that the gateway has; perhaps one of an earlier connection.
    fn release(&mut self, packet_id: PacketId, now: Instant) {
        let is_it = |step: &Step| matches!(step, Step::Received { .. });
        if self.take_exchange(packet_id, is_it).is_some() {
            return self.send_release(packet_id, now);
        }
        self.operations.push_back(Operation::Release(packet_id));
    }

    fn ping(&mut self) {
        let is_asleep = matches!(self.state, State::Asleep(_));
        let sleeps =
            matches!(&self.exchange, Some(Exchange { step: Step::Sleep { .. } | Step::WakeUp { .. }, .. }));
        if is_asleep || sleeps || self.settings.is_unconnected {
            return self.deliver(&Packet::Pingresp);
        }
        self.operations.push_back(Operation::Ping);
    }

    fn disconnect(&mut self, reason: Reason, session_expiry: Option<u32>) {
        let is_interrupted = matches!(
            &self.exchange,
            Some(Exchange {
                step: Step::Sleep { .. } | Step::WakeUp { .. } | Step::Connect { .. } | Step::Ping { .. },
                ..
            })
        );
        if is_interrupted {
            // Nothing else is worth waiting for.
            self.exchange = None;
            return self.leave(reason, session_expiry);
        }
        self.operations.push_back(Operation::Disconnect(reason, session_expiry));
    }

    /// Sends DISCONNECT, which has no answer.
    pub(super) fn leave(&mut self, reason: Reason, session_expiry: Option<u32>) {
        let reason = Some(reason).filter(|reason| *reason != Reason::SUCCESS);
        if !self.settings.is_unconnected {
            self.send(&v2::Packet::Disconnect(Disconnect {
                session_expiry,
                reason,
                ..Disconnect::default()
            }));
        }
        self.state = State::Closed;
    }
}

/// The data of the basic method: user name and password, each after its length.
fn credentials(username: Option<&str>, password: Option<&[u8]>) -> Option<Vec<u8>> {
    if username.is_none() && password.is_none() {
        return None;
    }
    let mut data = Vec::new();
    for text in [username.unwrap_or_default().as_bytes(), password.unwrap_or_default()] {
        // MQTT limits both to this length.
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(text);
    }
    Some(data)
}

/// An acknowledgement of the MQTT client in MQTT-SN.
fn own(ack: &Ack<'_>) -> v2::Ack {
    v2::Ack { packet_id: ack.packet_id, reason: Reason(ack.reason_code.0) }
}
