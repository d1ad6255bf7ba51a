//! What a run does, worked out before anything is connected: who takes part, which topics they use, how much is sent.
//!
//! Nothing here does anything; it is asked by the workers and by the report.

use super::identity::{Identities, Who};
use super::payload::Payload;
use super::schedule::OpenLoop;
use super::shard::{Counts, Place};
use super::stamp::Stamp;
use super::template::Template;
use super::topics::Topics;
use crate::protocol::{PropertiesBuf, Qos, Version};
use crate::transport::Endpoint;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// Where messages go unless told otherwise: every subscriber has a branch of its own, every publisher a topic in it.
pub const DEFAULT_TEMPLATE: &str = "mq-bench/{run}/{s}/{i}";

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

/// How every client reaches the broker, and as whom.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Where it is, the layers on the way, and how long one client's connecting may take, until CONNACK.
    pub endpoint: Endpoint,
    /// The local addresses to connect from; none to let the system and the plan choose.
    pub bind: Vec<IpAddr>,
    /// The version to speak.
    pub version: Version,
    /// The longest silence in seconds; 0 for none.
    pub keep_alive: u16,
    /// Who the clients are.
    pub identities: Identities,
    /// What the broker publishes for a client that is gone.
    pub will: Option<Will>,
    /// Whether existing sessions are thrown away.
    pub clean_start: bool,
    /// Whether subscribers keep their sessions while they are away.
    pub keeps_sessions: bool,
    /// What packets carry besides.
    pub properties: PacketProperties,
}

/// What the broker publishes for a client that is gone.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the names say it
pub struct Will {
    pub topic: Template,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub properties: PropertiesBuf,
}

/// Properties of MQTT 5 by packet.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)] // the names say it
pub struct PacketProperties {
    pub connect: PropertiesBuf,
    pub publish: PropertiesBuf,
    pub subscribe: PropertiesBuf,
    pub disconnect: PropertiesBuf,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the run is about.
    pub scenario: Scenario,
    /// How every client reaches the broker.
    pub broker: Broker,
    /// The run.
    pub run: RunId,
    /// Clients of a kind, in the order of their numbers; at least one group.
    pub groups: Vec<Group>,
    /// How much is sent.
    pub volume: Volume,
    /// How long messages are sent before they are measured.
    pub warm_up: Duration,
    /// How many clients start to connect in a second; `None` for as many as the broker takes.
    pub connect_rate: Option<u32>,
    /// How many threads the clients are spread over, in all processes.
    pub threads: usize,
    /// How many processes the threads are spread over.
    pub processes: usize,
    /// When the load begins, when that is not as soon as everybody is there.
    pub start_at: Option<SystemTime>,
    /// How long the run waits while nothing moves before it gives up what it waits for.
    pub patience: Duration,
}

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Clients connect and stay.
    Connect,
    /// Clients publish, and nobody of ours listens.
    Publish,
    /// Clients listen to what others publish.
    Subscribe,
    /// Some publish and some listen.
    PublishSubscribe,
    /// Some ask and some answer.
    RequestResponse,
    /// Some publish and some listen, and all of them are dropped at once and come back.
    Reconnect,
    /// Groups of the above.
    Mix,
}

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

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// That many messages by all publishers together, or to all subscribers where nobody publishes.
    Messages(u64),
    /// As much as goes in that time.
    Duration(Duration),
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

    fn parts(&self, group: usize) -> impl Iterator<Item = Part> + use<> {
        let (publish, subscribe) =
            if self.is_answered { (Task::Request, Task::Respond) } else { (Task::Publish, Task::Subscribe) };
        let counts = [(subscribe, self.subscribers), (publish, self.publishers), (Task::Stay, self.idle)];
        counts
            .into_iter()
            .flat_map(move |(task, count)| (0..count).map(move |number| Part { group, task, number }))
    }
}

