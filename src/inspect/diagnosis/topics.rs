//! Topics and subscriptions of a capture: messages that no subscriber received, and payloads that grow.

use crate::inspect::Direction;
use crate::inspect::capture::Moment;
use crate::protocol::topic;
use foldhash::HashMap;
use std::rc::Rc;

/// The most topics and subscriptions, and the most bytes of their names; others are not judged.
const MAX_TOPICS: usize = 20_000;
const MAX_SUBSCRIPTIONS: usize = 20_000;
const MAX_BYTES: usize = 4 << 20;

/// The most filters that are compared with each topic without a receiver.
const MAX_WILDCARDS: usize = 5_000;

/// The most topics that are compared with filters.
const MAX_UNRECEIVED: usize = 1_000;

/// The time in which a server passes a message on, in nanoseconds.
const DELIVERY: u64 = 2_000_000_000;

/// A payload grows if the last one has this many times the bytes of the first, after enough messages.
const GROWTH: u64 = 4;
const MIN_GROWTH: u64 = 1024;
const MIN_MESSAGES: u64 = 10;

const SHARED: &str = "$share/";

#[derive(Debug, Default)]
pub(super) struct Topics {
    topics: HashMap<Rc<str>, TopicRecord>,
    subscriptions: Vec<SubscriptionRecord>,
    bytes: usize,
    /// The number of messages and subscriptions without room.
    pub(super) dropped: u64,
}

#[derive(Debug)]
pub(super) struct TopicRecord {
    /// Messages from clients, and those that the server denied.
    pub(super) published: u64,
    denied: u64,
    /// Messages to clients.
    delivered: u64,
    pub(super) first: Moment,
    pub(super) last: Moment,
    publisher: Option<u32>,
    server: Option<u16>,
    pub(super) first_size: u64,
    pub(super) last_size: u64,
    grown: u64,
    shrunk: u64,
}

/// A granted subscription.
#[derive(Debug)]
struct SubscriptionRecord {
    filter: Rc<str>,
    client: Option<u32>,
    server: Option<u16>,
    no_local: bool,
    since: u64,
    /// The time of UNSUBACK, of the end of the connection, or of packets that were not captured.
    until: Option<u64>,
}

/// A topic whose messages no subscriber received.
pub(super) struct Unreceived<'t> {
    pub(super) topic: &'t Rc<str>,
    pub(super) record: &'t TopicRecord,
    /// A client that had subscribed to it.
    pub(super) subscriber: Option<u32>,
}

/// The sender or receiver of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) client: Option<u32>,
    pub(super) server: Option<u16>,
}

impl Topics {
    /// Records a PUBLISH; returns the topic, unless there is no room for it.
    pub(super) fn publish(
        &mut self,
        topic: &str,
        direction: Direction,
        from: Endpoint,
        size: u64,
        at: Moment,
    ) -> Option<Rc<str>> {
        let name = match self.topics.get_key_value(topic) {
            Some((name, _)) => Rc::clone(name),
            None => {
                let name = self.name(topic, self.topics.len() < MAX_TOPICS)?;
                self.topics.insert(Rc::clone(&name), TopicRecord::new(size, at));
                name
            }
        };
        let record = self.topics.get_mut(topic)?;
        match direction {
            Direction::ClientToServer => record.publish(from, size, at),
            Direction::ServerToClient => record.delivered += 1,
        }
        Some(name)
    }

    /// Records that the server denied a message.
    pub(super) fn deny(&mut self, topic: &str) {
        if let Some(record) = self.topics.get_mut(topic) {
            record.denied += 1;
        }
    }

    /// Records a granted subscription, and returns its number. Members of a shared subscription outside the capture may receive its messages.
    pub(super) fn subscribe(
        &mut self,
        filter: &str,
        no_local: bool,
        by: Endpoint,
        since: Option<u64>,
    ) -> Option<u32> {
        let since = since.filter(|_| !filter.starts_with(SHARED))?;
        let filter = self.name(filter, self.subscriptions.len() < MAX_SUBSCRIPTIONS)?;
        let Endpoint { client, server } = by;
        let number = u32::try_from(self.subscriptions.len()).ok()?;
        self.subscriptions.push(SubscriptionRecord { filter, client, server, no_local, since, until: None });
        Some(number)
    }

