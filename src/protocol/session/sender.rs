//! Writes PUBLISH packets within the peer's limits, and replaces topics with aliases.

use super::Limits;
use super::alias::{Aliased, OutboundAliases};
use super::rare::Rare;
use crate::protocol::publish::Delivery;
use crate::protocol::{EncodeError, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos, Version};

/// The reason why a message cannot be sent on this connection. Nothing was written. The texts are those for users of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum PublishError {
    #[error("QoS {qos} exceeds the broker's maximum QoS of {maximum}")]
    QosNotSupported { qos: Qos, maximum: Qos },
    #[error("the broker does not retain messages")]
    RetainNotSupported,
    #[error("the packet of {size} bytes exceeds the broker's maximum packet size of {maximum} bytes")]
    PacketTooLarge { size: usize, maximum: u32 },
    #[error("topic alias {alias} exceeds the broker's topic alias maximum of {maximum}")]
    TopicAliasNotSupported { alias: u16, maximum: u16 },
    #[error("the broker's receive maximum is used up")]
    QuotaUsedUp,
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

#[derive(Debug)]
pub(super) struct Sender {
    pub(super) version: Version,
    pub(super) limits: Limits,
    pub(super) chooses_aliases: bool,
    aliases: Rare<OutboundAliases>,
}

impl Sender {
    pub(super) fn new(version: Version) -> Sender {
        Sender { version, limits: Limits::default(), chooses_aliases: false, aliases: Rare::default() }
    }

    /// Starts over on a new connection, which has no aliases yet.
    pub(super) fn restart(&mut self, version: Version, limits: Limits) {
        self.version = version;
        self.limits = limits;
        if let Some(aliases) = self.aliases.get_mut() {
            aliases.clear();
        }
    }

    /// The memory that the aliases take.
    pub(super) fn alias_bytes(&self) -> usize {
        self.aliases.get().map_or(0, OutboundAliases::bytes)
    }

    pub(super) fn write(
        &mut self,
        publish: &Publish<'_>,
        delivery: Delivery,
        out: &mut Vec<u8>,
    ) -> Result<(), PublishError> {
        if publish.qos > self.limits.maximum_qos {
            let maximum = self.limits.maximum_qos;
            return Err(PublishError::QosNotSupported { qos: publish.qos, maximum });
        }
        if publish.retain && !self.limits.retain_available {
            return Err(PublishError::RetainNotSupported);
        }
        if self.limits.topic_alias_maximum == 0 && publish.properties.is_empty() {
            return self.write_within_size(publish, delivery, out);
        }
        self.write_with_alias(publish, delivery, out)
    }

    fn write_with_alias(
        &mut self,
        publish: &Publish<'_>,
        delivery: Delivery,
        out: &mut Vec<u8>,
    ) -> Result<(), PublishError> {
        let maximum = self.limits.topic_alias_maximum;
        let chosen = publish.properties.two_bytes(PropertyId::TopicAlias);
        let aliased = match chosen {
            Some(alias) if alias > maximum => {
                return Err(PublishError::TopicAliasNotSupported { alias, maximum });
            }
            Some(alias) => self.aliases.used().set(alias, publish.topic),
            None if self.chooses_aliases => self.aliases.used().assign(publish.topic, maximum),
            None => Aliased::Plain,
        };
        let (topic, alias) = match aliased {
            Aliased::Plain => return self.write_within_size(publish, delivery, out),
            Aliased::Introduced(alias) => (publish.topic, alias),
            Aliased::Known(alias) => ("", alias),
        };
        let written = if chosen.is_some() {
            self.write_within_size(&Publish { topic, ..*publish }, delivery, out)
        } else {
            let properties = with_alias(publish, alias);
            let publish = Publish { topic, properties: properties.as_properties(), ..*publish };
            self.write_within_size(&publish, delivery, out)
        };
        if written.is_err() && matches!(aliased, Aliased::Introduced(_)) {
            self.aliases.used().forget(publish.topic);
        }
        if chosen.is_none() && matches!(written, Err(PublishError::PacketTooLarge { .. })) {
            // It may be the alias that exceeds the size, and the session chose it itself.
            return self.write_within_size(publish, delivery, out);
        }
        written
    }

    fn write_within_size(
        &self,
        publish: &Publish<'_>,
        delivery: Delivery,
        out: &mut Vec<u8>,
    ) -> Result<(), PublishError> {
        let before = out.len();
        publish.encode_for(delivery, self.version, out)?;
        let (size, maximum) = (out.len() - before, self.limits.maximum_packet_size);
        if size > maximum as usize {
            out.truncate(before);
            return Err(PublishError::PacketTooLarge { size, maximum });
        }
        Ok(())
    }
}

fn with_alias(publish: &Publish<'_>, alias: u16) -> PropertiesBuf {
    let mut properties = publish.properties.to_owned();
    let value = PropertyValue::Number(alias.into());
    properties.push_checked(crate::protocol::Property { id: PropertyId::TopicAlias, value });
    properties
}
