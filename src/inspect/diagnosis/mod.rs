//! The problems of a capture: closed connections, clients that disconnect each other, silent clients, denied topics, missing and
//! slow answers.
//!
//! Each connection reports problems as sightings, which are counted by kind, client and reason. A report groups them, and comes
//! at the end or, for live traffic, again and again. A problem needs evidence in the capture: packets that were not captured
//! are never a problem. Memory is bounded; connections, clients and texts beyond a limit are counted and reported.

mod bursts;
mod clients;
mod connection;
mod ending;
mod foreign;
mod json;
mod kind;
mod pending;
mod problem;
mod report;
mod sentence;
mod sighting;
mod slowest;
mod sparkplug;
mod text;
mod time;
mod topics;

use super::capture::Moment;
use super::capture::conversation::{ConversationEvent, OtherProtocol, Undecryptable};
use super::capture::reassembly::Close;
use super::slots::ConnectionTable;
use super::{Item, Packet};
use crate::protocol::PacketType;
use bursts::Bursts;
use clients::Clients;
use connection::{EndOfConnection, OpenConnection, Protocol};
use ending::Ending;
use foldhash::HashMap;
use foreign::{Foreign, ForeignCounts, alert_code};
pub(in crate::inspect) use kind::Kind;
pub(in crate::inspect) use problem::Problem;
pub(crate) use report::{Report, Scope};
pub(in crate::inspect) use sighting::Mark;
use sighting::{Party, ProblemKey, Sighting, Sightings};
use slowest::Slowest;
use sparkplug::Nodes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use topics::Topics;

/// The most open connections to follow.
const MAX_CONNECTIONS: usize = 100_000;

/// Collects the problems of all connections.
#[derive(Debug, Default)]
pub(crate) struct Diagnosis {
    connections: ConnectionTable<OpenConnection>,
    shared: Shared,
    totals: Totals,
    /// The ports of servers with MQTT.
    mqtt_ports: BTreeSet<u16>,
    /// The numbers of servers.
    servers: HashMap<IpAddr, u16>,
    /// The number of connections without room.
    dropped: u64,
}

/// The state that all connections share.
#[derive(Debug, Default)]
struct Shared {
    clients: Clients,
    sightings: Sightings,
    topics: Topics,
    slowest: Slowest,
    bursts: Bursts,
    nodes: Nodes,
    endings: BTreeMap<Ending, u64>,
    /// The number of connections with bytes that were not captured, late or unreadable.
    incomplete: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    connections: u64,
    packets: u64,
    /// Connections that do not use MQTT, or are encrypted.
    others: ForeignCounts,
    first: Option<Moment>,
    last: Moment,
}

