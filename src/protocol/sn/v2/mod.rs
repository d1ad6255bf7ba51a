//! MQTT-SN 2.0, as of the committee specification draft 01 of August 2026: packet types, reason codes and protection schemes.

mod packet_type;
pub mod reason;
pub mod scheme;

pub use packet_type::PacketType;
