//! Counts and times of a whole capture and of each connection in it. Memory is bounded: connections and topics beyond the
//! maximum count only in the totals.

mod json;
mod mqtt_sn;
mod round_trips;
mod text;
mod topics;

use super::capture::Moment;
use super::capture::conversation::ConversationEvent;
use super::tracker::RoundTrip;
use super::{Direction, Finding, Item, Name, Packet, Severity};
use crate::protocol::{PacketType, Version};
use mqtt_sn::SnStatistics;
use round_trips::{Precision, RoundTripTimes};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::rc::Rc;
use topics::TopicCounts;

/// Maximum number of connections to list.
const MAX_CONNECTIONS: usize = 10_000;

/// Maximum number of topics to count in total.
const MAX_TOPICS: usize = 10_000;
const MAX_TOPICS_OF_CONNECTION: usize = 100;

/// The statistics of a capture.
#[derive(Debug)]
pub(crate) struct Statistics {
    all: TrafficCounts,
    connections: BTreeMap<u32, ConnectionStatistics>,
    /// Number of MQTT connections.
    count: u64,
    /// Number of connections with another protocol.
    other_protocols: u64,
    /// MQTT-SN, if there is any.
    sn: Option<Box<SnStatistics>>,
    span: Period,
}

/// Counts of a capture or a connection.
#[derive(Debug)]
struct TrafficCounts {
    /// By direction and type; 0 is the reserved type.
    packets: [[u64; 16]; 2],
    bytes: [u64; 2],
    topics: TopicCounts,
    round_trips: HashMap<PacketType, RoundTripTimes>,
    precision: Precision,
    gaps: u64,
    missing_bytes: u64,
    skipped_bytes: u64,
    errors: u64,
    warnings: u64,
    notes: u64,
}

#[derive(Debug)]
struct ConnectionStatistics {
    ends: Option<(SocketAddr, SocketAddr)>,
    client_id: Option<Rc<str>>,
    version: Option<Version>,
    keep_alive: Option<u16>,
    counts: TrafficCounts,
    span: Period,
    /// Time of the client's last packet, in nanoseconds.
    last_of_client: Option<u64>,
    /// The longest time between two packets of the client, in nanoseconds.
    longest_silence: u64,
    /// Number of packets that wait for an answer.
    unanswered: usize,
}

/// A period of time, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Period {
    first: Option<u64>,
    last: Option<u64>,
}

impl Default for Statistics {
    fn default() -> Statistics {
        Statistics {
            all: TrafficCounts::new(MAX_TOPICS, Precision::Total),
            connections: BTreeMap::new(),
            count: 0,
            other_protocols: 0,
            sn: None,
            span: Period::default(),
        }
    }
}

impl Statistics {
    /// Counts an item and the linter's findings for it.
    pub(crate) fn observe(&mut self, item: &Item<'_>, findings: &[Finding]) {
        match item {
            Item::Packet(packet) => self.packet(packet, findings),
            Item::Gap(range) => self.each(range.connection, range.at, |counts| {
                counts.gaps += 1;
                counts.missing_bytes += range.length;
            }),
            Item::Skipped(range) => {
                self.each(range.connection, range.at, |counts| counts.skipped_bytes += range.length);
            }
            Item::Event(ConversationEvent::Opened { connection, at, client, server, .. }) => {
                self.count += 1;
                self.each(*connection, *at, |_| {});
                if let Some(connection) = self.connections.get_mut(connection) {
                    connection.ends = Some((*client, *server));
                }
            }
            Item::Sn(item) => self.sn.get_or_insert_default().observe(item, findings),
            Item::Event(ConversationEvent::OtherProtocol { .. }) => self.other_protocols += 1,
            Item::Event(event) => {
                let connection = event.connection();
                let known = self.connections.get_mut(&connection).map(|connection| &mut connection.counts);
                for counts in known.into_iter().chain([&mut self.all]) {
                    findings.iter().for_each(|finding| counts.found(finding));
                }
            }
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding]) {
        self.each(packet.connection, packet.at, |counts| counts.packet(packet, findings));
        if let Some(connection) = self.connections.get_mut(&packet.connection) {
            connection.packet(packet);
        }
    }

    /// Counts in the totals and, unless there are too many connections, in the connection.
    fn each(&mut self, number: u32, at: Moment, count: impl Fn(&mut TrafficCounts)) {
        count(&mut self.all);
        self.span.extend(at.time);
        let has_room = self.connections.len() < MAX_CONNECTIONS;
        if has_room || self.connections.contains_key(&number) {
            let connection = self.connections.entry(number).or_default();
            connection.span.extend(at.time);
            count(&mut connection.counts);
        }
    }
}

