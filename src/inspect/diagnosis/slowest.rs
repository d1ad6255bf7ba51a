//! The slowest answers of a capture.

use super::sighting::Party;
use crate::inspect::capture::Moment;
use crate::inspect::{Direction, Packet};
use crate::protocol::PacketType;

/// The number of answers to list.
const MAX_ANSWERS: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Slowest(Vec<SlowestAnswer>);

/// A packet that answers another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlowestAnswer {
    /// Nanoseconds since the packet that it answers.
    pub(super) nanoseconds: u64,
    pub(super) packet_type: PacketType,
    pub(super) sender: Direction,
    pub(super) party: Party,
    pub(super) connection: u32,
    pub(super) at: Moment,
}

impl Slowest {
    pub(super) fn add(
        &mut self,
        nanoseconds: u64,
        packet_type: PacketType,
        packet: &Packet<'_>,
        party: Party,
    ) {
        let is_full = self.0.len() >= MAX_ANSWERS;
        if is_full && self.0.last().is_some_and(|last| last.nanoseconds >= nanoseconds) {
            return;
        }
        let (sender, connection, at) = (packet.direction, packet.connection, packet.at);
        let answer = SlowestAnswer { nanoseconds, packet_type, sender, party, connection, at };
        let place = self.0.partition_point(|other| other.nanoseconds >= nanoseconds);
        self.0.insert(place, answer);
        self.0.truncate(MAX_ANSWERS);
    }

    /// The slowest one first.
    pub(super) fn all(&self) -> &[SlowestAnswer] {
        &self.0
    }
}
