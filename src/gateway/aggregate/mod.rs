//! The aggregating gateway (MQTT-SN 1.2, section 4.2): one connection to the broker, which all clients share.
//!
//! Towards the clients' state machines it is a broker: it holds their sessions and queues, and acknowledges a message of the broker
//! when it is in the queues of all its receivers. Towards the broker it is one client. It owns no socket and reads no clock; packets
//! go out through the [`Link`] of the connection.
//!
//! - `member` is the session of one client.
//! - `subscriptions` counts the filters over the clients, and finds the receivers of a message.
//! - `message` has the messages in both directions.

mod member;
mod message;
mod subscriptions;

use super::key::{ByKey, Key};
use super::link::{Closing, Link};
use crate::client::Terms;
use crate::protocol::session::{Event, Limits, Outgoing, PublishError, Role, Session, SessionError};
use crate::protocol::sn::gateway::{Settings, Undelivered, Will};
use crate::protocol::{
    MAX_PACKET_SIZE, Packet, PacketReader, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish,
    Qos, ReasonCode, SizeLimits, Subscription, SubscriptionOptions,
};
use member::Member;
use message::{Forwarded, Message, Origin};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;
use subscriptions::{Answer, Asker, Request, Subscriptions};

/// The bytes of messages for the broker beyond which messages are rejected as congestion.
const MAX_WAITING: usize = 1 << 20;

/// The maximum of unacknowledged messages at the broker, even if it allows more.
const MAX_IN_FLIGHT: u16 = 1000;

/// The shared connection and the sessions of its clients.
#[derive(Debug)]
pub(super) struct Aggregate {
    settings: Settings,
    session: Session<Rc<Forwarded>>,
    /// The current connection, and whether the broker has accepted it.
    link: Option<Rc<Link>>,
    is_accepted: bool,
    /// Packets for the broker.
    output: Vec<u8>,
    /// Messages for the broker that its receive maximum holds back.
    waiting: VecDeque<Forwarded>,
    waiting_bytes: usize,
    subscriptions: Subscriptions,
    members: ByKey<Member>,
    last_connection: u64,
    /// The clients with new packets.
    touched: Vec<Key>,
    unconnected_dropped: u64,
}

/// The reason why the connection cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error(
        "the broker does not support subscription identifiers, which one connection for all clients needs"
    )]
    NoSubscriptionIdentifiers,
}

impl Aggregate {
    pub(super) fn new(settings: Settings) -> Aggregate {
        Aggregate {
            session: Session::new(Role::Client, settings.version),
            settings,
            link: None,
            is_accepted: false,
            output: Vec::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            subscriptions: Subscriptions::default(),
            members: ByKey::default(),
            last_connection: 0,
            touched: Vec::new(),
            unconnected_dropped: 0,
        }
    }

    /// A connection is being opened.
    pub(super) fn open(&mut self, link: Rc<Link>) {
        self.link = Some(link);
    }

    pub(super) fn is_current(&self, link: &Rc<Link>) -> bool {
        self.link.as_ref().is_some_and(|current| Rc::ptr_eq(current, link))
    }

    /// The broker's limits if it has accepted the connection.
    pub(super) fn broker_accepts(&self) -> Option<Limits> {
        self.is_accepted.then(|| *self.session.peer_accepts())
    }

    /// Whether messages are rejected as congestion: the broker is disconnected, or does not take the messages.
    pub(super) fn is_congested(&self) -> bool {
        !self.is_accepted
            || self.waiting_bytes >= MAX_WAITING
            || self.link.as_ref().is_none_or(|link| link.is_congested())
    }

    /// The broker has accepted the connection. Returns the number of messages whose delivery is unknown, since the broker has lost
    /// the session between PUBREC and PUBCOMP.
    ///
    /// # Errors
    /// If the broker lacks a feature.
    pub(super) fn accepted(&mut self, terms: &Terms) -> Result<usize, Unusable> {
        let mut limits = terms.peer_accepts;
        if !limits.subscription_identifier_available {
            return Err(Unusable::NoSubscriptionIdentifiers);
        }
        limits.receive_maximum = limits.receive_maximum.min(MAX_IN_FLIGHT);
        let lost = self.session.start(self.settings.version, terms.accepts, limits, terms.session_present);
        self.is_accepted = true;
        let unknown = lost.len();
        for (_, forwarded) in lost {
            self.settle(&forwarded, ReasonCode::SUCCESS);
        }
        self.subscriptions.restart(terms.session_present);
        self.advance();
        Ok(unknown)
    }

