//! Packet identifiers: never 0, and unique among the packets in flight [MQTT-2.2.1-3].

use std::fmt;
use std::num::NonZeroU16;

/// A packet identifier, which matches an acknowledgement with its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The identifier of that number; `None` for 0.
    pub fn new(value: u16) -> Option<PacketId> {
        NonZeroU16::new(value).map(PacketId)
    }

    /// The number on the wire.
    pub fn value(self) -> u16 {
        self.0.get()
    }

    /// The number of steps around the circle of identifiers from this one to another.
    pub(super) fn distance_to(self, other: PacketId) -> usize {
        let (from, to) = (self.value(), other.value());
        // 0 is not a valid identifier, so it is skipped.
        let steps = if to >= from { to - from } else { to.wrapping_sub(from) - 1 };
        steps.into()
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Allocates packet identifiers in a circle, skipping those in use.
///
/// The `free` identifiers from `next` on are known to be unused, so the identifiers in use are examined once per run of free
/// ones, not once per packet.
#[derive(Debug)]
pub(super) struct PacketIds {
    next: NonZeroU16,
    free: u16,
}

impl PacketIds {
    pub(super) fn new() -> PacketIds {
        PacketIds { next: NonZeroU16::MIN, free: u16::MAX }
    }

    /// An identifier that is not among `in_use`; `None` when all 65,535 are taken.
    pub(super) fn allocate(&mut self, in_use: impl Iterator<Item = PacketId>) -> Option<PacketId> {
        if self.free == 0 {
            self.find_free_run(in_use)?;
        }
        let allocated = self.next;
        self.free -= 1;
        self.next = allocated.checked_add(1).unwrap_or(NonZeroU16::MIN);
        Some(PacketId(allocated))
    }

    /// Moves `next` to the first unused identifier at or after it and counts the unused ones that follow.
    fn find_free_run(&mut self, in_use: impl Iterator<Item = PacketId>) -> Option<()> {
        const COUNT: u32 = u16::MAX as u32;
        let start = u32::from(self.next.get());
        let mut distances: Vec<u32> =
            in_use.map(|id| (u32::from(id.value()) + COUNT - start) % COUNT).collect();
        distances.sort_unstable();
        let mut offset = 0;
        for distance in distances {
            if distance > offset {
                return self.take_run(start, offset, distance - offset);
            }
            offset = distance + 1;
        }
        if offset >= COUNT {
            return None;
        }
        self.take_run(start, offset, COUNT - offset)
    }

    fn take_run(&mut self, start: u32, offset: u32, length: u32) -> Option<()> {
        let next = (start - 1 + offset) % u32::from(u16::MAX) + 1;
        self.next = u16::try_from(next).ok().and_then(NonZeroU16::new)?;
        self.free = u16::try_from(length).ok()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_use_are_stepped_over_and_reused_once_free() {
        let mut ids = PacketIds::new();
        let first = ids.allocate(std::iter::empty()).unwrap();
        assert_eq!(first.value(), 1);
        for expected in 2..=u16::MAX {
            assert_eq!(ids.allocate(std::iter::once(first)).unwrap().value(), expected);
        }
        assert_eq!(ids.allocate(std::iter::once(first)).unwrap().value(), 2);
    }

    #[test]
    fn gaps_between_stuck_identifiers_are_found() {
        let stuck: Vec<PacketId> = [1, 2, 4, u16::MAX].into_iter().filter_map(PacketId::new).collect();
        let mut ids = PacketIds { next: NonZeroU16::MAX, free: 0 };
        let next =
            |ids: &mut PacketIds, used: &[PacketId]| ids.allocate(used.iter().copied()).unwrap().value();
        assert_eq!(next(&mut ids, &stuck), 3);
        assert_eq!(next(&mut ids, &stuck), 5);
        assert_eq!(next(&mut ids, &stuck), 6);
    }

    #[test]
    fn the_circle_of_identifiers_has_no_zero() {
        let distance = |from, to| PacketId::new(from).unwrap().distance_to(PacketId::new(to).unwrap());
        assert_eq!(
            [distance(7, 7), distance(7, 9), distance(u16::MAX, 1), distance(9, 7)],
            [0, 2, 1, 65_533]
        );
    }

    #[test]
    fn none_is_left_when_all_are_in_use() {
        let mut ids = PacketIds { next: NonZeroU16::MIN, free: 0 };
        assert!(ids.allocate((1..=u16::MAX).filter_map(PacketId::new)).is_none());
        assert_eq!(ids.allocate((1..u16::MAX).filter_map(PacketId::new)).unwrap().value(), u16::MAX);
    }
}
