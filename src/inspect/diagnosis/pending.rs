//! Packets of a connection that wait for an answer. Memory is bounded; packets beyond the bound are not judged.

use crate::inspect::capture::Moment;
use crate::inspect::field::Tree;
use crate::inspect::small_map::SmallMap;
use crate::inspect::{Direction, Name, Value};
use crate::protocol::PacketType;
use std::rc::Rc;

/// The most packets of a connection that wait.
const MAX_PENDING: usize = 1024;

/// The receive maximum to assume if none is stated: mosquitto's limit for messages in flight.
const ASSUMED_MAXIMUM: u16 = 20;

/// A packet that waits for an answer.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) packet_type: PacketType,
    pub(super) at: Moment,
    /// The topic of PUBLISH.
    pub(super) topic: Option<Rc<str>>,
    /// The topic filters of SUBSCRIBE and UNSUBSCRIBE; the flag is No Local.
    pub(super) filters: Vec<(Rc<str>, bool)>,
}

/// The packets of both sides that wait. Of many connections, few have any, so they are kept only while they wait.
#[derive(Debug, Default)]
pub(super) struct PendingPackets(Option<Box<Pending>>);

#[derive(Debug, Default)]
struct Pending {
    /// By sender and packet identifier.
    waiting: SmallMap<(Direction, u16), Waiting>,
    in_flight: [InFlight; 2],
    connect: Option<Moment>,
    pings: u32,
    /// The first unanswered PINGREQ.
    ping: Option<Moment>,
}

/// Messages of one side with QoS 1 and 2 that are not acknowledged completely.
#[derive(Debug, Default, Clone, Copy)]
struct InFlight {
    count: u32,
    /// The time since which there are as many as the receiver allows.
    full_since: Option<Moment>,
    is_assumed: bool,
}

/// A period in which as many messages were in flight as the receiver allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct FullPeriod {
    pub(super) sender: Direction,
    pub(super) first: Moment,
    pub(super) last: Moment,
    /// The receiver stated no limit.
    pub(super) is_assumed: bool,
}

impl PendingPackets {
    /// The packets that wait, with their senders and identifiers.
    pub(super) fn all(&self) -> impl Iterator<Item = (Direction, u16, &Waiting)> {
        let waiting = self.0.iter().flat_map(|pending| pending.waiting.iter());
        waiting.map(|((sender, packet_id), waiting)| (*sender, *packet_id, waiting))
    }

    /// Adds a packet. A repeated one waits since it was sent first.
    pub(super) fn add(&mut self, sender: Direction, packet_id: u16, waiting: Waiting) {
        let is_publish = waiting.packet_type == PacketType::Publish;
        let key = (sender, packet_id);
        let pending = self.0.get_or_insert_default();
        if let Some(known) = pending.waiting.get_mut(&key) {
            let is_same = known.packet_type == waiting.packet_type
                || (matches!(known.packet_type, PacketType::Pubrec | PacketType::Pubrel) && is_publish);
            if !is_same {
                *known = waiting;
            }
            return;
        }
        if pending.waiting.len() < MAX_PENDING {
            pending.waiting.insert(key, waiting);
            if let Some(in_flight) = pending.in_flight.get_mut(sender as usize).filter(|_| is_publish) {
                in_flight.count += 1;
            }
        }
    }

    /// PUBREC answers the PUBLISH of `sender`, and waits for PUBREL itself.
    pub(super) fn receive(&mut self, sender: Direction, packet_id: u16, at: Moment) {
        let waiting = self.waiting_mut(sender, packet_id);
        if let Some(waiting) = waiting.filter(|waiting| waiting.packet_type == PacketType::Publish) {
            (waiting.packet_type, waiting.at) = (PacketType::Pubrec, at);
        }
    }

    /// PUBREL follows PUBREC in the same exchange; returns whether it is repeated.
    pub(super) fn release(&mut self, sender: Direction, packet_id: u16, at: Moment) -> bool {
        let Some(waiting) = self.waiting_mut(sender, packet_id) else { return false };
        let is_repeated = waiting.packet_type == PacketType::Pubrel;
        if !is_repeated {
            (waiting.packet_type, waiting.at) = (PacketType::Pubrel, at);
        }
        is_repeated
    }

    /// Removes the packet that this one answers.
    pub(super) fn take(&mut self, sender: Direction, packet_id: u16) -> Option<Waiting> {
        let pending = self.0.as_mut()?;
        let taken = pending.waiting.remove(&(sender, packet_id))?;
        if matches!(taken.packet_type, PacketType::Publish | PacketType::Pubrec | PacketType::Pubrel)
            && let Some(in_flight) = pending.in_flight.get_mut(sender as usize)
        {
            in_flight.count = in_flight.count.saturating_sub(1);
        }
        self.forget_answered();
        Some(taken)
    }

