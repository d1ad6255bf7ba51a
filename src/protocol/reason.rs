//! Reason codes of MQTT 5.0 and return codes of MQTT 3: one table of numbers, names and the packets that may carry them.

use super::property::Context;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The names of CONNACK's return codes in MQTT 3 (3.1.1, table 3.1), in lower case.
const RETURN_CODES: [&str; 6] = [
    "accepted",
    "unacceptable protocol version",
    "identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorized",
];

/// The result of an operation, or the reason for the end of a connection. Codes from 0x80 are failures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode(pub u8);

/// A part of the will, which a broker may not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum WillPart {
    Topic,
    Payload,
    Retain,
    Qos,
}

macro_rules! reason_codes {
    ($($constant:ident $code:literal $name:literal: $($context:ident)+;)+) => {
        #[allow(missing_docs)] // the names are the specification's own
        impl ReasonCode {
            $(pub const $constant: ReasonCode = ReasonCode($code);)+

            /// All codes of MQTT 5.0 in ascending order.
            #[cfg(test)]
            pub const ALL: [ReasonCode; 43] = [$(ReasonCode($code),)+];
        }

        impl ReasonCode {
            /// The specification's name in lower case; `None` for an unassigned number.
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some($name),)+ _ => None }
            }

            fn contexts(self) -> u16 {
                match self.0 { $($code => $(Context::$context as u16 |)+ 0,)+ _ => 0 }
            }
        }
    };
}

// MQTT 5.0, table 2-6. UNSUBSCRIBE, SUBSCRIBE, PUBLISH and CONNECT carry none.
reason_codes! {
    SUCCESS 0x00 "success": Connack Puback Pubrec Pubrel Pubcomp Suback Unsuback Disconnect Auth;
    GRANTED_QOS_1 0x01 "granted QoS 1": Suback;
    GRANTED_QOS_2 0x02 "granted QoS 2": Suback;
    DISCONNECT_WITH_WILL 0x04 "disconnect with will message": Disconnect;
    NO_MATCHING_SUBSCRIBERS 0x10 "no matching subscribers": Puback Pubrec;
    NO_SUBSCRIPTION_EXISTED 0x11 "no subscription existed": Unsuback;
    CONTINUE_AUTHENTICATION 0x18 "continue authentication": Auth;
    RE_AUTHENTICATE 0x19 "re-authenticate": Auth;
    UNSPECIFIED_ERROR 0x80 "unspecified error": Connack Puback Pubrec Suback Unsuback Disconnect;
    MALFORMED_PACKET 0x81 "malformed packet": Connack Disconnect;
    PROTOCOL_ERROR 0x82 "protocol error": Connack Disconnect;
    IMPLEMENTATION_SPECIFIC_ERROR 0x83 "implementation specific error":
        Connack Puback Pubrec Suback Unsuback Disconnect;
    UNSUPPORTED_PROTOCOL_VERSION 0x84 "unsupported protocol version": Connack;
    CLIENT_IDENTIFIER_NOT_VALID 0x85 "client identifier not valid": Connack;
    BAD_USER_NAME_OR_PASSWORD 0x86 "bad user name or password": Connack;
    NOT_AUTHORIZED 0x87 "not authorized": Connack Puback Pubrec Suback Unsuback Disconnect;
    SERVER_UNAVAILABLE 0x88 "server unavailable": Connack;
    SERVER_BUSY 0x89 "server busy": Connack Disconnect;
    BANNED 0x8A "banned": Connack;
    SERVER_SHUTTING_DOWN 0x8B "server shutting down": Disconnect;
    BAD_AUTHENTICATION_METHOD 0x8C "bad authentication method": Connack Disconnect;
    KEEP_ALIVE_TIMEOUT 0x8D "keep alive timeout": Disconnect;
    SESSION_TAKEN_OVER 0x8E "session taken over": Disconnect;
    TOPIC_FILTER_INVALID 0x8F "topic filter invalid": Suback Unsuback Disconnect;
    TOPIC_NAME_INVALID 0x90 "topic name invalid": Connack Puback Pubrec Disconnect;
    PACKET_IDENTIFIER_IN_USE 0x91 "packet identifier in use": Puback Pubrec Suback Unsuback;
    PACKET_IDENTIFIER_NOT_FOUND 0x92 "packet identifier not found": Pubrel Pubcomp;
    RECEIVE_MAXIMUM_EXCEEDED 0x93 "receive maximum exceeded": Disconnect;
    TOPIC_ALIAS_INVALID 0x94 "topic alias invalid": Disconnect;
    PACKET_TOO_LARGE 0x95 "packet too large": Connack Disconnect;
    MESSAGE_RATE_TOO_HIGH 0x96 "message rate too high": Disconnect;
    QUOTA_EXCEEDED 0x97 "quota exceeded": Connack Puback Pubrec Suback Disconnect;
    ADMINISTRATIVE_ACTION 0x98 "administrative action": Disconnect;
    PAYLOAD_FORMAT_INVALID 0x99 "payload format invalid": Connack Puback Pubrec Disconnect;
    RETAIN_NOT_SUPPORTED 0x9A "retain not supported": Connack Disconnect;
    QOS_NOT_SUPPORTED 0x9B "QoS not supported": Connack Disconnect;
    USE_ANOTHER_SERVER 0x9C "use another server": Connack Disconnect;
    SERVER_MOVED 0x9D "server moved": Connack Disconnect;
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED 0x9E "shared subscriptions not supported": Suback Disconnect;
    CONNECTION_RATE_EXCEEDED 0x9F "connection rate exceeded": Connack Disconnect;
    MAXIMUM_CONNECT_TIME 0xA0 "maximum connect time": Disconnect;
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED 0xA1 "subscription identifiers not supported": Suback Disconnect;
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED 0xA2 "wildcard subscriptions not supported": Suback Disconnect;
}

