//! A group of clients with the same settings, and the task of each client.

use super::group_session::GroupSession;
use super::shard_offsets::{Counts, ShardOffsets};
use crate::bench::client_slot::{ClientSlot, Task};
use crate::bench::payload::Payload;
use crate::bench::payload_header::PayloadHeader;
use crate::bench::rate_course::RateCourse;
use crate::bench::rate_profile::Bounds;
use crate::bench::schedule::OpenLoop;
use crate::bench::think_time::ThinkTime;
use crate::bench::topic_list::TopicList;
use crate::bench::topics::Topics;
use crate::protocol::Qos;

/// Up to this number of publishers there is one subscriber each; beyond it, one per ten publishers.
///
/// Brokers drop messages for subscribers that read too slowly; mosquitto does once 1,000 are queued. A pair stays far
/// below that, and so do ten publishers with a small window each.
const MAX_PAIRS: u32 = 100;
const PUBLISHERS_PER_SUBSCRIBER: u32 = 10;

/// Clients with the same settings.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub name: String,
    /// Whether requests are answered: publishers are then requesters, and subscribers responders.
    pub is_answered: bool,
    /// How many clients publish.
    pub publishers: u32,
    /// How many clients subscribe and measure; 0 for none.
    pub subscribers: u32,
    /// How many clients only connect.
    pub idle: u32,
    /// The QoS of publishing; the highest of them with topics of a file.
    pub qos: Qos,
    pub subscription_qos: Qos,
    /// The QoS that the broker granted, if lower than the requested one.
    pub granted_qos: Option<Qos>,
    /// Whether its publishers send with QoS -1 of MQTT-SN, without a connection; `qos` is then 0.
    pub is_unconnected: bool,
    /// The predefined topic id of MQTT-SN that replaces the topics.
    pub topic_id: Option<u16>,
    /// The payloads of its messages.
    pub payload: Payload,
    /// Whether its messages are retained.
    pub retain: bool,
    /// The topics of its publishers and subscribers.
    pub topics: Topics,
    /// Topics from a file, which replace those of the publishers.
    pub topic_list: Option<TopicList>,
    /// The name of the shared subscription, if each message goes to one of the subscribers.
    pub share: Option<String>,
    /// A filter for messages of other publishers, which replaces the topics for subscribers.
    pub filter: Option<String>,
    /// The number of messages of all publishers together; `None` for as many as the time allows.
    pub messages: Option<u64>,
    /// The maximum of unacknowledged QoS 1 and 2 messages per publisher, and of unanswered requests per requester.
    pub in_flight: u16,
    /// The planned send times; `None` to send as fast as the broker acknowledges.
    pub open_loop: Option<OpenLoop>,
    /// The pauses of its publishers, or requesters, after each answer.
    pub think: Option<ThinkTime>,
    /// When its publishers send.
    pub bounds: Bounds,
    /// Its connection and session settings.
    pub session: GroupSession,
    /// Whether a condition or the live page watches it during the run.
    pub is_watched: bool,
    /// Its position in the group of all shards together.
    pub offsets: ShardOffsets,
    /// The number of its first publisher among those of all groups.
    pub first_publisher: u32,
    /// The number of its first subscriber among those of all groups.
    pub first_subscriber: u32,
    /// The number of its first client among those of all groups.
    pub first_client: u32,
}

impl Group {
    /// The numbers of clients by task.
    pub(crate) fn counts(&self) -> Counts {
        Counts { publishers: self.publishers, subscribers: self.subscribers, idle: self.idle }
    }

