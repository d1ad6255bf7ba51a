//! One side of a connection: puts its bytes in order.
//!
//! Sequence numbers wrap around after 4 GiB. Internally, offsets from the first byte have 64 bits; only the distance to the next
//! expected byte is computed from sequence numbers, and it is less than 2 GiB.

use super::history::{History, LastBlock, difference, slice};
use std::collections::BTreeMap;

/// The most that pending bytes may cost in one direction.
const MAX_PENDING: usize = 1 << 20;

/// Bookkeeping cost of a pending piece, in addition to its bytes.
const PIECE_COST: usize = 64;

/// The output of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingPiece<'a> {
    Data {
        offset: u64,
        bytes: &'a [u8],
    },
    Gap {
        offset: u64,
        length: u64,
    },
    Conflict {
        offset: u64,
        length: u64,
    },
    /// The other side acknowledged more than was captured; the bytes may still arrive.
    Lag,
}

/// The bytes of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamPart<'a> {
    /// The sequence number of the first byte.
    pub(super) sequence: u32,
    pub(super) bytes: &'a [u8],
    /// The number of bytes that were sent but not captured.
    pub(super) missing: usize,
    /// The segment has FIN.
    pub(super) is_last: bool,
}

/// One side's bytes. Bytes in order are not buffered. There may be many, so rarely used state is in a box.
#[derive(Debug, Default)]
pub(super) struct TcpStream {
    /// The number of bytes that were delivered or given up.
    offset: u64,
    last: LastBlock,
    irregular: Option<Box<Irregular>>,
    /// The sequence number that `start` describes.
    sequence: u32,
    start: StreamStart,
    /// The connection was seen from its beginning, but the beginning of this side was not.
    lacks_beginning: bool,
}

/// The meaning of a stream's sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum StreamStart {
    /// It has none.
    #[default]
    Unknown,
    /// The number that the other side expected before the first byte was captured.
    Expected,
    /// The number of the first byte.
    First,
}

/// The state of a stream whose bytes did not arrive in order, or that ends.
#[derive(Debug, Default)]
struct Irregular {
    /// Bytes that arrived early, by offset. Pieces do not overlap.
    pending: BTreeMap<u64, Vec<u8>>,
    pending_cost: usize,
    /// The offset up to which the other side has acknowledged everything, if it is beyond the stream's.
    acknowledged: u64,
    /// The offset of FIN.
    end: Option<u64>,
    /// The offset up to which a lag was reported.
    lag_told: u64,
}

impl TcpStream {
    /// Sets the sequence number of the first byte, unless it is known.
    pub(super) fn start(&mut self, sequence: u32) {
        if self.start != StreamStart::First {
            self.set_first(sequence);
        }
    }

    /// Marks the start of the connection: the first captured byte is not the stream's first one, unless that becomes known
    /// before.
    pub(super) fn await_start(&mut self) {
        self.lacks_beginning = self.is_empty();
    }

    /// Whether this is the sequence number of the stream's first byte.
    pub(super) fn is_first(&self, sequence: u32) -> bool {
        self.is_empty() && self.first() == Some(sequence)
    }

    /// Whether the sequence number of the first byte is unknown.
    pub(super) fn is_unknown(&self) -> bool {
        self.first().is_none()
    }

    /// Sets the sequence number of the first byte, if nothing has arrived yet.
    pub(super) fn restart(&mut self, sequence: u32) {
        if self.is_empty() {
            self.set_first(sequence);
        }
    }

    /// Whether nothing has arrived.
    pub(super) fn is_empty(&self) -> bool {
        self.offset == 0 && self.next_pending().is_none()
    }

    /// Whether the first byte has a different sequence number.
    pub(super) fn began_elsewhere(&self, sequence: u32) -> bool {
        self.first().is_some_and(|first| first != sequence)
    }

    /// Whether all bytes up to FIN have arrived.
    pub(super) fn is_finished(&self) -> bool {
        self.end().is_some_and(|end| end <= self.offset)
    }

    /// The cost of the pending bytes.
    pub(super) fn pending_cost(&self) -> usize {
        self.irregular.as_ref().map_or(0, |irregular| irregular.pending_cost)
    }

    /// Whether `part` has bytes that have not arrived before.
    pub(super) fn is_news(&self, part: &StreamPart<'_>) -> bool {
        self.distance(part.sequence) + part.bytes.len() as i64 > 0
    }

