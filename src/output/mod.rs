//! What is printed: received messages on standard output, packet traces on standard error.

mod printer;
mod sink;
mod trace;

pub use printer::{Layout, Printer};
pub use sink::Sink;
pub use trace::describe_packet;
