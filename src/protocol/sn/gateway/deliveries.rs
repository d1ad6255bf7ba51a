//! The messages of the broker that wait for a client, in either version: a bounded queue, the one open exchange, and the drops.

use super::load::Load;
use super::undelivered::Undelivered;
use super::{Settings, Unanswered};
use crate::protocol::sn::v2::Delivery;
use crate::protocol::{Ack, Packet, PacketId, PropertyId, Publish, ReasonCode};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The bytes that an entry of the queue takes besides topic and payload.
const ENTRY_SIZE: usize = 64;

/// The limit of bytes is exceeded up to this factor by messages of QoS 1 and 2 that the broker sends before the PUBREL that ends
/// the open exchange. Beyond it, the client is disconnected, and the broker keeps the messages of its session.
const MAX_QUEUES: usize = 4;

/// The capacity that an empty queue keeps.
const MIN_CAPACITY: usize = 8;

/// The messages for a client. `T` is the topic in PUBLISH.
#[derive(Debug)]
pub(super) struct Deliveries<T> {
    queue: VecDeque<Queued>,
    /// The entries of QoS 0.
    qos_0: Load,
    /// The time at which the first entry of QoS 0 expires. Earlier if that one was sent.
    next_expiry: Option<Instant>,
    /// The other entries.
    others: Load,
    open: Option<Exchange<T>>,
    /// The packet identifier of the last REGISTER.
    last_register: u16,
    /// The dropped messages of QoS 2 whose PUBREL is missing.
    discarded: Vec<PacketId>,
    undelivered: Undelivered,
}

/// An entry of the queue.
#[derive(Debug)]
pub(super) enum Queued {
    Message(Waiting),
    /// PUBREL of a message that was received on an earlier connection.
    Release(PacketId),
}

/// A message for the client.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) topic: Box<str>,
    pub(super) payload: Box<[u8]>,
    pub(super) retain: bool,
    pub(super) delivery: Delivery,
    /// The broker, or an exchange that sleep interrupted, sent it before.
    pub(super) dup: bool,
    /// The client did not know the topic id, which was registered again.
    pub(super) was_rejected: bool,
    /// The time at which its message expiry interval is over; `None` once it was sent.
    pub(super) expires: Option<Instant>,
}

/// A message that the client has to answer.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    pub(super) step: Step<T>,
    pub(super) unanswered: Unanswered,
}

#[derive(Debug)]
pub(super) enum Step<T> {
    /// REGISTER of this topic id was sent; the message follows.
    Register { topic_id: u16, packet_id: PacketId, waiting: Waiting },
    /// PUBLISH of QoS 1 or 2 was sent.
    Publish { topic: T, waiting: Waiting },
    /// The client has the message; the broker's PUBREL is missing.
    Received(PacketId),
    /// PUBREL was sent.
    Release(PacketId),
}

impl Waiting {
    /// A message that has just arrived.
    pub(super) fn new(publish: &Publish<'_>, delivery: Delivery, now: Instant) -> Waiting {
        let interval = publish.properties.number(PropertyId::MessageExpiryInterval);
        Waiting {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            retain: publish.retain,
            delivery,
            dup: publish.dup,
            was_rejected: false,
            expires: interval.map(|seconds| now + Duration::from_secs(seconds.into())),
        }
    }
}

impl Queued {
    fn size(&self) -> usize {
        match self {
            Queued::Message(waiting) => ENTRY_SIZE + waiting.topic.len() + waiting.payload.len(),
            Queued::Release(_) => ENTRY_SIZE,
        }
    }

    fn is_qos_0(&self) -> bool {
        matches!(self, Queued::Message(waiting) if waiting.delivery == Delivery::AtMostOnce)
    }

    fn expires(&self) -> Option<Instant> {
        match self {
            Queued::Message(waiting) => waiting.expires,
            Queued::Release(_) => None,
        }
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.expires().is_some_and(|expiry| expiry <= now)
    }
}

impl<T> Deliveries<T> {
    pub(super) fn new() -> Deliveries<T> {
        Deliveries {
            queue: VecDeque::new(),
            qos_0: Load::default(),
            next_expiry: None,
            others: Load::default(),
            open: None,
            last_register: 0,
            discarded: Vec::new(),
            undelivered: Undelivered::default(),
        }
    }

