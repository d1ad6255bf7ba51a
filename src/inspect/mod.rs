//! The inspector: decodes bytes from a capture, a proxy or the command line into fields, and reports errors with their reasons.
//!
//! The stages: [`capture`] puts each connection's bytes in order, [`stream`] splits them into packets, [`dissect`] decodes each
//! packet into a tree of fields, and [`tracker`] keeps the connection's state. Nothing here prints, reads a clock or owns a
//! socket. Undecodable bytes result in a finding, and the next packet follows.

pub mod capture;
mod direction;
pub mod dissect;
pub mod field;
pub mod filter;
pub mod finding;
#[doc(hidden)]
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod inspector;
pub mod lint;
pub mod rule;
pub mod statistics;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod tracker;
pub mod view;
pub mod write;

pub use direction::Direction;
pub use field::{Field, Name, Value};
pub use finding::{Finding, Severity};
pub use inspector::{Inspector, Item, Packet};
pub use lint::Linter;
pub use rule::Rule;
