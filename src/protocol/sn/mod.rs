//! MQTT-SN 1.2: the codec of its messages, and the file of predefined topics; [`v2`] has the packets of MQTT-SN 2.0.
//!
//! A message is a datagram. [`Frame`] reads its length and type, [`Message`] its fields. Decoding borrows from the datagram
//! and never allocates, so an announced length costs nothing.

pub(crate) mod client;
mod error;
mod flags;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub(crate) mod gateway;
mod late_copy;
mod message;
mod message_type;
mod predefined;
mod reader;
mod recognise;
mod return_code;
#[cfg(test)]
mod tests;
mod topic;
pub mod v2;
mod version;

pub use error::{DecodeError, EncodeError, Problem};
pub use flags::{Flags, PublishQos};
pub use frame::{Frame, Header, MAX_DATAGRAM_SIZE};
pub use message::{
    Connect, Encapsulated, Message, Publish, Regack, Register, Suback, Subscribe, Unsubscribe, WillTopic,
};
pub use message_type::MessageType;
pub use predefined::PredefinedTopics;
pub use recognise::{Likeness, answers, is_from_client, likeness};
pub use return_code::ReturnCode;
pub use topic::{ShortName, SubscribeTopic, TopicId, TopicIdType};
pub use version::Version;

/// The `ProtocolId` of MQTT-SN 1.2 in CONNECT.
pub const PROTOCOL_ID: u8 = 1;

/// The UDP port of gateways.
pub const DEFAULT_PORT: u16 = 10_000;
