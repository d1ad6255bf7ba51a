//! The fields of a packet: a tree, stored as a list in byte order in which each field has its depth.
//!
//! Every byte of a packet belongs to exactly one leaf, or each of its bits does.

use super::rule::Rule;
use crate::json::key;
use crate::protocol::PropertyId;
use std::fmt;
use std::ops::Range;

macro_rules! names {
    ($($variant:ident $name:literal;)+) => {
        /// The specification's name of a field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(clippy::enum_variant_names)] // the names are the specification's own
        pub(crate) enum Name {
            $($variant,)+
            Property(PropertyId),
        }

        impl Name {
            /// The name in JSON as a key with its punctuation, for hot paths.
            pub(crate) fn whole_key(self) -> &'static str {
                match self {
                    $(Name::$variant => key!($name),)+
                    Name::Property(id) => property_key(id),
                }
            }
        }
    };
}

names! {
    FixedHeader "fixed_header";
    PacketType "packet_type";
    Flags "flags";
    Dup "dup";
    Qos "qos";
    Retain "retain";
    RemainingLength "remaining_length";
    ProtocolName "protocol_name";
    ProtocolLevel "protocol_level";
    ConnectFlags "connect_flags";
    UserNameFlag "user_name_flag";
    PasswordFlag "password_flag";
    WillRetain "will_retain";
    WillQos "will_qos";
    WillFlag "will_flag";
    CleanStart "clean_start";
    Reserved "reserved";
    KeepAlive "keep_alive";
    Properties "properties";
    PropertyLength "property_length";
    ClientIdentifier "client_id";
    WillProperties "will_properties";
    WillTopic "will_topic";
    WillPayload "will_payload";
    UserName "username";
    Password "password";
    AcknowledgeFlags "acknowledge_flags";
    SessionPresent "session_present";
    ReasonCode "reason_code";
    ReturnCode "return_code";
    TopicName "topic";
    PacketIdentifier "packet_id";
    Payload "payload";
    FilterReasonCode "reason_codes";
    Subscription "subscriptions";
    TopicFilter "topic_filter";
    FilterToRemove "topic_filters";
    SubscriptionOptions "options";
    MaximumQos "qos";
    NoLocal "no_local";
    RetainAsPublished "retain_as_published";
    RetainHandling "retain_handling";
    // MQTT-SN.
    Length "length";
    MessageType "message_type";
    TopicIdType "topic_id_type";
    CleanSession "clean_session";
    ProtocolId "protocol_id";
    Duration "duration";
    GatewayId "gateway_id";
    GatewayAddress "gateway_address";
    Radius "radius";
    NodeId "node_id";
    TopicId "topic_id";
    MessageId "message_id";
    Control "control";
    EncapsulatedMessage "message";
    // MQTT-SN 2.0.
    ServerSuggestions "server_suggestions";
    NetworkAddress "network_address";
    DefaultAwakeFlag "default_awake_flag";
    SessionExpiryFlag "session_expiry_flag";
    AuthenticationFlag "authentication_flag";
    ServerKeepAliveFlag "server_keep_alive_flag";
    AliasFlag "topic_alias_flag";
    ReasonCodeFlag "reason_code_flag";
    PacketIdFlag "packet_id_flag";
    DurationFlag "duration_flag";
    WillFlags "will_flags";
    TopicType "topic_type";
    RetainTopicAliases "retain_topic_aliases";
    ProtocolVersion "protocol_version";
    MaximumPacketSize "maximum_packet_size";
    DefaultAwakeMessages "default_awake_messages";
    SessionExpiryInterval "session_expiry_interval";
    ServerKeepAlive "server_keep_alive";
    WillPayloadLength "will_payload_length";
    AuthenticationMethodLength "authentication_method_length";
    AuthenticationMethod "authentication_method";
    AuthenticationDataLength "authentication_data_length";
    AuthenticationData "authentication_data";
    AssignedClientIdentifier "assigned_client_id";
    TopicLength "topic_length";
    TopicAlias "topic_alias";
    MessagesRemaining "messages_remaining";
    ReasonString "reason_string";
    NetworkInformation "network_information";
    AddressLength "address_length";
    ClientIdentifierLength "client_id_length";
    TagLength "tag_length";
    CryptoMaterialLength "crypto_material_length";
    CounterLength "counter_length";
    ProtectionScheme "protection_scheme";
    SenderIdentifier "sender_id";
    Random "random";
    CryptoMaterial "crypto_material";
    Counter "counter";
    ProtectedPacket "protected_packet";
    AuthenticationTag "authentication_tag";
    Undecoded "undecoded";
}

