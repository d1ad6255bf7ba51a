//! Reassembles fragmented IP packets.
//!
//! If fragments overlap, the first one counts, as in TCP reassembly. The number, age and total size of incomplete packets are
//! bounded.

use super::Moment;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::ops::Range;

/// The most incomplete packets.
const MAX_PACKETS: usize = 256;

/// The most bytes of all incomplete packets.
const MAX_BYTES: usize = 4 << 20;

/// The longest time that a packet may stay incomplete, in nanoseconds; the same as in Linux.
const MAX_AGE: u64 = 30_000_000_000;

/// The longest payload of an IP packet.
const MAX_PACKET: usize = 65_535;

/// A part of a packet's payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    /// Its offset in the payload.
    pub(super) offset: usize,
    pub(super) has_more: bool,
    pub(super) bytes: &'a [u8],
}

#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// In order of arrival, the oldest first.
    packets: VecDeque<PartialPacket>,
    incomplete: u64,
}

#[derive(Debug)]
struct PartialPacket {
    key: (IpAddr, IpAddr, u32),
    since: Moment,
    bytes: Vec<u8>,
    /// The ranges that have arrived, in order and without overlaps.
    filled: Vec<Range<usize>>,
    /// Known once the last fragment has arrived.
    length: Option<usize>,
}

impl Fragments {
    /// Adds a fragment, and returns the packet's payload if it is now complete.
    pub(super) fn add(&mut self, at: Moment, fragment: &Fragment<'_>) -> Option<Vec<u8>> {
        if fragment.offset + fragment.bytes.len() > MAX_PACKET {
            return None;
        }
        self.drop_old(at);
        let key = (fragment.source, fragment.destination, fragment.identification);
        let position = self.packets.iter().position(|packet| packet.key == key).unwrap_or_else(|| {
            self.packets.push_back(PartialPacket::new(key, at));
            self.packets.len() - 1
        });
        let packet = self.packets.get_mut(position)?;
        packet.add(fragment);
        if packet.is_complete() {
            return self.packets.remove(position).map(|packet| packet.bytes);
        }
        self.drop_excess();
        None
    }

    /// The number of packets that are incomplete, including those that were given up.
    pub(super) fn incomplete(&self) -> u64 {
        self.incomplete + self.packets.len() as u64
    }

    fn drop_old(&mut self, now: Moment) {
        let is_old = |packet: &PartialPacket| match (packet.since.time, now.time) {
            (Some(since), Some(now)) => now.saturating_sub(since) > MAX_AGE,
            _ => false,
        };
        while self.packets.front().is_some_and(is_old) {
            self.drop_first();
        }
    }

    fn drop_excess(&mut self) {
        while self.packets.len() > MAX_PACKETS || self.cost() > MAX_BYTES {
            self.drop_first();
        }
    }

    pub(super) fn cost(&self) -> usize {
        self.packets.iter().map(|packet| packet.bytes.len()).sum()
    }

    fn drop_first(&mut self) {
        self.packets.pop_front();
        self.incomplete += 1;
    }
}

impl PartialPacket {
    fn new(key: (IpAddr, IpAddr, u32), since: Moment) -> PartialPacket {
        PartialPacket { key, since, bytes: Vec::new(), filled: Vec::new(), length: None }
    }

    fn add(&mut self, fragment: &Fragment<'_>) {
        let end = fragment.offset + fragment.bytes.len();
        if !fragment.has_more && self.length.is_none() {
            self.length = Some(end);
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        for hole in holes(&self.filled, fragment.offset..end) {
            let from = hole.start - fragment.offset..hole.end - fragment.offset;
            if let (Some(to), Some(from)) = (self.bytes.get_mut(hole), fragment.bytes.get(from)) {
                to.copy_from_slice(from);
            }
        }
        insert(&mut self.filled, fragment.offset..end);
    }

    /// Whether all fragments have arrived. Truncates bytes beyond the last fragment's end.
    fn is_complete(&mut self) -> bool {
        let Some(length) = self.length else { return false };
        let is_complete = self.filled.first().is_some_and(|range| range.start == 0 && range.end >= length);
        if is_complete {
            self.bytes.truncate(length);
        }
        is_complete
    }
}

/// The parts of `range` that are not in `filled`.
fn holes(filled: &[Range<usize>], range: Range<usize>) -> Vec<Range<usize>> {
    let mut holes = Vec::new();
    let mut start = range.start;
    for known in filled.iter().filter(|known| known.end > range.start && known.start < range.end) {
        if known.start > start {
            holes.push(start..known.start);
        }
        start = known.end;
    }
    if start < range.end {
        holes.push(start..range.end);
    }
    holes
}

/// Adds `range` to `filled`, merging it with adjacent ranges.
fn insert(filled: &mut Vec<Range<usize>>, range: Range<usize>) {
    let first = filled.partition_point(|known| known.end < range.start);
    let behind = filled.partition_point(|known| known.start <= range.end);
    let touched = filled.get(first..behind).unwrap_or_default();
    let start = touched.first().map_or(range.start, |known| known.start.min(range.start));
    let end = touched.last().map_or(range.end, |known| known.end.max(range.end));
    filled.splice(first..behind, std::iter::once(start..end));
}
