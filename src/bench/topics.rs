//! Assigns topics to publishers and filters to subscribers.

use super::generator::GeneratorState;
use super::run_id::RunId;
use super::template::{Template, Values};
use crate::payload::placeholder::PlaceholderError;
use crate::protocol::{TopicError, TopicFilter, TopicName};
use std::ops::Range;

/// The topics of a group, made from a template.
///
/// `{run}` is the run, `{i}` the publisher's number, `{client}` its client identifier, and `{s}` the number of the
/// subscriber that should receive the message. `{seq}`, `{ts}`, `{uuid}` and `{rand:0..100}` are new for each
/// message. Filters have `+` in place of levels that depend on the publisher or the message. Without `{s}`, every
/// subscriber receives every message.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    run: RunId,
    /// The template as it was written.
    text: String,
    template: Template,
    /// The template with `+` in place of levels that depend on the publisher or the message.
    filter: Template,
    publishers: u32,
    subscribers: u32,
    /// The numbers of the first publisher and the first subscriber.
    first: (u32, u32),
    is_spread: bool,
}

/// Why a template is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TopicsError {
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    #[error(
        "{{s}} cannot share a level with a placeholder of the publisher: no filter would match only one subscriber"
    )]
    SharedLevel,
    #[error("invalid topic {topic}: {error}")]
    Topic { topic: String, error: TopicError },
}

impl Topics {
    /// Parses a template.
    ///
    /// # Errors
    /// If it contains an unknown placeholder, or does not make a valid topic.
    pub(crate) fn new(
        template: &str,
        run: RunId,
        publishers: u32,
        subscribers: u32,
    ) -> Result<Topics, TopicsError> {
        let whole = Template::of_topic(template)?;
        let mut levels = Vec::new();
        for level in template.split('/') {
            let parsed = Template::of_topic(level)?;
            if subscribers > 1 && parsed.names_publisher() && parsed.names_subscriber() {
                return Err(TopicsError::SharedLevel);
            }
            levels.push(if parsed.names_publisher() { "+" } else { level });
        }
        let filter = Template::of_topic(&levels.join("/"))?;
        let is_spread = whole.names_subscriber();
        let topics = Topics {
            run,
            text: template.to_owned(),
            template: whole,
            filter,
            publishers,
            subscribers,
            first: (0, 0),
            is_spread,
        };
        topics.check()?;
        Ok(topics)
    }

    /// The same topics for these publishers and subscribers only.
    #[must_use]
    pub(crate) fn subset(self, publishers: Range<u32>, subscribers: Range<u32>) -> Topics {
        Topics {
            first: (publishers.start, subscribers.start),
            publishers: publishers.end - publishers.start,
            subscribers: subscribers.end - subscribers.start,
            ..self
        }
    }

    /// The template as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether runs, or the subscribers of several shards, have separate topics.
    pub(crate) fn are_apart(&self) -> bool {
        self.is_spread || self.template.names_run()
    }

    /// Checks the longest topic and filter, in place of all.
    fn check(&self) -> Result<(), TopicsError> {
        let topic = self.fill_in(&self.template, (u32::MAX, u32::MAX), "client", u64::MAX, 0);
        TopicName::parse(&topic).map_err(|error| TopicsError::Topic { topic, error })?;
        let topic = self.filter(u32::MAX);
        TopicFilter::parse(&topic).map_err(|error| TopicsError::Topic { topic, error })?;
        Ok(())
    }

    pub(crate) fn topic(&self, publisher: u32, client_id: &str) -> String {
        self.topic_of(publisher, client_id, 0, 0)
    }

    /// The topic of a publisher's message with this number. The seed of the publisher decides random values.
    pub(crate) fn topic_of(&self, publisher: u32, client_id: &str, sequence: u64, seed: u64) -> String {
        let subscriber = publisher % self.subscribers.max(1);
        self.fill_in(&self.template, (publisher, subscriber), client_id, sequence, seed)
    }

    /// Whether a publisher's topic changes with each message.
    pub(crate) fn are_new_for_each_message(&self) -> bool {
        self.template.is_new_for_each_message()
    }

    pub(crate) fn filter(&self, subscriber: u32) -> String {
        self.fill_in(&self.filter, (0, subscriber), "", 0, 0)
    }

    /// How many subscribers receive each message.
    pub(crate) fn fan_out(&self) -> u32 {
        if self.is_spread { self.subscribers.min(1) } else { self.subscribers }
    }

    /// How many publishers a subscriber receives from.
    pub(crate) fn fan_in(&self, subscriber: u32) -> u32 {
        if !self.is_spread {
            return self.publishers;
        }
        self.publishers.saturating_sub(subscriber).div_ceil(self.subscribers.max(1))
    }

