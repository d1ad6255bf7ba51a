//! The 27 properties of MQTT 5.0: one table with their names, encodings and allowed packets.
//!
//! A property list stays in its encoded form: [`Properties`] borrows checked bytes, [`PropertiesBuf`] owns some. Reading
//! one allocates nothing, and writing one is a copy.

use super::error::{DecodeError, Problem};
use super::reader::Reader;
use super::topic;
use super::writer::{put_field, put_u16, put_variable_byte_integer, variable_byte_integer_length};
use super::{EncodeError, Version};
use std::fmt;

/// The place of a property list: a packet, or the will inside CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs)] // the names are the specification's own
pub enum Context {
    Connect = 1 << 0,
    Connack = 1 << 1,
    Publish = 1 << 2,
    Will = 1 << 3,
    Puback = 1 << 4,
    Pubrec = 1 << 5,
    Pubrel = 1 << 6,
    Pubcomp = 1 << 7,
    Subscribe = 1 << 8,
    Suback = 1 << 9,
    Unsubscribe = 1 << 10,
    Unsuback = 1 << 11,
    Disconnect = 1 << 12,
    Auth = 1 << 13,
}

/// The encoding of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One byte that is 0 or 1.
    Flag,
    /// Two bytes.
    TwoByteInteger,
    /// Four bytes.
    FourByteInteger,
    /// One to four bytes.
    VariableByteInteger,
    /// A UTF-8 string.
    Utf8String,
    /// Up to 65,535 bytes.
    BinaryData,
    /// Two UTF-8 strings.
    Utf8StringPair,
}

macro_rules! properties {
    ($($id:literal $variant:ident $name:literal $encoding:ident $least:literal: $($context:ident)+;)+) => {
        /// A property's identifier; the value is its number on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)] // the names are the specification's own
        pub enum PropertyId { $($variant = $id,)+ }

        impl PropertyId {
            /// All properties, in the order of their numbers.
            pub const ALL: [PropertyId; 27] = [$(PropertyId::$variant,)+];

            /// The property of that number.
            pub fn from_number(number: u32) -> Option<PropertyId> {
                match number { $($id => Some(PropertyId::$variant),)+ _ => None }
            }

            /// The specification's name in lower case with hyphens, as it is typed: `message-expiry-interval`.
            pub fn name(self) -> &'static str {
                match self { $(PropertyId::$variant => $name,)+ }
            }

            /// The encoding of its value.
            pub fn encoding(self) -> Encoding {
                match self { $(PropertyId::$variant => Encoding::$encoding,)+ }
            }

            /// The smallest allowed value, if it is a number.
            pub fn least(self) -> u32 {
                match self { $(PropertyId::$variant => $least,)+ }
            }

            fn contexts(self) -> u16 {
                match self { $(PropertyId::$variant => $(Context::$context as u16 |)+ 0,)+ }
            }
        }
    };
}

