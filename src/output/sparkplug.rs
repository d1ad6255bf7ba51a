//! The Sparkplug sessions of received messages: births for names and types, and notes about anomalies.

use crate::payload::Births;
use crate::payload::sparkplug::{Anomaly, Message, Observer, Sessions, Subscriptions, Topic, content};
use crate::protocol::Publish;
use std::time::Instant;

/// The place of the namespace in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopicPlace {
    /// The first level.
    Root,
    /// Other levels may precede.
    Anywhere,
}

/// The context for decoding a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionContext<'s> {
    pub(super) births: &'s Births,
    pub(super) notes: &'s [String],
}

#[derive(Debug)]
pub(super) struct SessionMemory {
    births: Births,
    sessions: Sessions,
    subscriptions: Subscriptions,
    /// All messages of the subscriptions are printed.
    is_complete: bool,
    is_eviction_told: bool,
    started: Instant,
}

impl SessionMemory {
    pub(super) fn new() -> SessionMemory {
        SessionMemory {
            births: Births::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            is_complete: false,
            is_eviction_told: false,
            started: Instant::now(),
        }
    }

    pub(super) fn subscribed(self, subscriptions: Subscriptions, is_complete: bool) -> SessionMemory {
        SessionMemory { subscriptions, is_complete, ..self }
    }

    pub(super) fn context<'s>(&'s self, notes: &'s [String]) -> SessionContext<'s> {
        SessionContext { births: &self.births, notes }
    }

    /// Takes a message, and returns notes about it.
    pub(super) fn observe(&mut self, publish: &Publish<'_>, place: Option<TopicPlace>) -> Vec<String> {
        self.births.learn(publish.topic, publish.payload);
        let topic = match place {
            None => None,
            Some(TopicPlace::Root) => Topic::parse_live(publish.topic),
            Some(TopicPlace::Anywhere) => Topic::parse_live_anywhere(publish.topic),
        };
        // A retained message is from an unknown time.
        let Some(topic) = topic.filter(|_| !publish.retain && !publish.dup) else { return Vec::new() };
        let Some(message_type) = topic.message_type() else { return Vec::new() };
        let delivery = self.subscriptions.delivery(&topic);
        let observer = Observer {
            broker: 0,
            connection: 0,
            is_publisher: false,
            is_from_start: false,
            is_complete: self.is_complete && delivery.is_complete,
            may_repeat: delivery.may_repeat,
            has_births: delivery.has_births,
            losses: 0,
        };
        let content = content(publish.payload);
        let Ok(message) = Message::read(topic, message_type, &content) else {
            self.sessions.lose(observer, &topic);
            return Vec::new();
        };
        let time = u64::try_from(self.started.elapsed().as_nanos()).ok();
        let anomalies = self.sessions.observe(observer, time, &message, &self.births);
        anomalies.unwrap_or_default().iter().map(note).collect()
    }

    /// Says once that there are more nodes than can be remembered.
    pub(super) fn take_remark(&mut self) -> Option<String> {
        let is_new = self.sessions.evicted() > 0 && !self.is_eviction_told;
        self.is_eviction_told |= is_new;
        is_new.then(|| {
            "too many Sparkplug nodes: the state of those heard of longest ago is dropped".to_owned()
        })
    }
}

fn note(anomaly: &Anomaly) -> String {
    if anomaly.wants_rebirth() { format!("{anomaly}; rebirth wanted") } else { anomaly.to_string() }
}
