//! The will of a bridge, its state for others, in `--check`: a broker may refuse the connection because of it.

use crate::bridge::{Settings, Side};
use crate::client::{Details, WillOptions};
use crate::protocol::{PropertiesBuf, Qos, ReasonCode};

/// The payload of the state while the bridge is not connected.
const DISCONNECTED: &[u8] = b"0";

/// The refusal of a client with the will, which the broker accepts without it.
pub(super) struct RefusedWill {
    pub(super) reason: ReasonCode,
    pub(super) details: Details,
}

/// The will at a broker, as the bridge first sends it.
pub(super) fn will(settings: &Settings, side: Side) -> Option<WillOptions> {
    let topic = match side {
        Side::Local => &settings.local_status,
        Side::Remote => &settings.remote_status,
    };
    topic.as_ref().map(|topic| WillOptions {
        topic: topic.clone(),
        payload: DISCONNECTED.to_vec(),
        qos: Qos::AtLeastOnce,
        retain: true,
        properties: PropertiesBuf::new(),
    })
}

impl RefusedWill {
    /// Whether the bridge ends, instead of connecting with another will or none.
    pub(super) fn ends_bridge(&self) -> bool {
        self.instead().is_none()
    }

    /// How the bridge connects after this refusal.
    fn instead(&self) -> Option<&'static str> {
        match self.reason {
            ReasonCode::RETAIN_NOT_SUPPORTED => Some("the bridge sends it without RETAIN"),
            ReasonCode::QOS_NOT_SUPPORTED => Some("the bridge sends it at QoS 0"),
            ReasonCode::TOPIC_NAME_INVALID => Some("the bridge connects without it"),
            _ => None,
        }
    }

    /// The refusal as a sentence.
    pub(super) fn describe(&self, side: Side) -> String {
        let remedy = "set another notification topic, or turn notifications off";
        let (reason, details) = (self.reason, &self.details);
        format!(
            "the {side} broker refuses the will, which is the state of the bridge: {reason}{details}; {}",
            self.instead().unwrap_or(remedy)
        )
    }
}