// MQTT 5.0, table 2-4.
properties! {
    1 PayloadFormatIndicator "payload-format-indicator" Flag 0: Publish Will;
    2 MessageExpiryInterval "message-expiry-interval" FourByteInteger 0: Publish Will;
    3 ContentType "content-type" Utf8String 0: Publish Will;
    8 ResponseTopic "response-topic" Utf8String 0: Publish Will;
    9 CorrelationData "correlation-data" BinaryData 0: Publish Will;
    11 SubscriptionIdentifier "subscription-identifier" VariableByteInteger 1: Publish Subscribe;
    17 SessionExpiryInterval "session-expiry-interval" FourByteInteger 0: Connect Connack Disconnect;
    18 AssignedClientIdentifier "assigned-client-identifier" Utf8String 0: Connack;
    19 ServerKeepAlive "server-keep-alive" TwoByteInteger 0: Connack;
    21 AuthenticationMethod "authentication-method" Utf8String 0: Connect Connack Auth;
    22 AuthenticationData "authentication-data" BinaryData 0: Connect Connack Auth;
    23 RequestProblemInformation "request-problem-information" Flag 0: Connect;
    24 WillDelayInterval "will-delay-interval" FourByteInteger 0: Will;
    25 RequestResponseInformation "request-response-information" Flag 0: Connect;
    26 ResponseInformation "response-information" Utf8String 0: Connack;
    28 ServerReference "server-reference" Utf8String 0: Connack Disconnect;
    31 ReasonString "reason-string" Utf8String 0:
        Connack Puback Pubrec Pubrel Pubcomp Suback Unsuback Disconnect Auth;
    33 ReceiveMaximum "receive-maximum" TwoByteInteger 1: Connect Connack;
    34 TopicAliasMaximum "topic-alias-maximum" TwoByteInteger 0: Connect Connack;
    35 TopicAlias "topic-alias" TwoByteInteger 1: Publish;
    36 MaximumQos "maximum-qos" Flag 0: Connack;
    37 RetainAvailable "retain-available" Flag 0: Connack;
    38 UserProperty "user-property" Utf8StringPair 0:
        Connect Connack Publish Will Puback Pubrec Pubrel Pubcomp
        Subscribe Suback Unsubscribe Unsuback Disconnect Auth;
    39 MaximumPacketSize "maximum-packet-size" FourByteInteger 1: Connect Connack;
    40 WildcardSubscriptionAvailable "wildcard-subscription-available" Flag 0: Connack;
    41 SubscriptionIdentifierAvailable "subscription-identifier-available" Flag 0: Connack;
    42 SharedSubscriptionAvailable "shared-subscription-available" Flag 0: Connack;
}

impl PropertyId {
    /// Parses a property's name, ignoring case.
    pub fn from_name(name: &str) -> Option<PropertyId> {
        PropertyId::ALL.into_iter().find(|id| id.name().eq_ignore_ascii_case(name))
    }

    /// Whether the property is allowed there.
    pub fn belongs_in(self, context: Context) -> bool {
        self.contexts() & context as u16 != 0
    }

    /// Whether the property may be repeated there: user properties may, and so may the identifiers of the subscriptions that a
    /// PUBLISH matched.
    fn is_repeatable_in(self, context: Context) -> bool {
        self == PropertyId::UserProperty
            || (self == PropertyId::SubscriptionIdentifier && context == Context::Publish)
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A property's value. Numbers of all sizes are one variant here; the table has their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyValue<'a> {
    /// A flag or an integer.
    Number(u32),
    /// A UTF-8 string.
    Text(&'a str),
    /// Binary data.
    Binary(&'a [u8]),
    /// The name and the value of a user property.
    Pair(&'a str, &'a str),
}

/// One property of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property<'a> {
    /// Its identifier.
    pub id: PropertyId,
    /// Its value, of the type in the table.
    pub value: PropertyValue<'a>,
}

/// A checked property list in its encoded form, without its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties<'a>(&'a [u8]);

impl<'a> Properties<'a> {
    /// The list without properties.
    pub const EMPTY: Properties<'static> = Properties(&[]);

    /// Whether the list is empty.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The properties in their encoded order.
    pub fn iter(self) -> impl Iterator<Item = Property<'a>> {
        // The packet type matters only for errors, and checked bytes have none.
        let mut reader = Reader::new(super::PacketType::Publish, self.0, 0);
        std::iter::from_fn(move || if reader.is_empty() { None } else { read_property(&mut reader).ok() })
    }

    /// The value of the first property of that kind.
    pub fn find(self, id: PropertyId) -> Option<PropertyValue<'a>> {
        if self.0.is_empty() {
            return None;
        }
        self.iter().find(|property| property.id == id).map(|property| property.value)
    }

    /// The number of the first property of that kind.
    pub fn number(self, id: PropertyId) -> Option<u32> {
        match self.find(id)? {
            PropertyValue::Number(number) => Some(number),
            PropertyValue::Text(_) | PropertyValue::Binary(_) | PropertyValue::Pair(..) => None,
        }
    }

    /// The value of the first such property, if it is a two-byte integer.
    pub fn two_bytes(self, id: PropertyId) -> Option<u16> {
        self.number(id).and_then(|number| u16::try_from(number).ok())
    }

    /// The text of the first property of that kind.
    pub fn text(self, id: PropertyId) -> Option<&'a str> {
        match self.find(id)? {
            PropertyValue::Text(text) => Some(text),
            PropertyValue::Number(_) | PropertyValue::Binary(_) | PropertyValue::Pair(..) => None,
        }
    }

