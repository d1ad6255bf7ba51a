//! Messages of the aggregating gateway: those for its clients, and those of its clients.

use crate::gateway::key::Key;
use crate::protocol::session::{Acknowledgement, Outgoing};
use crate::protocol::{Properties, PropertyId, Publish, Qos};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The bytes counted for a message besides topic and payload.
const ENTRY_SIZE: usize = 64;

/// A message of the broker, which its receivers share.
#[derive(Debug)]
pub(super) struct Message {
    topic: Box<str>,
    payload: Box<[u8]>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) arrived: Instant,
    /// The time at which its message expiry interval is over.
    pub(super) expires: Option<Instant>,
}

impl Message {
    pub(super) fn new(publish: &Publish<'_>, arrived: Instant) -> Message {
        let Publish { topic, payload, qos, retain, properties, .. } = *publish;
        let interval = properties.number(PropertyId::MessageExpiryInterval);
        let expires = interval.map(|seconds| arrived + Duration::from_secs(seconds.into()));
        Message { topic: topic.into(), payload: payload.into(), qos, retain, arrived, expires }
    }

    pub(super) fn size(&self) -> usize {
        ENTRY_SIZE + self.topic.len() + self.payload.len()
    }

    /// Whether a datagram of this size may have room for it.
    pub(super) fn fits(&self, datagram_size: usize) -> bool {
        self.payload.len() <= datagram_size
    }
}

/// A message for one client.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) message: Rc<Message>,
    pub(super) qos: Qos,
}

impl Outgoing for Delivery {
    fn as_publish(&self) -> Publish<'_> {
        let Message { topic, payload, retain, .. } = &*self.message;
        plain(topic, payload, self.qos, *retain)
    }
}

/// The sender of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) key: Key,
    /// The number of its connection: a later one may use the same message id again.
    pub(super) connection: u64,
    pub(super) acknowledgement: Acknowledgement,
}

/// A message for the broker, kept until it is settled.
#[derive(Debug)]
pub(super) struct Forwarded {
    topic: Box<str>,
    payload: Box<[u8]>,
    qos: Qos,
    retain: bool,
    /// `None` for a will.
    pub(super) origin: Option<Origin>,
}

impl Forwarded {
    pub(super) fn new(publish: &Publish<'_>, origin: Option<Origin>) -> Forwarded {
        let Publish { topic, payload, qos, retain, .. } = *publish;
        Forwarded { topic: topic.into(), payload: payload.into(), qos, retain, origin }
    }

    pub(super) fn size(&self) -> usize {
        ENTRY_SIZE + self.topic.len() + self.payload.len()
    }

    /// Whether it takes no part in the broker's receive maximum.
    pub(super) fn is_unacknowledged(&self) -> bool {
        self.qos == Qos::AtMostOnce
    }
}

impl Outgoing for Rc<Forwarded> {
    fn as_publish(&self) -> Publish<'_> {
        plain(&self.topic, &self.payload, self.qos, self.retain)
    }
}

fn plain<'p>(topic: &'p str, payload: &'p [u8], qos: Qos, retain: bool) -> Publish<'p> {
    Publish { dup: false, qos, retain, topic, packet_id: None, properties: Properties::EMPTY, payload }
}