    /// The connection has ended, or could not be opened.
    pub(super) fn lost(&mut self) {
        (self.link, self.is_accepted) = (None, false);
        self.output.clear();
    }

    /// Closes the connection.
    pub(super) fn close(&mut self, closing: Closing) {
        if let Some(link) = &self.link {
            link.close(closing);
        }
    }

    /// A client connects, with its session if it has one, which outlasts the connection for this time in seconds.
    pub(super) fn connect(&mut self, key: Key, session_expiry: u32) {
        self.last_connection += 1;
        let settings = &self.settings;
        let member = self.members.entry(key).or_insert_with(|| Member::new(settings));
        member.connect(self.last_connection, session_expiry, settings);
    }

    /// The client has changed the time for which its session outlasts the connection.
    pub(super) fn set_session_expiry(&mut self, key: Key, seconds: u32) {
        if let Some(member) = self.members.get_mut(&key) {
            member.session_expiry = seconds;
        }
    }

    /// Whether there is a session of the client.
    pub(super) fn has_session(&self, key: Key) -> bool {
        self.members.contains_key(&key)
    }

    /// A client has gone. Returns whether it was connected.
    pub(super) fn disconnect(&mut self, key: Key, now: Instant) -> bool {
        let Some(member) = self.members.get_mut(&key) else { return false };
        let was_connected = member.connection.is_some();
        if was_connected && !member.disconnect(now) {
            self.remove(key);
        }
        was_connected
    }

    /// Removes the session of a client that was away for too long.
    pub(super) fn remove_expired(&mut self, key: Key, now: Instant) {
        if self.members.get(&key).is_some_and(|member| member.has_expired(now)) {
            self.remove(key);
        }
    }