    /// The topic of a message that waits.
    pub(super) fn topic(&self, sender: Direction, packet_id: u16) -> Option<Rc<str>> {
        self.0.as_ref()?.waiting.get(&(sender, packet_id))?.topic.clone()
    }

    /// Compares the messages in flight with the limit of the receiver. Returns the period at the limit that has ended.
    pub(super) fn check_limit(
        &mut self,
        sender: Direction,
        receive_maximum: Option<u16>,
        at: Moment,
    ) -> Option<FullPeriod> {
        let in_flight = self.0.as_mut()?.in_flight.get_mut(sender as usize)?;
        let stated = receive_maximum.filter(|limit| *limit < u16::MAX);
        // Servers limit the messages in flight to a client without being asked; clients rarely do.
        let assumed = (sender == Direction::ServerToClient).then_some(ASSUMED_MAXIMUM);
        let limit = stated.or(assumed)?;
        in_flight.is_assumed = stated.is_none();
        if in_flight.count >= limit.into() {
            in_flight.full_since.get_or_insert(at);
            return None;
        }
        let (first, is_assumed) = (in_flight.full_since.take()?, in_flight.is_assumed);
        self.forget_answered();
        Some(FullPeriod { sender, first, last: at, is_assumed })
    }

    /// The periods at the limit that have not ended.
    pub(super) fn full_periods(&self, last: Moment) -> impl Iterator<Item = FullPeriod> {
        let in_flight = self.0.as_ref().map(|pending| pending.in_flight).unwrap_or_default();
        Direction::BOTH.into_iter().zip(in_flight).filter_map(move |(sender, in_flight)| {
            let (first, is_assumed) = (in_flight.full_since?, in_flight.is_assumed);
            Some(FullPeriod { sender, first, last, is_assumed })
        })
    }

    pub(super) fn connect(&mut self, at: Moment) {
        self.0.get_or_insert_default().connect = Some(at);
    }

    /// CONNECT was answered.
    pub(super) fn connack(&mut self) {
        if let Some(pending) = &mut self.0 {
            pending.connect = None;
        }
        self.forget_answered();
    }

    pub(super) fn ping(&mut self, at: Moment) {
        let pending = self.0.get_or_insert_default();
        pending.pings += 1;
        pending.ping.get_or_insert(at);
    }

    pub(super) fn pong(&mut self) {
        if let Some(pending) = &mut self.0 {
            pending.pings = pending.pings.saturating_sub(1);
            pending.ping = pending.ping.filter(|_| pending.pings > 0);
        }
        self.forget_answered();
    }

    /// CONNECT and the first PINGREQ, if they have no answer.
    pub(super) fn requests(&self) -> [(PacketType, Option<Moment>); 2] {
        let (connect, ping) =
            self.0.as_ref().map(|pending| (pending.connect, pending.ping)).unwrap_or_default();
        [(PacketType::Connect, connect), (PacketType::Pingreq, ping)]
    }

    /// An answer may not have been captured.
    pub(super) fn forget(&mut self) {
        *self = PendingPackets::default();
    }

    fn waiting_mut(&mut self, sender: Direction, packet_id: u16) -> Option<&mut Waiting> {
        self.0.as_mut()?.waiting.get_mut(&(sender, packet_id))
    }

    /// Frees the memory if nothing waits.
    fn forget_answered(&mut self) {
        let is_idle = |pending: &mut Box<Pending>| {
            let is_full = pending.in_flight.iter().any(|in_flight| in_flight.full_since.is_some());
            pending.waiting.is_empty() && pending.connect.is_none() && pending.pings == 0 && !is_full
        };
        self.0.take_if(is_idle);
    }
}

/// The topic filters of SUBSCRIBE or UNSUBSCRIBE, with No Local.
pub(super) fn filters(tree: &Tree<'_>) -> Vec<(Rc<str>, bool)> {
    let mut filters: Vec<(Rc<str>, bool)> = Vec::new();
    for field in &tree.fields {
        match (field.name, field.value) {
            (Name::TopicFilter | Name::FilterToRemove, Value::Text(text)) => {
                filters.push((Rc::from(text), false));
            }
            (Name::NoLocal, Value::Flag(true)) => {
                if let Some((_, no_local)) = filters.last_mut() {
                    *no_local = true;
                }
            }
            _ => {}
        }
    }
    filters
}
