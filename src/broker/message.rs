//! A message inside the broker: stored once, shared by all its receivers, and encoded for each of them.

use super::acl::Subject;
use super::budget::{Account, Budget, Charge};
use crate::protocol::session::Outgoing;
use crate::protocol::{
    Properties, PropertiesBuf, Property, PropertyId, PropertyValue, Publish, Qos, Version,
};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The cost of a queued message beyond its own bytes: allocations and the queue entry.
const OVERHEAD: usize = 128;

/// The cost of an entry in a subscriber's queue.
const PLACE: usize = 64;

/// The cost of a subscription identifier, in a queue and as a property.
const BYTES_OF_ID: usize = 9;

/// A message as it was published.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: Box<str>,
    pub(super) payload: Box<[u8]>,
    /// The properties that are forwarded unaltered.
    properties: PropertiesBuf,
    pub(super) qos: Qos,
    /// Its size in a bounded store, in bytes.
    pub(super) size: usize,
    /// The number of its routing: later messages have higher ones.
    pub(super) number: u64,
    /// The publisher of a retained message, if access rules apply.
    pub(super) publisher: Option<Rc<Subject>>,
    /// The time at which it expires.
    expires_at: Option<Instant>,
    /// The broker's budget, charged as long as the message exists.
    budget: Rc<Budget>,
}

impl Drop for Message {
    fn drop(&mut self) {
        self.budget.remove(self.size);
    }
}

impl Message {
    /// Copies a received message.
    pub(super) fn new(publish: &Publish<'_>, number: u64, now: Instant, budget: &Rc<Budget>) -> Message {
        let interval = publish.properties.number(PropertyId::MessageExpiryInterval);
        let size = OVERHEAD + publish.encoded_length(Version::V5).unwrap_or(0);
        budget.add(size);
        Message {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            properties: forwarded(publish.properties),
            qos: publish.qos,
            size,
            number,
            publisher: None,
            expires_at: interval.map(|seconds| now + Duration::from_secs(seconds.into())),
            budget: Rc::clone(budget),
        }
    }

    /// Notes the publisher, whose access is checked again when the retained message is delivered.
    pub(super) fn set_publisher(&mut self, publisher: &Rc<Subject>) {
        let cost = publisher.cost();
        self.budget.add(cost);
        self.size += cost;
        self.publisher = Some(Rc::clone(publisher));
    }

    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }

    pub(super) fn can_expire(&self) -> bool {
        self.expires_at.is_some()
    }

    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The properties that a server forwards: all except the alias, which belongs to one connection, the expiry interval, which it
/// recomputes, and the delay of a will.
fn forwarded(properties: Properties<'_>) -> PropertiesBuf {
    let is_own = |id| {
        matches!(
            id,
            PropertyId::TopicAlias | PropertyId::MessageExpiryInterval | PropertyId::WillDelayInterval
        )
    };
    let mut kept = PropertiesBuf::new();
    for property in properties.iter().filter(|property| !is_own(property.id)) {
        kept.push_checked(property);
    }
    kept
}

/// A shared subscription: its filter, with `$share` and the group.
#[derive(Debug)]
pub(super) struct Share(pub(super) Box<str>);

/// A message in one subscriber's queue.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) message: Rc<Message>,
    /// The identifiers of the subscriptions that it matched.
    pub(super) subscription_ids: Option<Rc<[u32]>>,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// The shared subscription whose member the subscriber is.
    pub(super) share: Option<Rc<Share>>,
}

/// A message in a queue, and its charge there.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) delivery: Delivery,
    charge: Charge,
}

impl Delivery {
    /// Charges it to the subscriber. `None` if that exceeds a budget.
    pub(super) fn charge_to(self, account: &Rc<Account>) -> Option<Queued> {
        let charge = account.hold_message(self.message.size, self.own_cost())?;
        Some(Queued { delivery: self, charge })
    }

    /// Whether it exceeds no budget of the subscriber.
    pub(super) fn fits(&self, account: &Account) -> bool {
        account.has_room_for(self.message.size, self.own_cost())
    }

    /// The memory that it takes besides the message, which its receivers share.
    fn own_cost(&self) -> usize {
        let ids = self.subscription_ids.as_ref().map_or(0, |ids| ids.len());
        // A single identifier is shared by all messages of its subscription; several become properties of this message.
        PLACE + if ids > 1 { ids * BYTES_OF_ID } else { 0 }
    }
}

impl Queued {
    /// Prepares it for sending. `None` if it has expired.
    pub(super) fn prepare(self, is_v5: bool, now: Instant) -> Option<Outbound> {
        let Queued { delivery, charge } = self;
        let properties = if is_v5 && (delivery.subscription_ids.is_some() || delivery.message.can_expire()) {
            delivery.add_properties(now)
        } else {
            None
        };
        if delivery.message.is_expired(now) {
            return None;
        }
        let Delivery { message, qos, retain, share, .. } = delivery;
        Some(Outbound { message, properties, qos, retain, share, charge })
    }
}

impl Delivery {
    fn add_properties(&self, now: Instant) -> Option<Rc<PropertiesBuf>> {
        let mut properties = self.message.properties.clone();
        let mut add =
            |id, number| properties.push_checked(Property { id, value: PropertyValue::Number(number) });
        if let Some(end) = self.message.expires_at {
            // Rounded up, so that a message forwarded immediately keeps its interval [MQTT-3.3.2-6].
            let left = end.saturating_duration_since(now).as_millis().div_ceil(1000);
            add(PropertyId::MessageExpiryInterval, u32::try_from(left).unwrap_or(u32::MAX));
        }
        for &id in self.subscription_ids.iter().flat_map(|ids| ids.iter()) {
            add(PropertyId::SubscriptionIdentifier, id);
        }
        Some(Rc::new(properties))
    }
}

/// A sent message, kept until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    message: Rc<Message>,
    /// Replaces the message's own properties if this subscriber gets more.
    properties: Option<Rc<PropertiesBuf>>,
    qos: Qos,
    retain: bool,
    share: Option<Rc<Share>>,
    /// Charged to the subscriber until the message is acknowledged.
    #[allow(dead_code)] // held for its drop
    charge: Charge,
}

impl Outbound {
    /// The message, if another member of its shared subscription can get it. At QoS 2, no other one may [MQTT-4.8.2-5].
    pub(super) fn for_others(&self) -> Option<(Rc<Share>, Rc<Message>)> {
        let share = self.share.as_ref().filter(|_| self.qos == Qos::AtLeastOnce)?;
        Some((Rc::clone(share), Rc::clone(&self.message)))
    }
}

impl Outgoing for Outbound {
    fn as_publish(&self) -> Publish<'_> {
        let properties = self.properties.as_deref().unwrap_or(&self.message.properties);
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.message.topic,
            packet_id: None,
            properties: properties.as_properties(),
            payload: &self.message.payload,
        }
    }
}
