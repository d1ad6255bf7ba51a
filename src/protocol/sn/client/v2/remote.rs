//! The packets of the gateway: answers to the open request, and messages for the MQTT client.

use super::exchange::{Exchange, Step};
use super::{Adapter, GatewayError, State};
use crate::protocol::property::Context;
use crate::protocol::sn::client::remote::MAX_RECEIVED;
use crate::protocol::sn::client::request::{Filters, Outgoing};
use crate::protocol::sn::v2::{
    Ack, Connack, Delivery, Disconnect, Packet, Publish, Reason, Register, TopicAck,
};
use crate::protocol::topic::check_name;
use crate::protocol::{
    Ack as MqttAck, Packet as MqttPacket, PacketId, PropertiesBuf, PropertyId, PropertyValue,
    Publish as MqttPublish, Qos, ReasonCode,
};
use std::time::Instant;

impl Adapter {
    pub(super) fn take_answer(&mut self, packet: &Packet<'_>, now: Instant) -> Result<(), GatewayError> {
        if self.state == State::Opening && !matches!(packet, Packet::Connack(_) | Packet::Disconnect(_)) {
            // CONNACK was lost or overtaken. The gateway repeats packets of QoS 1 and 2, and the MQTT client takes none before CONNACK.
            return Ok(());
        }
        match packet {
            Packet::Connack(connack) => self.connected(connack)?,
            Packet::Register(register) => self.register(register),
            Packet::Publish(publish) => self.receive(publish, now),
            Packet::Pubrel(ack) => self.released(ack.packet_id, now),
            Packet::Regack(ack) => self.registered(ack, now)?,
            Packet::Puback(ack) => self.published(*ack, Qos::AtLeastOnce, now)?,
            Packet::Pubrec(ack) => self.published(*ack, Qos::ExactlyOnce, now)?,
            Packet::Pubcomp(ack) => self.completed(ack.packet_id),
            Packet::Suback(ack) => self.subscribed(ack, now),
            Packet::Unsuback(ack) => self.unsubscribed(*ack, now),
            Packet::Pingresp { packet_id, .. } => self.pinged(*packet_id, now),
            Packet::Sleepresp { packet_id, duration, reason } => {
                self.fell_asleep(*packet_id, *duration, *reason, now)?;
            }
            Packet::Wakeup if matches!(self.state, State::Asleep(_)) => self.wake_up(now),
            Packet::Disconnect(disconnect) => self.disconnected(disconnect)?,
            // Announcements, packets that only clients send, and those of features that the client has not asked for.
            Packet::Wakeup
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq { .. }
            | Packet::Auth(_)
            | Packet::Pubwos(_)
            | Packet::Sleepreq { .. }
            | Packet::Advertise { .. }
            | Packet::SearchGw { .. }
            | Packet::GwInfo { .. }
            | Packet::Forwarder(_)
            | Packet::Connection(_)
            | Packet::Protection(_) => {}
        }
        Ok(())
    }

    fn connected(&mut self, connack: &Connack<'_>) -> Result<(), GatewayError> {
        let is_it = |step: &Step| matches!(step, Step::Connect { .. });
        // The answer to an earlier attempt does not count: the later CONNECT has replaced that connection.
        let Some(Step::Connect { resumes, .. }) = self.take_exchange(connack.packet_id, is_it) else {
            return Ok(());
        };
        if connack.reason.is_error() {
            return Err(GatewayError::RefusedFor(connack.reason));
        }
        self.state = State::Active;
        if !resumes {
            self.accept(connack.session_present, properties(connack).as_properties());
        }
        Ok(())
    }

    fn register(&mut self, register: &Register<'_>) {
        let Register { packet_id, alias, topic } = *register;
        let reason = match (alias, check_name(topic)) {
            (Some(alias), Ok(())) if self.aliases.add(alias, topic) => Reason::SUCCESS,
            (Some(_), Ok(())) => Reason::QUOTA_EXCEEDED,
            _ => Reason::IMPLEMENTATION_SPECIFIC_ERROR,
        };
        // A client's REGACK has no alias [MQTT-SN-3.5.4-1].
        self.send(&Packet::Regack(TopicAck { packet_id, alias: None, reason }));
    }

