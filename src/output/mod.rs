//! Prints received messages to standard output.

mod decoding;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod mosquitto_json;
mod printer;
mod sink;
mod sparkplug;
mod template;
mod timestamp;
mod topic_table;

pub(crate) use decoding::{Decoding, FieldPath};
pub(crate) use printer::{Layout, Printer};
pub(crate) use sink::Sink;
pub(crate) use template::{Template, TemplateError};

/// The columns of the terminal at standard output, or 80.
pub(crate) fn columns() -> usize {
    topic_table::TerminalSize::of_stdout().columns
}
