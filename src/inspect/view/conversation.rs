//! One connection as a table: the client's packets on the left, the server's on the right, and round trips. Everything else is a
//! note over the whole width. A cell is cut to its column; a note is wrapped. On a narrow terminal, packets are written like notes,
//! one below the other.

use super::clock::TimeFormatter;
use super::line::{content, describe, gap, skipped};
use super::words::{duration, packet_name};
use super::{Options, View, shown};
use crate::columns;
use crate::escape;
use crate::inspect::capture::Moment;
use crate::inspect::sn::{self, SnItem};
use crate::inspect::{Direction, Finding, Item, Packet};
use unicode_width::UnicodeWidthStr;

/// Decimal places of times.
const DIGITS: u32 = 3;

/// The widths of the first and the last column.
const TIME: usize = 12;
const ROUND_TRIP: usize = 10;

/// The space between columns.
const SPACE: &str = "  ";

/// The narrowest and the widest column of packets.
const MIN_CELL: usize = 16;
const MAX_CELL: usize = 100;

/// The indentation of the further lines of a text.
const HANGING: usize = 3;

/// The mark of a text that was cut.
const CUT: &str = "…";

/// Writes the packets of a connection in two columns.
#[derive(Debug)]
pub(crate) struct ConversationView {
    options: Options,
    clock: TimeFormatter,
    has_head: bool,
    /// The width of a column of packets.
    cell: usize,
    /// The width of a note.
    note: usize,
    /// The terminal is too narrow for two columns of packets.
    is_narrow: bool,
}

impl View for ConversationView {
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            Item::Packet(packet) => self.packet(packet, findings, out),
            Item::Sn(item) => self.sn(item, findings, out),
            Item::Gap(range) => self.note(range.at, Some(range.direction), &gap(range), out),
            Item::Skipped(range) => self.note(range.at, Some(range.direction), &skipped(range), out),
            Item::Event(event) => {
                if let Some((sender, text)) = describe(event, self.options.advice) {
                    self.note(event.at(), sender, &text, out);
                }
                findings.iter().for_each(|finding| self.finding(finding, out));
            }
        }
    }
}

impl ConversationView {
    /// A table that fits into this number of columns of a terminal.
    pub(crate) fn new(options: Options, columns: usize) -> ConversationView {
        let fixed = TIME + ROUND_TRIP + 3 * SPACE.len();
        let cell = (columns.saturating_sub(fixed) / 2).clamp(MIN_CELL, MAX_CELL);
        let is_narrow = columns < fixed + 2 * MIN_CELL;
        let note = match is_narrow {
            true => columns.saturating_sub(TIME + SPACE.len()).max(MIN_CELL),
            false => (cell + SPACE.len()) * 2 + ROUND_TRIP,
        };
        let clock = TimeFormatter::time_of_day();
        ConversationView { options, clock, has_head: false, cell, note, is_narrow }
    }

    fn packet(&mut self, packet: &Packet<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        let text = format!("{} {}", packet_name(packet), content(packet, self.options));
        let text = escape::line(text.trim_end()).into_owned();
        let time = self.time(packet.at);
        let round_trip = packet.facts.answers.as_ref().map(|answers| duration(answers.nanoseconds));
        if self.is_narrow {
            self.narrow_packet(time, packet.direction, &text, round_trip, out);
        } else {
            self.wide_packet(time, packet.direction, text, &round_trip.unwrap_or_default(), out);
        }
        shown(&packet.tree.findings, findings, self.options.least)
            .for_each(|finding| self.finding(finding, out));
    }

    /// Writes a packet on lines of its own, with an arrow away from the client or to it.
    fn narrow_packet(
        &self,
        time: String,
        direction: Direction,
        text: &str,
        round_trip: Option<String>,
        out: &mut Vec<u8>,
    ) {
        let arrow = match direction {
            Direction::ClientToServer => "→",
            Direction::ServerToClient => "←",
        };
        let round_trip = round_trip.map(|round_trip| format!(", after {round_trip}")).unwrap_or_default();
        self.wrapped(time, &format!("{arrow} {text}{round_trip}"), out);
    }

