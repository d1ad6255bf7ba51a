//! What is printed: received messages on standard output, packet traces on standard error.

mod moment;
mod mosquitto_json;
mod printer;
mod sink;
mod template;
mod trace;
mod watch;

pub use printer::{Layout, Printer};
pub use sink::Sink;
pub use template::{Template, TemplateError};
pub use trace::describe_packet;