impl TrafficCounts {
    fn new(topics: usize, precision: Precision) -> TrafficCounts {
        TrafficCounts {
            packets: [[0; 16]; 2],
            bytes: [0; 2],
            topics: TopicCounts::of_at_most(topics),
            round_trips: HashMap::new(),
            precision,
            gaps: 0,
            missing_bytes: 0,
            skipped_bytes: 0,
            errors: 0,
            warnings: 0,
            notes: 0,
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding]) {
        let direction = packet.direction as usize;
        let kind = packet.packet_type.map_or(0, |kind| kind as usize);
        if let Some(count) = self.packets.get_mut(direction).and_then(|counts| counts.get_mut(kind)) {
            *count += 1;
        }
        if let Some(bytes) = self.bytes.get_mut(direction) {
            *bytes += packet.raw.length as u64;
        }
        if packet.packet_type == Some(PacketType::Publish) {
            let topic = packet.facts.topic.as_deref().or_else(|| packet.tree.text(Name::TopicName));
            let payload = packet.tree.find(Name::Payload).map_or(0, |payload| payload.range.len());
            self.topics.count(topic.unwrap_or_default(), payload as u64);
        }
        if let Some(answers) = &packet.facts.answers {
            self.round_trip(answers);
        }
        packet.tree.findings.iter().chain(findings).for_each(|finding| self.found(finding));
    }

    fn round_trip(&mut self, answers: &RoundTrip) {
        let times = self.round_trips.entry(answers.answer);
        times.or_insert_with(|| RoundTripTimes::new(self.precision)).record(answers.nanoseconds);
    }

    fn found(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Info => self.notes += 1,
        }
    }

    fn packets_of(&self, direction: Direction) -> u64 {
        self.packets.get(direction as usize).map_or(0, |counts| counts.iter().sum())
    }

    fn bytes_of(&self, direction: Direction) -> u64 {
        self.bytes.get(direction as usize).copied().unwrap_or_default()
    }

    /// The packet types that occurred, with the number from the client and from the server.
    fn types(&self) -> impl Iterator<Item = (&'static str, [u64; 2])> {
        (0..16).filter_map(|kind| {
            let counts = self.packets.map(|counts| counts.get(kind).copied().unwrap_or_default());
            let name = PacketType::from_first_byte((kind << 4) as u8).map_or("RESERVED", PacketType::name);
            (counts != [0, 0]).then_some((name, counts))
        })
    }

    /// The round trips by type of the answer.
    fn round_trips(&self) -> impl Iterator<Item = (PacketType, &RoundTripTimes)> {
        PacketType::ALL.into_iter().filter_map(|kind| Some((kind, self.round_trips.get(&kind)?)))
    }
}

impl Default for ConnectionStatistics {
    fn default() -> ConnectionStatistics {
        ConnectionStatistics {
            ends: None,
            client_id: None,
            version: None,
            keep_alive: None,
            counts: TrafficCounts::new(MAX_TOPICS_OF_CONNECTION, Precision::Connection),
            span: Period::default(),
            last_of_client: None,
            longest_silence: 0,
            unanswered: 0,
        }
    }
}

impl ConnectionStatistics {
    fn packet(&mut self, packet: &Packet<'_>) {
        let tracker = packet.tracker;
        if self.client_id.is_none() {
            self.client_id.clone_from(&tracker.client_id);
        }
        self.version = tracker.version;
        self.keep_alive = tracker.keep_alive;
        self.unanswered = tracker.unanswered();
        if let (Direction::ClientToServer, Some(time)) = (packet.direction, packet.at.time) {
            let silence = self.last_of_client.map_or(0, |last| time.saturating_sub(last));
            self.longest_silence = self.longest_silence.max(silence);
            self.last_of_client = Some(time);
        }
    }

    /// Whether the client was silent for longer than its keep alive.
    fn is_keep_alive_missed(&self) -> bool {
        let seconds = u64::from(self.keep_alive.unwrap_or_default());
        seconds > 0 && self.longest_silence > seconds * 1_000_000_000
    }
}

impl Period {
    fn extend(&mut self, time: Option<u64>) {
        self.first = self.first.into_iter().chain(time).min();
        self.last = self.last.into_iter().chain(time).max();
    }

    fn seconds(self) -> f64 {
        let nanoseconds = self.last.unwrap_or_default().saturating_sub(self.first.unwrap_or_default());
        nanoseconds as f64 / 1e9
    }
}
