//! The linter: checks packets and connections against the statements of the specification in [`Rule`]'s table.
//!
//! Each file holds the rules of one subject and the state that they need. A loss in the capture is never reported as a fault: a
//! rule whose precondition was not seen (a handshake, a CONNECT, a SUBSCRIBE) reports nothing, and neither do rules that depend
//! on lost packets. The meaning of a malformed packet is uncertain, so such a packet is not checked in its context.

mod connections;
mod delivery;
mod exchange;
mod in_flight;
mod limits;
mod packet;
mod packet_context;
mod report;
mod session;
mod sparkplug;
mod subscriptions;
mod summary;
#[cfg(test)]
mod tests;
mod time;

use super::capture::conversation::{ConversationEvent, FrameFault, OtherProtocol};
use super::capture::reassembly::{Close, Start};
use super::inspector::ByteRange;
use super::slots::ConnectionTable;
use super::sn::SnItem;
use super::timing::SECOND;
use super::{Direction, Finding, Item, Packet, Rule, Severity};
use crate::protocol::ProxyFault;
use connections::Clients;
use delivery::Delivery;
use exchange::Acknowledgements;
use packet_context::PacketContext;
use report::FindingList;
use session::PacketOrder;
use sparkplug::{Nodes, SparkplugConnection};
pub(crate) use summary::FindingCounts;
use time::KeepAliveTimes;

/// Nanoseconds after which an answer, or the end of a connection, counts as missing.
const ANSWER_TIMEOUT: u64 = 30 * SECOND;

/// Checks items one by one.
#[derive(Debug)]
pub(crate) struct Linter {
    level: Severity,
    counts: FindingCounts,
    connections: ConnectionTable<ConnectionState>,
    clients: Clients,
    subscriptions: subscriptions::FilterMemory,
    nodes: Nodes,
}

#[derive(Debug, Default)]
struct ConnectionState {
    has_findings: bool,
    coverage: CaptureCoverage,
    packet_order: PacketOrder,
    acknowledgements: Acknowledgements,
    delivery: Delivery,
    keep_alive: KeepAliveTimes,
    sparkplug: SparkplugConnection,
}

/// The captured parts of a connection.
#[derive(Debug, Clone, Copy, Default)]
struct CaptureCoverage {
    /// The TCP handshake.
    handshake: bool,
    /// The client's first packet, and it was CONNECT.
    beginning: bool,
    /// Directions with missing bytes, or without a recognisable packet.
    gaps: [bool; 2],
    /// One direction can no longer be read.
    is_one_sided: bool,
    /// The frame that revealed each direction's last gap; all packets that were queued after the gap have its number.
    late: [u64; 2],
}

#[derive(Debug, Clone, Copy)]
struct ConnectionEnd {
    /// Time of the end, in nanoseconds.
    at: Option<u64>,
    /// Client or server closed the connection; otherwise only the capture ended.
    is_closed: bool,
}

impl Linter {
    /// A linter that returns findings of at least this severity.
    pub(crate) fn new(level: Severity) -> Linter {
        Linter {
            level,
            counts: FindingCounts::default(),
            connections: ConnectionTable::default(),
            clients: Clients::default(),
            subscriptions: subscriptions::FilterMemory::default(),
            nodes: Nodes::default(),
        }
    }

    /// Findings for the item, in addition to the dissector's.
    pub(crate) fn check(&mut self, item: &Item<'_>) -> Vec<Finding> {
        let mut report = FindingList::default();
        let number = match item {
            Item::Packet(packet) => {
                self.packet(packet, &mut report);
                self.counts.count(&packet.tree.findings);
                Some(packet.connection)
            }
            Item::Gap(range) | Item::Skipped(range) => {
                self.gap(range);
                None
            }
            Item::Event(event) => self.event(event, &mut report),
            Item::Sn(item) => return self.sn(item),
        };
        let mut findings = report.into_findings();
        self.counts.count(&findings);
        if let Some(number) = number {
            let is_clean = findings.is_empty() && !has_findings(item);
            self.note(number, is_clean);
        }
        if let Item::Event(ConversationEvent::Closed { connection, .. }) = item {
            self.connections.remove(*connection);
        }
        findings.retain(|finding| finding.severity >= self.level);
        findings
    }

    /// The findings for MQTT-SN, which follow from the state of its clients.
    fn sn(&mut self, item: &SnItem<'_>) -> Vec<Finding> {
        let dissected = match item {
            SnItem::Message(message) => message.tree.findings.as_slice(),
            SnItem::Opened(_) | SnItem::End(_) => &[],
            SnItem::Closed { connection, .. } => {
                self.connections.remove(*connection);
                return Vec::new();
            }
        };
        self.connection(item.connection());
        self.counts.count(dissected);
        self.counts.count(item.findings());
        self.note(item.connection(), dissected.is_empty() && item.findings().is_empty());
        let mut findings = item.findings().to_vec();
        findings.retain(|finding| finding.severity >= self.level);
        findings
    }

