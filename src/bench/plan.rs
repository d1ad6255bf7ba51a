//! What a run does, worked out before anything is connected: who takes part, which topics they use, how much is sent.
//!
//! Nothing here does anything; it is asked by the workers and by the report.

use crate::protocol::{Qos, TopicError, TopicFilter, TopicName, Version};
use std::net::IpAddr;
use std::time::Duration;

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

/// How every client reaches the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The local address to connect from; `None` to let the system and the plan choose.
    pub bind: Option<IpAddr>,
    /// The version to speak.
    pub version: Version,
    /// The longest silence in seconds; 0 for none.
    pub keep_alive: u16,
    /// The user name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Vec<u8>>,
    /// What client identifiers start with.
    pub client_id_prefix: String,
    /// Whether existing sessions are thrown away.
    pub clean_start: bool,
    /// How long one client's connecting may take, until CONNACK.
    pub connect_timeout: Duration,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How every client reaches the broker.
    pub broker: Broker,
    /// How many clients publish.
    pub publishers: u32,
    /// How many clients subscribe and measure; 0 for none.
    pub subscribers: u32,
    /// The QoS of publishing and of the subscriptions.
    pub qos: Qos,
    /// The payload's bytes.
    pub payload_size: usize,
    /// Who publishes and subscribes to what.
    pub topics: Topics,
    /// How much is sent.
    pub volume: Volume,
    /// How many messages of QoS 1 and 2 each publisher keeps unacknowledged.
    pub in_flight: u16,
    /// How many clients start to connect in a second; `None` for as many as the broker takes.
    pub connect_rate: Option<u32>,
    /// How many threads the clients are spread over.
    pub threads: usize,
    /// How long the run waits while nothing moves before it gives up what it waits for.
    pub patience: Duration,
}

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// That many messages by all publishers together.
    Messages(u64),
    /// As much as goes in that time.
    Duration(Duration),
}

/// What a client is there for; the number counts within its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Part {
    Publisher(u32),
    Subscriber(u32),
}

impl Plan {
    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.publishers.saturating_add(self.subscribers)
    }

    /// A client's number among all.
    pub fn number_of(&self, part: Part) -> u32 {
        match part {
            Part::Publisher(number) => number,
            Part::Subscriber(number) => self.publishers.saturating_add(number),
        }
    }

    /// The clients of one thread, subscribers first.
    pub fn parts_of_thread(&self, thread: usize) -> impl Iterator<Item = Part> + use<> {
        let subscribers = (0..self.subscribers).skip(thread).step_by(self.threads).map(Part::Subscriber);
        let publishers = (0..self.publishers).skip(thread).step_by(self.threads).map(Part::Publisher);
        subscribers.chain(publishers)
    }

    /// How many messages a publisher sends.
    pub fn messages_of(&self, publisher: u32) -> u64 {
        let Volume::Messages(total) = self.volume else {
            return u64::MAX;
        };
        let publishers = u64::from(self.publishers.max(1));
        total / publishers + u64::from(u64::from(publisher) < total % publishers)
    }

    /// The client identifier, at most 23 bytes with a short prefix, which is all that MQTT 3.1 allows.
    pub fn client_id(&self, part: Part) -> String {
        let (kind, number) = match part {
            Part::Publisher(number) => ('p', number),
            Part::Subscriber(number) => ('s', number),
        };
        format!("{}-{}-{kind}{number}", self.broker.client_id_prefix, self.topics.run)
    }
}

/// The number of subscribers that goes with a number of publishers.
pub fn default_subscribers(publishers: u32) -> u32 {
    publishers.min(MOST_PAIRS.max(publishers.div_ceil(PUBLISHERS_PER_SUBSCRIBER)))
}

/// A volume that is done in seconds.
pub fn default_volume(publishers: u32) -> Volume {
    let publishers = u64::from(publishers);
    let all = publishers * DEFAULT_MESSAGES_EACH;
    let bounded = all.clamp(FEWEST_DEFAULT_MESSAGES, MOST_DEFAULT_MESSAGES);
    Volume::Messages(bounded.max(publishers * FEWEST_DEFAULT_MESSAGES_EACH))
}