    fn receive(&mut self, publish: &Publish<'_>, now: Instant) {
        let topic = self.aliases.of_topic(&publish.topic).filter(|topic| check_name(topic).is_ok());
        let Some(topic) = topic.map(str::to_owned) else {
            let rejection = Packet::rejection(publish.delivery, Reason::UNKNOWN_TOPIC_ALIAS);
            return rejection.iter().for_each(|packet| self.send(packet));
        };
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce(packet_id) => {
                if self.received.contains(&packet_id) || self.received.len() >= MAX_RECEIVED {
                    return;
                }
                self.received.push(packet_id);
            }
            Delivery::ExactlyOnce(packet_id) => {
                let (id, place) = (packet_id.value(), publish.topic.number());
                let interval = self.settings.retry_interval;
                if self.late_copies.contains(id, place, publish.payload, interval, now) {
                    return;
                }
                self.late_copies.begin(id, place, publish.payload);
            }
        }
        self.deliver(&MqttPacket::Publish(MqttPublish {
            dup: publish.dup && publish.delivery.qos() == Qos::ExactlyOnce,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            topic: &topic,
            packet_id: publish.delivery.packet_id(),
            properties: crate::protocol::Properties::EMPTY,
            payload: publish.payload,
        }));
    }

    fn released(&mut self, packet_id: PacketId, now: Instant) {
        self.late_copies.end(packet_id.value(), now);
        self.deliver(&MqttPacket::Pubrel(MqttAck::new(packet_id, ReasonCode::SUCCESS)));
    }

    fn registered(&mut self, ack: &TopicAck, now: Instant) -> Result<(), GatewayError> {
        if ack.reason == Reason::CONGESTION && self.pause(ack.packet_id, now) {
            return Ok(());
        }
        let is_it = |step: &Step| matches!(step, Step::Register { .. });
        let Some(Step::Register { outgoing, .. }) = self.take_exchange(ack.packet_id, is_it) else {
            return Ok(());
        };
        // REGACK of a topic with a predefined alias has that alias.
        let alias = ack.alias.filter(|_| !ack.reason.is_error());
        match alias.map(|alias| self.aliases.add_alias(alias, &outgoing.topic)) {
            Some(true) => self.publish(outgoing, now),
            _ => self.reject(outgoing, ack.reason),
        }
    }

    fn published(&mut self, ack: Ack, qos: Qos, now: Instant) -> Result<(), GatewayError> {
        let is_it = |step: &Step| matches!(step, Step::Publish { outgoing, .. } if outgoing.qos == qos);
        let is_open = self.exchange.as_ref().is_some_and(|open| is_it(&open.step));
        if is_open && ack.reason == Reason::CONGESTION && self.pause(ack.packet_id, now) {
            return Ok(());
        }
        let Some(Step::Publish { packet_id, outgoing }) = self.take_exchange(ack.packet_id, is_it) else {
            return Ok(());
        };
        if ack.reason == Reason::UNKNOWN_TOPIC_ALIAS
            && !outgoing.was_rejected
            && self.aliases.forget(&outgoing.topic)
        {
            // A gateway that was restarted has forgotten the aliases.
            return self.publish(Outgoing { was_rejected: true, ..outgoing }, now);
        }
        if ack.reason.is_error() {
            return self.reject(outgoing, ack.reason);
        }
        self.settle(&outgoing, ack.reason);
        if qos == Qos::ExactlyOnce {
            let step = Step::Received { packet_id };
            self.exchange = Some(Exchange::new(step, Vec::new(), now));
        }
        Ok(())
    }

    /// Passes a rejection of the gateway to the MQTT client; before MQTT 5, only the end of the connection can express it.
    fn reject(&mut self, outgoing: Outgoing, reason: Reason) -> Result<(), GatewayError> {
        if !self.traffic.is_v5() || outgoing.qos == Qos::AtMostOnce {
            return Err(GatewayError::RejectedFor { topic: outgoing.topic, reason });
        }
        self.settle(&outgoing, reason);
        Ok(())
    }

    fn completed(&mut self, packet_id: PacketId) {
        let is_it = |step: &Step| matches!(step, Step::Release { .. });
        if self.take_exchange(packet_id, is_it).is_some() {
            self.deliver(&MqttPacket::Pubcomp(MqttAck::new(packet_id, ReasonCode::SUCCESS)));
        }
    }

    fn subscribed(&mut self, ack: &TopicAck, now: Instant) {
        if ack.reason == Reason::CONGESTION && self.pause(ack.packet_id, now) {
            return;
        }
        let is_it = |step: &Step| matches!(step, Step::Subscribe { .. });
        let Some(Step::Subscribe { mut filters, .. }) = self.take_exchange(ack.packet_id, is_it) else {
            return;
        };
        self.note_subscription(&filters, ack);
        filters.note_answer(self.code_of(ack.reason, Context::Suback));
        self.subscribe(filters, now);
    }

    /// Keeps the alias of a subscription to a name.
    fn note_subscription(&mut self, filters: &Filters, ack: &TopicAck) {
        let Some((filter, _)) = filters.next() else { return };
        let is_name = check_name(filter).is_ok() && self.aliases.alias(filter).is_none();
        if let Some(alias) = ack.alias.filter(|_| is_name && !ack.reason.is_error()) {
            self.aliases.add_alias(alias, filter);
        }
    }

    fn unsubscribed(&mut self, ack: Ack, now: Instant) {
        let is_it = |step: &Step| matches!(step, Step::Unsubscribe { .. });
        if let Some(Step::Unsubscribe { mut filters, .. }) = self.take_exchange(ack.packet_id, is_it) {
            filters.note_answer(self.code_of(ack.reason, Context::Unsuback));
            self.unsubscribe(filters, now);
        }
    }

    /// The code for the MQTT client, which has only one for errors before MQTT 5.
    fn code_of(&self, reason: Reason, context: Context) -> u8 {
        match reason {
            reason if self.traffic.is_v5() => reason.to_mqtt(context).0,
            reason if reason.is_error() => ReasonCode::UNSPECIFIED_ERROR.0,
            reason => reason.0,
        }
    }

    fn pinged(&mut self, packet_id: PacketId, now: Instant) {
        let is_it = |step: &Step| matches!(step, Step::WakeUp { .. } | Step::Ping { .. });
        match self.take_exchange(packet_id, is_it) {
            Some(Step::WakeUp { .. }) => self.sleep(self.settings.sleep.unwrap_or_default().into(), now),
            Some(_) => self.deliver(&MqttPacket::Pingresp),
            None => {}
        }
    }

    fn fell_asleep(
        &mut self,
        packet_id: PacketId,
        duration: Option<u32>,
        reason: Reason,
        now: Instant,
    ) -> Result<(), GatewayError> {
        let is_it = |step: &Step| matches!(step, Step::Sleep { .. });
        if self.take_exchange(packet_id, is_it).is_none() {
            return Ok(());
        }
        if reason.is_error() {
            return Err(GatewayError::SleepRejected(reason));
        }
        let own = self.settings.sleep.unwrap_or_default().into();
        self.sleep(duration.unwrap_or(own), now);
        Ok(())
    }

    fn disconnected(&mut self, disconnect: &Disconnect<'_>) -> Result<(), GatewayError> {
        if self.state == State::Closed {
            return Ok(());
        }
        let reason = disconnect.reason.unwrap_or(Reason::SUCCESS);
        // A late answer to a datagram of an earlier connection from this address.
        let is_opening = matches!(&self.exchange, Some(open) if matches!(open.step, Step::Connect { .. }));
        if is_opening && reason == Reason::NO_VIRTUAL_CONNECTION {
            return Ok(());
        }
        Err(GatewayError::EndedFor { reason, text: disconnect.reason_text.to_owned() })
    }
}

/// The properties of MQTT 5 for a CONNACK.
fn properties(connack: &Connack<'_>) -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    let mut push = |id, value| {
        // Each has its place in CONNACK, and comes once.
        let _ = properties.push(id, value);
    };
    if let Some(seconds) = connack.session_expiry {
        push(PropertyId::SessionExpiryInterval, PropertyValue::Number(seconds));
    }
    if let Some(seconds) = connack.server_keep_alive {
        push(PropertyId::ServerKeepAlive, PropertyValue::Number(seconds.into()));
    }
    if !connack.assigned_client_id.is_empty() {
        let id = connack.assigned_client_id;
        push(PropertyId::AssignedClientIdentifier, PropertyValue::Text(id));
    }
    properties
}