    /// The bytes of the first property of that kind.
    pub fn binary(self, id: PropertyId) -> Option<&'a [u8]> {
        match self.find(id)? {
            PropertyValue::Binary(bytes) => Some(bytes),
            PropertyValue::Number(_) | PropertyValue::Text(_) | PropertyValue::Pair(..) => None,
        }
    }

    /// An owned copy.
    pub fn to_owned(self) -> PropertiesBuf {
        PropertiesBuf(self.0.to_vec())
    }

    /// Reads a list after its length, and checks all of it.
    pub(super) fn decode(reader: &mut Reader<'a>, context: Context) -> Result<Properties<'a>, DecodeError> {
        let length = reader.variable_byte_integer("property length")?;
        if length == 0 {
            return Ok(Properties::EMPTY);
        }
        let mut list = reader.sub_reader(length as usize, "properties")?;
        let bytes = list.clone().rest();
        let mut seen = 0u64;
        while !list.is_empty() {
            let offset = list.offset();
            let property = read_property(&mut list)?;
            let Property { id, value } = property;
            let checked = id.check_place(context, seen).and_then(|()| id.check_value(value));
            checked.map_err(|problem| list.error_at(offset, problem))?;
            seen |= id.bit();
        }
        let has = |id: PropertyId| seen & id.bit() != 0;
        if has(PropertyId::AuthenticationData) && !has(PropertyId::AuthenticationMethod) {
            return Err(list.error(Problem::AuthenticationDataWithoutMethod));
        }
        Ok(Properties(bytes))
    }

    /// Reads a list if the version has one.
    pub(super) fn decode_if_v5(
        reader: &mut Reader<'a>,
        version: Version,
        context: Context,
    ) -> Result<Properties<'a>, DecodeError> {
        if version.is_v5() { Properties::decode(reader, context) } else { Ok(Properties::EMPTY) }
    }

    /// The encoded size of the list with its length, in a packet of that version.
    pub(crate) fn encoded_length(self, version: Version) -> usize {
        if version.is_v5() { variable_byte_integer_length(self.0.len()) + self.0.len() } else { 0 }
    }

    /// Writes the list after its length, if the version has one.
    pub(super) fn encode(self, version: Version, out: &mut Vec<u8>) {
        if version.is_v5() {
            put_variable_byte_integer(out, self.0.len());
            out.extend_from_slice(self.0);
        }
    }
}

/// An owned property list in its encoded form. Unless it comes from a received message, all values are in range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PropertiesBuf(Vec<u8>);

/// The reason why a property cannot be added to a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The number or the topic is not valid for the property.
    #[error("invalid {0} {1}")]
    InvalidValue(PropertyId, String),
    /// The property is already in the list and must not be repeated.
    #[error("duplicate {0}")]
    Duplicate(PropertyId),
    /// It is too long for a length field.
    #[error(transparent)]
    TooLong(#[from] EncodeError),
}

impl PropertiesBuf {
    /// A list without properties.
    pub fn new() -> PropertiesBuf {
        PropertiesBuf::default()
    }

