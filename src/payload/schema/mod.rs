//! Payloads in protocol buffers with a schema: messages with names and types, in both directions.
//!
//! The compiler of `.proto` sources and the dynamic messages are ours and not prost-reflect's and protox's: docs/design/payload.md
//! has the reasons.

mod declaration;
mod decode;
mod descriptor_set;
mod encode;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod link;
mod load;
mod source;
#[cfg(test)]
mod tests;
mod tokens;
mod topics;
mod well_known;

pub(super) use decode::DecodeError;
#[cfg(test)]
pub(crate) use link::Schema;
pub(crate) use load::{SchemaError, load};
pub(crate) use topics::{MessageType, MessageTypes, TypeRule};
