//! The broker's messages to the client: REGISTER for topics without an alias, PUBLISH, and retries.
//!
//! The broker's packet identifier is that towards the client, and the client's acknowledgement goes to the broker.

use super::{Client, Context, Note, Output, Phase, Settings, send, send_packet};
use crate::protocol::sn::TopicId;
use crate::protocol::sn::gateway::deliveries::{
    Exchange, Queued, Step, Waiting, acknowledgement, completion,
};
use crate::protocol::sn::gateway::topics::Assigned;
use crate::protocol::sn::v2::{
    Ack, Delivery, Packet, Publish, Reason, Register, Topic, TopicAck, TopicAlias,
};
use crate::protocol::{PacketId, Publish as MqttPublish, Qos};

/// The octets of PUBLISH and REGISTER besides topic name and payload, with the longest length field.
const HEADER: usize = 11;

impl Client {
    /// Takes a message of the broker.
    pub(super) fn queue(&mut self, publish: &MqttPublish<'_>, context: Context<'_>, out: &mut Output) {
        let settings = context.settings;
        let Some(delivery) = Delivery::new(publish.qos, publish.packet_id) else { return };
        let size = HEADER + publish.payload.len().max(publish.topic.len());
        let is_full = publish.qos == Qos::AtMostOnce && self.deliveries.is_full(settings, context.now);
        // A message that is too large for the client is dropped as if it was sent [MQTT-SN-3.1.7-3].
        if size > self.largest_packet(settings) || is_full {
            return self.discard(delivery, context, out);
        }
        if self.deliveries.is_overrun(settings) {
            return self.lose(Reason::QUOTA_EXCEEDED, Note::Overrun, context, out);
        }
        self.deliveries.push(Waiting::new(publish, delivery, context.now));
        self.pump(context, out);
    }

    fn largest_packet(&self, settings: &Settings) -> usize {
        let of_client = self.identity.maximum_packet_size.map_or(usize::MAX, usize::from);
        settings.datagram_size.min(of_client)
    }

    /// Acknowledges the message to the broker, so that it does not send it again.
    fn settle(&mut self, delivery: Delivery, context: Context<'_>, out: &mut Output) {
        let Some(packet) = acknowledgement(delivery) else { return };
        self.stay_awake(context);
        send_packet(&packet, context, out);
    }

