//! Prints received messages to standard output.

mod decoding;
mod moment;
mod mosquitto_json;
mod printer;
mod sink;
mod template;
mod watch;

pub use decoding::{Decoding, FieldPath};
pub use printer::{Layout, Printer};
pub use sink::Sink;
pub use template::{Template, TemplateError};
