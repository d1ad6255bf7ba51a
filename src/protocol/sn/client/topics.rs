//! The topic ids of 1.2: those of REGISTER and SUBACK, predefined ones, and short names.

use super::names::Names;
use crate::protocol::sn::{ShortName, TopicId};

impl Names {
    /// The id of a topic, unless it has to be registered.
    pub(super) fn id(&self, topic: &str) -> Option<TopicId> {
        if let Some(id) = self.predefined_id(topic) {
            return Some(TopicId::Predefined(id));
        }
        let short = ShortName::new(topic).map(TopicId::Short);
        short.or_else(|| self.assigned_id(topic).map(TopicId::Normal))
    }

    /// The topic of a received message.
    pub(super) fn of_id<'t>(&'t self, id: &'t TopicId) -> Option<&'t str> {
        match id {
            TopicId::Normal(id) => self.of_assigned(*id),
            TopicId::Predefined(id) => self.of_predefined(*id),
            TopicId::Short(name) => name.as_str(),
        }
    }

    /// The topic of an id in a PUBACK, which does not have the kind of the id.
    pub(super) fn of_sent(&self, id: u16) -> String {
        let known = self.of_predefined(id).or_else(|| self.of_assigned(id)).map(str::to_owned);
        known.or_else(|| str::from_utf8(&id.to_be_bytes()).ok().map(str::to_owned)).unwrap_or_default()
    }

    /// The gateway does not know this registered id. Returns whether the client knew it.
    pub(super) fn forget_id(&mut self, id: u16) -> bool {
        let topic = self.of_assigned(id).map(str::to_owned);
        topic.is_some_and(|topic| {
            self.forget(&topic);
            true
        })
    }
}
