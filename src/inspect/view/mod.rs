//! The output formats: each view turns items into bytes. [`ViewFormat`] lists them all.

pub(super) mod clock;
mod conversation;
mod fielded;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod line;
pub(super) mod payload;
pub(super) mod secret;
pub(crate) mod text;
mod value;
pub(super) mod words;

use super::diagnosis::Report;
use super::statistics::Statistics;
use super::{Finding, Item, Severity};
pub(crate) use conversation::ConversationView;
pub(super) use fielded::Fielded;
pub(crate) use hex::HexView;
pub(crate) use json::JsonView;
pub(crate) use line::LineView;
pub(crate) use text::TextView;

use crate::payload::PayloadDecoding;
use crate::payload::schema::MessageTypes;

/// An output format.
pub(crate) trait View {
    /// Appends an item, with the linter's findings.
    fn write(&mut self, item: &Item<'_>, findings: &[Finding], out: &mut Vec<u8>);

    /// The statistics of all items.
    fn statistics(&self, statistics: &Statistics) -> String {
        statistics.to_text()
    }

    /// The report of a diagnosis, in which `filter_option` names the option that takes a filter.
    fn diagnosis(&self, report: &Report, filter_option: &str, columns: Option<usize>) -> String {
        report.to_text(filter_option, columns)
    }
}

/// The output formats that a user can select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViewFormat {
    Line,
    Text,
    Hex,
    Json,
}

impl ViewFormat {
    /// All formats, in the order of the help.
    pub(crate) const ALL: [ViewFormat; 4] =
        [ViewFormat::Line, ViewFormat::Text, ViewFormat::Hex, ViewFormat::Json];

    /// The name in options, and its description in the help.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            ViewFormat::Line => ("line", "One line per packet"),
            ViewFormat::Text => ("text", "One line per field"),
            ViewFormat::Hex => ("hex", "All bytes, beside the fields they belong to"),
            ViewFormat::Json => ("json", "One JSON object per line"),
        }
    }

    pub(crate) fn view(self, options: Options) -> Box<dyn View> {
        match self {
            ViewFormat::Line => Box::new(LineView::new(options)),
            ViewFormat::Text => Box::new(TextView::new(options)),
            ViewFormat::Hex => Box::new(HexView::new(options)),
            ViewFormat::Json => Box::new(JsonView::new(options)),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// Show passwords and authentication data.
    pub shows_secrets: bool,
    /// Show every field with its byte range.
    pub shows_ranges: bool,
    /// The lowest severity to show.
    pub least: Severity,
    /// Use colours.
    pub is_coloured: bool,
    pub payload: PayloadDecoding,
    /// The types of messages in protocol buffers.
    pub types: Option<&'static MessageTypes>,
    pub advice: Advice,
}

/// Options that make the inspector show more, worded by its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    /// How to set the MQTT version of connections without CONNECT.
    pub version: &'static str,
    /// How to decrypt TLS.
    pub key_log: &'static str,
}

impl Default for Advice {
    fn default() -> Advice {
        Advice { version: "set the version to be certain", key_log: "a key log decrypts it" }
    }
}

/// The findings of dissector and linter that are severe enough to show.
pub(super) fn shown<'f>(
    dissected: &'f [Finding],
    others: &'f [Finding],
    least: Severity,
) -> impl Iterator<Item = &'f Finding> {
    dissected.iter().chain(others).filter(move |finding| finding.severity >= least)
}
