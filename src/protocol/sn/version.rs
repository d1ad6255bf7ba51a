//! The versions of MQTT-SN.

use std::fmt;

/// A version of MQTT-SN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT-SN 1.2 (IBM, 2013).
    V12,
    /// MQTT-SN 2.0 (OASIS, committee specification draft 01 of 2026).
    V20,
}

impl Version {
    /// The number: `1.2` or `2.0`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V12 => "1.2",
            Version::V20 => "2.0",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MQTT-SN {}", self.number())
    }
}
