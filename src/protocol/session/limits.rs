//! The limits that each side states in CONNECT or CONNACK.

use crate::protocol::{Connack, Connect, MAX_PACKET_SIZE, Properties, PropertyId, Publish, Qos, Version};

/// The limits of one side of a connection. The defaults apply to absent properties (MQTT 5.0, sections 3.1.2.11 and 3.2.2.3)
/// and to MQTT 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum of unacknowledged QoS 1 and 2 messages; 1 to 65,535.
    pub receive_maximum: u16,
    /// The largest packet in bytes, fixed header included.
    pub maximum_packet_size: u32,
    /// The largest topic alias; 0 for none.
    pub topic_alias_maximum: u16,
    /// The highest QoS of a PUBLISH.
    pub maximum_qos: Qos,
    /// Whether messages may be retained.
    pub retain_available: bool,
    /// Whether filters may contain wildcards.
    pub wildcard_subscription_available: bool,
    /// Whether subscriptions may have identifiers.
    pub subscription_identifier_available: bool,
    /// Whether subscriptions may be shared.
    pub shared_subscription_available: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            receive_maximum: u16::MAX,
            maximum_packet_size: MAX_PACKET_SIZE,
            topic_alias_maximum: 0,
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
        }
    }
}

impl Limits {
    /// The limits in a client's CONNECT.
    pub fn of_client(connect: &Connect<'_>) -> Limits {
        Limits::from_properties(connect.properties)
    }

    /// The limits in a server's CONNACK.
    pub fn of_server(connack: &Connack<'_>) -> Limits {
        Limits::from_properties(connack.properties)
    }

    /// Whether the peer accepts the message.
    pub fn accept(&self, publish: &Publish<'_>, version: Version) -> bool {
        publish.qos <= self.maximum_qos
            && (self.retain_available || !publish.retain)
            && publish.encoded_length(version).is_ok_and(|size| size <= self.maximum_packet_size as usize)
    }

    fn from_properties(properties: Properties<'_>) -> Limits {
        let mut limits = Limits::default();
        if properties.is_empty() {
            return limits;
        }
        let flag = |id| properties.number(id) != Some(0);
        if let Some(maximum) = properties.two_bytes(PropertyId::ReceiveMaximum) {
            limits.receive_maximum = maximum;
        }
        if let Some(maximum) = properties.number(PropertyId::MaximumPacketSize) {
            limits.maximum_packet_size = maximum.min(MAX_PACKET_SIZE);
        }
        if let Some(maximum) = properties.two_bytes(PropertyId::TopicAliasMaximum) {
            limits.topic_alias_maximum = maximum;
        }
        if let Some(qos) = properties.number(PropertyId::MaximumQos) {
            limits.maximum_qos = if qos == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
        }
        limits.retain_available = flag(PropertyId::RetainAvailable);
        limits.wildcard_subscription_available = flag(PropertyId::WildcardSubscriptionAvailable);
        limits.subscription_identifier_available = flag(PropertyId::SubscriptionIdentifierAvailable);
        limits.shared_subscription_available = flag(PropertyId::SharedSubscriptionAvailable);
        limits
    }
}
