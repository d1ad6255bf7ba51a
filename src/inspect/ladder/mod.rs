//! A picture of a capture: an HTML page with a sequence ladder of clients and servers, and the diagnosis beside it.
//!
//! The ladder is a list of rows in order of time: packets, beginnings and ends of connections, gaps in the capture. Only what was
//! captured has a row. The number of rows is limited, so that memory and page are; `data` writes the rows as JSON for the
//! script, `marks` finds the rows of each problem, and `page` renders everything that is readable without the script.

mod connections;
mod data;
mod marks;
mod page;
mod row;

use super::capture::conversation::ConversationEvent;
use super::capture::reassembly::Close;
use super::view::line::{content, describe, gap, skipped};
use super::view::{Options, shown};
use super::{Finding, Item, Packet};
use connections::Connections;
pub(crate) use page::PageTexts;
use row::{Row, RowFinding, RowKind};

/// The most rows. Their texts are limited as well, so that a page with all of them has less than 5 MB.
pub(crate) const MAX_ROWS: usize = 20_000;
const MAX_BYTES: usize = 3_300_000;

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
    omitted: Omitted,
}

/// Rows without room.
#[derive(Debug, Clone, Copy, Default)]
struct Omitted {
    packets: u64,
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
            omitted: Omitted::default(),
        }
    }

    /// Takes every item, also those that are not drawn: they tell the addresses and the client of a connection.
    pub(crate) fn see(&mut self, item: &Item<'_>) {
        self.connections.see(item);
    }

    /// Draws an item.
    pub(crate) fn draw(&mut self, item: &Item<'_>, findings: &[Finding]) {
        match item {
            Item::Packet(packet) => self.packet(item, packet, findings),
            Item::Gap(range) => self.add(item, RowKind::Gap(range.direction), &gap(range), findings),
            Item::Skipped(range) => self.add(item, RowKind::Gap(range.direction), &skipped(range), findings),
            Item::Event(event) => self.event(item, event, findings),
        }
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
        let text = content(packet, self.options);
        let kind = RowKind::Packet(packet.direction, packet.packet_type);
        let place = self.rows.len();
        self.add(item, kind, &text, findings);
        let round_trip = packet.facts.answers.as_ref().map(|answers| answers.nanoseconds);
        if let Some(row) = self.rows.get_mut(place) {
            row.round_trip = round_trip;
            row.length = packet.raw.length as u64;
            row.topic = packet.topic().map(row::hash);
        }
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
            ConversationEvent::Closed { by: Close::Reset(sender), .. } => RowKind::Close(Some(*sender)),
            ConversationEvent::Closed { by: Close::EndOfCapture, .. } => RowKind::EndOfCapture,
            ConversationEvent::Closed { .. } => RowKind::Close(None),
            ConversationEvent::Undecryptable { direction, .. } => RowKind::Gap(*direction),
            _ => RowKind::Note,
        };
        if let Some((_, text)) = describe(event, self.options.advice) {
            self.add(item, kind, &text, findings);
        }
    }

    fn add(&mut self, item: &Item<'_>, kind: RowKind, text: &str, findings: &[Finding]) {
        let dissected = match item {
            Item::Packet(packet) => packet.tree.findings.as_slice(),
            Item::Gap(_) | Item::Skipped(_) | Item::Event(_) => &[],
        };
        let text = row::text(text);
        let bytes = row::size(&text);
        if self.rows.len() >= MAX_ROWS || !self.has_room(bytes) || self.omitted.packets > 0 {
            self.omitted.packets += u64::from(kind.is_packet());
            self.omitted.from = self.omitted.from.or(item.at().time);
            return;
        }
        let Some(connection) = self.connections.draw(item.connection()) else { return };
        self.bytes += bytes;
        for finding in shown(dissected, findings, self.options.least) {
            self.finding(finding);
        }
        self.rows.push(Row {
            connection,
            at: item.at(),
            kind,
            text,
            round_trip: None,
            length: 0,
            topic: None,
        });
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.bytes + self.connections.bytes() + bytes <= MAX_BYTES
    }

    /// Adds a finding of the next row.
    fn finding(&mut self, finding: &Finding) {
        let found = RowFinding::new(self.rows.len(), finding);
        let bytes = row::size(&found.detail);
        if self.findings.len() >= MAX_FINDINGS || !self.has_room(bytes) {
            self.other_findings += 1;
            return;
        }
        self.bytes += bytes;
        self.findings.push(found);
    }
}