    fn wide_packet(
        &mut self,
        time: String,
        direction: Direction,
        text: String,
        round_trip: &str,
        out: &mut Vec<u8>,
    ) {
        if !std::mem::replace(&mut self.has_head, true) {
            let titles = ["time", "client → server", "server → client"].map(str::to_owned);
            self.row(titles, "round trip", out);
        }
        let cells = match direction {
            Direction::ClientToServer => [time, text, String::new()],
            Direction::ServerToClient => [time, String::new(), text],
        };
        self.row(cells, round_trip, out);
    }

    /// A message of MQTT-SN, or a note on its sender.
    fn sn(&mut self, item: &SnItem<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        let SnItem::Message(message) = item else {
            if let Some(text) = sn::line::note(item) {
                self.note(item.at(), None, &text, out);
            }
            return findings.iter().for_each(|finding| self.finding(finding, out));
        };
        if !std::mem::replace(&mut self.has_head, true) {
            let titles = ["time", "client → gateway", "gateway → client"].map(str::to_owned);
            self.row(titles, "round trip", out);
        }
        let text = format!("{} {}", message.kind.name(), sn::line::content(message, self.options));
        let text = escape::line(text.trim_end()).into_owned();
        let time = self.time(message.at);
        let cells = match message.direction {
            Direction::ClientToServer => [time, text, String::new()],
            Direction::ServerToClient => [time, String::new(), text],
        };
        let round_trip = message.facts.round_trip.map(duration);
        self.row(cells, &round_trip.unwrap_or_default(), out);
        shown(&message.tree.findings, findings, self.options.least)
            .for_each(|finding| self.finding(finding, out));
    }

    fn row(&self, [time, client, server]: [String; 3], round_trip: &str, out: &mut Vec<u8>) {
        let (client, server) = (fitted(&client, self.cell), fitted(&server, self.cell));
        let time = padded(time, TIME);
        let line = format!("{time}{SPACE}{client}{SPACE}{server}{SPACE}{round_trip:>ROUND_TRIP$}");
        out.extend_from_slice(line.trim_end().as_bytes());
        out.push(b'\n');
    }

    fn note(&mut self, at: Moment, sender: Option<Direction>, text: &str, out: &mut Vec<u8>) {
        let mark = match sender {
            Some(Direction::ClientToServer) => "->",
            Some(Direction::ServerToClient) => "<-",
            None => "--",
        };
        let time = self.time(at);
        self.wrapped(time, &format!("{mark} {text}"), out);
    }

    fn finding(&self, finding: &Finding, out: &mut Vec<u8>) {
        let Finding { severity, detail, rule, .. } = finding;
        let text = format!("{severity} {}: {detail}; {}", finding.statement(), rule.hint());
        self.wrapped(String::new(), &text, out);
    }

    /// Writes a text behind the time, on as many lines as it needs.
    fn wrapped(&self, time: String, text: &str, out: &mut Vec<u8>) {
        let mut first = padded(time, TIME);
        for line in columns::wrap(&escape::line(text), self.note, HANGING) {
            out.extend_from_slice(format!("{first}{SPACE}{}\n", cut(&line, self.note)).as_bytes());
            first = " ".repeat(TIME);
        }
    }

    fn time(&mut self, at: Moment) -> String {
        let mut text = Vec::new();
        if let Some(time) = at.time {
            self.clock.write(time, DIGITS, &mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The text in exactly this width.
fn fitted(text: &str, width: usize) -> String {
    padded(cut(text, width), width)
}

fn padded(mut text: String, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

fn cut(text: &str, width: usize) -> String {
    columns::cut(text, width, CUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_width_with_a_mark() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(fitted("漢字", 6), "漢字  ");
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_a_cell_has_its_width(text in ".{0,40}", width in 1..30usize) {
            proptest::prop_assert!(cut(&escape::line(&text), width).width() <= width);
        }
    }
}
