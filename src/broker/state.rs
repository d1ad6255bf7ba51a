//! The broker's state: connected clients, stored sessions, and deadlines. It belongs to one thread; every method is short and
//! never waits.
//!
//! `routing` finds the subscribers of messages.

use super::acl::{Acl, Intent, Subject};
use super::budget::{Account, Budget};
use super::client::{Client, NEVER, Subscription};
use super::denials::Denials;
use super::handshakes::Handshakes;
use super::link::Link;
use super::message::{Delivery, Message, Outbound, Share};
use super::own_topics;
use super::pace::Pace;
use super::retained::Retained;
use super::sys;
use super::target::Target;
use super::timers::{Deadline, Timers};
use super::topic_tree::{ClientKey, TopicTree};
use super::users::Gate;
use super::will::{DueWills, PendingWill};
use super::{Config, Event, Excess, Peer, Reason, Report};
use crate::protocol::session::Limits;
use crate::protocol::{Connect, PropertyId, ReasonCode, Version};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque, hash_set};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The interval of the `$SYS` topics, mosquitto's default.
const SYS_INTERVAL: Duration = Duration::from_secs(10);

/// The interval for reporting refused connections together.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(10);

/// The shortest time between two looks for expired messages in a queue that has room.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// The messages of a queue that are looked at in one step of work.
const MESSAGES_PER_STEP: usize = 4;

/// The clients that are remembered for the report of exceeded limits.
const MAX_EXCEEDING: usize = 1000;

/// Connections that are not accepted yet share one part in this many of the memory.
const STRANGERS_PART: usize = 16;

/// The number of deadlines that a tick handles at a time; clients get their turn in between.
const DEADLINES_AT_A_TIME: usize = 100;

/// The work that counts as a further deadline.
const WORK_PER_DEADLINE: usize = 1000;

/// The work for wills between two looks at the sockets.
const WORK_FOR_WILLS: usize = 10_000;

/// The work for messages of ended sessions between two looks at the sockets.
const WORK_FOR_ORPHANS: usize = 10_000;

/// The number of subscriptions removed together with their session; the others are removed later.
const SUBSCRIPTIONS_AT_A_TIME: usize = 500;

/// The state shared by the connections' tasks. It is never borrowed across an await.
pub(super) type Shared = Rc<RefCell<State>>;

/// Receives the broker's events.
pub(super) type EventHandler = Box<dyn FnMut(Event) + Send>;

pub(super) struct State {
    pub(super) config: Config,
    /// Admission checks. Shared because a check waits, and a borrow of the state must not outlive that.
    pub(super) gate: Rc<Gate>,
    /// The access rules, if there are any.
    pub(super) acl: Option<Arc<Acl>>,
    /// The number of the last routing under earlier access rules.
    last_under_earlier_acl: u64,
    /// The unfinished TLS handshakes. Shared as well, since they wait.
    pub(super) handshakes: Rc<Handshakes>,
    pub(super) report: Report,
    pub(super) started: Instant,
    pub(super) connected: u64,
    clients: HashMap<Rc<str>, Rc<Client>>,
    next_key: ClientKey,
    pub(super) timers: Timers,
    pub(super) tree: TopicTree<Subscription>,
    pub(super) retained: Retained,
    /// The memory of all clients and messages.
    pub(super) budget: Rc<Budget>,
    /// The memory of connections that are not accepted yet.
    pub(super) strangers: Rc<Budget>,
    /// The computing work done, in steps of about 50 ns.
    pub(super) work: usize,
    due_wills: DueWills<Rc<Client>>,
    /// Messages of shared subscriptions whose members' sessions have ended, for other members.
    orphans: VecDeque<(Rc<Share>, Rc<Message>)>,
    /// Subscriptions of sessions that have ended.
    ended: Vec<(ClientKey, hash_set::IntoIter<Box<str>>)>,
    /// Refused connections that are reported together.
    refusals: Refusals,
    /// Denials that are reported together.
    denials: Denials,
    /// Clients whose next message waits for memory.
    pub(super) starved: Vec<Rc<Link>>,
    /// Clients that exceeded a budget since they were last reported.
    exceeding: HashMap<Rc<str>, Excess>,
    /// The clients that were reported recently, because of a limit or of dropped messages.
    pace_of_excesses: Pace,
    pace_of_drops: Pace,
    /// Messages not retained because the store was full, since the last report.
    retained_refused: u64,
    /// The limit that the last one of them exceeded.
    retained_excess: Option<Excess>,
    /// The time from which such messages are reported again.
    next_retained_report: Instant,
    /// The number of the message that is being routed.
    pub(super) routing: u64,
    /// Reused memory for the subscribers of one message.
    pub(super) targets: Vec<Target>,
    /// Clients whose queues make publishers wait.
    pub(super) watched: Vec<Rc<Client>>,
    /// Clients with messages dropped since the last report.
    pub(super) dropping: Vec<Rc<Client>>,
    next_sys: Instant,
    /// Whether all connections were ordered to end.
    pub(super) is_shut_down: bool,
    handler: EventHandler,
}

