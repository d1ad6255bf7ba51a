//! Packet identifiers in use: what each one waits for, in which order they came, and which ones were settled last.

use foldhash::fast::RandomState;
use std::collections::{HashMap, VecDeque};

/// So many settled identifiers are remembered: sent again, or acknowledged again, is what was settled just before.
const MAX_SETTLED: usize = 64;

/// What an identifier waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A message with QoS 1, for PUBACK.
    Qos1,
    /// A message with QoS 2, for PUBREC.
    Qos2,
    /// PUBREC was sent: for PUBREL.
    Received,
    /// PUBREL was sent: for PUBCOMP.
    Released,
    /// So many filters, for SUBACK.
    Subscribed(usize),
    /// So many filters, for UNSUBACK.
    Unsubscribed(usize),
    /// Used twice, or answered wrongly: whatever comes fits one use or the other.
    Confused,
}

/// An identifier in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) stage: Stage,
    /// Tells messages apart; equal for equal ones.
    pub(super) message: u64,
    /// When the last step was taken, in nanoseconds.
    pub(super) last: Option<u64>,
    /// Its place in the order of the last step.
    pub(super) order: u32,
    /// Counts against the Receive Maximum.
    pub(super) is_counted: bool,
}

/// An identifier that is free again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) packet_id: u16,
    pub(super) message: u64,
    /// With a reason code from 0x80 on.
    pub(super) is_refused: bool,
    pub(super) was_confused: bool,
}

/// What one side began.
#[derive(Debug, Default)]
pub(super) struct Flights {
    in_use: HashMap<u16, Flight, RandomState>,
    counted: usize,
    settled: VecDeque<Settled>,
    next_order: u32,
    queues: [Queue; 3],
    /// Something may be under way that was not seen.
    pub(super) misses_some: bool,
}

/// The kinds of answer that have to come in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ordered {
    Puback,
    Pubrec,
    Pubrel,
}

/// Identifiers in the order in which they are to be answered; some of them may be answered already.
#[derive(Debug, Default)]
struct Queue(VecDeque<(u16, u32)>);

impl Stage {
    fn awaits(self) -> Option<Ordered> {
        match self {
            Stage::Qos1 => Some(Ordered::Puback),
            Stage::Qos2 => Some(Ordered::Pubrec),
            Stage::Received => Some(Ordered::Pubrel),
            Stage::Released | Stage::Subscribed(_) | Stage::Unsubscribed(_) | Stage::Confused => None,
        }
    }
}

impl Flights {
    pub(super) fn get(&self, packet_id: u16) -> Option<Flight> {
        self.in_use.get(&packet_id).copied()
    }

    /// How many count against the Receive Maximum.
    pub(super) fn counted(&self) -> usize {
        self.counted
    }

    /// All that is in use.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, Flight)> {
        self.in_use.iter().map(|(packet_id, flight)| (*packet_id, *flight))
    }

    /// The last time that the identifier was settled, if that was not long ago.
    pub(super) fn settled(&self, packet_id: u16) -> Option<Settled> {
        self.settled.iter().rev().find(|settled| settled.packet_id == packet_id).copied()
    }

    /// An identifier comes into use, or goes on to another stage.
    pub(super) fn set(&mut self, packet_id: u16, mut flight: Flight) {
        flight.order = self.next_order;
        self.next_order = self.next_order.wrapping_add(1);
        self.counted += usize::from(flight.is_counted);
        if let Some(before) = self.in_use.insert(packet_id, flight) {
            self.counted -= usize::from(before.is_counted);
        }
        if let Some(kind) = flight.stage.awaits()
            && let Some(Queue(queue)) = self.queues.get_mut(kind as usize)
        {
            queue.push_back((packet_id, flight.order));
            self.drop_answered(kind);
        }
    }

    /// The identifier is free again.
    pub(super) fn settle(&mut self, packet_id: u16, is_refused: bool) {
        let Some(flight) = self.in_use.remove(&packet_id) else { return };
        self.counted -= usize::from(flight.is_counted);
        if self.settled.len() == MAX_SETTLED {
            self.settled.pop_front();
        }
        let was_confused = flight.stage == Stage::Confused;
        self.settled.push_back(Settled { packet_id, message: flight.message, is_refused, was_confused });
    }

    /// The identifier that should be answered before this one, if there is one. Asked before this one is; each is told once.
    pub(super) fn overtaken(&mut self, kind: Ordered, packet_id: u16) -> Option<u16> {
        self.drop_answered(kind);
        let order = self.get(packet_id)?.order;
        let Queue(queue) = self.queues.get_mut(kind as usize)?;
        let place = queue.iter().position(|entry| *entry == (packet_id, order))?;
        let (first, _) = *queue.front()?;
        // The others were overtaken; when their turn comes they have no place any more.
        queue.drain(..=place);
        (place > 0).then_some(first)
    }

    /// Nothing is known any longer of what is under way.
    pub(super) fn forget(&mut self) {
        *self = Flights { misses_some: true, ..Flights::default() };
    }

    /// Takes what waits for nothing any longer off the front, so that a queue is hardly longer than what is in use.
    fn drop_answered(&mut self, kind: Ordered) {
        let Some(Queue(queue)) = self.queues.get_mut(kind as usize) else { return };
        let in_use = &self.in_use;
        let waits = |(packet_id, order): (u16, u32)| {
            in_use.get(&packet_id).is_some_and(|flight| flight.order == order)
        };
        while queue.front().is_some_and(|first| !waits(*first)) {
            queue.pop_front();
        }
        // The first one may wait for ever, and hold the others up.
        if queue.len() > 2 * in_use.len() + MAX_SETTLED {
            queue.retain(|entry| waits(*entry));
        }
    }
}
