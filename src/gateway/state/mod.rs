//! The clients of a gateway, and the handling of datagrams.

mod own_connections;
mod owners;
mod room;
mod shared_connection;
mod sites;
mod version_2;

use super::broker_connection::serve;
use super::event_sum::EventSum;
use super::key::{ByKey, Key};
use super::link::{Closing, Link};
use super::{Config, Event, FAR, Peer};
use crate::client::{self, Options, Terms, WillOptions};
use crate::protocol::session::Limits;
use crate::protocol::sn::gateway::{
    Action, AnyClient as Client, Context, Note, Output, Undelivered, at_most_once, short_topic,
};
use crate::protocol::sn::{Message, Problem, Publish, PublishQos, Regack, ReturnCode, TopicId, Version, v2};
use crate::protocol::topic::is_discouraged;
use crate::protocol::{Packet, PropertiesBuf, PropertyId, PropertyValue, ReasonCode};
use crate::transport::{DatagramBatch, DatagramSocket};
use own_connections::OwnConnections;
use owners::ClientOwner;
use shared_connection::SharedConnection;
use sites::{Site, Sites};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::task::{self, Poll};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};

/// The maximum of connections to the broker that are being opened. Further clients are rejected as congestion.
const MAX_OPENING: usize = 256;

/// The maximum of connections of one client to the broker: its own, and earlier ones that are being closed.
const MAX_CONNECTIONS: usize = 4;

/// Entries of a queue without a client that are tolerated besides one for each client.
const STALE_ENTRIES: usize = 1024;

/// The longest client identifier in bytes. The specification allows 23 characters, which many clients exceed.
const LONGEST_CLIENT_ID: usize = 256;

/// The state, shared by the tasks of a gateway.
pub(super) type Shared = Rc<RefCell<State>>;

/// A client and its connections.
struct Slot {
    client: Client,
    peer: Peer,
    link: Option<Rc<Link>>,
    /// The task of the last connection to the broker.
    task: Option<JoinHandle<()>>,
    /// Counts the tasks that have not ended.
    tasks: Rc<()>,
    /// The broker has not accepted the connection yet.
    is_opening: bool,
    /// The earliest entry in the timer queue.
    scheduled: Option<Instant>,
    /// It has an entry in the queue of clients that can make room.
    is_listed: bool,
    /// The time of its entry in the sites.
    site_entry: Instant,
}

/// The clients, the socket and the timers.
pub(super) struct State {
    config: Config,
    socket: DatagramSocket,
    handler: Box<dyn FnMut(Event)>,
    this: Weak<RefCell<State>>,
    clients: ByKey<Slot>,
    by_peer: HashMap<Peer, Key>,
    by_id: HashMap<Box<str>, Key>,
    next_key: u64,
    timers: BinaryHeap<Reverse<(Instant, Key)>>,
    /// The time of the next ADVERTISE; `None` if the gateway does not advertise itself.
    next_advertise: Option<Instant>,
    /// Wakes the loop that receives datagrams.
    wake: Rc<Notify>,
    opening: usize,
    /// The connections of no client.
    own: OwnConnections,
    /// The clients that can make room for another one.
    replaceable: VecDeque<Key>,
    /// The clients of each IP address.
    sites: Sites,
    /// The clients that made room.
    gave_way: EventSum,
    malformed: EventSum,
    /// The clients that the gateway itself refused.
    refused: EventSum,
    /// An empty buffer for the packets of the next step, which would otherwise need a new one for each message.
    packets: Vec<u8>,
}

impl State {
    pub(super) fn new(
        config: Config,
        socket: DatagramSocket,
        handler: Box<dyn FnMut(Event)>,
        this: Weak<RefCell<State>>,
    ) -> State {
        State {
            next_advertise: config.advertise.map(|_| Instant::now()),
            own: OwnConnections::of(&config, Instant::now()),
            config,
            socket,
            handler,
            this,
            clients: ByKey::default(),
            by_peer: HashMap::new(),
            by_id: HashMap::new(),
            next_key: 0,
            timers: BinaryHeap::new(),
            wake: Rc::default(),
            opening: 0,
            replaceable: VecDeque::new(),
            sites: Sites::default(),
            gave_way: EventSum::default(),
            malformed: EventSum::default(),
            refused: EventSum::default(),
            packets: Vec::new(),
        }
    }

