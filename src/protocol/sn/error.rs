//! Decoding errors: the violation, the message type and the octet position.

use super::MessageType;
use std::fmt;

/// A datagram that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The violation.
    pub problem: Problem,
    /// The message type, if the datagram has a valid one.
    pub message_type: Option<MessageType>,
    /// The offset of the offending field in octets from the start of the message.
    pub offset: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.message_type.map_or("message", MessageType::name);
        write!(f, "malformed {name}: {} at byte {}", self.problem, self.offset)
    }
}

impl std::error::Error for DecodeError {}

/// A violation found in a datagram. `field` is a field's name in the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum Problem {
    #[error("empty datagram")]
    Empty,
    #[error("truncated {field}")]
    Truncated { field: &'static str },
    #[error("length {announced} exceeds the datagram's {actual} bytes")]
    LengthTooLarge { announced: usize, actual: usize },
    #[error("length {announced} is shorter than the header")]
    LengthTooSmall { announced: usize },
    #[error("reserved message type {value:#04x}")]
    ReservedType { value: u8 },
    #[error("reserved topic id type 3")]
    ReservedTopicIdType,
    #[error("QoS -1 outside PUBLISH")]
    MisplacedQosMinusOne,
    #[error("empty {field}")]
    EmptyField { field: &'static str },
    #[error("{field} is not valid UTF-8")]
    InvalidUtf8 { field: &'static str },
    #[error("{field} contains a null character")]
    NullCharacter { field: &'static str },
    #[error("unsupported protocol id {value}")]
    UnsupportedProtocolId { value: u8 },
    #[error("{count} trailing byte{}", if *.count == 1 { "" } else { "s" })]
    TrailingBytes { count: usize },
}

/// A message that cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A message whose length does not fit its length field.
    #[error("message of {size} bytes exceeds the maximum of 65535 bytes")]
    MessageTooLarge {
        /// The length that would be needed.
        size: usize,
    },
}
