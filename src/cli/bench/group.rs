//! A group of clients, as options or a scenario file describe it, and its conversion to a group of the plan.

use super::load::{
    ClientsArgs, PaceArgs, PayloadArgs, PublishArgs, PublishersArgs, SubscriptionArgs, TrafficArgs,
};
use super::recording;
use super::sn_args::SHARED_TOPIC;
use super::topics_file::{self, Publishers, TopicsFile};
use super::value_parsers::{Ramping, Stages, Think, Topology};
use crate::bench::PayloadHeader;
use crate::bench::payload::Payload;
use crate::bench::plan::{
    DEFAULT_TEMPLATE, Group, GroupSession, RunId, Scenario, ShardOffsets, default_subscribers,
};
use crate::bench::rate::Rate;
use crate::bench::rate_profile::{Bounds, Pace, RateProfile};
use crate::bench::schedule::{Arrivals, DutyCycle, OpenLoop};
use crate::bench::template::Template;
use crate::bench::think_time::ThinkTime;
use crate::bench::topics::Topics;
use crate::cli::Error;
use crate::cli::UsageError;
use crate::cli::values::Sizes;
use crate::input_file;
use crate::protocol::sn::PublishQos;
use crate::protocol::{MAX_REMAINING_LENGTH, Qos, TopicFilter};
use std::path::PathBuf;
use std::time::Duration;

/// The default payload size in bytes.
pub(super) const DEFAULT_SIZE: Sizes = Sizes { least: 64, most: 64 };

const DEFAULT_CLIENTS: u32 = 100;

/// The default number of unacknowledged QoS 1 and 2 messages per publisher.
const DEFAULT_IN_FLIGHT: u16 = 20;

/// Messages of QoS 0 that all publishers together send to an MQTT-SN gateway without an answer to a ping: a receive buffer of the default
/// size has room for them.
const DATAGRAMS_ON_THE_WAY: u32 = 500;

/// The default duration of a load without a number of messages.
pub(super) const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// The default warm-up of a load without a number of messages or a duration.
pub(super) const DEFAULT_WARM_UP: Duration = Duration::from_secs(2);

/// The default topic of messages that all subscribers receive.
const TEMPLATE_FOR_ALL: &str = "mq-bench/{run}/{i}";

/// The work of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupMode {
    Pubsub,
    Conn,
    Pub,
    Sub,
    Rr,
    Reconnect,
}

impl GroupMode {
    /// The name on the command line and in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            GroupMode::Pubsub => "pubsub",
            GroupMode::Conn => "conn",
            GroupMode::Pub => "pub",
            GroupMode::Sub => "sub",
            GroupMode::Rr => "rr",
            GroupMode::Reconnect => "reconnect",
        }
    }

    pub(super) fn scenario(self) -> Scenario {
        match self {
            GroupMode::Pubsub => Scenario::PublishSubscribe,
            GroupMode::Conn => Scenario::Connect,
            GroupMode::Pub => Scenario::Publish,
            GroupMode::Sub => Scenario::Subscribe,
            GroupMode::Rr => Scenario::RequestResponse,
            GroupMode::Reconnect => Scenario::Reconnect,
        }
    }
}

/// The requested settings. The only group has an empty name.
#[derive(Debug, Clone)]
pub(super) struct GroupSpec {
    pub(super) name: String,
    pub(super) mode: GroupMode,
    pub(super) clients: Option<u32>,
    pub(super) publishers: Option<u32>,
    pub(super) subscribers: Option<u32>,
    pub(super) topology: Option<Topology>,
    pub(super) qos: Qos,
    /// Whether messages are sent with QoS -1; `qos` is then 0.
    pub(super) is_unconnected: bool,
    /// The predefined topic id of MQTT-SN.
    pub(super) topic_id: Option<u16>,
    /// Whether the clients connect to an MQTT-SN gateway.
    pub(super) is_sn: bool,
    pub(super) subscription_qos: Option<Qos>,
    pub(super) size: Sizes,
    pub(super) payload_file: Option<PathBuf>,
    pub(super) payload_recording: Option<PathBuf>,
    pub(super) recorded_topics: bool,
    pub(super) payload_template: Option<String>,
    /// A template, or the topic filter of subscribers that receive the messages of other clients.
    pub(super) topic: Option<String>,
    /// A file of topics.
    pub(super) topics: Option<PathBuf>,
    pub(super) retain: bool,
    pub(super) share: Option<String>,
    pub(super) messages: Option<u64>,
    pub(super) in_flight: Option<u16>,
    pub(super) rate: Option<Rate>,
    pub(super) arrivals: Arrivals,
    pub(super) burst: u32,
    pub(super) ramp: Option<Ramping>,
    pub(super) stages: Option<Stages>,
    pub(super) on_off: Option<DutyCycle>,
    pub(super) think: Option<Think>,
    /// The time of the group within the measurement.
    pub(super) start: Option<Duration>,
    pub(super) end: Option<Duration>,
    pub(super) warm_up: Option<Duration>,
    pub(super) duration: Option<Duration>,
    pub(super) session: GroupSession,
}

