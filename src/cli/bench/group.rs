//! A group of clients, as options or a scenario file describe it, and its conversion to a group of the plan.

use super::recording;
use super::value_parsers::{Ramping, Topology, Word};
use crate::bench::PayloadHeader;
use crate::bench::payload::Payload;
use crate::bench::plan::ShardOffsets;
use crate::bench::plan::{DEFAULT_TEMPLATE, Group, RunId, default_messages, default_subscribers};
use crate::bench::schedule::{Arrivals, OpenLoop, Ramp, Rate};
use crate::bench::template::Template;
use crate::bench::topics::Topics;
use crate::cli::Error;
use crate::cli::values::Sizes;
use crate::input_file;
use crate::protocol::{MAX_REMAINING_LENGTH, Qos, TopicFilter};
use std::path::PathBuf;
use std::time::Duration;

/// The default number of clients.
const DEFAULT_CLIENTS: u32 = 100;

/// The default number of unacknowledged QoS 1 and 2 messages per publisher.
const DEFAULT_IN_FLIGHT: u16 = 20;

/// The default topic of messages that all subscribers receive.
const TEMPLATE_FOR_ALL: &str = "mq-bench/{run}/{i}";

/// The requested settings. The only group has an empty name.
#[derive(Debug, Clone)]
pub(super) struct GroupSpec {
    pub(super) name: String,
    pub(super) word: Word,
    pub(super) clients: Option<u32>,
    pub(super) publishers: Option<u32>,
    pub(super) subscribers: Option<u32>,
    pub(super) topology: Option<Topology>,
    pub(super) qos: Qos,
    pub(super) subscription_qos: Option<Qos>,
    pub(super) size: Sizes,
    pub(super) payload_file: Option<PathBuf>,
    pub(super) payload_recording: Option<PathBuf>,
    pub(super) recorded_topics: bool,
    pub(super) payload_template: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) retain: bool,
    pub(super) share: Option<String>,
    pub(super) messages: Option<u64>,
    pub(super) in_flight: Option<u16>,
    pub(super) rate: Option<Rate>,
    pub(super) arrivals: Arrivals,
    pub(super) burst: u32,
    pub(super) ramp: Option<Ramping>,
    /// The warm-up, and the duration of the load unless a number of messages ends it.
    pub(super) time: (Duration, Option<Duration>),
}

/// The number of clients by role.
struct Counts {
    publishers: u32,
    subscribers: u32,
    idle: u32,
}

impl GroupSpec {
    /// Makes a group of the plan, which ends after a time or a number of messages.
    pub(super) fn group(&self, run: RunId, has_duration: bool) -> Result<Group, Error> {
        let Counts { publishers, subscribers, idle } = self.counts();
        let topics = self.topics(run, publishers, subscribers)?;
        let filter = self.filter()?;
        let is_answered = self.word == Word::Rr;
        if is_answered && subscribers > 1 && topics.fan_out() > 1 {
            let text = format!(
                "{}: without {{s}}, all {subscribers} responders would answer each request",
                self.option("-t", "topic")
            );
            return Err(Error::Usage(text));
        }
        let fan_out = topics.fan_out();
        let messages = match (self.messages, has_duration) {
            (None, false) if publishers > 0 => Some(default_messages(publishers, fan_out)),
            (messages, _) => messages,
        };
        let group = Group {
            name: self.name.clone(),
            is_answered,
            publishers,
            subscribers,
            idle,
            qos: self.qos,
            subscription_qos: self.subscription_qos.unwrap_or(self.qos),
            granted_qos: None,
            payload: self.payload()?,
            retain: self.retain,
            topics,
            share: self.checked_share()?,
            filter,
            messages,
            in_flight: self.in_flight.unwrap_or(if is_answered { 1 } else { DEFAULT_IN_FLIGHT }),
            open_loop: self.open_loop(run, publishers)?,
            offsets: ShardOffsets::default(),
            first_publisher: 0,
            first_subscriber: 0,
            first_client: 0,
        };
        self.check_header(&group)?;
        Ok(group)
    }

