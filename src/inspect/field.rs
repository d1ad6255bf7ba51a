//! The fields of a packet: a tree, kept as a list in the order of the bytes, where each field knows how deep it stands.
//!
//! Every byte of a packet belongs to exactly one leaf, and where a leaf is smaller than a byte, every bit does.

use super::rule::Rule;
use crate::protocol::PropertyId;
use std::fmt;
use std::ops::Range;

macro_rules! names {
    ($($variant:ident $name:literal;)+) => {
        /// What a field is called, in the specification's words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // the names are the specification's own
        pub enum Name {
            $($variant,)+
            /// One property of a list.
            Property(PropertyId),
        }

        impl Name {
            /// The name in lower case with underscores, as it stands in JSON.
            pub fn key(self) -> &'static str {
                match self {
                    $(Name::$variant => $name,)+
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
    Undecoded "undecoded";
}

/// The specification's name with underscores; the plural where a property may stand more than once, as in a message's JSON object.
fn property_key(id: PropertyId) -> &'static str {
    match id {
        PropertyId::PayloadFormatIndicator => "payload_format_indicator",
        PropertyId::MessageExpiryInterval => "message_expiry_interval",
        PropertyId::ContentType => "content_type",
        PropertyId::ResponseTopic => "response_topic",
        PropertyId::CorrelationData => "correlation_data",
        PropertyId::SubscriptionIdentifier => "subscription_identifiers",
        PropertyId::SessionExpiryInterval => "session_expiry_interval",
        PropertyId::AssignedClientIdentifier => "assigned_client_identifier",
        PropertyId::ServerKeepAlive => "server_keep_alive",
        PropertyId::AuthenticationMethod => "authentication_method",
        PropertyId::AuthenticationData => "authentication_data",
        PropertyId::RequestProblemInformation => "request_problem_information",
        PropertyId::WillDelayInterval => "will_delay_interval",
        PropertyId::RequestResponseInformation => "request_response_information",
        PropertyId::ResponseInformation => "response_information",
        PropertyId::ServerReference => "server_reference",
        PropertyId::ReasonString => "reason_string",
        PropertyId::ReceiveMaximum => "receive_maximum",
        PropertyId::TopicAliasMaximum => "topic_alias_maximum",
        PropertyId::TopicAlias => "topic_alias",
        PropertyId::MaximumQos => "maximum_qos",
        PropertyId::RetainAvailable => "retain_available",
        PropertyId::UserProperty => "user_properties",
        PropertyId::MaximumPacketSize => "maximum_packet_size",
        PropertyId::WildcardSubscriptionAvailable => "wildcard_subscription_available",
        PropertyId::SubscriptionIdentifierAvailable => "subscription_identifier_available",
        PropertyId::SharedSubscriptionAvailable => "shared_subscription_available",
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

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Other fields, which follow.
    Group,
    /// A number of any size.
    Number(u32),
    /// A single bit, or a byte that is 0 or 1.
    Flag(bool),
    /// A string.
    Text(&'a str),
    /// What should be a string, and is not UTF-8.
    BadText(&'a [u8]),
    /// Bytes of anything.
    Bytes(&'a [u8]),
    /// The name and the value of a user property.
    Pair(&'a str, &'a str),
    /// What should be such a pair, and is not UTF-8 in one of its strings at least.
    BadPair(&'a [u8], &'a [u8]),
    /// A reason code of MQTT 5, or a return code of MQTT 3.
    Code(u8),
}

/// Some of the bits of one byte, both ends included; 7 is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The first.
    pub high: u8,
    /// The last.
    pub low: u8,
}

/// One field, where it stands and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// What it is called.
    pub name: Name,
    /// What it holds.
    pub value: Value<'a>,
    /// Its bytes, counted from the packet's first byte; a string's include its length, a property's its identifier.
    pub range: Range<usize>,
    /// Which bits of its only byte, where it is not the whole.
    pub bits: Option<Bits>,
    /// How many groups it stands in.
    pub depth: u8,
}

impl Field<'_> {
    /// Whether it holds no other fields.
    pub fn is_leaf(&self) -> bool {
        self.value != Value::Group
    }
}

/// A packet's fields, and what is wrong with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree<'a> {
    /// In the order of the bytes, a group in front of what it holds.
    pub fields: Vec<Field<'a>>,
    /// In the order in which they were noticed.
    pub findings: Vec<super::Finding>,
}

impl<'a> Tree<'a> {
    /// The first field of that name.
    pub fn find(&self, name: Name) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The first field's number, flag or code.
    pub fn number(&self, name: Name) -> Option<u32> {
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

    /// The first field's number, where it takes no more than two bytes.
    pub fn two_bytes(&self, name: Name) -> Option<u16> {
        self.number(name).and_then(|number| u16::try_from(number).ok())
    }

    /// Whether there is such a field, and it is set.
    pub fn is_set(&self, name: Name) -> bool {
        self.number(name).is_some_and(|number| number != 0)
    }

    /// The first field's text.
    pub fn text(&self, name: Name) -> Option<&'a str> {
        match self.find(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first field's bytes.
    pub fn bytes(&self, name: Name) -> Option<&'a [u8]> {
        match self.find(name)?.value {
            Value::Bytes(bytes) | Value::BadText(bytes) => Some(bytes),
            Value::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// All fields of that name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// What stands in the group at that place of the list, groups within it included.
    pub fn inside(&self, group: usize) -> &[Field<'a>] {
        let rest = self.fields.get(group + 1..).unwrap_or_default();
        let depth = self.fields.get(group).map_or(0, |field| field.depth);
        let end = rest.iter().position(|field| field.depth <= depth).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Whether it was read to its end, so that a field that is not here is not in the packet either.
    pub fn is_decoded(&self) -> bool {
        self.fields.last().is_some_and(|last| last.name != Name::Undecoded)
    }

    /// Whether its bytes break the rules of encoding, so that what they mean is not certain.
    pub fn is_malformed(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.is_malformed())
    }

    /// Whether a rule found something.
    pub fn breaks(&self, rule: Rule) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }
}