    /// Forgets the messages that the broker sends again, or all of them.
    pub(super) fn restart(&mut self, is_clean: bool) {
        self.open = None;
        self.discarded.clear();
        self.queue.retain(|queued| !is_clean && queued.is_qos_0());
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        self.others = Load::default();
        if is_clean {
            self.qos_0 = Load::default();
            self.next_expiry = None;
        }
    }

    /// Puts the open exchange back, for when the client is awake.
    pub(super) fn interrupt(&mut self) {
        let Some(Exchange { step, unanswered }) = self.open.take() else { return };
        match step {
            Step::Register { waiting, .. } => self.push_front(Queued::Message(waiting)),
            Step::Publish { waiting, .. } => {
                self.push_front(Queued::Message(Waiting { dup: true, expires: None, ..waiting }));
            }
            Step::Release(packet_id) => self.push_release(packet_id),
            Step::Received(_) => self.open = Some(Exchange { step, unanswered }),
        }
    }

    /// Adds a message.
    pub(super) fn push(&mut self, waiting: Waiting) {
        let queued = Queued::Message(waiting);
        self.note_queued(&queued);
        self.queue.push_back(queued);
    }

    /// Adds a PUBREL, which precedes all messages.
    pub(super) fn push_release(&mut self, packet_id: PacketId) {
        self.push_front(Queued::Release(packet_id));
    }

    fn push_front(&mut self, queued: Queued) {
        self.note_queued(&queued);
        self.queue.push_front(queued);
    }

    fn note_queued(&mut self, queued: &Queued) {
        self.load_of(queued).add(queued.size());
        if queued.is_qos_0() {
            self.next_expiry = [self.next_expiry, queued.expires()].into_iter().flatten().min();
        }
    }

    fn load_of(&mut self, queued: &Queued) -> &mut Load {
        if queued.is_qos_0() { &mut self.qos_0 } else { &mut self.others }
    }

