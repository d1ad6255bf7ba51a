//! The broker's messages to the client: REGISTER for unknown topics, PUBLISH, and retries with DUP.
//!
//! The broker's packet identifier is the message id towards the client, and the client's acknowledgement goes to the broker.

use super::deliveries::{Exchange, Queued, Step, Waiting, acknowledgement, completion};
use super::topics::Assigned;
use super::{Client, Context, Note, Output, Phase, send, send_packet};
use crate::protocol::sn::v2::Delivery;
use crate::protocol::sn::{Message, Publish, PublishQos, Regack, Register, ReturnCode, TopicId};
use crate::protocol::{PacketId, Publish as MqttPublish, Qos};

/// The octets of PUBLISH before its payload, with the longest length field.
const PUBLISH_HEADER: usize = 9;

/// The octets of REGISTER before the topic name.
const REGISTER_HEADER: usize = 8;

impl Client {
    /// Takes a message of the broker.
    pub(super) fn queue(&mut self, publish: &MqttPublish<'_>, context: Context<'_>, out: &mut Output) {
        let settings = context.settings;
        let Some(delivery) = Delivery::new(publish.qos, publish.packet_id) else { return };
        let size = (PUBLISH_HEADER + publish.payload.len()).max(REGISTER_HEADER + publish.topic.len());
        let is_full = publish.qos == Qos::AtMostOnce && self.deliveries.is_full(settings, context.now);
        if size > settings.datagram_size || is_full {
            return self.discard(delivery, context, out);
        }
        if self.deliveries.is_overrun(settings) {
            return self.lose(Note::Overrun, context, out);
        }
        self.deliveries.push(Waiting::new(publish, delivery, context.now));
        self.pump(context, out);
    }

    /// Acknowledges the message to the broker, so that it does not send it again.
    fn settle(&mut self, delivery: Delivery, context: Context<'_>, out: &mut Output) {
        let Some(packet) = acknowledgement(delivery) else { return };
        self.stay_awake(context);
        send_packet(&packet, context, out);
    }

    /// Sends queued messages until one has to be answered.
    pub(super) fn pump(&mut self, context: Context<'_>, out: &mut Output) {
        if !matches!(self.phase, Phase::Active | Phase::Awake { .. }) {
            return;
        }
        self.drop_expired(context, out);
        while let Some(queued) = self.deliveries.pop() {
            match queued {
                Queued::Message(waiting) => self.begin(waiting, context, out),
                Queued::Release(packet_id) => self.send_release(packet_id, context, out),
            }
            self.drop_expired(context, out);
        }
        self.end_awakening_if_idle(context, out);
    }

    fn drop_expired(&mut self, context: Context<'_>, out: &mut Output) {
        while let Some(delivery) = self.deliveries.pop_expired(context.now) {
            self.settle(delivery, context, out);
        }
    }

    fn begin(&mut self, waiting: Waiting, context: Context<'_>, out: &mut Output) {
        let (settings, predefined) = (context.settings, context.predefined);
        match self.topics.for_message(&waiting.topic, &self.id, predefined, settings.topics) {
            Some(Assigned::Known(topic)) => self.send_message(topic, waiting, context, out),
            Some(Assigned::Unknown(topic_id)) => {
                let packet_id = self.deliveries.next_register();
                send_register(topic_id, packet_id, &waiting.topic, out);
                self.deliveries.begin(Step::Register { topic_id, packet_id, waiting }, context.now);
            }
            None => self.discard(waiting.delivery, context, out),
        }
    }

    /// Drops and counts a message that the client cannot get.
    fn discard(&mut self, delivery: Delivery, context: Context<'_>, out: &mut Output) {
        self.deliveries.note_dropped(delivery);
        self.settle(delivery, context, out);
    }

    fn send_message(&mut self, topic: TopicId, waiting: Waiting, context: Context<'_>, out: &mut Output) {
        send_publish(topic, &waiting, waiting.dup, out);
        if waiting.delivery != Delivery::AtMostOnce {
            self.deliveries.begin(Step::Publish { topic, waiting }, context.now);
        }
    }

    fn send_release(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        send(&Message::Pubrel { message_id: packet_id.value() }, out);
        self.deliveries.begin(Step::Release(packet_id), context.now);
    }

    /// The client's REGACK.
    pub(super) fn registered(&mut self, ack: Regack, context: Context<'_>, out: &mut Output) {
        let Some((topic_id, packet_id, waiting)) = self.deliveries.take_registered(ack.message_id) else {
            return;
        };
        match ack.return_code {
            ReturnCode::ACCEPTED => {
                self.topics.note_known(topic_id);
                self.send_message(TopicId::Normal(topic_id), waiting, context, out);
            }
            // The client asks for a pause: REGISTER is repeated.
            ReturnCode::CONGESTION => {
                self.deliveries.begin(Step::Register { topic_id, packet_id, waiting }, context.now);
            }
            _ => self.discard(waiting.delivery, context, out),
        }
        self.pump(context, out);
    }

