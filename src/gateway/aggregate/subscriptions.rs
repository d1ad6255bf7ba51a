//! The subscriptions of all clients, as the broker sees them: each filter once.
//!
//! Each SUBSCRIBE has its own subscription identifier, and the broker repeats it with each message. So a message needs no search
//! for its subscribers, overlapping filters double nothing, and the retained messages that the broker sends for a further subscriber
//! go to that one only.

use super::member::ConnectionNumber;
use super::message::Message;
use crate::gateway::key::Key;
use crate::protocol::topic::split_share;
use crate::protocol::{PacketId, Qos, ReasonCode};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::rc::Rc;

/// The maximum of requests that the broker has not answered.
const MAX_OPEN: usize = 100;

/// The identifiers of a filter that are remembered for messages on their way. A filter gets a new one with further subscribers, at most
/// once for each answer of the broker.
const MAX_ROUNDS: usize = 64;

/// The maximum of messages, and of their bytes, that wait for the answer to a SUBSCRIBE.
const MAX_EARLY: usize = 4096;
const MAX_EARLY_BYTES: usize = 1 << 20;

/// The largest subscription identifier (MQTT 5.0, section 3.8.2.1.2).
const LARGEST_ID: u32 = 268_435_455;

/// A client that waits for the answer to its SUBSCRIBE.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) key: Key,
    pub(super) qos: Qos,
    /// The SUBSCRIBE of the client; `None` if the gateway itself subscribes again on a new connection.
    pub(super) request: Option<(ConnectionNumber, PacketId)>,
}

/// The filters of all clients.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    filters: HashMap<Rc<str>, Filter>,
    /// The filters by subscription identifier.
    ids: HashMap<u32, Rc<str>>,
    last_id: u32,
    /// The filters to subscribe to or to unsubscribe from, in order.
    due: VecDeque<Rc<str>>,
    /// The filters of unanswered requests.
    open: HashMap<PacketId, Rc<str>>,
}

/// A filter that clients use, or used until now.
#[derive(Debug, Default)]
struct Filter {
    /// The clients, with the QoS that each was granted.
    subscribers: BTreeMap<Key, Qos>,
    /// The clients for the next SUBSCRIBE.
    askers: Vec<Asker>,
    /// The unanswered SUBSCRIBE.
    sent: Option<Sent>,
    /// The earlier ones, the last one at the end.
    rounds: VecDeque<Round>,
    /// The last member that got a message of a shared subscription.
    last_served: Option<Key>,
    /// UNSUBSCRIBE was sent and is not answered.
    is_ending: bool,
}

#[derive(Debug)]
struct Sent {
    id: u32,
    askers: Vec<Asker>,
    early: Early,
}

/// Messages that came before the answer to a SUBSCRIBE, for its askers.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) messages: Vec<Rc<Message>>,
    bytes: usize,
    pub(super) dropped: u64,
}

impl Early {
    fn push(&mut self, message: &Rc<Message>) {
        if self.messages.len() >= MAX_EARLY || self.bytes >= MAX_EARLY_BYTES {
            self.dropped += 1;
            return;
        }
        self.bytes += message.size();
        self.messages.push(Rc::clone(message));
    }
}

/// A SUBSCRIBE that the broker has answered.
#[derive(Debug)]
struct Round {
    id: u32,
    /// The clients that it was for, which get its retained messages.
    askers: HashSet<Key>,
}

/// The next request to the broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Subscribe { filter: Rc<str>, id: u32, qos: Qos },
    Unsubscribe { filter: Rc<str> },
}

/// The broker's answer to a SUBSCRIBE, for the clients.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) filter: Rc<str>,
    pub(super) askers: Vec<Asker>,
    /// The granted QoS, or an error.
    pub(super) reason_code: ReasonCode,
    pub(super) early: Early,
    /// The clients that had subscribed before.
    pub(super) earlier: HashSet<Key>,
}

impl Filter {
    fn is_unused(&self) -> bool {
        self.subscribers.is_empty()
            && self.askers.is_empty()
            && self.sent.as_ref().is_none_or(|sent| sent.askers.is_empty())
    }

    /// The QoS that the broker is asked for: the highest one of all clients.
    fn qos(&self) -> Qos {
        let asked = self.askers.iter().map(|asker| asker.qos);
        asked.chain(self.subscribers.values().copied()).max().unwrap_or_default()
    }

