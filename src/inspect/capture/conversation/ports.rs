//! Ports on which MQTT and MQTT-SN are expected.

use super::super::reassembly::Side;

/// The usual purpose of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PortUse {
    Mqtt,
    Tls,
    WebSocket,
}

/// The ports that brokers and their documentation use.
const COMMON: [(u16, PortUse); 14] = [
    (1883, PortUse::Mqtt),
    (1884, PortUse::Mqtt),
    (1885, PortUse::Mqtt),
    (11883, PortUse::Mqtt),
    (21883, PortUse::Mqtt),
    (8883, PortUse::Tls),
    (8884, PortUse::Tls),
    (8886, PortUse::Tls),
    (8887, PortUse::Tls),
    (8083, PortUse::WebSocket),
    (8084, PortUse::Tls),
    (8080, PortUse::WebSocket),
    (8081, PortUse::Tls),
    (9001, PortUse::WebSocket),
];

/// The UDP ports that gateways of MQTT-SN and their documentation use.
const MQTT_SN: [u16; 4] = [10_000, 1883, 1884, 2442];

/// The common ports, and additional UDP ports from the user.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    mqtt_sn: Vec<u16>,
}

impl Ports {
    /// The common ports, and these UDP ports of MQTT-SN.
    #[must_use]
    pub fn with_mqtt_sn(mqtt_sn: Vec<u16>) -> Ports {
        Ports { mqtt_sn }
    }

    /// Whether the user named the UDP port as one of MQTT-SN.
    pub(in crate::inspect::capture) fn is_stated_mqtt_sn(&self, port: u16) -> bool {
        self.mqtt_sn.contains(&port)
    }

    /// Whether gateways of MQTT-SN use the UDP port.
    pub(in crate::inspect::capture) fn is_usual_mqtt_sn(port: u16) -> bool {
        MQTT_SN.contains(&port)
    }
}

pub(super) fn usage(port: u16) -> Option<PortUse> {
    COMMON.iter().find(|(common, _)| *common == port).map(|(_, usage)| *usage)
}

/// The server's side: the one with a known port, or else the one with the lower port.
pub(super) fn server(a: u16, b: u16) -> Side {
    match (usage(a), usage(b)) {
        (Some(_), None) => Side::A,
        (None, Some(_)) => Side::B,
        _ if a < b => Side::A,
        _ => Side::B,
    }
}
