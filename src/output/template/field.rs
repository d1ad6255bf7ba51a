//! The fields of a message in a format, and their layout.

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    TopicAlias,
    ContentType,
    CorrelationData,
    MessageExpiryInterval,
    PayloadFormatIndicator,
    Time,
    Json,
    JsonWithParsedPayload,
    PayloadLength,
    PacketId,
    UserProperties,
    Payload,
    Qos,
    ResponseTopic,
    Retain,
    SubscriptionIdentifier,
    Topic,
    UnixTime,
    LowerHex,
    UpperHex,
    Float,
    Double,
}

impl Field {
    /// The field for a letter.
    pub(super) fn from_letter(letter: u8) -> Option<Field> {
        Some(match letter {
            b'A' => Field::TopicAlias,
            b'C' => Field::ContentType,
            b'D' => Field::CorrelationData,
            b'E' => Field::MessageExpiryInterval,
            b'F' => Field::PayloadFormatIndicator,
            b'I' => Field::Time,
            b'j' => Field::Json,
            b'J' => Field::JsonWithParsedPayload,
            b'l' => Field::PayloadLength,
            b'm' => Field::PacketId,
            b'P' => Field::UserProperties,
            b'p' => Field::Payload,
            b'q' => Field::Qos,
            b'R' => Field::ResponseTopic,
            b'r' => Field::Retain,
            b'S' => Field::SubscriptionIdentifier,
            b't' => Field::Topic,
            b'U' => Field::UnixTime,
            b'x' => Field::LowerHex,
            b'X' => Field::UpperHex,
            b'f' => Field::Float,
            b'd' => Field::Double,
            _ => return None,
        })
    }
}

/// The layout of a field; each field uses the parts that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spec {
    /// `-`: the field is aligned left, with spaces on its right.
    pub(super) is_left: bool,
    /// The padding on its left otherwise: a space or `0`.
    pub(super) pad: u8,
    /// The minimum width; 0 for none.
    pub(super) width: usize,
    /// The length of a text, the number of decimals, or of hexadecimal digits per group.
    pub(super) precision: Option<usize>,
    /// The separator between groups of hexadecimal digits.
    pub(super) separator: u8,
}
