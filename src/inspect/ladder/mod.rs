//! A picture of a capture: an HTML page with a sequence ladder of clients and servers, and the diagnosis beside it.
//!
//! The ladder is a list of rows in order of time: packets, beginnings and ends of connections, gaps in the capture. Nothing that
//! was not captured has a row. The number of rows is limited, so that memory and page are; `data` writes the rows as JSON for the
//! script, `marks` finds the rows of each problem, and `page` renders everything that is readable without the script.

mod connections;
mod data;
mod marks;
mod page;
mod page_texts;
mod row;

use super::capture::conversation::{ConversationEvent, OtherProtocol, Undecryptable};
use super::capture::reassembly::Close;
use super::view::line::{content, describe, gap, skipped};
use super::view::{Options, shown};
use super::{Direction, Finding, Item, Packet};
use crate::words::counted_verb;
use connections::{Connections, Known};
pub(crate) use page_texts::PageTexts;
use row::{Row, RowFinding, RowKind};
use std::collections::VecDeque;

/// The most rows. Their texts are limited as well, so that a page with all of them has less than 5 MB.
const MAX_ROWS: usize = 20_000;
const MAX_BYTES: usize = 3_300_000;

/// The part of both that the first rows have. The rest is for rows around later problems.
const FIRST_ROWS: usize = 15_000;
const FIRST_BYTES: usize = 2_400_000;

/// The rows before and after a later problem.
const BEFORE: usize = 30;
const AFTER: usize = 10;

/// The most findings, with the most bytes of their texts.
const MAX_FINDINGS: usize = 2_000;

/// Collects the rows.
#[derive(Debug)]
pub(crate) struct Ladder {
    options: Options,
    connections: Connections,
    rows: Vec<Row>,
    findings: Vec<RowFinding>,
    /// Findings without room.
    other_findings: u64,
    /// The approximate size of the rows in the page.
    bytes: usize,
    /// The last rows after the first ones.
    recent: VecDeque<Candidate>,
    /// The number of rows that are still kept after a problem.
    wanted: usize,
    /// Whether the current item shows a problem.
    shows_problem: bool,
    omitted: Omitted,
}

/// A row that may become one of the picture.
#[derive(Debug)]
struct Candidate {
    number: u32,
    connection: Known,
    row: Row,
    findings: Vec<RowFinding>,
}

/// Rows without room.
#[derive(Debug, Clone, Copy, Default)]
struct Omitted {
    packets: u64,
    /// The packets since the last row of the picture.
    since_row: u64,
    /// The time of the first one, in nanoseconds since 1970.
    from: Option<u64>,
}

impl Ladder {
    /// A picture with the findings of these options' severity.
    pub(crate) fn new(options: Options) -> Ladder {
        Ladder {
            options,
            connections: Connections::default(),
            rows: Vec::new(),
            findings: Vec::new(),
            other_findings: 0,
            bytes: 0,
            recent: VecDeque::new(),
            wanted: 0,
            shows_problem: false,
            omitted: Omitted::default(),
        }
    }

    /// Takes every item, also those that are not drawn: they have the addresses and the client of a connection.
    pub(crate) fn see(&mut self, item: &Item<'_>, shows_problem: bool) {
        self.connections.see(item);
        self.shows_problem = shows_problem;
    }

    /// Draws an item.
    pub(crate) fn draw(&mut self, item: &Item<'_>, findings: &[Finding]) {
        match item {
            Item::Packet(packet) => self.packet(item, packet, findings),
            // The page has connections of MQTT only.
            Item::Sn(_) => {}
            Item::Gap(range) => self.add(item, RowKind::Gap(range.direction), &gap(range), findings),
            Item::Skipped(range) => self.add(item, RowKind::Gap(range.direction), &skipped(range), findings),
            Item::Event(event) => self.event(item, event, findings),
        }
        if std::mem::take(&mut self.shows_problem) {
            self.wanted = AFTER;
            self.keep_recent();
        }
    }

    /// Ends the picture: the last rows are left out if there was no problem in them.
    pub(crate) fn finish(&mut self) {
        self.recent.drain(..).for_each(|candidate| self.omitted.count(&candidate.row));
    }

    /// The number of packets without room.
    pub(crate) fn omitted(&self) -> u64 {
        self.omitted.packets
    }

    /// The number of packets in the picture.
    pub(crate) fn packets(&self) -> usize {
        self.rows.iter().filter(|row| row.kind.is_packet()).count()
    }

    fn packet(&mut self, item: &Item<'_>, packet: &Packet<'_>, findings: &[Finding]) {
        let kind = RowKind::Packet(packet.direction, packet.packet_type);
        let row = Row {
            round_trip: packet.facts.answers.as_ref().map(|answers| answers.nanoseconds),
            length: packet.raw.length as u64,
            topic: packet.topic().map(row::hash),
            ..Row::new(kind, item.at(), &content(packet, self.options))
        };
        self.consider(item, row, &packet.tree.findings, findings);
    }