impl Name {
    /// The name in JSON, in lower case with underscores.
    pub(crate) fn key(self) -> &'static str {
        let key = self.whole_key();
        key.strip_prefix(",\"").and_then(|key| key.strip_suffix("\":")).unwrap_or(key)
    }
}

/// The specification's name with underscores as a key, in the plural for properties that may repeat, as in a message's JSON object.
fn property_key(id: PropertyId) -> &'static str {
    match id {
        PropertyId::PayloadFormatIndicator => key!("payload_format_indicator"),
        PropertyId::MessageExpiryInterval => key!("message_expiry_interval"),
        PropertyId::ContentType => key!("content_type"),
        PropertyId::ResponseTopic => key!("response_topic"),
        PropertyId::CorrelationData => key!("correlation_data"),
        PropertyId::SubscriptionIdentifier => key!("subscription_identifiers"),
        PropertyId::SessionExpiryInterval => key!("session_expiry_interval"),
        PropertyId::AssignedClientIdentifier => key!("assigned_client_identifier"),
        PropertyId::ServerKeepAlive => key!("server_keep_alive"),
        PropertyId::AuthenticationMethod => key!("authentication_method"),
        PropertyId::AuthenticationData => key!("authentication_data"),
        PropertyId::RequestProblemInformation => key!("request_problem_information"),
        PropertyId::WillDelayInterval => key!("will_delay_interval"),
        PropertyId::RequestResponseInformation => key!("request_response_information"),
        PropertyId::ResponseInformation => key!("response_information"),
        PropertyId::ServerReference => key!("server_reference"),
        PropertyId::ReasonString => key!("reason_string"),
        PropertyId::ReceiveMaximum => key!("receive_maximum"),
        PropertyId::TopicAliasMaximum => key!("topic_alias_maximum"),
        PropertyId::TopicAlias => key!("topic_alias"),
        PropertyId::MaximumQos => key!("maximum_qos"),
        PropertyId::RetainAvailable => key!("retain_available"),
        PropertyId::UserProperty => key!("user_properties"),
        PropertyId::MaximumPacketSize => key!("maximum_packet_size"),
        PropertyId::WildcardSubscriptionAvailable => key!("wildcard_subscription_available"),
        PropertyId::SubscriptionIdentifierAvailable => key!("subscription_identifier_available"),
        PropertyId::SharedSubscriptionAvailable => key!("shared_subscription_available"),
    }
}