    /// Sets the seed of all random choices.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.open_loop.iter_mut().for_each(|open_loop| open_loop.seed = seed);
        self.think.iter_mut().for_each(|think| think.seed = seed);
        self.topic_list.iter_mut().for_each(|list| list.seed = seed);
    }

    /// The lowest QoS of its messages; topics of a file can have different ones.
    pub(crate) fn lowest_qos(&self) -> Qos {
        self.topic_list.as_ref().map_or(self.qos, |list| list.qos().0)
    }

    /// The QoS of its PUBLISH packets: the requested one, or the lower one that the broker grants.
    pub(crate) fn sending_qos(&self) -> Qos {
        self.granted_qos.map_or(self.qos, |granted| self.qos.min(granted))
    }

    /// The QoS from publisher to subscriber.
    pub(crate) fn delivery_qos(&self) -> Qos {
        self.sending_qos().min(self.subscription_qos)
    }

    /// Whether the broker acknowledges its messages.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.whole().publishers > 0 && self.sending_qos() > Qos::AtMostOnce
    }

    /// The numbers of clients by task, in all shards.
    pub(crate) fn whole(&self) -> Counts {
        if self.offsets.whole == Counts::default() { self.counts() } else { self.offsets.whole }
    }

    /// The planned messages per second of its own publishers, which may be a part of all shards.
    pub(crate) fn planned_rate(&self) -> Option<f64> {
        self.open_loop.as_ref().map(|load| load.mean_rate() * self.share_of_shards())
    }

    /// The same without pauses and the time before its start or after its end.
    pub(crate) fn planned_rate_while_sending(&self) -> Option<f64> {
        self.open_loop.as_ref().map(|load| load.profile.mean_while_sending() * self.share_of_shards())
    }

    /// The planned rate of its own publishers over time.
    pub(crate) fn rate_course(&self) -> Option<RateCourse> {
        self.open_loop.as_ref().map(|load| load.profile.course(self.share_of_shards()))
    }

    /// The share of its publishers in those of all shards.
    fn share_of_shards(&self) -> f64 {
        f64::from(self.publishers) / f64::from(self.whole().publishers.max(1))
    }

    pub(crate) fn clients(&self) -> u32 {
        self.publishers.saturating_add(self.subscribers).saturating_add(self.idle)
    }

    /// The number of clients that subscribe.
    pub(crate) fn subscriptions(&self) -> u32 {
        let requesters = if self.is_answered { self.publishers } else { 0 };
        self.subscribers.saturating_add(requesters)
    }

    /// The number of clients with an account of deliveries: requesters if requests are answered, else subscribers.
    pub(crate) fn receivers(&self) -> u32 {
        if self.is_answered { self.publishers } else { self.subscribers }
    }

    /// The number of deliveries due for each message.
    pub(crate) fn fan_out(&self) -> u32 {
        match (self.is_answered, &self.filter) {
            (true, _) => 1,
            (false, Some(_)) => 0,
            (false, None) => self.topics.fan_out(),
        }
    }

    /// A subscriber's receiver number in the account. The members of a shared subscription are one receiver.
    pub(crate) fn receiver(&self, subscriber: u32) -> u32 {
        if self.share.is_some() { 0 } else { subscriber }
    }

    /// The topic filter of a subscriber.
    pub(crate) fn filter(&self, subscriber: u32) -> String {
        let filter = match &self.filter {
            Some(filter) => filter.clone(),
            None => self.topics.filter(self.receiver(subscriber)),
        };
        match &self.share {
            Some(share) => format!("$share/{share}/{filter}"),
            None => filter,
        }
    }

    /// The size of a payload header in bytes; 0 without one.
    pub(crate) fn header_size(&self) -> usize {
        let size = if self.open_loop.is_some() { PayloadHeader::PLANNED_SIZE } else { PayloadHeader::SIZE };
        let is_wanted = matches!(self.payload, Payload::Size { .. }) || self.subscribers > 0;
        if is_wanted && self.payload.room_for_header() >= size { size } else { 0 }
    }

    pub(crate) fn messages_of(&self, publisher: u32) -> u64 {
        let Some(total) = self.messages else {
            return u64::MAX;
        };
        let publishers = u64::from(self.publishers.max(1));
        total / publishers + u64::from(u64::from(publisher) < total % publishers)
    }

    pub(super) fn slots(&self, group: usize) -> impl Iterator<Item = ClientSlot> + use<> {
        let (publish, subscribe) =
            if self.is_answered { (Task::Request, Task::Respond) } else { (Task::Publish, Task::Subscribe) };
        let counts = [(subscribe, self.subscribers), (publish, self.publishers), (Task::Stay, self.idle)];
        counts.into_iter().flat_map(move |(task, count)| {
            (0..count).map(move |number| ClientSlot { group, task, number, broker: None })
        })
    }
}

pub(crate) fn default_subscribers(publishers: u32) -> u32 {
    publishers.min(MAX_PAIRS.max(publishers.div_ceil(PUBLISHERS_PER_SUBSCRIBER)))
}
