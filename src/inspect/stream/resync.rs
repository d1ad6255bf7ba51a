//! Resynchronises a stream: finds a packet boundary if it is unknown.
//!
//! A candidate is accepted only if consecutive valid packets lead from it to the end of an arrival (bytes that arrived together),
//! or over half a window. If it is inside an arrival, the packets must also hold enough content to rule out chance. A packet
//! longer than the window is tried at the start of an arrival: the stream collects it, and searches again if it is invalid.

use super::{Length, packet_length};
use crate::inspect::dissect::{RawPacket, dissect};
use crate::inspect::{Name, Value};
use crate::protocol::{PacketType, Version};

/// The most bytes that are searched together; older bytes are dropped.
const WINDOW: usize = 16 * 1024;

/// The minimum size of a packet that rules out chance, if all its fields are valid.
const CONVINCING: usize = 8;

/// The most packet bytes that are parsed in one arrival: candidates overlap, and an attacker can make all of them long.
const MAX_WORK: usize = 8 << 20;

/// Bookkeeping cost of a candidate, in addition to its bytes.
const PLACE_COST: usize = 16;

/// The result of looking at an arrival that is longer than the window, or may begin with a packet that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Packets start at this offset.
    Packets(usize),
    /// A packet of this length may start with the first byte.
    Trial(usize),
    /// Undecided.
    Unclear,
}

/// The bytes since synchronisation was lost, and the remaining candidates.
#[derive(Debug, Default)]
pub(super) struct Resync {
    bytes: Vec<u8>,
    chains: Vec<Chain>,
}

/// Consecutive valid packets.
#[derive(Debug)]
struct Chain {
    start: usize,
    /// The expected start of the next packet.
    end: usize,
    /// Whether it starts at the beginning of an arrival.
    is_aligned: bool,
    /// The size of its longest packet.
    longest: usize,
}

impl Resync {
    pub(super) fn buffered(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Looks at an arrival for which the window is too small. Offsets count from the first held byte.
    pub(super) fn examine(&self, bytes: &[u8]) -> Arrival {
        let begin = self.bytes.len();
        let mut work = MAX_WORK;
        let run = follow(bytes, &mut work);
        if let Some(length) = run.long {
            return match run.longest >= CONVINCING {
                true => Arrival::Packets(begin),
                false => Arrival::Trial(length),
            };
        }
        if bytes.len() <= WINDOW {
            return Arrival::Unclear;
        }
        if run.is_convincing(true) {
            return Arrival::Packets(begin);
        }
        let all = [&self.bytes, bytes].concat();
        let aligned: Vec<usize> =
            self.chains.iter().filter(|chain| chain.is_aligned).map(|chain| chain.start).collect();
        let is_found = |start: &usize| {
            let rest = all.get(*start..).unwrap_or_default();
            follow(rest, &mut work).is_convincing(aligned.contains(start))
        };
        (0..all.len().min(2 * WINDOW)).find(is_found).map_or(Arrival::Unclear, Arrival::Packets)
    }

    /// Adds an arrival; returns how many of the oldest bytes were dropped.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        let dropped = self.make_room(bytes.len());
        // Of an arrival that is longer than the window, only the end is kept.
        let (too_much, bytes) = bytes.split_at(bytes.len().saturating_sub(WINDOW));
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let is_start = too_much.is_empty();
        let plausible = bytes.iter().enumerate().filter(|(_, first)| is_plausible(**first));
        self.chains.extend(plausible.map(|(index, _)| Chain {
            start: begin + index,
            end: begin + index,
            is_aligned: index == 0 && is_start,
            longest: 0,
        }));
        let bytes = &self.bytes;
        self.chains.retain_mut(|chain| chain.extend(bytes));
        dropped + too_much.len()
    }

    /// The start of packets that extend to the end of the held bytes.
    pub(super) fn found(&self) -> Option<usize> {
        let end = self.bytes.len();
        let believed = |chain: &&Chain| {
            chain.end == end && chain.longest > 0 && (chain.is_aligned || chain.longest >= CONVINCING)
        };
        self.chains.iter().find(believed).map(|chain| chain.start)
    }

    fn make_room(&mut self, count: usize) -> usize {
        let too_many = (self.bytes.len() + count).saturating_sub(WINDOW).min(self.bytes.len());
        // Drop half a window at a time, to avoid moving the rest for each byte.
        let dropped = if too_many == 0 { 0 } else { too_many.max(WINDOW / 2).min(self.bytes.len()) };
        self.bytes.drain(..dropped);
        self.chains.retain_mut(|chain| {
            let is_kept = chain.start >= dropped;
            chain.start = chain.start.saturating_sub(dropped);
            chain.end = chain.end.saturating_sub(dropped);
            is_kept
        });
        dropped
    }
}