    /// Takes the next entry, unless the open exchange comes first.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        if self.open.is_some() {
            return None;
        }
        let queued = self.queue.pop_front()?;
        self.load_of(&queued).remove(queued.size());
        if self.queue.is_empty() {
            self.queue.shrink_to(MIN_CAPACITY);
        }
        Some(queued)
    }

    /// Takes the next entry if it is a message that has expired before it was sent (MQTT 5.0, section 3.3.2.3.3), and counts it.
    /// The broker gets its acknowledgement in the order of the messages.
    pub(super) fn pop_expired(&mut self, now: Instant) -> Option<Delivery> {
        if !self.queue.front().is_some_and(|queued| queued.has_expired(now)) {
            return None;
        }
        match self.pop()? {
            Queued::Message(Waiting { delivery, .. }) => {
                self.undelivered.expired += 1;
                self.note_discarded(delivery);
                Some(delivery)
            }
            Queued::Release(_) => None,
        }
    }

    /// Whether a message of QoS 0 can have expired, so that a search of the queue is worth it.
    fn may_have_expired_qos_0(&self, now: Instant) -> bool {
        self.next_expiry.is_some_and(|expiry| expiry <= now)
    }

    /// Removes the messages of QoS 0 that have expired, and counts them.
    fn remove_expired_qos_0(&mut self, now: Instant) {
        let (qos_0, expired) = (&mut self.qos_0, &mut self.undelivered.expired);
        self.next_expiry = None;
        self.queue.retain(|queued| {
            let is_removed = queued.is_qos_0() && queued.has_expired(now);
            if is_removed {
                qos_0.remove(queued.size());
                *expired += 1;
            } else if queued.is_qos_0() {
                self.next_expiry = [self.next_expiry, queued.expires()].into_iter().flatten().min();
            }
            !is_removed
        });
    }

    /// Whether an entry waits, and no exchange is open.
    pub(super) fn has_next(&self) -> bool {
        self.open.is_none() && !self.queue.is_empty()
    }

    /// Whether no message waits for the client or its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.queue.is_empty()
    }

    /// The messages that wait for the client.
    pub(super) fn waiting(&self, now: Instant) -> usize {
        self.queue.iter().filter(|queued| !queued.has_expired(now)).count()
    }

    /// Whether more packets of the broker may be read. Messages of QoS 0 beyond the limits are dropped, so only the others count.
    pub(super) fn has_room(&self, settings: &Settings) -> bool {
        // The PUBREL that ends an exchange comes behind the broker's next messages.
        self.awaits_broker() || self.others.is_within(settings)
    }

    /// Whether a message of QoS 0 is dropped. Expired ones make room for it.
    pub(super) fn is_full(&mut self, settings: &Settings, now: Instant) -> bool {
        if !self.qos_0.is_within(settings) && self.may_have_expired_qos_0(now) {
            self.remove_expired_qos_0(now);
        }
        !self.qos_0.is_within(settings)
    }

    /// Whether the messages of QoS 1 and 2 exceed the limit by far.
    pub(super) fn is_overrun(&self, settings: &Settings) -> bool {
        self.others.bytes() >= MAX_QUEUES * settings.queued_bytes
    }

    /// Counts a message that the client cannot get.
    pub(super) fn note_dropped(&mut self, delivery: Delivery) {
        self.undelivered.dropped += 1;
        self.note_discarded(delivery);
    }

    fn note_discarded(&mut self, delivery: Delivery) {
        if let Delivery::ExactlyOnce(packet_id) = delivery {
            self.discarded.push(packet_id);
        }
    }

    pub(super) fn take_undelivered(&mut self) -> Undelivered {
        std::mem::take(&mut self.undelivered)
    }

    /// Whether this PUBREL is for a dropped message. Forgets the message.
    pub(super) fn take_discarded(&mut self, packet_id: PacketId) -> bool {
        let index = self.discarded.iter().position(|discarded| *discarded == packet_id);
        index.map(|index| self.discarded.swap_remove(index)).is_some()
    }

    /// Begins an exchange.
    pub(super) fn begin(&mut self, step: Step<T>, now: Instant) {
        self.open = Some(Exchange { step, unanswered: Unanswered::new(now) });
    }

    /// The open exchange.
    pub(super) fn open(&self) -> Option<&Exchange<T>> {
        self.open.as_ref()
    }

    pub(super) fn open_mut(&mut self) -> Option<&mut Exchange<T>> {
        self.open.as_mut()
    }

    /// The client asks for a pause: the open request is repeated after the interval, with a count of its own.
    pub(super) fn pause(&mut self, now: Instant) {
        if let Some(open) = &mut self.open {
            open.unanswered = Unanswered::new(now);
        }
    }

    /// The time of the next repetition.
    pub(super) fn due(&self, settings: &Settings) -> Option<Instant> {
        let open = self.open.as_ref().filter(|_| !self.awaits_broker());
        open.map(|open| open.unanswered.due(settings))
    }

    /// Whether the next step of the open exchange is the broker's.
    fn awaits_broker(&self) -> bool {
        matches!(&self.open, Some(Exchange { step: Step::Received(_), .. }))
    }

    /// The packet identifier for REGISTER, when no exchange is open that would have one.
    pub(super) fn next_register(&mut self) -> PacketId {
        self.last_register = self.last_register.wrapping_add(1);
        PacketId::new(self.last_register).unwrap_or_else(|| self.next_register())
    }

    /// Ends the open REGISTER with this packet identifier. Returns its topic id, and the message that follows.
    pub(super) fn take_registered(&mut self, id: u16) -> Option<(u16, PacketId, Waiting)> {
        let is_it = |open: &mut Exchange<T>| matches!(&open.step, Step::Register { packet_id, .. } if packet_id.value() == id);
        match self.open.take_if(is_it)?.step {
            Step::Register { topic_id, packet_id, waiting } => Some((topic_id, packet_id, waiting)),
            Step::Publish { .. } | Step::Received(_) | Step::Release(_) => None,
        }
    }

    /// Ends the open PUBLISH if it is the expected one. Returns its topic and message.
    pub(super) fn take_published(
        &mut self,
        is_expected: impl FnOnce(Delivery) -> bool,
    ) -> Option<(T, Waiting)> {
        let is_it = |open: &mut Exchange<T>| matches!(&open.step, Step::Publish { waiting, .. } if is_expected(waiting.delivery));
        match self.open.take_if(is_it)?.step {
            Step::Publish { topic, waiting } => Some((topic, waiting)),
            Step::Register { .. } | Step::Received(_) | Step::Release(_) => None,
        }
    }

    /// Ends the wait for the broker's PUBREL. Returns whether it was for this message.
    pub(super) fn take_received(&mut self, packet_id: PacketId) -> bool {
        let is_it = |open: &mut Exchange<T>| matches!(open.step, Step::Received(id) if id == packet_id);
        self.open.take_if(is_it).is_some()
    }

    /// Ends the exchange whose PUBREL was sent. Returns whether it was for this message.
    pub(super) fn take_released(&mut self, packet_id: PacketId) -> bool {
        let is_it = |open: &mut Exchange<T>| matches!(open.step, Step::Release(id) if id == packet_id);
        self.open.take_if(is_it).is_some()
    }
}