    pub(super) fn wake(&self) -> &Rc<Notify> {
        &self.wake
    }

    pub(super) fn poll_receive(
        &mut self,
        cx: &mut task::Context<'_>,
        batch: &mut DatagramBatch,
    ) -> Poll<io::Result<()>> {
        self.socket.poll_receive(cx, batch)
    }

    /// Handles a datagram.
    pub(super) fn receive(&mut self, datagram: &[u8], address: SocketAddr, now: Instant) {
        let peer = Peer { address, node_id: None };
        let known = self.by_peer.get(&peer).copied();
        if self.version_of(datagram, known) == Version::V20 {
            return self.receive_v2(datagram, address, now);
        }
        match Message::decode(datagram) {
            // The most frequent message takes the shortest way.
            Ok(message @ Message::Publish(_)) => self.receive_from(known, &message, &peer, now),
            Ok(Message::Encapsulated(encapsulated)) => {
                let peer = Peer { address, node_id: Some(encapsulated.node_id.into()) };
                match Message::decode(encapsulated.message) {
                    Ok(Message::Encapsulated(_)) => self.note_malformed(&peer, &"nested ENCAPSULATED", now),
                    Ok(message) => self.receive_message(&message, &peer, now),
                    Err(error) => self.receive_malformed(&error, &peer, now),
                }
            }
            Ok(message) => self.receive_message(&message, &peer, now),
            Err(error) => self.receive_malformed(&error, &peer, now),
        }
    }

    fn receive_malformed(&mut self, error: &crate::protocol::sn::DecodeError, peer: &Peer, now: Instant) {
        if matches!(error.problem, Problem::UnsupportedProtocolId { .. }) {
            self.reply(&Message::Connack { return_code: ReturnCode::NOT_SUPPORTED }, peer);
        }
        self.note_malformed(peer, error, now);
    }

    fn note_malformed(&mut self, peer: &Peer, reason: &dyn ToString, now: Instant) {
        if let Some(count) = self.malformed.add(now) {
            (self.handler)(Event::Malformed { count, peer: peer.clone(), reason: reason.to_string() });
        }
    }

    fn receive_message(&mut self, message: &Message<'_>, peer: &Peer, now: Instant) {
        match message {
            Message::SearchGw { .. } => {
                let gateway_id = self.config.gateway_id;
                return self.reply(&Message::GwInfo { gateway_id, address: &[] }, peer);
            }
            Message::Connect(connect) => return self.connect(connect.client_id, message, peer, now),
            Message::Pingreq { client_id: Some(client_id) } => self.note_new_address(client_id, peer),
            _ => {}
        }
        self.receive_from(self.by_peer.get(peer).copied(), message, peer, now);
    }

    /// A message from the client at this address, if there is one.
    fn receive_from(&mut self, known: Option<Key>, message: &Message<'_>, peer: &Peer, now: Instant) {
        match known {
            // A client that has disconnected may go on without a connection.
            Some(key) if needs_no_connection(message) && self.is_disconnected(key) => {
                self.receive_from_stranger(message, peer, now);
            }
            Some(key) if self.is_congested(key) && matches!(message, Message::Publish(_)) => {
                self.refuse_publish(message, peer);
            }
            Some(key) => self.step(key, now, |client, context, out| client.receive(message, context, out)),
            None => self.receive_from_stranger(message, peer, now),
        }
    }

    /// A message from a client that is not connected: QoS -1 is published, others are answered with DISCONNECT.
    fn receive_from_stranger(&mut self, message: &Message<'_>, peer: &Peer, now: Instant) {
        match message {
            Message::Publish(publish) if needs_no_connection(message) => {
                self.publish_unconnected(publish, now);
            }
            Message::Publish(_)
            | Message::Pubrec { .. }
            | Message::Pubrel { .. }
            | Message::Register(_)
            | Message::Subscribe(_)
            | Message::Unsubscribe(_)
            | Message::Pingreq { .. }
            | Message::WillTopicUpd(_)
            | Message::WillMsgUpd { .. } => self.reply(&Message::Disconnect { duration: None }, peer),
            // Not DISCONNECT, or two gateways could answer each other forever.
            _ => {}
        }
    }

