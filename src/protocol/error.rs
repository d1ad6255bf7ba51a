//! Decoding errors: the kind of violation, the packet and the byte position.

use super::{PacketType, PropertyId, ReasonCode, TopicError};
use std::fmt;

/// The kinds of unacceptable packets (MQTT 5.0, sections 1.2 and 4.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bytes violate the specification's encoding.
    Malformed,
    /// The packet is well-formed, but must not be sent.
    ProtocolError,
    /// The packet exceeds the negotiated limit.
    LimitExceeded,
}

/// A packet that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The violation.
    pub problem: Problem,
    /// The packet type, if the first byte has a valid one.
    pub packet_type: Option<PacketType>,
    /// The offset of the offending field in bytes from the start of the packet.
    pub offset: usize,
}

impl DecodeError {
    /// The kind of violation.
    pub fn fault(&self) -> Fault {
        self.problem.fault()
    }

    /// The reason code to close the connection with.
    pub fn reason_code(&self) -> ReasonCode {
        match &self.problem {
            Problem::PacketTooLarge { .. } => ReasonCode::PACKET_TOO_LARGE,
            Problem::UnsupportedVersion { .. } => ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            Problem::InvalidProperty { property: PropertyId::TopicAlias, .. } => {
                ReasonCode::TOPIC_ALIAS_INVALID // MQTT 5.0, section 3.3.2.3.4
            }
            Problem::Topic { .. }
                if matches!(self.packet_type, Some(PacketType::Publish | PacketType::Connect)) =>
            {
                ReasonCode::TOPIC_NAME_INVALID
            }
            Problem::Topic { .. } => ReasonCode::TOPIC_FILTER_INVALID,
            problem => match problem.fault() {
                Fault::Malformed => ReasonCode::MALFORMED_PACKET,
                Fault::ProtocolError | Fault::LimitExceeded => ReasonCode::PROTOCOL_ERROR,
            },
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.fault() {
            Fault::Malformed => "malformed",
            Fault::ProtocolError => "protocol error in",
            Fault::LimitExceeded => "limit exceeded by",
        };
        let name = self.packet_type.map_or("packet", PacketType::name);
        write!(f, "{kind} {name}: {} at byte {}", self.problem, self.offset)
    }
}

impl std::error::Error for DecodeError {}

/// A violation found in a packet. `field` is a field's name in the specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum Problem {
    #[error("packet type 0 is forbidden")]
    ForbiddenPacketType,
    #[error("AUTH does not exist before MQTT 5.0")]
    AuthBeforeV5,
    #[error("reserved flags {flags:#06b}, expected {expected:#06b}")]
    ReservedFlags { flags: u8, expected: u8 },
    #[error("truncated {field}")]
    Truncated { field: &'static str },
    #[error("{count} trailing byte{}", if *.count == 1 { "" } else { "s" })]
    TrailingBytes { count: usize },
    #[error("{field} is longer than four bytes")]
    VariableByteIntegerTooLong { field: &'static str },
    #[error("{field} is not in its shortest form")]
    VariableByteIntegerNotShortest { field: &'static str },
    #[error("{field} is not valid UTF-8")]
    InvalidUtf8 { field: &'static str },
    #[error("{field} contains a null character")]
    NullCharacter { field: &'static str },
    #[error("invalid {field} {value}")]
    InvalidValue { field: &'static str, value: u32 },
    #[error("invalid {field} {value}")]
    ForbiddenValue { field: &'static str, value: u32 },
    #[error("packet identifier 0")]
    ZeroPacketId,
    #[error("DUP is set at QoS 0")]
    DupAtQosZero,
    #[error("invalid {field} {topic:?}: {error}")]
    Topic { field: &'static str, topic: String, error: TopicError },
    #[error("empty topic name without a topic alias")]
    NoTopic,
    #[error("missing topic filter")]
    NoTopicFilter,
    #[error("No Local on a shared subscription")]
    NoLocalOnShared,
    #[error("unknown property {id:#04x}")]
    UnknownProperty { id: u32 },
    #[error("property {property} is not allowed here")]
    MisplacedProperty { property: PropertyId },
    #[error("duplicate property {property}")]
    DuplicateProperty { property: PropertyId },
    #[error("invalid {property} {value}")]
    InvalidProperty { property: PropertyId, value: u32 },
    #[error("authentication data without an authentication method")]
    AuthenticationDataWithoutMethod,
    #[error("unknown protocol {name:?} level {level}")]
    UnsupportedVersion { name: String, level: u8 },
    #[error("will flags without a will")]
    WillFlagsWithoutWill,
    #[error("a password without a user name")]
    PasswordWithoutUsername,
    #[error("session present in a refusal")]
    SessionPresentInRefusal,
    #[error("{size} bytes exceed the maximum of {limit}")]
    PacketTooLarge { size: usize, limit: u32 },
}

impl Problem {
    fn fault(&self) -> Fault {
        match self {
            Problem::ForbiddenPacketType
            | Problem::ReservedFlags { .. }
            | Problem::Truncated { .. }
            | Problem::TrailingBytes { .. }
            | Problem::VariableByteIntegerTooLong { .. }
            | Problem::VariableByteIntegerNotShortest { .. }
            | Problem::InvalidUtf8 { .. }
            | Problem::NullCharacter { .. }
            | Problem::InvalidValue { .. }
            | Problem::DupAtQosZero
            | Problem::Topic { .. }
            | Problem::UnknownProperty { .. }
            | Problem::MisplacedProperty { .. }
            | Problem::WillFlagsWithoutWill => Fault::Malformed,
            Problem::AuthBeforeV5
            | Problem::ForbiddenValue { .. }
            | Problem::ZeroPacketId
            | Problem::NoTopic
            | Problem::NoTopicFilter
            | Problem::NoLocalOnShared
            | Problem::DuplicateProperty { .. }
            | Problem::InvalidProperty { .. }
            | Problem::AuthenticationDataWithoutMethod
            | Problem::UnsupportedVersion { .. }
            | Problem::PasswordWithoutUsername
            | Problem::SessionPresentInRefusal => Fault::ProtocolError,
            Problem::PacketTooLarge { .. } => Fault::LimitExceeded,
        }
    }
}

/// A packet that cannot be encoded, since a part is too large for its length field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string or binary field over 65,535 bytes.
    #[error("{field} of {length} bytes exceeds the maximum of 65535 bytes")]
    FieldTooLong {
        /// The field's name in the specification.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A packet whose remaining length is over 268,435,455 bytes.
    #[error("packet of {size} bytes exceeds the maximum of 268435455 bytes")]
    PacketTooLarge {
        /// The remaining length that would be needed.
        size: usize,
    },
}
