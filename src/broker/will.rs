//! A client's will, from CONNECT until it is published or discarded.

use super::budget::Charge;
use crate::protocol::{PropertiesBuf, PropertyId, Publish, Qos, Version, Will};
use std::time::Duration;

/// The cost of a will beyond its own bytes.
const OVERHEAD: usize = 128;

/// The will of a connected client. Its expiry interval starts when it is published, so the properties are kept as received.
#[derive(Debug)]
pub(super) struct PendingWill {
    topic: Box<str>,
    payload: Box<[u8]>,
    properties: PropertiesBuf,
    qos: Qos,
    retain: bool,
    #[allow(dead_code)] // held for its drop
    charge: Charge,
}

impl PendingWill {
    pub(super) fn new(will: &Will<'_>, charge: Charge) -> PendingWill {
        PendingWill {
            topic: will.topic.into(),
            payload: will.payload.into(),
            properties: will.properties.to_owned(),
            qos: will.qos,
            retain: will.retain,
            charge,
        }
    }

    /// The cost of a will until it is published.
    pub(super) fn cost(will: &Will<'_>) -> usize {
        OVERHEAD + will.topic.len() + will.payload.len() + will.properties.encoded_length(Version::V5)
    }

    /// The time for the client to reconnect before the will is published.
    pub(super) fn delay(&self) -> Duration {
        let seconds = self.properties.as_properties().number(PropertyId::WillDelayInterval);
        Duration::from_secs(seconds.unwrap_or(0).into())
    }

    /// The will as a PUBLISH. Routing leaves out the properties that only a will has.
    pub(super) fn as_publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload: &self.payload,
        }
    }
}
