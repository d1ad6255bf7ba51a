//! Connects the stages: takes the events of connections, and hands out packets with their fields and context.

use super::capture::Moment;
use super::capture::conversation::ConversationEvent;
use super::capture::reassembly::{Close, Start};
use super::dissect::RawPacket;
use super::field::Tree;
use super::slots::ConnectionTable;
use super::sn::{self, Datagram, Messages, SnItem};
use super::stream::{self, Stream};
use super::tracker::{PacketFacts, RecentNegotiations, Tracker};
use super::{Direction, Field, Name, Rule, Severity, Value};
use crate::payload::Births;
use crate::protocol::{PacketType, Version};

/// Maximum bytes to buffer of one packet.
const MAX_PACKET_BYTES: usize = 1024 * 1024;

/// Total buffered bytes above which less is buffered of each packet.
const MAX_TOTAL_BYTES: usize = 16 * 1024 * 1024;

/// Maximum bytes to buffer of one packet above that total.
const REDUCED_PACKET_BYTES: usize = 1024;

/// A packet with its context.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    pub connection: u32,
    /// The sender's direction.
    pub direction: Direction,
    /// The frame and time of its last byte.
    pub at: Moment,
    /// Offset of its first byte in the sender's stream.
    pub offset: u64,
    pub raw: &'a RawPacket<'a>,
    /// Its type; `None` for the reserved type 0.
    pub packet_type: Option<PacketType>,
    /// Its fields and findings.
    pub tree: &'a Tree<'a>,
    /// Facts that follow from the connection's state.
    pub facts: &'a PacketFacts,
    /// The connection's state after the packet.
    pub tracker: &'a Tracker,
    /// The Sparkplug births up to this packet.
    pub births: &'a Births,
}

impl<'a> Packet<'a> {
    /// The topic of a PUBLISH, the alias resolved.
    #[must_use]
    pub(crate) fn topic(&self) -> Option<&'a str> {
        topic(self.facts, self.tree)
    }
}

/// The output of the inspector.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Packet(Packet<'a>),
    /// Bytes that were not captured.
    Gap(ByteRange),
    /// Bytes in which no packet could be found.
    Skipped(ByteRange),
    /// An event of a connection other than bytes and gaps.
    Event(&'a ConversationEvent<'a>),
    /// MQTT-SN.
    Sn(SnItem<'a>),
}

impl Item<'_> {
    /// The number of the connection.
    pub(crate) fn connection(&self) -> u32 {
        match self {
            Item::Packet(packet) => packet.connection,
            Item::Gap(range) | Item::Skipped(range) => range.connection,
            Item::Event(event) => event.connection(),
            Item::Sn(item) => item.connection(),
        }
    }

    /// The frame and time.
    pub(crate) fn at(&self) -> Moment {
        match self {
            Item::Packet(packet) => packet.at,
            Item::Gap(range) | Item::Skipped(range) => range.at,
            Item::Event(event) => event.at(),
            Item::Sn(item) => item.at(),
        }
    }
}

/// A range of bytes in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub connection: u32,
    /// The sender's direction.
    pub direction: Direction,
    /// The frame and time at which the range became known.
    pub at: Moment,
    /// Offset of the first byte in the sender's stream.
    pub offset: u64,
    pub length: u64,
}

/// Decodes the packets of all connections.
#[derive(Debug, Default)]
pub(crate) struct Inspector {
    connections: ConnectionTable<ConnectionState>,
    version: Option<Version>,
    shared: Shared,
    buffered: usize,
    messages: Messages,
}

/// The state that all connections share.
#[derive(Debug, Default)]
struct Shared {
    births: Births,
    negotiations: RecentNegotiations,
}

#[derive(Debug)]
struct ConnectionState {
    streams: [Stream; 2],
    tracker: Tracker,
    /// The reason for its end; `None` while it is open.
    end: Option<Close<Direction>>,
}

impl Inspector {
    /// An inspector whose connections use this version, if given, until a CONNECT states another.
    pub(crate) fn new(version: Option<Version>) -> Inspector {
        Inspector { version, ..Inspector::default() }
    }

    /// The same, with these settings for MQTT-SN.
    #[must_use]
    pub(crate) fn with_sn(self, settings: sn::Settings) -> Inspector {
        Inspector { messages: Messages::new(settings), ..self }
    }

