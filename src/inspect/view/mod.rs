//! How what was found is shown: each view is a function from an item to bytes.

mod clock;
pub mod json;
pub mod line;
mod secret;
mod words;

pub use json::JsonView;
pub use line::LineView;

/// What all views are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Passwords and authentication data are shown.
    pub shows_secrets: bool,
    /// Every field is shown with its bytes.
    pub shows_ranges: bool,
    /// Colours are used.
    pub is_coloured: bool,
}