/// Tells the messages of one run from those of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(pub u32);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The topics of a run, made from a template.
///
/// `{run}` stands for the run, `{i}` for the publisher's number and `{s}` for the number of the subscriber that is to receive it.
/// Subscribers put `+` in place of a level with `{i}`. Without `{s}`, every subscriber receives every message.
#[derive(Debug, Clone)]
pub struct Topics {
    /// The run.
    pub run: RunId,
    template: String,
    publishers: u32,
    subscribers: u32,
    is_spread: bool,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say what each is
pub enum TemplateError {
    #[error(
        "{{{0}}} stands for nothing; there are {{run}}, {{i}} (the publisher) and {{s}} (its subscriber)"
    )]
    UnknownPlaceholder(String),
    #[error("{{i}} and {{s}} cannot share a level: a subscriber could not tell its topics from the others'")]
    SharedLevel,
    #[error("it makes the topic {topic}, which cannot be used: {error}")]
    Topic { topic: String, error: TopicError },
}

impl Topics {
    /// Reads a template.
    ///
    /// # Errors
    /// When it holds an unknown placeholder, or what it makes is no topic.
    pub fn new(
        template: &str,
        run: RunId,
        publishers: u32,
        subscribers: u32,
    ) -> Result<Topics, TemplateError> {
        check_placeholders(template)?;
        let has_both = |level: &str| level.contains("{i}") && level.contains("{s}");
        if subscribers > 1 && template.split('/').any(has_both) {
            return Err(TemplateError::SharedLevel);
        }
        let is_spread = template.contains("{s}");
        let topics = Topics { run, template: template.to_owned(), publishers, subscribers, is_spread };
        topics.check()?;
        Ok(topics)
    }

    /// The longest topic and filter stand for all.
    fn check(&self) -> Result<(), TemplateError> {
        let topic = self.fill_in(u32::MAX, u32::MAX);
        TopicName::parse(&topic).map_err(|error| TemplateError::Topic { topic, error })?;
        let topic = self.filter(u32::MAX);
        TopicFilter::parse(&topic).map_err(|error| TemplateError::Topic { topic, error })?;
        Ok(())
    }

    /// What a publisher publishes to.
    pub fn topic(&self, publisher: u32) -> String {
        self.fill_in(publisher, publisher % self.subscribers.max(1))
    }

    /// What a subscriber subscribes to.
    pub fn filter(&self, subscriber: u32) -> String {
        let levels = self.template.split('/').map(|level| if level.contains("{i}") { "+" } else { level });
        let filter = levels.collect::<Vec<_>>().join("/");
        filter.replace("{run}", &self.run.to_string()).replace("{s}", &subscriber.to_string())
    }

    /// How many subscribers receive each message.
    pub fn fan_out(&self) -> u32 {
        if self.is_spread { self.subscribers.min(1) } else { self.subscribers }
    }

    /// How many publishers a subscriber receives from.
    pub fn fan_in(&self, subscriber: u32) -> u32 {
        if !self.is_spread {
            return self.publishers;
        }
        self.publishers.saturating_sub(subscriber).div_ceil(self.subscribers.max(1))
    }

    /// The subscribers that receive what a publisher sends.
    pub fn subscribers_of(&self, publisher: u32) -> std::ops::Range<u32> {
        match (self.is_spread, self.subscribers) {
            (false, subscribers) => 0..subscribers,
            (true, 0) => 0..0,
            (true, subscribers) => publisher % subscribers..publisher % subscribers + 1,
        }
    }

    /// Which of the subscriber's publishers that is, counted from 0; `None` when it is not one of them.
    pub fn place_of(&self, publisher: u32, subscriber: u32) -> Option<usize> {
        let place = if !self.is_spread {
            publisher
        } else if self.subscribers > 0 && publisher % self.subscribers == subscriber {
            publisher / self.subscribers
        } else {
            return None;
        };
        (publisher < self.publishers).then_some(place as usize)
    }

    /// The publisher at a place; the inverse of [`Topics::place_of`].
    pub fn publisher_at(&self, place: u32, subscriber: u32) -> u32 {
        if self.is_spread { place * self.subscribers + subscriber } else { place }
    }

    fn fill_in(&self, publisher: u32, subscriber: u32) -> String {
        self.template
            .replace("{run}", &self.run.to_string())
            .replace("{i}", &publisher.to_string())
            .replace("{s}", &subscriber.to_string())
    }
}

