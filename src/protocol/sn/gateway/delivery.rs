//! The broker's messages to the client: a bounded queue, REGISTER for unknown topics, one open exchange, and retries with DUP.
//!
//! The broker's packet identifier is the message id towards the client, and the client's acknowledgement goes to the broker.

use super::topics::Assigned;
use super::{Client, Context, Note, Output, Phase, Settings, Unanswered, send, send_packet};
use crate::protocol::sn::{Message, Publish, PublishQos, Regack, Register, ReturnCode, TopicId};
use crate::protocol::{Ack, Packet, PacketId, Publish as MqttPublish, Qos, ReasonCode};
use std::collections::VecDeque;
use std::time::Instant;

/// The octets of PUBLISH before its payload, with the longest length field.
const PUBLISH_HEADER: usize = 9;

/// The octets of REGISTER before the topic name.
const REGISTER_HEADER: usize = 8;

/// The bytes that an entry of the queue takes besides topic and payload.
const ENTRY_SIZE: usize = 64;

/// The limit of bytes is exceeded up to this factor by messages of QoS 1 and 2 that the broker sends before the PUBREL that ends
/// the open exchange. Beyond it, the client is disconnected, and the broker keeps the messages of its session.
pub(super) const MOST_QUEUES: usize = 4;

/// The messages for a client.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    queue: VecDeque<Queued>,
    /// The bytes of the queue.
    bytes: usize,
    current: Option<Current>,
    /// The message id of the last REGISTER.
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
    qos: Qos,
    retain: bool,
    packet_id: Option<PacketId>,
    /// The broker, or an exchange that sleep interrupted, sent it before.
    dup: bool,
    /// The client did not know the topic id, which was registered again.
    was_rejected: bool,
}

impl Waiting {
    fn size(&self) -> usize {
        ENTRY_SIZE + self.topic.len() + self.payload.len()
    }

    fn message_id(&self) -> u16 {
        self.packet_id.map_or(0, PacketId::value)
    }
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
    Register { topic_id: u16, message_id: u16, waiting: Waiting },
    /// PUBLISH of QoS 1 or 2 was sent.
    Publish { topic: TopicId, waiting: Waiting },
    /// The client has the message; the broker's PUBREL is missing.
    Received(PacketId),
    /// PUBREL was sent.
    Release(PacketId),
}

impl Delivery {
    /// Forgets the messages that the broker sends again, or all of them.
    pub(super) fn restart(&mut self, is_clean: bool) {
        self.current = None;
        self.discarded.clear();
        let is_kept = |queued: &Queued| {
            !is_clean && matches!(queued, Queued::Message(waiting) if waiting.qos == Qos::AtMostOnce)
        };
        self.queue.retain(is_kept);
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
        let is_acknowledged =
            |queued: &&Queued| !matches!(queued, Queued::Message(waiting) if waiting.qos == Qos::AtMostOnce);
        let most = settings.queued_messages;
        if matches!(&self.current, Some(Current { step: Step::Received(_), .. })) {
            // The PUBREL that ends the exchange comes behind the broker's next messages.
            return true;
        }
        self.bytes < 2 * settings.queued_bytes
            && (self.queue.len() < most || self.queue.iter().filter(is_acknowledged).count() < most)
    }

    /// Whether no message waits for the client or its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
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

    /// Takes out the message of the open REGISTER.
    fn take_registered(&mut self, message_id: u16) -> Option<(u16, Waiting)> {
        let is_it = |current: &mut Current| matches!(&current.step, Step::Register { message_id: id, .. } if *id == message_id);
        match self.current.take_if(is_it)?.step {
            Step::Register { topic_id, waiting, .. } => Some((topic_id, waiting)),
            Step::Publish { .. } | Step::Received(_) | Step::Release(_) => None,
        }
    }

    /// Takes out the message of the open PUBLISH.
    fn take_published(&mut self, message_id: u16, qos: Option<Qos>) -> Option<(TopicId, Waiting)> {
        let is_it = |current: &mut Current| {
            matches!(&current.step, Step::Publish { waiting, .. }
                if waiting.message_id() == message_id && qos.is_none_or(|qos| qos == waiting.qos))
        };
        match self.current.take_if(is_it)?.step {
            Step::Publish { topic, waiting } => Some((topic, waiting)),
            Step::Register { .. } | Step::Received(_) | Step::Release(_) => None,
        }
    }
}

impl Queued {
    fn size(&self) -> usize {
        match self {
            Queued::Message(waiting) => waiting.size(),
            Queued::Release(_) => ENTRY_SIZE,
        }
    }
}

