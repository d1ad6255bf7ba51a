//! The broker's messages to the client: a bounded queue, REGISTER for topics without an alias, one open exchange, and retries.
//!
//! The broker's packet identifier is that towards the client, and the client's acknowledgement goes to the broker.

use super::{Client, Context, Note, Output, Phase, Settings, Unanswered, send, send_packet};
use crate::protocol::sn::TopicId;
use crate::protocol::sn::gateway::delivery::MOST_QUEUES;
use crate::protocol::sn::gateway::topics::Assigned;
use crate::protocol::sn::v2::{
    Ack, Delivery as SnDelivery, Packet, Publish, Reason, Register, Topic, TopicAck, TopicAlias,
};
use crate::protocol::{
    Ack as MqttAck, Packet as MqttPacket, PacketId, Publish as MqttPublish, Qos, ReasonCode,
};
use std::collections::VecDeque;
use std::time::Instant;

/// The octets of PUBLISH and REGISTER besides topic name and payload, with the longest length field.
const HEADER: usize = 11;

/// The bytes that an entry of the queue takes besides topic and payload.
const ENTRY_SIZE: usize = 64;

/// The messages for a client.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    queue: VecDeque<Queued>,
    /// The bytes of the queue.
    bytes: usize,
    current: Option<Current>,
    /// The packet identifier of the last REGISTER.
    last_register: u16,
    /// The dropped messages of QoS 2 whose PUBREL is missing.
    discarded: Vec<PacketId>,
    dropped: u64,
}

#[derive(Debug)]
enum Queued {
    Message(Waiting),
    /// PUBREL of a message that was received on an earlier connection.
    Release(PacketId),
}

#[derive(Debug)]
struct Waiting {
    topic: Box<str>,
    payload: Box<[u8]>,
    retain: bool,
    delivery: SnDelivery,
    /// The broker, or an exchange that sleep interrupted, sent it before.
    dup: bool,
    /// The client did not know the alias, which was registered again.
    was_rejected: bool,
}

/// The open exchange with the client.
#[derive(Debug)]
struct Current {
    step: Step,
    unanswered: Unanswered,
}

#[derive(Debug)]
enum Step {
    /// REGISTER was sent; the message follows.
    Register { alias: u16, packet_id: PacketId, waiting: Waiting },
    /// PUBLISH of QoS 1 or 2 was sent; `None` if it has the name of the topic.
    Publish { alias: Option<TopicAlias>, waiting: Waiting },
    /// The client has the message; the broker's PUBREL is missing.
    Received(PacketId),
    /// PUBREL was sent.
    Release(PacketId),
}

impl Waiting {
    fn size(&self) -> usize {
        ENTRY_SIZE + self.topic.len() + self.payload.len()
    }
}

impl Queued {
    fn size(&self) -> usize {
        match self {
            Queued::Message(waiting) => waiting.size(),
            Queued::Release(_) => ENTRY_SIZE,
        }
    }

    fn is_qos_0(&self) -> bool {
        matches!(self, Queued::Message(waiting) if waiting.delivery == SnDelivery::AtMostOnce)
    }
}

impl Delivery {
    /// Forgets the messages that the broker sends again, or all of them.
    pub(super) fn restart(&mut self, is_clean: bool) {
        self.current = None;
        self.discarded.clear();
        self.queue.retain(|queued| !is_clean && queued.is_qos_0());
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        self.bytes = self.queue.iter().map(Queued::size).sum();
    }

    /// Puts the open exchange back, for when the client is awake.
    pub(super) fn interrupt(&mut self) {
        let Some(current) = self.current.take() else { return };
        let queued = match current.step {
            Step::Register { waiting, .. } => Queued::Message(waiting),
            Step::Publish { waiting, .. } => Queued::Message(Waiting { dup: true, ..waiting }),
            Step::Release(packet_id) => Queued::Release(packet_id),
            Step::Received(_) => {
                self.current = Some(current);
                return;
            }
        };
        self.bytes += queued.size();
        self.queue.push_front(queued);
    }

    /// Whether more packets of the broker may be read. Messages of QoS 0 beyond the limits are dropped, so only the others count.
    pub(super) fn has_room(&self, settings: &Settings) -> bool {
        let most = settings.queued_messages;
        if matches!(&self.current, Some(Current { step: Step::Received(_), .. })) {
            // The PUBREL that ends the exchange comes behind the broker's next messages.
            return true;
        }
        self.bytes < 2 * settings.queued_bytes
            && (self.queue.len() < most
                || self.queue.iter().filter(|queued| !queued.is_qos_0()).count() < most)
    }

