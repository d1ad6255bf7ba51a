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
    #[error("does not support {0}")]
    Version(Version),
    #[error("does not support QoS 2")]
    ExactlyOnce,
    #[error("accepts payloads of at most {maximum} bytes, not {size}")]
    Payload { size: usize, maximum: usize },
    #[error("accepts topics of at most {maximum} bytes, not {length}")]
    TopicLength { length: usize, maximum: usize },
    #[error("accepts at most {maximum} slashes in a topic, not {slashes}")]
    Slashes { slashes: usize, maximum: usize },
    #[error("does not allow topics that begin with $, except its own below $aws/")]
    Reserved,
    #[error("does not retain messages below $aws/")]
    RetainReserved,
    #[error("retains payloads of at most {maximum} bytes, not {size}")]
    RetainedPayload { size: usize, maximum: usize },
    #[error("does not support this topic; the topics of this client begin with {0}")]
    UnknownTopic(String),
    #[error("does not support this filter; the filters of this client are {0}")]
    UnknownFilter(String),
    #[error("accepts at most {maximum} subscriptions of a client, not {count}")]
    Subscriptions { count: usize, maximum: usize },
    #[error("does not support shared subscriptions")]
    SharedSubscription,
    #[error("does not support subscription identifiers")]
    SubscriptionIdentifier,
    #[error("accepts a keep alive of at most {maximum} s, not {seconds}")]
    KeepAlive { seconds: u16, maximum: u16 },
    #[error("accepts client identifiers of at most {maximum} bytes, not {length}")]
    ClientIdLength { length: usize, maximum: usize },
    #[error("needs a client identifier in MQTT 3.1.1")]
    NoClientId,
    #[error("does not support enhanced authentication")]
    AuthenticationMethod,
    #[error("accepts at most {maximum} bytes of authentication data, not {length}")]
    AuthenticationData { length: usize, maximum: usize },
    #[error("accepts at most {maximum} bytes of {id}, not {length}")]
    Property { id: PropertyId, length: usize, maximum: usize },
    #[error("accepts at most {maximum} bytes of user properties, not {length}")]
    UserProperties { length: usize, maximum: usize },
    #[error("rejects user properties in {0}")]
    UserProperty(&'static str),
    #[error("accepts a will delay interval of at most {maximum} s, not {seconds}")]
    WillDelay { seconds: u32, maximum: u32 },
}
