//! Reason codes of MQTT-SN 2.0 (section 2.3).

use super::PacketType;
use crate::protocol::ReasonCode;
use crate::protocol::property::Context;
use std::fmt;

/// The result of a request, or the reason for the end of a connection. Codes from 0x80 are failures. The codes below 0xe0 are
/// those of MQTT 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

#[allow(missing_docs)] // the names are the specification's own
impl Reason {
    pub const SUCCESS: Reason = Reason(0x00);
    pub const DISCONNECT_WITH_WILL: Reason = Reason(0x04);
    pub const TOPIC_ALIAS_EXISTS: Reason = Reason(0x1a);
    pub const UNSPECIFIED_ERROR: Reason = Reason(0x80);
    pub const MALFORMED_PACKET: Reason = Reason(0x81);
    pub const PROTOCOL_ERROR: Reason = Reason(0x82);
    pub const IMPLEMENTATION_SPECIFIC_ERROR: Reason = Reason(0x83);
    pub const UNSUPPORTED_PROTOCOL_VERSION: Reason = Reason(0x84);
    pub const CLIENT_IDENTIFIER_NOT_VALID: Reason = Reason(0x85);
    pub const SERVER_SHUTTING_DOWN: Reason = Reason(0x8b);
    pub const BAD_AUTHENTICATION_METHOD: Reason = Reason(0x8c);
    pub const KEEP_ALIVE_TIMEOUT: Reason = Reason(0x8d);
    pub const SESSION_TAKEN_OVER: Reason = Reason(0x8e);
    pub const TOPIC_FILTER_INVALID: Reason = Reason(0x8f);
    pub const TOPIC_NAME_INVALID: Reason = Reason(0x90);
    pub const PACKET_IDENTIFIER_IN_USE: Reason = Reason(0x91);
    pub const PACKET_IDENTIFIER_NOT_FOUND: Reason = Reason(0x92);
    pub const RECEIVE_MAXIMUM_EXCEEDED: Reason = Reason(0x93);
    pub const PACKET_TOO_LARGE: Reason = Reason(0x95);
    pub const QUOTA_EXCEEDED: Reason = Reason(0x97);
    pub const UNKNOWN_TOPIC_ALIAS: Reason = Reason(0xf0);
    pub const CONGESTION: Reason = Reason(0xf1);
    pub const PROTECTION_NOT_SUPPORTED: Reason = Reason(0xf2);
    pub const NO_VIRTUAL_CONNECTION: Reason = Reason(0xf4);

    /// Whether it is a failure.
    pub fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// The code of MQTT 5 in a packet of that kind. Codes that it cannot have become the most similar ones.
    pub fn to_mqtt(self, context: Context) -> ReasonCode {
        match self {
            Reason(code) if ReasonCode(code).belongs_in(context) => ReasonCode(code),
            Reason::UNKNOWN_TOPIC_ALIAS if context != Context::Suback => ReasonCode::TOPIC_NAME_INVALID,
            Reason::CONGESTION => ReasonCode::QUOTA_EXCEEDED,
            _ if self.is_error() => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
            _ => ReasonCode::SUCCESS,
        }
    }

    /// The code for one of MQTT in a packet of this type, which may have fewer codes than in MQTT.
    pub fn from_mqtt(code: ReasonCode, packet_type: PacketType) -> Reason {
        match code {
            code if is_allowed(packet_type, code.0) => Reason(code.0),
            ReasonCode::QUOTA_EXCEEDED => Reason::CONGESTION,
            code if code.is_error() => Reason::UNSPECIFIED_ERROR,
            _ => Reason::SUCCESS,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ROWS.iter().find(|(known, ..)| *known == self.0) {
            Some((_, name, _)) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "unknown reason code 0x{:02x}", self.0),
        }
    }
}

/// The code, the meaning, and the types that may have it. An empty list means all types with a reason code.
type Row = (u8, &'static str, &'static [PacketType]);

use PacketType::{
    Auth, Connack, Disconnect, Pingresp, Puback, Pubcomp, Pubrec, Pubrel, Regack, Sleepresp, Suback, Unsuback,
};