    /// Takes a segment's bytes.
    pub(super) fn receive(
        &mut self,
        part: &StreamPart<'_>,
        history: &mut History,
        emit: &mut impl FnMut(PendingPiece<'_>),
    ) {
        let length = part.bytes.len() + part.missing;
        if (length == 0 && !part.is_last) || self.is_probe(part, length) {
            return;
        }
        if self.lacks_beginning && self.is_unknown() {
            emit(PendingPiece::Gap { offset: self.offset, length: 0 });
        }
        self.start(part.sequence);
        let start = self.offset as i64 + self.distance(part.sequence);
        let captured_end = start + part.bytes.len() as i64;
        let end = start + length as i64;
        if part.is_last && self.end().is_none() {
            self.irregular().end = u64::try_from(end).ok();
        }
        let new = self.compare_old(start, part.bytes, history, emit);
        self.place(start.max(self.offset as i64).unsigned_abs(), new, history, emit);
        // The rest of a truncated segment will not arrive, except in an unlikely retransmission in smaller pieces.
        if captured_end <= self.offset as i64 && end > self.offset as i64 {
            self.skip_to(end.unsigned_abs(), history, emit);
        }
        self.give_up_acknowledged(history, emit);
        while self.pending_cost() > MAX_PENDING {
            self.give_up_first(history, emit);
        }
        self.forget_irregular();
    }

    /// Handles an acknowledgement: missing bytes before this number will not arrive, since the capture lacks them.
    pub(super) fn acknowledge(
        &mut self,
        sequence: u32,
        history: &mut History,
        emit: &mut impl FnMut(PendingPiece<'_>),
    ) {
        if self.is_unknown() {
            let before = self.expected();
            (self.sequence, self.start) = (sequence, StreamStart::Expected);
            if before.is_some_and(|before| sequence.wrapping_sub(before).cast_signed() > 0) {
                emit(PendingPiece::Lag);
            }
            return;
        }
        let distance = self.distance(sequence).max(0).unsigned_abs();
        if distance > 0 {
            let acknowledged = self.offset + distance;
            let irregular = self.irregular();
            irregular.acknowledged = irregular.acknowledged.max(acknowledged);
        }
        self.give_up_acknowledged(history, emit);
        let offset = self.offset;
        if let Some(irregular) = &mut self.irregular {
            // One number beyond the captured bytes may be a FIN, which occupies a sequence number, or a byte.
            let sent = irregular.end.unwrap_or(u64::MAX).min(irregular.acknowledged);
            if sent > offset.max(irregular.lag_told) {
                irregular.lag_told = sent;
                emit(PendingPiece::Lag);
            }
        }
        self.forget_irregular();
    }

    /// RST has the sequence number of the next byte. An injected one may have any number, so it does not cause a gap.
    pub(super) fn reset(&self, sequence: u32, emit: &mut impl FnMut(PendingPiece<'_>)) {
        let is_known = !self.is_unknown() && self.end().is_none();
        if is_known && (1..MAX_PENDING as i64).contains(&self.distance(sequence)) {
            emit(PendingPiece::Lag);
        }
    }

    /// Delivers the pending bytes, and reports the gaps before them.
    pub(super) fn give_up_all(&mut self, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        while self.next_pending().is_some() {
            self.give_up_first(history, emit);
        }
    }

    /// Handles the end of the connection: delivers the pending bytes and reports the gaps, including one at the end.
    pub(super) fn close(&mut self, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        self.give_up_all(history, emit);
        let end = match self.end() {
            Some(end) => end,
            // An acknowledgement of one number beyond the captured bytes may be for a FIN, which occupies a sequence number.
            None if self.acknowledged() == self.offset + 1 => self.offset,
            None => self.acknowledged(),
        };
        self.skip_to(end, history, emit);
    }

    /// The sequence number of the first byte, once known.
    fn first(&self) -> Option<u32> {
        (self.start == StreamStart::First).then_some(self.sequence)
    }

    /// The sequence number that the other side expected before the first byte was captured.
    fn expected(&self) -> Option<u32> {
        (self.start == StreamStart::Expected).then_some(self.sequence)
    }

    fn set_first(&mut self, sequence: u32) {
        (self.sequence, self.start) = (sequence, StreamStart::First);
    }

    /// The offset of FIN.
    fn end(&self) -> Option<u64> {
        self.irregular.as_ref()?.end
    }

    /// The offset up to which the other side has acknowledged everything, if it is beyond the stream's.
    fn acknowledged(&self) -> u64 {
        self.irregular.as_ref().map_or(0, |irregular| irregular.acknowledged)
    }

    /// The offset of the first pending bytes.
    fn next_pending(&self) -> Option<u64> {
        self.irregular.as_ref()?.pending.keys().next().copied()
    }

    fn irregular(&mut self) -> &mut Irregular {
        self.irregular.get_or_insert_default()
    }

    /// Frees the state of a stream whose bytes are in order again.
    fn forget_irregular(&mut self) {
        let offset = self.offset;
        let is_over = |known: &Irregular| {
            known.pending.is_empty()
                && known.end.is_none()
                && known.acknowledged <= offset
                && known.lag_told <= offset
        };
        if self.irregular.as_deref().is_some_and(is_over) {
            self.irregular = None;
        }
    }

    /// The distance of a sequence number from the next byte's.
    fn distance(&self, sequence: u32) -> i64 {
        let next = self.first().unwrap_or(sequence).wrapping_add(self.offset as u32);
        i64::from(sequence.wrapping_sub(next).cast_signed())
    }

    /// Whether it is a TCP keep-alive: the last byte again, for which some systems send a made-up value.
    fn is_probe(&self, part: &StreamPart<'_>, length: usize) -> bool {
        let is_before_next = match self.first() {
            Some(_) => self.distance(part.sequence) == -1,
            None => self.expected() == Some(part.sequence.wrapping_add(1)),
        };
        length == 1 && !part.is_last && is_before_next
    }

    /// Compares the bytes that were delivered before, and returns the rest, which start at `start`.
    fn compare_old<'a>(
        &self,
        start: i64,
        bytes: &'a [u8],
        history: &History,
        emit: &mut impl FnMut(PendingPiece<'_>),
    ) -> &'a [u8] {
        let old_length = (self.offset as i64 - start).max(0).unsigned_abs() as usize;
        let (old, new) = bytes.split_at(old_length.min(bytes.len()));
        if !old.is_empty() {
            let before_first = (-start).max(0).unsigned_abs();
            let known = slice(old, before_first, old.len() as u64);
            history.compare(self.last, start.max(0).unsigned_abs(), known, |offset, length| {
                emit(PendingPiece::Conflict { offset, length });
            });
        }
        new
    }

    /// Delivers the bytes that are in order, and keeps the rest.
    fn place(
        &mut self,
        start: u64,
        bytes: &[u8],
        history: &mut History,
        emit: &mut impl FnMut(PendingPiece<'_>),
    ) {
        if bytes.is_empty() {
            return;
        }
        if start > self.offset {
            return self.keep(start, bytes, emit);
        }
        let hole = self.next_pending().map_or(usize::MAX, |next| (next - start) as usize);
        let (due, rest) = bytes.split_at(hole.min(bytes.len()));
        self.hand_on(due, history, emit);
        self.keep(self.offset, rest, emit);
        self.hand_on_pending(history, emit);
    }

    /// Keeps bytes that arrived early at offsets without pending bytes, and compares the others.
    fn keep(&mut self, start: u64, bytes: &[u8], emit: &mut impl FnMut(PendingPiece<'_>)) {
        let end = start + bytes.len() as u64;
        if bytes.is_empty() {
            return;
        }
        let irregular = self.irregular();
        let mut position = start;
        while position < end {
            let before = irregular.pending.range(..=position).next_back();
            if let Some((known_start, known)) =
                before.filter(|(at, known)| *at + known.len() as u64 > position)
            {
                let known_end = (known_start + known.len() as u64).min(end);
                let known = slice(known, position - known_start, known_end - known_start);
                let again = slice(bytes, position - start, known_end - start);
                if let Some((first, length)) = difference(known, again) {
                    emit(PendingPiece::Conflict { offset: position + first, length });
                }
                position = known_end;
                continue;
            }
            let hole_end = irregular.pending.range(position..).next().map_or(end, |(next, _)| end.min(*next));
            let piece = slice(bytes, position - start, hole_end - start).to_vec();
            irregular.pending_cost += piece.len() + PIECE_COST;
            irregular.pending.insert(position, piece);
            position = hole_end;
        }
    }

    fn hand_on(&mut self, bytes: &[u8], history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        let offset = self.offset;
        self.last = history.add(self.last, offset, bytes);
        self.offset += bytes.len() as u64;
        emit(PendingPiece::Data { offset, bytes });
    }

    /// Takes the first pending bytes, if they are due.
    fn take_due(&mut self) -> Option<Vec<u8>> {
        let irregular = self.irregular.as_mut()?;
        let entry = irregular.pending.first_entry().filter(|entry| *entry.key() <= self.offset)?;
        let bytes = entry.remove();
        irregular.pending_cost -= bytes.len() + PIECE_COST;
        Some(bytes)
    }

    /// Delivers the pending bytes that follow the bytes delivered so far.
    fn hand_on_pending(&mut self, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        while let Some(bytes) = self.take_due() {
            self.hand_on(&bytes, history, emit);
        }
    }

    /// Gives up missing bytes that the other side has acknowledged, if bytes are known to follow. Otherwise they may still
    /// arrive: captures are not always in the right order.
    fn give_up_acknowledged(&mut self, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        while self.acknowledged() > self.offset {
            let Some(next) = self.next_pending().or(self.end()) else { return };
            if next <= self.offset {
                return;
            }
            self.skip_to(next.min(self.acknowledged()), history, emit);
        }
    }

    fn give_up_first(&mut self, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        if let Some(next) = self.next_pending() {
            self.skip_to(next, history, emit);
        }
    }

    /// Gives up the missing bytes before `target`.
    fn skip_to(&mut self, target: u64, history: &mut History, emit: &mut impl FnMut(PendingPiece<'_>)) {
        while self.offset < target {
            let next = self.next_pending().map_or(target, |next| target.min(next));
            let (offset, length) = (self.offset, next - self.offset);
            self.offset = next;
            emit(PendingPiece::Gap { offset, length });
            self.hand_on_pending(history, emit);
        }
    }
}