    fn publish_unconnected(&mut self, publish: &Publish<'_>, now: Instant) {
        let topic = match &publish.topic {
            TopicId::Predefined(id) => self.config.predefined.topic_of_all(*id),
            TopicId::Short(name) => short_topic(name),
            TopicId::Normal(_) => None,
        };
        let Some(topic) = topic else { return };
        let packet = at_most_once(topic, publish.retain, publish.payload);
        let event = self.own.publish(&packet, &self.config.broker, &self.this, now);
        event.into_iter().for_each(&mut self.handler);
    }

    /// CONNECT: finds the client by its identifier, compared exactly, or adds it.
    fn connect(&mut self, client_id: &str, message: &Message<'_>, peer: &Peer, now: Instant) {
        if client_id.len() > LONGEST_CLIENT_ID {
            let reason = "the client identifier is too long";
            return self.refuse(client_id, peer, ReturnCode::NOT_SUPPORTED, reason, now);
        }
        if client_id.chars().any(is_discouraged) {
            // Brokers close the connection without an answer.
            let reason = "the client identifier contains a control character";
            return self.refuse(client_id, peer, ReturnCode::NOT_SUPPORTED, reason, now);
        }
        match self.locate(client_id, peer, Version::V12, now) {
            Some(key) => self.step(key, now, |client, context, out| client.receive(message, context, out)),
            None => {
                let reason = "the gateway has its maximum of clients";
                self.refuse(client_id, peer, ReturnCode::CONGESTION, reason, now);
            }
        }
    }

    /// The client with this identifier at this address, which it takes over, or a new one. `None` if there is no room.
    fn locate(&mut self, client_id: &str, peer: &Peer, version: Version, now: Instant) -> Option<Key> {
        let known = self.by_id.get(client_id).copied();
        if let Some(other) = self.by_peer.get(peer).copied().filter(|key| Some(*key) != known) {
            self.step(other, now, Client::abandon);
            self.forget(other);
        }
        match known {
            Some(key) => {
                self.take_over(key, peer);
                self.change_version(key, version, now);
                Some(key)
            }
            None if self.clients.len() >= self.config.clients && !self.make_room(peer, now) => None,
            None => Some(self.add(client_id, peer.clone(), version, now)),
        }
    }

    /// The client has another version than before, so it starts anew.
    fn change_version(&mut self, key: Key, version: Version, now: Instant) {
        let is_other = |slot: &&mut Slot| slot.client.version() != version;
        if self.clients.get_mut(&key).filter(is_other).is_some() {
            self.step(key, now, Client::abandon);
        }
        if let Some(slot) = self.clients.get_mut(&key).filter(is_other) {
            slot.client = Client::new(version, slot.client.id(), now);
        }
    }

    fn add(&mut self, client_id: &str, peer: Peer, version: Version, now: Instant) -> Key {
        let key = Key(self.next_key);
        self.next_key += 1;
        self.by_peer.insert(peer.clone(), key);
        self.by_id.insert(client_id.into(), key);
        let client = Client::new(version, client_id, now);
        let (link, task, tasks) = (None, None, Rc::default());
        self.sites.add(Site::of(&peer), now, key);
        let (is_opening, scheduled, is_listed, site_entry) = (false, None, false, now);
        let slot = Slot { client, peer, link, task, tasks, is_opening, scheduled, is_listed, site_entry };
        self.clients.insert(key, slot);
        key
    }

    /// The client has a new address. The old one gets DISCONNECT, unless the client sleeps.
    fn take_over(&mut self, key: Key, peer: &Peer) {
        let Some(slot) = self.clients.get(&key).filter(|slot| slot.peer != *peer) else { return };
        let gets_disconnect = !slot.client.is_asleep() && !slot.client.is_disconnected();
        let (last, version) = (slot.client.taken_over(), slot.client.version());
        if let Some(old) = self.move_to(key, peer).filter(|_| gets_disconnect) {
            self.reply_datagram(last, &old, version);
        }
    }