    fn remove(&mut self, key: Key) {
        self.subscribers.remove(&key);
        self.askers.retain(|asker| asker.key != key);
        if let Some(sent) = &mut self.sent {
            sent.askers.retain(|asker| asker.key != key);
        }
    }

    /// The next member of a shared subscription.
    fn next_member(&mut self) -> Option<(Key, Qos)> {
        let after = self.last_served.map_or(Unbounded, Excluded);
        let mut later = self.subscribers.range((after, Unbounded));
        let (key, qos) = later.next().or_else(|| self.subscribers.first_key_value())?;
        self.last_served = Some(*key);
        Some((*key, *qos))
    }
}

impl Subscriptions {
    /// A client subscribes. The broker is asked even if it sends the messages already, since it sends the retained ones again
    /// only then.
    pub(super) fn subscribe(&mut self, filter: &str, asker: Asker) -> Rc<str> {
        let name =
            self.filters.get_key_value(filter).map_or_else(|| filter.into(), |(name, _)| Rc::clone(name));
        let entry = self.filters.entry(Rc::clone(&name)).or_default();
        let is_due = !entry.askers.is_empty();
        entry.askers.push(asker);
        if !is_due {
            self.due.push_back(Rc::clone(&name));
        }
        name
    }

    /// A client no longer wants the messages of a filter.
    pub(super) fn unsubscribe(&mut self, filter: &str, key: Key) {
        let Some((name, _)) = self.filters.get_key_value(filter) else { return };
        let name = Rc::clone(name);
        let Some(entry) = self.filters.get_mut(filter) else { return };
        entry.remove(key);
        if entry.is_unused() && !entry.is_ending {
            self.due.push_back(name);
        }
    }

    /// The next request to the broker, unless it has enough of them.
    pub(super) fn next_request(&mut self) -> Option<Request> {
        while self.open.len() < MAX_OPEN {
            let name = self.due.pop_front()?;
            let Some(filter) = self.filters.get_mut(&name) else { continue };
            if filter.sent.is_some() || filter.is_ending {
                continue; // The answer leads to another look.
            }
            if filter.is_unused() {
                filter.is_ending = true;
                return Some(Request::Unsubscribe { filter: name });
            }
            if filter.askers.is_empty() {
                continue;
            }
            self.last_id = if self.last_id >= LARGEST_ID { 1 } else { self.last_id + 1 };
            let (id, qos) = (self.last_id, filter.qos());
            let askers = std::mem::take(&mut filter.askers);
            filter.sent = Some(Sent { id, askers, early: Early::default() });
            self.ids.insert(id, Rc::clone(&name));
            return Some(Request::Subscribe { filter: name, id, qos });
        }
        None
    }

    /// The request has this packet identifier.
    pub(super) fn note_sent(&mut self, packet_id: PacketId, filter: Rc<str>) {
        self.open.insert(packet_id, filter);
    }

    /// The broker's SUBACK.
    pub(super) fn answered(&mut self, packet_id: PacketId, reason_code: ReasonCode) -> Option<Answer> {
        let filter = self.open.remove(&packet_id)?;
        self.conclude(filter, reason_code)
    }

    /// Ends the open SUBSCRIBE of a filter.
    pub(super) fn conclude(&mut self, name: Rc<str>, reason_code: ReasonCode) -> Option<Answer> {
        let filter = self.filters.get_mut(&name)?;
        let Sent { id, askers, early } = filter.sent.take()?;
        let earlier = askers.iter().map(|asker| asker.key).filter(|key| filter.subscribers.contains_key(key));
        let earlier = earlier.collect();
        match Qos::from_u8(reason_code.0) {
            Some(granted) => {
                for asker in &askers {
                    filter.subscribers.insert(asker.key, asker.qos.min(granted));
                }
                let askers = askers.iter().map(|asker| asker.key).collect();
                filter.rounds.push_back(Round { id, askers });
                if filter.rounds.len() > MAX_ROUNDS
                    && let Some(oldest) = filter.rounds.pop_front()
                {
                    self.ids.remove(&oldest.id);
                }
            }
            None => {
                self.ids.remove(&id);
                for asker in askers.iter().filter(|asker| asker.request.is_none()) {
                    filter.subscribers.remove(&asker.key);
                }
            }
        }
        self.look_again(&name, reason_code);
        Some(Answer { filter: name, askers, reason_code, early, earlier })
    }