/// Refused connections since the last report.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    last_reason: Reason,
    /// The time until which refusals are only counted.
    until: Option<Instant>,
}

/// An accepted client.
pub(super) struct Opened {
    pub(super) client: Rc<Client>,
    pub(super) link: Rc<Link>,
    pub(super) session_present: bool,
    /// Whether the broker assigned the client identifier.
    pub(super) is_assigned: bool,
}

impl State {
    pub(super) fn new(config: Config, handler: EventHandler, now: Instant) -> State {
        State {
            gate: Rc::new(Gate::new(config.access.clone())),
            acl: config.acl.as_ref().map(|acl| Arc::clone(&acl.borrow())),
            last_under_earlier_acl: 0,
            handshakes: Rc::new(Handshakes::within(config.memory / STRANGERS_PART)),
            report: Report::default(),
            started: now,
            connected: 0,
            clients: HashMap::new(),
            next_key: 1,
            timers: Timers::default(),
            tree: TopicTree::new(),
            retained: Retained::new(config.retained_messages, config.retained_bytes),
            budget: Budget::part(config.memory - config.memory / STRANGERS_PART, config.memory),
            strangers: Budget::part(config.memory / STRANGERS_PART, config.memory),
            work: 0,
            due_wills: DueWills::new(WORK_FOR_WILLS),
            orphans: VecDeque::new(),
            ended: Vec::new(),
            refusals: Refusals::default(),
            denials: Denials::default(),
            starved: Vec::new(),
            exceeding: HashMap::new(),
            pace_of_excesses: Pace::default(),
            pace_of_drops: Pace::default(),
            retained_refused: 0,
            retained_excess: None,
            next_retained_report: now,
            routing: 0,
            targets: Vec::new(),
            watched: Vec::new(),
            dropping: Vec::new(),
            next_sys: now + SYS_INTERVAL,
            is_shut_down: false,
            handler,
            config,
        }
    }

