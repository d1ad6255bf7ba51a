//! The output formats: each view is a function from an item to bytes.

mod clock;
pub mod hex;
pub mod json;
pub mod line;
mod payload;
mod secret;
pub mod text;
mod value;
pub(super) mod words;

use super::{Finding, Severity};
pub use hex::HexView;
pub use json::JsonView;
pub use line::LineView;
pub use text::TextView;

use crate::payload::Choice;

/// Options for all views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Show passwords and authentication data.
    pub shows_secrets: bool,
    /// Show every field with its byte range.
    pub shows_ranges: bool,
    /// The lowest severity to show.
    pub least: Severity,
    /// Use colours.
    pub is_coloured: bool,
    /// How to decode payloads.
    pub payload: Choice,
}

/// The findings of dissector and linter that are severe enough to show.
fn shown<'f>(
    dissected: &'f [Finding],
    others: &'f [Finding],
    least: Severity,
) -> impl Iterator<Item = &'f Finding> {
    dissected.iter().chain(others).filter(move |finding| finding.severity >= least)
}