    /// Whether no message waits for the client or its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// Whether an exchange is open.
    pub(super) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// The messages that wait for the client.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn is_full(&self, settings: &Settings) -> bool {
        self.queue.len() >= settings.queued_messages || self.bytes >= settings.queued_bytes
    }

    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// The time of the next repetition.
    pub(super) fn due(&self, settings: &Settings) -> Option<Instant> {
        let current = self.current.as_ref()?;
        (!matches!(current.step, Step::Received(_))).then(|| current.unanswered.due(settings))
    }

    fn open(&mut self, step: Step, now: Instant) {
        self.current = Some(Current { step, unanswered: Unanswered::new(now) });
    }

    /// Takes out the message of the open PUBLISH.
    fn take_published(&mut self, delivery: SnDelivery) -> Option<(Option<TopicAlias>, Waiting)> {
        let is_it = |current: &mut Current| matches!(&current.step, Step::Publish { waiting, .. } if waiting.delivery == delivery);
        match self.current.take_if(is_it)?.step {
            Step::Publish { alias, waiting } => Some((alias, waiting)),
            Step::Register { .. } | Step::Received(_) | Step::Release(_) => None,
        }
    }

    /// The packet identifier for REGISTER, which the open exchange does not have, as there is none.
    fn next_register(&mut self) -> PacketId {
        self.last_register = self.last_register.wrapping_add(1);
        PacketId::new(self.last_register).unwrap_or_else(|| self.next_register())
    }
}

impl Client {
    /// Takes a message of the broker.
    pub(super) fn queue(&mut self, publish: &MqttPublish<'_>, context: Context<'_>, out: &mut Output) {
        let settings = context.settings;
        let Some(delivery) = SnDelivery::new(publish.qos, publish.packet_id) else { return };
        let size = HEADER + publish.payload.len().max(publish.topic.len());
        let is_full = publish.qos == Qos::AtMostOnce && self.delivery.is_full(settings);
        // A message that is too large for the client is dropped as if it was sent [MQTT-SN-3.1.7-3].
        if size > self.largest_packet(settings) || is_full {
            return self.discard(delivery, context, out);
        }
        if self.delivery.bytes >= MOST_QUEUES * settings.queued_bytes {
            return self.lose(Reason::QUOTA_EXCEEDED, Note::Overrun, context, out);
        }
        let waiting = Waiting {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            retain: publish.retain,
            delivery,
            dup: publish.dup,
            was_rejected: false,
        };
        self.delivery.bytes += waiting.size();
        self.delivery.queue.push_back(Queued::Message(waiting));
        self.pump(context, out);
    }

    fn largest_packet(&self, settings: &Settings) -> usize {
        let of_client = self.identity.maximum_packet_size.map_or(usize::MAX, usize::from);
        settings.datagram_size.min(of_client)
    }

    /// Tells the broker that it need not send the message again.
    fn settle(&mut self, delivery: SnDelivery, context: Context<'_>, out: &mut Output) {
        self.stay_awake(context);
        let acknowledge = |packet_id| MqttAck::new(packet_id, ReasonCode::SUCCESS);
        let packet = match delivery {
            SnDelivery::AtMostOnce => return,
            SnDelivery::AtLeastOnce(packet_id) => MqttPacket::Puback(acknowledge(packet_id)),
            SnDelivery::ExactlyOnce(packet_id) => MqttPacket::Pubrec(acknowledge(packet_id)),
        };
        send_packet(&packet, context, out);
    }