impl fmt::Display for Name {
    /// The name with spaces, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Property(id) => f.pad(&id.name().replace('-', " ")),
            Name::UserName => f.pad("user name"),
            Name::Qos | Name::MaximumQos => f.pad("QoS"),
            Name::WillQos => f.pad("will QoS"),
            Name::FilterReasonCode => f.pad("reason code"),
            Name::FilterToRemove => f.pad("topic filter"),
            name => f.pad(&name.key().replace('_', " ")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A group; its fields follow.
    Group,
    /// A number of any size.
    Number(u32),
    /// A single bit, or a byte that is 0 or 1.
    Flag(bool),
    Text(&'a str),
    /// A string that is not UTF-8.
    BadText(&'a [u8]),
    /// Binary data.
    Bytes(&'a [u8]),
    /// The name and the value of a user property.
    Pair(&'a str, &'a str),
    /// A user property with at least one string that is not UTF-8.
    BadPair(&'a [u8], &'a [u8]),
    /// A reason code of MQTT 5, or a return code of MQTT 3.
    Code(u8),
}

/// A range of bits in a byte, inclusive; bit 7 is the most significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits {
    /// The most significant bit.
    pub high: u8,
    /// The least significant bit.
    pub low: u8,
}

/// A field with its position and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub name: Name,
    pub value: Value<'a>,
    /// Its bytes, relative to the packet's first byte. A string includes its length, a property its identifier.
    pub range: Range<usize>,
    /// Its bits, if it is a part of a byte.
    pub bits: Option<Bits>,
    /// The number of groups around it.
    pub depth: u8,
}

impl Field<'_> {
    /// Whether it is not a group.
    pub(crate) fn is_leaf(&self) -> bool {
        self.value != Value::Group
    }
}

/// A packet's fields, and the dissector's findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree<'a> {
    /// The fields in byte order; a group comes before its fields.
    pub fields: Vec<Field<'a>>,
    /// The findings, in the order of decoding.
    pub findings: Vec<super::Finding>,
}

impl<'a> Tree<'a> {
    /// Adds a field for some bits of the byte before `end`, and returns their value.
    pub(crate) fn push_bits(&mut self, name: Name, byte: u8, bits: Bits, end: usize, depth: u8) -> u8 {
        let Bits { high, low } = bits;
        let number = (byte >> low) & (u8::MAX >> (7 - (high - low)));
        let value = if high == low { Value::Flag(number == 1) } else { Value::Number(number.into()) };
        self.fields.push(Field { name, value, range: end - 1..end, bits: Some(bits), depth });
        number
    }

    /// The first field of that name.
    pub(crate) fn find(&self, name: Name) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The number, flag or code of the first field of that name.
    pub(crate) fn number(&self, name: Name) -> Option<u32> {
        match self.find(name)?.value {
            Value::Number(number) => Some(number),
            Value::Flag(flag) => Some(u32::from(flag)),
            Value::Code(code) => Some(u32::from(code)),
            Value::Group
            | Value::Text(_)
            | Value::BadText(_)
            | Value::Bytes(_)
            | Value::Pair(..)
            | Value::BadPair(..) => None,
        }
    }

    /// The number of the first field of that name, if it fits into two bytes.
    pub(crate) fn two_bytes(&self, name: Name) -> Option<u16> {
        self.number(name).and_then(|number| u16::try_from(number).ok())
    }

    /// Whether there is a field of that name, and it is not 0.
    pub(crate) fn is_set(&self, name: Name) -> bool {
        self.number(name).is_some_and(|number| number != 0)
    }

    /// The text of the first field of that name.
    pub(crate) fn text(&self, name: Name) -> Option<&'a str> {
        match self.find(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of the first field of that name.
    pub(crate) fn bytes(&self, name: Name) -> Option<&'a [u8]> {
        match self.find(name)?.value {
            Value::Bytes(bytes) | Value::BadText(bytes) => Some(bytes),
            Value::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    pub(crate) fn all(&self, name: Name) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// The fields inside the group at this index, including nested ones.
    pub(crate) fn inside(&self, group: usize) -> &[Field<'a>] {
        let rest = self.fields.get(group + 1..).unwrap_or_default();
        let depth = self.fields.get(group).map_or(0, |field| field.depth);
        let end = rest.iter().position(|field| field.depth <= depth).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Whether the packet was decoded completely, so that a missing field is not in the packet.
    pub(crate) fn is_decoded(&self) -> bool {
        self.fields.last().is_some_and(|last| last.name != Name::Undecoded)
    }

    /// Whether the packet is malformed, so that its meaning is uncertain.
    pub(crate) fn is_malformed(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.is_malformed())
    }

    /// Whether there is a finding of this rule.
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }
}
