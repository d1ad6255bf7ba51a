//! The queue of one subscriber: bounded in messages and by the client's budget, with back pressure on publishers.
//!
//! From a quarter of its bounds on, publishers are held back until the queue has drained to half of that. At the bound itself
//! expired messages are removed, then further messages are dropped, the newest first.

use super::budget::Account;
use super::excess::Excess;
use super::link::Link;
use super::message::{Delivery, Message, Queued, Share};
use crate::protocol::Qos;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

/// Publishers wait from one part in this many of the queue's bounds. The rest is for publishers that cannot wait.
const PRESSURE_PART: usize = 4;

/// An empty queue releases its memory if its capacity exceeds this.
const KEPT_CAPACITY: usize = 16;

/// The number of retained messages that are queued ahead of sending.
const SCANNED_AHEAD: usize = 1000;

/// The result of queueing a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The message is queued.
    Queued,
    /// The message is queued, and its publisher should wait.
    Pressed,
    /// The queue is full: it exceeds this limit.
    Dropped(Excess),
}

/// The queue of one subscriber.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Queued>,
    bytes: usize,
    /// The time at which the first message expires. Earlier if that one has left the queue.
    next_expiry: Option<Instant>,
    account: Rc<Account>,
    maximum_messages: usize,
    /// Publishers that wait for the queue to drain.
    waiting: Vec<Rc<Link>>,
    last_progress: Instant,
    /// Whether it made no progress for too long, so that publishers no longer wait for it.
    is_stalled: bool,
    /// The next message can be sent only after an acknowledgement.
    needs_acknowledgement: bool,
    /// Messages dropped since they were last reported, and the limit that the last one exceeded.
    dropped: u64,
    excess: Option<Excess>,
    /// Whether the client is on the list for the next report of drops.
    is_listed: bool,
    /// Whether the client is on the list of those that publishers wait for.
    is_watched: bool,
}

impl Outbox {
    pub(super) fn new(account: &Rc<Account>, maximum_messages: usize, now: Instant) -> Outbox {
        Outbox {
            queue: VecDeque::new(),
            bytes: 0,
            next_expiry: None,
            account: Rc::clone(account),
            maximum_messages,
            waiting: Vec::new(),
            last_progress: now,
            is_stalled: false,
            needs_acknowledgement: false,
            dropped: 0,
            excess: None,
            is_listed: false,
            is_watched: false,
        }
    }

    /// Adds a message.
    pub(super) fn push(&mut self, delivery: Delivery) -> Pushed {
        if self.queue.len() >= self.maximum_messages {
            return Pushed::Dropped(Excess::QueuedMessages(self.maximum_messages));
        }
        let (bytes, expiry) = (delivery.message.size, delivery.message.expires_at());
        let Some(queued) = delivery.charge_to(&self.account) else {
            return Pushed::Dropped(self.account.excess(bytes, 0));
        };
        self.bytes += bytes;
        self.queue.push_back(queued);
        self.next_expiry = [self.next_expiry, expiry].into_iter().flatten().min();
        if self.is_pressing() { Pushed::Pressed } else { Pushed::Queued }
    }

    fn is_pressing(&self) -> bool {
        self.exceeds_part(PRESSURE_PART)
    }

    fn is_relieved(&self) -> bool {
        !self.exceeds_part(2 * PRESSURE_PART)
    }

    fn exceeds_part(&self, part: usize) -> bool {
        self.queue.len() > self.maximum_messages / part || self.account.exceeds_part(self.bytes, part)
    }

    /// Whether unacknowledged messages take enough memory that the next message should wait: the queue then fills up, and publishers
    /// wait.
    pub(super) fn is_window_full(&self) -> bool {
        self.account.exceeds_part(self.account.queued().saturating_sub(self.bytes), PRESSURE_PART)
    }

