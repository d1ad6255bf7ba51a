//! A group of clients that do the same, and what each of them is there for.

use super::{Payload, Place, Topics};
use crate::bench::schedule::OpenLoop;
use crate::bench::shard::Counts;
use crate::bench::stamp::Stamp;
use crate::protocol::Qos;

/// The messages of a run without a volume: so many of each publisher, within bounds for all of them, so that it is done
/// in seconds.
const DEFAULT_MESSAGES_EACH: u64 = 1000;
const FEWEST_DEFAULT_MESSAGES: u64 = 10_000;
const MOST_DEFAULT_MESSAGES: u64 = 100_000;

/// However many publishers there are, each sends so many.
const FEWEST_DEFAULT_MESSAGES_EACH: u64 = 10;

/// As many subscribers as publishers up to this number; beyond, one for every ten publishers.
///
/// Brokers drop messages for a subscriber that they cannot serve fast enough; mosquitto does once 1,000 wait for it. A
/// pair stays far from that, and so do ten publishers with a tenth of the default volume each.
const MOST_PAIRS: u32 = 100;
const PUBLISHERS_PER_SUBSCRIBER: u32 = 10;

/// Clients that do the same.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// Whether what is published is answered: publishers are requesters then, and subscribers responders.
    pub is_answered: bool,
    /// How many clients publish.
    pub publishers: u32,
    /// How many clients subscribe and measure; 0 for none.
    pub subscribers: u32,
    /// How many clients only connect.
    pub idle: u32,
    /// The QoS of publishing.
    pub qos: Qos,
    /// The QoS of the subscriptions.
    pub subscription_qos: Qos,
    /// The QoS that the broker granted, if that is less than was asked for.
    pub granted_qos: Option<Qos>,
    /// What messages carry.
    pub payload: Payload,
    /// Whether the broker is to keep the last message of each topic.
    pub retain: bool,
    /// Who publishes and subscribes to what.
    pub topics: Topics,
    /// What all subscribers share, where each message goes to one of them.
    pub share: Option<String>,
    /// What subscribers listen to instead of the topics, when that is what others publish.
    pub filter: Option<String>,
    /// How many messages the publishers send together; `None` for as many as the time allows.
    pub messages: Option<u64>,
    /// How many messages of QoS 1 and 2 each publisher keeps unacknowledged, and each requester unanswered.
    pub in_flight: u16,
    /// When messages are sent; `None` for as fast as they are acknowledged.
    pub open_loop: Option<OpenLoop>,
    /// Its place in the group that all shards make together.
    pub place: Place,
    /// The number of its first publisher among those of all groups.
    pub first_publisher: u32,
    /// The number of its first subscriber among those of all groups.
    pub first_subscriber: u32,
    /// The number of its first client among those of all groups.
    pub first_client: u32,
}

/// A client: what it is there for, and its number among those of its group and task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which group it belongs to.
    pub group: usize,
    /// What it does.
    pub task: Task,
    /// Counted from 0.
    pub number: u32,
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Task {
    Publish,
    Subscribe,
    Request,
    Respond,
    Stay,
}

impl Task {
    /// Whether it subscribes to something before the run begins.
    pub fn subscribes(self) -> bool {
        matches!(self, Task::Subscribe | Task::Request | Task::Respond)
    }

    /// Whether it sends messages by itself.
    pub fn publishes(self) -> bool {
        matches!(self, Task::Publish | Task::Request)
    }
}

impl Group {
    /// How many clients do what.
    pub fn counts(&self) -> Counts {
        Counts { publishers: self.publishers, subscribers: self.subscribers, idle: self.idle }
    }

    /// The QoS that messages are sent with: what was asked for, or what the broker grants.
    pub fn sending_qos(&self) -> Qos {
        self.granted_qos.map_or(self.qos, |granted| self.qos.min(granted))
    }

    /// The QoS that a message keeps on its whole way.
    pub fn promise(&self) -> Qos {
        self.sending_qos().min(self.subscription_qos)
    }

    /// How many clients do what in all shards.
    pub fn whole(&self) -> Counts {
        if self.place.whole == Counts::default() { self.counts() } else { self.place.whole }
    }

    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.publishers.saturating_add(self.subscribers).saturating_add(self.idle)
    }

    /// How many clients subscribe to something.
    pub fn subscriptions(&self) -> u32 {
        let requesters = if self.is_answered { self.publishers } else { 0 };
        self.subscribers.saturating_add(requesters)
    }

    /// How many clients it is judged by what they receive: requesters by the answers, else subscribers by the messages.
    pub fn judged(&self) -> u32 {
        if self.is_answered { self.publishers } else { self.subscribers }
    }

    /// How many deliveries a message is to lead to.
    pub fn fan_out(&self) -> u32 {
        match (self.is_answered, &self.filter) {
            (true, _) => 1,
            (false, Some(_)) => 0,
            (false, None) => self.topics.fan_out(),
        }
    }

    /// Which receiver of the account a subscriber is: those that share a subscription are one.
    pub fn receiver(&self, subscriber: u32) -> u32 {
        if self.share.is_some() { 0 } else { subscriber }
    }

    /// The filter that a subscriber subscribes with.
    pub fn filter(&self, subscriber: u32) -> String {
        let filter = match &self.filter {
            Some(filter) => filter.clone(),
            None => self.topics.filter(self.receiver(subscriber)),
        };
        match &self.share {
            Some(share) => format!("$share/{share}/{filter}"),
            None => filter,
        }
    }

    /// The bytes of a message's stamp; 0 where there is none.
    pub fn stamp_size(&self) -> usize {
        let size = if self.open_loop.is_some() { Stamp::PLANNED_SIZE } else { Stamp::SIZE };
        let is_wanted = matches!(self.payload, Payload::Size { .. }) || self.subscribers > 0;
        if is_wanted && self.payload.room_for_stamp() >= size { size } else { 0 }
    }

    /// How many messages a publisher sends.
    pub fn messages_of(&self, publisher: u32) -> u64 {
        let Some(total) = self.messages else {
            return u64::MAX;
        };
        let publishers = u64::from(self.publishers.max(1));
        total / publishers + u64::from(u64::from(publisher) < total % publishers)
    }

    pub(super) fn parts(&self, group: usize) -> impl Iterator<Item = Part> + use<> {
        let (publish, subscribe) =
            if self.is_answered { (Task::Request, Task::Respond) } else { (Task::Publish, Task::Subscribe) };
        let counts = [(subscribe, self.subscribers), (publish, self.publishers), (Task::Stay, self.idle)];
        counts
            .into_iter()
            .flat_map(move |(task, count)| (0..count).map(move |number| Part { group, task, number }))
    }
}

/// The number of subscribers that goes with a number of publishers.
pub fn default_subscribers(publishers: u32) -> u32 {
    publishers.min(MOST_PAIRS.max(publishers.div_ceil(PUBLISHERS_PER_SUBSCRIBER)))
}

/// A volume that is done in seconds, when each message leads to so many deliveries.
pub fn default_messages(publishers: u32, fan_out: u32) -> u64 {
    let publishers = u64::from(publishers);
    let all = publishers * DEFAULT_MESSAGES_EACH;
    let bounded = all.clamp(FEWEST_DEFAULT_MESSAGES, MOST_DEFAULT_MESSAGES) / u64::from(fan_out.max(1));
    bounded.max(publishers * FEWEST_DEFAULT_MESSAGES_EACH)
}
