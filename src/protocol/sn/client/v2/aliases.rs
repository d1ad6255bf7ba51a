//! The topic aliases of 2.0: those that the gateway assigned for the session, and predefined ones.

use crate::protocol::sn::client::names::Names;
use crate::protocol::sn::v2::{Topic, TopicAlias};

impl Names {
    /// The alias of a topic, unless it has to be registered. A topic with an alias must be sent as the alias [MQTT-SN-4.7.2-1].
    pub(super) fn alias(&self, topic: &str) -> Option<TopicAlias> {
        let predefined = self.predefined_id(topic).map(TopicAlias::Predefined);
        predefined.or_else(|| self.assigned_id(topic).map(TopicAlias::Session))
    }

    /// The topic or filter without a session, for CONNECT, SUBSCRIBE and PUBWOS.
    pub(super) fn lasting<'t>(&self, topic: &'t str) -> Topic<'t> {
        let predefined = self.predefined_id(topic);
        predefined.map_or(Topic::Name(topic), |alias| Topic::Alias(TopicAlias::Predefined(alias)))
    }

    /// The name of a received topic.
    pub(super) fn of_topic<'t>(&'t self, topic: &'t Topic<'t>) -> Option<&'t str> {
        match topic {
            Topic::Name(name) => Some(name),
            Topic::Alias(TopicAlias::Session(alias)) => self.of_assigned(*alias),
            Topic::Alias(TopicAlias::Predefined(alias)) => self.of_predefined(*alias),
        }
    }

    /// Adds an alias. Returns whether there was room.
    pub(super) fn add_alias(&mut self, alias: TopicAlias, topic: &str) -> bool {
        match alias {
            TopicAlias::Predefined(alias) => self.add_predefined(alias, topic),
            TopicAlias::Session(alias) => self.add(alias, topic),
        }
    }
}
