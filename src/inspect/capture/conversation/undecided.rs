//! Bytes held until the connection's protocol is known.

use super::super::reassembly::Side;
use super::tls::Chunk;
use crate::inspect::capture::Moment;

/// The most that one connection may hold. A ClientHello, or a request with cookies, is shorter.
const MAX_COST: usize = 64 << 10;

/// Bookkeeping cost of a part, in addition to its bytes.
const PART_COST: usize = 64;

/// A part of one side's stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamPart<'a> {
    pub(super) side: Side,
    pub(super) at: Moment,
    /// Offset in the TCP stream.
    pub(super) stream_offset: u64,
    pub(super) chunk: Chunk<'a>,
}

/// All parts since the beginning.
#[derive(Debug, Default)]
pub(super) struct Undecided {
    entries: Vec<UndecidedEntry>,
    a: SideBytes,
    b: SideBytes,
}

#[derive(Debug, Default)]
struct SideBytes {
    bytes: Vec<u8>,
    /// The number of bytes before the first gap, if there is a gap.
    unbroken: Option<usize>,
    /// A gap precedes them.
    lacks_beginning: bool,
}

#[derive(Debug, Clone, Copy)]
struct UndecidedEntry {
    side: Side,
    at: Moment,
    stream_offset: u64,
    kind: EntryKind,
}

#[derive(Debug, Clone, Copy)]
enum EntryKind {
    Bytes { start: usize, length: usize },
    Gap(u64),
    Conflict { length: u64 },
}

impl EntryKind {
    fn length(self) -> u64 {
        match self {
            EntryKind::Bytes { length, .. } => length as u64,
            EntryKind::Gap(length) | EntryKind::Conflict { length } => length,
        }
    }
}

/// A part that is replayed.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReplayedEntry<'a> {
    StreamPart(StreamPart<'a>),
    Conflict { side: Side, at: Moment, stream_offset: u64, length: u64 },
}

impl Undecided {
    pub(super) fn add(&mut self, part: &StreamPart<'_>) {
        let line = self.line_mut(part.side);
        let kind = match part.chunk {
            Chunk::Bytes(bytes) => {
                line.bytes.extend_from_slice(bytes);
                EntryKind::Bytes { start: line.bytes.len() - bytes.len(), length: bytes.len() }
            }
            Chunk::Gap(length) => {
                match line.bytes.len() {
                    0 => line.lacks_beginning = true,
                    known => line.unbroken = line.unbroken.or(Some(known)),
                }
                EntryKind::Gap(length)
            }
        };
        let StreamPart { side, at, stream_offset, .. } = *part;
        self.entries.push(UndecidedEntry { side, at, stream_offset, kind });
    }

    pub(super) fn add_conflict(&mut self, side: Side, at: Moment, stream_offset: u64, length: u64) {
        if !self.is_full() {
            self.entries.push(UndecidedEntry {
                side,
                at,
                stream_offset,
                kind: EntryKind::Conflict { length },
            });
        }
    }

    /// A side's first bytes, up to the first gap.
    pub(super) fn prefix(&self, side: Side) -> &[u8] {
        let line = self.line(side);
        line.bytes.get(..line.unbroken.unwrap_or(line.bytes.len())).unwrap_or_default()
    }

    /// The offset after a side's last part.
    pub(super) fn end(&self, side: Side) -> u64 {
        let last = self
            .entries
            .iter()
            .rfind(|entry| entry.side == side && !matches!(entry.kind, EntryKind::Conflict { .. }));
        last.map_or(0, |entry| entry.stream_offset + entry.kind.length())
    }

    /// Whether a gap precedes a side's bytes.
    pub(super) fn lacks_beginning(&self, side: Side) -> bool {
        self.line(side).lacks_beginning
    }

    /// Whether a gap makes further bytes useless for detection.
    pub(super) fn is_broken(&self, side: Side) -> bool {
        self.line(side).unbroken.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn cost(&self) -> usize {
        self.a.bytes.len() + self.b.bytes.len() + self.entries.len() * PART_COST
    }

    pub(super) fn is_full(&self) -> bool {
        self.cost() >= MAX_COST
    }

    /// Replays everything in the order of arrival.
    pub(super) fn replay(&self) -> impl Iterator<Item = ReplayedEntry<'_>> {
        self.entries.iter().map(|entry| {
            let UndecidedEntry { side, at, stream_offset, kind } = *entry;
            let chunk = match kind {
                EntryKind::Conflict { length } => {
                    return ReplayedEntry::Conflict { side, at, stream_offset, length };
                }
                EntryKind::Gap(length) => Chunk::Gap(length),
                EntryKind::Bytes { start, length } => {
                    Chunk::Bytes(self.line(side).bytes.get(start..start + length).unwrap_or_default())
                }
            };
            ReplayedEntry::StreamPart(StreamPart { side, at, stream_offset, chunk })
        })
    }

    fn line(&self, side: Side) -> &SideBytes {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    fn line_mut(&mut self, side: Side) -> &mut SideBytes {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}
