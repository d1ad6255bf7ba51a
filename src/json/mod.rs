//! JSON that is written as it comes, without a tree in between, and JSON text that is copied as it was written.

mod safe;
mod text;
mod writer;

pub(crate) use safe::{to_string, to_string_pretty};
pub(crate) use text::{InvalidJson, copy_value};
pub(crate) use writer::Writer;