    /// The list, borrowed.
    pub fn as_properties(&self) -> Properties<'_> {
        Properties(&self.0)
    }

    /// Adds a property. Subscription identifiers may be repeated, as in a PUBLISH.
    ///
    /// # Errors
    /// If the value is out of the property's range, too long, or the property is already in the list.
    pub fn push(&mut self, id: PropertyId, value: PropertyValue<'_>) -> Result<(), PropertyError> {
        if !id.is_repeatable_in(Context::Publish) && self.as_properties().find(id).is_some() {
            return Err(PropertyError::Duplicate(id));
        }
        if let Err(problem) = id.check_value(value) {
            return Err(PropertyError::InvalidValue(id, problem_value(&problem)));
        }
        self.write(id, value)
    }

    /// Adds a copy of a property that was read from a checked list.
    pub fn push_checked(&mut self, property: Property<'_>) {
        let written = self.write(property.id, property.value);
        debug_assert!(written.is_ok(), "a property that was decoded fits its own encoding");
    }

    /// Adds a property of a received message, whose value may be out of range. Returns whether it fits.
    pub(super) fn push_received(&mut self, id: PropertyId, value: PropertyValue<'_>) -> bool {
        self.write(id, value).is_ok()
    }

    fn write(&mut self, id: PropertyId, value: PropertyValue<'_>) -> Result<(), PropertyError> {
        let out = &mut self.0;
        let length = out.len();
        out.push(id as u8);
        let mismatch = |shown: String| Err(PropertyError::InvalidValue(id, shown));
        let written = match (id.encoding(), value) {
            (Encoding::Flag, PropertyValue::Number(number)) if number <= 0xff => {
                out.push(number as u8);
                Ok(())
            }
            (Encoding::TwoByteInteger, PropertyValue::Number(number)) => match u16::try_from(number) {
                Ok(number) => {
                    put_u16(out, number);
                    Ok(())
                }
                Err(_) => mismatch(number.to_string()),
            },
            (Encoding::FourByteInteger, PropertyValue::Number(number)) => {
                out.extend_from_slice(&number.to_be_bytes());
                Ok(())
            }
            (Encoding::VariableByteInteger, PropertyValue::Number(number))
                if number as usize <= super::writer::MAX_REMAINING_LENGTH =>
            {
                put_variable_byte_integer(out, number as usize);
                Ok(())
            }
            (Encoding::Utf8String, PropertyValue::Text(text)) => put_checked(out, id, text.as_bytes()),
            (Encoding::BinaryData, PropertyValue::Binary(bytes)) => put_checked(out, id, bytes),
            (Encoding::Utf8StringPair, PropertyValue::Pair(name, value)) => {
                put_checked(out, id, name.as_bytes()).and_then(|()| put_checked(out, id, value.as_bytes()))
            }
            (_, PropertyValue::Number(number)) => mismatch(number.to_string()),
            (_, PropertyValue::Text(_) | PropertyValue::Binary(_) | PropertyValue::Pair(..)) => {
                mismatch("of another type".to_owned())
            }
        };
        if written.is_err() {
            out.truncate(length);
        }
        written
    }
}

fn put_checked(out: &mut Vec<u8>, id: PropertyId, bytes: &[u8]) -> Result<(), PropertyError> {
    super::writer::field_length(id.name(), bytes)?;
    put_field(out, bytes);
    Ok(())
}

fn problem_value(problem: &Problem) -> String {
    match problem {
        Problem::InvalidProperty { value, .. } => value.to_string(),
        Problem::Topic { topic, error, .. } => format!("{topic:?}: {error}"),
        other => other.to_string(),
    }
}

/// Reads one property by the table; the caller checks its place and range.
fn read_property<'a>(reader: &mut Reader<'a>) -> Result<Property<'a>, DecodeError> {
    let id = PropertyId::decode(reader)?;
    Ok(Property { id, value: id.decode_value(reader)? })
}

/// Whether a property or its value is allowed.
pub(super) type Rule = Result<(), Problem>;

