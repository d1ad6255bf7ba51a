//! What waits to be sent to one subscriber: bounded in messages and in bytes, and able to make publishers wait.
//!
//! From [`Bounds::is_pressing`] on, publishers are held back until the queue has drained to half of that. At the bound itself
//! messages are dropped, the newest first.

use super::link::Link;
use super::message::Delivery;
use crate::protocol::Qos;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

/// Publishers wait when the queue is filled to this part of its bounds. The rest is for those that cannot wait.
const PRESSURE_PART: usize = 4;

/// An empty queue gives its memory back when it has room for more than this.
const KEPT_CAPACITY: usize = 16;

/// How much a queue takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Bounds {
    fn is_pressing(self, messages: usize, bytes: usize) -> bool {
        messages > self.messages / PRESSURE_PART || bytes > self.bytes / PRESSURE_PART
    }

    fn is_relieved(self, messages: usize, bytes: usize) -> bool {
        messages <= self.messages / PRESSURE_PART / 2 && bytes <= self.bytes / PRESSURE_PART / 2
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    Queued,
    /// It waits, and whoever published it should as well.
    Pressed,
    /// The queue is full.
    Dropped,
}

/// The queue of one subscriber.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Delivery>,
    bytes: usize,
    /// Publishers that wait for the queue to drain.
    waiting: Vec<Rc<Link>>,
    last_progress: Instant,
    /// It made no progress for so long that nobody waits for it any more.
    is_stalled: bool,
    /// The next message can go out only after an acknowledgement.
    needs_acknowledgement: bool,
    /// Messages dropped since they were last reported.
    dropped: u64,
    /// Whether the client is on the list of those whose drops are to be reported.
    is_listed: bool,
    /// Whether the client is on the list of those that publishers wait for.
    is_watched: bool,
}

impl Outbox {
    pub(super) fn new(now: Instant) -> Outbox {
        Outbox {
            queue: VecDeque::new(),
            bytes: 0,
            waiting: Vec::new(),
            last_progress: now,
            is_stalled: false,
            needs_acknowledgement: false,
            dropped: 0,
            is_listed: false,
            is_watched: false,
        }
    }

    /// Adds a message. One that is larger than the bound in bytes is taken when the queue is empty.
    pub(super) fn push(&mut self, delivery: Delivery, bounds: Bounds) -> Pushed {
        let bytes = self.bytes + delivery.message.size;
        if !self.queue.is_empty() && (self.queue.len() >= bounds.messages || bytes > bounds.bytes) {
            return Pushed::Dropped;
        }
        self.bytes = bytes;
        self.queue.push_back(delivery);
        if bounds.is_pressing(self.queue.len(), bytes) { Pushed::Pressed } else { Pushed::Queued }
    }

    /// The QoS of the next message.
    pub(super) fn next_qos(&self) -> Option<Qos> {
        self.queue.front().map(|delivery| delivery.qos)
    }

