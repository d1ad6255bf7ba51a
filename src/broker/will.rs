//! A client's will, from CONNECT until it is published or discarded.

use super::budget::Charge;
use crate::protocol::{PropertiesBuf, PropertyId, Publish, Qos, Version, Will};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

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

/// Wills that are due, with their authors. All of them together have a share of work between two looks at the sockets, since many
/// clients can end at once.
#[derive(Debug)]
pub(super) struct DueWills<A> {
    waiting: VecDeque<(A, Box<PendingWill>)>,
    /// The rest of the share.
    left: usize,
    /// Notified when a part of the share was used.
    used: Rc<Notify>,
}

impl<A> DueWills<A> {
    pub(super) fn new(share: usize) -> DueWills<A> {
        DueWills { waiting: VecDeque::new(), left: share, used: Rc::default() }
    }

    pub(super) fn add(&mut self, author: A, will: Box<PendingWill>) {
        self.waiting.push_back((author, will));
    }

    /// The next will, if the share is not used up.
    pub(super) fn next(&mut self) -> Option<(A, Box<PendingWill>)> {
        if self.left == 0 { None } else { self.waiting.pop_front() }
    }

    pub(super) fn add_work(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
        self.used.notify_one();
    }

    /// Begins a new share.
    pub(super) fn renew(&mut self, share: usize) {
        self.left = share;
    }

    /// Resolves when a part of the share was used.
    pub(super) fn used(&self) -> Rc<Notify> {
        Rc::clone(&self.used)
    }
}