    /// Plans the next request for a filter after an answer.
    fn look_again(&mut self, name: &Rc<str>, reason_code: ReasonCode) {
        let Some(filter) = self.filters.get(name) else { return };
        if filter.is_unused() && reason_code.is_error() && filter.rounds.is_empty() {
            self.filters.remove(name); // The broker has no such subscription.
        } else if filter.is_unused() || !filter.askers.is_empty() {
            self.due.push_back(Rc::clone(name));
        }
    }

    /// The broker's UNSUBACK.
    pub(super) fn ended(&mut self, packet_id: PacketId) {
        let Some(name) = self.open.remove(&packet_id) else { return };
        let Some(filter) = self.filters.get_mut(&name) else { return };
        filter.is_ending = false;
        for round in std::mem::take(&mut filter.rounds) {
            self.ids.remove(&round.id);
        }
        if filter.is_unused() {
            self.filters.remove(&name);
        } else {
            self.due.push_back(name);
        }
    }

    /// Finds the receivers of a message that the broker sent for these subscription identifiers, each once, with the QoS of its
    /// subscription.
    pub(super) fn receivers(
        &mut self,
        ids: impl Iterator<Item = u32>,
        message: &Rc<Message>,
    ) -> Vec<(Key, Qos)> {
        let mut receivers = Vec::new();
        let mut filters = 0;
        for id in ids {
            let Some(name) = self.ids.get(&id) else { continue };
            let Some(filter) = self.filters.get_mut(name) else { continue };
            filters += 1;
            if let Some(sent) = filter.sent.as_mut().filter(|sent| sent.id == id) {
                sent.early.push(message);
            }
            if message.retain {
                let round = filter.rounds.iter().find(|round| round.id == id);
                let askers = round.iter().flat_map(|round| &round.askers);
                let still_there = |key: &Key| filter.subscribers.get(key).map(|qos| (*key, *qos));
                receivers.extend(askers.filter_map(still_there));
            } else if matches!(split_share(name), Ok(Some(_))) {
                receivers.extend(filter.next_member());
            } else {
                receivers.extend(filter.subscribers.iter().map(|(key, qos)| (*key, *qos)));
            }
        }
        if filters > 1 {
            receivers.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
            receivers.dedup_by_key(|(key, _)| *key);
        }
        receivers
    }

    /// Starts on a new connection. If the broker has lost the session, every filter is subscribed to again; otherwise only the
    /// unanswered requests are repeated.
    pub(super) fn restart(&mut self, session_present: bool) {
        self.open.clear();
        self.due.clear();
        if !session_present {
            self.ids.clear();
        }
        for (name, filter) in &mut self.filters {
            filter.is_ending = false;
            if let Some(sent) = filter.sent.take() {
                filter.askers.splice(0..0, sent.askers);
                // The broker may have received it.
                filter.rounds.push_back(Round { id: sent.id, askers: HashSet::new() });
            }
            if !session_present {
                filter.rounds.clear();
                let again = filter.subscribers.iter().map(|(&key, &qos)| Asker { key, qos, request: None });
                filter.askers.extend(again);
            }
            if !filter.askers.is_empty() || filter.is_unused() {
                self.due.push_back(Rc::clone(name));
            }
        }
        if !session_present {
            self.filters.retain(|_, filter| !filter.is_unused());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Properties, Publish};
    use std::time::Instant;

    fn asker(key: u64, qos: Qos) -> Asker {
        Asker { key: Key(key), qos, request: None }
    }

    fn packet_id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn message(retain: bool) -> Rc<Message> {
        let (qos, topic, payload) = (Qos::AtLeastOnce, "a", &b"1"[..]);
        let properties = Properties::EMPTY;
        let publish = Publish { dup: false, qos, retain, topic, packet_id: None, properties, payload };
        Rc::new(Message::new(&publish, Instant::now()))
    }

    /// Sends the next request with this packet identifier. Returns its subscription identifier, or 0 for UNSUBSCRIBE.
    fn send(subscriptions: &mut Subscriptions, number: u16) -> Option<u32> {
        let (filter, id) = match subscriptions.next_request()? {
            Request::Subscribe { filter, id, .. } => (filter, id),
            Request::Unsubscribe { filter } => (filter, 0),
        };
        subscriptions.note_sent(packet_id(number), filter);
        Some(id)
    }

    fn subscribed(subscriptions: &mut Subscriptions, number: u16) -> usize {
        let answer = subscriptions.answered(packet_id(number), ReasonCode(1));
        answer.map_or(0, |answer| answer.askers.len())
    }

    fn keys(subscriptions: &mut Subscriptions, ids: &[u32], retain: bool) -> Vec<u64> {
        let receivers = subscriptions.receivers(ids.iter().copied(), &message(retain));
        receivers.into_iter().map(|(key, _)| key.0).collect()
    }

    #[test]
    fn clients_that_ask_during_a_round_trip_share_the_next_request() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.subscribe("a", asker(1, Qos::AtMostOnce));
        assert_eq!(send(&mut subscriptions, 1), Some(1));
        for key in 2..1000 {
            subscriptions.subscribe("a", asker(key, Qos::AtMostOnce));
        }
        assert_eq!(send(&mut subscriptions, 2), None);
        assert_eq!(subscribed(&mut subscriptions, 1), 1);
        assert_eq!(send(&mut subscriptions, 2), Some(2));
        assert_eq!(subscribed(&mut subscriptions, 2), 998);
        assert_eq!(send(&mut subscriptions, 3), None);
        assert_eq!(keys(&mut subscriptions, &[1], true), [1]);
        assert_eq!(keys(&mut subscriptions, &[2], true).len(), 998);
        assert_eq!(keys(&mut subscriptions, &[1], false).len(), 999, "an earlier identifier is still valid");
    }

