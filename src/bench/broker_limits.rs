//! The limits that a broker sets in CONNACK.

use crate::protocol::{Connack, PropertyId};
use serde::{Deserialize, Serialize};

/// The properties of a CONNACK of MQTT 5 that limit clients. A property that the broker did not send is `None`; the protocol
/// defines its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BrokerLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_maximum: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_packet_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_alias_maximum: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_qos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_available: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wildcard_subscription_available: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_subscription_available: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_identifier_available: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_keep_alive: Option<u16>,
}

impl BrokerLimits {
    /// The limits in a CONNACK of MQTT 5.
    pub(super) fn of(connack: &Connack<'_>) -> BrokerLimits {
        let properties = connack.properties;
        let number = |id| properties.number(id);
        let two_bytes = |id| properties.two_bytes(id);
        let flag = |id| number(id).map(|value| value != 0);
        BrokerLimits {
            receive_maximum: two_bytes(PropertyId::ReceiveMaximum),
            maximum_packet_size: number(PropertyId::MaximumPacketSize),
            topic_alias_maximum: two_bytes(PropertyId::TopicAliasMaximum),
            maximum_qos: number(PropertyId::MaximumQos).and_then(|qos| u8::try_from(qos).ok()),
            retain_available: flag(PropertyId::RetainAvailable),
            wildcard_subscription_available: flag(PropertyId::WildcardSubscriptionAvailable),
            shared_subscription_available: flag(PropertyId::SharedSubscriptionAvailable),
            subscription_identifier_available: flag(PropertyId::SubscriptionIdentifierAvailable),
            server_keep_alive: two_bytes(PropertyId::ServerKeepAlive),
        }
    }

    /// The limits that the broker sent, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let number = |name: &str, value: Option<u32>| Some(format!("{name} {}", value?));
        let flag = |name: &str, value: Option<bool>| match value? {
            true => Some(name.to_owned()),
            false => Some(format!("no {name}")),
        };
        let words = [
            number("receive maximum", self.receive_maximum.map(u32::from)),
            number("maximum packet size", self.maximum_packet_size),
            number("topic alias maximum", self.topic_alias_maximum.map(u32::from)),
            number("maximum QoS", self.maximum_qos.map(u32::from)),
            flag("retained messages", self.retain_available),
            flag("wildcard subscriptions", self.wildcard_subscription_available),
            flag("shared subscriptions", self.shared_subscription_available),
            flag("subscription identifiers", self.subscription_identifier_available),
            self.server_keep_alive.map(|seconds| format!("keep alive {seconds} s")),
        ];
        words.into_iter().flatten().collect()
    }
}