const ROWS: &[Row] = &[
    (
        0x00,
        "success",
        &[
            Connack, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Regack, Sleepresp, Pingresp, Auth,
            Disconnect,
        ],
    ),
    (0x01, "granted QoS 1", &[Suback]),
    (0x02, "granted QoS 2", &[Suback]),
    (0x04, "disconnect with will", &[Disconnect]),
    (0x10, "no matching subscribers", &[Puback, Pubrec]),
    (0x11, "no subscription existed", &[Unsuback]),
    (0x18, "continue authentication", &[Auth]),
    (0x19, "re-authenticate", &[Auth]),
    (0x1a, "topic alias exists", &[Regack]),
    (0x80, "unspecified error", &[Connack, Puback, Pubrec, Suback, Unsuback, Disconnect]),
    (0x81, "malformed packet", &[Connack, Disconnect]),
    (0x82, "protocol error", &[Connack, Disconnect]),
    (0x83, "implementation specific error", &[Connack, Puback, Pubrec, Regack, Suback, Unsuback, Disconnect]),
    (0x84, "unsupported protocol version", &[Connack]),
    (0x85, "client identifier not valid", &[Connack]),
    (0x86, "bad user name or password", &[Connack]),
    (0x87, "not authorized", &[Connack, Puback, Pubrec, Regack, Suback, Unsuback, Disconnect]),
    (0x88, "server unavailable", &[Connack]),
    (0x89, "server busy", &[Connack, Disconnect]),
    (0x8a, "banned", &[Connack]),
    (0x8b, "server shutting down", &[Disconnect]),
    (0x8c, "bad authentication method", &[Connack, Disconnect]),
    (0x8d, "keep alive timeout", &[Disconnect]),
    (0x8e, "session taken over", &[Disconnect]),
    (0x8f, "topic filter invalid", &[Suback, Unsuback, Disconnect]),
    (0x90, "topic name invalid", &[Connack, Puback, Pubrec, Disconnect]),
    (0x91, "packet identifier in use", &[Puback, Pubrec, Suback, Unsuback, Regack, Pingresp, Sleepresp]),
    (0x92, "packet identifier not found", &[Pubrel, Pubcomp]),
    (0x93, "receive maximum exceeded", &[Disconnect]),
    (0x94, "topic alias invalid", &[Disconnect]),
    (0x95, "packet too large", &[Connack, Disconnect]),
    (0x96, "message rate too high", &[Disconnect]),
    (0x97, "quota exceeded", &[Suback, Regack, Disconnect]),
    (0x98, "administrative action", &[Disconnect]),
    (0x99, "payload format invalid", &[Puback, Pubrec, Disconnect]),
    (0x9a, "retain not supported", &[Connack, Disconnect]),
    (0x9b, "QoS not supported", &[Connack, Disconnect]),
    (0x9c, "use another server", &[Connack, Disconnect]),
    (0x9d, "server moved", &[Connack, Disconnect]),
    (0x9e, "shared subscriptions not supported", &[Suback, Disconnect]),
    (0x9f, "connection rate exceeded", &[Connack, Disconnect]),
    (0xa0, "maximum connect time", &[Disconnect]),
    (0xa1, "subscription identifiers not supported", &[Suback, Disconnect]),
    (0xa2, "wildcard subscriptions not supported", &[Suback, Disconnect]),
    (0xe6, "protection required", &[]),
    (0xe7, "protection scheme invalid", &[Disconnect]),
    (0xe8, "unknown sender", &[Disconnect]),
    (0xf0, "unknown topic alias", &[Puback, Pubrec, Suback, Unsuback, Regack]),
    (0xf1, "congestion", &[Suback, Regack, Connack, Puback, Pubrec]),
    (0xf2, "protection not supported", &[Disconnect]),
    (0xf3, "forwarder not supported", &[Disconnect]),
    (0xf4, "no virtual connection", &[Disconnect]),
];

/// The meaning of a code; `None` if the specification does not define it.
pub fn name(packet_type: PacketType, code: u8) -> Option<&'static str> {
    match (packet_type, code) {
        (Disconnect, 0) => Some("normal disconnect"),
        (Suback, 0) => Some("granted QoS 0"),
        _ => ROWS.iter().find(|(known, ..)| *known == code).map(|(_, name, _)| *name),
    }
}

/// Whether the type may have the code.
pub fn is_allowed(packet_type: PacketType, code: u8) -> bool {
    let row = ROWS.iter().find(|(known, ..)| *known == code);
    row.is_some_and(|(_, _, types)| types.is_empty() || types.contains(&packet_type))
}
