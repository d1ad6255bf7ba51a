//! The supported versions of MQTT, and their names in CONNECT.

use std::fmt;

/// A version of the MQTT protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1, whose protocol name is `MQIsdp`.
    V31,
    /// MQTT 3.1.1 (OASIS, 2014).
    V311,
    /// MQTT 5.0 (OASIS, 2019).
    V5,
}

impl Version {
    /// The version for CONNECT's protocol name and level; the bridge bit must already be cleared.
    pub fn from_name_and_level(name: &str, level: u8) -> Option<Version> {
        match (name, level) {
            ("MQIsdp", 3) => Some(Version::V31),
            ("MQTT", 4) => Some(Version::V311),
            ("MQTT", 5) => Some(Version::V5),
            _ => None,
        }
    }

    /// The protocol name in CONNECT.
    pub fn protocol_name(self) -> &'static str {
        match self {
            Version::V31 => "MQIsdp",
            Version::V311 | Version::V5 => "MQTT",
        }
    }

    /// The protocol level in CONNECT: 3, 4 or 5.
    pub fn protocol_level(self) -> u8 {
        match self {
            Version::V31 => 3,
            Version::V311 => 4,
            Version::V5 => 5,
        }
    }

    /// Whether packets of this version have properties and reason codes.
    pub fn is_v5(self) -> bool {
        self == Version::V5
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V31 => "MQTT 3.1",
            Version::V311 => "MQTT 3.1.1",
            Version::V5 => "MQTT 5.0",
        })
    }
}