    /// Sends queued messages until one has to be answered.
    pub(super) fn pump(&mut self, context: Context<'_>, out: &mut Output) {
        if !matches!(self.phase, Phase::Active | Phase::Awake(_)) {
            return;
        }
        self.drop_expired(context, out);
        while self.deliveries.has_next()
            && self.takes_message()
            && let Some(queued) = self.deliveries.pop()
        {
            match queued {
                Queued::Message(waiting) => self.begin_delivery(waiting, context, out),
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

    fn begin_delivery(&mut self, waiting: Waiting, context: Context<'_>, out: &mut Output) {
        let (settings, predefined) = (context.settings, context.predefined);
        match self.topics.alias_for_message(&waiting.topic, &self.id, predefined, settings.topics) {
            Some(Assigned::Known(topic_id)) => {
                let alias = match topic_id {
                    TopicId::Predefined(alias) => TopicAlias::Predefined(alias),
                    TopicId::Normal(alias) => TopicAlias::Session(alias),
                    TopicId::Short(name) => TopicAlias::Session(name.value()),
                };
                self.send_message(Some(alias), waiting, context, out);
            }
            Some(Assigned::Unknown(alias)) => {
                let packet_id = self.deliveries.next_register();
                send_register(alias, packet_id, &waiting.topic, out);
                self.deliveries.begin(Step::Register { topic_id: alias, packet_id, waiting }, context.now);
            }
            // There is no room for another alias.
            None => self.send_message(None, waiting, context, out),
        }
    }

    /// Drops and counts a message that the client cannot get.
    fn discard(&mut self, delivery: Delivery, context: Context<'_>, out: &mut Output) {
        self.deliveries.note_dropped(delivery);
        self.settle(delivery, context, out);
    }

    fn send_message(
        &mut self,
        alias: Option<TopicAlias>,
        waiting: Waiting,
        context: Context<'_>,
        out: &mut Output,
    ) {
        let name_size = alias.map_or(waiting.topic.len(), |_| 0);
        if HEADER + name_size + waiting.payload.len() > self.largest_packet(context.settings) {
            return self.discard(waiting.delivery, context, out);
        }
        send_publish(alias, &waiting, waiting.dup, out);
        if waiting.delivery != Delivery::AtMostOnce {
            self.deliveries.begin(Step::Publish { topic: alias, waiting }, context.now);
        }
    }

    fn send_release(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        send(&Packet::Pubrel(Ack::success(packet_id)), out);
        self.deliveries.begin(Step::Release(packet_id), context.now);
    }

    /// The client's REGACK. A client that rejects the alias gets the name of the topic, unless it asks for a pause.
    pub(super) fn registered(&mut self, ack: &TopicAck, context: Context<'_>, out: &mut Output) {
        let is_register = matches!(self.deliveries.open(), Some(Exchange { step: Step::Register { packet_id, .. }, .. }) if *packet_id == ack.packet_id);
        if is_register && ack.reason == Reason::CONGESTION {
            return self.deliveries.pause(context.now);
        }
        let Some((alias, _, waiting)) = self.deliveries.take_registered(ack.packet_id.value()) else {
            return;
        };
        let alias = if ack.reason.is_error() {
            None
        } else {
            self.topics.note_known(alias);
            Some(TopicAlias::Session(alias))
        };
        self.send_message(alias, waiting, context, out);
        self.pump(context, out);
    }

    /// The client's PUBACK.
    pub(super) fn published(&mut self, ack: Ack, context: Context<'_>, out: &mut Output) {
        self.answered_publish(Delivery::AtLeastOnce(ack.packet_id), ack, context, out);
    }

    /// The client's PUBREC.
    pub(super) fn received(&mut self, ack: Ack, context: Context<'_>, out: &mut Output) {
        let delivery = Delivery::ExactlyOnce(ack.packet_id);
        if !self.answered_publish(delivery, ack, context, out) && !ack.reason.is_error() {
            // PUBREL was lost, or this is from an earlier connection.
            let is_open = matches!(self.deliveries.open(), Some(Exchange { step: Step::Received(id) | Step::Release(id), .. }) if *id == ack.packet_id);
            if !is_open {
                send(&Packet::Pubrel(Ack::success(ack.packet_id)), out);
            }
        }
    }

    /// Returns whether the acknowledgement belongs to the open exchange.
    fn answered_publish(
        &mut self,
        delivery: Delivery,
        ack: Ack,
        context: Context<'_>,
        out: &mut Output,
    ) -> bool {
        let is_publish = matches!(self.deliveries.open(), Some(Exchange { step: Step::Publish { waiting, .. }, .. }) if waiting.delivery == delivery);
        if is_publish && ack.reason == Reason::CONGESTION {
            self.deliveries.pause(context.now);
            return true;
        }
        let taken = self.deliveries.take_published(|published| published == delivery);
        let Some((alias, waiting)) = taken else { return false };
        match (ack.reason, alias) {
            (reason, _) if !reason.is_error() => {
                self.settle(delivery, context, out);
                if let Delivery::ExactlyOnce(packet_id) = delivery {
                    self.deliveries.begin(Step::Received(packet_id), context.now);
                }
            }
            // The client has forgotten the alias, so it is registered, and the message follows; at most once for each message.
            (Reason::UNKNOWN_TOPIC_ALIAS, Some(TopicAlias::Session(alias))) if !waiting.was_rejected => {
                self.topics.note_unknown(alias);
                self.begin_delivery(Waiting { was_rejected: true, ..waiting }, context, out);
            }
            _ => self.discard(delivery, context, out),
        }
        self.pump(context, out);
        true
    }

    /// The broker's PUBREL.
    pub(super) fn broker_released(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        if self.deliveries.take_discarded(packet_id) {
            send_packet(&completion(packet_id), context, out);
            return;
        }
        if self.deliveries.take_received(packet_id) && matches!(self.phase, Phase::Active | Phase::Awake(_)) {
            return self.send_release(packet_id, context, out);
        }
        self.deliveries.push_release(packet_id);
        self.pump(context, out);
    }

    /// The client's PUBCOMP.
    pub(super) fn completed(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        if self.deliveries.take_released(packet_id) {
            self.stay_awake(context);
            send_packet(&completion(packet_id), context, out);
            self.pump(context, out);
        }
    }

    /// Repeats the packet that the client has not answered. A client that is only awake for a while goes back to sleep; another
    /// one is lost [MQTT-SN-4.4.2-5].
    pub(super) fn repeat_delivery(&mut self, context: Context<'_>, out: &mut Output) {
        if self.phase == Phase::Asleep
            || self.deliveries.due(context.settings).is_none_or(|due| context.now < due)
        {
            return;
        }
        let Some(open) = self.deliveries.open_mut() else { return };
        if !open.unanswered.repeat(context) {
            if matches!(self.phase, Phase::Awake(_)) {
                self.phase = Phase::Asleep;
                self.deliveries.interrupt();
            } else {
                self.lose(Reason::UNSPECIFIED_ERROR, Note::NoAnswer, context, out);
            }
            return;
        }
        match &open.step {
            Step::Register { topic_id, packet_id, waiting } => {
                send_register(*topic_id, *packet_id, &waiting.topic, out);
            }
            Step::Publish { topic, waiting } => send_publish(*topic, waiting, true, out),
            Step::Release(packet_id) => send(&Packet::Pubrel(Ack::success(*packet_id)), out),
            Step::Received(_) => {}
        }
    }
}

fn send_register(alias: u16, packet_id: PacketId, topic: &str, out: &mut Output) {
    send(&Packet::Register(Register { packet_id, alias: Some(alias), topic }), out);
}

/// Sends PUBLISH; only at QoS 2 it can have DUP [MQTT-SN-3.6.2.2.3-1].
fn send_publish(alias: Option<TopicAlias>, waiting: &Waiting, dup: bool, out: &mut Output) {
    let publish = Publish {
        dup: dup && waiting.delivery.qos() == Qos::ExactlyOnce,
        retain: waiting.retain,
        delivery: waiting.delivery,
        topic: alias.map_or(Topic::Name(&waiting.topic), Topic::Alias),
        payload: &waiting.payload,
    };
    send(&Packet::Publish(publish), out);
}
