//! Decoding errors: the violation, the message type and the octet position.

use super::MessageType;
use std::fmt;

/// A datagram that cannot be accepted. `T` is the message type of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError<T = MessageType> {
    /// The violation.
    pub problem: Problem,
    /// The message type, if the datagram has a valid one.
    pub message_type: Option<T>,
    /// The offset of the offending field in octets from the start of the message.
    pub offset: usize,
}

impl<T: fmt::Display> fmt::Display for DecodeError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (problem, offset) = (self.problem, self.offset);
        match &self.message_type {
            Some(message_type) => write!(f, "malformed {message_type}: {problem} at byte {offset}"),
            None => write!(f, "malformed message: {problem} at byte {offset}"),
        }
    }
}

impl<T: fmt::Debug + fmt::Display> std::error::Error for DecodeError<T> {}

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
    #[error("reserved bits in the flags {value:#04x}")]
    ReservedBits { value: u8 },
    #[error("invalid QoS 3")]
    InvalidQos,
    #[error("invalid retain handling 3")]
    InvalidRetainHandling,
    #[error("topic type {value} is not allowed")]
    TopicType { value: u8 },
    #[error("packet identifier 0")]
    ZeroPacketId,
    #[error("unsupported protocol version {value}")]
    UnsupportedVersion { value: u8 },
    #[error("packet type {value:#04x} is not allowed inside it")]
    MisplacedPacket { value: u8 },
    #[error("unknown tag length of protection scheme {scheme:#04x}")]
    UnknownTagLength { scheme: u8 },
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
    /// A field whose length the packet cannot state.
    #[error("{field} of {length} bytes cannot be encoded")]
    FieldLength {
        /// The name of the field in the specification.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
}
