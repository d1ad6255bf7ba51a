//! MQTT-SN 2.0, as of the committee specification draft 01 of August 2026: packet types and reason codes.

mod packet_type;
pub mod reason;

pub use packet_type::PacketType;