    /// The name of a setting as the user wrote it: an option or a key.
    fn option(&self, option: &'static str, key: &'static str) -> &'static str {
        if self.name.is_empty() { option } else { key }
    }

    fn counts(&self) -> Counts {
        let clients = self.clients.unwrap_or(DEFAULT_CLIENTS);
        let publishers = self.publishers.unwrap_or(clients);
        let (publishers, subscribers) = match (self.word, self.topology) {
            (Word::Conn, _) => return Counts { publishers: 0, subscribers: 0, idle: clients },
            (Word::Pub, _) => (publishers, 0),
            (Word::Sub, _) => (0, clients),
            (Word::Rr, _) => {
                (publishers, self.subscribers.unwrap_or_else(|| default_subscribers(publishers)).max(1))
            }
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
        let default = match (self.word, self.topology) {
            (Word::Rr, _) => "mq-bench/{run}/requests/{s}",
            (_, Some(Topology::FanOut | Topology::Mesh)) => TEMPLATE_FOR_ALL,
            _ => DEFAULT_TEMPLATE,
        };
        // Groups of a file use separate topics.
        let default = match self.name.as_str() {
            "" => default.to_owned(),
            name => default.replace("{run}", &format!("{{run}}/{name}")),
        };
        let template = self.topic.as_ref().filter(|_| self.word != Word::Sub).unwrap_or(&default);
        // The subscribers of a shared subscription count as one receiver.
        let receivers = if self.share.is_some() { subscribers.min(1) } else { subscribers };
        Topics::new(template, run, publishers, receivers)
            .map_err(|error| Error::Usage(format!("{} {template}: {error}", self.option("-t", "topic"))))
    }

    /// The topic filter of subscribers that receive the messages of other clients.
    fn filter(&self) -> Result<Option<String>, Error> {
        if self.word != Word::Sub {
            return Ok(None);
        }
        let Some(filter) = &self.topic else {
            let option = self.option("-t FILTER", "topic");
            return Err(Error::Usage(format!("sub needs {option}: the topic filter to subscribe to")));
        };
        match TopicFilter::parse(filter) {
            Ok(_) => Ok(Some(filter.clone())),
            Err(error) => Err(Error::Usage(format!("{} {filter}: {error}", self.option("-t", "topic")))),
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
                Err(Error::Usage(format!(
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
            return Ok(Payload::Recording(recording::read(path, self.recorded_topics)?));
        }
        match &self.payload_template {
            Some(text) => match Template::of_payload(text) {
                Ok(template) => Ok(Payload::Text(template)),
                Err(error) => {
                    let option = self.option("--payload-template", "payload_template");
                    Err(Error::Usage(format!("{option}: {error}")))
                }
            },
            None => Ok(Payload::Size { least: self.size.least, most: self.size.most }),
        }
    }

    fn open_loop(&self, run: RunId, publishers: u32) -> Result<Option<OpenLoop>, Error> {
        let (rate, ramp) = self.rate_and_ramp()?;
        // At full speed, the backlog of an absent subscriber would grow too large.
        let gentle = || Rate::per_second(publishers.into()).filter(|_| self.word == Word::Reconnect);
        let load = |rate| {
            let GroupSpec { arrivals, burst, .. } = *self;
            OpenLoop { rate, arrivals, burst, ramp, seed: run.0.into() }
        };
        Ok(rate.or_else(gentle).map(load))
    }

    /// The final rate, and the ramp that leads to it.
    fn rate_and_ramp(&self) -> Result<(Option<Rate>, Ramp), Error> {
        let wrong = |problem: &str| Err(Error::Usage(format!("{} {problem}", self.option("--ramp", "ramp"))));
        match (self.ramp, self.rate, self.time) {
            (None, rate, _) => Ok((rate, Ramp::default())),
            (Some(Ramping::FromNothing(_)), None, _) => {
                wrong("SECONDS needs a rate; without one, use two rates as in 100..5k")
            }
            (Some(Ramping::FromNothing(time)), rate, _) => Ok((rate, Ramp { time, ..Ramp::default() })),
            (Some(Ramping::Between(..)), Some(_), _) => {
                wrong("FROM..TO replaces the rate; leave the rate out")
            }
            (Some(Ramping::Between(..)), None, (_, None)) => {
                wrong("FROM..TO needs a duration instead of a number of messages")
            }
            (Some(Ramping::Between(from, to)), None, (after, Some(time))) => {
                Ok((Some(to), Ramp { from: Some(from), after, time }))
            }
        }
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
        Err(Error::Usage(format!(
            "{option} {least}: the payload header of measured messages takes {needed} bytes; use {use_it}{hint}"
        )))
    }
}