    /// Takes the next event; events come in order of time.
    pub(crate) fn take(&mut self, event: &ConversationEvent<'_>, sink: &mut impl FnMut(&Item<'_>)) {
        match *event {
            ConversationEvent::Opened { connection, start, .. } => {
                self.open(connection, matches!(start, Start::Handshake { .. }));
                sink(&Item::Event(event));
            }
            ConversationEvent::Bytes { connection, at, direction, bytes, .. } => {
                let keep =
                    if self.buffered > MAX_TOTAL_BYTES { REDUCED_PACKET_BYTES } else { MAX_PACKET_BYTES };
                self.feed(connection, direction, at, sink, |stream, sink| {
                    stream.push(bytes, keep, sink);
                });
            }
            ConversationEvent::Gap { connection, at, direction, length, .. } => {
                self.feed(connection, direction, at, sink, |stream, sink| stream.gap(length, sink));
            }
            ConversationEvent::Lag { connection, direction, .. } => {
                if let Some(connection) = self.connections.get_mut(connection) {
                    connection.tracker.lag(direction);
                    sink(&Item::Event(event));
                }
            }
            ConversationEvent::Datagram { connection, at, client, gateway, direction, bytes, missing } => {
                let datagram = Datagram { connection, at, client, gateway, direction, bytes, missing };
                self.datagram(&datagram, sink);
            }
            ConversationEvent::Closed { connection, at, by, .. } => {
                if self.messages.end(connection, at, &mut |item| sink(&Item::Sn(item))) {
                    return;
                }
                if let Some(connection) = self.connections.get_mut(connection) {
                    connection.end = Some(by);
                }
                for direction in Direction::BOTH {
                    self.end(connection, direction, at, sink);
                }
                sink(&Item::Event(event));
                self.connections.remove(connection);
            }
            ConversationEvent::BadFrame { connection, at, direction, fault, .. } => {
                if fault.is_fatal() {
                    self.feed(connection, direction, at, sink, |stream, sink| stream.lose(sink));
                }
                sink(&Item::Event(event));
            }
            ConversationEvent::Undecryptable { connection, at, direction, .. } => {
                self.feed(connection, direction, at, sink, |stream, sink| stream.lose(sink));
                sink(&Item::Event(event));
            }
            ConversationEvent::Conflict { .. }
            | ConversationEvent::ProxyHeader { .. }
            | ConversationEvent::Fin { .. }
            | ConversationEvent::OtherProtocol { .. } => {
                sink(&Item::Event(event));
            }
        }
    }

    /// Opens a connection without an event, for literal packets. It starts at a packet boundary, or anywhere.
    pub(crate) fn open(&mut self, connection: u32, is_from_start: bool) {
        let streams = Direction::BOTH.map(|_| Stream::new(is_from_start));
        let tracker = Tracker::new(self.version);
        self.connections.insert(connection, ConnectionState { streams, tracker, end: None });
    }

    /// Opens a connection of MQTT-SN without an event, for literal messages.
    pub(crate) fn open_sn(&mut self, connection: u32) {
        self.messages.open(connection);
    }

    /// Takes a message of MQTT-SN.
    pub(crate) fn datagram(&mut self, datagram: &Datagram<'_>, sink: &mut impl FnMut(&Item<'_>)) {
        self.messages.take(datagram, &mut |item| sink(&Item::Sn(item)));
    }

    /// Takes the next bytes of one direction.
    pub(crate) fn bytes(
        &mut self,
        connection: u32,
        direction: Direction,
        at: Moment,
        bytes: &[u8],
        sink: &mut impl FnMut(&Item<'_>),
    ) {
        let keep = if self.buffered > MAX_TOTAL_BYTES { REDUCED_PACKET_BYTES } else { MAX_PACKET_BYTES };
        self.feed(connection, direction, at, sink, |stream, sink| stream.push(bytes, keep, sink));
    }

    /// Ends one direction: an unfinished packet is cut off, and the next bytes start a new one.
    pub(crate) fn end(
        &mut self,
        connection: u32,
        direction: Direction,
        at: Moment,
        sink: &mut impl FnMut(&Item<'_>),
    ) {
        self.feed(connection, direction, at, sink, |stream, sink| stream.end(sink));
    }

    fn feed<S: FnMut(&Item<'_>)>(
        &mut self,
        number: u32,
        direction: Direction,
        at: Moment,
        sink: &mut S,
        act: impl FnOnce(&mut Stream, &mut dyn FnMut(stream::StreamEvent<'_>)),
    ) {
        let Some(connection) = self.connections.get_mut(number) else { return };
        let ConnectionState { streams: [client, server], tracker, end } = connection;
        let is_end_excused = is_end_excused(*end)
            || tracker.has_disconnected(direction.reverse())
            || tracker.has_losses(direction);
        let stream = match direction {
            Direction::ClientToServer => client,
            Direction::ServerToClient => server,
        };
        let shared = &mut self.shared;
        let before = stream.buffered();
        act(stream, &mut |event| {
            let range = |offset, length| ByteRange { connection: number, direction, at, offset, length };
            match event {
                stream::StreamEvent::Packet { offset, packet } => {
                    let tree = dissect(&packet, direction, is_end_excused, tracker);
                    hand_out(range(offset, packet.length as u64), &packet, &tree, (tracker, shared), sink);
                }
                stream::StreamEvent::Gap { offset, length } => {
                    tracker.forget(direction);
                    sink(&Item::Gap(range(offset, length)));
                }
                stream::StreamEvent::Skipped { offset, length } => {
                    tracker.forget(direction);
                    sink(&Item::Skipped(range(offset, length)));
                }
            }
        });
        self.buffered = (self.buffered + stream.buffered()).saturating_sub(before);
    }
}

/// Whether only the capture ended, so that an unfinished packet is not the sender's fault.
fn is_end_excused(end: Option<Close<Direction>>) -> bool {
    match end {
        Some(Close::EndOfCapture | Close::Evicted | Close::Replaced) => true,
        Some(Close::Fin | Close::Reset(_) | Close::Refused(_)) | None => false,
    }
}

/// Decodes a packet. If the end is excused, a packet that was cut off is only a note.
fn dissect<'a>(
    raw: &RawPacket<'a>,
    direction: Direction,
    is_end_excused: bool,
    tracker: &mut Tracker,
) -> Tree<'a> {
    let mut tree = tracker.dissect(raw, direction);
    if is_end_excused {
        let cut = tree.findings.iter_mut().filter(|finding| finding.rule == Rule::CutOff);
        cut.for_each(|finding| finding.severity = Severity::Info);
    }
    tree
}

fn hand_out(
    place: ByteRange,
    raw: &RawPacket<'_>,
    tree: &Tree<'_>,
    (tracker, shared): (&mut Tracker, &mut Shared),
    sink: &mut impl FnMut(&Item<'_>),
) {
    let ByteRange { connection, direction, at, offset, .. } = place;
    let packet_type = raw.packet_type();
    // A packet that was cut off was not sent, so it does not change the connection's state.
    let facts = match packet_type {
        Some(packet_type) if !raw.is_cut => {
            tracker.observe(packet_type, direction, tree, at.time, &mut shared.negotiations)
        }
        _ => PacketFacts::default(),
    };
    if let Some((topic, payload)) = topic(&facts, tree).zip(whole_payload(raw, tree)) {
        shared.births.learn(topic, payload);
    }
    let (facts, tracker, births) = (&facts, &*tracker, &shared.births);
    sink(&Item::Packet(Packet {
        connection,
        direction,
        at,
        offset,
        raw,
        packet_type,
        tree,
        facts,
        tracker,
        births,
    }));
}

/// The topic of a PUBLISH, with its alias resolved.
fn topic<'a>(facts: &'a PacketFacts, tree: &Tree<'a>) -> Option<&'a str> {
    facts.topic.as_deref().or_else(|| tree.text(Name::TopicName))
}

/// The payload of a PUBLISH, unless a part of it is missing.
pub(super) fn whole_payload<'a>(raw: &RawPacket<'_>, tree: &Tree<'a>) -> Option<&'a [u8]> {
    if !raw.missing.is_empty() {
        return None;
    }
    match tree.find(Name::Payload)? {
        Field { value: Value::Bytes(content), range, .. } if content.len() == range.len() => Some(content),
        _ => None,
    }
}