    /// Sends queued messages until one has to be answered.
    pub(super) fn pump(&mut self, context: Context<'_>, out: &mut Output) {
        if !matches!(self.phase, Phase::Active | Phase::Awake(_)) {
            return;
        }
        while self.delivery.current.is_none() && !self.delivery.queue.is_empty() && self.takes_message() {
            let Some(queued) = self.delivery.queue.pop_front() else { break };
            self.delivery.bytes = self.delivery.bytes.saturating_sub(queued.size());
            match queued {
                Queued::Message(waiting) => self.begin_delivery(waiting, context, out),
                Queued::Release(packet_id) => self.send_release(packet_id, context, out),
            }
        }
        if self.delivery.queue.is_empty() {
            self.delivery.queue.shrink_to(8);
        }
        self.end_awakening_if_idle(context, out);
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
                let packet_id = self.delivery.next_register();
                send_register(alias, packet_id, &waiting.topic, out);
                self.delivery.open(Step::Register { alias, packet_id, waiting }, context.now);
            }
            // There is no room for another alias.
            None => self.send_message(None, waiting, context, out),
        }
    }

    /// Drops and counts a message that the client cannot get.
    fn discard(&mut self, delivery: SnDelivery, context: Context<'_>, out: &mut Output) {
        self.delivery.dropped += 1;
        if let SnDelivery::ExactlyOnce(packet_id) = delivery {
            self.delivery.discarded.push(packet_id);
        }
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
        if waiting.delivery != SnDelivery::AtMostOnce {
            self.delivery.open(Step::Publish { alias, waiting }, context.now);
        }
    }

    fn send_release(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        send(&Packet::Pubrel(Ack::success(packet_id)), out);
        self.delivery.open(Step::Release(packet_id), context.now);
    }

    /// The client's REGACK. A client that rejects the alias gets the name of the topic, unless it asks for a pause.
    pub(super) fn registered(&mut self, ack: &TopicAck, context: Context<'_>, out: &mut Output) {
        let is_it = |current: &mut Current| matches!(&current.step, Step::Register { packet_id, .. } if *packet_id == ack.packet_id);
        if self.is_paused(ack.packet_id, ack.reason, context) {
            return;
        }
        let Some(Current { step: Step::Register { alias, waiting, .. }, .. }) =
            self.delivery.current.take_if(is_it)
        else {
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

    /// Whether the client asks for a pause: its request is repeated after the interval, with a count of its own.
    fn is_paused(&mut self, packet_id: PacketId, reason: Reason, context: Context<'_>) -> bool {
        let Some(current) = &mut self.delivery.current else { return false };
        let open = match &current.step {
            Step::Register { packet_id, .. } => Some(*packet_id),
            Step::Publish { waiting, .. } => waiting.delivery.packet_id(),
            Step::Received(_) | Step::Release(_) => None,
        };
        let is_paused = reason == Reason::CONGESTION && open == Some(packet_id);
        if is_paused {
            current.unanswered = Unanswered::new(context.now);
        }
        is_paused
    }

    /// The client's PUBACK.
    pub(super) fn published(&mut self, ack: Ack, context: Context<'_>, out: &mut Output) {
        self.answered_publish(SnDelivery::AtLeastOnce(ack.packet_id), ack, context, out);
    }

    /// The client's PUBREC.
    pub(super) fn received(&mut self, ack: Ack, context: Context<'_>, out: &mut Output) {
        let delivery = SnDelivery::ExactlyOnce(ack.packet_id);
        if !self.answered_publish(delivery, ack, context, out) && !ack.reason.is_error() {
            // PUBREL was lost, or this is from an earlier connection.
            let is_current = matches!(&self.delivery.current, Some(Current { step: Step::Received(id) | Step::Release(id), .. }) if *id == ack.packet_id);
            if !is_current {
                send(&Packet::Pubrel(Ack::success(ack.packet_id)), out);
            }
        }
    }

    /// Returns whether the acknowledgement belongs to the open exchange.
    fn answered_publish(
        &mut self,
        delivery: SnDelivery,
        ack: Ack,
        context: Context<'_>,
        out: &mut Output,
    ) -> bool {
        let is_publish = matches!(&self.delivery.current, Some(Current { step: Step::Publish { waiting, .. }, .. }) if waiting.delivery == delivery);
        if is_publish && self.is_paused(ack.packet_id, ack.reason, context) {
            return true;
        }
        let Some((alias, waiting)) = self.delivery.take_published(delivery) else { return false };
        match (ack.reason, alias) {
            (reason, _) if !reason.is_error() => {
                self.settle(delivery, context, out);
                if let SnDelivery::ExactlyOnce(packet_id) = delivery {
                    self.delivery.open(Step::Received(packet_id), context.now);
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
        let discarded = &mut self.delivery.discarded;
        if let Some(index) = discarded.iter().position(|discarded| *discarded == packet_id) {
            discarded.swap_remove(index);
            send_packet(&MqttPacket::Pubcomp(MqttAck::new(packet_id, ReasonCode::SUCCESS)), context, out);
            return;
        }
        let is_current =
            |current: &mut Current| matches!(current.step, Step::Received(id) if id == packet_id);
        if self.delivery.current.take_if(is_current).is_some()
            && matches!(self.phase, Phase::Active | Phase::Awake(_))
        {
            return self.send_release(packet_id, context, out);
        }
        let queued = Queued::Release(packet_id);
        self.delivery.bytes += queued.size();
        self.delivery.queue.push_front(queued);
        self.pump(context, out);
    }

    /// The client's PUBCOMP.
    pub(super) fn completed(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        let is_it = |current: &mut Current| matches!(current.step, Step::Release(id) if id == packet_id);
        if self.delivery.current.take_if(is_it).is_none() {
            return;
        }
        self.stay_awake(context);
        send_packet(&MqttPacket::Pubcomp(MqttAck::new(packet_id, ReasonCode::SUCCESS)), context, out);
        self.pump(context, out);
    }

    /// Repeats the packet that the client has not answered. A client that is only awake for a while goes back to sleep; another
    /// one is lost [MQTT-SN-4.4.2-5].
    pub(super) fn repeat_delivery(&mut self, context: Context<'_>, out: &mut Output) {
        if self.phase == Phase::Asleep
            || self.delivery.due(context.settings).is_none_or(|due| context.now < due)
        {
            return;
        }
        let Some(current) = &mut self.delivery.current else { return };
        if !current.unanswered.repeat(context) {
            if matches!(self.phase, Phase::Awake(_)) {
                self.phase = Phase::Asleep;
                self.delivery.interrupt();
            } else {
                self.lose(Reason::UNSPECIFIED_ERROR, Note::NoAnswer, context, out);
            }
            return;
        }
        match &current.step {
            Step::Register { alias, packet_id, waiting } => {
                send_register(*alias, *packet_id, &waiting.topic, out);
            }
            Step::Publish { alias, waiting } => send_publish(*alias, waiting, true, out),
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
