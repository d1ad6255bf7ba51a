//! The sent QoS 1 and 2 messages that are not fully acknowledged, in the order of sending.
//!
//! Acknowledgements nearly always arrive in that order too, so a queue searched from the front finds them immediately and
//! keeps the order that a resend needs [MQTT-4.6.0-1].

use crate::protocol::{PacketId, Qos};
use std::collections::VecDeque;

/// The acknowledgement that a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Puback,
    Pubrec,
    Pubcomp,
}

#[derive(Debug)]
pub(super) struct Slot<M> {
    pub(super) packet_id: PacketId,
    pub(super) stage: Stage,
    /// PUBREL was already sent on an earlier connection, so the peer may have forgotten the message.
    pub(super) is_released_again: bool,
    /// PUBREC had the reason code "no matching subscribers".
    pub(super) is_unmatched: bool,
    pub(super) message: M,
}

/// The first `sent` slots were sent on this connection; the others wait for retransmission after a reconnect.
#[derive(Debug)]
pub(super) struct Outbound<M> {
    slots: VecDeque<Slot<M>>,
    sent: usize,
    /// Whether the waiting messages may have reached the peer, so that they need DUP.
    is_duplicate: bool,
}

impl<M> Outbound<M> {
    pub(super) fn new() -> Outbound<M> {
        Outbound { slots: VecDeque::new(), sent: 0, is_duplicate: false }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The memory of the slots, without memory that the messages hold elsewhere.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<M>>()
    }

    /// The number of messages that count against the peer's receive maximum.
    pub(super) fn in_flight(&self) -> usize {
        self.sent
    }

    /// Whether all messages were sent on this connection, so that a new one may follow.
    pub(super) fn is_caught_up(&self) -> bool {
        self.sent == self.slots.len()
    }

    pub(super) fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }

    pub(super) fn packet_ids(&self) -> impl Iterator<Item = PacketId> {
        self.slots.iter().map(|slot| slot.packet_id)
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &M> {
        self.slots.iter().map(|slot| &slot.message)
    }

    /// Adds a message that is sent now.
    pub(super) fn push_sent(&mut self, packet_id: PacketId, qos: Qos, message: M) {
        let stage = if qos == Qos::ExactlyOnce { Stage::Pubrec } else { Stage::Puback };
        self.slots.push_back(Slot {
            packet_id,
            stage,
            is_released_again: false,
            is_unmatched: false,
            message,
        });
        self.sent += 1;
    }

    /// The message with that identifier, among those sent on this connection.
    pub(super) fn find(&mut self, packet_id: PacketId) -> Option<(usize, &mut Slot<M>)> {
        let index = self.place_of(packet_id)?;
        self.slots.get_mut(index).map(|slot| (index, slot))
    }

    /// Identifiers are allocated in order, so an identifier's distance from the first is its index, unless messages in between are
    /// settled.
    fn place_of(&self, packet_id: PacketId) -> Option<usize> {
        let distance = self.slots.front()?.packet_id.distance_to(packet_id);
        let is_it = |slot: &&Slot<M>| slot.packet_id == packet_id;
        if distance < self.sent && self.slots.get(distance).filter(is_it).is_some() {
            return Some(distance);
        }
        self.slots.iter().take(self.sent).position(|slot| slot.packet_id == packet_id)
    }

    /// Removes the message at this index.
    pub(super) fn remove(&mut self, index: usize) -> Option<M> {
        let slot = if index == 0 { self.slots.pop_front() } else { self.slots.remove(index) }?;
        if index < self.sent {
            self.sent -= 1;
        }
        if self.slots.is_empty() && self.slots.capacity() > 64 {
            self.slots = VecDeque::new();
        }
        Some(slot.message)
    }

    /// Starts over on a new connection: all messages wait for retransmission. If the peer lost the session, messages that it
    /// acknowledged with PUBREC are returned instead, since a retransmission could deliver them twice.
    pub(super) fn restart(&mut self, session_present: bool) -> Vec<(PacketId, M)> {
        self.sent = 0;
        self.is_duplicate = session_present;
        if session_present {
            return Vec::new();
        }
        let (taken, kept) = std::mem::take(&mut self.slots)
            .into_iter()
            .partition::<Vec<_>, _>(|slot| slot.stage == Stage::Pubcomp);
        self.slots = kept.into();
        taken.into_iter().map(|slot| (slot.packet_id, slot.message)).collect()
    }

    /// The next message to retransmit.
    pub(super) fn next_waiting(&self) -> Option<&Slot<M>> {
        self.slots.get(self.sent)
    }

    /// Notes that the message from [`Outbound::next_waiting`] was sent.
    pub(super) fn advance(&mut self) {
        if let Some(slot) = self.slots.get_mut(self.sent) {
            slot.is_released_again = slot.stage == Stage::Pubcomp;
        }
        self.sent += 1;
    }

    /// Removes the message from [`Outbound::next_waiting`], which cannot be sent on this connection.
    pub(super) fn remove_waiting(&mut self) -> Option<M> {
        self.remove(self.sent)
    }
}