    /// Sets the address of a client. Returns the old one.
    fn move_to(&mut self, key: Key, peer: &Peer) -> Option<Peer> {
        let slot = self.clients.get_mut(&key).filter(|slot| slot.peer != *peer)?;
        slot.client.note_moved();
        let old = std::mem::replace(&mut slot.peer, peer.clone());
        self.sites.remove(Site::of(&old), slot.site_entry, key);
        self.sites.add(Site::of(peer), slot.site_entry, key);
        self.by_peer.remove(&old);
        self.by_peer.insert(peer.clone(), key);
        Some(old)
    }

    /// A sleeping client wakes up behind another address, as after a change of a NAT's port.
    fn note_new_address(&mut self, client_id: &str, peer: &Peer) {
        let known = self.by_id.get(client_id).copied();
        let is_asleep = |key: &Key| self.clients.get(key).is_some_and(|slot| slot.client.is_asleep());
        if let Some(key) = known.filter(is_asleep)
            && !self.by_peer.contains_key(peer)
        {
            self.take_over(key, peer);
        }
    }

    fn forget(&mut self, key: Key) {
        let Some(slot) = self.clients.remove(&key) else { return };
        if self.by_peer.get(&slot.peer) == Some(&key) {
            self.by_peer.remove(&slot.peer);
        }
        self.by_id.remove(slot.client.id());
        self.sites.remove(Site::of(&slot.peer), slot.site_entry, key);
        if let Some(shared) = &mut self.own.shared {
            shared.aggregate.remove(key);
        }
        if let Some(link) = slot.link {
            link.close(Closing::Abrupt);
        }
    }

    fn refuse(&mut self, client_id: &str, peer: &Peer, code: ReturnCode, reason: &str, now: Instant) {
        self.reply(&Message::Connack { return_code: code }, peer);
        self.note_refused(client_id, peer, reason, now);
    }

    /// The gateway itself has refused a client.
    fn note_refused(&mut self, client_id: &str, peer: &Peer, reason: &str, now: Instant) {
        if let Some(count) = self.refused.add(now) {
            let (client_id, peer, reason) = (client_id.to_owned(), peer.clone(), reason.to_owned());
            (self.handler)(Event::Refused { count, client_id, peer, reason });
        }
    }

    /// Whether the client is only remembered.
    fn is_disconnected(&self, key: Key) -> bool {
        self.clients.get(&key).is_some_and(|slot| slot.client.is_disconnected())
    }

    fn is_congested(&self, key: Key) -> bool {
        if let Some(shared) = &self.own.shared {
            return shared.aggregate.is_congested();
        }
        let link = self.clients.get(&key).and_then(|slot| slot.link.as_ref());
        link.is_some_and(|link| link.is_congested())
    }

    /// The broker does not take the packets of this client.
    fn refuse_publish(&mut self, message: &Message<'_>, peer: &Peer) {
        if let Message::Publish(Publish { topic, message_id, qos: PublishQos::Connected(_), .. }) = message {
            let (topic_id, message_id) = (topic.value(), *message_id);
            let return_code = ReturnCode::CONGESTION;
            self.reply(&Message::Puback(Regack { topic_id, message_id, return_code }), peer);
        }
    }

    fn reply(&mut self, message: &Message<'_>, peer: &Peer) {
        let mut datagram = Vec::new();
        // A reply always fits into a datagram.
        if message.encode(&mut datagram).is_ok() {
            self.reply_datagram(datagram, peer, Version::V12);
        }
    }

    fn reply_datagram(&mut self, datagram: Vec<u8>, peer: &Peer, version: Version) {
        self.socket.send(peer.address, peer.wrap(datagram, version));
        self.wake_for_socket();
    }

    fn wake_for_socket(&self) {
        if self.socket.is_waiting() {
            self.wake.notify_one();
        }
    }

