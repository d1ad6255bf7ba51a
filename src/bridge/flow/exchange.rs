//! One message at QoS 1 or 2 on its way: the acknowledgements that its source expects, and its copies for the target.

use crate::protocol::{PacketId, Qos};
use std::time::Instant;

/// The distance of the identifiers of copies. A restarted bridge finds the copies of a message by it.
const STRIDE: u32 = 8191;

/// A message of which the source has not received the last acknowledgement, or the target has not sent it.
#[derive(Debug)]
pub(super) struct Exchange<M> {
    /// The identifier at the source.
    pub(super) packet_id: PacketId,
    /// The QoS at the source.
    pub(super) qos: Qos,
    pub(super) source: Source,
    /// Whether the source sent a packet of the exchange on its current connection. Acknowledgements wait for that.
    pub(super) is_seen: bool,
    /// The time of the last acknowledgement to the source.
    pub(super) acknowledged: Instant,
    /// The message; `None` if an earlier run of the bridge received it.
    pub(super) message: Option<M>,
    /// The copies. Mostly one, which needs no allocation.
    first: Option<Leg>,
    others: Vec<Leg>,
}

/// The state of an exchange at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The source waits for PUBACK or PUBREC.
    Open,
    /// PUBREC was sent.
    Recorded,
    /// The source sent PUBREL, and waits for PUBCOMP.
    Released,
    /// The source does not know the exchange any longer.
    Gone,
}

/// A copy of a message for one topic at the target.
#[derive(Debug)]
pub(super) struct Leg {
    /// The identifier at the target.
    pub(super) packet_id: PacketId,
    pub(super) qos: Qos,
    /// The number of the topic.
    pub(super) target: usize,
    pub(super) stage: Stage,
    /// Whether it counts as in flight on the current connection to the target.
    pub(super) is_on_wire: bool,
    /// Whether PUBLISH was sent on any connection.
    pub(super) was_sent: bool,
    /// Whether the target sent PUBREC on an earlier connection, and has not got PUBREL.
    pub(super) is_received_earlier: bool,
    /// The time of the last packet to the target.
    pub(super) since: Instant,
}

/// The state of a copy at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// PUBLISH is to be sent.
    Waiting,
    /// The target has to answer PUBLISH.
    Sent,
    /// The target sent PUBREC, and waits for PUBREL.
    Received,
    /// The target has to answer PUBREL.
    Released,
    /// The target does not expect or owe anything.
    Done,
}

impl<M> Exchange<M> {
    /// A message that the source has just sent.
    pub(super) fn new(packet_id: PacketId, qos: Qos, message: Option<M>, now: Instant) -> Exchange<M> {
        Exchange {
            packet_id,
            qos,
            source: Source::Open,
            is_seen: true,
            acknowledged: now,
            message,
            first: None,
            others: Vec::new(),
        }
    }

    /// Adds a copy for the topic of that number.
    pub(super) fn add_leg(&mut self, target: usize, qos: Qos, stage: Stage, now: Instant) {
        let copy = self.legs().count();
        let packet_id = copy_id(self.packet_id, copy);
        let was_sent = stage != Stage::Waiting;
        let leg = Leg {
            packet_id,
            qos,
            target,
            stage,
            is_on_wire: false,
            was_sent,
            is_received_earlier: false,
            since: now,
        };
        match self.first {
            None => self.first = Some(leg),
            Some(_) => self.others.push(leg),
        }
    }

    pub(super) fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.first.iter().chain(&self.others)
    }

    pub(super) fn legs_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// The copies that are not in flight on the current connection.
    pub(super) fn unsent(&self) -> impl Iterator<Item = &Leg> {
        self.legs().filter(|leg| leg.stage != Stage::Done && !leg.is_on_wire)
    }

    /// The message and the copies.
    pub(super) fn parts_mut(&mut self) -> (Option<&M>, impl Iterator<Item = &mut Leg>) {
        (self.message.as_ref(), self.first.iter_mut().chain(&mut self.others))
    }

    /// Whether PUBLISH was sent to the target at any time.
    pub(super) fn is_started(&self) -> bool {
        self.legs().any(|leg| leg.was_sent)
    }

    pub(super) fn is_done(&self) -> bool {
        self.legs().all(|leg| leg.stage == Stage::Done)
    }

    /// Whether the target is responsible for all copies.
    pub(super) fn is_received(&self) -> bool {
        self.legs().all(|leg| matches!(leg.stage, Stage::Received | Stage::Released | Stage::Done))
    }
}

/// The identifier at the target of the copy of that number: the source's own for the first one.
pub(super) fn copy_id(packet_id: PacketId, copy: usize) -> PacketId {
    let steps = u32::try_from(copy).unwrap_or_default() * STRIDE;
    let value = (u32::from(packet_id.value()) - 1 + steps) % u32::from(u16::MAX) + 1;
    u16::try_from(value).ok().and_then(PacketId::new).unwrap_or(packet_id)
}

/// A set of packet identifiers, in 8 KiB.
#[derive(Debug, Default, Clone)]
pub(super) struct PacketIds {
    /// A bit for each identifier. Empty until the first one is inserted.
    words: Vec<u64>,
}

impl PacketIds {
    pub(super) fn all() -> PacketIds {
        PacketIds { words: vec![u64::MAX; usize::from(u16::MAX) / 64 + 1] }
    }

    pub(super) fn insert(&mut self, packet_id: PacketId) {
        let (word, bit) = position(packet_id);
        if self.words.is_empty() {
            self.words = vec![0; usize::from(u16::MAX) / 64 + 1];
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn remove(&mut self, packet_id: PacketId) {
        let (word, bit) = position(packet_id);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(super) fn contains(&self, packet_id: PacketId) -> bool {
        let (word, bit) = position(packet_id);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = PacketId> {
        (1..=u16::MAX).filter_map(PacketId::new).filter(|&packet_id| self.contains(packet_id))
    }
}

/// The word and the bit of an identifier.
fn position(packet_id: PacketId) -> (usize, u64) {
    let value = packet_id.value();
    (usize::from(value / 64), 1 << (value % 64))
}
