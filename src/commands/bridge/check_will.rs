//! The will of a bridge, its state for others, in `--check`: a broker may refuse the connection because of it.

use super::check_client::forgotten;
use crate::bridge::{Settings, Side, status};
use crate::client::{self, DISCONNECT_TIMEOUT, Options, disconnect, open};
use crate::protocol::{Disconnect, Qos, ReasonCode};

/// A broker does not accept a client with the will, which it accepts without.
pub(super) struct RefusedWill {
    error: client::Error,
    /// How the bridge connects after this refusal; `None` if it ends.
    instead: Option<&'static str>,
}

/// Tries the will, changed as the bridge changes it, at a broker that has accepted these options. The connections are short: one that
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
    let (mut qos, mut retain) = (Qos::AtLeastOnce, true);
    let mut first_refusal = None;
    loop {
        options.will = Some(status::will(topic, qos, retain));
        let Err(error) = connect(&options).await else { return first_refusal.map_or(Ok(()), Err) };
        let reason = match &error {
            client::Error::Refused { reason, .. } => Some(*reason),
            _ => None,
        };
        let instead = match reason {
            Some(ReasonCode::RETAIN_NOT_SUPPORTED) if retain => {
                retain = false;
                "the bridge sends it without RETAIN"
            }
            Some(ReasonCode::QOS_NOT_SUPPORTED) if qos > Qos::AtMostOnce => {
                qos = Qos::AtMostOnce;
                "the bridge sends it at QoS 0"
            }
            Some(ReasonCode::TOPIC_NAME_INVALID) => {
                let instead = Some("the bridge connects without it");
                return Err(RefusedWill { error, instead });
            }
            _ => return Err(RefusedWill { error, instead: None }),
        };
        first_refusal.get_or_insert(RefusedWill { error, instead: Some(instead) });
    }
}

/// Connects, and disconnects at once.
async fn connect(options: &Options) -> Result<(), client::Error> {
    let (mut connection, _) = open(options).await?;
    let forget = forgotten(options);
    let last = Disconnect { reason_code: ReasonCode::SUCCESS, properties: forget.as_properties() };
    disconnect(&mut connection, options.version, &last, DISCONNECT_TIMEOUT).await;
    Ok(())
}

impl RefusedWill {
    /// Whether the bridge ends, instead of connecting with another will or none.
    pub(super) fn ends_bridge(&self) -> bool {
        self.instead.is_none()
    }

    /// The refusal as a sentence.
    pub(super) fn describe(&self, side: Side) -> String {
        let remedy = "set another notification topic, or turn notifications off";
        let (verb, refusal) = match &self.error {
            client::Error::Refused { reason, details, .. } => ("refuses", format!("{reason}{details}")),
            error => ("did not accept", error.to_string()),
        };
        format!(
            "the {side} broker {verb} the will, which is the state of the bridge: {refusal}; {}",
            self.instead.unwrap_or(remedy)
        )
    }
}