    #[test]
    fn a_message_for_several_filters_has_each_receiver_once() {
        let mut subscriptions = Subscriptions::default();
        for (number, filter) in (1..).zip(["a", "#"]) {
            subscriptions.subscribe(filter, asker(7, Qos::AtMostOnce));
            subscriptions.subscribe(filter, asker(number, Qos::AtMostOnce));
            send(&mut subscriptions, number as u16);
            subscribed(&mut subscriptions, number as u16);
        }
        assert_eq!(keys(&mut subscriptions, &[1, 2], false), [1, 2, 7]);
        assert_eq!(keys(&mut subscriptions, &[2], false), [2, 7]);
        assert_eq!(keys(&mut subscriptions, &[9], false), [0; 0]);
    }

    #[test]
    fn the_last_client_ends_a_filter_and_leaves_nothing_behind() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.subscribe("a", asker(1, Qos::AtMostOnce));
        send(&mut subscriptions, 1);
        // It leaves before the answer, and another one comes and goes.
        subscriptions.unsubscribe("a", Key(1));
        assert_eq!(send(&mut subscriptions, 2), None);
        subscribed(&mut subscriptions, 1);
        assert_eq!(send(&mut subscriptions, 2), Some(0));
        subscriptions.subscribe("a", asker(2, Qos::AtMostOnce));
        assert_eq!(send(&mut subscriptions, 3), None, "UNSUBACK comes first");
        subscriptions.ended(packet_id(2));
        assert_eq!(send(&mut subscriptions, 3), Some(2));
        subscribed(&mut subscriptions, 3);
        subscriptions.unsubscribe("a", Key(2));
        assert_eq!(send(&mut subscriptions, 4), Some(0));
        subscriptions.ended(packet_id(4));
        let Subscriptions { filters, ids, due, open, .. } = subscriptions;
        assert!(filters.is_empty() && ids.is_empty() && due.is_empty() && open.is_empty());
    }

    #[test]
    fn a_lost_session_is_subscribed_to_again_and_a_kept_one_is_not() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.subscribe("a", asker(1, Qos::AtMostOnce));
        send(&mut subscriptions, 1);
        subscribed(&mut subscriptions, 1);
        subscriptions.restart(true);
        assert_eq!(send(&mut subscriptions, 2), None);
        assert_eq!(keys(&mut subscriptions, &[1], false), [1]);
        subscriptions.restart(false);
        assert_eq!(keys(&mut subscriptions, &[1], false), [0; 0]);
        assert_eq!(send(&mut subscriptions, 2), Some(2));
        // A rejection ends the subscription.
        let rejected = subscriptions.answered(packet_id(2), ReasonCode::NOT_AUTHORIZED);
        assert!(rejected.is_some_and(|answer| answer.reason_code.is_error()));
        assert!(subscriptions.filters.is_empty() && subscriptions.ids.is_empty());
    }

    #[test]
    fn members_of_a_shared_subscription_take_turns() {
        let mut subscriptions = Subscriptions::default();
        for key in 1..=3 {
            subscriptions.subscribe("$share/g/a", asker(key, Qos::AtMostOnce));
        }
        send(&mut subscriptions, 1);
        subscribed(&mut subscriptions, 1);
        let taken: Vec<u64> = (0..4).flat_map(|_| keys(&mut subscriptions, &[1], false)).collect();
        assert_eq!(taken, [1, 2, 3, 1]);
    }
}