fn check_placeholders(template: &str) -> Result<(), TemplateError> {
    for (start, _) in template.match_indices('{') {
        let rest = template.get(start + 1..).unwrap_or_default();
        let name = rest.split('}').next().unwrap_or_default();
        if !matches!(name, "run" | "i" | "s") || !rest.contains('}') {
            return Err(TemplateError::UnknownPlaceholder(name.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunId = RunId(0x1a2b);

    fn topics(template: &str, publishers: u32, subscribers: u32) -> Topics {
        Topics::new(template, RUN, publishers, subscribers).unwrap()
    }

    fn error(template: &str) -> String {
        Topics::new(template, RUN, 10, 2).unwrap_err().to_string()
    }

    fn plan(publishers: u32, subscribers: u32, volume: Volume) -> Plan {
        let broker = Broker {
            host: "localhost".to_owned(),
            port: 1883,
            bind: None,
            version: Version::V311,
            keep_alive: 60,
            username: None,
            password: None,
            client_id_prefix: "mq".to_owned(),
            clean_start: true,
            connect_timeout: Duration::from_secs(10),
        };
        Plan {
            broker,
            publishers,
            subscribers,
            qos: Qos::AtLeastOnce,
            payload_size: 64,
            topics: topics(DEFAULT_TEMPLATE, publishers, subscribers),
            volume,
            in_flight: 20,
            connect_rate: None,
            threads: 2,
            patience: Duration::from_secs(10),
        }
    }

    #[test]
    fn every_message_reaches_exactly_one_subscriber_by_default() {
        let topics = topics(DEFAULT_TEMPLATE, 10, 3);
        assert_eq!(topics.fan_out(), 1);
        assert_eq!((0..3).map(|subscriber| topics.fan_in(subscriber)).collect::<Vec<_>>(), [4, 3, 3]);
        for publisher in 0..10 {
            let topic = topics.topic(publisher);
            let matching = |&subscriber: &u32| {
                TopicFilter::parse(&topics.filter(subscriber)).unwrap().matches(&topic)
                    && topics.place_of(publisher, subscriber).is_some()
            };
            assert_eq!((0..3).filter(matching).collect::<Vec<_>>(), [publisher % 3]);
        }
    }

    #[test]
    fn places_count_the_publishers_of_a_subscriber() {
        let topics = topics(DEFAULT_TEMPLATE, 10, 3);
        for subscriber in 0..3 {
            for place in 0..topics.fan_in(subscriber) {
                let publisher = topics.publisher_at(place, subscriber);
                assert_eq!(topics.place_of(publisher, subscriber), Some(place as usize));
            }
        }
        assert_eq!(topics.place_of(10, 1), None);
        assert_eq!(topics.place_of(u32::MAX, 0), None);
    }

    #[test]
    fn without_s_every_subscriber_receives_everything() {
        let topics = topics("bench/dev-{i}/state", 4, 3);
        assert_eq!(topics.topic(2), "bench/dev-2/state");
        assert_eq!(topics.filter(1), "bench/+/state");
        assert_eq!((topics.fan_out(), topics.fan_in(2)), (3, 4));
        assert_eq!(topics.place_of(3, 0), Some(3));
    }

    #[test]
    fn without_subscribers_nothing_is_received() {
        let topics = topics(DEFAULT_TEMPLATE, 4, 0);
        assert_eq!(topics.topic(3), "mq-bench/00001a2b/0/3");
        assert_eq!(topics.fan_out(), 0);
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        assert_eq!(
            error("a/{client}"),
            "{client} stands for nothing; there are {run}, {i} (the publisher) and {s} (its subscriber)"
        );
        assert!(error("a/{i").starts_with("{i} stands for nothing"), "an open brace");
        assert!(error("a/{s}-{i}").starts_with("{i} and {s} cannot share a level"));
        assert_eq!(
            error("a/#"),
            "it makes the topic a/#, which cannot be used: a topic to publish to must not hold the wildcards + or #"
        );
    }

    #[test]
    fn the_volume_is_split_to_the_last_message() {
        let plan = plan(3, 1, Volume::Messages(11));
        assert_eq!((0..3).map(|publisher| plan.messages_of(publisher)).collect::<Vec<_>>(), [4, 4, 3]);
    }

    #[test]
    fn threads_share_the_clients_without_overlap() {
        let plan = plan(5, 3, Volume::Messages(1));
        let mut all: Vec<String> =
            (0..2).flat_map(|thread| plan.parts_of_thread(thread)).map(|part| plan.client_id(part)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), plan.clients() as usize);
        assert_eq!(all.first().map(String::as_str), Some("mq-00001a2b-p0"));
    }

    #[test]
    fn defaults_grow_with_the_publishers() {
        assert_eq!([1, 100, 500, 5000].map(default_subscribers), [1, 100, 100, 500]);
        let volumes = [(1, 10_000), (50, 50_000), (1000, 100_000), (20_000, 200_000)];
        for (publishers, messages) in volumes {
            assert_eq!(default_volume(publishers), Volume::Messages(messages));
        }
    }
}