/// The acknowledgement for the broker, which need not send the message again; `None` at QoS 0.
pub(super) fn acknowledgement(delivery: Delivery) -> Option<Packet<'static>> {
    let ack = Ack::new(delivery.packet_id()?, ReasonCode::SUCCESS);
    Some(match delivery {
        Delivery::ExactlyOnce(_) => Packet::Pubrec(ack),
        Delivery::AtMostOnce | Delivery::AtLeastOnce(_) => Packet::Puback(ack),
    })
}

/// PUBCOMP for the broker.
pub(super) fn completion(packet_id: PacketId) -> Packet<'static> {
    Packet::Pubcomp(Ack::new(packet_id, ReasonCode::SUCCESS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{PropertiesBuf, PropertyValue, Qos, Version};

    fn settings(queued_messages: usize) -> Settings {
        Settings {
            retry_interval: Duration::from_secs(10),
            retry_count: 2,
            queued_messages,
            queued_bytes: 1 << 20,
            topics: 10,
            datagram_size: 1000,
            version: Version::V5,
        }
    }

    /// A message of QoS 0 that expires after these seconds.
    fn waiting(seconds: Option<u32>, now: Instant) -> Waiting {
        let mut properties = PropertiesBuf::default();
        if let Some(seconds) = seconds {
            properties.push(PropertyId::MessageExpiryInterval, PropertyValue::Number(seconds)).unwrap();
        }
        let publish = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic: "a",
            packet_id: None,
            properties: properties.as_properties(),
            payload: b"on",
        };
        Waiting::new(&publish, Delivery::AtMostOnce, now)
    }

    #[test]
    fn a_full_queue_is_searched_only_when_a_message_can_have_expired() {
        let (settings, now) = (settings(3), Instant::now());
        let mut deliveries: Deliveries<()> = Deliveries::new();
        for seconds in [Some(5), None, Some(9)] {
            assert!(!deliveries.is_full(&settings, now));
            deliveries.push(waiting(seconds, now));
        }
        assert!(deliveries.is_full(&settings, now) && !deliveries.may_have_expired_qos_0(now));
        let later = now + Duration::from_secs(6);
        assert!(deliveries.may_have_expired_qos_0(later));
        assert!(!deliveries.is_full(&settings, later));
        // The next one is due after nine seconds.
        assert!(!deliveries.may_have_expired_qos_0(later));
        deliveries.push(waiting(None, later));
        assert!(deliveries.is_full(&settings, later));
        let last = now + Duration::from_secs(10);
        assert!(!deliveries.is_full(&settings, last) && !deliveries.may_have_expired_qos_0(last));
        assert_eq!(deliveries.take_undelivered(), Undelivered { dropped: 0, expired: 2 });
    }

    #[test]
    fn a_message_that_comes_back_into_the_queue_expires_there() {
        let (settings, now) = (settings(1), Instant::now());
        let mut deliveries: Deliveries<()> = Deliveries::new();
        deliveries.push(waiting(Some(5), now));
        let Some(Queued::Message(waiting)) = deliveries.pop() else { panic!("a message waits") };
        let packet_id = deliveries.next_register();
        deliveries.begin(Step::Register { topic_id: 1, packet_id, waiting }, now);
        deliveries.interrupt();
        assert!(deliveries.is_full(&settings, now));
        assert!(!deliveries.is_full(&settings, now + Duration::from_secs(5)));
        deliveries.restart(true);
        assert!(!deliveries.may_have_expired_qos_0(now + Duration::from_secs(5)));
    }
}
