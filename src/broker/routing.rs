//! The way of a message from its publisher into the queues of its subscribers, and the subscriptions that lay the way.
//!
//! A client gets a message once however many of its subscriptions match, at the highest QoS among them and with all their
//! identifiers; each shared subscription sends a copy of its own (MQTT 5.0, sections 3.3.4 and 4.8.2).

use super::client::{Client, Subscription};
use super::message::{Delivery, Message};
use super::outbox::Pushed;
use super::state::State;
use super::sys;
use super::topic_tree::{MAX_LEVELS, Match};
use crate::protocol::topic::split_share;
use crate::protocol::{
    PropertyId, Publish, Qos, ReasonCode, RetainHandling, Subscribe, Unsubscribe, Version,
};
use std::rc::Rc;
use std::time::Instant;

/// One client that is to get the message that is being routed.
pub(super) struct Target {
    client: Rc<Client>,
    qos: Qos,
    retain: bool,
    subscription_ids: Option<Rc<[u32]>>,
}

impl State {
    /// Puts a message into the queues of all its subscribers, and keeps it when it is to be retained. The publisher is made
    /// to wait where a subscriber is behind.
    ///
    /// Gives the reason code for the acknowledgement.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        publisher: Option<&Rc<Client>>,
        now: Instant,
    ) -> ReasonCode {
        if publisher.is_some() && publish.topic.starts_with(sys::PREFIX) {
            return ReasonCode::NOT_AUTHORIZED; // The broker's own topics are not for clients to write.
        }
        let mut targets = std::mem::take(&mut self.targets);
        self.find_targets(publish, publisher, &mut targets);
        let was_matched = !targets.is_empty();
        if was_matched || publish.retain {
            let message = Rc::new(Message::new(publish, now));
            if publish.retain && !self.retained.set(&message) {
                self.retained_refused += 1;
            }
            for target in targets.drain(..) {
                self.deliver(target, &message, publisher);
            }
        }
        self.targets = targets;
        if was_matched { ReasonCode::SUCCESS } else { ReasonCode::NO_MATCHING_SUBSCRIBERS }
    }

    fn find_targets(
        &mut self,
        publish: &Publish<'_>,
        publisher: Option<&Rc<Client>>,
        targets: &mut Vec<Target>,
    ) {
        self.routing += 1;
        let routing = self.routing;
        let is_publisher = |client: &Rc<Client>| publisher.is_some_and(|own| Rc::ptr_eq(own, client));
        self.tree.for_each_match(publish.topic, &mut |matched| match matched {
            Match::Single(subscription) => {
                if !(subscription.options.no_local && is_publisher(&subscription.client)) {
                    merge(targets, Target::new(subscription, publish), routing);
                }
            }
            Match::Shared(group) => {
                let is_ready = |member: &Subscription| member.client.is_ready();
                let is_able =
                    |member: &Subscription| member.client.is_connected() || publish.qos > Qos::AtMostOnce;
                targets.extend(group.pick(is_ready, is_able).map(|member| Target::new(member, publish)));
            }
        });
    }

    fn deliver(&mut self, target: Target, message: &Rc<Message>, publisher: Option<&Rc<Client>>) {
        let Target { client, qos, retain, subscription_ids } = target;
        // A session without connection keeps only what is to be acknowledged (MQTT 5.0, section 4.1).
        if qos == Qos::AtMostOnce && !client.is_connected() {
            return;
        }
        let delivery = Delivery { message: Rc::clone(message), subscription_ids, qos, retain };
        let pushed = client.outbox.borrow_mut().push(delivery, self.bounds());
        match (pushed, publisher) {
            (Pushed::Queued, _) | (Pushed::Pressed, None) => {}
            (Pushed::Pressed, Some(publisher)) => self.hold_back(publisher, &client),
            (Pushed::Dropped, _) => self.note_drops(&client, 1),
        }
        client.signal();
    }

    /// Makes a publisher wait until a subscriber has caught up, unless the subscriber itself could then never do so.
    ///
    /// A client that waits reads no acknowledgements, so nobody may wait for it: that keeps waiting free of cycles. For its
    /// own messages a client waits as long as they need no acknowledgement to go out.
    fn hold_back(&mut self, publisher: &Rc<Client>, subscriber: &Rc<Client>) {
        let (held, link) = (publisher.link.borrow(), subscriber.link.borrow());
        let (Some(held), Some(link)) = (&*held, &*link) else {
            return;
        };
        let mut outbox = subscriber.outbox.borrow_mut();
        let can_catch_up = if Rc::ptr_eq(publisher, subscriber) {
            !outbox.needs_acknowledgement()
        } else {
            !link.is_paused()
        };
        if !can_catch_up || outbox.is_stalled() {
            return;
        }
        if outbox.hold_back(held) {
            self.watched.push(Rc::clone(subscriber));
        }
    }

    /// Counts messages that a client did not get.
    pub(super) fn note_drops(&mut self, client: &Rc<Client>, count: u64) {
        self.report.messages_dropped += count;
        if count > 0 && client.outbox.borrow_mut().note_drops(count) {
            self.dropping.push(Rc::clone(client));
        }
    }

    /// Takes a SUBSCRIBE and queues the retained messages that it asks for. Gives the reason codes for SUBACK.
    pub(super) fn subscribe(
        &mut self,
        client: &Rc<Client>,
        subscribe: &Subscribe<'_>,
        version: Version,
        now: Instant,
    ) -> Vec<u8> {
        let id = subscribe.properties.number(PropertyId::SubscriptionIdentifier);
        let id: Option<Rc<[u32]>> = id.map(|id| Rc::from([id]));
        let codes = subscribe.subscriptions.iter().map(|wanted| {
            let mut options = wanted.options;
            // A bridge must not get back what it brought; it cannot say so before MQTT 5.
            options.no_local |= client.is_bridge.get();
            let subscription = Subscription { client: Rc::clone(client), options, id: id.clone() };
            match self.add_subscription(wanted.filter, subscription, now) {
                Ok(()) => options.maximum_qos as u8,
                Err(reason_code) if version.is_v5() => reason_code.0,
                Err(_) => ReasonCode::UNSPECIFIED_ERROR.0, // MQTT 3.1.1 knows no other failure.
            }
        });
        codes.collect()
    }

    fn add_subscription(
        &mut self,
        filter: &str,
        subscription: Subscription,
        now: Instant,
    ) -> Result<(), ReasonCode> {
        let client = Rc::clone(&subscription.client);
        if filter.split('/').count() > MAX_LEVELS {
            return Err(ReasonCode::TOPIC_FILTER_INVALID);
        }
        let mut filters = client.subscriptions.borrow_mut();
        if filters.len() >= self.config.subscriptions && !filters.contains(filter) {
            return Err(ReasonCode::QUOTA_EXCEEDED);
        }
        let is_new = filters.insert(filter.into());
        let wants_retained = match subscription.options.retain_handling {
            RetainHandling::Always => true,
            RetainHandling::New => is_new,
            RetainHandling::Never => false,
        };
        let (id, maximum_qos) = (subscription.id.clone(), subscription.options.maximum_qos);
        self.tree.subscribe(filter, client.key, subscription);
        if wants_retained && matches!(split_share(filter), Ok(None)) {
            self.queue_retained(filter, &client, maximum_qos, id.as_ref(), now);
        }
        Ok(())
    }

    /// Queues the retained messages of a new subscription. They come on top of the queue's bound: they are shared with the
    /// store, which has a bound of its own, and the subscriber cannot take them in smaller portions.
    fn queue_retained(
        &mut self,
        filter: &str,
        client: &Rc<Client>,
        maximum_qos: Qos,
        id: Option<&Rc<[u32]>>,
        now: Instant,
    ) {
        let own = if filter.starts_with(sys::PREFIX) { self.sys_messages(filter, now) } else { Vec::new() };
        let mut bounds = self.bounds();
        bounds.messages += self.retained.len();
        bounds.bytes += self.retained.bytes();
        let mut dropped = 0;
        for message in self.retained.matching(filter, now).chain(&own) {
            let delivery = Delivery {
                message: Rc::clone(message),
                subscription_ids: id.cloned(),
                qos: message.qos.min(maximum_qos),
                retain: true,
            };
            let pushed = client.outbox.borrow_mut().push(delivery, bounds);
            dropped += u64::from(pushed == Pushed::Dropped);
        }
        self.note_drops(client, dropped);
    }

    fn sys_messages(&self, filter: &str, now: Instant) -> Vec<Rc<Message>> {
        let values = sys::values(self, now).into_iter();
        values
            .filter(|(topic, _)| crate::protocol::topic::matches(filter, topic))
            .map(|(topic, value)| Rc::new(Message::new(&sys::as_publish(topic, &value), now)))
            .collect()
    }

    /// Takes an UNSUBSCRIBE. Gives the reason codes for UNSUBACK.
    pub(super) fn unsubscribe(&mut self, client: &Client, unsubscribe: &Unsubscribe<'_>) -> Vec<u8> {
        let mut filters = client.subscriptions.borrow_mut();
        let codes = unsubscribe.filters.iter().map(|filter| {
            filters.remove(*filter);
            match self.tree.unsubscribe(filter, client.key) {
                Some(_) => ReasonCode::SUCCESS.0,
                None => ReasonCode::NO_SUBSCRIPTION_EXISTED.0,
            }
        });
        codes.collect()
    }
}

impl Target {
    fn new(subscription: &Subscription, publish: &Publish<'_>) -> Target {
        Target {
            client: Rc::clone(&subscription.client),
            qos: publish.qos.min(subscription.options.maximum_qos),
            retain: publish.retain && subscription.options.retain_as_published,
            subscription_ids: subscription.id.clone(),
        }
    }
}

/// Adds a target, or joins it with the one that its client has already in this routing.
fn merge(targets: &mut Vec<Target>, target: Target, routing: u64) {
    let (number, place) = target.client.routed.get();
    let earlier = if number == routing { targets.get_mut(place) } else { None };
    let Some(earlier) = earlier else {
        target.client.routed.set((routing, targets.len()));
        return targets.push(target);
    };
    earlier.qos = earlier.qos.max(target.qos);
    earlier.retain |= target.retain;
    earlier.subscription_ids = match (earlier.subscription_ids.take(), target.subscription_ids) {
        (Some(ids), Some(more)) => Some(ids.iter().chain(more.iter()).copied().collect()),
        (ids, more) => ids.or(more),
    };
}
