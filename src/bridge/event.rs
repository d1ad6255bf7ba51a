//! The events of bridge connections.

use super::rule::Direction;
use super::settings::Side;
use crate::client;
use crate::protocol::{Qos, ReasonCode, Version};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// An event of one connection.
#[derive(Debug)]
pub(crate) struct Event {
    pub name: Rc<str>,
    pub kind: EventKind,
}

#[derive(Debug)]
pub(crate) enum EventKind {
    /// A broker accepted the connection.
    Connected {
        side: Side,
        address: String,
        version: Version,
        session_present: bool,
        /// Whether the broker knows the client as a bridge.
        is_private: bool,
    },
    /// A connection failed or ended. The next attempt follows after the pause.
    Lost {
        side: Side,
        error: client::Error,
        pause: Duration,
    },
    /// The broker rejects the protocol level of bridges, and is connected without it.
    NoPrivate {
        side: Side,
    },
    SubscriptionRefused {
        side: Side,
        filter: String,
        reason: ReasonCode,
    },
    /// The broker rejected the state of the bridge. Reported once.
    StatusRefused {
        side: Side,
        topic: String,
        reason: ReasonCode,
    },
    SubscriptionLowered {
        side: Side,
        filter: String,
        asked: Qos,
        granted: Qos,
    },
    /// The broker lost the session, and the messages that waited in it.
    SourceSessionLost {
        side: Side,
    },
    /// The broker lost the session. These messages are sent again and may be doubled.
    TargetSessionLost {
        side: Side,
        messages: usize,
    },
    /// The broker has forgotten messages that it had received, without PUBREL. They are sent again. Reported once per connection.
    TargetForgot {
        side: Side,
    },
    /// The first address of the broker works again. The connection to another one is left for it.
    FirstAddressWorks {
        side: Side,
        address: String,
    },
    /// The target does not support the QoS of the messages. Reported once per connection.
    QosLowered {
        direction: Direction,
        maximum: Qos,
    },
    /// The target refused a message because of its quota, and it is sent again. Reported once per connection.
    QuotaExceeded {
        side: Side,
    },
    /// The target does not retain messages. Reported once per connection.
    RetainCleared {
        direction: Direction,
    },
    /// Messages were dropped. `topic` is that of the first one, `count` their number since the previous report.
    Dropped {
        direction: Direction,
        reason: DropReason,
        topic: String,
        count: u64,
    },
    /// The broker did not acknowledge in time. [`EventKind::Lost`] follows.
    NoAcknowledgement {
        side: Side,
        timeout: Duration,
    },
    /// The connection ended for good.
    Failed {
        error: String,
    },
    /// The bridge stopped with messages in flight.
    Undelivered {
        direction: Direction,
        messages: usize,
    },
}

/// The reason why a message was not forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DropReason {
    QueueFull,
    TooLarge { size: usize, limit: u32 },
    Rejected(ReasonCode),
    InvalidTopic,
    Expired,
    TooOld,
    Looped,
    Unmatched,
}

/// The handler of all events.
pub(super) type Handler = Rc<RefCell<dyn FnMut(Event)>>;

/// Reports the events of one connection.
#[derive(Clone)]
pub(super) struct Reporter {
    name: Rc<str>,
    handler: Handler,
}

impl Reporter {
    pub(super) fn new(name: &str, handler: Handler) -> Reporter {
        Reporter { name: name.into(), handler }
    }

    pub(super) fn report(&self, kind: EventKind) {
        (self.handler.borrow_mut())(Event { name: Rc::clone(&self.name), kind });
    }
}
