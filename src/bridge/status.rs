//! What the status topic says: whether a bridge is connected to both brokers.

use crate::client::WillOptions;
use crate::protocol::{PropertiesBuf, Qos, ReasonCode};

const WORKS: &[u8] = b"1";
const FAILS: &[u8] = b"0";

/// The payload for a state.
pub(super) fn payload(works: bool) -> &'static [u8] {
    if works { WORKS } else { FAILS }
}

/// The will of a bridge, which tells that it fails, as far as the broker allows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Will {
    qos: Qos,
    retain: bool,
}

/// What a bridge changes after a refusal, so that another attempt can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concession {
    WithoutRetain,
    AtMostOnce,
    WithoutWill,
}

impl Will {
    /// The will as it is sent first.
    pub(crate) const FIRST: Will = Will { qos: Qos::AtLeastOnce, retain: true };

    pub(crate) fn options(self, topic: &str) -> WillOptions {
        let (Will { qos, retain }, properties) = (self, PropertiesBuf::new());
        WillOptions { topic: topic.to_owned(), payload: FAILS.to_vec(), qos, retain, properties }
    }

    /// Changes the will after a refusal for this reason; `None` if that would not help.
    pub(crate) fn concede(&mut self, reason: ReasonCode) -> Option<Concession> {
        match reason {
            ReasonCode::RETAIN_NOT_SUPPORTED if self.retain => {
                self.retain = false;
                Some(Concession::WithoutRetain)
            }
            ReasonCode::QOS_NOT_SUPPORTED if self.qos > Qos::AtMostOnce => {
                self.qos = Qos::AtMostOnce;
                Some(Concession::AtMostOnce)
            }
            // The only topic in CONNECT is that of the will (MQTT 5.0, section 3.2.2.2).
            ReasonCode::TOPIC_NAME_INVALID => Some(Concession::WithoutWill),
            _ => None,
        }
    }
}