impl Diagnosis {
    /// A diagnosis whose problems have the places at which they were seen, for a picture.
    pub(crate) fn with_marks() -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        diagnosis.shared.sightings.keep_marks();
        diagnosis
    }

    /// Takes the next item; items come in order of time.
    pub(crate) fn observe(&mut self, item: &Item<'_>) {
        self.totals.see(item.at());
        match item {
            Item::Packet(packet) => self.packet(packet),
            Item::Gap(range) => {
                self.shared.nodes.lose(range.connection, range.direction);
                if let Some(connection) = self.connections.get_mut(range.connection) {
                    connection.lose(range.direction, range.at, &mut self.shared);
                }
            }
            Item::Skipped(range) => {
                self.shared.nodes.lose(range.connection, range.direction);
                if let Some(connection) = self.connections.get_mut(range.connection) {
                    connection.skip(range.direction, &mut self.shared);
                }
            }
            Item::Event(event) => self.event(event),
            // The diagnosis is about connections of MQTT.
            Item::Sn(_) => {}
        }
    }

    /// Takes an attempt of a proxy to connect to the server that failed.
    pub(crate) fn unreachable(&mut self, at: Moment, reason: &str) {
        self.totals.see(at);
        let text = Some(Rc::from(reason));
        let key = ProblemKey { kind: Kind::Unreachable, code: 0, party: Party::Everyone, text };
        let seen = Sighting { count: 1, first: at, last: at, ..Sighting::default() };
        self.shared.sightings.put(key, &seen);
    }

    /// The number of times that a problem was seen, not counting problems that are computed for a report.
    pub(crate) fn sightings(&self) -> u64 {
        self.shared.sightings.count()
    }

    /// Whether nothing was observed.
    pub(crate) fn is_empty(&self) -> bool {
        self.totals.connections == 0 && self.totals.others.total() == 0
    }

    /// The problems up to now.
    pub(crate) fn report(&self, scope: &Scope) -> Report {
        report::report(self, scope)
    }

    fn open_connections(&self) -> impl Iterator<Item = &OpenConnection> {
        self.connections.values()
    }

    /// The open connections that have sent no MQTT packet.
    fn undecided(&self) -> impl Iterator<Item = Protocol> {
        let protocols = self.open_connections().map(|connection| connection.protocol);
        protocols.filter(|protocol| *protocol != Protocol::Mqtt)
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        let connection = self.connections.get_mut(packet.connection);
        let Some(connection) = connection else {
            self.totals.packets += 1;
            return;
        };
        if !connection.may_be_mqtt(packet) {
            return;
        }
        self.totals.packets += 1;
        let Some(kind) = packet.packet_type.filter(|_| !packet.raw.is_cut) else { return };
        let previous = connection.packet(packet, kind, &mut self.shared);
        let (number, server) = (connection.number, connection.server);
        if let Some(previous) = previous.filter(|previous| *previous != number) {
            connection.set_previous(previous);
            if let Some(previous) = self.connections.get_mut(previous) {
                previous.rival(server, packet.at);
            }
        } else if kind == PacketType::Connack && connection.is_refused() {
            let previous = connection.previous().and_then(|previous| self.connections.get_mut(previous));
            previous.into_iter().for_each(OpenConnection::unrival);
        }
    }

    fn event(&mut self, event: &ConversationEvent<'_>) {
        match *event {
            ConversationEvent::Opened { connection, at, client, server, .. } => {
                self.mqtt_ports.insert(server.port());
                self.open(connection, at, Some((client, server)));
            }
            ConversationEvent::Fin { connection, at, direction } => {
                if let Some(connection) = self.connections.get_mut(connection) {
                    connection.fin(direction, at, &mut self.shared);
                }
            }
            ConversationEvent::Closed { connection, at, by, first_fin } => {
                self.shared.nodes.close(connection);
                if let Some(mut connection) = self.connections.remove(connection) {
                    if connection.protocol != Protocol::Mqtt {
                        self.totals.connections -= 1;
                        let is_silent = connection.protocol == Protocol::Undecided;
                        self.totals.others.add(if is_silent { Foreign::Silent } else { Foreign::Unknown });
                        return;
                    }
                    if let (Close::Reset(sender) | Close::Refused(sender), None) = (by, first_fin) {
                        connection.check_take_over(sender, at, &mut self.shared);
                    }
                    let ending = connection.ending(Ending::of_tcp(by, first_fin), at);
                    self.close(&connection, EndOfConnection { ending, at });
                }
            }
            ConversationEvent::Lag { connection, at, direction }
            | ConversationEvent::BadFrame { connection, at, direction, .. }
            | ConversationEvent::Undecryptable { connection, at, direction, .. } => {
                self.shared.nodes.lose(connection, direction);
                if let Some(connection) = self.connections.get_mut(connection) {
                    connection.lose(direction, at, &mut self.shared);
                }
            }
            ConversationEvent::OtherProtocol { connection, at, server, ref protocol, .. } => {
                self.totals.others.add(Foreign::of(protocol));
                if let Some((kind, code)) = self.unmade(protocol, server) {
                    let text = Some(Rc::from(server.to_string()));
                    let key = ProblemKey { kind, code, party: Party::Everyone, text };
                    self.shared.sightings.add(key, connection, at, 0);
                }
            }
            ConversationEvent::Bytes { .. }
            | ConversationEvent::Datagram { .. }
            | ConversationEvent::Gap { .. }
            | ConversationEvent::Conflict { .. }
            | ConversationEvent::ProxyHeader { .. } => {}
        }
    }

    /// The problem for which a connection was not made, with its code.
    fn unmade(&self, protocol: &OtherProtocol, server: SocketAddr) -> Option<(Kind, u16)> {
        match *protocol {
            OtherProtocol::Refused { expects_mqtt } => {
                let is_of_mqtt = expects_mqtt || self.mqtt_ports.contains(&server.port());
                is_of_mqtt.then_some((Kind::TcpRefused, 0))
            }
            OtherProtocol::Tls { reason: Some(Undecryptable::Alert(sender, alert)), .. } => {
                Some((Kind::TlsFailed, alert_code(sender, alert)))
            }
            _ => None,
        }
    }

    fn open(&mut self, number: u32, at: Moment, ends: Option<(SocketAddr, SocketAddr)>) {
        self.totals.connections += 1;
        if self.connections.len() >= MAX_CONNECTIONS {
            self.dropped += 1;
            return;
        }
        let (client, server) = ends.unzip();
        let server = server.and_then(|server| self.server(server.ip()));
        self.connections.insert(number, OpenConnection::new(number, at, client, server));
    }

    /// The number of a server; `None` if there are too many.
    fn server(&mut self, address: IpAddr) -> Option<u16> {
        if let Some(number) = self.servers.get(&address) {
            return Some(*number);
        }
        let number = u16::try_from(self.servers.len()).ok()?;
        self.servers.insert(address, number);
        Some(number)
    }

    fn close(&mut self, connection: &OpenConnection, end: EndOfConnection) {
        let shared = &mut self.shared;
        connection.end(end, &mut shared.sightings);
        *shared.endings.entry(end.ending).or_default() += 1;
        if let Some(record) = connection.client_index().and_then(|index| shared.clients.get_mut(index)) {
            record.end(connection.number, end.ending, connection.lifetime(end.at));
        }
        // A message is awaited only as long as the connection is certain to be there.
        if end.ending != Ending::Open {
            connection.unsubscribe(end.at, shared);
        }
    }
}

impl Totals {
    fn see(&mut self, at: Moment) {
        if at.time.is_some() {
            self.first.get_or_insert(at);
            if at.time > self.last.time {
                self.last = at;
            }
        }
    }
}
