//! The 15 kinds of control packet.

use super::Version;
use std::fmt;

/// The flag of a retransmitted packet.
const DUP: u8 = 0b1000;

/// The kind of a control packet; the value is the upper half of its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // the names are the specification's own
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

impl PacketType {
    /// All kinds, in the order of their numbers.
    pub const ALL: [PacketType; 15] = [
        PacketType::Connect,
        PacketType::Connack,
        PacketType::Publish,
        PacketType::Puback,
        PacketType::Pubrec,
        PacketType::Pubrel,
        PacketType::Pubcomp,
        PacketType::Subscribe,
        PacketType::Suback,
        PacketType::Unsubscribe,
        PacketType::Unsuback,
        PacketType::Pingreq,
        PacketType::Pingresp,
        PacketType::Disconnect,
        PacketType::Auth,
    ];

    /// The type in a packet's first byte; `None` for the forbidden type 0.
    pub fn from_first_byte(byte: u8) -> Option<PacketType> {
        let number = usize::from(byte >> 4);
        number.checked_sub(1).and_then(|index| PacketType::ALL.get(index).copied())
    }

    /// The flags in the lower half of the first byte, if the specification fixes them
    /// [MQTT-2.1.3-1]; only PUBLISH has its own.
    pub fn fixed_flags(self) -> Option<u8> {
        match self {
            PacketType::Publish => None,
            PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => Some(0b0010),
            _ => Some(0),
        }
    }

    /// Whether the version allows these flags, if it fixes them.
    ///
    /// MQTT 3.1 allows DUP in all retransmitted packets (section 2.1), and does not use the flags of CONNECT.
    pub fn allows_flags(self, flags: u8, version: Version) -> bool {
        let Some(fixed) = self.fixed_flags() else { return true };
        flags == fixed || version == Version::V31 && self.may_have_flags(flags)
    }

    /// Whether any version allows these flags. The version is unknown before CONNECT, so the first check cannot be stricter.
    pub fn may_have_flags(self, flags: u8) -> bool {
        match self {
            PacketType::Publish | PacketType::Connect => true,
            PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => flags & !DUP == 0b0010,
            _ => flags == 0,
        }
    }

    /// The name as the specification writes it.
    pub fn name(self) -> &'static str {
        match self {
            PacketType::Connect => "CONNECT",
            PacketType::Connack => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::Puback => "PUBACK",
            PacketType::Pubrec => "PUBREC",
            PacketType::Pubrel => "PUBREL",
            PacketType::Pubcomp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::Suback => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::Unsuback => "UNSUBACK",
            PacketType::Pingreq => "PINGREQ",
            PacketType::Pingresp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
            PacketType::Auth => "AUTH",
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
