//! Packet identifiers: the answer that each one waits for, their order, and the most recently settled ones.

use crate::inspect::small_map::SmallMap;
use std::collections::VecDeque;

/// Maximum number of settled identifiers to remember; duplicates follow soon after the original.
const MAX_SETTLED: usize = 64;

/// The answer that an identifier waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// PUBLISH with QoS 1 waits for PUBACK.
    Qos1,
    /// PUBLISH with QoS 2 waits for PUBREC.
    Qos2,
    /// PUBREC waits for PUBREL.
    Received,
    /// PUBREL waits for PUBCOMP.
    Released,
    /// SUBSCRIBE with this number of filters waits for SUBACK.
    Subscribed(usize),
    /// UNSUBSCRIBE with this number of filters waits for UNSUBACK.
    Unsubscribed(usize),
    /// Used twice, or answered wrongly: any later packet is accepted.
    Confused,
}

/// An identifier in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) stage: Stage,
    /// A hash that identifies the message.
    pub(super) message: u64,
    /// Time of the last step, in nanoseconds.
    pub(super) last: Option<u64>,
    /// Sequence number of the last step.
    pub(super) order: u32,
    /// Whether it counts against the Receive Maximum.
    pub(super) is_counted: bool,
}

/// An identifier that is free again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) packet_id: u16,
    /// A part of the message's hash: many identifiers are remembered.
    message: u32,
    /// The reason code was 0x80 or higher.
    pub(super) is_refused: bool,
    pub(super) was_confused: bool,
}

/// Packet identifiers in use by one side.
#[derive(Debug, Default)]
pub(super) struct PacketIdsInFlight {
    in_use: SmallMap<u16, InFlight>,
    counted: usize,
    settled: VecDeque<Settled>,
    next_order: u32,
    /// `None` if all are empty.
    queues: Option<Box<[Queue; 3]>>,
    /// There may be unfinished exchanges that were not captured.
    pub(super) misses_some: bool,
}

/// The answers whose order is prescribed.
#[derive(Debug, Clone, Copy)]
pub(super) enum OrderedAck {
    Puback,
    Pubrec,
    Pubrel,
}

/// Identifiers in the order in which the answers are due, some of them already answered.
#[derive(Debug, Default)]
struct Queue(VecDeque<(u16, u32)>);

impl Settled {
    pub(super) fn is_of(self, message: u64) -> bool {
        self.message == message as u32
    }
}

impl Stage {
    fn awaits(self) -> Option<OrderedAck> {
        match self {
            Stage::Qos1 => Some(OrderedAck::Puback),
            Stage::Qos2 => Some(OrderedAck::Pubrec),
            Stage::Received => Some(OrderedAck::Pubrel),
            Stage::Released | Stage::Subscribed(_) | Stage::Unsubscribed(_) | Stage::Confused => None,
        }
    }
}

impl PacketIdsInFlight {
    pub(super) fn get(&self, packet_id: u16) -> Option<InFlight> {
        self.in_use.get(&packet_id).copied()
    }

    /// Number of messages that count against the Receive Maximum.
    pub(super) fn counted(&self) -> usize {
        self.counted
    }

    /// All identifiers in use.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, InFlight)> {
        self.in_use.iter().map(|(packet_id, in_flight)| (*packet_id, *in_flight))
    }

    /// The latest settled use of the identifier, if it is still remembered.
    pub(super) fn settled(&self, packet_id: u16) -> Option<Settled> {
        self.settled.iter().rev().find(|settled| settled.packet_id == packet_id).copied()
    }

    /// Puts an identifier into use, or moves it to another stage.
    pub(super) fn set(&mut self, packet_id: u16, mut in_flight: InFlight) {
        in_flight.order = self.next_order;
        self.next_order = self.next_order.wrapping_add(1);
        self.counted += usize::from(in_flight.is_counted);
        if let Some(before) = self.in_use.insert(packet_id, in_flight) {
            self.counted -= usize::from(before.is_counted);
        }
        if let Some(kind) = in_flight.stage.awaits()
            && let Some(Queue(queue)) = self.queues.get_or_insert_default().get_mut(kind as usize)
        {
            queue.push_back((packet_id, in_flight.order));
            self.drop_answered(kind);
        }
    }

    /// Frees the identifier.
    pub(super) fn settle(&mut self, packet_id: u16, is_refused: bool) {
        let Some(in_flight) = self.in_use.remove(&packet_id) else { return };
        self.counted -= usize::from(in_flight.is_counted);
        if self.settled.len() == MAX_SETTLED {
            self.settled.pop_front();
        }
        let was_confused = in_flight.stage == Stage::Confused;
        let message = in_flight.message as u32;
        self.settled.push_back(Settled { packet_id, message, is_refused, was_confused });
        if self.in_use.is_empty() {
            self.queues = None;
        }
    }

    /// The identifier that should have been answered before this one, if any. Call it before the step of this one; each identifier
    /// is reported once.
    pub(super) fn overtaken(&mut self, kind: OrderedAck, packet_id: u16) -> Option<u16> {
        self.drop_answered(kind);
        let order = self.get(packet_id)?.order;
        let Queue(queue) = self.queues.as_mut()?.get_mut(kind as usize)?;
        let place = queue.iter().position(|entry| *entry == (packet_id, order))?;
        let (first, _) = *queue.front()?;
        // The skipped identifiers leave the queue, so their own answers are not reported.
        queue.drain(..=place);
        (place > 0).then_some(first)
    }

    /// Drops all state after a loss.
    pub(super) fn forget(&mut self) {
        *self = PacketIdsInFlight { misses_some: true, ..PacketIdsInFlight::default() };
    }

    /// Drops answered entries from the front, which bounds the queue by the identifiers in use.
    fn drop_answered(&mut self, kind: OrderedAck) {
        let queues = self.queues.as_mut();
        let Some(Queue(queue)) = queues.and_then(|queues| queues.get_mut(kind as usize)) else { return };
        let in_use = &self.in_use;
        let waits = |(packet_id, order): (u16, u32)| {
            in_use.get(&packet_id).is_some_and(|in_flight| in_flight.order == order)
        };
        while queue.front().is_some_and(|first| !waits(*first)) {
            queue.pop_front();
        }
        // An identifier that is never answered keeps the entries after it in the queue.
        if queue.len() > 2 * in_use.len() + MAX_SETTLED {
            queue.retain(|entry| waits(*entry));
        }
    }
}
