//! Routes messages from publishers into the queues of subscribers, and manages subscriptions.
//!
//! A client gets a message once even if several of its subscriptions match, at the highest QoS among them and with all their
//! identifiers; each shared subscription sends its own copy (MQTT 5.0, sections 3.3.4 and 4.8.2).

use super::acl::Intent;
use super::client::{Client, Scan, Subscription};
use super::excess::Excess;
use super::message::{Delivery, Message, Share};
use super::outbox::Pushed;
use super::own_topics;
use super::retained::{Cursor, Step};
use super::state::State;
use super::sys;
use super::target::{Ids, Target, merge};
use super::timers::Deadline;
use super::topic_tree::{MAX_LEVELS, Match};
use crate::protocol::topic::{self, split_share};
use crate::protocol::{Publish, Qos, ReasonCode, RetainHandling, SubscriptionOptions, Version};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

/// The cost of a subscription beyond its filter's bytes, which are stored twice.
const SUBSCRIPTION_COST: usize = 448;

/// The cost of a filter's level in the topic tree.
const LEVEL_COST: usize = 96;

/// The cost of an unfinished look-up of retained messages.
const SCAN_COST: usize = 256;

/// The work of one step in the store of retained messages.
const STEP_WORK: usize = 40;

/// The work of computing the `$SYS` topics.
const OWN_TOPICS_WORK: usize = 200;

/// The clients that may not receive the message that is being routed.
#[derive(Default)]
struct Withheld {
    count: u64,
    /// The clients for which this is the first denial.
    unreported: Vec<Rc<Client>>,
}

impl Withheld {
    /// Adds a client, once for all its matching subscriptions.
    fn add(&mut self, client: &Rc<Client>, routing: u64) {
        if client.withheld.replace(routing) == routing {
            return;
        }
        self.count += 1;
        if client.note_denial(Intent::Read) {
            self.unreported.push(Rc::clone(client));
        }
    }
}

impl State {
    /// Puts a message into the queues of all its subscribers, and stores it if it has RETAIN. The publisher waits if a
    /// subscriber has fallen behind.
    ///
    /// Returns the reason code for the acknowledgement.
    pub(super) fn publish(
        &mut self,
        publish: &Publish<'_>,
        publisher: Option<&Rc<Client>>,
        now: Instant,
    ) -> ReasonCode {
        if publisher.is_some_and(|publisher| !self.may_publish(publisher, publish.topic, now)) {
            return ReasonCode::NOT_AUTHORIZED;
        }
        self.route(publish, publisher, publisher.map(Rc::as_ref), now)
    }

    /// Routes a message that the access rules allow its author to publish. The publisher, who may have to wait, is `None` for a will.
    pub(super) fn route(
        &mut self,
        publish: &Publish<'_>,
        publisher: Option<&Rc<Client>>,
        author: Option<&Client>,
        now: Instant,
    ) -> ReasonCode {
        let mut targets = std::mem::take(&mut self.targets);
        self.find_targets(publish, publisher, &mut targets, now);
        let was_matched = !targets.is_empty();
        if was_matched || publish.retain {
            let mut message = Message::new(publish, self.routing, now, &self.budget);
            if let Some(author) = author.filter(|_| publish.retain && self.acl.is_some()) {
                message.set_publisher(&author.subject.borrow());
            }
            let message = Rc::new(message);
            if publish.retain
                && let Err(excess) = self.retain(&message)
            {
                self.note_not_retained(excess);
            }
            self.work += targets.len() * 2;
            for target in targets.drain(..) {
                self.deliver(target, &message, publisher, now);
            }
        }
        self.targets = targets;
        if was_matched { ReasonCode::SUCCESS } else { ReasonCode::NO_MATCHING_SUBSCRIBERS }
    }

    fn retain(&mut self, message: &Rc<Message>) -> Result<(), Excess> {
        // An empty message frees memory.
        if !message.payload.is_empty() && self.budget.used() > self.budget.limit() {
            return Err(Excess::Memory(self.config.memory));
        }
        self.retained.set(message)
    }

