//! Reasons for which a service would reject a packet, as the end of a sentence that begins with its name.

use super::Service;
use crate::protocol::{PropertyId, Version};

/// The reason for which a service would reject a packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} {problem}")]
pub(crate) struct Violation {
    pub(super) service: Service,
    pub(super) problem: Problem,
}

impl Violation {
    /// Whether the client has no identifier, and needs one.
    pub(crate) fn is_missing_client_id(&self) -> bool {
        self.problem == Problem::NoClientId
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("does not speak {0}")]
    Version(Version),
    #[error("has no QoS 2")]
    ExactlyOnce,
    #[error("takes {maximum} bytes of payload at most, not {size}")]
    Payload { size: usize, maximum: usize },
    #[error("takes topics of {maximum} bytes at most, not {length}")]
    TopicLength { length: usize, maximum: usize },
    #[error("takes {maximum} slashes in a topic at most, not {slashes}")]
    Slashes { slashes: usize, maximum: usize },
    #[error("has no topics that begin with $, but for its own below $aws/")]
    Reserved,
    #[error("keeps no messages below $aws/")]
    RetainReserved,
    #[error("keeps {maximum} bytes of payload at most, not {size}")]
    RetainedPayload { size: usize, maximum: usize },
    #[error("knows no such topic; those of this client begin with {0}")]
    UnknownTopic(String),
    #[error("knows no such filter; those of this client are {0}")]
    UnknownFilter(String),
    #[error("takes {maximum} subscriptions of a client at most, not {count}")]
    Subscriptions { count: usize, maximum: usize },
    #[error("has no shared subscriptions")]
    SharedSubscription,
    #[error("has no subscription identifiers")]
    SubscriptionIdentifier,
    #[error("takes a keep alive of {maximum} s at most, not {seconds}")]
    KeepAlive { seconds: u16, maximum: u16 },
    #[error("takes client identifiers of {maximum} bytes at most, not {length}")]
    ClientIdLength { length: usize, maximum: usize },
    #[error("needs a client identifier in MQTT 3.1.1")]
    NoClientId,
    #[error("has no authentication method of MQTT 5")]
    AuthenticationMethod,
    #[error("takes {maximum} bytes of authentication data at most, not {length}")]
    AuthenticationData { length: usize, maximum: usize },
    #[error("takes {maximum} bytes of {id} at most, not {length}")]
    Property { id: PropertyId, length: usize, maximum: usize },
    #[error("takes {maximum} bytes of user properties at most, not {length}")]
    UserProperties { length: usize, maximum: usize },
    #[error("refuses user properties in {0}")]
    UserProperty(&'static str),
    #[error("takes a will delay interval of {maximum} s at most, not {seconds}")]
    WillDelay { seconds: u32, maximum: u32 },
}