    /// Number of findings so far, of any severity.
    pub(crate) fn counts(&self) -> FindingCounts {
        FindingCounts { forgotten_nodes: self.nodes.evicted(), ..self.counts }
    }

    fn note(&mut self, number: u32, is_clean: bool) {
        if let Some(connection) = self.connections.get_mut(number).filter(|it| !is_clean && !it.has_findings)
        {
            connection.has_findings = true;
            self.counts.connections_with_findings += 1;
        }
    }

    /// The connection with this number, which is added if there is none.
    fn connection(&mut self, number: u32) -> Option<&mut ConnectionState> {
        if !self.connections.contains(number) {
            self.counts.connections += 1;
            self.connections.insert(number, ConnectionState::default());
        }
        self.connections.get_mut(number)
    }

    fn lose_direction(&mut self, number: u32, direction: Direction) {
        if let Some(connection) = self.connection(number) {
            connection.lose_direction(direction);
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, report: &mut FindingList) {
        self.connection(packet.connection);
        let Some(connection) = self.connections.get_mut(packet.connection) else { return };
        let context = match packet.packet_type {
            Some(kind) if !packet.raw.is_cut && !packet.tree.breaks(Rule::ReservedType) => {
                PacketContext::new(packet, kind)
            }
            // The packet has no known type, so it cannot be checked.
            _ => return connection.lose_track(packet.direction),
        };
        report.version = context.version;
        connection.check_packet(&context, &mut self.subscriptions, report);
        self.clients.check(&context, connection.coverage, report);
        if !context.tree.is_malformed() && context.tree.is_decoded() {
            self.nodes.check(&context, connection.coverage, &mut connection.sparkplug, report);
        }
    }

    fn gap(&mut self, range: &ByteRange) {
        let Some(connection) = self.connection(range.connection) else { return };
        connection.lose_track(range.direction);
        if let Some(late) = connection.coverage.late.get_mut(range.direction as usize) {
            *late = range.at.frame;
        }
    }

    fn event(&mut self, event: &ConversationEvent<'_>, report: &mut FindingList) -> Option<u32> {
        match *event {
            ConversationEvent::Opened { connection, server, start, .. } => {
                if let Some(state) = self.connection(connection) {
                    state.coverage.handshake = matches!(start, Start::Handshake { .. });
                    state.sparkplug.open(server);
                }
                self.clients.open(connection, server);
                Some(connection)
            }
            ConversationEvent::Closed { connection, at, by, .. } => {
                let is_closed = match by {
                    Close::Fin | Close::Reset(_) | Close::Refused(_) => true,
                    Close::Replaced | Close::Evicted | Close::EndOfCapture => false,
                };
                self.close(connection, ConnectionEnd { at: at.time, is_closed }, report);
                Some(connection)
            }
            ConversationEvent::BadFrame { connection, direction, fault, .. } => {
                bad_frame(fault, report);
                if fault.is_fatal() {
                    self.lose_direction(connection, direction);
                }
                Some(connection)
            }
            ConversationEvent::ProxyHeader { connection, header, .. } => {
                proxy_header(header.err(), report);
                Some(connection)
            }
            ConversationEvent::OtherProtocol {
                connection,
                protocol: OtherProtocol::ProxyHeader(fault),
                ..
            } => {
                proxy_header(Some(fault), report);
                Some(connection)
            }
            // The receiver acknowledged packets that were not captured.
            ConversationEvent::Lag { connection, direction, .. } => {
                if let Some(state) = self.connection(connection) {
                    state.lose_track(direction);
                }
                None
            }
            // The rest of this direction cannot be read.
            ConversationEvent::Undecryptable { connection, direction, .. } => {
                self.lose_direction(connection, direction);
                None
            }
            ConversationEvent::Conflict { .. }
            | ConversationEvent::OtherProtocol { .. }
            | ConversationEvent::Bytes { .. }
            | ConversationEvent::Datagram { .. }
            | ConversationEvent::Fin { .. }
            | ConversationEvent::Gap { .. } => None,
        }
    }

    fn close(&mut self, number: u32, end: ConnectionEnd, report: &mut FindingList) {
        if let Some(connection) = self.connections.get_mut(number) {
            connection.end(end, report);
            connection.delivery.give_back(&mut self.subscriptions);
        }
        self.clients.close(number);
        self.nodes.close(number);
    }
}

fn has_findings(item: &Item<'_>) -> bool {
    matches!(item, Item::Packet(packet) if !packet.tree.findings.is_empty())
}

fn proxy_header(fault: Option<ProxyFault>, report: &mut FindingList) {
    if let Some(fault) = fault {
        report.find(Rule::ProxyHeader, 0..0, format!("invalid header: {fault}"));
    }
}

fn bad_frame(fault: FrameFault, report: &mut FindingList) {
    match fault {
        FrameFault::Text => report.find(Rule::WebSocketText, 0..0, fault.to_string()),
        FrameFault::NotOffered => report.find(Rule::SubprotocolOffered, 0..0, fault.to_string()),
        FrameFault::NotChosen => report.find(Rule::SubprotocolChosen, 0..0, fault.to_string()),
        FrameFault::LostTrack => {}
        _ => report.find(Rule::WebSocketFault, 0..0, fault.to_string()),
    }
}

impl ConnectionState {
    fn check_packet(
        &mut self,
        context: &PacketContext<'_>,
        budget: &mut subscriptions::FilterMemory,
        report: &mut FindingList,
    ) {
        let negotiation = &context.packet.tracker.negotiation;
        let is_decoded = context.tree.is_decoded();
        // A packet cannot be checked if both its version and some of its bytes are unknown.
        let is_readable = context.is_version_known || (is_decoded && context.packet.raw.missing.is_empty());
        if !is_readable || !packet::check(context, report) {
            return self.lose_track(context.direction);
        }
        let is_sound = !report.has_error() && !context.tree.is_malformed() && is_decoded;
        self.keep_alive.check(context, self.coverage, report);
        self.packet_order.check(context, &mut self.coverage, is_sound, report);
        let limits_hold = self.do_limits_hold(context);
        if limits_hold {
            limits::check(context, self.coverage, report);
        }
        if is_sound && self.coverage.is_one_sided {
            // The answers were not captured.
        } else if is_sound {
            self.acknowledgements.check(context, self.coverage, limits_hold, report);
            // A packet that must not be sent cannot be matched to a subscription.
            if !report.has_error() {
                self.delivery.check(context, negotiation, self.coverage, budget, report);
            }
        } else if context.tree.is_malformed() || !is_decoded {
            self.acknowledgements.lose_track();
            self.delivery.lose_track();
        } else {
            self.acknowledgements.mark_incomplete();
            self.delivery.lose_track();
        }
    }

