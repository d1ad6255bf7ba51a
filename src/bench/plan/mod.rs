//! The plan of a run, complete before the first connection: clients, topics, volume and rates.
//!
//! It is passive data that the workers and the report query.

mod group;
mod group_session;
mod late_groups;
mod numbers;
mod payload_sizes;
mod shard_offsets;

pub(crate) use super::client_slot::{ClientSlot, Task};
use super::identity::Identities;
use super::rate_course::RateCourse;
pub(crate) use super::run_id::RunId;
use super::template::Template;
use super::trace::Watch;
use crate::client::Authentication;
use crate::protocol::sn::client::return_code_of;
use crate::protocol::{PropertiesBuf, Qos, ReasonCode, Version};
use crate::transport::{Address, Endpoint};
pub(crate) use group::{Group, default_subscribers};
pub(crate) use group_session::GroupSession;
pub(crate) use shard_offsets::{Counts, ShardOffsets};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// The default topics: each subscriber has a branch of its own, with a topic for each publisher.
pub(crate) const DEFAULT_TEMPLATE: &str = "mq-bench/{run}/{s}/{i}";

/// The connection to the broker, and the session options of every client.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    /// The broker's address, the layers to it, and the timeout of each client up to CONNACK.
    pub endpoint: Endpoint,
    /// The endpoints of further brokers, which share the clients with the first one.
    pub more_endpoints: Vec<Endpoint>,
    /// The local addresses to connect from; empty to let the system and the plan choose.
    pub bind: Vec<IpAddr>,
    /// The MQTT version.
    pub version: Version,
    /// Keep alive in seconds; 0 for none.
    pub keep_alive: u16,
    /// Client identifiers and credentials.
    pub identities: Identities,
    /// Authentication beyond the user name and password in CONNECT.
    pub authentication: Option<Authentication>,
    /// The will message.
    pub will: Option<Will>,
    /// Whether existing sessions are discarded.
    pub clean_start: bool,
    /// Whether subscribers keep their sessions while they are away.
    pub keeps_sessions: bool,
    /// Additional properties by packet.
    pub properties: PacketProperties,
    /// The number of processes that accept clients for the embedded broker; 0 if it has none, or is not used.
    pub front_processes: u16,
    /// The number of forwarders that share the clients of an MQTT-SN gateway; `None` if each client has its own socket.
    pub forwarders: Option<u32>,
    /// An observer of the first client of each kind.
    pub watch: Option<Watch>,
}

impl Broker {
    /// The endpoint of each broker.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        std::iter::once(&self.endpoint).chain(&self.more_endpoints)
    }

    /// The number of brokers.
    pub(crate) fn count(&self) -> usize {
        1 + self.more_endpoints.len()
    }

    /// Whether it is an MQTT-SN gateway.
    pub(crate) fn is_gateway(&self) -> bool {
        matches!(self.endpoint.address, Address::Gateway { .. })
    }

    /// The peer of the clients in words, and the reason for a rejection as it sent it.
    pub(crate) fn rejection(&self, reason_code: ReasonCode) -> (&'static str, String) {
        match &self.endpoint.address {
            Address::Gateway { .. } => ("gateway", return_code_of(reason_code).to_string()),
            Address::Tcp { .. } | Address::Service(_) | Address::Unix(_) => {
                ("broker", reason_code.to_string())
            }
        }
    }

    /// The MQTT version of the sessions. Clients of a gateway run MQTT 5 inside this process, since its acknowledgements have reason
    /// codes; everything else follows the rules of MQTT 3.1.1, as MQTT-SN does.
    pub(crate) fn session_version(&self) -> Version {
        if self.is_gateway() { Version::V5 } else { self.version }
    }
}

/// A will message.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    pub topic: Template,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub properties: PropertiesBuf,
}

/// Properties of MQTT 5 by packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct PacketProperties {
    pub connect: PropertiesBuf,
    pub publish: PropertiesBuf,
    pub subscribe: PropertiesBuf,
    pub disconnect: PropertiesBuf,
}

/// The plan of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub scenario: Scenario,
    /// The connection to the broker.
    pub broker: Broker,
    /// The identifier of the run.
    pub run: RunId,
    /// The seed of random intervals and generated values.
    pub seed: u32,
    /// The groups of clients, in the order of their numbers; at least one.
    pub groups: Vec<Group>,
    /// The volume of the load.
    pub volume: Volume,
    /// How long messages are sent before the measurement begins.
    pub warm_up: Duration,
    /// The maximum of new connections per second; `None` for as many as the broker accepts.
    pub connect_rate: Option<u32>,
    /// The number of threads in all processes together.
    pub threads: usize,
    pub processes: usize,
    /// The start time of the load; `None` to start once all clients are ready.
    pub start_at: Option<SystemTime>,
    /// The timeout of a wait during which nothing makes progress.
    pub timeout: Duration,
    /// Whether the clients stay connected after their work, until the run is interrupted or this time is over.
    pub hold: Option<Hold>,
}

