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
mod subscriptions;
mod summary;
#[cfg(test)]
mod tests;
mod time;

use super::capture::conversation::{Event, Foreign, FrameFault};
use super::capture::reassembly::{Close, Start};
use super::inspector::Stretch;
use super::{Direction, Finding, Item, Packet, Rule, Severity};
use crate::protocol::ProxyFault;
use connections::Clients;
use delivery::Delivery;
use exchange::Exchange;
use foldhash::fast::RandomState;
use packet_context::Subject;
use report::Report;
use session::Session;
use std::collections::HashMap;
pub use summary::Tally;
use time::Times;

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds after which an answer, or the end of a connection, counts as missing.
const LONG: u64 = 30 * SECOND;

/// Checks items one by one.
#[derive(Debug)]
pub struct Linter {
    level: Severity,
    tally: Tally,
    connections: HashMap<u32, Connection, RandomState>,
    clients: Clients,
    subscriptions: subscriptions::Budget,
}

/// A connection's state.
#[derive(Debug, Default)]
struct Connection {
    has_findings: bool,
    premises: Premises,
    session: Session,
    exchange: Exchange,
    delivery: Delivery,
    times: Times,
}

/// Which parts of a connection were captured.
#[derive(Debug, Clone, Copy, Default)]
struct Premises {
    /// The TCP handshake.
    handshake: bool,
    /// The client's first packet, and it was CONNECT.
    beginning: bool,
    /// Directions with missing bytes, or without a recognisable packet.
    gaps: [bool; 2],
    /// One direction can no longer be read.
    is_one_sided: bool,
    /// The frame that revealed each direction's last gap; all packets queued behind the gap carry it.
    late: [u64; 2],
}

/// The end of a connection.
#[derive(Debug, Clone, Copy)]
struct End {
    /// Time of the end, in nanoseconds.
    at: Option<u64>,
    /// Client or server closed the connection; otherwise only the capture ended.
    is_closed: bool,
}

impl Linter {
    /// A linter that returns findings of at least this severity.
    pub fn new(level: Severity) -> Linter {
        Linter {
            level,
            tally: Tally::default(),
            connections: HashMap::default(),
            clients: Clients::default(),
            subscriptions: subscriptions::Budget::default(),
        }
    }

    /// Findings for the item, in addition to the dissector's.
    pub fn check(&mut self, item: &Item<'_>) -> Vec<Finding> {
        let mut report = Report::default();
        let number = match item {
            Item::Packet(packet) => {
                self.packet(packet, &mut report);
                self.tally.count(&packet.tree.findings);
                Some(packet.connection)
            }
            Item::Gap(stretch) | Item::Skipped(stretch) => {
                self.gap(stretch);
                None
            }
            Item::Event(event) => self.event(event, &mut report),
        };
        let mut findings = report.into_findings();
        self.tally.count(&findings);
        if let Some(number) = number {
            let is_clean = findings.is_empty() && !has_findings(item);
            self.note(number, is_clean);
        }
        if let Item::Event(Event::Closed { connection, .. }) = item {
            self.connections.remove(connection);
        }
        findings.retain(|finding| finding.severity >= self.level);
        findings
    }

    /// Number of findings so far, of any severity.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn note(&mut self, number: u32, is_clean: bool) {
        if let Some(connection) = self.connections.get_mut(&number).filter(|it| !is_clean && !it.has_findings)
        {
            connection.has_findings = true;
            self.tally.connections_with_findings += 1;
        }
    }

    fn connection(&mut self, number: u32) -> &mut Connection {
        self.connections.entry(number).or_insert_with(|| {
            self.tally.connections += 1;
            Connection::default()
        })
    }

    fn packet(&mut self, packet: &Packet<'_>, report: &mut Report) {
        self.connection(packet.connection);
        let Some(connection) = self.connections.get_mut(&packet.connection) else { return };
        let subject = match packet.packet_type {
            Some(kind) if !packet.raw.is_cut && !packet.tree.breaks(Rule::ReservedType) => {
                Subject::new(packet, kind)
            }
            // There is nothing to check in it.
            _ => return connection.lose_track(packet.direction),
        };
        report.version = subject.version;
        connection.judge(&subject, &mut self.subscriptions, report);
        self.clients.check(&subject, connection.premises, report);
    }

    fn gap(&mut self, stretch: &Stretch) {
        let connection = self.connection(stretch.connection);
        connection.lose_track(stretch.direction);
        if let Some(late) = connection.premises.late.get_mut(stretch.direction as usize) {
            *late = stretch.at.frame;
        }
    }

    fn event(&mut self, event: &Event<'_>, report: &mut Report) -> Option<u32> {
        match *event {
            Event::Opened { connection, server, start, .. } => {
                self.connection(connection).premises.handshake = matches!(start, Start::Handshake { .. });
                self.clients.open(connection, server);
                Some(connection)
            }
            Event::Closed { connection, at, by } => {
                let is_closed = match by {
                    Close::Fin | Close::Reset(_) => true,
                    Close::Replaced | Close::Evicted | Close::EndOfCapture => false,
                };
                self.close(connection, End { at: at.time, is_closed }, report);
                Some(connection)
            }
            Event::BadFrame { connection, direction, fault, .. } => {
                bad_frame(fault, report);
                if fault.is_fatal() {
                    self.connection(connection).lose_direction(direction);
                }
                Some(connection)
            }
            Event::ProxyHeader { connection, header, .. } => {
                proxy_header(header.err(), report);
                Some(connection)
            }
            Event::Foreign { connection, what: Foreign::ProxyHeader(fault), .. } => {
                proxy_header(Some(fault), report);
                Some(connection)
            }
            // The receiver acknowledged packets that were not captured.
            Event::Lag { connection, direction, .. } => {
                self.connection(connection).lose_track(direction);
                None
            }
            // The rest of this direction cannot be read.
            Event::Undecryptable { connection, direction, .. } => {
                self.connection(connection).lose_direction(direction);
                None
            }
            Event::Conflict { .. } | Event::Foreign { .. } | Event::Bytes { .. } | Event::Gap { .. } => None,
        }
    }

    fn close(&mut self, number: u32, end: End, report: &mut Report) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.end(end, report);
            connection.delivery.give_back(&mut self.subscriptions);
        }
        self.clients.close(number);
    }
}

