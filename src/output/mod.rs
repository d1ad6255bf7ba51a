//! What is printed: received messages on standard output, packet traces on standard error.

mod sink;
mod trace;

pub use sink::Sink;
pub use trace::describe_packet;