    /// Whether the receiver's limits apply. They do not apply to a client that sent packets before CONNACK, since the time at which
    /// it learned the server's limits is unknown, nor to packets for a side that has sent DISCONNECT.
    fn do_limits_hold(&self, context: &PacketContext<'_>) -> bool {
        let is_hasty = context.is_from_client() && self.packet_order.is_hasty();
        let tracker = context.packet.tracker;
        context.is_v5() && !is_hasty && !tracker.has_disconnected(context.direction.reverse())
    }

    fn end(&mut self, end: ConnectionEnd, report: &mut FindingList) {
        report.version = self.packet_order.version();
        self.packet_order.end(end, self.coverage, report);
        self.acknowledgements.end(end, self.coverage, report);
        self.keep_alive.end(end, report);
    }

    /// The direction can no longer be read.
    fn lose_direction(&mut self, direction: Direction) {
        self.coverage.is_one_sided = true;
        self.lose_track(direction);
    }

    /// Part of the direction was lost.
    fn lose_track(&mut self, direction: Direction) {
        if let Some(gap) = self.coverage.gaps.get_mut(direction as usize) {
            *gap = true;
        }
        self.acknowledgements.lose_track();
        self.delivery.lose_track();
        self.keep_alive.lose_track();
        self.sparkplug.lose_track(direction);
    }
}

impl CaptureCoverage {
    fn is_whole(self, direction: Direction) -> bool {
        let [client, server] = self.gaps;
        match direction {
            Direction::ClientToServer => !client,
            Direction::ServerToClient => !server,
        }
    }

    /// Whether the packet was queued after a gap, so that later packets were reported before it.
    fn is_late(self, context: &PacketContext<'_>) -> bool {
        let frame = context.packet.at.frame;
        frame > 0 && self.late.get(context.direction as usize) == Some(&frame)
    }

    /// Whether the connection was captured from its beginning without a gap.
    fn is_complete(self) -> bool {
        self.beginning && Direction::BOTH.into_iter().all(|direction| self.is_whole(direction))
    }
}

impl ConnectionEnd {
    /// Nanoseconds from `then` to the end.
    fn since(self, then: Option<u64>) -> Option<u64> {
        Some(self.at?.saturating_sub(then?))
    }

    /// Severity of an answer that is missing since `then`: the capture may have ended first, or the answer was still in transit.
    fn severity(self, then: Option<u64>, worst: Severity) -> Severity {
        let enough = if self.is_closed { SECOND } else { ANSWER_TIMEOUT };
        if self.since(then).is_some_and(|waited| waited >= enough) { worst } else { Severity::Info }
    }
}
