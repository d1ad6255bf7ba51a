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
    /// Colours are used.
    pub is_coloured: bool,
    /// How payloads are read.
    pub payload: Choice,
}