    /// The figures for the broker's own topics.
    pub(super) fn figures(&self, now: Instant) -> sys::Figures<'_> {
        sys::Figures {
            version: &self.config.version,
            uptime: now.saturating_duration_since(self.started),
            clients: self.clients.len(),
            connected: self.connected as usize,
            subscriptions: self.tree.len(),
            retained: &self.retained,
            memory: self.memory(),
            report: &self.report,
        }
    }

    /// The memory used on behalf of clients, and its limit.
    pub(super) fn memory(&self) -> (usize, usize) {
        (self.budget.used() + self.strangers.used(), self.config.memory)
    }

    pub(super) fn emit(&mut self, event: Event) {
        (self.handler)(event);
    }

    /// Counts a refused connection. The first one is reported immediately, further ones together.
    pub(super) fn refuse(&mut self, peer: Peer, reason: Reason, now: Instant) {
        self.report.refused += 1;
        let is_summed = self.refusals.until.is_some();
        if is_summed {
            self.refusals.count += 1;
            self.refusals.last_reason.clone_from(&reason);
        } else {
            self.refusals.until = Some(now + REFUSAL_INTERVAL);
        }
        self.emit(Event::Refused { peer, reason, is_summed });
    }

    /// Reports a message that a client may not receive or publish, as the access rules say.
    pub(super) fn report_denial(
        &mut self,
        client: &Client,
        topic: &str,
        (intent, is_first): (Intent, bool),
        now: Instant,
    ) {
        let is_detail = !is_first || self.denials.note(now);
        let (client_id, topic) = (client.id.to_string(), topic.to_owned());
        let user = client.subject.borrow().user.as_deref().map(str::to_owned);
        self.emit(Event::Denied { client_id, user, topic, intent, is_detail });
    }

    /// Counts a request refused because of a limit.
    pub(super) fn note_exceeded(&mut self, client: &Client, excess: Excess) {
        self.report.quota_exceeded += 1;
        if self.exceeding.len() < MAX_EXCEEDING {
            self.exceeding.entry(Rc::clone(&client.id)).or_insert(excess);
        }
    }

    /// Counts a message that was not retained.
    pub(super) fn note_not_retained(&mut self, excess: Excess) {
        self.retained_refused += 1;
        self.retained_excess = Some(excess);
    }

    /// Accepts a client: takes its session over from an earlier connection, resumes it, or creates a new one.
    ///
    /// # Errors
    /// The reason code for refusing it, and the limit that it exceeds.
    pub(super) fn connect(
        &mut self,
        connect: &Connect<'_>,
        user: Option<&str>,
        now: Instant,
    ) -> Result<Opened, (ReasonCode, Option<Excess>)> {
        let retains_will = connect.version.is_v5() && connect.will.as_ref().is_some_and(|will| will.retain);
        if let Some(excess) = self.config.no_retained().filter(|_| retains_will) {
            return Err((ReasonCode::RETAIN_NOT_SUPPORTED, Some(excess))); // [MQTT-3.2.2-13]
        }
        // As in mosquitto, the access rules treat an empty user name as a missing one.
        let user = user.filter(|user| !user.is_empty());
        let is_assigned = connect.client_id.is_empty();
        let assigned = match is_assigned {
            true => Some(self.assign_client_id(connect).map_err(|code| (code, None))?),
            false => None,
        };
        let client_id = assigned.as_deref().unwrap_or(connect.client_id);
        let cost = Client::base_cost(client_id) + connect.will.as_ref().map_or(0, PendingWill::cost);
        if cost > self.config.client_memory || !self.budget.allows(cost, cost) {
            self.report.quota_exceeded += 1;
            let Config { client_memory, memory, .. } = self.config;
            let is_own = cost > client_memory;
            let excess = if is_own { Excess::ClientMemory(client_memory) } else { Excess::Memory(memory) };
            return Err((ReasonCode::QUOTA_EXCEEDED, Some(excess)));
        }
        self.take_over(client_id, now);
        let is_new = connect.clean_start || self.belongs_to_other(client_id, user);
        let resumed = self.resume(client_id, is_new, now);
        let session_present = resumed.is_some();
        let client = match resumed {
            Some(client) => client,
            None => self.create(client_id, connect.version, now)?,
        };
        self.identify(&client, user);
        let link = self.attach(&client, connect, session_present, now);
        Ok(Opened { client, link, session_present, is_assigned })
    }

    /// An identifier for a client without one, if its version allows that.
    fn assign_client_id(&self, connect: &Connect<'_>) -> Result<String, ReasonCode> {
        let is_allowed = match connect.version {
            Version::V31 => false,
            Version::V311 => connect.clean_start, // [MQTT-3.1.3-8] of 3.1.1
            Version::V5 => true,
        };
        if !is_allowed {
            return Err(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
        }
        loop {
            let client_id = format!("auto-{:016x}", fastrand::u64(..));
            if !self.clients.contains_key(client_id.as_str()) {
                return Ok(client_id);
            }
        }
    }

    /// Ends the client's existing connection [MQTT-3.1.4-3].
    fn take_over(&mut self, client_id: &str, now: Instant) {
        let Some(client) = self.clients.get(client_id).cloned() else {
            return;
        };
        let link = client.link.borrow().clone();
        if let Some(link) = link {
            link.end(ReasonCode::SESSION_TAKEN_OVER);
            self.disconnect(&client, &link, true, now);
        }
    }

    /// Whether access rules apply, and the session belongs to another user, whose rules may allow other messages.
    fn belongs_to_other(&self, client_id: &str, user: Option<&str>) -> bool {
        let is_other = |client: &Rc<Client>| client.subject.borrow().user.as_deref() != user;
        self.acl.is_some() && self.clients.get(client_id).is_some_and(is_other)
    }

    /// The session to resume, if there is one; it is ended if a new one is requested.
    fn resume(&mut self, client_id: &str, is_new: bool, now: Instant) -> Option<Rc<Client>> {
        let client = self.clients.get(client_id).cloned()?;
        if is_new {
            self.end_session(&client, now);
            return None;
        }
        self.timers.cancel(&client, Deadline::SessionExpiry);
        self.timers.cancel(&client, Deadline::Will);
        client.will.take();
        Some(client)
    }

    fn create(
        &mut self,
        client_id: &str,
        version: Version,
        now: Instant,
    ) -> Result<Rc<Client>, (ReasonCode, Option<Excess>)> {
        let most = self.config.sessions;
        if self.clients.len() >= most {
            return Err((ReasonCode::QUOTA_EXCEEDED, Some(Excess::Sessions(most))));
        }
        let account = Account::new(&self.budget, self.config.client_memory);
        let queued_messages = self.config.queued_messages;
        let client = Client::new(self.next_key, client_id, account, queued_messages, version, now);
        let client = Rc::new(client);
        client.count_own(0);
        self.next_key += 1;
        self.clients.insert(Rc::clone(&client.id), Rc::clone(&client));
        Ok(client)
    }

    /// Notes the user for the access rules. A session has one user only, so its waiting messages were checked for the same one; if
    /// the rules have changed since, they are checked again when they are delivered.
    fn identify(&self, client: &Rc<Client>, user: Option<&str>) {
        if self.acl.is_some() && client.subject.borrow().user.as_deref() != user {
            let subject = Subject { client_id: Rc::clone(&client.id), user: user.map(Into::into) };
            *client.subject.borrow_mut() = Rc::new(subject);
        }
    }

    /// Applies changed access rules.
    pub(super) fn change_acl(&mut self, acl: Arc<Acl>) {
        self.last_under_earlier_acl = self.routing;
        self.acl = Some(acl);
    }

    /// Whether the client may receive a message that waited for it: the access rules can have changed meanwhile.
    pub(super) fn may_still_receive(&mut self, client: &Client, delivery: &Delivery, now: Instant) -> bool {
        let Delivery { message, retain, .. } = delivery;
        let is_checked = self.acl.is_none() || message.number > self.last_under_earlier_acl;
        is_checked || self.may_receive(client, message, *retain, now)
    }

    /// Whether the access rules allow a stored message to a client. Counts it if they do not.
    pub(super) fn may_receive(
        &mut self,
        client: &Client,
        message: &Message,
        is_retained: bool,
        now: Instant,
    ) -> bool {
        let may_read = self.may(client, &message.topic, Intent::Read);
        let may = may_read && (!is_retained || self.is_author_allowed(message));
        self.report.messages_withheld += u64::from(!may);
        if !may_read && client.note_denial(Intent::Read) {
            self.report_denial(client, &message.topic, (Intent::Read, true), now);
        }
        may
    }

    /// Whether the publisher of a retained message may still publish it: the access rules can have changed.
    fn is_author_allowed(&mut self, message: &Message) -> bool {
        let (Some(acl), Some(author)) = (&self.acl, &message.publisher) else { return true };
        self.work += acl.work();
        acl.allows(author, &message.topic, Intent::Write)
    }

    /// Whether the access rules allow this to the client.
    fn may(&mut self, client: &Client, topic: &str, intent: Intent) -> bool {
        let Some(acl) = &self.acl else { return true };
        self.work += acl.work();
        acl.allows(&client.subject.borrow(), topic, intent)
    }

    /// Whether a client may publish this message or will, as the access rules say. Counts and reports it if it may not.
    pub(super) fn may_publish(&mut self, client: &Client, topic: &str, now: Instant) -> bool {
        let may = !own_topics::is_reserved(topic) && self.may(client, topic, Intent::Write);
        if !may {
            self.report.messages_denied += 1;
            let is_first = client.note_denial(Intent::Write);
            self.report_denial(client, topic, (Intent::Write, is_first), now);
        }
        may
    }

    /// Joins a session with a new connection.
    fn attach(
        &mut self,
        client: &Rc<Client>,
        connect: &Connect<'_>,
        session_present: bool,
        now: Instant,
    ) -> Rc<Link> {
        let link = Rc::new(Link::new(now));
        *client.link.borrow_mut() = Some(Rc::clone(&link));
        client.will.take();
        *client.will.borrow_mut() = connect.will.as_ref().map(|will| {
            let charge = client.account.hold_anyway(PendingWill::cost(will));
            Box::new(PendingWill::new(will, charge))
        });
        client.forget_denials();
        client.is_bridge.set(connect.is_bridge);
        client.expiry_interval.set(expiry_interval(connect));
        client.session.borrow_mut().start(
            connect.version,
            self.config.accepts(connect.version),
            self.peer_accepts(connect),
            session_present,
        );
        client.outbox.borrow_mut().drained(true, false, now);
        if connect.keep_alive > 0 {
            client.keep_alive_timeout.set(Duration::from_millis(u64::from(connect.keep_alive) * 1500));
            self.timers.set(client, Deadline::KeepAlive, now + client.keep_alive_timeout.get());
        }
        self.connected += 1;
        self.report.connections += 1;
        self.report.maximum_connected = self.report.maximum_connected.max(self.connected);
        link
    }

    /// The client's limits. Before MQTT 5 it cannot limit the messages in flight; in MQTT 5 it may allow more than is useful, and
    /// each acknowledgement is searched for among them.
    fn peer_accepts(&self, connect: &Connect<'_>) -> Limits {
        let mut limits = Limits::of_client(connect);
        limits.receive_maximum = limits.receive_maximum.min(self.config.in_flight);
        limits
    }

    /// Handles the end of a connection, unless another one took over.
    pub(super) fn disconnect(&mut self, client: &Rc<Client>, link: &Rc<Link>, has_will: bool, now: Instant) {
        if !client.has_link(link) {
            return;
        }
        client.link.take();
        self.connected -= 1;
        client.count_own(0);
        self.timers.cancel(client, Deadline::KeepAlive);
        client.outbox.borrow_mut().disconnect(now);
        if !has_will {
            client.will.take();
        }
        let interval = client.expiry_interval.get();
        if interval == 0 {
            return self.end_session(client, now);
        }
        if interval != NEVER {
            self.timers.set(client, Deadline::SessionExpiry, now + Duration::from_secs(interval.into()));
        }
        let delay = client.will.borrow().as_ref().map(|will| will.delay());
        match delay {
            Some(Duration::ZERO) => self.publish_will(client, now),
            Some(delay) => self.timers.set(client, Deadline::Will, now + delay),
            None => {}
        }
    }

    /// Removes a client that is not connected. A delayed will is published now [MQTT-3.1.2-8].
    fn end_session(&mut self, client: &Rc<Client>, now: Instant) {
        self.clients.remove(&client.id);
        self.timers.cancel(client, Deadline::SessionExpiry);
        self.timers.cancel(client, Deadline::Will);
        self.timers.cancel(client, Deadline::MessageExpiry);
        client.is_ended.set(true);
        client.scans.take();
        self.ended.push((client.key, client.subscriptions.take().into_iter()));
        self.remove_ended_subscriptions();
        self.orphans.extend(client.session.borrow().unsettled_messages().filter_map(Outbound::for_others));
        self.orphans.extend(client.outbox.borrow().for_others());
        client.outbox.borrow_mut().release(now);
        self.publish_will(client, now);
    }

    /// Gives messages of ended sessions to other members of their shared subscriptions. Returns true if there are more.
    fn pass_on_orphans(&mut self, now: Instant) -> bool {
        let limit = self.work + WORK_FOR_ORPHANS;
        while self.work < limit {
            let Some((share, message)) = self.orphans.pop_front() else { return false };
            if !message.is_expired(now) {
                self.pass_on(&share, &message, now);
            }
        }
        !self.orphans.is_empty()
    }

    fn publish_will(&mut self, client: &Rc<Client>, now: Instant) {
        if let Some(will) = client.will.take() {
            self.due_wills.add(Rc::clone(client), will);
            self.publish_due_wills(now);
        }
    }

    /// Publishes wills that are due, as far as their share of work allows it.
    fn publish_due_wills(&mut self, now: Instant) {
        while let Some((client, will)) = self.due_wills.next() {
            let work_before = self.work;
            let publish = will.as_publish();
            if self.may_publish(&client, publish.topic, now) {
                self.route(&publish, None, Some(&client), now);
            }
            self.due_wills.add_work(self.work - work_before + 1);
        }
    }

    /// Notified when wills have used a part of their share of work.
    pub(super) fn used_by_wills(&self) -> Rc<Notify> {
        self.due_wills.used()
    }

    /// Gives the wills another share of work, once all clients have had their turns.
    pub(super) fn renew_share_of_wills(&mut self, now: Instant) {
        self.due_wills.renew(WORK_FOR_WILLS);
        self.publish_due_wills(now);
    }

    /// Removes some subscriptions of ended sessions. Returns true if there are more.
    fn remove_ended_subscriptions(&mut self) -> bool {
        let mut left = SUBSCRIPTIONS_AT_A_TIME;
        while let Some((key, filters)) = self.ended.last_mut() {
            let Some(filter) = filters.next() else {
                self.ended.pop();
                continue;
            };
            self.tree.unsubscribe(&filter, *key);
            left -= 1;
            if left == 0 {
                return true;
            }
        }
        false
    }

    /// Handles due work. Call it a few times a second, and again immediately if it returns true.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        let mut left = DEADLINES_AT_A_TIME;
        while let Some((deadline, client)) = self.timers.pop(now) {
            let work_before = self.work;
            match deadline {
                Deadline::KeepAlive => self.check_keep_alive(&client, now),
                Deadline::Will => self.publish_will(&client, now),
                Deadline::SessionExpiry => {
                    self.report.sessions_expired += 1;
                    self.end_session(&client, now);
                }
                Deadline::MessageExpiry => self.remove_expired(&client, now),
            }
            left = left.saturating_sub(1 + (self.work - work_before) / WORK_PER_DEADLINE);
            if left == 0 {
                return true;
            }
        }
        if self.remove_ended_subscriptions() || self.retained.expire(now) || self.pass_on_orphans(now) {
            return true;
        }
        self.starved.drain(..).for_each(|link| link.signal());
        self.give_up_on_stalled(now);
        self.report_drops(now);
        self.report_refusals(Some(now));
        self.report_denials(Some(now));
        if now >= self.next_sys {
            self.next_sys = now + SYS_INTERVAL;
            for (topic, value) in sys::values(&self.figures(now)) {
                self.publish(&sys::as_publish(topic, &value), None, now);
            }
        }
        false
    }

    /// Removes the expired messages of a client's queue.
    pub(super) fn remove_expired(&mut self, client: &Rc<Client>, now: Instant) {
        let mut outbox = client.outbox.borrow_mut();
        if outbox.next_expiry().is_some_and(|expiry| expiry <= now) {
            self.work += outbox.len() / MESSAGES_PER_STEP;
        }
        let removed = outbox.remove_expired(now);
        self.report.messages_expired += removed;
        if removed > 0 {
            let needs_acknowledgement = outbox.needs_acknowledgement();
            outbox.drained(false, needs_acknowledgement, now);
        }
        if let Some(expiry) = outbox.next_expiry() {
            self.timers.set_earlier(client, Deadline::MessageExpiry, expiry.max(now + EXPIRY_INTERVAL));
        }
    }

    fn check_keep_alive(&mut self, client: &Rc<Client>, now: Instant) {
        let Some(link) = client.link.borrow().clone() else {
            return;
        };
        let timeout = client.keep_alive_timeout.get();
        let due = if link.is_paused() { now + timeout } else { link.last_received() + timeout };
        if due <= now {
            return link.end(ReasonCode::KEEP_ALIVE_TIMEOUT);
        }
        self.timers.set(client, Deadline::KeepAlive, due);
    }

    fn give_up_on_stalled(&mut self, now: Instant) {
        let Some(oldest) = now.checked_sub(self.config.stall_time) else {
            return;
        };
        self.watched.retain(|client| client.outbox.borrow_mut().watch(oldest, now));
    }

    /// Reports dropped messages, and clients that exceeded a limit, at most a few in some seconds. The others are reported later.
    fn report_drops(&mut self, now: Instant) {
        self.pace_of_drops.advance(now);
        self.pace_of_excesses.advance(now);
        for client in std::mem::take(&mut self.dropping) {
            if !self.pace_of_drops.admits(&client.id, now) {
                // The session of a client that has ended takes memory as long as it is kept.
                self.dropping.extend((!client.is_ended.get()).then_some(client));
                continue;
            }
            if let Some((count, excess)) = client.outbox.borrow_mut().take_dropped() {
                self.emit(Event::Dropped { client_id: client.id.to_string(), count, excess });
            }
        }
        if let Some(excess) = self.retained_excess.filter(|_| now >= self.next_retained_report) {
            self.next_retained_report = now + REFUSAL_INTERVAL;
            self.retained_excess = None;
            let count = std::mem::take(&mut self.retained_refused);
            self.emit(Event::RetainedStoreFull { count, excess });
        }
        for (client_id, excess) in std::mem::take(&mut self.exceeding) {
            if self.pace_of_excesses.admits(&client_id, now) {
                self.emit(Event::QuotaExceeded { client_id: client_id.to_string(), excess });
            } else {
                self.exceeding.insert(client_id, excess);
            }
        }
    }

    /// Reports refused connections together when due; immediately if `now` is `None`.
    fn report_refusals(&mut self, now: Option<Instant>) {
        let is_due = |until| now.is_none_or(|now| now >= until);
        if !self.refusals.until.is_some_and(is_due) {
            return;
        }
        let Refusals { count, last_reason, .. } = std::mem::take(&mut self.refusals);
        if count > 0 {
            self.refusals.until = now.map(|now| now + REFUSAL_INTERVAL);
            self.emit(Event::RefusedMore { count, last_reason });
        }
    }

    fn report_denials(&mut self, now: Option<Instant>) {
        if let Some(count) = self.denials.take(now) {
            self.emit(Event::DeniedMore { count });
        }
    }

    /// Orders all connections to end, and reports pending drops, refusals and denials.
    pub(super) fn shut_down(&mut self, now: Instant) {
        self.is_shut_down = true;
        for client in self.clients.values() {
            if let Some(link) = &*client.link.borrow() {
                link.end(ReasonCode::SERVER_SHUTTING_DOWN);
            }
        }
        (self.pace_of_drops, self.pace_of_excesses) = Default::default();
        self.next_retained_report = now;
        self.report_drops(now);
        self.report_refusals(None);
        self.report_denials(None);
    }
}

/// The session expiry interval in seconds.
fn expiry_interval(connect: &Connect<'_>) -> u32 {
    match connect.version {
        Version::V5 => connect.properties.number(PropertyId::SessionExpiryInterval).unwrap_or(0),
        Version::V31 | Version::V311 if connect.clean_start => 0,
        Version::V31 | Version::V311 => NEVER,
    }
}
