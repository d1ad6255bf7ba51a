//! The inspector: bytes from a capture, a proxy or a command line, decoded to the last bit, with what is wrong and why.
//!
//! The way through: [`capture`] gives each connection's bytes in order, [`stream`] cuts them into packets, [`dissect`] makes a tree
//! of fields of each packet, and the tracker knows what the connection has agreed on before. Nothing here prints, reads a clock
//! or owns a socket, and nothing gives up: what cannot be understood is a finding, and the next packet follows.

pub mod capture;
mod direction;
pub mod dissect;
pub mod field;
pub mod filter;
pub mod finding;
#[doc(hidden)]
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