    /// Ends these subscriptions, or those with this filter. Without a time, they have never been certain.
    pub(super) fn unsubscribe(&mut self, numbers: &[u32], filter: Option<&str>, at: Option<u64>) {
        for number in numbers {
            let Some(subscription) = self.subscriptions.get_mut(*number as usize) else { continue };
            if filter.is_none_or(|filter| *subscription.filter == *filter) {
                subscription.until.get_or_insert(at.unwrap_or_default());
            }
        }
    }

    /// The topics whose messages should have reached a subscriber, but did not. `end` is the time of the last packet.
    pub(super) fn unreceived(&self, end: u64) -> Vec<Unreceived<'_>> {
        let mut missing: Vec<_> = self.topics.iter().filter(|(_, record)| record.is_missing(end)).collect();
        missing.sort_unstable_by_key(|(topic, _)| *topic);
        let is_wildcard = |filter: &str| filter.contains(['+', '#']);
        let (wildcards, exact): (Vec<_>, Vec<_>) =
            self.subscriptions.iter().partition(|subscription| is_wildcard(&subscription.filter));
        let mut by_filter: HashMap<&str, Vec<&SubscriptionRecord>> = HashMap::default();
        for subscription in exact {
            by_filter.entry(&subscription.filter).or_default().push(subscription);
        }
        let find = |(topic, record): (&'_ Rc<str>, &'_ TopicRecord)| {
            let same = by_filter.get(&**topic).map(Vec::as_slice).unwrap_or_default();
            let like = wildcards.iter().take(MAX_WILDCARDS);
            let mut candidates = same.iter().chain(like.filter(|one| topic::matches(&one.filter, topic)));
            candidates.find(|one| one.is_entitled(record, end)).map(|found| found.client)
        };
        let unreceived = missing.into_iter().take(MAX_UNRECEIVED).filter_map(|(topic, record)| {
            let subscriber = find((topic, record))?;
            Some(Unreceived { topic, record, subscriber })
        });
        unreceived.collect()
    }

    /// The topics whose payloads grow.
    pub(super) fn growing(&self) -> Vec<(&Rc<str>, &TopicRecord)> {
        let mut growing: Vec<_> = self.topics.iter().filter(|(_, record)| record.is_growing()).collect();
        growing.sort_unstable_by_key(|(topic, _)| *topic);
        growing
    }

    fn name(&mut self, text: &str, has_room: bool) -> Option<Rc<str>> {
        if !has_room || self.bytes + text.len() > MAX_BYTES {
            self.dropped += 1;
            return None;
        }
        self.bytes += text.len();
        Some(Rc::from(text))
    }
}

impl TopicRecord {
    fn new(size: u64, at: Moment) -> TopicRecord {
        TopicRecord {
            published: 0,
            denied: 0,
            delivered: 0,
            first: at,
            last: at,
            publisher: None,
            server: None,
            first_size: size,
            last_size: size,
            grown: 0,
            shrunk: 0,
        }
    }

    fn publish(&mut self, from: Endpoint, size: u64, at: Moment) {
        if self.published == 0 {
            (self.first, self.first_size, self.last_size) = (at, size, size);
        }
        self.published += 1;
        self.last = at;
        (self.publisher, self.server) = (from.client, from.server);
        self.grown += u64::from(size > self.last_size);
        self.shrunk += u64::from(size < self.last_size);
        self.last_size = size;
    }

    /// Whether no subscriber received its messages, although there was time for it.
    fn is_missing(&self, end: u64) -> bool {
        let is_awaited = self.last.time.is_some_and(|last| last + DELIVERY < end);
        self.published > self.denied && self.delivered == 0 && is_awaited
    }

    fn is_growing(&self) -> bool {
        let is_larger =
            self.last_size >= self.first_size.saturating_mul(GROWTH).max(self.first_size + MIN_GROWTH);
        self.published >= MIN_MESSAGES && is_larger && self.shrunk * 10 <= self.grown
    }
}

impl SubscriptionRecord {
    /// Whether its client should have received the topic's last message.
    fn is_entitled(&self, record: &TopicRecord, end: u64) -> bool {
        let is_own = self.no_local && self.client == record.publisher;
        let until = self.until.unwrap_or(end);
        let is_active = record.last.time.is_some_and(|last| self.since < last && last + DELIVERY < until);
        is_active && !is_own && self.server == record.server
    }
}
