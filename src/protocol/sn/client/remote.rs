//! The messages of the gateway: answers to the open request, and messages for the MQTT client.

use super::exchange::{Exchange, Step};
use super::request::{Filters, Outgoing};
use super::{Adapter, GatewayError, State};
use crate::protocol::sn::{Message, Publish, PublishQos, Regack, Register, ReturnCode, Suback, TopicId};
use crate::protocol::topic::check_name;
use crate::protocol::{
    Ack, Packet, PacketId, PacketType, Properties, Publish as MqttPublish, Qos, ReasonCode,
};
use std::time::{Duration, Instant};

/// The maximum of received messages that the MQTT client has not acknowledged.
pub(super) const MAX_RECEIVED: usize = 1024;

impl Adapter {
    pub(super) fn take_message(&mut self, message: &Message<'_>, now: Instant) -> Result<(), GatewayError> {
        if self.state == State::Opening && !is_about_connecting(message) {
            // CONNACK was lost or overtaken. The gateway repeats messages of QoS 1 and 2, and the MQTT client takes none before CONNACK.
            return Ok(());
        }
        match message {
            Message::Connack { return_code } => self.connected(*return_code)?,
            Message::WillTopicReq => self.tell_will(Step::WillTopic, now),
            Message::WillMsgReq => self.tell_will(Step::WillMessage, now),
            Message::Register(register) => self.register(register),
            Message::Publish(publish) => self.receive(publish, now),
            Message::Pubrel { message_id } => self.released(*message_id, now),
            Message::Regack(ack) => self.registered(*ack, now)?,
            Message::Puback(ack) => self.published(*ack, now)?,
            Message::Pubrec { message_id } => self.received(*message_id, now),
            Message::Pubcomp { message_id } => self.completed(*message_id),
            Message::Suback(ack) => self.subscribed(*ack, now),
            Message::Unsuback { message_id } => self.unsubscribed(*message_id, now),
            Message::Pingresp => self.pinged(now),
            Message::Disconnect { .. } => self.disconnected(now)?,
            // Announcements, and messages that only clients send.
            Message::Advertise { .. }
            | Message::SearchGw { .. }
            | Message::GwInfo { .. }
            | Message::Connect(_)
            | Message::WillTopic(_)
            | Message::WillMsg { .. }
            | Message::Subscribe(_)
            | Message::Unsubscribe(_)
            | Message::WillTopicUpd(_)
            | Message::WillTopicResp { .. }
            | Message::WillMsgUpd { .. }
            | Message::WillMsgResp { .. }
            | Message::Encapsulated(_) => {}
            Message::Pingreq { .. } => self.send(&Message::Pingresp),
        }
        Ok(())
    }

    fn connected(&mut self, return_code: ReturnCode) -> Result<(), GatewayError> {
        let is_opening = |exchange: &mut Exchange| {
            matches!(exchange.step, Step::Connect | Step::WillTopic | Step::WillMessage)
        };
        if self.exchange.take_if(is_opening).is_none() {
            return Ok(()); // a duplicate
        }
        if return_code.is_rejection() {
            return Err(GatewayError::Refused(return_code));
        }
        self.state = State::Connected;
        self.accept();
        Ok(())
    }

    /// Answers a question about the will. The gateway repeats a question whose answer was lost, so the answer is not repeated.
    fn tell_will(&mut self, step: Step, now: Instant) {
        let is_opening = matches!(
            &self.exchange,
            Some(Exchange { step: Step::Connect | Step::WillTopic | Step::WillMessage, .. })
        );
        let will = &self.will;
        let datagram = if matches!(step, Step::WillTopic) { &will.topic } else { &will.message };
        if is_opening && !datagram.is_empty() {
            let datagram = datagram.clone();
            self.ask_datagram(step, datagram, now);
        }
    }