/// The end of the time in which clients stay connected after their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    UntilInterrupted,
    For(Duration),
}

/// The scenario of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Clients connect and stay connected.
    Connect,
    /// Clients publish, without subscribers of this run.
    Publish,
    /// Clients subscribe to messages of other programs.
    Subscribe,
    /// Some clients publish and some subscribe.
    PublishSubscribe,
    /// Some clients send requests and some answer them.
    RequestResponse,
    /// Some clients publish and some subscribe; all of them are dropped together and reconnect.
    Reconnect,
    /// Groups of the above.
    Mix,
}

/// The volume of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Volume {
    /// This number of messages by all publishers together, or to all subscribers if the run has no publishers.
    Messages(u64),
    /// As many messages as possible in this time.
    Duration(Duration),
}

impl Plan {
    pub(crate) fn clients(&self) -> u32 {
        self.sum(Group::clients)
    }

    /// Whether acknowledgements report which messages of a group had no matching subscribers.
    pub(crate) fn counts_unmatched(&self, group: &Group) -> bool {
        group.is_acknowledged() && self.broker.version == Version::V5
    }

    /// Whether publishers of QoS 0 send a ping after each batch, and wait for its answer. UDP has no flow control: without it, a group
    /// that sends as fast as it can would mostly overflow the gateway's receive buffer.
    pub(crate) fn is_confirmed(&self, group: &Group) -> bool {
        let sets_own_pace = group.open_loop.is_some() || group.think.is_some() || group.is_answered;
        let is_unacknowledged = group.qos == Qos::AtMostOnce && group.publishers > 0;
        self.broker.is_gateway() && is_unacknowledged && !sets_own_pace && !group.is_unconnected
    }

    /// The number of clients that publish.
    pub(crate) fn publishers(&self) -> u32 {
        self.sum(|group| group.publishers)
    }

    /// The number of clients that subscribe for others, or answer.
    pub(crate) fn subscribers(&self) -> u32 {
        self.sum(|group| group.subscribers)
    }

    fn sum(&self, count: impl Fn(&Group) -> u32) -> u32 {
        self.groups.iter().map(count).fold(0, u32::saturating_add)
    }

    /// The first group, which is the only one unless the plan is a mix.
    ///
    /// # Panics
    /// If the plan has no group, which never happens.
    pub(crate) fn first_group(&self) -> &Group {
        self.groups.first().expect("a plan has a group")
    }

    pub(crate) fn group(&self, slot: ClientSlot) -> &Group {
        self.groups.get(slot.group).unwrap_or_else(|| self.first_group())
    }

    /// The size of the longest payload in bytes.
    pub(crate) fn longest_payload(&self) -> usize {
        let groups = self.groups.iter();
        groups.map(|group| group.payload.most(group.header_size())).max().unwrap_or_default()
    }

    /// The planned rate of all publishers over time; `None` if one sends as fast as it can.
    pub(crate) fn rate_course(&self) -> Option<RateCourse> {
        let publishing = self.groups.iter().filter(|group| group.publishers > 0);
        let courses: Option<Vec<_>> = publishing.map(Group::rate_course).collect();
        courses.filter(|courses| !courses.is_empty()).map(|courses| RateCourse::sum(&courses))
    }

    /// Whether messages are sent at planned times.
    pub(crate) fn has_open_loop(&self) -> bool {
        self.groups.iter().any(|group| group.open_loop.is_some())
    }

    /// Whether clients are woken at times of their own.
    pub(crate) fn has_timers(&self) -> bool {
        self.has_open_loop() || self.groups.iter().any(|group| group.think.is_some() || group.is_answered)
    }

    /// The longest time without a message being due.
    pub(crate) fn longest_pause(&self) -> Duration {
        let pauses = self.groups.iter().map(|group| match &group.open_loop {
            Some(load) => load.longest_pause(),
            None => {
                group.bounds.start.saturating_add(group.think.map(|think| think.most).unwrap_or_default())
            }
        });
        pauses.max().unwrap_or_default()
    }

