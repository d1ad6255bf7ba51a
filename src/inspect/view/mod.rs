//! How what was found is shown: each view is a function from an item to bytes.

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

/// What all views are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Passwords and authentication data are shown.
    pub shows_secrets: bool,
    /// Every field is shown with its bytes.
    pub shows_ranges: bool,
    /// Findings that are less bad are left out.
    pub least: Severity,
    /// Colours are used.
    pub is_coloured: bool,
    /// How payloads are read.
    pub payload: Choice,
}

/// What is wrong with a packet and bad enough to be shown: what the dissector found, and what else was found.
fn shown<'f>(
    dissected: &'f [Finding],
    others: &'f [Finding],
    least: Severity,
) -> impl Iterator<Item = &'f Finding> {
    dissected.iter().chain(others).filter(move |finding| finding.severity >= least)
}