    fn register(&mut self, register: &Register<'_>) {
        let Register { topic_id, message_id, topic } = *register;
        let return_code = match check_name(topic) {
            Ok(()) if self.topics.add(topic_id, topic) => ReturnCode::ACCEPTED,
            Ok(()) => ReturnCode::CONGESTION,
            Err(_) => ReturnCode::NOT_SUPPORTED,
        };
        self.send(&Message::Regack(Regack { topic_id, message_id, return_code }));
    }

    fn receive(&mut self, publish: &Publish<'_>, now: Instant) {
        let PublishQos::Connected(qos) = publish.qos else { return };
        let (topic_id, message_id) = (publish.topic.value(), publish.message_id);
        let packet_id = if qos == Qos::AtMostOnce { None } else { PacketId::new(message_id) };
        let topic = self.topics.of_id(&publish.topic).filter(|topic| check_name(topic).is_ok());
        let Some(topic) = topic.map(str::to_owned) else {
            let return_code = ReturnCode::INVALID_TOPIC_ID;
            return self.send(&Message::Puback(Regack { topic_id, message_id, return_code }));
        };
        if qos != Qos::AtMostOnce && packet_id.is_none() {
            let return_code = ReturnCode::NOT_SUPPORTED;
            return self.send(&Message::Puback(Regack { topic_id, message_id, return_code }));
        }
        if qos == Qos::AtLeastOnce {
            let is_known = self.received.iter().any(|(received, _)| *received == message_id);
            if is_known || self.received.len() >= MAX_RECEIVED {
                return;
            }
            self.received.push((message_id, topic_id));
        }
        if qos == Qos::ExactlyOnce {
            let interval = self.settings.retry_interval;
            if self.late_copies.contains(message_id, topic_id, publish.payload, interval, now) {
                return;
            }
            self.late_copies.begin(message_id, topic_id, publish.payload);
        }
        self.deliver(&Packet::Publish(MqttPublish {
            dup: publish.dup && qos != Qos::AtMostOnce,
            qos,
            retain: publish.retain,
            topic: &topic,
            packet_id,
            properties: Properties::EMPTY,
            payload: publish.payload,
        }));
    }

    fn released(&mut self, message_id: u16, now: Instant) {
        self.late_copies.end(message_id, now);
        if let Some(packet_id) = PacketId::new(message_id) {
            self.deliver(&Packet::Pubrel(Ack::new(packet_id, ReasonCode::SUCCESS)));
        }
    }

    fn registered(&mut self, ack: Regack, now: Instant) -> Result<(), GatewayError> {
        if !matches!(&self.exchange, Some(Exchange { step: Step::Register { message_id, .. }, .. }) if *message_id == ack.message_id)
            || ack.return_code == ReturnCode::CONGESTION && self.pause(now)
        {
            return Ok(());
        }
        let Some(Exchange { step: Step::Register { outgoing, .. }, .. }) = self.exchange.take() else {
            return Ok(());
        };
        if ack.return_code.is_rejection() || !self.topics.add(ack.topic_id, &outgoing.topic) {
            return self.reject(outgoing, ack.return_code);
        }
        self.publish(outgoing, now)
    }

    fn published(&mut self, ack: Regack, now: Instant) -> Result<(), GatewayError> {
        let is_accepted = ack.return_code == ReturnCode::ACCEPTED;
        let is_it = |exchange: &Exchange| {
            matches!(&exchange.step, Step::Publish { message_id, outgoing }
                if *message_id == ack.message_id && (!is_accepted || outgoing.qos == Qos::AtLeastOnce))
        };
        if !self.exchange.as_ref().is_some_and(is_it) {
            return self.rejected_without_exchange(ack);
        }
        if ack.return_code == ReturnCode::CONGESTION && self.pause(now) {
            return Ok(());
        }
        let Some(Exchange { step: Step::Publish { outgoing, .. }, .. }) = self.exchange.take() else {
            return Ok(());
        };
        if is_accepted {
            self.settle(&outgoing, ReasonCode::SUCCESS, PacketType::Puback);
            return Ok(());
        }
        // A gateway that was restarted has forgotten the ids.
        let is_registered = matches!(self.topics.id(&outgoing.topic), Some(TopicId::Normal(_)));
        if ack.return_code == ReturnCode::INVALID_TOPIC_ID && is_registered && !outgoing.was_rejected {
            self.topics.forget(&outgoing.topic);
            return self.publish(Outgoing { was_rejected: true, ..outgoing }, now);
        }
        self.reject(outgoing, ack.return_code)
    }