/// The number of clients by role.
struct Counts {
    publishers: u32,
    subscribers: u32,
    idle: u32,
}

impl GroupSpec {
    /// The defaults of a group.
    pub(super) fn new(mode: GroupMode, clients: ClientsArgs) -> GroupSpec {
        GroupSpec {
            name: String::new(),
            mode,
            clients: clients.clients,
            publishers: None,
            subscribers: None,
            topology: None,
            qos: Qos::AtLeastOnce,
            is_unconnected: false,
            topic_id: None,
            is_sn: false,
            subscription_qos: None,
            size: DEFAULT_SIZE,
            payload_file: None,
            payload_recording: None,
            recorded_topics: false,
            payload_template: None,
            topic: None,
            topics: None,
            retain: false,
            share: None,
            messages: None,
            in_flight: None,
            rate: None,
            arrivals: Arrivals::Constant,
            burst: 1,
            ramp: None,
            stages: None,
            on_off: None,
            think: None,
            start: None,
            end: None,
            warm_up: None,
            duration: None,
            session: GroupSession::default(),
        }
    }

    pub(super) fn of_publishers(mode: GroupMode, args: PublishersArgs) -> GroupSpec {
        GroupSpec { publishers: args.publishers, ..GroupSpec::new(mode, args.clients) }
    }

    pub(super) fn with_messages(self, args: PublishArgs) -> GroupSpec {
        let PublishArgs { topic, payload, retain, in_flight, pace } = args;
        let PayloadArgs { size, payload_file, payload_recording, payload_template } = payload;
        let PaceArgs { rate, arrivals, burst, ramp, stages, on_off } = pace;
        GroupSpec {
            topic,
            size,
            payload_file,
            payload_recording,
            payload_template,
            retain,
            in_flight,
            rate,
            arrivals: arrivals.unwrap_or(Arrivals::Constant),
            burst: burst.unwrap_or(1),
            ramp,
            stages,
            on_off,
            ..self
        }
    }

    pub(super) fn with_traffic(self, args: TrafficArgs) -> GroupSpec {
        let TrafficArgs { qos, duration, warm_up } = args;
        GroupSpec { duration, warm_up, ..self }.with_qos(qos)
    }

    /// Sets the QoS, for which QoS -1 is QoS 0 without a connection.
    pub(super) fn with_qos(self, qos: PublishQos) -> GroupSpec {
        match qos {
            PublishQos::MinusOne => GroupSpec { qos: Qos::AtMostOnce, is_unconnected: true, ..self },
            PublishQos::Connected(qos) => GroupSpec { qos, is_unconnected: false, ..self },
        }
    }

    pub(super) fn with_subscriptions(self, args: SubscriptionArgs) -> GroupSpec {
        let SubscriptionArgs { subscription_qos, share } = args;
        GroupSpec { subscription_qos, share, ..self }
    }

    /// The duration of the load; `None` if a number of messages ends it.
    pub(super) fn time_limit(&self) -> Option<Duration> {
        let default = self.stages.as_ref().map_or(DEFAULT_DURATION, Stages::time);
        self.duration.or_else(|| self.messages.is_none().then_some(default))
    }

    /// The warm-up; by default, only a load without a volume has one.
    pub(super) fn warm_up(&self) -> Duration {
        let has_volume = self.duration.is_some() || self.messages.is_some() || self.stages.is_some();
        match self.warm_up {
            Some(warm_up) => warm_up,
            None if has_volume || self.mode == GroupMode::Conn => Duration::ZERO,
            None => DEFAULT_WARM_UP,
        }
    }