    fn find_targets(
        &mut self,
        publish: &Publish<'_>,
        publisher: Option<&Rc<Client>>,
        targets: &mut Vec<Target>,
        now: Instant,
    ) {
        self.routing += 1;
        let routing = self.routing;
        let is_publisher = |client: &Rc<Client>| publisher.is_some_and(|own| Rc::ptr_eq(own, client));
        let acl = self.acl.as_deref();
        let work = Cell::new(0);
        let may_read = |client: &Client| {
            let Some(acl) = acl else { return true };
            // Several of a client's subscriptions can match, but the decision is the same.
            if let (number, may_read) = client.decided.get()
                && number == routing
            {
                return may_read;
            }
            work.set(work.get() + acl.work());
            let may_read = acl.allows(&client.subject.borrow(), publish.topic, Intent::Read);
            client.decided.set((routing, may_read));
            may_read
        };
        let mut withheld = Withheld::default();
        let visited = self.tree.for_each_match(publish.topic, &mut |matched| match matched {
            Match::Single(subscription) => {
                let client = &subscription.client;
                let is_left_out =
                    subscription.options.no_local && is_publisher(client) || client.is_ended.get();
                if is_left_out {
                    return;
                }
                if may_read(client) {
                    merge(targets, Target::new(subscription, publish), routing);
                } else {
                    withheld.add(client, routing);
                }
            }
            Match::Shared(group) => {
                let is_ready = |member: &Subscription| {
                    work.set(work.get() + 1);
                    member.client.is_ready() && may_read(&member.client)
                };
                let is_able = |member: &Subscription| {
                    work.set(work.get() + 1);
                    !member.client.is_ended.get()
                        && (member.client.is_connected() || publish.qos > Qos::AtMostOnce)
                        && may_read(&member.client)
                };
                targets.extend(group.pick(is_ready, is_able).map(|member| Target::new(member, publish)));
            }
        });
        self.work += visited + work.get();
        self.report.messages_withheld += withheld.count;
        for client in withheld.unreported {
            self.report_denial(&client, publish.topic, (Intent::Read, true), now);
        }
    }

    fn deliver(
        &mut self,
        target: Target,
        message: &Rc<Message>,
        publisher: Option<&Rc<Client>>,
        now: Instant,
    ) {
        let Target { client, qos, retain, subscription_ids, share } = target;
        // A session without connection keeps only messages of QoS 1 and 2 (MQTT 5.0, section 4.1).
        if qos == Qos::AtMostOnce && !client.is_connected() {
            return;
        }
        let subscription_ids = subscription_ids.into_shared();
        let delivery = Delivery { message: Rc::clone(message), subscription_ids, qos, retain, share };
        let pushed = self.queue(&client, delivery, now);
        match (pushed, publisher) {
            (Pushed::Queued, _) | (Pushed::Pressed, None) => {}
            (Pushed::Pressed, Some(publisher)) => self.hold_back(publisher, &client),
            (Pushed::Dropped(excess), _) => self.note_drops(&client, 1, excess),
        }
        client.signal();
    }

    /// Gives a message of a member whose session has ended to another member of the shared subscription (MQTT 5.0, section 4.8.2).
    pub(super) fn pass_on(&mut self, share: &Share, message: &Rc<Message>, now: Instant) {
        let (acl, work) = (self.acl.as_deref(), Cell::new(1));
        let may_read = |client: &Client| {
            let Some(acl) = acl else { return true };
            work.set(work.get() + acl.work());
            acl.allows(&client.subject.borrow(), &message.topic, Intent::Read)
        };
        let is_able = |member: &Subscription| !member.client.is_ended.get() && may_read(&member.client);
        let is_ready = |member: &Subscription| member.client.is_ready() && may_read(&member.client);
        let member = self.tree.group(&share.0).and_then(|group| group.pick(is_ready, is_able));
        let target = member.map(|member| Target {
            client: Rc::clone(&member.client),
            qos: message.qos.min(member.options.maximum_qos),
            retain: false,
            subscription_ids: member.id.clone().map_or(Ids::None, Ids::One),
            share: member.share.clone(),
        });
        self.work += work.get();
        if let Some(target) = target {
            self.deliver(target, message, None, now);
        }
    }

    /// Puts a message into a client's queue. Expired ones make room for it.
    fn queue(&mut self, client: &Rc<Client>, delivery: Delivery, now: Instant) -> Pushed {
        if client.outbox.borrow().refuses(&delivery) {
            self.remove_expired(client, now);
        }
        if let Some(expiry) = delivery.message.expires_at() {
            self.timers.set_earlier(client, Deadline::MessageExpiry, expiry);
        }
        client.outbox.borrow_mut().push(delivery)
    }

