//! Splits one direction of a connection into packets.
//!
//! A packet is emitted as soon as it is complete, borrowed from the input if it is contiguous. A packet longer than the limit is
//! truncated but keeps its length; only bytes that arrived are buffered, not the announced length. A packet of known length
//! continues after missing bytes; otherwise the stream resynchronises, and never invents a packet.

mod resync;
#[cfg(test)]
mod tests;

use super::dissect::RawPacket;
use resync::{Arrival, Resync};
use std::ops::Range;

/// The longest fixed header, plus a byte of a Remaining Length that is too long.
const MAX_HEADER: usize = 5;

/// A buffer with more capacity than this is freed after use.
const SPARE_CAPACITY: usize = 64 * 1024;

/// The most gaps recorded in one packet; the last one absorbs those that follow.
const MAX_HOLES: usize = 64;

/// The output of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEvent<'a> {
    /// A packet, with the stream offset of its first byte.
    Packet {
        /// The number of bytes before it.
        offset: u64,
        packet: RawPacket<'a>,
    },
    /// Bytes without a recognisable packet.
    Skipped {
        /// The number of bytes before them.
        offset: u64,
        /// The number of bytes.
        length: u64,
    },
    /// Bytes that were not captured.
    Gap {
        /// The number of bytes before them.
        offset: u64,
        /// The number of bytes.
        length: u64,
    },
}

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Offset of the next packet, or of the one in progress.
    offset: u64,
    state: StreamState,
}

#[derive(Debug)]
enum StreamState {
    /// At the start of a packet.
    Between,
    /// The fixed header is incomplete.
    Header(PartialHeader),
    /// The packet is incomplete.
    PartialPacket(Box<PartialPacket>),
    /// The next packet boundary is unknown.
    Lost(Box<Resync>),
}

/// The first bytes of a fixed header.
#[derive(Debug, Clone, Copy)]
struct PartialHeader {
    bytes: [u8; MAX_HEADER],
    length: u8,
}

/// A packet in progress.
#[derive(Debug)]
struct PartialPacket {
    /// The captured bytes that are buffered.
    captured: Vec<u8>,
    /// The number of bytes that have arrived.
    arrived: usize,
    /// The total length.
    length: usize,
    /// The ranges that were not captured.
    missing: Vec<Range<usize>>,
    /// It may turn out not to be a packet.
    is_trial: bool,
}

impl Stream {
    /// A stream that starts at a packet boundary, or else anywhere.
    pub(crate) fn new(is_from_start: bool) -> Stream {
        let state = if is_from_start { StreamState::Between } else { StreamState::Lost(Box::default()) };
        Stream { offset: 0, state }
    }

    /// The number of bytes held for an incomplete packet.
    pub(crate) fn buffered(&self) -> usize {
        match &self.state {
            StreamState::Between => 0,
            StreamState::Header(header) => header.bytes().len(),
            StreamState::PartialPacket(body) => body.captured.len(),
            StreamState::Lost(resync) => resync.buffered(),
        }
    }