    /// Takes out the next message.
    pub(super) fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.queue.pop_front()?;
        self.bytes -= delivery.message.size;
        if self.queue.is_empty() && self.queue.capacity() > KEPT_CAPACITY {
            self.queue = VecDeque::new();
        }
        Some(delivery)
    }

    /// Leaves only what a session keeps that has no connection: messages of QoS 1 and 2.
    pub(super) fn disconnect(&mut self, now: Instant) {
        self.queue.retain(|delivery| delivery.qos > Qos::AtMostOnce);
        self.bytes = self.queue.iter().map(|delivery| delivery.message.size).sum();
        self.release(now);
    }

    /// Counts messages that the client did not get. True when it is to be put on the list for a report.
    pub(super) fn note_drops(&mut self, count: u64) -> bool {
        self.dropped += count;
        !std::mem::replace(&mut self.is_listed, true)
    }

    /// How many were dropped since this was last asked; the client is off the list.
    pub(super) fn take_dropped(&mut self) -> u64 {
        self.is_listed = false;
        std::mem::take(&mut self.dropped)
    }

    /// Makes a publisher wait until the queue has drained. True when the queue is to be put on the list of those that are
    /// watched.
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

    /// Notes that something went out, or that what is next has to wait for an acknowledgement, and lets publishers go on
    /// when there is room again.
    pub(super) fn drained(
        &mut self,
        has_progress: bool,
        needs_acknowledgement: bool,
        bounds: Bounds,
        now: Instant,
    ) {
        self.needs_acknowledgement = needs_acknowledgement;
        if has_progress {
            self.last_progress = now;
            self.is_stalled = false;
        }
        if self.has_waiting() && bounds.is_relieved(self.queue.len(), self.bytes) {
            self.release(now);
        }
    }

    /// Gives up on a subscriber that took nothing since `oldest`, so that nobody waits for it. False when the queue needs no
    /// more watching.
    pub(super) fn watch(&mut self, oldest: Instant, now: Instant) -> bool {
        if self.has_waiting() && self.last_progress < oldest {
            self.is_stalled = true;
            self.release(now);
        }
        self.is_watched = self.has_waiting();
        self.is_watched
    }

    /// Lets all waiting publishers go on.
    pub(super) fn release(&mut self, now: Instant) {
        std::mem::take(&mut self.waiting).iter().for_each(|publisher| publisher.resume(now));
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;
    use crate::protocol::{Properties, Publish};
    use std::time::Duration;

    const BOUNDS: Bounds = Bounds { messages: 16, bytes: 1 << 20 };

    fn delivery(size: usize) -> Delivery {
        let payload = vec![0; size];
        let publish = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic: "t",
            packet_id: None,
            properties: Properties::EMPTY,
            payload: &payload,
        };
        let message = Rc::new(Message::new(&publish, Instant::now()));
        Delivery { message, subscription_ids: None, qos: Qos::AtMostOnce, retain: false }
    }

    #[test]
    fn a_full_queue_drops_the_newest_and_counts_it() {
        let mut outbox = Outbox::new(Instant::now());
        let pushed: Vec<Pushed> = (0..18).map(|_| outbox.push(delivery(1), BOUNDS)).collect();
        assert_eq!(pushed[3], Pushed::Queued);
        assert_eq!(pushed[4], Pushed::Pressed);
        assert_eq!(pushed[15], Pushed::Pressed);
        assert_eq!(pushed[16..], [Pushed::Dropped, Pushed::Dropped]);
        assert_eq!([outbox.note_drops(1), outbox.note_drops(1)], [true, false]);
        assert_eq!([outbox.take_dropped(), outbox.take_dropped()], [2, 0]);
    }

    #[test]
    fn bytes_are_bounded_too_and_one_huge_message_passes() {
        let mut outbox = Outbox::new(Instant::now());
        assert_eq!(outbox.push(delivery(2 << 20), BOUNDS), Pushed::Pressed);
        assert_eq!(outbox.push(delivery(1), BOUNDS), Pushed::Dropped);
        assert!(outbox.pop().is_some());
        assert_eq!(outbox.push(delivery(1), BOUNDS), Pushed::Queued);
    }

    #[test]
    fn publishers_wait_until_the_queue_has_drained() {
        let now = Instant::now();
        let (mut outbox, publisher) = (Outbox::new(now), Rc::new(Link::new(now)));
        (0..5).for_each(|_| assert_ne!(outbox.push(delivery(1), BOUNDS), Pushed::Dropped));
        outbox.hold_back(&publisher);
        for left in (0..5).rev() {
            outbox.pop();
            outbox.drained(true, false, BOUNDS, now);
            assert_eq!(publisher.is_paused(), left > 2, "{left} left");
        }
    }

    #[test]
    fn nobody_waits_for_a_subscriber_that_makes_no_progress() {
        let now = Instant::now();
        let (mut outbox, publisher) = (Outbox::new(now), Rc::new(Link::new(now)));
        outbox.push(delivery(1), BOUNDS);
        outbox.hold_back(&publisher);
        outbox.watch(now, now);
        assert!(publisher.is_paused());
        outbox.watch(now + Duration::from_secs(1), now);
        assert!(!publisher.is_paused() && outbox.is_stalled());
        outbox.drained(true, false, BOUNDS, now);
        assert!(!outbox.is_stalled());
    }
}