fn has_findings(item: &Item<'_>) -> bool {
    matches!(item, Item::Packet(packet) if !packet.tree.findings.is_empty())
}

fn proxy_header(fault: Option<ProxyFault>, report: &mut Report) {
    if let Some(fault) = fault {
        report.find(Rule::ProxyHeader, 0..0, format!("invalid header: {fault}"));
    }
}

fn bad_frame(fault: FrameFault, report: &mut Report) {
    match fault {
        FrameFault::Text => report.find(Rule::WebSocketText, 0..0, fault.to_string()),
        FrameFault::NotOffered => report.find(Rule::SubprotocolOffered, 0..0, fault.to_string()),
        FrameFault::NotChosen => report.find(Rule::SubprotocolChosen, 0..0, fault.to_string()),
        FrameFault::LostTrack => {}
        _ => report.find(Rule::WebSocketFault, 0..0, fault.to_string()),
    }
}

impl Connection {
    fn judge(&mut self, subject: &Subject<'_>, budget: &mut subscriptions::Budget, report: &mut Report) {
        let agreement = &subject.packet.tracker.agreement;
        let is_decoded = subject.tree.is_decoded();
        // A packet cannot be checked if both its version and some of its bytes are unknown.
        let is_readable = subject.is_version_known || (is_decoded && subject.packet.raw.missing.is_empty());
        if !is_readable || !packet::check(subject, report) {
            return self.lose_track(subject.direction);
        }
        let is_sound = !report.has_error() && !subject.tree.is_malformed() && is_decoded;
        self.times.check(subject, self.premises, report);
        self.session.check(subject, &mut self.premises, is_sound, report);
        let limits_hold = self.do_limits_hold(subject);
        if limits_hold {
            limits::check(subject, self.premises, report);
        }
        if is_sound && self.premises.is_one_sided {
            // The answers were not captured.
        } else if is_sound {
            self.exchange.check(subject, self.premises, limits_hold, report);
            // A packet that must not be sent cannot be matched to a subscription.
            if !report.has_error() {
                self.delivery.check(subject, agreement, self.premises, budget, report);
            }
        } else if subject.tree.is_malformed() || !is_decoded {
            self.exchange.lose_track();
            self.delivery.lose_track();
        } else {
            self.exchange.doubt();
            self.delivery.lose_track();
        }
    }

    /// Whether the receiver's limits apply. They do not to a client that sends before CONNACK, since the time at which it learned
    /// the server's limits is unknown, and not to packets for a side that has sent DISCONNECT.
    fn do_limits_hold(&self, subject: &Subject<'_>) -> bool {
        let is_hasty = subject.is_from_client() && self.session.is_hasty();
        let tracker = subject.packet.tracker;
        subject.is_v5() && !is_hasty && !tracker.has_disconnected(subject.direction.reverse())
    }

    fn end(&mut self, end: End, report: &mut Report) {
        report.version = self.session.version();
        self.session.end(end, self.premises, report);
        self.exchange.end(end, self.premises, report);
        self.times.end(end, report);
    }

    /// The direction can no longer be read.
    fn lose_direction(&mut self, direction: Direction) {
        self.premises.is_one_sided = true;
        self.lose_track(direction);
    }

    /// Part of the direction was lost.
    fn lose_track(&mut self, direction: Direction) {
        if let Some(gap) = self.premises.gaps.get_mut(direction as usize) {
            *gap = true;
        }
        self.exchange.lose_track();
        self.delivery.lose_track();
        self.times.lose_track();
    }
}

impl Premises {
    fn is_whole(self, direction: Direction) -> bool {
        let [client, server] = self.gaps;
        match direction {
            Direction::ClientToServer => !client,
            Direction::ServerToClient => !server,
        }
    }

    /// Whether the packet was queued behind a gap, so that later packets were reported before it.
    fn is_late(self, subject: &Subject<'_>) -> bool {
        let frame = subject.packet.at.frame;
        frame > 0 && self.late.get(subject.direction as usize) == Some(&frame)
    }

    /// Whether the connection was captured from its beginning without a gap.
    fn is_complete(self) -> bool {
        self.beginning && Direction::BOTH.into_iter().all(|direction| self.is_whole(direction))
    }
}

impl End {
    /// Nanoseconds from `then` to the end.
    fn since(self, then: Option<u64>) -> Option<u64> {
        Some(self.at?.saturating_sub(then?))
    }

    /// Severity of an answer that is missing since `then`: the capture may have ended first, or the answer was still in transit.
    fn severity(self, then: Option<u64>, worst: Severity) -> Severity {
        let enough = if self.is_closed { SECOND } else { LONG };
        if self.since(then).is_some_and(|waited| waited >= enough) { worst } else { Severity::Info }
    }
}
