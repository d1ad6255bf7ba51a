//! A row of the ladder.

use crate::escape;
use crate::inspect::capture::Moment;
use crate::inspect::{Direction, Finding, Rule, Severity};
use crate::protocol::{PacketType, Version};
use std::hash::BuildHasher;

/// The most characters of a row's text.
const MAX_TEXT: usize = 240;

/// The approximate bytes of a row without its text: numbers and separators.
const FIXED: usize = 44;

#[derive(Debug)]
pub(super) struct Row {
    /// The index of the connection in the picture.
    pub(super) connection: usize,
    pub(super) at: Moment,
    pub(super) kind: RowKind,
    pub(super) text: Box<str>,
    /// In nanoseconds.
    pub(super) round_trip: Option<u64>,
    /// The bytes of a packet.
    pub(super) length: u64,
    /// The hash of a message's topic.
    pub(super) topic: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// A packet; a reserved type is `None`.
    Packet(Direction, Option<PacketType>),
    Open,
    /// The end of a connection, by this side.
    Close(Option<Direction>),
    /// The capture ends, and the connection does not.
    EndOfCapture,
    /// Bytes that were not captured, or cannot be read.
    Gap(Direction),
    Note,
    /// Rows of all connections that the picture leaves out.
    Omission,
}

/// A finding of the linter or the dissector.
#[derive(Debug)]
pub(super) struct RowFinding {
    pub(super) row: usize,
    pub(super) rule: Rule,
    pub(super) version: Version,
    pub(super) severity: Severity,
    pub(super) detail: Box<str>,
}

impl Row {
    /// A row whose connection has no number yet.
    pub(super) fn new(kind: RowKind, at: Moment, own_text: &str) -> Row {
        Row { connection: 0, at, kind, text: text(own_text), round_trip: None, length: 0, topic: None }
    }
}

impl RowKind {
    pub(super) fn is_packet(self) -> bool {
        matches!(self, RowKind::Packet(..))
    }

    /// The name in the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            RowKind::Packet(_, packet_type) => packet_type.map_or("RESERVED", PacketType::name),
            RowKind::Open => "open",
            RowKind::Close(_) => "close",
            RowKind::EndOfCapture => "end",
            RowKind::Gap(_) => "gap",
            RowKind::Note => "note",
            RowKind::Omission => "omission",
        }
    }

    pub(super) fn direction(self) -> Option<Direction> {
        match self {
            RowKind::Packet(direction, _) | RowKind::Gap(direction) => Some(direction),
            RowKind::Close(direction) => direction,
            RowKind::Open | RowKind::EndOfCapture | RowKind::Note | RowKind::Omission => None,
        }
    }
}

impl RowFinding {
    /// A finding of a row that has no number yet.
    pub(super) fn new(finding: &Finding) -> RowFinding {
        let Finding { rule, version, severity, .. } = *finding;
        RowFinding { row: 0, rule, version, severity, detail: text(&finding.detail) }
    }
}

/// A text of a row: escaped, and cut with a mark.
pub(super) fn text(text: &str) -> Box<str> {
    crate::html::shortened(&escape::line(text), MAX_TEXT).into_boxed_str()
}

/// The bytes that a row with this text takes in the page.
pub(super) fn size(text: &str) -> usize {
    let bytes = |character: char| match character {
        '<' | '>' | '&' => 6,
        '"' | '\\' => 2,
        character => character.len_utf8(),
    };
    FIXED + text.chars().map(bytes).sum::<usize>()
}

/// A hash that replaces a topic of any length.
pub(super) fn hash(topic: &str) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(topic)
}