    /// Takes the next bytes. `keep` is the most bytes to hold of one packet.
    pub(crate) fn push(&mut self, bytes: &[u8], keep: usize, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            bytes = match std::mem::replace(&mut self.state, StreamState::Between) {
                StreamState::Between => self.start(bytes, keep, sink),
                StreamState::Header(header) => self.complete_header(header, bytes, keep, sink),
                StreamState::PartialPacket(body) => self.complete_body(body, bytes, keep, sink),
                StreamState::Lost(resync) => self.seek(resync, bytes, keep, sink),
            };
        }
    }

    /// Skips `length` bytes that are missing from the capture, or an unknown number of them if it is 0.
    pub(crate) fn gap(&mut self, length: u64, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        match std::mem::replace(&mut self.state, StreamState::Between) {
            StreamState::PartialPacket(mut body)
                if (1..=body.left() as u64).contains(&length) && !body.is_trial =>
            {
                sink(StreamEvent::Gap { offset: self.offset + body.arrived as u64, length });
                body.skip(length as usize);
                return self.finish_or_keep(body, sink);
            }
            state => self.lose_state(state, sink),
        }
        sink(StreamEvent::Gap { offset: self.offset, length });
        self.offset += length;
        self.state = StreamState::Lost(Box::default());
    }

    /// Handles the loss of the rest of the stream, of unknown length.
    pub(crate) fn lose(&mut self, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        let state = std::mem::replace(&mut self.state, StreamState::Lost(Box::default()));
        self.lose_state(state, sink);
    }

    /// Ends the stream: emits an incomplete packet as it is.
    pub(crate) fn end(&mut self, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        match std::mem::replace(&mut self.state, StreamState::Between) {
            StreamState::Between => {}
            StreamState::Header(header) => {
                let header = header.bytes();
                self.give_up(header, header.len(), header.len() + 1, &[], true, sink);
            }
            StreamState::PartialPacket(body) if body.is_trial => self.skip(body.arrived, sink),
            StreamState::PartialPacket(body) => {
                self.give_up(&body.captured, body.arrived, body.length, &body.missing, true, sink);
            }
            StreamState::Lost(resync) => self.skip(resync.buffered(), sink),
        }
    }

    /// Starts a packet, which may be complete.
    fn start<'b>(&mut self, bytes: &'b [u8], keep: usize, sink: &mut dyn FnMut(StreamEvent<'_>)) -> &'b [u8] {
        match packet_length(bytes) {
            Length::Unknown => {
                self.state = StreamState::Header(PartialHeader::new(bytes));
                &[]
            }
            Length::Known(length) => match bytes.split_at_checked(length) {
                Some((packet, rest)) => {
                    self.hand_out(RawPacket::whole(packet), sink);
                    rest
                }
                None => {
                    self.state = StreamState::PartialPacket(Box::new(PartialPacket::of_length(length)));
                    self.push(bytes, keep, sink);
                    &[]
                }
            },
            Length::TooLong => {
                let (header, rest) = bytes.split_at(MAX_HEADER.min(bytes.len()));
                self.hand_out(RawPacket::whole(header), sink);
                self.state = StreamState::Lost(Box::default());
                rest
            }
        }
    }

    fn complete_header<'b>(
        &mut self,
        mut header: PartialHeader,
        bytes: &'b [u8],
        keep: usize,
        sink: &mut dyn FnMut(StreamEvent<'_>),
    ) -> &'b [u8] {
        let mut rest = bytes;
        while let Some((first, others)) = rest.split_first() {
            header.push(*first);
            rest = others;
            if !matches!(packet_length(header.bytes()), Length::Unknown) {
                // The header is only the start of a packet, so all of it is consumed.
                let left = self.start(header.bytes(), keep, sink);
                debug_assert!(left.is_empty());
                return rest;
            }
        }
        self.state = StreamState::Header(header);
        rest
    }

    fn complete_body<'b>(
        &mut self,
        mut body: Box<PartialPacket>,
        bytes: &'b [u8],
        keep: usize,
        sink: &mut dyn FnMut(StreamEvent<'_>),
    ) -> &'b [u8] {
        let (new, rest) = bytes.split_at(body.left().min(bytes.len()));
        body.add(new, keep);
        if body.is_trial && body.left() == 0 {
            self.judge_trial(body, rest, sink);
        } else {
            self.finish_or_keep(body, sink);
        }
        rest
    }

    /// Checks a trial packet that is complete: it counts if it is valid and another packet may follow it.
    fn judge_trial(&mut self, body: Box<PartialPacket>, rest: &[u8], sink: &mut dyn FnMut(StreamEvent<'_>)) {
        let is_valid = resync::is_valid(&RawPacket::whole(&body.captured));
        if is_valid && body.captured.len() == body.length && resync::may_follow(rest) {
            return self.finish_or_keep(body, sink);
        }
        let mut resync: Box<Resync> = Box::default();
        let dropped = resync.push(&body.captured) + (body.arrived - body.captured.len());
        self.skip(dropped, sink);
        self.state = StreamState::Lost(resync);
    }

    fn finish_or_keep(&mut self, body: Box<PartialPacket>, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        if body.arrived < body.length {
            self.state = StreamState::PartialPacket(body);
            return;
        }
        let packet =
            RawPacket { bytes: &body.captured, length: body.length, is_cut: false, missing: &body.missing };
        self.hand_out(packet, sink);
    }

    fn seek<'b>(
        &mut self,
        mut resync: Box<Resync>,
        bytes: &'b [u8],
        keep: usize,
        sink: &mut dyn FnMut(StreamEvent<'_>),
    ) -> &'b [u8] {
        match resync.examine(bytes) {
            Arrival::Packets(start) => {
                let buffered = resync.into_bytes();
                self.skip(start.min(buffered.len()), sink);
                self.push(buffered.get(start..).unwrap_or_default(), keep, sink);
                let (before, packets) = bytes.split_at(start.saturating_sub(buffered.len()).min(bytes.len()));
                self.skip(before.len(), sink);
                self.push(packets, keep, sink);
                return &[];
            }
            Arrival::Trial(length) if length <= keep => {
                self.skip(resync.buffered(), sink);
                let trial = PartialPacket { is_trial: true, ..PartialPacket::of_length(length) };
                self.state = StreamState::PartialPacket(Box::new(trial));
                self.push(bytes, keep, sink);
                return &[];
            }
            Arrival::Trial(_) | Arrival::Unclear => {}
        }
        let skipped = resync.push(bytes);
        self.skip(skipped, sink);
        match resync.found() {
            Some(start) => {
                let found = resync.into_bytes();
                let (before, packets) = found.split_at(start.min(found.len()));
                self.skip(before.len(), sink);
                self.push(packets, keep, sink);
            }
            None => self.state = StreamState::Lost(resync),
        }
        &[]
    }

    fn skip(&mut self, count: usize, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        if count > 0 {
            sink(StreamEvent::Skipped { offset: self.offset, length: count as u64 });
            self.offset += count as u64;
        }
    }

    fn hand_out(&mut self, packet: RawPacket<'_>, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        let length = packet.length as u64;
        sink(StreamEvent::Packet { offset: self.offset, packet });
        self.offset += length;
    }

    /// Emits the start of a packet whose end was not captured.
    fn lose_state(&mut self, state: StreamState, sink: &mut dyn FnMut(StreamEvent<'_>)) {
        match state {
            StreamState::Between => {}
            StreamState::Header(header) => {
                // The length is unknown, except that there is more of it.
                let header = header.bytes();
                let length = header.len() + 1;
                let missing = header.len()..length;
                self.give_up(header, missing.start, length, std::slice::from_ref(&missing), false, sink);
            }
            StreamState::PartialPacket(body) if body.is_trial => self.skip(body.arrived, sink),
            StreamState::PartialPacket(body) => {
                let mut missing = body.missing;
                add_hole(&mut missing, body.arrived..body.length);
                self.give_up(&body.captured, body.arrived, body.length, &missing, false, sink);
            }
            StreamState::Lost(resync) => self.skip(resync.buffered(), sink),
        }
    }

    /// Emits the start of a packet whose end will not arrive.
    fn give_up(
        &mut self,
        captured: &[u8],
        arrived: usize,
        length: usize,
        missing: &[Range<usize>],
        is_cut: bool,
        sink: &mut dyn FnMut(StreamEvent<'_>),
    ) {
        let packet = RawPacket { bytes: captured, length, is_cut, missing };
        sink(StreamEvent::Packet { offset: self.offset, packet });
        self.offset += arrived as u64;
    }
}

/// Appends a missing range after the others.
fn add_hole(missing: &mut Vec<Range<usize>>, hole: Range<usize>) {
    let is_full = missing.len() >= MAX_HOLES;
    match missing.last_mut() {
        Some(last) if is_full || last.end == hole.start => last.end = hole.end,
        _ => missing.push(hole),
    }
}

impl PartialHeader {
    fn new(bytes: &[u8]) -> PartialHeader {
        let mut header = PartialHeader { bytes: [0; MAX_HEADER], length: 0 };
        bytes.iter().for_each(|byte| header.push(*byte));
        header
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
            *place = byte;
            self.length += 1;
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

impl PartialPacket {
    fn of_length(length: usize) -> PartialPacket {
        PartialPacket { captured: Vec::new(), arrived: 0, length, missing: Vec::new(), is_trial: false }
    }

    fn add(&mut self, new: &[u8], keep: usize) {
        // After an omission, the next byte would not be contiguous.
        if self.captured.len() == self.arrived {
            let room = keep.max(MAX_HEADER).saturating_sub(self.captured.len());
            self.captured.extend_from_slice(new.get(..room.min(new.len())).unwrap_or_default());
        }
        self.arrived += new.len();
    }

    /// The number of bytes that are still missing.
    fn left(&self) -> usize {
        self.length - self.arrived
    }

    /// Substitutes zeros for missing bytes.
    fn skip(&mut self, length: usize) {
        if self.captured.len() == self.arrived && length < SPARE_CAPACITY {
            self.captured.resize(self.arrived + length, 0);
        }
        add_hole(&mut self.missing, self.arrived..self.arrived + length);
        self.arrived += length;
    }
}

/// The length of the packet that starts here, by its fixed header; `None` if that is incomplete or invalid.
pub(crate) fn whole_length(bytes: &[u8]) -> Option<usize> {
    match packet_length(bytes) {
        Length::Known(length) => Some(length),
        Length::Unknown | Length::TooLong => None,
    }
}

/// The packet length given by a fixed header.
enum Length {
    Known(usize),
    /// The header is incomplete.
    Unknown,
    /// The Remaining Length has more than four bytes.
    TooLong,
}

fn packet_length(bytes: &[u8]) -> Length {
    let mut length = 0;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Length::Known(2 + index + length);
        }
    }
    if bytes.len() >= MAX_HEADER { Length::TooLong } else { Length::Unknown }
}
