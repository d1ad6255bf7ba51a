//! The message of a check, recognised when it comes back.

use crate::protocol::{Properties, Publish, Qos};

/// The message of one check. It is recognised by its payload: RabbitMQ and NATS deliver it under another topic if the topic has
/// a dot.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) topic: String,
    payload: String,
}

/// The level below which the retained message is.
pub(super) const RETAINED: &str = "retained";

impl Probe {
    /// `base` is the topic of the run; `name` has one or two levels.
    pub(super) fn new(base: &str, name: &str) -> Probe {
        Probe { topic: format!("{base}/{name}"), payload: format!("{}{name}", payload_prefix(base)) }
    }

    /// The retained message.
    pub(super) fn retained(base: &str) -> Probe {
        Probe::new(base, &format!("{RETAINED}/level"))
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether a payload is this message's.
    pub(super) fn matches(&self, payload: &[u8]) -> bool {
        payload == self.payload.as_bytes()
    }

    pub(super) fn message(&self, qos: Qos) -> Publish<'_> {
        Publish {
            dup: false,
            qos,
            retain: false,
            topic: &self.topic,
            packet_id: None,
            properties: Properties::EMPTY,
            payload: self.payload.as_bytes(),
        }
    }
}

/// The start of all payloads of a run.
pub(super) fn payload_prefix(base: &str) -> String {
    format!("mq doctor {} ", random_of(base))
}

/// The random last level of the topic of a run.
pub(super) fn random_of(base: &str) -> &str {
    base.rsplit('/').next().unwrap_or(base)
}
