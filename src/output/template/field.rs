//! The fields of a message in a format, and their layout.

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TemplateField {
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

impl TemplateField {
    pub(super) fn from_letter(letter: u8) -> Option<TemplateField> {
        Some(match letter {
            b'A' => TemplateField::TopicAlias,
            b'C' => TemplateField::ContentType,
            b'D' => TemplateField::CorrelationData,
            b'E' => TemplateField::MessageExpiryInterval,
            b'F' => TemplateField::PayloadFormatIndicator,
            b'I' => TemplateField::Time,
            b'j' => TemplateField::Json,
            b'J' => TemplateField::JsonWithParsedPayload,
            b'l' => TemplateField::PayloadLength,
            b'm' => TemplateField::PacketId,
            b'P' => TemplateField::UserProperties,
            b'p' => TemplateField::Payload,
            b'q' => TemplateField::Qos,
            b'R' => TemplateField::ResponseTopic,
            b'r' => TemplateField::Retain,
            b'S' => TemplateField::SubscriptionIdentifier,
            b't' => TemplateField::Topic,
            b'U' => TemplateField::UnixTime,
            b'x' => TemplateField::LowerHex,
            b'X' => TemplateField::UpperHex,
            b'f' => TemplateField::Float,
            b'd' => TemplateField::Double,
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
