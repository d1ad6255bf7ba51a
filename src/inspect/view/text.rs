//! Every field on a line of its own, with its byte range.

use super::line::LineView;
use super::{Fielded, Options, View, payload, value};
use crate::inspect::field::Bits;
use crate::inspect::sn::SnItem;
use crate::inspect::{Field, Finding, Item};

/// Indents values that have no byte range.
const MARGIN: &str = "                    ";

/// Writes packets field by field.
#[derive(Debug)]
pub(crate) struct TextView {
    options: Options,
    lines: LineView,
}

impl View for TextView {
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>) {
        match item {
            Item::Packet(packet) => self.fields(packet, findings, out),
            Item::Sn(SnItem::Message(message)) => self.fields(message, findings, out),
            item => self.lines.write(item, findings, out),
        }
    }
}

impl TextView {
    pub(crate) fn new(options: Options) -> TextView {
        TextView { options, lines: LineView::new(options) }
    }

    fn fields(&mut self, unit: &impl Fielded, findings: &[Finding], out: &mut Vec<u8>) {
        self.lines.heading(unit, findings, out);
        for field in &unit.tree().fields {
            out.extend_from_slice(self.field(unit, field).as_bytes());
        }
        if let Some(decoded) = unit.payload(self.options) {
            out.extend_from_slice(payload::lines(&decoded, MARGIN).as_bytes());
        }
        self.lines.findings(unit, findings, out);
        out.push(b'\n');
    }

    fn field(&self, unit: &impl Fielded, field: &Field<'_>) -> String {
        let place = match (field.bits, field.range.len()) {
            (Some(Bits { high, low }), _) if high == low => format!("{} bit {high}", field.range.start),
            (Some(Bits { high, low }), _) => format!("{} bits {high}-{low}", field.range.start),
            (None, 0 | 1) => field.range.start.to_string(),
            (None, _) => format!("{}..{}", field.range.start, field.range.end),
        };
        let indent = "  ".repeat(field.depth.into());
        let name = field.name.to_string();
        let value = value::value(unit, field, self.options);
        let colon = if value.is_empty() { "" } else { ": " };
        format!("    {place:>14}  {indent}{name}{colon}{value}\n")
    }
}