    /// The client's PUBACK: the end of QoS 1, or a rejection at any QoS.
    pub(super) fn published(&mut self, ack: Regack, context: Context<'_>, out: &mut Output) {
        let is_accepted = ack.return_code == ReturnCode::ACCEPTED;
        let is_it = |delivery: Delivery| {
            is_for(delivery, ack.message_id) && (!is_accepted || delivery.qos() == Qos::AtLeastOnce)
        };
        let Some((topic, waiting)) = self.deliveries.take_published(is_it) else {
            if ack.return_code == ReturnCode::INVALID_TOPIC_ID {
                self.topics.note_unknown(ack.topic_id);
            }
            return;
        };
        match ack.return_code {
            ReturnCode::ACCEPTED => self.settle(waiting.delivery, context, out),
            // PUBLISH is repeated after a pause.
            ReturnCode::CONGESTION => self.deliveries.begin(Step::Publish { topic, waiting }, context.now),
            // The client has forgotten the id, so it is registered, and the message follows; at most once for each message.
            ReturnCode::INVALID_TOPIC_ID if matches!(topic, TopicId::Normal(_)) && !waiting.was_rejected => {
                self.topics.note_unknown(topic.value());
                self.begin(Waiting { dup: true, was_rejected: true, ..waiting }, context, out);
            }
            _ => self.discard(waiting.delivery, context, out),
        }
        self.pump(context, out);
    }

    /// The client's PUBREC.
    pub(super) fn received(&mut self, message_id: u16, context: Context<'_>, out: &mut Output) {
        let is_it = |delivery: Delivery| delivery.qos() == Qos::ExactlyOnce && is_for(delivery, message_id);
        let Some((_, waiting)) = self.deliveries.take_published(is_it) else {
            // PUBREL was lost, or this is from an earlier connection.
            let is_open = matches!(self.deliveries.open(), Some(Exchange { step: Step::Received(id), .. }) if id.value() == message_id);
            if !is_open {
                send(&Message::Pubrel { message_id }, out);
            }
            return;
        };
        self.settle(waiting.delivery, context, out);
        if let Delivery::ExactlyOnce(packet_id) = waiting.delivery {
            self.deliveries.begin(Step::Received(packet_id), context.now);
        }
    }

    /// The broker's PUBREL.
    pub(super) fn broker_released(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        if self.deliveries.take_discarded(packet_id) {
            send_packet(&completion(packet_id), context, out);
            return;
        }
        if self.deliveries.take_received(packet_id)
            && matches!(self.phase, Phase::Active | Phase::Awake { .. })
        {
            return self.send_release(packet_id, context, out);
        }
        self.deliveries.push_release(packet_id);
        self.pump(context, out);
    }

    /// The client's PUBCOMP.
    pub(super) fn completed(&mut self, message_id: u16, context: Context<'_>, out: &mut Output) {
        let packet_id = PacketId::new(message_id);
        if let Some(packet_id) = packet_id.filter(|packet_id| self.deliveries.take_released(*packet_id)) {
            self.stay_awake(context);
            send_packet(&completion(packet_id), context, out);
            self.pump(context, out);
        }
    }

    /// Repeats the message that the client has not answered. A client that is only awake for a while goes back to sleep; another
    /// one is lost.
    pub(super) fn repeat_delivery(&mut self, context: Context<'_>, out: &mut Output) {
        if self.phase == Phase::Asleep
            || self.deliveries.due(context.settings).is_none_or(|due| context.now < due)
        {
            return;
        }
        let Some(open) = self.deliveries.open_mut() else { return };
        if !open.unanswered.repeat(context) {
            if matches!(self.phase, Phase::Awake { .. }) {
                self.phase = Phase::Asleep;
                self.deliveries.interrupt();
            } else {
                self.lose(Note::NoAnswer, context, out);
            }
            return;
        }
        match &open.step {
            Step::Register { topic_id, packet_id, waiting } => {
                send_register(*topic_id, *packet_id, &waiting.topic, out);
            }
            Step::Publish { topic, waiting } => send_publish(*topic, waiting, true, out),
            Step::Release(packet_id) => send(&Message::Pubrel { message_id: packet_id.value() }, out),
            Step::Received(_) => {}
        }
    }
}

/// Whether a message of QoS 1 or 2 has this message id.
fn is_for(delivery: Delivery, message_id: u16) -> bool {
    delivery.packet_id().is_some_and(|packet_id| packet_id.value() == message_id)
}

fn send_register(topic_id: u16, packet_id: PacketId, topic: &str, out: &mut Output) {
    send(&Message::Register(Register { topic_id, message_id: packet_id.value(), topic }), out);
}

fn send_publish(topic: TopicId, waiting: &Waiting, dup: bool, out: &mut Output) {
    let qos = waiting.delivery.qos();
    let publish = Publish {
        dup: dup && qos != Qos::AtMostOnce,
        qos: PublishQos::Connected(qos),
        retain: waiting.retain,
        topic,
        message_id: waiting.delivery.packet_id().map_or(0, PacketId::value),
        payload: &waiting.payload,
    };
    send(&Message::Publish(publish), out);
}
