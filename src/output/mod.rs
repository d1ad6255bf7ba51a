//! Prints received messages to standard output.

mod decoding;
mod mosquitto_json;
mod printer;
mod sink;
mod template;
mod timestamp;
mod topic_table;

pub use decoding::{Decoding, FieldPath};
pub use printer::{Layout, Printer};
pub use sink::Sink;
pub use template::{Template, TemplateError};
