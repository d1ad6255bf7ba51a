//! The bytes of a packet, each next to its field.

use super::line::LineView;
use super::{Fielded, Options, View, value};
use crate::inspect::sn::SnItem;
use crate::inspect::{Field, Finding, Item, Severity};
use colored::{Color, Colorize};
use std::fmt::Write;
use std::ops::Range;

/// Bytes on a line.
const WIDTH: usize = 16;

/// Maximum bytes of one field; longer ones are truncated.
const MAX_BYTES: usize = 512;

/// The colours of successive fields.
const COLOURS: [Color; 4] = [Color::Cyan, Color::Green, Color::Yellow, Color::Magenta];

/// Writes packets byte by byte.
#[derive(Debug)]
pub(crate) struct HexView {
    options: Options,
    lines: LineView,
}

/// The bytes of a field that are shown in a special way.
struct ByteMarks<'m> {
    bad: &'m [Range<usize>],
    missing: &'m [Range<usize>],
    is_secret: bool,
}

impl ByteMarks<'_> {
    /// The byte in hexadecimal, or a placeholder if it is secret or missing.
    fn digits(&self, at: usize, byte: u8) -> String {
        if is_in(self.missing, at) {
            "--".to_owned()
        } else if self.is_secret {
            "**".to_owned()
        } else {
            format!("{byte:02x}")
        }
    }
}

fn is_in(ranges: &[Range<usize>], at: usize) -> bool {
    ranges.iter().any(|range| range.contains(&at))
}

/// The bytes of one leaf, or of several leaves that share a byte.
struct Owned<'p, 'a> {
    range: Range<usize>,
    leaves: &'p [Field<'a>],
}

impl View for HexView {
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            Item::Packet(packet) => self.bytes(packet, findings, out),
            Item::Sn(SnItem::Message(message)) => self.bytes(message, findings, out),
            item => self.lines.write(item, findings, out),
        }
    }
}

impl HexView {
    pub(crate) fn new(options: Options) -> HexView {
        HexView { options, lines: LineView::new(options) }
    }

    fn bytes(&mut self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        self.lines.heading(unit, findings, out);
        let leaves: Vec<Field<'_>> =
            unit.tree().fields.iter().filter(|field| field.is_leaf()).cloned().collect();
        let bad: Vec<Range<usize>> = unit
            .tree()
            .findings
            .iter()
            .chain(findings)
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.range.clone())
            .collect();
        let mut text = String::new();
        for (index, owned) in
            leaves.chunk_by(|one, next| one.range == next.range && next.bits.is_some()).enumerate()
        {
            let Some(first) = owned.first() else { continue };
            let owned = Owned { range: first.range.clone(), leaves: owned };
            let colour = COLOURS.get(index % COLOURS.len()).copied().unwrap_or(Color::White);
            self.owned(unit, &owned, &bad, colour, &mut text);
        }
        out.extend_from_slice(text.as_bytes());
        self.lines.findings(unit, findings, out);
        out.push(b'\n');
    }

    fn owned(
        &self,
        unit: &impl Fielded,
        owned: &Owned<'_, '_>,
        bad: &[Range<usize>],
        colour: Color,
        text: &mut String,
    ) {
        let end = owned.range.end.min(unit.bytes().len());
        let bytes = unit.bytes().get(owned.range.start..end).unwrap_or_default();
        let is_secret = owned.leaves.iter().any(|leaf| super::secret::is_secret(leaf.name))
            && !self.options.shows_secrets;
        let shown = bytes.get(..bytes.len().min(MAX_BYTES)).unwrap_or_default();
        let marks = ByteMarks { bad, missing: unit.missing(), is_secret };
        let mut rows = shown.chunks(WIDTH);
        let mut at = owned.range.start;
        let mut meaning = self.meaning(unit, owned);
        // A field without bytes also has a row.
        let mut row = rows.next().unwrap_or_default();
        loop {
            let words = std::mem::take(&mut meaning);
            text.push_str(&self.row(at, row, &marks, colour, &words));
            at += row.len();
            match rows.next() {
                Some(next) => row = next,
                None => break,
            }
        }
        if bytes.len() > MAX_BYTES {
            let _ = writeln!(text, "          ... {} more", bytes.len() - MAX_BYTES);
        }
    }

    fn row(&self, at: usize, row: &[u8], marks: &ByteMarks<'_>, colour: Color, words: &str) -> String {
        let mut text = format!("    {at:04x}  ");
        for (index, byte) in row.iter().enumerate() {
            let digits = marks.digits(at + index, *byte);
            let is_bad = is_in(marks.bad, at + index);
            let digits = match (self.options.is_coloured, is_bad) {
                (false, _) => digits,
                (true, true) => digits.white().on_red().to_string(),
                (true, false) => digits.color(colour).to_string(),
            };
            let _ = write!(text, "{digits} ");
        }
        let blank = " ".repeat((WIDTH - row.len()) * 3);
        let words = if self.options.is_coloured { words.color(colour).to_string() } else { words.to_owned() };
        let _ = write!(text, "{blank} {words}");
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn meaning(&self, unit: &impl Fielded, owned: &Owned<'_, '_>) -> String {
        let parts: Vec<String> = owned
            .leaves
            .iter()
            .map(|leaf| format!("{}: {}", leaf.name, value::value(unit, leaf, self.options)))
            .collect();
        parts.join(", ")
    }
}