impl PropertyId {
    /// The property's bit in a set.
    pub(super) fn bit(self) -> u64 {
        1 << (self as u8)
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<PropertyId, DecodeError> {
        let offset = reader.offset();
        let number = reader.variable_byte_integer("property identifier")?;
        PropertyId::from_number(number)
            .ok_or_else(|| reader.error_at(offset, Problem::UnknownProperty { id: number }))
    }

    /// Reads a value in the property's encoding.
    pub(super) fn decode_value<'a>(self, reader: &mut Reader<'a>) -> Result<PropertyValue<'a>, DecodeError> {
        let field = self.name();
        Ok(match self.encoding() {
            Encoding::Flag => PropertyValue::Number(reader.u8(field)?.into()),
            Encoding::TwoByteInteger => PropertyValue::Number(reader.u16(field)?.into()),
            Encoding::FourByteInteger => PropertyValue::Number(reader.u32(field)?),
            Encoding::VariableByteInteger => PropertyValue::Number(reader.variable_byte_integer(field)?),
            Encoding::Utf8String => PropertyValue::Text(reader.string(field)?),
            Encoding::BinaryData => PropertyValue::Binary(reader.binary(field)?),
            Encoding::Utf8StringPair => {
                let name = reader.string("user property name")?;
                PropertyValue::Pair(name, reader.string("user property value")?)
            }
        })
    }

    /// Whether it may follow the properties that were `seen` in this list.
    pub(super) fn check_place(self, context: Context, seen: u64) -> Rule {
        if !self.belongs_in(context) {
            return Err(Problem::MisplacedProperty { property: self });
        }
        if seen & self.bit() != 0 && !self.is_repeatable_in(context) {
            return Err(Problem::DuplicateProperty { property: self });
        }
        Ok(())
    }

    /// Checks the rules beyond the encoding: ranges, and the response topic [MQTT-3.3.2-14].
    pub(super) fn check_value(self, value: PropertyValue<'_>) -> Rule {
        match value {
            PropertyValue::Number(value) => {
                let most = if self.encoding() == Encoding::Flag { 1 } else { u32::MAX };
                if value < self.least() || value > most {
                    return Err(Problem::InvalidProperty { property: self, value });
                }
            }
            PropertyValue::Text(text) if self == PropertyId::ResponseTopic => {
                topic::check_name(text).map_err(|error| Problem::Topic {
                    field: "response topic",
                    topic: text.to_owned(),
                    error,
                })?;
            }
            PropertyValue::Text(_) | PropertyValue::Binary(_) | PropertyValue::Pair(..) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushed_properties_can_be_found() {
        let mut list = PropertiesBuf::new();
        list.push(PropertyId::MessageExpiryInterval, PropertyValue::Number(60)).unwrap();
        list.push(PropertyId::UserProperty, PropertyValue::Pair("a", "1")).unwrap();
        list.push(PropertyId::UserProperty, PropertyValue::Pair("a", "2")).unwrap();
        let list = list.as_properties();
        assert_eq!(list.number(PropertyId::MessageExpiryInterval), Some(60));
        assert_eq!(list.text(PropertyId::ContentType), None);
        assert_eq!(list.iter().filter(|property| property.id == PropertyId::UserProperty).count(), 2);
    }

    #[test]
    fn invalid_properties_cannot_be_pushed() {
        let mut list = PropertiesBuf::new();
        assert!(list.push(PropertyId::ReceiveMaximum, PropertyValue::Number(0)).is_err());
        assert!(list.push(PropertyId::ReceiveMaximum, PropertyValue::Number(65_536)).is_err());
        assert!(list.push(PropertyId::MaximumQos, PropertyValue::Number(2)).is_err());
        assert!(list.push(PropertyId::ResponseTopic, PropertyValue::Text("a/#")).is_err());
        assert!(list.push(PropertyId::ContentType, PropertyValue::Text(&"x".repeat(65_536))).is_err());
        assert!(list.as_properties().is_empty());
        list.push(PropertyId::TopicAlias, PropertyValue::Number(1)).unwrap();
        assert_eq!(
            list.push(PropertyId::TopicAlias, PropertyValue::Number(1)),
            Err(PropertyError::Duplicate(PropertyId::TopicAlias))
        );
    }
}