    /// Makes a group of the plan. Without a time limit, it needs a number of messages.
    pub(super) fn group(&self, run: RunId, time_limit: Option<Duration>) -> Result<Group, Error> {
        let Counts { publishers, subscribers, idle } = self.counts();
        let topics = self.topics(run, publishers, subscribers)?;
        self.check_short_topics(&topics, publishers)?;
        let file = self.topics_file(run, publishers)?;
        let (topic_list, rate_of_file) = file.map_or((None, None), |file| (Some(file.list), file.rate));
        let filter = self.filter()?;
        let is_answered = self.mode == GroupMode::Rr;
        if is_answered && subscribers > 1 && topics.fan_out() > 1 {
            let text = format!(
                "{}: without {{s}}, all {subscribers} responders would answer each request",
                self.option("-t", "topic")
            );
            return Err(Error::usage(text));
        }
        let bounds = self.bounds(time_limit)?;
        let group = Group {
            name: self.name.clone(),
            is_answered,
            publishers,
            subscribers,
            idle,
            qos: topic_list.as_ref().map_or(self.qos, |list| list.qos().1),
            subscription_qos: self.subscription_qos.unwrap_or(self.qos),
            granted_qos: None,
            is_unconnected: self.is_unconnected,
            topic_id: self.topic_id,
            payload: self.payload()?,
            retain: self.retain,
            topics,
            topic_list,
            share: self.checked_share()?,
            filter,
            messages: self.messages,
            in_flight: self.in_flight.unwrap_or_else(|| self.default_in_flight(publishers)),
            open_loop: self.open_loop(run, publishers, bounds, (time_limit, rate_of_file))?,
            think: self.think.map(|Think { least, most }| ThinkTime { least, most, seed: run.0.into() }),
            bounds,
            is_watched: false,
            session: self.session.clone(),
            offsets: ShardOffsets::default(),
            first_publisher: 0,
            first_subscriber: 0,
            first_client: 0,
        };
        self.check_header(&group)?;
        Ok(group)
    }

    fn default_in_flight(&self, publishers: u32) -> u16 {
        let is_confirmed = self.is_sn && self.qos == Qos::AtMostOnce;
        match self.mode == GroupMode::Rr || self.think.is_some() {
            false if is_confirmed => {
                let share = DATAGRAMS_ON_THE_WAY / publishers.max(1);
                u16::try_from(share).unwrap_or(u16::MAX).clamp(1, DEFAULT_IN_FLIGHT)
            }
            false if !self.is_sn => DEFAULT_IN_FLIGHT,
            _ => 1,
        }
    }

