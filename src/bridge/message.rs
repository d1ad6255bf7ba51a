//! A message on its way through the bridge.

use super::event::DropReason;
use super::flow::Transmission;
use super::routes::Target;
use super::settings::RetainMode;
use crate::protocol::{
    EncodeError, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, Version,
};
use std::rc::Rc;
use std::time::Instant;

/// The name of the user property with the names of the bridges that a message passed.
const HOP_MARK: &str = "mq-bridge";

/// A message, and the topics to publish it to.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) targets: Rc<[Target]>,
    /// The QoS at the source.
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) arrived: Instant,
    /// The message expiry interval in seconds.
    expiry: Option<u32>,
    properties: PropertiesBuf,
    payload: Box<[u8]>,
}

/// The limits of the target that concern a single message.
#[derive(Debug, Clone, Copy)]
pub(super) struct MessageLimits {
    pub(super) version: Version,
    pub(super) maximum_packet_size: u32,
    pub(super) retain_available: bool,
}

impl Message {
    /// Copies a message from the source.
    pub(super) fn new(
        publish: &Publish<'_>,
        targets: Rc<[Target]>,
        retain: RetainMode,
        hop_mark: Option<&str>,
        now: Instant,
    ) -> Message {
        let retain = match retain {
            RetainMode::Keep => publish.retain,
            RetainMode::Clear => false,
            RetainMode::Set => true,
        };
        Message {
            targets,
            qos: publish.qos,
            retain,
            arrived: now,
            expiry: publish.properties.number(PropertyId::MessageExpiryInterval),
            properties: carried(publish.properties, hop_mark),
            payload: publish.payload.into(),
        }
    }

    /// The memory that it occupies.
    pub(super) fn size(&self) -> usize {
        size_of::<Message>()
            + self.payload.len()
            + self.properties.as_properties().encoded_length(Version::V5)
    }

    /// The topic of that number; empty if there is none.
    pub(super) fn topic(&self, target: usize) -> &str {
        self.targets.get(target).map_or("", |target| &target.topic)
    }

    /// The QoS that the rules ask for.
    pub(super) fn wanted_qos(&self, target: usize) -> Qos {
        self.targets.get(target).map_or(self.qos, |target| self.qos.min(target.qos))
    }

    /// Whether the message expiry interval has passed in the bridge.
    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.expiry.is_some_and(|expiry| self.waited(now) >= u64::from(expiry))
    }

    /// Appends PUBLISH for a copy.
    ///
    /// # Errors
    /// If the target does not take such a packet.
    pub(super) fn encode(
        &self,
        copy: &Transmission,
        limits: &MessageLimits,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), DropReason> {
        let remaining;
        let properties = match self.expiry.filter(|_| limits.version.is_v5() && self.waited(now) > 0) {
            Some(expiry) => {
                remaining = self.with_expiry(u64::from(expiry).saturating_sub(self.waited(now)));
                remaining.as_properties()
            }
            None => self.properties.as_properties(),
        };
        let publish = Publish {
            dup: copy.dup,
            qos: copy.qos,
            retain: self.retain && limits.retain_available,
            topic: self.topic(copy.target),
            packet_id: copy.packet_id,
            properties,
            payload: &self.payload,
        };
        let limit = limits.maximum_packet_size;
        let size = publish.encoded_length(limits.version).map_err(|_| DropReason::InvalidTopic)?;
        if size > limit as usize {
            return Err(DropReason::TooLarge { size, limit });
        }
        publish.encode(limits.version, out).map_err(|error| match error {
            EncodeError::PacketTooLarge { .. } => DropReason::TooLarge { size, limit },
            EncodeError::FieldTooLong { .. } => DropReason::InvalidTopic,
        })
    }

    /// The whole seconds since its arrival.
    fn waited(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.arrived).as_secs()
    }

    fn with_expiry(&self, seconds: u64) -> PropertiesBuf {
        let mut changed = PropertiesBuf::new();
        for mut property in self.properties.as_properties().iter() {
            if property.id == PropertyId::MessageExpiryInterval {
                property.value = PropertyValue::Number(u32::try_from(seconds).unwrap_or(u32::MAX));
            }
            changed.push_checked(property);
        }
        changed
    }
}

/// Whether a message has passed the bridge with that mark.
pub(super) fn has_passed(properties: Properties<'_>, hop_mark: &str) -> bool {
    let mark = PropertyValue::Pair(HOP_MARK, hop_mark);
    properties.iter().any(|property| property.id == PropertyId::UserProperty && property.value == mark)
}

/// The properties that are forwarded: all but those of the subscription and of the connection.
fn carried(properties: Properties<'_>, hop_mark: Option<&str>) -> PropertiesBuf {
    let is_bound = |id| matches!(id, PropertyId::SubscriptionIdentifier | PropertyId::TopicAlias);
    let mut carried = if properties.iter().any(|property| is_bound(property.id)) {
        let mut kept = PropertiesBuf::new();
        properties
            .iter()
            .filter(|property| !is_bound(property.id))
            .for_each(|property| kept.push_checked(property));
        kept
    } else {
        properties.to_owned()
    };
    if let Some(mark) = hop_mark {
        let added = carried.push(PropertyId::UserProperty, PropertyValue::Pair(HOP_MARK, mark));
        debug_assert!(added.is_ok(), "user properties may be repeated, and the name is short");
    }
    carried
}