    /// Runs a step of a client's state machine, and carries out the result.
    fn step(&mut self, key: Key, now: Instant, step: impl FnOnce(&mut Client, Context<'_>, &mut Output)) {
        self.run_step(key, now, step);
        if self.own.shared.is_some() {
            self.settle(key, now);
            self.settle_touched(now);
        }
    }

    /// As [`State::step`], without the answers of the shared connection.
    fn run_step(&mut self, key: Key, now: Instant, step: impl FnOnce(&mut Client, Context<'_>, &mut Output)) {
        let Some(slot) = self.clients.get_mut(&key) else { return };
        let has_more = self.own.shared.as_mut().is_some_and(|shared| shared.aggregate.has_more(key, now));
        let (settings, predefined) = (&self.config.settings, &self.config.predefined);
        let context = Context { now, settings, predefined, has_more };
        let mut out = Output { packets: std::mem::take(&mut self.packets), ..Output::default() };
        let had_room = slot.client.has_room(context.settings);
        step(&mut slot.client, context, &mut out);
        if let Some(link) = &slot.link {
            out.session_expiry.iter().for_each(|seconds| link.set_session_expiry(*seconds));
            link.send(&mut out.packets);
            if !had_room && slot.client.has_room(context.settings) {
                link.signal();
            }
        }
        if let Some(shared) = &mut self.own.shared {
            out.session_expiry.iter().for_each(|seconds| shared.aggregate.set_session_expiry(key, *seconds));
            shared.aggregate.receive_from_client(key, &out.packets);
        }
        out.packets.clear();
        self.packets = out.packets;
        for datagram in out.datagrams {
            let version = slot.client.version();
            self.socket.send(slot.peer.address, slot.peer.wrap(datagram, version));
        }
        if let Some(note) = out.note {
            let client_id = slot.client.id().to_owned();
            let shared = self.own.shared.as_mut();
            let by_queue = shared.map(|shared| shared.aggregate.take_undelivered(key)).unwrap_or_default();
            let Undelivered { dropped, expired } = slot.client.take_undelivered() + by_queue;
            if dropped > 0 {
                (self.handler)(Event::Dropped { client_id: client_id.clone(), count: dropped });
            }
            if expired > 0 {
                (self.handler)(Event::Expired { client_id: client_id.clone(), count: expired });
            }
            let event = event_of(note, client_id, &slot.peer, slot.client.version());
            event.into_iter().for_each(&mut self.handler);
        }
        let is_listed_now = slot.is_replaceable() && !slot.is_listed;
        self.wake_for_socket();
        match out.action {
            Some(Action::Open) => self.open(key, now),
            Some(Action::Disconnect) => self.close(key, Closing::Orderly, now),
            Some(Action::Abandon) => self.close(key, Closing::Abrupt, now),
            Some(Action::Forget) => return self.forget(key),
            None => {}
        }
        if is_listed_now {
            self.list(key);
        }
        self.schedule(key);
    }

    /// Opens a connection to the broker, after the end of the earlier one.
    fn open(&mut self, key: Key, now: Instant) {
        self.close(key, Closing::Orderly, now);
        if self.own.shared.is_some() {
            return self.open_member(key, now);
        }
        let has_many = |slot: &Slot| Rc::strong_count(&slot.tasks) > MAX_CONNECTIONS;
        if self.opening >= MAX_OPENING || self.clients.get(&key).is_some_and(has_many) {
            self.step(key, now, |client, context, out| client.refuse(ReturnCode::CONGESTION, context, out));
            return;
        }
        let (Some(slot), Some(shared)) = (self.clients.get_mut(&key), self.this.upgrade()) else { return };
        let options = Box::new(broker_options(&self.config, &slot.client));
        let link = Rc::new(Link::default());
        slot.link = Some(Rc::clone(&link));
        slot.is_opening = true;
        self.opening += 1;
        let owner = ClientOwner { shared, key, _task: Rc::clone(&slot.tasks) };
        let previous = slot.task.take();
        slot.task = Some(spawn_local(serve(owner, link, options, previous)));
    }

    fn close(&mut self, key: Key, closing: Closing, now: Instant) {
        if self.own.shared.is_some() {
            return self.close_member(key, closing, now);
        }
        let Some(slot) = self.clients.get_mut(&key) else { return };
        if let Some(link) = slot.link.take() {
            link.close(closing);
        }
        if std::mem::take(&mut slot.is_opening) {
            self.opening = self.opening.saturating_sub(1);
        }
    }

    /// Whether the event is about the client's current connection, which is no longer being opened.
    fn note_opened(&mut self, key: Key, link: &Rc<Link>) -> bool {
        let Some(slot) = self.clients.get_mut(&key) else { return false };
        let is_current = slot.link.as_ref().is_some_and(|current| Rc::ptr_eq(current, link));
        if is_current && std::mem::take(&mut slot.is_opening) {
            self.opening = self.opening.saturating_sub(1);
        }
        is_current
    }

    pub(super) fn broker_accepted(&mut self, key: Key, link: &Rc<Link>, terms: &Terms, now: Instant) {
        if self.note_opened(key, link) {
            let (limits, session_present) = (terms.peer_accepts, terms.session_present);
            self.step(key, now, |client, context, out| {
                client.note_session_present(session_present);
                client.broker_accepted(limits, context, out);
            });
        }
    }

    pub(super) fn broker_refused(&mut self, key: Key, link: &Rc<Link>, error: &client::Error, now: Instant) {
        if !self.note_opened(key, link) {
            return;
        }
        let Some(slot) = self.clients.get_mut(&key) else { return };
        slot.link = None;
        let (client_id, peer) = (slot.client.id().to_owned(), slot.peer.clone());
        (self.handler)(Event::Refused { count: 1, client_id, peer, reason: error.to_string() });
        let return_code =
            if is_temporary(error) { ReturnCode::CONGESTION } else { ReturnCode::NOT_SUPPORTED };
        let code = match error {
            client::Error::Refused { reason, .. } => Some(*reason),
            _ => None,
        };
        self.step(key, now, |client, context, out| client.refuse_for(return_code, code, context, out));
    }

    pub(super) fn broker_lost(&mut self, key: Key, link: &Rc<Link>, reason: String, now: Instant) {
        if !self.note_opened(key, link) {
            return;
        }
        let Some(slot) = self.clients.get_mut(&key) else { return };
        slot.link = None;
        (self.handler)(Event::BrokerLost { client_id: slot.client.id().to_owned(), reason });
        self.step(key, now, Client::broker_lost);
    }

    pub(super) fn receive_packet(&mut self, key: Key, packet: &Packet<'_>, now: Instant) {
        self.step(key, now, |client, context, out| client.receive_packet(packet, context, out));
    }

    pub(super) fn has_room(&self, key: Key) -> bool {
        self.clients.get(&key).is_none_or(|slot| slot.client.has_room(&self.config.settings))
    }

    pub(super) fn unconnected_accepted(&mut self, limits: &Limits) {
        let event = self.own.unconnected.accept(limits);
        event.into_iter().for_each(&mut self.handler);
    }

    pub(super) fn unconnected_ended(&mut self, reason: String, now: Instant) {
        let event = self.own.unconnected.pause(reason, now);
        event.into_iter().for_each(&mut self.handler);
    }

    /// Adds the client's deadline to the timers, unless an earlier entry is there, which leads to another look at it.
    fn schedule(&mut self, key: Key) {
        let Some(slot) = self.clients.get_mut(&key) else { return };
        let Some(deadline) = slot.client.deadline(&self.config.settings) else { return };
        if slot.scheduled.is_some_and(|scheduled| scheduled <= deadline) {
            return;
        }
        slot.scheduled = Some(deadline);
        if self.timers.peek().is_none_or(|Reverse((earliest, _))| deadline < *earliest) {
            self.wake.notify_one();
        }
        self.timers.push(Reverse((deadline, key)));
        if self.timers.len() > 2 * self.clients.len() + STALE_ENTRIES {
            let is_live = |(due, key): (Instant, Key)| {
                self.clients.get(&key).is_some_and(|slot| slot.scheduled == Some(due))
            };
            self.timers.retain(|Reverse(entry)| is_live(*entry));
        }
    }

    /// Acts on expired timers. Returns the time of the next one.
    pub(super) fn run_timers(&mut self, now: Instant) -> Instant {
        while let Some(Reverse((due, key))) = self.timers.peek().copied() {
            if due > now {
                break;
            }
            self.timers.pop();
            let Some(slot) = self.clients.get_mut(&key) else { continue };
            if slot.scheduled == Some(due) {
                slot.scheduled = None;
                self.step(key, now, Client::tick);
            }
        }
        self.advertise(now);
        self.open_shared(now);
        let next = self.timers.peek().map(|Reverse((due, _))| *due);
        let shared = self.own.shared.as_ref().and_then(|shared| shared.due);
        next.into_iter().chain(self.next_advertise).chain(shared).min().unwrap_or(now + FAR)
    }

    fn advertise(&mut self, now: Instant) {
        let (Some((group, interval)), Some(due)) = (self.config.advertise, self.next_advertise) else {
            return;
        };
        if now < due {
            return;
        }
        self.next_advertise = Some(now + interval);
        let duration = u16::try_from(interval.as_secs()).unwrap_or(u16::MAX);
        let peer = Peer { address: group, node_id: None };
        let gateway_id = self.config.gateway_id;
        if self.config.version == Some(Version::V20) {
            let advertise = v2::Packet::Advertise { gateway_id, duration };
            return self.reply_v2(&advertise, &peer);
        }
        self.reply(&Message::Advertise { gateway_id, duration }, &peer);
    }

    /// Disconnects all clients.
    pub(super) fn shut_down(&mut self, now: Instant) {
        let keys: Vec<Key> = self.clients.keys().copied().collect();
        for key in keys {
            self.step(key, now, Client::shut_down);
        }
        self.own.close();
    }

    /// Whether connections to the broker are still open.
    pub(super) fn has_connections(&self) -> bool {
        let is_shared_open = self.own.shared.as_ref().is_some_and(SharedConnection::is_open);
        is_shared_open
            || self.clients.values().any(|slot| slot.task.as_ref().is_some_and(|task| !task.is_finished()))
    }
}

/// The parameters of the client's connection to the broker.
fn broker_options(config: &Config, client: &Client) -> Options {
    let parameters = client.parameters();
    let will = parameters.will.map(|will| WillOptions {
        topic: will.topic.clone(),
        payload: will.payload.clone(),
        qos: will.qos,
        retain: will.retain,
        properties: PropertiesBuf::default(),
    });
    let mut options = Options {
        client_id: parameters.client_id.to_owned(),
        clean_start: parameters.is_clean,
        will,
        ..config.broker.clone()
    };
    if let Some((username, password)) = parameters.credentials {
        options.username = Some(username.to_owned());
        options.password = Some(password.to_vec());
    }
    if options.version.is_v5() {
        let mut push = |id, value| {
            // A duplicate of an option that the user typed.
            let _ = options.properties.push(id, PropertyValue::Number(value));
        };
        let queued = u16::try_from(config.settings.queued_messages).unwrap_or(u16::MAX).max(1);
        push(PropertyId::ReceiveMaximum, queued.into());
        if parameters.session_expiry > 0 {
            push(PropertyId::SessionExpiryInterval, parameters.session_expiry);
        }
    } else {
        // Before MQTT 5, only a session that is not clean outlasts the connection.
        options.clean_start |= parameters.session_expiry == 0;
    }
    options
}

/// Whether a message is published without a connection.
fn needs_no_connection(message: &Message<'_>) -> bool {
    matches!(message, Message::Publish(publish) if publish.qos == PublishQos::MinusOne)
}

/// Whether the client may try again later.
fn is_temporary(error: &client::Error) -> bool {
    match error {
        client::Error::Refused { reason, .. } => matches!(
            *reason,
            ReasonCode::SERVER_UNAVAILABLE | ReasonCode::SERVER_BUSY | ReasonCode::QUOTA_EXCEEDED
        ),
        client::Error::Timeout(_) => true,
        error => error.is_worth_retrying(),
    }
}

/// The event to report, unless `make_room` reports it.
fn event_of(note: Note, client_id: String, peer: &Peer, version: Version) -> Option<Event> {
    Some(match note {
        Note::Connected => Event::Connected { client_id, peer: peer.clone(), version },
        Note::Disconnected => Event::Disconnected { client_id },
        Note::Asleep(duration) => Event::Asleep { client_id, duration },
        Note::Silent => Event::Silent { client_id },
        Note::NoAnswer => Event::NoAnswer { client_id },
        Note::GaveWay => return None,
        Note::Overrun => Event::Overrun { client_id },
    })
}