    /// Whether it has room for retained messages, which wait in the store until then.
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < SCANNED_AHEAD.min(self.maximum_messages) && !self.is_pressing()
    }

    /// The next message.
    pub(super) fn next(&self) -> Option<&Delivery> {
        self.queue.front().map(|queued| &queued.delivery)
    }

    /// Whether the queue is full for this message.
    pub(super) fn refuses(&self, delivery: &Delivery) -> bool {
        self.queue.len() >= self.maximum_messages || !delivery.fits(&self.account)
    }

    /// The time at which the first message of the queue expires, or earlier.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// Removes the messages that have expired (MQTT 5.0, section 3.3.2.3.3). Returns the number of removed ones.
    pub(super) fn remove_expired(&mut self, now: Instant) -> u64 {
        if self.next_expiry.is_none_or(|expiry| expiry > now) {
            return 0;
        }
        let before = self.queue.len();
        self.keep(|delivery| !delivery.message.is_expired(now));
        self.next_expiry = self.queue.iter().filter_map(|queued| queued.delivery.message.expires_at()).min();
        (before - self.queue.len()) as u64
    }

    /// The number of messages in the queue.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Removes the next message.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let queued = self.queue.pop_front()?;
        self.bytes -= queued.delivery.message.size;
        if self.queue.is_empty() {
            self.next_expiry = None;
            if self.queue.capacity() > KEPT_CAPACITY {
                self.queue = VecDeque::new();
            }
        }
        Some(queued)
    }

    /// Keeps only these messages.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Delivery) -> bool) {
        self.queue.retain(|queued| is_kept(&queued.delivery));
        self.bytes = self.queue.iter().map(|queued| queued.delivery.message.size).sum();
    }

    /// Keeps only the messages that a session without connection keeps: those of QoS 1 and 2.
    pub(super) fn disconnect(&mut self, now: Instant) {
        self.keep(|delivery| delivery.qos > Qos::AtMostOnce);
        self.release(now);
    }

    /// The messages of QoS 1 and 2 that other members of shared subscriptions can get.
    pub(super) fn for_others(&self) -> impl Iterator<Item = (Rc<Share>, Rc<Message>)> {
        let deliveries = self.queue.iter().map(|queued| &queued.delivery);
        deliveries.filter(|delivery| delivery.qos > Qos::AtMostOnce).filter_map(|delivery| {
            delivery.share.as_ref().map(|share| (Rc::clone(share), Rc::clone(&delivery.message)))
        })
    }

    /// Counts dropped messages. Returns true if the client must be added to the list for the next report.
    pub(super) fn note_drops(&mut self, count: u64, excess: Excess) -> bool {
        self.dropped += count;
        self.excess = Some(excess);
        !std::mem::replace(&mut self.is_listed, true)
    }

    /// Takes the number of drops since the last call, and removes the client from the list.
    pub(super) fn take_dropped(&mut self) -> Option<(u64, Excess)> {
        self.is_listed = false;
        let count = std::mem::take(&mut self.dropped);
        self.excess.take().map(|excess| (count, excess))
    }

    /// Makes a publisher wait until the queue has drained. Returns true if the queue must be added to the list of watched ones.
    pub(super) fn hold_back(&mut self, publisher: &Rc<Link>) -> bool {
        publisher.pause();
        self.waiting.push(Rc::clone(publisher));
        !std::mem::replace(&mut self.is_watched, true)
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a publisher should not wait for this queue.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    pub(super) fn needs_acknowledgement(&self) -> bool {
        self.needs_acknowledgement
    }

    /// Records progress, or that the next message has to wait for an acknowledgement, and releases publishers when there is room
    /// again.
    pub(super) fn drained(&mut self, has_progress: bool, needs_acknowledgement: bool, now: Instant) {
        self.needs_acknowledgement = needs_acknowledgement;
        if has_progress {
            self.last_progress = now;
            self.is_stalled = false;
        }
        if self.has_waiting() && self.is_relieved() {
            self.release(now);
        }
    }

    /// Gives up on a subscriber that read nothing since `oldest`, so that no publisher waits for it. Returns false when the queue
    /// needs no more watching.
    pub(super) fn watch(&mut self, oldest: Instant, now: Instant) -> bool {
        if self.has_waiting() && self.last_progress < oldest {
            self.is_stalled = true;
            self.release(now);
        }
        self.is_watched = self.has_waiting();
        self.is_watched
    }

    /// Resumes all waiting publishers.
    pub(super) fn release(&mut self, now: Instant) {
        std::mem::take(&mut self.waiting).iter().for_each(|publisher| publisher.resume(now));
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;
    use crate::protocol::{Properties, PropertiesBuf, PropertyId, PropertyValue, Publish};
    use std::time::Duration;

    fn outbox() -> Outbox {
        let account = Account::new(&Budget::new(1 << 30), 1 << 20);
        Outbox::new(&account, 16, Instant::now())
    }

    fn delivery(size: usize) -> Delivery {
        expiring_delivery(size, Properties::EMPTY, Instant::now())
    }

    fn expiring_delivery(size: usize, properties: Properties<'_>, now: Instant) -> Delivery {
        let payload = vec![0; size];
        let publish = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic: "t",
            packet_id: None,
            properties,
            payload: &payload,
        };
        let message = Rc::new(Message::new(&publish, 0, now, &Budget::new(1 << 30)));
        Delivery { message, subscription_ids: None, qos: Qos::AtMostOnce, retain: false, share: None }
    }

    #[test]
    fn a_full_queue_drops_the_newest_and_counts_it() {
        let mut outbox = outbox();
        let pushed: Vec<Pushed> = (0..18).map(|_| outbox.push(delivery(1))).collect();
        assert_eq!(pushed[3], Pushed::Queued);
        assert_eq!(pushed[4], Pushed::Pressed);
        assert_eq!(pushed[15], Pushed::Pressed);
        let excess = Excess::QueuedMessages(16);
        assert_eq!(pushed[16..], [Pushed::Dropped(excess), Pushed::Dropped(excess)]);
        assert_eq!([outbox.note_drops(1, excess), outbox.note_drops(1, excess)], [true, false]);
        assert_eq!([outbox.take_dropped(), outbox.take_dropped()], [Some((2, excess)), None]);
    }

    #[test]
    fn bytes_are_bounded_too_and_one_huge_message_passes() {
        let mut outbox = outbox();
        assert_eq!(outbox.push(delivery(2 << 20)), Pushed::Pressed);
        assert_eq!(outbox.push(delivery(1)), Pushed::Dropped(Excess::ClientMemory(1 << 20)));
        drop(outbox.pop());
        assert_eq!(outbox.push(delivery(1)), Pushed::Queued);
    }

    #[test]
    fn expired_messages_make_room() {
        let (mut outbox, now) = (outbox(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        for seconds in 0..16 {
            let mut properties = PropertiesBuf::new();
            let interval = PropertyValue::Number(1 + seconds % 2);
            properties.push(PropertyId::MessageExpiryInterval, interval).unwrap();
            outbox.push(expiring_delivery(1, properties.as_properties(), now));
        }
        assert!(outbox.refuses(&delivery(1)));
        assert_eq!((outbox.remove_expired(now), outbox.next_expiry()), (0, Some(after(1))));
        assert_eq!((outbox.remove_expired(after(1)), outbox.next_expiry()), (8, Some(after(2))));
        assert!(!outbox.refuses(&delivery(1)));
        outbox.push(delivery(1));
        assert_eq!((outbox.remove_expired(after(3)), outbox.next_expiry()), (8, None));
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn publishers_wait_until_the_queue_has_drained() {
        let now = Instant::now();
        let (mut outbox, publisher) = (outbox(), Rc::new(Link::new(now)));
        (0..5).for_each(|_| assert!(!matches!(outbox.push(delivery(1)), Pushed::Dropped(_))));
        outbox.hold_back(&publisher);
        for left in (0..5).rev() {
            outbox.pop();
            outbox.drained(true, false, now);
            assert_eq!(publisher.is_paused(), left > 2, "{left} left");
        }
    }

    #[test]
    fn nobody_waits_for_a_subscriber_that_makes_no_progress() {
        let now = Instant::now();
        let (mut outbox, publisher) = (outbox(), Rc::new(Link::new(now)));
        outbox.push(delivery(1));
        outbox.hold_back(&publisher);
        outbox.watch(now, now);
        assert!(publisher.is_paused());
        outbox.watch(now + Duration::from_secs(1), now);
        assert!(!publisher.is_paused() && outbox.is_stalled());
        outbox.drained(true, false, now);
        assert!(!outbox.is_stalled());
    }
}