    /// The name of a setting as the user wrote it: an option or a key.
    pub(super) fn option(&self, option: &'static str, key: &'static str) -> &'static str {
        if self.name.is_empty() { option } else { key }
    }

    fn counts(&self) -> Counts {
        let clients = self.clients.unwrap_or(DEFAULT_CLIENTS);
        let publishers = self.publishers.unwrap_or(clients);
        let (publishers, subscribers) = match (self.mode, self.topology) {
            (GroupMode::Conn, _) => return Counts { publishers: 0, subscribers: 0, idle: clients },
            (GroupMode::Pub, _) => (publishers, 0),
            (GroupMode::Sub, _) => (0, clients),
            (GroupMode::Rr, _) => {
                (publishers, self.subscribers.unwrap_or_else(|| default_subscribers(publishers)).max(1))
            }
            _ if self.is_unconnected => (publishers, self.subscribers.unwrap_or(1)),
            (_, Some(Topology::FanOut)) => {
                (self.publishers.unwrap_or(1), self.subscribers.unwrap_or(clients))
            }
            (_, Some(Topology::FanIn)) => (publishers, self.subscribers.unwrap_or(1)),
            (_, Some(Topology::Pairs | Topology::Mesh)) => {
                (publishers, self.subscribers.unwrap_or(publishers))
            }
            (_, None) => (publishers, self.subscribers.unwrap_or_else(|| default_subscribers(publishers))),
        };
        Counts { publishers, subscribers, idle: 0 }
    }

    fn topics(&self, run: RunId, publishers: u32, subscribers: u32) -> Result<Topics, Error> {
        let default = match (self.mode, self.topology) {
            (GroupMode::Rr, _) => "mq-bench/{run}/requests/{s}",
            (_, Some(Topology::FanOut | Topology::Mesh)) => TEMPLATE_FOR_ALL,
            _ => DEFAULT_TEMPLATE,
        };
        // Groups of a file use separate topics.
        let default = match self.name.as_str() {
            "" => default.to_owned(),
            name => default.replace("{run}", &format!("{{run}}/{name}")),
        };
        let default = match self.topic_id {
            Some(id) => id.to_string(),
            None if self.is_unconnected => SHARED_TOPIC.to_owned(),
            None => default,
        };
        let template = self.topic.as_ref().filter(|_| self.mode != GroupMode::Sub).unwrap_or(&default);
        // The subscribers of a shared subscription count as one receiver.
        let receivers = if self.share.is_some() { subscribers.min(1) } else { subscribers };
        Topics::new(template, run, publishers, receivers).map_err(|error| {
            Error::usage(UsageError::invalid(format!("{} {template}", self.option("-t", "topic")), error))
        })
    }

    /// The topics of a file, if there is one.
    fn topics_file(&self, run: RunId, publishers: u32) -> Result<Option<TopicsFile>, Error> {
        let Some(path) = &self.topics else { return Ok(None) };
        let option = self.option("--topics", "topics");
        let file = topics_file::read(option, path, &Publishers { run, count: publishers, qos: self.qos })?;
        if file.rate.is_some() && self.think.is_some() {
            let think = self.option("--think", "think");
            let problem = format!("its rates are the pace of the run; leave {think} out");
            return Err(Error::content(option, path, problem));
        }
        if file.rate.is_some() && (self.rate.is_some() || self.ramp.is_some() || self.stages.is_some()) {
            let problem = "its rates are the pace of the run; leave the other rate out".to_owned();
            return Err(Error::content(option, path, problem));
        }
        Ok(Some(file))
    }

    /// The topic filter of subscribers that receive the messages of other clients.
    fn filter(&self) -> Result<Option<String>, Error> {
        if self.mode != GroupMode::Sub {
            return Ok(None);
        }
        if let Some(id) = self.topic_id {
            return Ok(Some(id.to_string()));
        }
        let Some(filter) = &self.topic else {
            let option = self.option("-t FILTER", "topic");
            return Err(Error::usage(format!("sub needs {option}: the topic filter to subscribe to")));
        };
        match TopicFilter::parse(filter) {
            Ok(_) => Ok(Some(filter.clone())),
            Err(error) => Err(Error::usage(UsageError::invalid(
                format!("{} {filter}", self.option("-t", "topic")),
                error,
            ))),
        }
    }

    fn checked_share(&self) -> Result<Option<String>, Error> {
        let Some(share) = &self.share else {
            return Ok(None);
        };
        match TopicFilter::parse(&format!("$share/{share}/x")) {
            Ok(_) if !share.is_empty() && !share.contains('/') => Ok(Some(share.clone())),
            _ => {
                let option = self.option("--share", "share");
                Err(Error::usage(format!(
                    "{option} {share}: the name of a shared subscription cannot contain /, + or #"
                )))
            }
        }
    }

    fn payload(&self) -> Result<Payload, Error> {
        if let Some(path) = &self.payload_file {
            let read = input_file::read(path, MAX_REMAINING_LENGTH as u64);
            let mut bytes = read.map_err(|source| Error::File { path: path.clone(), source })?;
            return Ok(Payload::Bytes(std::mem::take(&mut *bytes)));
        }
        if let Some(path) = &self.payload_recording {
            let topics = self.option("--recorded-topics", "recorded_topics");
            return Ok(Payload::Recording(recording::read(path, self.recorded_topics.then_some(topics))?));
        }
        match &self.payload_template {
            Some(text) => match Template::of_payload(text) {
                Ok(template) => Ok(Payload::Text(template)),
                Err(error) => {
                    let option = self.option("--payload-template", "payload_template");
                    Err(Error::usage(UsageError::invalid(option, error)))
                }
            },
            None => Ok(Payload::Size { least: self.size.least, most: self.size.most }),
        }
    }

    fn open_loop(
        &self,
        run: RunId,
        publishers: u32,
        bounds: Bounds,
        (time_limit, rate_of_file): (Option<Duration>, Option<Rate>),
    ) -> Result<Option<OpenLoop>, Error> {
        // At full speed, the backlog of an absent subscriber would grow too large.
        let gentle = || Rate::per_second(publishers.into()).filter(|_| self.mode == GroupMode::Reconnect);
        let pace = self.pace(bounds, time_limit)?;
        let pace = pace.or(rate_of_file.map(Pace::Constant)).or_else(|| gentle().map(Pace::Constant));
        let load = |pace| {
            let GroupSpec { arrivals, burst, on_off: duty_cycle, .. } = *self;
            let profile = RateProfile::new(pace, bounds).measured_for(time_limit.unwrap_or_default());
            OpenLoop { profile, arrivals, burst, duty_cycle, seed: run.0.into() }
        };
        Ok(pace.map(load))
    }

    /// The rate over time.
    fn pace(&self, bounds: Bounds, time_limit: Option<Duration>) -> Result<Option<Pace>, Error> {
        let wrong = |problem: &str| Err(Error::usage(format!("{} {problem}", self.option("--ramp", "ramp"))));
        if let Some(stages) = &self.stages {
            self.check_stages(stages, bounds, time_limit)?;
            return Ok(Some(Pace::Stages(stages.0.clone())));
        }
        match (self.ramp, self.rate, time_limit) {
            (None, rate, _) => Ok(rate.map(Pace::Constant)),
            (Some(Ramping::FromNothing(_)), None, _) => {
                wrong("DURATION needs a rate; without one, use two rates as in 100..5k")
            }
            (Some(Ramping::FromNothing(time)), Some(to), _) => Ok(Some(Pace::Growing { to, time })),
            (Some(Ramping::Between(..)), Some(_), _) => {
                wrong("FROM..TO replaces the rate; leave the rate out")
            }
            (Some(Ramping::Between(..)), None, None) => {
                wrong("FROM..TO needs a duration instead of a number of messages")
            }
            (Some(Ramping::Between(from, to)), None, Some(time)) => {
                let end = bounds.end.unwrap_or_else(|| bounds.measured_from.saturating_add(time));
                let time = end.saturating_sub(bounds.start.max(bounds.measured_from));
                Ok(Some(Pace::Changing { from, to, time }))
            }
        }
    }

    /// When the group sends, since the load began.
    fn bounds(&self, time_limit: Option<Duration>) -> Result<Bounds, Error> {
        let measured_from = self.warm_up();
        let wrong = |text: String| Err(Error::usage(text));
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64());
        let duration = match (self.start.is_some() || self.end.is_some(), time_limit) {
            (false, _) => return Ok(Bounds { measured_from, ..Bounds::default() }),
            (true, None) => {
                let key = if self.start.is_some() { "start" } else { "end" };
                return wrong(format!("{key} needs a duration of the file"));
            }
            (true, Some(duration)) => duration,
        };
        let (start, end) = (self.start.unwrap_or_default(), self.end.unwrap_or(duration));
        if end > duration {
            return wrong(format!(
                "end {} is after the end of the measurement ({})",
                seconds(end),
                seconds(duration)
            ));
        }
        if start >= end {
            let which =
                if self.end.is_some() { "the end of the group" } else { "the end of the measurement" };
            return wrong(format!("start {} is not before {which} ({})", seconds(start), seconds(end)));
        }
        let since_load = |time: Duration| measured_from.saturating_add(time);
        Ok(Bounds {
            measured_from,
            start: self.start.map(since_load).unwrap_or_default(),
            end: self.end.map(since_load),
        })
    }

    fn check_stages(
        &self,
        stages: &Stages,
        bounds: Bounds,
        time_limit: Option<Duration>,
    ) -> Result<(), Error> {
        let key = self.option("--stages", "stages");
        let Some(duration) = time_limit else {
            return Err(Error::usage(format!("{key} needs a duration instead of a number of messages")));
        };
        let end = bounds.end.unwrap_or_else(|| bounds.measured_from.saturating_add(duration));
        let available = end.saturating_sub(bounds.start.max(bounds.measured_from));
        if stages.time() > available {
            return Err(Error::usage(format!(
                "{key} take {} s, but the group sends for {} s only",
                stages.time().as_secs_f64(),
                available.as_secs_f64()
            )));
        }
        Ok(())
    }

    /// Subscribers can only identify messages with a payload header.
    fn check_header(&self, group: &Group) -> Result<(), Error> {
        let needed =
            if group.open_loop.is_some() { PayloadHeader::PLANNED_SIZE } else { PayloadHeader::SIZE };
        if group.publishers == 0 || group.receivers() == 0 || group.payload.room_for_header() >= needed {
            return Ok(());
        }
        let least = self.size.least;
        let hint = match group.is_answered {
            true => "",
            false if self.name.is_empty() => ", or --subscribers 0 to measure acknowledgements only",
            false => ", or subscribers = 0 to measure acknowledgements only",
        };
        let (option, use_it) = match self.name.is_empty() {
            true => ("-s", format!("-s {needed}")),
            false => ("size", format!("size = {needed}")),
        };
        Err(Error::usage(format!(
            "{option} {least}: the payload header of measured messages takes {needed} bytes; use {use_it}{hint}"
        )))
    }
}
