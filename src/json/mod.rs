//! JSON written token by token, without a tree of values, and JSON text that is copied unchanged.

mod colour;
pub(crate) mod member;
mod safe;
mod text;
mod writer;

pub(crate) use colour::{colour, coloured};
pub(crate) use safe::{is_plain, to_string, to_string_pretty};
pub(crate) use text::{InvalidJson, copy_value};
pub(crate) use writer::{Writer, key};
