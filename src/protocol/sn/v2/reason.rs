//! Reason codes of MQTT-SN 2.0 (section 2.3).

use super::PacketType;

/// The code, the meaning, and the types that may have it. An empty list stands for all types with a reason code.
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
