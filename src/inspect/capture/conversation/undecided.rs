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
pub(super) struct Part<'a> {
    pub(super) side: Side,
    pub(super) at: Moment,
    /// Offset in the TCP stream.
    pub(super) stream_offset: u64,
    pub(super) chunk: Chunk<'a>,
}

/// All parts since the beginning.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: Vec<Entry>,
    a: Line,
    b: Line,
}

/// One side's bytes.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    /// The number of bytes before the first gap, if there is a gap.
    unbroken: Option<usize>,
    /// A gap precedes them.
    lacks_beginning: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    side: Side,
    at: Moment,
    stream_offset: u64,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Bytes { start: usize, length: usize },
    Gap(u64),
    Conflict { length: u64 },
}

/// A part that is replayed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Replay<'a> {
    Part(Part<'a>),
    Conflict { side: Side, at: Moment, stream_offset: u64, length: u64 },
}

impl Held {
    pub(super) fn add(&mut self, part: &Part<'_>) {
        let line = self.line_mut(part.side);
        let what = match part.chunk {
            Chunk::Bytes(bytes) => {
                line.bytes.extend_from_slice(bytes);
                What::Bytes { start: line.bytes.len() - bytes.len(), length: bytes.len() }
            }
            Chunk::Gap(length) => {
                match line.bytes.len() {
                    0 => line.lacks_beginning = true,
                    known => line.unbroken = line.unbroken.or(Some(known)),
                }
                What::Gap(length)
            }
        };
        let Part { side, at, stream_offset, .. } = *part;
        self.entries.push(Entry { side, at, stream_offset, what });
    }

    pub(super) fn add_conflict(&mut self, side: Side, at: Moment, stream_offset: u64, length: u64) {
        if !self.is_full() {
            self.entries.push(Entry { side, at, stream_offset, what: What::Conflict { length } });
        }
    }

    /// A side's first bytes, up to the first gap.
    pub(super) fn prefix(&self, side: Side) -> &[u8] {
        let line = self.line(side);
        line.bytes.get(..line.unbroken.unwrap_or(line.bytes.len())).unwrap_or_default()
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
    pub(super) fn replay(&self) -> impl Iterator<Item = Replay<'_>> {
        self.entries.iter().map(|entry| {
            let Entry { side, at, stream_offset, what } = *entry;
            let chunk = match what {
                What::Conflict { length } => return Replay::Conflict { side, at, stream_offset, length },
                What::Gap(length) => Chunk::Gap(length),
                What::Bytes { start, length } => {
                    Chunk::Bytes(self.line(side).bytes.get(start..start + length).unwrap_or_default())
                }
            };
            Replay::Part(Part { side, at, stream_offset, chunk })
        })
    }

    fn line(&self, side: Side) -> &Line {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    fn line_mut(&mut self, side: Side) -> &mut Line {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}