    /// A PUBACK for a message of QoS 0, which has no message id, rejects it. At congestion it is only lost.
    fn rejected_without_exchange(&mut self, ack: Regack) -> Result<(), GatewayError> {
        let is_rejection = ack.return_code.is_rejection() && ack.return_code != ReturnCode::CONGESTION;
        if ack.message_id != 0 || !is_rejection {
            return Ok(());
        }
        let topic = self.topics.of_sent(ack.topic_id);
        // A gateway that was restarted has forgotten the id: the next message registers it.
        let is_forgotten =
            ack.return_code == ReturnCode::INVALID_TOPIC_ID && self.topics.forget_id(ack.topic_id);
        if self.settings.counts_rejections {
            self.note_rejection(ack.return_code);
            return Ok(());
        }
        if is_forgotten {
            return Ok(());
        }
        Err(GatewayError::Rejected { topic, return_code: ack.return_code })
    }

    /// Passes a rejection of the gateway to the MQTT client; before MQTT 5, only the end of the connection can express it.
    fn reject(&mut self, outgoing: Outgoing, return_code: ReturnCode) -> Result<(), GatewayError> {
        if outgoing.qos == Qos::AtMostOnce && self.settings.counts_rejections {
            self.note_rejection(return_code);
            return Ok(());
        }
        if !self.traffic.is_v5() || outgoing.qos == Qos::AtMostOnce {
            return Err(GatewayError::Rejected { topic: outgoing.topic, return_code });
        }
        let packet_type =
            if outgoing.qos == Qos::ExactlyOnce { PacketType::Pubrec } else { PacketType::Puback };
        self.settle(&outgoing, reason_of(return_code), packet_type);
        Ok(())
    }

    fn received(&mut self, message_id: u16, now: Instant) {
        let is_it = |exchange: &mut Exchange| {
            matches!(&exchange.step, Step::Publish { message_id: id, outgoing }
                if *id == message_id && outgoing.qos == Qos::ExactlyOnce)
        };
        let Some(exchange) = self.exchange.take_if(is_it) else {
            return;
        };
        if let Step::Publish { outgoing, .. } = exchange.step
            && let Some(packet_id) = outgoing.packet_id
        {
            self.settle(&outgoing, ReasonCode::SUCCESS, PacketType::Pubrec);
            let step = Step::Received { packet_id, message_id };
            self.exchange = Some(Exchange::new(step, Vec::new(), now));
        }
    }

    fn completed(&mut self, message_id: u16) {
        let is_it = |exchange: &mut Exchange| matches!(exchange.step, Step::Release { message_id: id, .. } if id == message_id);
        if let Some(Exchange { step: Step::Release { packet_id, .. }, .. }) = self.exchange.take_if(is_it) {
            self.deliver(&Packet::Pubcomp(Ack::new(packet_id, ReasonCode::SUCCESS)));
        }
    }

    fn subscribed(&mut self, ack: Suback, now: Instant) {
        if !matches!(&self.exchange, Some(Exchange { step: Step::Subscribe { message_id, .. }, .. }) if *message_id == ack.message_id)
            || ack.return_code == ReturnCode::CONGESTION && self.pause(now)
        {
            return;
        }
        let Some(Exchange { step: Step::Subscribe { mut filters, .. }, .. }) = self.exchange.take() else {
            return;
        };
        self.note_subscription(&filters, ack);
        let is_v5 = self.traffic.is_v5();
        filters.note_answer(match ack.return_code {
            ReturnCode::ACCEPTED => ack.qos as u8,
            return_code if is_v5 => filter_reason_of(return_code).0,
            _ => ReasonCode::UNSPECIFIED_ERROR.0,
        });
        self.subscribe(filters, now);
    }

