//! The will of a bridge, its state for others, in `--check`: a broker may refuse the connection because of it.

use super::check_client::forgotten;
use crate::bridge::status::{Concession, Will};
use crate::bridge::{Settings, Side};
use crate::client::{self, DISCONNECT_TIMEOUT, Options, disconnect, open};
use crate::protocol::{Disconnect, ReasonCode};

/// A broker does not accept a client with the will, which it accepts without.
pub(super) struct RefusedWill {
    error: client::Error,
    /// What the bridge changes then; `None` if it ends.
    concession: Option<Concession>,
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
    let mut will = Will::FIRST;
    let mut first_refusal = None;
    loop {
        options.will = Some(will.options(topic));
        let Err(error) = connect(&options).await else { return first_refusal.map_or(Ok(()), Err) };
        let concession = match &error {
            client::Error::Refused { reason, .. } => will.concede(*reason),
            _ => None,
        };
        let refusal = RefusedWill { error, concession };
        if matches!(concession, None | Some(Concession::WithoutWill)) {
            return Err(refusal);
        }
        first_refusal.get_or_insert(refusal);
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
        self.concession.is_none()
    }

    /// The refusal as a sentence.
    pub(super) fn describe(&self, side: Side) -> String {
        let consequence = match self.concession {
            Some(Concession::WithoutRetain) => "the bridge sends it without RETAIN",
            Some(Concession::AtMostOnce) => "the bridge sends it at QoS 0",
            Some(Concession::WithoutWill) => "the bridge connects without it",
            None => "set another notification topic, or turn notifications off",
        };
        let (verb, refusal) = match &self.error {
            client::Error::Refused { code, details, .. } => ("refuses", format!("{code}{details}")),
            error => ("did not accept", error.to_string()),
        };
        format!(
            "the {side} broker {verb} the will, which is the state of the bridge: {refusal}; {consequence}"
        )
    }
}