    /// The subscribers that receive a publisher's messages.
    pub(crate) fn subscribers_of(&self, publisher: u32) -> Range<u32> {
        match (self.is_spread, self.subscribers) {
            (false, subscribers) => 0..subscribers,
            (true, 0) => 0..0,
            (true, subscribers) => publisher % subscribers..publisher % subscribers + 1,
        }
    }

    /// The index of a publisher among the subscriber's publishers; `None` if it is not one of them.
    pub(crate) fn index_of(&self, publisher: u32, subscriber: u32) -> Option<usize> {
        let index = if !self.is_spread {
            publisher
        } else if self.subscribers > 0 && publisher % self.subscribers == subscriber {
            publisher / self.subscribers
        } else {
            return None;
        };
        (publisher < self.publishers).then_some(index as usize)
    }

    fn fill_in(
        &self,
        template: &Template,
        (publisher, subscriber): (u32, u32),
        client: &str,
        sequence: u64,
        seed: u64,
    ) -> String {
        let mut topic = String::new();
        let (first_publisher, first_subscriber) = self.first;
        let publisher = first_publisher.saturating_add(publisher);
        let subscriber = first_subscriber.saturating_add(subscriber);
        let values = Values {
            run: self.run,
            publisher,
            subscriber,
            client,
            sequence,
            generators: GeneratorState { seed, walks: &[] },
        };
        template.fill_in(&values, &mut topic);
        topic
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::DEFAULT_TEMPLATE;

    const RUN: RunId = RunId(0x1a2b);

    fn topics(template: &str, publishers: u32, subscribers: u32) -> Topics {
        Topics::new(template, RUN, publishers, subscribers).unwrap()
    }

    fn error(template: &str) -> String {
        Topics::new(template, RUN, 10, 2).unwrap_err().to_string()
    }

    #[test]
    fn every_message_reaches_exactly_one_subscriber_by_default() {
        let topics = topics(DEFAULT_TEMPLATE, 10, 3);
        assert_eq!(topics.fan_out(), 1);
        assert_eq!((0..3).map(|subscriber| topics.fan_in(subscriber)).collect::<Vec<_>>(), [4, 3, 3]);
        for publisher in 0..10 {
            let topic = topics.topic(publisher, "");
            let matching = |&subscriber: &u32| {
                TopicFilter::parse(&topics.filter(subscriber)).unwrap().matches(&topic)
                    && topics.index_of(publisher, subscriber).is_some()
            };
            assert_eq!((0..3).filter(matching).collect::<Vec<_>>(), [publisher % 3]);
        }
    }

    #[test]
    fn indexes_count_the_publishers_of_a_subscriber() {
        let topics = topics(DEFAULT_TEMPLATE, 10, 3);
        for subscriber in 0..3 {
            let indexes = (0..10).filter_map(|publisher| topics.index_of(publisher, subscriber));
            assert_eq!(
                indexes.collect::<Vec<_>>(),
                (0..topics.fan_in(subscriber) as usize).collect::<Vec<_>>()
            );
        }
        assert_eq!(topics.index_of(10, 1), None);
        assert_eq!(topics.index_of(u32::MAX, 0), None);
    }

    #[test]
    fn without_s_every_subscriber_receives_everything() {
        let topics = topics("bench/dev-{i}/state", 4, 3);
        assert_eq!(topics.topic(2, ""), "bench/dev-2/state");
        assert_eq!(topics.filter(1), "bench/+/state");
        assert_eq!((topics.fan_out(), topics.fan_in(2)), (3, 4));
        assert_eq!(topics.index_of(3, 0), Some(3));
    }

    #[test]
    fn placeholders_of_a_publisher_are_wildcards_to_subscribers() {
        let topics = topics("{client}/{rand:0..2}/x{rand:5..6}/{s}", 4, 2);
        assert_eq!(topics.filter(1), "+/+/+/1");
        let topic = topics.topic(3, "mq-p3");
        assert!(["mq-p3/0/x5/1", "mq-p3/1/x5/1"].contains(&topic.as_str()), "{topic}");
    }

    #[test]
    fn without_subscribers_nothing_is_received() {
        let topics = topics(DEFAULT_TEMPLATE, 4, 0);
        assert_eq!(topics.topic(3, ""), "mq-bench/00001a2b/0/3");
        assert_eq!(topics.fan_out(), 0);
    }

    #[test]
    fn templates_that_cannot_work_are_refused() {
        assert!(
            error("a/{sequ}")
                .starts_with("unknown placeholder {sequ}; the placeholders are {run}, {client}, {i}")
        );
        assert!(error("a/{i").starts_with("placeholder {i is not closed"));
        assert!(error("a/{s}-{i}").starts_with("{s} cannot share a level"));
        assert_eq!(
            error("a/#"),
            "invalid topic a/#: a topic to publish to must not contain the wildcards + or #"
        );
    }
}