impl Client {
    /// Takes a message of the broker.
    pub(super) fn queue(&mut self, publish: &MqttPublish<'_>, context: Context<'_>, out: &mut Output) {
        let settings = context.settings;
        let size = (PUBLISH_HEADER + publish.payload.len()).max(REGISTER_HEADER + publish.topic.len());
        let is_full = publish.qos == Qos::AtMostOnce && self.delivery.is_full(settings);
        if size > settings.datagram_size || is_full {
            return self.discard(publish.qos, publish.packet_id, context, out);
        }
        if self.delivery.bytes >= MOST_QUEUES * settings.queued_bytes {
            return self.lose(Note::Overrun, context, out);
        }
        let waiting = Waiting {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            qos: publish.qos,
            retain: publish.retain,
            packet_id: publish.packet_id,
            dup: publish.dup,
            was_rejected: false,
        };
        self.delivery.bytes += waiting.size();
        self.delivery.queue.push_back(Queued::Message(waiting));
        self.pump(context, out);
    }

    /// Tells the broker that it need not send the message again.
    fn settle(&mut self, qos: Qos, packet_id: Option<PacketId>, context: Context<'_>, out: &mut Output) {
        let Some(packet_id) = packet_id else { return };
        self.stay_awake(context);
        let ack = Ack::new(packet_id, ReasonCode::SUCCESS);
        let packet = if qos == Qos::ExactlyOnce { Packet::Pubrec(ack) } else { Packet::Puback(ack) };
        send_packet(&packet, context, out);
    }

    /// Sends queued messages until one has to be answered.
    pub(super) fn pump(&mut self, context: Context<'_>, out: &mut Output) {
        if !matches!(self.phase, Phase::Active | Phase::Awake { .. }) {
            return;
        }
        while self.delivery.current.is_none() {
            let Some(queued) = self.delivery.queue.pop_front() else { break };
            self.delivery.bytes = self.delivery.bytes.saturating_sub(queued.size());
            match queued {
                Queued::Message(waiting) => self.begin(waiting, context, out),
                Queued::Release(packet_id) => self.send_release(packet_id, context, out),
            }
        }
        if self.delivery.queue.is_empty() {
            self.delivery.queue.shrink_to(8);
        }
        self.end_awakening_if_idle(context, out);
    }

    fn begin(&mut self, waiting: Waiting, context: Context<'_>, out: &mut Output) {
        let (settings, predefined) = (context.settings, context.predefined);
        match self.topics.for_message(&waiting.topic, &self.id, predefined, settings.topics) {
            Some(Assigned::Known(topic)) => self.send_message(topic, waiting, context, out),
            Some(Assigned::Unknown(topic_id)) => {
                let message_id = self.delivery.last_register.checked_add(1).unwrap_or(1);
                self.delivery.last_register = message_id;
                send(&Message::Register(Register { topic_id, message_id, topic: &waiting.topic }), out);
                self.delivery.open(Step::Register { topic_id, message_id, waiting }, context.now);
            }
            None => self.drop_message(&waiting, context, out),
        }
    }

    fn drop_message(&mut self, waiting: &Waiting, context: Context<'_>, out: &mut Output) {
        self.discard(waiting.qos, waiting.packet_id, context, out);
    }

    /// Drops and counts a message that the client cannot get.
    fn discard(&mut self, qos: Qos, packet_id: Option<PacketId>, context: Context<'_>, out: &mut Output) {
        self.delivery.dropped += 1;
        if qos == Qos::ExactlyOnce {
            self.delivery.discarded.extend(packet_id);
        }
        self.settle(qos, packet_id, context, out);
    }

    fn send_message(&mut self, topic: TopicId, waiting: Waiting, context: Context<'_>, out: &mut Output) {
        send_publish(topic, &waiting, waiting.dup, out);
        if waiting.qos != Qos::AtMostOnce {
            self.delivery.open(Step::Publish { topic, waiting }, context.now);
        }
    }

    fn send_release(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        send(&Message::Pubrel { message_id: packet_id.value() }, out);
        self.delivery.open(Step::Release(packet_id), context.now);
    }

    /// The client's REGACK.
    pub(super) fn registered(&mut self, ack: Regack, context: Context<'_>, out: &mut Output) {
        let Some((topic_id, waiting)) = self.delivery.take_registered(ack.message_id) else { return };
        match ack.return_code {
            ReturnCode::ACCEPTED => {
                self.topics.note_known(topic_id);
                self.send_message(TopicId::Normal(topic_id), waiting, context, out);
            }
            // The client asks for a pause: REGISTER is repeated.
            ReturnCode::CONGESTION => {
                let message_id = ack.message_id;
                self.delivery.open(Step::Register { topic_id, message_id, waiting }, context.now);
            }
            _ => self.drop_message(&waiting, context, out),
        }
        self.pump(context, out);
    }

