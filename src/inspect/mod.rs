//! The inspector: decodes bytes from a capture, a proxy or the command line into fields, and reports errors with their reasons.
//!
//! The stages: [`capture`] puts each connection's bytes in order, `stream` splits them into packets, `dissect` decodes each
//! packet into a tree of fields, and `tracker` keeps the connection's state. Nothing here prints, reads a clock or owns a
//! socket. Undecodable bytes result in a finding, and the next packet follows.

pub mod capture;
pub(crate) mod diagnosis;
mod direction;
pub(crate) mod dissect;
pub(crate) mod field;
pub(crate) mod filter;
pub(crate) mod finding;
#[doc(hidden)]
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub(crate) mod inspector;
pub(crate) mod ladder;
pub(crate) mod lint;
mod pcapng;
pub(crate) mod rule;
mod slots;
mod small_map;
pub(crate) mod sn;
mod sparkplug;
pub(crate) mod statistics;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
mod timing;
pub(crate) mod tracker;
pub(crate) mod view;
pub(crate) mod write;

pub(crate) use direction::Direction;
pub(crate) use field::{Field, Name, Value};
pub(crate) use finding::{Finding, Severity};
pub(crate) use inspector::{Inspector, Item, Packet};
pub(crate) use lint::Linter;
pub(crate) use rule::Rule;