impl Chain {
    /// Follows all packets that are complete; returns whether the candidate remains possible.
    fn extend(&mut self, bytes: &[u8]) -> bool {
        loop {
            let rest = bytes.get(self.end..).unwrap_or_default();
            let Some(first) = rest.first() else { return true };
            if !is_plausible(*first) {
                return false;
            }
            match packet_length(rest) {
                Length::Unknown => return true,
                Length::TooLong => return false,
                Length::Known(length) if length > WINDOW => return false,
                Length::Known(length) => match rest.get(..length) {
                    None => return true,
                    Some(packet) if is_valid(&RawPacket::whole(packet)) => {
                        self.end += length;
                        self.longest = self.longest.max(length);
                    }
                    Some(_) => return false,
                },
            }
        }
    }
}

/// The extent of consecutive valid packets.
#[derive(Debug, Clone, Copy, Default)]
struct PacketRun {
    end: usize,
    longest: usize,
    /// They extend to the last byte.
    is_whole: bool,
    /// They end with an incomplete packet of this length, longer than the window.
    long: Option<usize>,
    /// An invalid packet follows them.
    is_refuted: bool,
}

impl PacketRun {
    fn is_convincing(&self, is_aligned: bool) -> bool {
        let reaches = self.is_whole || (!self.is_refuted && self.end >= WINDOW / 2);
        self.end > 0 && reaches && (is_aligned || self.longest >= CONVINCING)
    }
}

/// Follows valid packets from the first byte.
fn follow(bytes: &[u8], work: &mut usize) -> PacketRun {
    let mut run = PacketRun::default();
    loop {
        let rest = bytes.get(run.end..).unwrap_or_default();
        let Some(first) = rest.first() else { return PacketRun { is_whole: true, ..run } };
        let refuted = PacketRun { is_refuted: true, ..run };
        if *work == 0 || !is_plausible(*first) {
            return refuted;
        }
        *work = work.saturating_sub(PLACE_COST);
        let length = match packet_length(rest) {
            Length::Unknown => return run,
            Length::TooLong => return refuted,
            Length::Known(length) => length,
        };
        *work = work.saturating_sub(length.min(rest.len()));
        match rest.get(..length) {
            Some(packet) if is_valid(&RawPacket::whole(packet)) => {
                run.end += length;
                run.longest = run.longest.max(length);
            }
            Some(_) => return refuted,
            None if length <= WINDOW => return run,
            None if has_likely_topic(rest) => return PacketRun { long: Some(length), ..run },
            None => return refuted,
        }
    }
}

/// Whether the bytes start a PUBLISH with a complete and likely topic.
fn has_likely_topic(bytes: &[u8]) -> bool {
    let header = 2 + bytes.iter().skip(1).take(4).take_while(|byte| **byte & 0x80 != 0).count();
    let topic = bytes.get(header..).and_then(<[u8]>::split_first_chunk).and_then(|(length, rest)| {
        let length = usize::from(u16::from_be_bytes(*length));
        std::str::from_utf8(rest.get(..length)?).ok()
    });
    bytes.first().is_some_and(|first| first >> 4 == 3)
        && topic.is_some_and(|topic| !topic.is_empty() && !topic.chars().any(char::is_control))
}

/// Whether `bytes`, which follow a packet, may start the next one.
pub(super) fn may_follow(bytes: &[u8]) -> bool {
    let run = follow(bytes, &mut { MAX_WORK });
    run.end > 0 || !run.is_refuted
}

/// Whether a packet can start with this byte: a known type with valid flags.
fn is_plausible(first: u8) -> bool {
    let flags = first & 0x0f;
    PacketType::from_first_byte(first).is_some_and(|packet_type| match packet_type.fixed_flags() {
        Some(fixed) => flags == fixed,
        // Neither QoS 3, nor DUP with QoS 0.
        None => flags & 0b0110 != 0b0110 && (flags & 0b0110 != 0 || flags & 0b1000 == 0),
    })
}

/// Whether a packet is valid in MQTT 3.1.1 or 5.0, and its topics are likely.
pub(super) fn is_valid(packet: &RawPacket<'_>) -> bool {
    [Version::V311, Version::V5].into_iter().any(|version| {
        let tree = dissect(packet, version, None);
        tree.findings.is_empty() && tree.fields.iter().all(|field| is_likely(field.name, field.value))
    })
}

fn is_likely(name: Name, value: Value<'_>) -> bool {
    match (name, value) {
        (Name::TopicName | Name::TopicFilter | Name::FilterToRemove, Value::Text(text)) => {
            !text.chars().any(char::is_control)
        }
        (Name::PacketIdentifier, Value::Number(number)) => number > 0,
        _ => true,
    }
}