    /// The client's PUBACK: the end of QoS 1, or a rejection at any QoS.
    pub(super) fn published(&mut self, ack: Regack, context: Context<'_>, out: &mut Output) {
        let is_accepted = ack.return_code == ReturnCode::ACCEPTED;
        let qos = is_accepted.then_some(Qos::AtLeastOnce);
        let Some((topic, waiting)) = self.delivery.take_published(ack.message_id, qos) else {
            if ack.return_code == ReturnCode::INVALID_TOPIC_ID {
                self.topics.note_unknown(ack.topic_id);
            }
            return;
        };
        match ack.return_code {
            ReturnCode::ACCEPTED => self.settle(waiting.qos, waiting.packet_id, context, out),
            // PUBLISH is repeated after a pause.
            ReturnCode::CONGESTION => self.delivery.open(Step::Publish { topic, waiting }, context.now),
            // The client has forgotten the id, so it is registered, and the message follows; at most once for each message.
            ReturnCode::INVALID_TOPIC_ID if matches!(topic, TopicId::Normal(_)) && !waiting.was_rejected => {
                self.topics.note_unknown(topic.value());
                self.begin(Waiting { dup: true, was_rejected: true, ..waiting }, context, out);
            }
            _ => self.drop_message(&waiting, context, out),
        }
        self.pump(context, out);
    }

    /// The client's PUBREC.
    pub(super) fn received(&mut self, message_id: u16, context: Context<'_>, out: &mut Output) {
        let Some((_, waiting)) = self.delivery.take_published(message_id, Some(Qos::ExactlyOnce)) else {
            // PUBREL was lost, or this is from an earlier connection.
            let is_current = matches!(&self.delivery.current, Some(Current { step: Step::Received(id), .. }) if id.value() == message_id);
            if !is_current {
                send(&Message::Pubrel { message_id }, out);
            }
            return;
        };
        self.settle(waiting.qos, waiting.packet_id, context, out);
        if let Some(packet_id) = waiting.packet_id {
            self.delivery.open(Step::Received(packet_id), context.now);
        }
    }

    /// The broker's PUBREL.
    pub(super) fn broker_released(&mut self, packet_id: PacketId, context: Context<'_>, out: &mut Output) {
        let discarded = &mut self.delivery.discarded;
        if let Some(index) = discarded.iter().position(|discarded| *discarded == packet_id) {
            discarded.swap_remove(index);
            send_packet(&Packet::Pubcomp(Ack::new(packet_id, ReasonCode::SUCCESS)), context, out);
            return;
        }
        let is_current =
            |current: &mut Current| matches!(current.step, Step::Received(id) if id == packet_id);
        if self.delivery.current.take_if(is_current).is_some()
            && matches!(self.phase, Phase::Active | Phase::Awake { .. })
        {
            return self.send_release(packet_id, context, out);
        }
        let queued = Queued::Release(packet_id);
        self.delivery.bytes += queued.size();
        self.delivery.queue.push_front(queued);
        self.pump(context, out);
    }

    /// The client's PUBCOMP.
    pub(super) fn completed(&mut self, message_id: u16, context: Context<'_>, out: &mut Output) {
        let is_it =
            |current: &mut Current| matches!(current.step, Step::Release(id) if id.value() == message_id);
        if self.delivery.current.take_if(is_it).is_none() {
            return;
        }
        self.stay_awake(context);
        if let Some(packet_id) = PacketId::new(message_id) {
            send_packet(&Packet::Pubcomp(Ack::new(packet_id, ReasonCode::SUCCESS)), context, out);
        }
        self.pump(context, out);
    }

    /// Repeats the message that the client has not answered. A client that is only awake for a while goes back to sleep; another
    /// one is lost.
    pub(super) fn repeat_delivery(&mut self, context: Context<'_>, out: &mut Output) {
        if self.phase == Phase::Asleep
            || self.delivery.due(context.settings).is_none_or(|due| context.now < due)
        {
            return;
        }
        let Some(current) = &mut self.delivery.current else { return };
        if !current.unanswered.repeat(context) {
            if matches!(self.phase, Phase::Awake { .. }) {
                self.phase = Phase::Asleep;
                self.delivery.interrupt();
            } else {
                self.lose(Note::NoAnswer, context, out);
            }
            return;
        }
        match &current.step {
            Step::Register { topic_id, message_id, waiting } => {
                let (topic_id, message_id) = (*topic_id, *message_id);
                send(&Message::Register(Register { topic_id, message_id, topic: &waiting.topic }), out);
            }
            Step::Publish { topic, waiting } => send_publish(*topic, waiting, true, out),
            Step::Release(packet_id) => send(&Message::Pubrel { message_id: packet_id.value() }, out),
            Step::Received(_) => {}
        }
    }
}

fn send_publish(topic: TopicId, waiting: &Waiting, dup: bool, out: &mut Output) {
    let publish = Publish {
        dup: dup && waiting.qos != Qos::AtMostOnce,
        qos: PublishQos::Connected(waiting.qos),
        retain: waiting.retain,
        topic,
        message_id: waiting.message_id(),
        payload: &waiting.payload,
    };
    send(&Message::Publish(publish), out);
}
