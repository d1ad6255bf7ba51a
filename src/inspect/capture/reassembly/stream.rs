//! One side of a connection: its bytes, put into order.
//!
//! Sequence numbers wrap around after 4 GiB. Inside, bytes are counted from the first one in 64 bits; only the distance to the next
//! expected byte is computed from sequence numbers, and it is less than 2 GiB.

use super::history::{History, Last, difference, slice};
use std::collections::BTreeMap;

/// What bytes that wait may cost in one direction.
const MAX_PENDING: usize = 1 << 20;

/// What a piece that waits costs beside its bytes.
const PIECE_COST: usize = 64;

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Data(&'a [u8]),
    Gap(u64),
    Conflict {
        offset: u64,
        length: u64,
    },
    /// The other side has more than came, which may still come.
    Lag,
}

/// The bytes of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// The number of the first one.
    pub(super) sequence: u32,
    pub(super) bytes: &'a [u8],
    /// How many more were sent than captured.
    pub(super) missing: usize,
    /// No more follow.
    pub(super) is_last: bool,
}

/// One side's bytes. Those that are in order are not kept.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The number of the first byte, once there is one.
    first: Option<u32>,
    /// How many bytes were handed on, or given up.
    offset: u64,
    /// What came too early, by its offset. Pieces do not overlap.
    pending: BTreeMap<u64, Vec<u8>>,
    pending_cost: usize,
    /// Up to where the other side has everything.
    acknowledged: u64,
    /// What the other side expected before a byte was seen.
    expected: Option<u32>,
    /// The connection was seen from its beginning, but not where this side begins.
    lacks_beginning: bool,
    /// Where FIN stands.
    end: Option<u64>,
    /// Up to where it was told that the other side has more than came.
    lag_told: u64,
    last: Last,
}

impl Stream {
    /// Begins with the byte of this number, unless that is known.
    pub(super) fn start(&mut self, sequence: u32) {
        self.first.get_or_insert(sequence);
    }

    /// The connection begins: what comes first is not the first byte, unless that is known by then.
    pub(super) fn await_start(&mut self) {
        self.lacks_beginning = self.is_empty();
    }

    /// Whether the byte of this number is the very first one.
    pub(super) fn is_first(&self, sequence: u32) -> bool {
        self.is_empty() && self.first == Some(sequence)
    }

    /// Whether it is not known with which byte it begins.
    pub(super) fn is_unknown(&self) -> bool {
        self.first.is_none()
    }

    /// Begins with the byte of this number, as long as nothing has come.
    pub(super) fn restart(&mut self, sequence: u32) {
        if self.is_empty() {
            self.first = Some(sequence);
        }
    }

    /// Whether nothing has come.
    pub(super) fn is_empty(&self) -> bool {
        self.offset == 0 && self.pending.is_empty()
    }

    /// Whether it began with the byte of another number.
    pub(super) fn began_elsewhere(&self, sequence: u32) -> bool {
        self.first.is_some_and(|first| first != sequence)
    }