    fn event(&mut self, item: &Item<'_>, event: &ConversationEvent<'_>, findings: &[Finding]) {
        let kind = match event {
            ConversationEvent::Opened { .. } => RowKind::Open,
            // The first FIN is the end that matters.
            ConversationEvent::Fin { direction, connection, .. } => {
                if self.connections.fin(*connection) {
                    let text = format!("closed by the {} (FIN)", direction.sender());
                    self.add(item, RowKind::Close(Some(*direction)), &text, findings);
                }
                return;
            }
            ConversationEvent::Closed { by: Close::Fin, first_fin: Some(_), .. } if findings.is_empty() => {
                return;
            }
            ConversationEvent::Closed { by: Close::Reset(sender) | Close::Refused(sender), .. } => {
                RowKind::Close(Some(*sender))
            }
            ConversationEvent::Closed { by: Close::EndOfCapture, .. } => RowKind::EndOfCapture,
            ConversationEvent::Closed { .. } => RowKind::Close(None),
            ConversationEvent::OtherProtocol { protocol: OtherProtocol::Refused { .. }, .. } => {
                RowKind::Close(Some(Direction::ServerToClient))
            }
            ConversationEvent::OtherProtocol {
                protocol: OtherProtocol::Tls { reason: Some(Undecryptable::Alert(sender, _)), .. },
                ..
            } => RowKind::Close(Some(*sender)),
            ConversationEvent::Undecryptable { direction, .. } => RowKind::Gap(*direction),
            _ => RowKind::Note,
        };
        if let Some((_, text)) = describe(event, self.options.advice) {
            self.add(item, kind, &text, findings);
        }
    }

    fn add(&mut self, item: &Item<'_>, kind: RowKind, text: &str, findings: &[Finding]) {
        self.consider(item, Row::new(kind, item.at(), text), &[], findings);
    }

    /// Draws a row if it is one of the first, or near a problem.
    fn consider(&mut self, item: &Item<'_>, row: Row, dissected: &[Finding], linted: &[Finding]) {
        let number = item.connection();
        let findings = shown(dissected, linted, self.options.least).map(RowFinding::new).collect();
        let connection = self.connections.known(number);
        let candidate = Candidate { number, connection, row, findings };
        let has_left_out = self.omitted.packets > 0 || !self.recent.is_empty();
        let is_first =
            !has_left_out && self.rows.len() < FIRST_ROWS && self.has_room(FIRST_BYTES, &candidate);
        if is_first {
            return self.push(candidate);
        }
        self.recent.push_back(candidate);
        if self.wanted > 0 {
            self.wanted -= 1;
            self.keep_recent();
        } else if self.recent.len() > BEFORE
            && let Some(oldest) = self.recent.pop_front()
        {
            self.omitted.count(&oldest.row);
        }
    }

    /// Draws the last rows, which lead to a problem or follow it.
    fn keep_recent(&mut self) {
        for candidate in std::mem::take(&mut self.recent) {
            if self.rows.len() + 1 >= MAX_ROWS || !self.has_room(MAX_BYTES, &candidate) {
                self.omitted.count(&candidate.row);
                continue;
            }
            let omitted = std::mem::take(&mut self.omitted.since_row);
            if omitted > 0 {
                let text = format!("{} left out", counted_verb(omitted, "packet", "is"));
                let connection = self.connections.draw(candidate.number, candidate.connection.clone());
                self.rows.push(Row { connection, ..Row::new(RowKind::Omission, candidate.row.at, &text) });
            }
            self.push(candidate);
        }
    }

    fn push(&mut self, candidate: Candidate) {
        let Candidate { number, connection, row, findings } = candidate;
        self.bytes += row::size(&row.text);
        for finding in findings {
            let bytes = row::size(&finding.detail);
            if self.findings.len() >= MAX_FINDINGS || self.bytes + bytes > MAX_BYTES {
                self.other_findings += 1;
                continue;
            }
            self.bytes += bytes;
            self.findings.push(RowFinding { row: self.rows.len(), ..finding });
        }
        let connection = self.connections.draw(number, connection);
        self.rows.push(Row { connection, ..row });
    }

    fn has_room(&self, limit: usize, candidate: &Candidate) -> bool {
        self.bytes + self.connections.bytes() + row::size(&candidate.row.text) <= limit
    }
}

impl Omitted {
    fn count(&mut self, row: &Row) {
        self.from = self.from.or(row.at.time);
        let count = u64::from(row.kind.is_packet());
        self.packets += count;
        self.since_row += count;
    }
}