    /// Whether the QoS allows message loss.
    pub(crate) fn may_lose(&self) -> bool {
        let may_lose = |group: &Group| match self.scenario {
            Scenario::Reconnect => !self.owes_missed_messages(group),
            _ => {
                let misses = group.session.reconnect_delay.is_some() && !self.owes_missed_messages(group);
                misses || group.delivery_qos() == Qos::AtMostOnce
            }
        };
        self.groups.iter().all(may_lose)
    }

    /// Whether the broker has to deliver messages later that it received while a subscriber was away.
    pub(crate) fn owes_missed_messages(&self, group: &Group) -> bool {
        self.keeps_sessions(group) && group.delivery_qos() != Qos::AtMostOnce
    }

    /// Lowers the QoS of all messages to the maximum that the broker grants: those of the groups that start during the load, or
    /// those of all others.
    pub(super) fn limit_qos(&mut self, highest: Option<Qos>, is_late: bool) {
        let Some(highest) = highest else { return };
        for group in self.groups.iter_mut().filter(|group| group.is_late() == is_late) {
            if group.qos.max(group.subscription_qos) > highest && group.idle == 0 {
                group.granted_qos = Some(highest);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::PayloadHeader;
    use crate::bench::identity::ClientIds;
    use crate::bench::payload::Payload;
    use crate::bench::rate_profile::Bounds;
    use crate::bench::topics::Topics;
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
            granted_qos: None,
            is_unconnected: false,
            topic_id: None,
            payload: Payload::Size { least: 64, most: 64 },
            retain: false,
            topics: Topics::new(DEFAULT_TEMPLATE, RunId(0x1a2b), publishers, subscribers).unwrap(),
            topic_list: None,
            share: None,
            filter: None,
            messages: Some(11),
            in_flight: 20,
            open_loop: None,
            think: None,
            bounds: Bounds::default(),
            is_watched: false,
            session: GroupSession::default(),
            offsets: ShardOffsets::default(),
            first_publisher: 0,
            first_subscriber: 0,
            first_client: 0,
        }
    }

    pub(in crate::bench) fn plan(mut groups: Vec<Group>) -> Plan {
        let broker = Broker {
            endpoint: Endpoint::tcp("localhost", 1883, None, Duration::from_secs(10)),
            more_endpoints: Vec::new(),
            bind: Vec::new(),
            version: Version::V311,
            keep_alive: 60,
            identities: Identities {
                client_id: ClientIds::Prefix("mq".to_owned()),
                username: None,
                password: None,
                rows: Arc::default(),
            },
            authentication: None,
            will: None,
            clean_start: true,
            keeps_sessions: false,
            properties: PacketProperties::default(),
            front_processes: 0,
            forwarders: None,
            watch: None,
        };
        Plan::number_through(&mut groups);
        Plan {
            scenario: Scenario::PublishSubscribe,
            broker,
            run: RunId(0x1a2b),
            seed: 1,
            groups,
            volume: Volume::Messages(11),
            warm_up: Duration::ZERO,
            connect_rate: None,
            threads: 2,
            processes: 1,
            start_at: None,
            timeout: Duration::from_secs(10),
            hold: None,
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
        let all: Vec<_> = (0..2).flat_map(|thread| plan.slots_of_thread(thread)).collect();
        let mut ids: Vec<_> = all.iter().map(|&slot| plan.client_id(slot)).collect();
        let mut numbers: Vec<_> = all.iter().map(|&slot| plan.number_of(slot)).collect();
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
            |thread| plan.slots_of_thread(thread).iter().filter(|slot| slot.task.subscribes()).count();
        assert_eq!([subscribers(0), subscribers(1)], [4, 0]);
    }

    #[test]
    fn a_header_is_written_if_it_is_needed_and_fits() {
        let size = |least| Payload::Size { least, most: 64 };
        assert_eq!(Group { payload: size(24), ..group(1, 1) }.header_size(), PayloadHeader::SIZE);
        assert_eq!(Group { payload: size(10), ..group(1, 0) }.header_size(), 0);
        assert_eq!(Group { payload: Payload::Bytes(Vec::new()), ..group(1, 0) }.header_size(), 0);
        assert_eq!(
            Group { payload: Payload::Bytes(Vec::new()), ..group(1, 1) }.header_size(),
            PayloadHeader::SIZE
        );
    }

    #[test]
    fn subscribers_grow_with_the_publishers() {
        assert_eq!([1, 100, 500, 5000].map(default_subscribers), [1, 100, 100, 500]);
    }
}