    /// Whether all has come up to FIN.
    pub(super) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| end <= self.offset)
    }

    /// What the bytes that wait cost.
    pub(super) fn pending_cost(&self) -> usize {
        self.pending_cost
    }

    /// Whether there is anything in `part` that has not come before.
    pub(super) fn is_news(&self, part: &Part<'_>) -> bool {
        self.distance(part.sequence) + part.bytes.len() as i64 > 0
    }

    /// Takes a segment's bytes.
    pub(super) fn receive(
        &mut self,
        part: &Part<'_>,
        history: &mut History,
        emit: &mut impl FnMut(Piece<'_>),
    ) {
        let length = part.bytes.len() + part.missing;
        if (length == 0 && !part.is_last) || self.is_probe(part, length) {
            return;
        }
        if self.lacks_beginning && self.first.is_none() {
            emit(Piece::Gap(0));
        }
        self.start(part.sequence);
        let start = self.offset as i64 + self.distance(part.sequence);
        let captured_end = start + part.bytes.len() as i64;
        let end = start + length as i64;
        if part.is_last && self.end.is_none() {
            self.end = u64::try_from(end).ok();
        }
        let new = self.compare_old(start, part.bytes, history, emit);
        self.place(start.max(self.offset as i64).unsigned_abs(), new, history, emit);
        // The rest of a segment that was cut off will not come, but for an unlikely retransmission in smaller pieces.
        if captured_end <= self.offset as i64 && end > self.offset as i64 {
            self.skip_to(end.unsigned_abs(), history, emit);
        }
        self.give_up_acknowledged(history, emit);
        while self.pending_cost > MAX_PENDING {
            self.give_up_first(history, emit);
        }
    }

    /// The other side has everything before this number, so what is missing there will not come: the capture lacks it.
    pub(super) fn acknowledge(
        &mut self,
        sequence: u32,
        history: &mut History,
        emit: &mut impl FnMut(Piece<'_>),
    ) {
        if self.first.is_none() {
            let before = self.expected.replace(sequence);
            if before.is_some_and(|before| sequence.wrapping_sub(before).cast_signed() > 0) {
                emit(Piece::Lag);
            }
            return;
        }
        let distance = self.distance(sequence).max(0).unsigned_abs();
        self.acknowledged = self.acknowledged.max(self.offset + distance);
        self.give_up_acknowledged(history, emit);
        // One more than was seen may be a FIN, which counts as a byte; but it may be a byte.
        let sent = self.end.map_or(self.acknowledged, |end| self.acknowledged.min(end));
        if sent > self.offset.max(self.lag_told) {
            self.lag_told = sent;
            emit(Piece::Lag);
        }
    }

    /// RST has the numbers of the bytes that would have been the next ones. Others than the two sides make some up, so that no gap follows.
    pub(super) fn reset(&self, sequence: u32, emit: &mut impl FnMut(Piece<'_>)) {
        let is_known = self.first.is_some() && self.end.is_none();
        if is_known && (1..MAX_PENDING as i64).contains(&self.distance(sequence)) {
            emit(Piece::Lag);
        }
    }

    /// Hands on what waits, and says what is missing before it.
    pub(super) fn give_up_all(&mut self, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        while !self.pending.is_empty() {
            self.give_up_first(history, emit);
        }
    }

    /// The connection is over: hands on what waits, and says what is missing, also at the end.
    pub(super) fn close(&mut self, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        self.give_up_all(history, emit);
        let end = match self.end {
            Some(end) => end,
            // One more that is acknowledged than is there may be a FIN, which counts as a byte.
            None if self.acknowledged == self.offset + 1 => self.offset,
            None => self.acknowledged,
        };
        self.skip_to(end, history, emit);
    }

    /// How far a sequence number is from the next byte's.
    fn distance(&self, sequence: u32) -> i64 {
        let next = self.first.unwrap_or(sequence).wrapping_add(self.offset as u32);
        i64::from(sequence.wrapping_sub(next).cast_signed())
    }

    /// Whether it only asks if the other side is still there: with the last byte once more, which some systems make up.
    fn is_probe(&self, part: &Part<'_>, length: usize) -> bool {
        let is_before_next = match self.first {
            Some(_) => self.distance(part.sequence) == -1,
            None => self.expected == Some(part.sequence.wrapping_add(1)),
        };
        length == 1 && !part.is_last && is_before_next
    }

    /// Compares what was handed on before, and gives the rest of the bytes, which start at `start`.
    fn compare_old<'a>(
        &self,
        start: i64,
        bytes: &'a [u8],
        history: &History,
        emit: &mut impl FnMut(Piece<'_>),
    ) -> &'a [u8] {
        let old_length = (self.offset as i64 - start).max(0).unsigned_abs() as usize;
        let (old, new) = bytes.split_at(old_length.min(bytes.len()));
        if !old.is_empty() {
            let before_first = (-start).max(0).unsigned_abs();
            let known = slice(old, before_first, old.len() as u64);
            history.compare(self.last, start.max(0).unsigned_abs(), known, |offset, length| {
                emit(Piece::Conflict { offset, length });
            });
        }
        new
    }

    /// Hands on what is in order, and keeps the rest.
    fn place(&mut self, start: u64, bytes: &[u8], history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        if start > self.offset {
            return self.keep(start, bytes, emit);
        }
        let hole = self.pending.keys().next().map_or(usize::MAX, |next| (next - start) as usize);
        let (due, rest) = bytes.split_at(hole.min(bytes.len()));
        self.hand_on(due, history, emit);
        self.keep(self.offset, rest, emit);
        self.hand_on_pending(history, emit);
    }

    /// Keeps what came too early, where nothing is kept yet, and compares the rest.
    fn keep(&mut self, start: u64, bytes: &[u8], emit: &mut impl FnMut(Piece<'_>)) {
        let end = start + bytes.len() as u64;
        let mut position = start;
        while position < end {
            let before = self.pending.range(..=position).next_back();
            if let Some((known_start, known)) =
                before.filter(|(at, known)| *at + known.len() as u64 > position)
            {
                let known_end = (known_start + known.len() as u64).min(end);
                let known = slice(known, position - known_start, known_end - known_start);
                let again = slice(bytes, position - start, known_end - start);
                if let Some((first, length)) = difference(known, again) {
                    emit(Piece::Conflict { offset: position + first, length });
                }
                position = known_end;
                continue;
            }
            let hole_end = self.pending.range(position..).next().map_or(end, |(next, _)| end.min(*next));
            let piece = slice(bytes, position - start, hole_end - start).to_vec();
            self.pending_cost += piece.len() + PIECE_COST;
            self.pending.insert(position, piece);
            position = hole_end;
        }
    }

    fn hand_on(&mut self, bytes: &[u8], history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        self.last = history.add(self.last, self.offset, bytes);
        self.offset += bytes.len() as u64;
        emit(Piece::Data(bytes));
    }

    /// Hands on what waited for the byte that was just reached.
    fn hand_on_pending(&mut self, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        while let Some(entry) = self.pending.first_entry().filter(|entry| *entry.key() <= self.offset) {
            let bytes = entry.remove();
            self.pending_cost -= bytes.len() + PIECE_COST;
            self.hand_on(&bytes, history, emit);
        }
    }

    /// Gives up what is missing up to what the other side has, if something is known to follow. Without, it may still come:
    /// captures are not always in the right order.
    fn give_up_acknowledged(&mut self, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        while self.acknowledged > self.offset {
            let Some(next) = self.pending.keys().next().copied().or(self.end) else { return };
            if next <= self.offset {
                return;
            }
            self.skip_to(next.min(self.acknowledged), history, emit);
        }
    }

    fn give_up_first(&mut self, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        if let Some(next) = self.pending.keys().next().copied() {
            self.skip_to(next, history, emit);
        }
    }

    /// Gives up what is missing before `target`.
    fn skip_to(&mut self, target: u64, history: &mut History, emit: &mut impl FnMut(Piece<'_>)) {
        while self.offset < target {
            let next = self.pending.keys().next().map_or(target, |next| target.min(*next));
            let length = next - self.offset;
            self.offset = next;
            emit(Piece::Gap(length));
            self.hand_on_pending(history, emit);
        }
    }
}
