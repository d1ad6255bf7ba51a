//! Topics on the wire: names, and the three forms of topic ids (MQTT-SN 1.2, sections 5.3.11 and 6.7).

use std::fmt;

/// The topic of a PUBLISH: two octets, whose meaning the topic id type gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicId {
    /// An id that REGISTER or SUBSCRIBE assigned for one client.
    Normal(u16),
    /// An id that client and gateway know in advance.
    Predefined(u16),
    /// The two octets of a short topic name.
    Short(ShortName),
}

/// A topic name of exactly two octets, which needs no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortName(pub [u8; 2]);

/// The topic of a SUBSCRIBE or UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubscribeTopic<'a> {
    /// A topic name, or a filter with wildcards.
    Name(&'a str),
    /// An id that client and gateway know in advance.
    Predefined(u16),
    /// The two octets of a short topic name.
    Short(ShortName),
}

/// The lowest two bits of the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TopicIdType {
    /// A normal topic id; a topic name in SUBSCRIBE and UNSUBSCRIBE.
    Normal = 0,
    /// A predefined topic id.
    Predefined = 1,
    /// A short topic name.
    Short = 2,
}

impl TopicIdType {
    /// The type of these two bits; `None` for the reserved 3.
    pub fn from_bits(bits: u8) -> Option<TopicIdType> {
        match bits {
            0 => Some(TopicIdType::Normal),
            1 => Some(TopicIdType::Predefined),
            2 => Some(TopicIdType::Short),
            _ => None,
        }
    }
}

impl TopicId {
    /// The id in its two octets.
    pub fn new(id_type: TopicIdType, octets: [u8; 2]) -> TopicId {
        match id_type {
            TopicIdType::Normal => TopicId::Normal(u16::from_be_bytes(octets)),
            TopicIdType::Predefined => TopicId::Predefined(u16::from_be_bytes(octets)),
            TopicIdType::Short => TopicId::Short(ShortName(octets)),
        }
    }

    /// The topic id type in the flags.
    pub fn id_type(self) -> TopicIdType {
        match self {
            TopicId::Normal(_) => TopicIdType::Normal,
            TopicId::Predefined(_) => TopicIdType::Predefined,
            TopicId::Short(_) => TopicIdType::Short,
        }
    }

    /// The number of its two octets, as in the topic id of PUBACK.
    pub fn value(self) -> u16 {
        match self {
            TopicId::Normal(id) | TopicId::Predefined(id) => id,
            TopicId::Short(name) => name.value(),
        }
    }
}

impl ShortName {
    /// The name of this text; `None` if it does not have two octets.
    pub fn new(name: &str) -> Option<ShortName> {
        <[u8; 2]>::try_from(name.as_bytes()).ok().map(ShortName)
    }

    /// The octets as a number, in the place of a topic id.
    pub fn value(self) -> u16 {
        u16::from_be_bytes(self.0)
    }

    /// The octets as text; `None` if they are not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl SubscribeTopic<'_> {
    /// The topic id type in the flags.
    pub fn id_type(&self) -> TopicIdType {
        match self {
            SubscribeTopic::Name(_) => TopicIdType::Normal,
            SubscribeTopic::Predefined(_) => TopicIdType::Predefined,
            SubscribeTopic::Short(_) => TopicIdType::Short,
        }
    }
}

impl fmt::Display for TopicIdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TopicIdType::Normal => "normal",
            TopicIdType::Predefined => "predefined",
            TopicIdType::Short => "short",
        })
    }
}