impl Plan {
    /// Numbers the clients of all groups through.
    pub fn number_through(groups: &mut [Group]) {
        let (mut publishers, mut subscribers, mut clients) = (0u32, 0u32, 0u32);
        let mut before = Counts::default();
        for group in groups {
            group.place.groups_before = before;
            before = before.plus(group.whole());
            (group.first_publisher, group.first_subscriber, group.first_client) =
                (publishers, subscribers, clients);
            publishers = publishers.saturating_add(group.publishers);
            subscribers = subscribers.saturating_add(group.judged().max(group.subscribers));
            clients = clients.saturating_add(group.clients());
        }
    }

    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.sum(Group::clients)
    }

    /// How many clients publish.
    pub fn publishers(&self) -> u32 {
        self.sum(|group| group.publishers)
    }

    /// How many clients subscribe for others, or answer.
    pub fn subscribers(&self) -> u32 {
        self.sum(|group| group.subscribers)
    }

    /// How many clients subscribe to something.
    pub fn subscriptions(&self) -> u32 {
        self.sum(Group::subscriptions)
    }

    fn sum(&self, count: impl Fn(&Group) -> u32) -> u32 {
        self.groups.iter().map(count).fold(0, u32::saturating_add)
    }

    /// The first group, which is the only one unless the plan is a mix.
    ///
    /// # Panics
    /// When the plan has no group, which no plan is.
    pub fn first_group(&self) -> &Group {
        self.groups.first().expect("a plan has a group")
    }

    /// The group of a client.
    pub fn group(&self, part: Part) -> &Group {
        self.groups.get(part.group).unwrap_or_else(|| self.first_group())
    }

    /// The group of a publisher, which has this number among those of all groups, and its number there.
    pub fn group_of_publisher(&self, number: u32) -> Option<(&Group, u32)> {
        let of_group =
            |group: &Group| number.checked_sub(group.first_publisher).filter(|&n| n < group.publishers);
        self.groups.iter().find_map(|group| Some((group, of_group(group)?)))
    }

    /// A client's number among all.
    pub fn number_of(&self, part: Part) -> u32 {
        let group = self.group(part);
        let before = match part.task {
            Task::Publish | Task::Request => 0,
            Task::Subscribe | Task::Respond => group.publishers,
            Task::Stay => group.publishers + group.subscribers,
        };
        group.first_client + before + part.number
    }

    /// The clients of one thread, subscribers first.
    pub fn parts_of_thread(&self, thread: usize) -> Vec<Part> {
        let groups = self.groups.iter().enumerate();
        let all = groups.flat_map(|(number, group)| group.parts(number));
        all.filter(|&part| self.thread_of(part) == thread).collect()
    }

    /// Those that share a subscription are accounted for together, and so live together.
    fn thread_of(&self, part: Part) -> usize {
        let is_shared = part.task == Task::Subscribe && self.group(part).share.is_some();
        if is_shared { part.group % self.threads } else { part.number as usize % self.threads }
    }

    /// The bytes of the longest payload.
    pub fn longest_payload(&self) -> usize {
        let groups = self.groups.iter();
        groups.map(|group| group.payload.most(group.stamp_size())).max().unwrap_or_default()
    }

    /// Whether messages are sent at planned times.
    pub fn has_open_loop(&self) -> bool {
        self.groups.iter().any(|group| group.open_loop.is_some())
    }

    /// The longest time that can pass without a message being due.
    pub fn longest_pause(&self) -> Duration {
        let loads = self.groups.iter().filter_map(|group| group.open_loop);
        loads.map(|load| load.longest_pause()).max().unwrap_or_default()
    }

    /// Whether messages may get lost without anybody breaking a promise.
    pub fn may_lose(&self) -> bool {
        let promises_nothing =
            |group: &Group| group.qos == Qos::AtMostOnce || group.subscription_qos == Qos::AtMostOnce;
        self.scenario == Scenario::Reconnect || self.groups.iter().all(promises_nothing)
    }

    /// The threads of one process.
    pub fn threads_of_process(&self, process: usize) -> impl Iterator<Item = usize> + use<> {
        (process..self.threads).step_by(self.processes.max(1))
    }

    /// How many clients each process has.
    pub fn clients_of_processes(&self) -> Vec<u32> {
        let mut counts = vec![0; self.processes.max(1)];
        let parts = self.groups.iter().enumerate().flat_map(|(number, group)| group.parts(number));
        for part in parts {
            let process = self.thread_of(part) % self.processes.max(1);
            counts.get_mut(process).into_iter().for_each(|count| *count += 1);
        }
        counts
    }

    /// A client's number among all of all shards.
    pub fn global_number_of(&self, part: Part) -> u32 {
        let group = self.group(part);
        let whole = group.whole();
        let number = match part.task {
            Task::Publish | Task::Request => group.place.before.publishers,
            Task::Subscribe | Task::Respond => whole.publishers + group.place.before.subscribers,
            Task::Stay => whole.publishers + whole.subscribers + group.place.before.idle,
        };
        group.place.groups_before.clients() + number + part.number
    }

    /// How many numbers there are up to the highest of a client.
    pub fn highest_number(&self) -> u32 {
        let parts = self.groups.iter().enumerate().flat_map(|(number, group)| group.parts(number));
        parts.map(|part| self.global_number_of(part) + 1).max().unwrap_or_default()
    }

    /// Which client it is, for whoever gives it a name.
    pub fn who(&self, part: Part) -> Who {
        let place = &self.group(part).place;
        let (kind, number_of_kind) = match part.task {
            Task::Publish => ('p', place.groups_before.publishers + place.before.publishers),
            Task::Request => ('q', place.groups_before.publishers + place.before.publishers),
            Task::Subscribe => ('s', place.groups_before.subscribers + place.before.subscribers),
            Task::Respond => ('r', place.groups_before.subscribers + place.before.subscribers),
            Task::Stay => ('c', place.groups_before.idle + place.before.idle),
        };
        let number = self.global_number_of(part);
        Who { run: self.run, number, kind, number_of_kind: number_of_kind + part.number }
    }

    /// The client identifier.
    pub fn client_id(&self, part: Part) -> String {
        self.broker.identities.client_id(self.who(part))
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

/// Tells the messages of one run from those of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunId(pub u32);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::identity::ClientIds;
    use std::sync::Arc;

    pub(in crate::bench) fn group(publishers: u32, subscribers: u32) -> Group {
        Group {
            name: "test".to_owned(),
            is_answered: false,
            publishers,
            subscribers,
            idle: 0,
            qos: Qos::AtLeastOnce,
            subscription_qos: Qos::AtLeastOnce,
            payload: Payload::Size { least: 64, most: 64 },
            retain: false,
            topics: Topics::new(DEFAULT_TEMPLATE, RunId(0x1a2b), publishers, subscribers).unwrap(),
            share: None,
            filter: None,
            messages: Some(11),
            in_flight: 20,
            open_loop: None,
            place: Place::default(),
            first_publisher: 0,
            first_subscriber: 0,
            first_client: 0,
        }
    }

    pub(in crate::bench) fn plan(mut groups: Vec<Group>) -> Plan {
        let broker = Broker {
            endpoint: Endpoint::tcp("localhost", 1883, None, Duration::from_secs(10)),
            bind: Vec::new(),
            version: Version::V311,
            keep_alive: 60,
            identities: Identities {
                client_id: ClientIds::Prefix("mq".to_owned()),
                username: None,
                password: None,
                rows: Arc::default(),
            },
            will: None,
            clean_start: true,
            keeps_sessions: false,
            properties: PacketProperties::default(),
        };
        Plan::number_through(&mut groups);
        Plan {
            scenario: Scenario::PublishSubscribe,
            broker,
            run: RunId(0x1a2b),
            groups,
            volume: Volume::Messages(11),
            warm_up: Duration::ZERO,
            connect_rate: None,
            threads: 2,
            processes: 1,
            start_at: None,
            patience: Duration::from_secs(10),
        }
    }

    #[test]
    fn the_volume_is_split_to_the_last_message() {
        let group = group(3, 1);
        assert_eq!((0..3).map(|publisher| group.messages_of(publisher)).collect::<Vec<_>>(), [4, 4, 3]);
    }

    #[test]
    fn threads_share_the_clients_of_all_groups_without_overlap() {
        let answered = Group { is_answered: true, ..group(4, 2) };
        let idle = Group { idle: 7, ..group(0, 0) };
        let plan = plan(vec![group(5, 3), answered, idle, group(2, 2)]);
        let all: Vec<_> = (0..2).flat_map(|thread| plan.parts_of_thread(thread)).collect();
        let mut ids: Vec<_> = all.iter().map(|&part| plan.client_id(part)).collect();
        let mut numbers: Vec<_> = all.iter().map(|&part| plan.number_of(part)).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), plan.clients() as usize);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..plan.clients()).collect::<Vec<_>>());
    }

    #[test]
    fn publishers_have_numbers_of_their_own_in_all_groups() {
        let plan = plan(vec![group(5, 3), group(0, 4), group(2, 2)]);
        let number = |publisher| plan.group_of_publisher(publisher).map(|(group, n)| (group.first_client, n));
        assert_eq!([4, 5, 6, 7].map(number), [Some((0, 4)), Some((12, 0)), Some((12, 1)), None]);
    }

    #[test]
    fn those_that_share_a_subscription_live_on_one_thread() {
        let plan = plan(vec![Group { share: Some("all".to_owned()), ..group(4, 4) }]);
        let subscribers =
            |thread| plan.parts_of_thread(thread).iter().filter(|part| part.task.subscribes()).count();
        assert_eq!([subscribers(0), subscribers(1)], [4, 0]);
    }

    #[test]
    fn a_stamp_is_there_where_it_is_needed_and_fits() {
        let size = |least| Payload::Size { least, most: 64 };
        assert_eq!(Group { payload: size(24), ..group(1, 1) }.stamp_size(), Stamp::SIZE);
        assert_eq!(Group { payload: size(10), ..group(1, 0) }.stamp_size(), 0);
        assert_eq!(Group { payload: Payload::Bytes(Vec::new()), ..group(1, 0) }.stamp_size(), 0);
        assert_eq!(Group { payload: Payload::Bytes(Vec::new()), ..group(1, 1) }.stamp_size(), Stamp::SIZE);
    }

    #[test]
    fn defaults_grow_with_the_publishers() {
        assert_eq!([1, 100, 500, 5000].map(default_subscribers), [1, 100, 100, 500]);
        let volumes = [(1, 10_000), (50, 50_000), (1000, 100_000), (20_000, 200_000)];
        for (publishers, messages) in volumes {
            assert_eq!(default_messages(publishers, 1), messages);
        }
        assert_eq!(default_messages(100, 100), 1000, "which are a hundred thousand deliveries");
    }
}
