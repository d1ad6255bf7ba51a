//! Finds packets again where it is not known where one starts.
//!
//! A place is believed in only when valid packets follow each other from there to the end of what arrived together. In the middle of
//! what arrived together, they also have to hold something that is not there by chance.

use super::{Length, packet_length};
use crate::inspect::dissect::{RawPacket, dissect};
use crate::inspect::{Name, Value};
use crate::protocol::{PacketType, Version};

/// The most that is searched at once; the start of what is longer is given up.
const WINDOW: usize = 16 * 1024;

/// A packet of that many bytes is not there by chance, if all its fields are valid.
const CONVINCING: usize = 8;

/// What came since the place was lost, and the places that are still possible.
#[derive(Debug, Default)]
pub(super) struct Seeker {
    bytes: Vec<u8>,
    chains: Vec<Chain>,
}

/// Valid packets in a row.
#[derive(Debug)]
struct Chain {
    start: usize,
    /// Where the next packet is to start.
    end: usize,
    /// Whether it starts where something arrived.
    is_aligned: bool,
    /// The longest of its packets.
    longest: usize,
}

impl Seeker {
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes what arrived together; gives how many of the oldest bytes were given up.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        let dropped = self.make_room(bytes.len());
        // More than the window at once: its end counts, since it has to fit.
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

    /// Where packets start that go to the end of what arrived.
    pub(super) fn found(&self) -> Option<usize> {
        let end = self.bytes.len();
        let believed = |chain: &&Chain| {
            chain.end == end && chain.longest > 0 && (chain.is_aligned || chain.longest >= CONVINCING)
        };
        self.chains.iter().find(believed).map(|chain| chain.start)
    }

    fn make_room(&mut self, count: usize) -> usize {
        let too_many = (self.bytes.len() + count).saturating_sub(WINDOW).min(self.bytes.len());
        // Half the window at a time, so that it is not moved for each byte.
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
    /// Goes over all the packets that are whole by now; whether it is still possible.
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
                    Some(packet) if is_valid(packet) => {
                        self.end += length;
                        self.longest = self.longest.max(length);
                    }
                    Some(_) => return false,
                },
            }
        }
    }
}

/// Whether a packet can start so: a known type with the flags that it must have.
fn is_plausible(first: u8) -> bool {
    let flags = first & 0x0f;
    PacketType::from_first_byte(first).is_some_and(|packet_type| match packet_type.fixed_flags() {
        Some(fixed) => flags == fixed,
        // Neither QoS 3, nor DUP without QoS.
        None => flags & 0b0110 != 0b0110 && (flags & 0b0110 != 0 || flags & 0b1000 == 0),
    })
}

/// Whether a packet has nothing against it in one version or another, nor a topic that nobody would choose.
fn is_valid(packet: &[u8]) -> bool {
    let packet = RawPacket::whole(packet);
    [Version::V311, Version::V5].into_iter().any(|version| {
        let tree = dissect(&packet, version, None);
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

/// How many bytes of a PUBLISH lie in front of its payload; of MQTT 5's properties no more than their length is asked for, since
/// the version may not be known.
pub(super) fn variable_header_bound(kept: &[u8]) -> usize {
    let header = 1 + kept.iter().skip(1).take(4).take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let topic = kept
        .get(header..)
        .and_then(<[u8]>::first_chunk)
        .map_or(usize::MAX / 2, |bytes| usize::from(u16::from_be_bytes(*bytes)));
    let packet_id = if kept.first().is_some_and(|first| first & 0b0110 != 0) { 2 } else { 0 };
    header + 2 + topic + packet_id
}