impl ReasonCode {
    /// Whether it is an error code.
    pub fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether the specification allows it in that packet.
    pub fn belongs_in(self, context: Context) -> bool {
        self.contexts() & context as u16 != 0
    }

    /// The name in that packet, in lower case; `None` if it is not allowed there.
    pub fn name_in(self, context: Context) -> Option<&'static str> {
        match (self, context) {
            (ReasonCode::SUCCESS, Context::Suback) => Some("granted QoS 0"),
            (ReasonCode::SUCCESS, Context::Disconnect) => Some("normal disconnection"),
            _ => self.name().filter(|_| self.belongs_in(context)),
        }
    }

    /// The part of the will because of which a broker may refuse CONNECT with it.
    pub(crate) fn refused_part_of_will(self) -> Option<WillPart> {
        match self {
            ReasonCode::UNSPECIFIED_ERROR
            | ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
            | ReasonCode::NOT_AUTHORIZED
            | ReasonCode::TOPIC_NAME_INVALID
            | ReasonCode::QUOTA_EXCEEDED => Some(WillPart::Topic),
            // CONNECT has no other payload, RETAIN flag or QoS (MQTT 5.0, section 3.2.2.2).
            ReasonCode::PAYLOAD_FORMAT_INVALID => Some(WillPart::Payload),
            ReasonCode::RETAIN_NOT_SUPPORTED => Some(WillPart::Retain),
            ReasonCode::QOS_NOT_SUPPORTED => Some(WillPart::Qos),
            _ => None,
        }
    }

    /// The MQTT 5.0 reason code for an MQTT 3 CONNACK return code; `None` above 5.
    pub fn from_v3_connack(return_code: u8) -> Option<ReasonCode> {
        match return_code {
            0 => Some(ReasonCode::SUCCESS),
            1 => Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
            2 => Some(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
            3 => Some(ReasonCode::SERVER_UNAVAILABLE),
            4 => Some(ReasonCode::BAD_USER_NAME_OR_PASSWORD),
            5 => Some(ReasonCode::NOT_AUTHORIZED),
            _ => None,
        }
    }

    /// The most similar CONNACK return code of MQTT 3.
    pub fn to_v3_connack(self) -> u8 {
        match self {
            ReasonCode::SUCCESS => 0,
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => 1,
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => 2,
            ReasonCode::BAD_USER_NAME_OR_PASSWORD => 4,
            ReasonCode::NOT_AUTHORIZED | ReasonCode::BANNED | ReasonCode::BAD_AUTHENTICATION_METHOD => 5,
            _ => 3,
        }
    }
}

/// The specification's name of a return code of MQTT 3 in CONNACK, in lower case; `None` above 5.
pub(crate) fn return_code_name(return_code: u8) -> Option<&'static str> {
    RETURN_CODES.get(usize::from(return_code)).copied()
}

/// The code of a refusal as CONNACK contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalCode {
    /// A return code of MQTT 3, which a server without MQTT 5 also sends to a client of MQTT 5.
    ReturnCode(u8),
    ReasonCode(ReasonCode),
}

impl RefusalCode {
    /// The return code of MQTT 3, if it is one.
    pub(crate) fn return_code(self) -> Option<u8> {
        match self {
            RefusalCode::ReturnCode(code) => Some(code),
            RefusalCode::ReasonCode(_) => None,
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            RefusalCode::ReturnCode(code) => match return_code_name(code) {
                Some(name) => write!(f, "{name} (return code {code})"),
                None => write!(f, "unknown return code {code}"),
            },
            RefusalCode::ReasonCode(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "unknown reason code 0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonCode(0x{:02x})", self.0)
    }
}