    /// Makes a publisher wait until a subscriber has caught up, unless the subscriber could not catch up then.
    ///
    /// A waiting client reads no acknowledgements, so no other client may wait for it: that prevents cycles. A client may wait for
    /// its own messages as long as they can be sent without acknowledgements.
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

    /// Counts messages dropped for a client.
    pub(super) fn note_drops(&mut self, client: &Rc<Client>, count: u64, excess: Excess) {
        self.report.messages_dropped += count;
        if count > 0 && client.outbox.borrow_mut().note_drops(count, excess) {
            self.dropping.push(Rc::clone(client));
        }
    }

    /// Adds the subscriptions of one SUBSCRIBE, and notes the retained messages they request. Appends the reason codes for
    /// SUBACK.
    pub(super) fn subscribe(
        &mut self,
        client: &Rc<Client>,
        subscriptions: &[crate::protocol::Subscription<'_>],
        id: Option<u32>,
        version: Version,
        codes: &mut Vec<u8>,
    ) {
        let id: Option<Rc<[u32]>> = id.map(|id| Rc::from([id]));
        for wanted in subscriptions {
            let mut options = wanted.options;
            // Before MQTT 5, a bridge cannot set the options that it needs: without its own messages, and RETAIN as published.
            options.no_local |= client.is_bridge.get();
            options.retain_as_published |= client.is_bridge.get();
            codes.push(match self.add_subscription(client, wanted.filter, options, id.clone()) {
                Ok(()) => options.maximum_qos as u8,
                Err(reason_code) if version.is_v5() => reason_code.0,
                Err(_) => ReasonCode::UNSPECIFIED_ERROR.0, // The only failure code of MQTT 3.1.1.
            });
        }
    }

    fn add_subscription(
        &mut self,
        client: &Rc<Client>,
        filter: &str,
        options: SubscriptionOptions,
        id: Option<Rc<[u32]>>,
    ) -> Result<(), ReasonCode> {
        let levels = filter.split('/').count();
        self.work += 4 + levels;
        if levels > MAX_LEVELS {
            return Err(ReasonCode::TOPIC_FILTER_INVALID);
        }
        let mut filters = client.subscriptions.borrow_mut();
        let is_new = !filters.contains(filter);
        let cost = SUBSCRIPTION_COST + 2 * filter.len() + levels * LEVEL_COST;
        let most = self.config.subscriptions;
        let charge = match client.account.hold(cost) {
            None => Err(client.account.excess(cost, cost)),
            Some(_) if is_new && filters.len() >= most => Err(Excess::Subscriptions(most)),
            Some(charge) => Ok(charge),
        };
        let charge = charge.map_err(|excess| {
            self.note_exceeded(client, excess);
            ReasonCode::QUOTA_EXCEEDED
        })?;
        let wants_retained = match options.retain_handling {
            RetainHandling::Always => true,
            RetainHandling::New => is_new,
            RetainHandling::Never => false,
        };
        if wants_retained && matches!(split_share(filter), Ok(None)) {
            let cost = SCAN_COST + 2 * filter.len();
            let Some(charge) = client.account.hold(cost) else {
                self.note_exceeded(client, client.account.excess(cost, cost));
                return Err(ReasonCode::QUOTA_EXCEEDED);
            };
            client.scans.borrow_mut().push_back(Scan {
                filter: filter.into(),
                cursor: Cursor::of(filter),
                maximum_qos: options.maximum_qos,
                id: id.clone(),
                last_number: self.routing,
                wants_own: filter.starts_with(own_topics::PREFIX),
                charge,
            });
        }
        filters.insert(filter.into());
        let is_shared = matches!(split_share(filter), Ok(Some(_)));
        let share = is_shared.then(|| Rc::new(Share(filter.into())));
        let subscription = Subscription { client: Rc::clone(client), options, id, share, charge };
        self.tree.subscribe(filter, client.key, subscription);
        Ok(())
    }

    /// Queues retained messages of new subscriptions, as far as the queue has room and the work is within `limit`. Retained
    /// messages wait in their store, so any number of subscriptions may match all of them.
    ///
    /// Returns true if there is more to do now.
    pub(super) fn scan_retained(&mut self, client: &Rc<Client>, limit: usize, now: Instant) -> bool {
        let mut scans = client.scans.borrow_mut();
        let limit = self.work + limit;
        while let Some(scan) = scans.front_mut() {
            if self.work >= limit || !client.outbox.borrow().has_room() {
                break;
            }
            if std::mem::take(&mut scan.wants_own) {
                self.work += OWN_TOPICS_WORK;
                for message in self.sys_messages(&scan.filter, now) {
                    self.queue_retained(client, scan, message, now);
                }
            }
            self.work += STEP_WORK;
            match self.retained.step(&scan.filter, &mut scan.cursor, now) {
                Step::Passed => {}
                Step::Found(message) => {
                    let message = Rc::clone(message);
                    if message.number <= scan.last_number {
                        self.queue_retained(client, scan, message, now);
                    }
                }
                Step::Done => drop(scans.pop_front()),
            }
        }
        if scans.is_empty() {
            *scans = VecDeque::new();
            return false;
        }
        client.outbox.borrow().has_room()
    }

    fn queue_retained(&mut self, client: &Rc<Client>, scan: &Scan, message: Rc<Message>, now: Instant) {
        if !self.may_receive(client, &message, true, now) {
            return;
        }
        let qos = message.qos.min(scan.maximum_qos);
        let subscription_ids = scan.id.clone();
        let delivery = Delivery { message, subscription_ids, qos, retain: true, share: None };
        let pushed = self.queue(client, delivery, now);
        if let Pushed::Dropped(excess) = pushed {
            self.note_drops(client, 1, excess);
        }
    }

    fn sys_messages(&self, filter: &str, now: Instant) -> Vec<Rc<Message>> {
        let values = sys::values(&self.figures(now)).into_iter();
        values
            .filter(|(name, _)| topic::matches(filter, name))
            .map(|(name, value)| Rc::new(Message::new(&sys::as_publish(name, &value), 0, now, &self.budget)))
            .collect()
    }

    /// Removes subscriptions. Appends the reason codes for UNSUBACK.
    pub(super) fn unsubscribe(&mut self, client: &Client, filters: &[&str], codes: &mut Vec<u8>) {
        let mut known = client.subscriptions.borrow_mut();
        let mut scans = client.scans.borrow_mut();
        for filter in filters {
            self.work += 4 + filter.len() / 8;
            known.remove(*filter);
            if !scans.is_empty() {
                self.work += scans.len();
                scans.retain(|scan| *scan.filter != **filter);
            }
            codes.push(match self.tree.unsubscribe(filter, client.key) {
                Some(_) => ReasonCode::SUCCESS.0,
                None => ReasonCode::NO_SUBSCRIPTION_EXISTED.0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::acl::Acl;
    use super::super::{Config, Event};
    use super::*;
    use crate::protocol::{Connect, Properties, Subscription as Wanted};
    use std::sync::Arc;
    use tokio::sync::watch;

    const RULES: usize = 100;

    fn state() -> State {
        let rules: String = (0..RULES).map(|number| format!("topic read other/{number}\n")).collect();
        let acl = Acl::parse(&format!("user admin\ntopic #\nuser bob\n{rules}")).unwrap();
        let (_, acl) = watch::channel(Arc::new(acl));
        State::new(Config { acl: Some(acl), ..Config::default() }, Box::new(|_: Event| {}), Instant::now())
    }

    fn connect(state: &mut State, client_id: &str, user: &str) -> Rc<Client> {
        let connect = Connect {
            version: Version::V5,
            is_bridge: false,
            clean_start: true,
            keep_alive: 0,
            client_id,
            will: None,
            username: Some(user),
            password: None,
            properties: Properties::EMPTY,
        };
        state.connect(&connect, Some(user), Instant::now()).map(|opened| opened.client).ok().unwrap()
    }

    #[test]
    fn the_access_rules_count_as_work_once_for_each_member_of_shared_subscriptions() {
        let (mut state, members) = (state(), 50);
        for number in 0..members {
            let client = connect(&mut state, &number.to_string(), "bob");
            for filter in ["$share/one/#", "$share/two/#", "+", "a"] {
                let wanted = Wanted { filter, options: SubscriptionOptions::default() };
                state.subscribe(&client, &[wanted], None, Version::V5, &mut Vec::new());
            }
        }
        let publisher = connect(&mut state, "publisher", "admin");
        let message = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: false,
            topic: "a",
            packet_id: None,
            properties: Properties::EMPTY,
            payload: b"x",
        };
        let before = state.work;
        let code = state.publish(&message, Some(&publisher), Instant::now());
        assert_eq!(code, ReasonCode::NO_MATCHING_SUBSCRIBERS);
        let work = state.work - before;
        assert!((RULES * members..RULES * members * 3 / 2).contains(&work), "{work}");
    }
}
