//! MQTT-SN 2.0, as of the committee specification draft 01 of August 2026: packets, reason codes and protection schemes.
//!
//! A packet is a datagram. [`Packet`] reads and writes it. Decoding borrows from the datagram and never allocates, so an
//! announced length costs nothing.

mod connect;
mod encapsulation;
mod exchange;
mod field;
mod packet;
mod packet_type;
pub mod reason;
pub mod scheme;
#[cfg(test)]
mod tests;
mod topic;

pub use connect::{Auth, Authentication, Connack, Connect, Disconnect, Will};
pub use encapsulation::{Connection, Forwarder, Protection};
pub use exchange::{Ack, Delivery, Publish, Pubwos, Register, Subscribe, TopicAck, Unsubscribe};
pub use packet::Packet;
pub use packet_type::PacketType;
pub use reason::Reason;
pub use topic::{Topic, TopicAlias};

/// A datagram that cannot be accepted.
pub type DecodeError = super::DecodeError<PacketType>;

/// Reads the fields of a packet.
type Reader<'a> = super::reader::Reader<'a, PacketType>;

/// The authentication method for a user name and a password (section 4.11).
pub const BASIC: &str = "MQTT-BASIC";

/// The version of MQTT-SN 2.0 in CONNECT.
pub const PROTOCOL_VERSION: u8 = 2;
