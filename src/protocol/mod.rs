//! MQTT 3.1, 3.1.1 and 5.0, and MQTT-SN: the codec, and the session that decides which packets may be sent and must be answered.
//!
//! Nothing here owns a socket, reads a clock or prints. Packets borrow from the bytes they were read from; the session takes
//! packets and appends bytes.
//!
//! - [`Frame`] splits a stream into packets, [`Packet`] reads and writes them, one file per family; [`PacketReader`] reads a receive
//!   buffer.
//! - [`property`] and [`reason`] hold the tables, [`topic`] the rules for names and filters.
//! - [`session`] is the state machine, for client and broker alike.
//! - [`sn`] is MQTT-SN, the protocol of sensors over UDP.

mod ack;
mod authentication;
mod connack;
mod connect;
mod disconnect;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod packet;
mod packet_id;
mod packet_reader;
mod packet_type;
pub mod property;
mod proxy_header;
mod publish;
mod qos;
mod reader;
pub mod reason;
pub mod session;
pub mod sn;
mod subscribe;
#[cfg(test)]
mod tests;
mod tolerant;
pub mod topic;
mod version;
mod writer;

pub use ack::Ack;
pub use authentication::AuthViolation;
pub use connack::Connack;
pub use connect::{Connect, Will};
pub use disconnect::{Auth, Disconnect};
pub use error::{DecodeError, EncodeError, Problem};
pub use packet::{Frame, MAX_PACKET_SIZE, Packet};
pub use packet_id::PacketId;
pub use packet_reader::{PacketReader, SizeLimits};
pub use packet_type::PacketType;
pub use property::{Properties, PropertiesBuf, Property, PropertyId, PropertyValue};
pub use proxy_header::{Beginning, ProxyFault, ProxyHeader, ProxyVersion};
pub use publish::Publish;
pub use qos::Qos;
pub use reason::ReasonCode;
pub(crate) use reason::{RefusalCode, WillPart, return_code_name};
pub use subscribe::{
    RetainHandling, Subscribe, Subscription, SubscriptionAck, SubscriptionOptions, Unsubscribe,
};
pub use tolerant::{Defect, Mended};
pub use topic::{TopicError, TopicFilter, TopicName};
pub use version::Version;
pub use writer::MAX_REMAINING_LENGTH;
