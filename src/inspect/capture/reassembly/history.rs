//! Recently delivered bytes, for comparison with retransmissions.
//!
//! All connections share one ring, so that its size does not depend on their number. Bytes that were overwritten are not
//! compared.

use std::collections::VecDeque;

/// The number of bytes that are remembered.
const BYTES: usize = 1 << 20;

/// The most pieces.
const BLOCKS: usize = 1 << 14;

/// The most pieces that one comparison visits, since a hostile capture may retransmit bytes that arrived in a million pieces.
const STEPS: usize = 1 << 10;

/// The last piece of a stream in the history, from which the earlier ones are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LastBlock(u64);

#[derive(Debug)]
pub(super) struct History {
    bytes: Vec<u8>,
    /// The number of bytes written, including the unused space at the ring's end.
    written: u64,
    blocks: VecDeque<Block>,
    /// The number of the first of `blocks`. Numbers start at 1, so that 0 means none.
    first: u64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    /// The position in the ring at which it was written.
    position: u64,
    length: usize,
    /// Its offset in the stream.
    offset: u64,
    /// The previous piece of the same stream.
    previous: LastBlock,
}

impl Default for History {
    fn default() -> History {
        History { bytes: vec![0; BYTES], written: 0, blocks: VecDeque::new(), first: 1 }
    }
}

impl History {
    /// Remembers `bytes` at `offset` of the stream whose last piece was `previous`.
    pub(super) fn add(&mut self, previous: LastBlock, offset: u64, bytes: &[u8]) -> LastBlock {
        if bytes.len() > BYTES {
            return previous;
        }
        let mut start = place(self.written);
        if start + bytes.len() > BYTES {
            self.written += (BYTES - start) as u64;
            start = 0;
        }
        if let Some(room) = self.bytes.get_mut(start..start + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        // The queue never grows beyond its limit, which would double its memory.
        if self.blocks.len() >= BLOCKS {
            self.blocks.pop_front();
            self.first += 1;
        }
        self.blocks.push_back(Block { position: self.written, length: bytes.len(), offset, previous });
        self.written += bytes.len() as u64;
        self.forget();
        LastBlock(self.first + self.blocks.len() as u64 - 1)
    }

    /// Compares `bytes` with the earlier bytes at `offset`, and calls `differ` with offset and length of each part that differs.
    pub(super) fn compare(
        &self,
        last: LastBlock,
        offset: u64,
        bytes: &[u8],
        mut differ: impl FnMut(u64, u64),
    ) {
        let end = offset + bytes.len() as u64;
        let mut last = last;
        for _ in 0..STEPS {
            let Some(block) = self.block(last) else { return };
            let (from, to) = (block.offset.max(offset), (block.offset + block.length as u64).min(end));
            if from < to {
                let known = self.part(block, from, to);
                let again = slice(bytes, from - offset, to - offset);
                if let Some((first, length)) = difference(known, again) {
                    differ(from + first, length);
                }
            }
            if block.offset <= offset {
                return;
            }
            last = block.previous;
        }
    }

    fn block(&self, last: LastBlock) -> Option<&Block> {
        let index = last.0.checked_sub(self.first)?;
        self.blocks.get(usize::try_from(index).ok()?)
    }

    /// The bytes of `block` between two offsets of its stream.
    fn part(&self, block: &Block, from: u64, to: u64) -> &[u8] {
        let start = place(block.position) as u64 + from - block.offset;
        slice(&self.bytes, start, start + to - from)
    }

    /// Removes overwritten blocks.
    fn forget(&mut self) {
        while self.blocks.front().is_some_and(|block| block.position + (BYTES as u64) < self.written) {
            self.blocks.pop_front();
            self.first += 1;
        }
    }
}

/// The index of a position in the ring.
fn place(position: u64) -> usize {
    (position % BYTES as u64) as usize
}

/// A part of `bytes`; empty if it is out of range.
pub(super) fn slice(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    bytes.get(from as usize..to as usize).unwrap_or_default()
}

/// The difference between two pieces of the same length: the first differing index, and the length up to the last one.
pub(super) fn difference(known: &[u8], again: &[u8]) -> Option<(u64, u64)> {
    if known == again {
        return None;
    }
    let mut differing = known.iter().zip(again).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i);
    let first = differing.next()?;
    let last = differing.next_back().unwrap_or(first);
    Some((first as u64, (last - first + 1) as u64))
}
