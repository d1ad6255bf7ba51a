//! The server features that a SUBSCRIBE requires (MQTT 5.0, sections 3.2.2.3.11 to 3.2.2.3.13).

use super::Limits;
use crate::protocol::topic::split_share;
use crate::protocol::{EncodeError, PropertyId, Subscribe};

/// The reason why SUBSCRIBE cannot be sent on this connection. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum SubscribeError {
    #[error("the server does not support wildcard subscriptions, as in {0}")]
    WildcardsNotSupported(String),
    #[error("the server does not support shared subscriptions, as in {0}")]
    SharedNotSupported(String),
    #[error("the server does not support subscription identifiers")]
    IdentifiersNotSupported,
    #[error("the packet of {size} bytes exceeds the server's maximum packet size of {maximum} bytes")]
    PacketTooLarge { size: usize, maximum: u32 },
    #[error("all packet identifiers are in use")]
    NoPacketId,
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

pub(super) fn check(subscribe: &Subscribe<'_>, server: &Limits) -> Result<(), SubscribeError> {
    let has_identifier = subscribe.properties.find(PropertyId::SubscriptionIdentifier).is_some();
    if has_identifier && !server.subscription_identifier_available {
        return Err(SubscribeError::IdentifiersNotSupported);
    }
    for subscription in &subscribe.subscriptions {
        let filter = subscription.filter;
        if !server.shared_subscription_available && matches!(split_share(filter), Ok(Some(_))) {
            return Err(SubscribeError::SharedNotSupported(filter.to_owned()));
        }
        if !server.wildcard_subscription_available && filter.contains(['+', '#']) {
            return Err(SubscribeError::WildcardsNotSupported(filter.to_owned()));
        }
    }
    Ok(())
}
