//! The will of a bridge, its state for others, in `--check`: a broker may refuse the connection because of it.

use super::check_client::forgotten;
use crate::bridge::{Settings, Side, status};
use crate::client::{self, DISCONNECT_TIMEOUT, Options, disconnect, open};
use crate::protocol::{Disconnect, Qos, ReasonCode};

/// A broker does not accept a client with the will, which it accepts without.
pub(super) struct RefusedWill(client::Error);

/// Tries the will, as the bridge first sends it, at a broker that has accepted these options. The connection is short: one that
/// breaks publishes the will, as if the bridge had failed.
pub(super) async fn try_will(
    mut options: Options,
    settings: &Settings,
    side: Side,
) -> Result<(), RefusedWill> {
    let topic = match side {
        Side::Local => &settings.local_status,
        Side::Remote => &settings.remote_status,
    };
    let Some(topic) = topic else { return Ok(()) };
    options.will = Some(status::will(topic, Qos::AtLeastOnce, true));
    let (mut connection, _) = open(&options).await.map_err(RefusedWill)?;
    let forget = forgotten(&options);
    let last = Disconnect { reason_code: ReasonCode::SUCCESS, properties: forget.as_properties() };
    disconnect(&mut connection, options.version, &last, DISCONNECT_TIMEOUT).await;
    Ok(())
}

impl RefusedWill {
    /// Whether the bridge ends, instead of connecting with another will or none.
    pub(super) fn ends_bridge(&self) -> bool {
        self.instead().is_none()
    }

    /// How the bridge connects after this refusal.
    fn instead(&self) -> Option<&'static str> {
        let client::Error::Refused { reason, .. } = &self.0 else { return None };
        match *reason {
            ReasonCode::RETAIN_NOT_SUPPORTED => Some("the bridge sends it without RETAIN"),
            ReasonCode::QOS_NOT_SUPPORTED => Some("the bridge sends it at QoS 0"),
            ReasonCode::TOPIC_NAME_INVALID => Some("the bridge connects without it"),
            _ => None,
        }
    }

    /// The refusal as a sentence.
    pub(super) fn describe(&self, side: Side) -> String {
        let remedy = "set another notification topic, or turn notifications off";
        let (verb, refusal) = match &self.0 {
            client::Error::Refused { reason, details, .. } => ("refuses", format!("{reason}{details}")),
            error => ("did not accept", error.to_string()),
        };
        format!(
            "the {side} broker {verb} the will, which is the state of the bridge: {refusal}; {}",
            self.instead().unwrap_or(remedy)
        )
    }
}