    /// Keeps the topic id of a subscription to a name.
    fn note_subscription(&mut self, filters: &Filters, ack: Suback) {
        let Some((filter, _)) = filters.next() else { return };
        let is_name = check_name(filter).is_ok() && self.topics.id(filter).is_none();
        if is_name && ack.topic_id != 0 && !ack.return_code.is_rejection() {
            self.topics.add(ack.topic_id, filter);
        }
    }

    fn unsubscribed(&mut self, message_id: u16, now: Instant) {
        let is_it = |exchange: &mut Exchange| matches!(&exchange.step, Step::Unsubscribe { message_id: id, .. } if *id == message_id);
        if let Some(Exchange { step: Step::Unsubscribe { mut filters, .. }, .. }) =
            self.exchange.take_if(is_it)
        {
            filters.note_answer(ReasonCode::SUCCESS.0);
            self.unsubscribe(filters, now);
        }
    }

    fn pinged(&mut self, now: Instant) {
        if self.exchange.take_if(|exchange| matches!(exchange.step, Step::WakeUp)).is_some() {
            return self.sleep(now);
        }
        if self.exchange.take_if(|exchange| matches!(exchange.step, Step::Confirm)).is_some() {
            return;
        }
        if self.ping.take().is_some() {
            (0..std::mem::take(&mut self.pings)).for_each(|_| self.deliver(&Packet::Pingresp));
        }
    }

    fn sleep(&mut self, now: Instant) {
        let seconds = self.settings.sleep.unwrap_or_default();
        self.state = State::Asleep(now + Duration::from_secs(seconds.into()));
    }

    fn disconnected(&mut self, now: Instant) -> Result<(), GatewayError> {
        match &self.exchange {
            Some(Exchange { step: Step::Sleep, .. }) => {
                self.exchange = None;
                self.sleep(now);
                Ok(())
            }
            Some(Exchange { step: Step::Disconnect, .. }) => {
                self.exchange = None;
                self.state = State::Closed;
                Ok(())
            }
            // The answer to a repeated DISCONNECT with a duration.
            _ if matches!(self.state, State::Asleep(_)) && self.exchange.is_none() => Ok(()),
            _ => Err(GatewayError::Ended),
        }
    }
}

/// Whether the message belongs to connecting, or refuses it.
fn is_about_connecting(message: &Message<'_>) -> bool {
    matches!(
        message,
        Message::Connack { .. } | Message::WillTopicReq | Message::WillMsgReq | Message::Disconnect { .. }
    )
}

/// The reason code of MQTT 5 for a return code.
fn reason_of(return_code: ReturnCode) -> ReasonCode {
    match return_code {
        ReturnCode::ACCEPTED => ReasonCode::SUCCESS,
        ReturnCode::CONGESTION => ReasonCode::QUOTA_EXCEEDED,
        ReturnCode::INVALID_TOPIC_ID => ReasonCode::TOPIC_NAME_INVALID,
        _ => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
    }
}

/// The reason code of MQTT 5 in SUBACK for a return code.
fn filter_reason_of(return_code: ReturnCode) -> ReasonCode {
    match return_code {
        ReturnCode::INVALID_TOPIC_ID => ReasonCode::TOPIC_FILTER_INVALID,
        return_code => reason_of(return_code),
    }
}

/// The return code of the gateway that was turned into a reason code of MQTT 5.
pub(crate) fn return_code_of(reason_code: ReasonCode) -> ReturnCode {
    match reason_code {
        ReasonCode::QUOTA_EXCEEDED => ReturnCode::CONGESTION,
        ReasonCode::TOPIC_NAME_INVALID | ReasonCode::TOPIC_FILTER_INVALID => ReturnCode::INVALID_TOPIC_ID,
        _ => ReturnCode::NOT_SUPPORTED,
    }
}
