//! The versions of MQTT-SN, and the signs of each in a message.

use super::{Header, PROTOCOL_ID};
use std::fmt;

/// The version byte of CONNECT in MQTT-SN 2.0.
const VERSION_2: u8 = 2;

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

    /// The version that CONNECT states, if the message is one.
    pub fn stated(message: &[u8]) -> Option<Version> {
        let header = Header::read(message)?;
        let body = message.get(header.size()..)?;
        match (header.type_octet, body) {
            (0x04, [_, PROTOCOL_ID, _, _, ..]) if message.len() >= 6 => Some(Version::V12),
            // The flags, perhaps those of a will, and the packet identifier come before it.
            (0x01, [flags, _, _, VERSION_2, ..]) if flags & 0x02 == 0 => Some(Version::V20),
            (0x01, [flags, _, _, _, VERSION_2, ..]) if flags & 0x02 != 0 => Some(Version::V20),
            _ => None,
        }
    }

    /// The version of a message by its type and length; `None` if it can be of both. The types were renumbered, so the same bytes
    /// are different messages.
    pub fn inferred(message: &[u8]) -> Option<Version> {
        use Version::{V12, V20};
        if let Some(version) = Version::stated(message) {
            return Some(version);
        }
        let header = Header::read(message)?;
        let length = message.len() + 2 - header.size();
        match (header.type_octet, length) {
            // CONNECT of another version.
            (0x01, 10..) => Some(V20),
            // ADVERTISE, SEARCHGW, GWINFO of a gateway, CONNACK, WILLTOPICREQ, empty WILLTOPIC, WILLMSGREQ.
            (0x00, _) | (0x01 | 0x02 | 0x05, 3) | (0x06..=0x08, 2) => Some(V12),
            // PUBLISH, CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP.
            (0x03, 5..) | (0x02, 6..) | (0x04..=0x06, 4 | 5) | (0x07, 4) => Some(V20),
            // WILLTOPIC, or SUBSCRIBE.
            (0x07, 6..) => Some(V12),
            (0x08, 3..) => Some(V20),
            // REGACK and PUBACK, or UNSUBACK and PINGRESP.
            (0x0b | 0x0d, 7) => Some(V12),
            (0x0b | 0x0d, 4 | 5) => Some(V20),
            // PINGREQ, or PUBLISH.
            (0x0c, 4) => Some(V20),
            (0x0c, 7..) => Some(V12),
            // DISCONNECT with a code, AUTH, REGISTER, REGACK.
            (0x0e, 3 | 5..) | (0x0f, 5..) | (0x10, 6..) | (0x11, _) => Some(V20),
            // PUBREC, PUBREL.
            (0x0f | 0x10, 4) => Some(V12),
            // PUBWOS, whose flags or length SUBSCRIBE cannot have.
            (0x12, _) if is_pubwos(message, header.size()) => Some(V20),
            // SUBACK, or SLEEPREQ.
            (0x13, 8) => Some(V12),
            (0x13, 9) => Some(V20),
            // UNSUBACK, or WAKEUP.
            (0x15, 4) => Some(V12),
            (0x15, 2) => Some(V20),
            // PINGREQ, DISCONNECT, or GWINFO.
            (0x16 | 0x18, 2) => Some(V12),
            (0x18, 3 | 5..) => Some(V20),
            (0x17, 3..) => Some(V20),
            (0x1a..=0x1d, _) => Some(V12),
            (0xfc | 0xff, _) => Some(V20),
            // The length of the encapsulated message does not include the message inside.
            (0xfe, _) if header.announced < message.len() => Some(V12),
            (0xfe, _) => Some(V20),
            _ => None,
        }
    }
}

/// Whether a message of type 0x12 is PUBWOS: it has a topic name, which is a reserved type in SUBSCRIBE of 1.2; or a predefined
/// topic alias, and RETAIN or another length than SUBSCRIBE.
fn is_pubwos(message: &[u8], header_size: usize) -> bool {
    let Some(flags) = message.get(header_size).copied() else { return false };
    let (has_retain, topic_type) = (flags & 0x10 != 0, flags & 0x03);
    let is_subscribe_size = message.len() == header_size + 5;
    flags & !0x13 == 0 && (topic_type == 3 || topic_type == 1 && (has_retain || !is_subscribe_size))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MQTT-SN {}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_by_type_and_length() {
        use Version::{V12, V20};
        for (message, version) in [
            (&[8, 4, 4, 1, 0, 30, b'c', b'1'][..], Some(V12)),
            (&[12, 1, 1, 0, 1, 2, 0, 30, 0, 0, b'c', b'1'], Some(V20)),
            (&[5, 4, 0, 1, 0], Some(V20)),
            (&[3, 1, 0], Some(V12)),
            (&[4, 12, 0, 1], Some(V20)),
            (&[7, 12, 98, b'a', b'b', 0, 0], Some(V12)),
            (&[1, 0, 9, 12, 98, b'a', b'b', 0, 0], Some(V12)),
            (&[5, 0xfe, 1, 0, 7, 2, 22], Some(V12)),
            (&[8, 0xfe, 0, 1, b'c', 4, 12, 0], Some(V20)),
            (&[2, 0x17], None),
            (&[8, 0x12, 32, 0, 1, b'a', b'/', b'b'], None),
            (&[2], None),
            (&[9, 0x12, 3, 0, 1, b'a', b'o', b'n', b'!'], Some(V20)),
            (&[7, 0x12, 1, 0, 1, 0, 5], None),
            (&[8, 0x12, 1, 0, 5, b'o', b'n', b'!'], Some(V20)),
            (&[10, 1, 0, 0, 1, 3, 0, 30, 0, 0], Some(V20)),
        ] {
            assert_eq!(Version::inferred(message), version, "{message:?}");
        }
    }
}