    /// Ends the session of a client.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(member) = self.members.remove(&key) else { return };
        member.filters.iter().for_each(|filter| self.subscriptions.unsubscribe(filter, key));
        self.advance();
    }

    /// Publishes the will of a lost client, which the broker does not know.
    pub(super) fn publish_will(&mut self, will: &Will) {
        let Will { topic, payload, qos, retain } = will;
        let properties = Properties::EMPTY;
        let publish =
            Publish { dup: false, qos: *qos, retain: *retain, topic, packet_id: None, properties, payload };
        self.hold(Forwarded::new(&publish, None));
        self.advance();
    }

    /// Publishes a message of QoS -1. Returns the number of dropped ones if earlier ones were dropped.
    pub(super) fn publish_unconnected(&mut self, publish: &Publish<'_>) -> Option<u64> {
        let kept = || Rc::new(Forwarded::new(publish, None));
        if self.is_congested() || self.session.publish(publish, kept, &mut self.output).is_err() {
            self.unconnected_dropped += 1;
            return None;
        }
        self.flush();
        let dropped = std::mem::take(&mut self.unconnected_dropped);
        (dropped > 0).then_some(dropped)
    }

    /// Whether more messages follow for a client that is awake.
    pub(super) fn has_more(&mut self, key: Key, now: Instant) -> bool {
        self.members.get_mut(&key).is_some_and(|member| member.has_more(now))
    }

    /// Takes the packets for a client: answers, and one message if it has no other one.
    pub(super) fn take_packets(&mut self, key: Key, wants_message: bool) -> Vec<u8> {
        self.members.get_mut(&key).map(|member| member.take_packets(wants_message)).unwrap_or_default()
    }

    /// The messages that a client did not get since the last call.
    pub(super) fn take_undelivered(&mut self, key: Key) -> Undelivered {
        self.members.get_mut(&key).map(Member::take_undelivered).unwrap_or_default()
    }

    /// The clients with new packets.
    pub(super) fn take_touched(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.touched)
    }

    /// Handles packets of a client.
    pub(super) fn receive_from_client(&mut self, key: Key, packets: &[u8]) {
        let mut reader = PacketReader::new(packets, SizeLimits::all(MAX_PACKET_SIZE));
        while let Ok(Some(packet)) = reader.read(self.settings.version) {
            self.receive_client_packet(key, packet);
        }
        self.advance();
    }

    fn receive_client_packet(&mut self, key: Key, packet: Packet<'_>) {
        let Some(member) = self.members.get_mut(&key) else { return };
        let Some(connection) = member.connection else { return };
        let Member { session, answers, .. } = member;
        match session.receive(packet, answers) {
            Ok(Event::Message { publish, .. }) if publish.qos == Qos::AtMostOnce => {
                let kept = || Rc::new(Forwarded::new(&publish, None));
                // The client's state machine has checked the limits.
                let _ = self.session.publish(&publish, kept, &mut self.output);
            }
            Ok(Event::Message { publish, acknowledgement }) => {
                let origin = Origin { key, connection, acknowledgement };
                let forwarded = Forwarded::new(&publish, Some(origin));
                self.hold(forwarded);
            }
            Ok(Event::Subscribe(subscribe)) => {
                let request = Some((connection, subscribe.packet_id));
                let wanted = subscribe.subscriptions.iter();
                let wanted: Vec<(Box<str>, Qos)> =
                    wanted.map(|one| (one.filter.into(), one.options.maximum_qos)).collect();
                for (filter, qos) in wanted {
                    self.subscribe(&filter, Asker { key, qos, request });
                }
            }
            Ok(Event::Unsubscribe(unsubscribe)) => {
                let packet_id = unsubscribe.packet_id;
                let filters: Vec<Box<str>> =
                    unsubscribe.filters.iter().map(|&filter| filter.into()).collect();
                let mut reason_code = ReasonCode::NO_SUBSCRIPTION_EXISTED;
                for filter in filters {
                    if member.filters.remove(&*filter) {
                        reason_code = ReasonCode::SUCCESS;
                    }
                    self.subscriptions.unsubscribe(&filter, key);
                }
                member.answer_unsubscribe(packet_id, reason_code);
            }
            // The state machine sends only packets of the exchanges that it has.
            Ok(_) | Err(_) => {}
        }
    }

    fn subscribe(&mut self, filter: &str, asker: Asker) {
        let Some(member) = self.members.get_mut(&asker.key) else { return };
        let is_full = member.filters.len() >= self.settings.topics && !member.filters.contains(filter);
        if is_full || !self.is_accepted {
            if let Some((_, packet_id)) = asker.request {
                member.answer_subscribe(packet_id, ReasonCode::QUOTA_EXCEEDED);
            }
            return;
        }
        let name = self.subscriptions.subscribe(filter, asker);
        member.filters.insert(name);
    }

    /// Handles a packet of the broker.
    ///
    /// # Errors
    /// If the broker must not send it.
    pub(super) fn receive_from_broker(
        &mut self,
        packet: &Packet<'_>,
        now: Instant,
    ) -> Result<(), SessionError> {
        match self.session.receive(packet.clone(), &mut self.output)? {
            Event::Message { publish, acknowledgement } => {
                let ids: Vec<u32> = subscription_ids(&publish).collect();
                let message = Rc::new(Message::new(&publish, now));
                self.session.acknowledge(acknowledgement, ReasonCode::SUCCESS, &mut self.output);
                self.fan_out(&ids, &message);
            }
            Event::Published { reason_code, message, .. } => self.settle(&message, reason_code),
            Event::Subscribed(ack) => {
                let code = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
                let answer = self.subscriptions.answered(ack.packet_id, code);
                answer.into_iter().for_each(|answer| self.pass_answer(answer));
            }
            Event::Unsubscribed(ack) => self.subscriptions.ended(ack.packet_id),
            Event::Nothing
            | Event::Pingresp
            | Event::Disconnect(_)
            | Event::Auth(_)
            | Event::Subscribe(_)
            | Event::Unsubscribe(_) => {}
        }
        self.advance();
        Ok(())
    }

    fn fan_out(&mut self, ids: &[u32], message: &Rc<Message>) {
        for (key, granted) in self.subscriptions.receivers(ids.iter().copied(), message) {
            self.push(key, message, granted);
        }
    }

    fn push(&mut self, key: Key, message: &Rc<Message>, granted: Qos) {
        if let Some(member) = self.members.get_mut(&key) {
            member.push(message, message.qos.min(granted), &self.settings);
            self.touched.push(key);
        }
    }

    /// Sends the clients the result of their SUBSCRIBE, then the messages that came before it.
    fn pass_answer(&mut self, answer: Answer) {
        let Answer { filter, askers, reason_code, early, earlier } = answer;
        let granted = Qos::from_u8(reason_code.0);
        for asker in askers {
            let qos = granted.map(|granted| granted.min(asker.qos));
            let Some(member) = self.members.get_mut(&asker.key) else { continue };
            if granted.is_none() && !earlier.contains(&asker.key) {
                member.filters.remove(&filter);
            }
            if let Some((connection, packet_id)) = asker.request
                && member.connection == Some(connection)
            {
                member.answer_subscribe(packet_id, qos.map_or(reason_code, |qos| ReasonCode(qos as u8)));
            }
            member.note_dropped(early.dropped);
            self.touched.push(asker.key);
            for message in early.messages.iter().filter(|_| granted.is_some()) {
                if message.retain || !earlier.contains(&asker.key) {
                    self.push(asker.key, message, asker.qos);
                }
            }
        }
    }

    /// The broker has settled a message of a client.
    fn settle(&mut self, forwarded: &Forwarded, reason_code: ReasonCode) {
        let Some(Origin { key, connection, acknowledgement }) = forwarded.origin else { return };
        if let Some(member) = self.members.get_mut(&key)
            && member.connection == Some(connection)
        {
            member.acknowledge(acknowledgement, reason_code);
            self.touched.push(key);
        }
    }

    fn hold(&mut self, forwarded: Forwarded) {
        self.waiting_bytes += forwarded.size();
        self.waiting.push_back(forwarded);
    }

    /// Sends as many messages as the broker can take.
    fn advance(&mut self) {
        if !self.is_accepted {
            return;
        }
        for (forwarded, error) in self.session.resend(usize::MAX, &mut self.output) {
            self.settle(&forwarded, code_of(&error));
        }
        while let Some(forwarded) = self.waiting.front()
            && (self.session.quota() > 0 || forwarded.is_unacknowledged())
            && let Some(forwarded) = self.waiting.pop_front()
        {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(forwarded.size());
            self.forward(forwarded);
        }
        while let Some(request) = self.subscriptions.next_request() {
            self.request(request);
        }
        self.flush();
    }

    fn forward(&mut self, forwarded: Forwarded) {
        let forwarded = Rc::new(forwarded);
        let sent = self.session.publish(&forwarded.as_publish(), || Rc::clone(&forwarded), &mut self.output);
        if let Err(error) = sent {
            self.settle(&forwarded, code_of(&error));
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Subscribe { filter, id, qos } => {
                let mut properties = PropertiesBuf::new();
                // A number from 1 to the largest one.
                let _ = properties.push(PropertyId::SubscriptionIdentifier, PropertyValue::Number(id));
                let options = SubscriptionOptions { maximum_qos: qos, ..SubscriptionOptions::default() };
                let subscriptions = vec![Subscription { filter: &filter, options }];
                match self.session.subscribe(subscriptions, properties.as_properties(), &mut self.output) {
                    Ok(packet_id) => self.subscriptions.note_sent(packet_id, filter),
                    Err(_) => {
                        let answer = self.subscriptions.conclude(filter, ReasonCode::TOPIC_FILTER_INVALID);
                        answer.into_iter().for_each(|answer| self.pass_answer(answer));
                    }
                }
            }
            Request::Unsubscribe { filter } => {
                let sent = self.session.unsubscribe(vec![&filter], Properties::EMPTY, &mut self.output);
                if let Ok(packet_id) = sent {
                    self.subscriptions.note_sent(packet_id, filter);
                }
            }
        }
    }

    fn flush(&mut self) {
        if let Some(link) = &self.link {
            link.send(&mut self.output);
        }
    }
}

/// The subscriptions that the broker sent a message for.
fn subscription_ids(publish: &Publish<'_>) -> impl Iterator<Item = u32> {
    publish.properties.iter().filter_map(|property| match (property.id, property.value) {
        (PropertyId::SubscriptionIdentifier, PropertyValue::Number(id)) => Some(id),
        _ => None,
    })
}

/// The reason code for a message that the broker would not accept.
fn code_of(error: &PublishError) -> ReasonCode {
    match error {
        PublishError::QosNotSupported { .. } => ReasonCode::QOS_NOT_SUPPORTED,
        PublishError::RetainNotSupported => ReasonCode::RETAIN_NOT_SUPPORTED,
        PublishError::PacketTooLarge { .. } | PublishError::Encode(_) => ReasonCode::PACKET_TOO_LARGE,
        PublishError::TopicAliasNotSupported { .. } | PublishError::QuotaUsedUp => {
            ReasonCode::UNSPECIFIED_ERROR
        }
    }
}
