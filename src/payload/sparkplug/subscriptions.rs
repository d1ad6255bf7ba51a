//! The subscriptions by which an observer receives the messages of nodes.

use super::topic::{MessageType, Topic, has_whole_sessions};
use crate::protocol::topic::{matches, split_share};

/// The most filters to remember.
const MAX_FILTERS: usize = 1000;

/// The topic filters of a client.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    filters: Vec<String>,
    /// There may be others.
    has_others: bool,
}

/// The messages of a node that subscriptions deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// All messages of the node.
    pub(crate) is_complete: bool,
    /// The broker may deliver a copy for each of several subscriptions.
    pub(crate) may_repeat: bool,
    /// The births of the node or the device.
    pub(crate) has_births: bool,
}

impl Subscriptions {
    pub(crate) fn add(&mut self, filter: &str) {
        if self.filters.iter().any(|known| known == filter) {
            return;
        }
        if self.filters.len() >= MAX_FILTERS {
            self.has_others = true;
            return;
        }
        self.filters.push(filter.to_owned());
    }

    /// Returns whether the filter was known.
    pub(crate) fn remove(&mut self, filter: &str) -> bool {
        let before = self.filters.len();
        self.filters.retain(|known| known != filter);
        self.filters.len() < before
    }

    /// There may be unknown subscriptions, such as those of a session that continues.
    pub(crate) fn set_others(&mut self) {
        self.has_others = true;
    }

    pub(crate) fn delivery(&self, topic: &Topic<'_>) -> Delivery {
        let name = topic.name();
        let mut matching = self.filters.iter().filter(|filter| is_match(filter, &name));
        let count = matching.clone().count();
        let is_complete = matching.any(|filter| has_whole_sessions(filter));
        Delivery {
            is_complete,
            may_repeat: count > 1 || self.has_others,
            has_births: is_complete
                || self.has_others
                || self.filters.is_empty()
                || self.delivers(topic, MessageType::NodeBirth)
                || self.delivers(topic, MessageType::DeviceBirth),
        }
    }

    fn delivers(&self, topic: &Topic<'_>, message_type: MessageType) -> bool {
        let name = topic.with_type(message_type).name();
        self.filters.iter().any(|filter| is_match(filter, &name))
    }
}

fn is_match(filter: &str, name: &str) -> bool {
    let shared = split_share(filter).ok().flatten();
    matches(shared.map_or(filter, |(_, filter)| filter), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(filters: &[&str], topic: &str) -> (bool, bool, bool) {
        let mut subscriptions = Subscriptions::default();
        filters.iter().for_each(|filter| subscriptions.add(filter));
        let it = subscriptions.delivery(&Topic::parse_anywhere(topic).unwrap());
        (it.is_complete, it.may_repeat, it.has_births)
    }

    #[test]
    fn each_node_has_the_subscriptions_that_match_it() {
        let data = "spBv1.0/g/NDATA/n";
        for (filters, expected) in [
            (&["spBv1.0/#"][..], (true, false, true)),
            (&["spBv1.0/#", "spBv1.0/#"], (true, false, true)),
            (&["spBv1.0/#", "spBv1.0/g/#"], (true, true, true)),
            (&["spBv1.0/#", "$share/s/spBv1.0/#"], (true, true, true)),
            (&["spBv1.0/#", "spBv1.0/h/#"], (true, false, true)),
            (&["spBv1.0/h/#", "spBv1.0/g/NDATA/#"], (false, false, false)),
            (&["spBv1.0/g/NDATA/#", "spBv1.0/g/NBIRTH/+"], (false, false, true)),
            (&[], (false, false, true)),
        ] {
            assert_eq!(delivery(filters, data), expected, "{filters:?}");
        }
        let prefixed = delivery(&["site/spBv1.0/#", "spBv1.0/#"], "site/spBv1.0/g/DDATA/n/d");
        assert_eq!(prefixed, (true, false, true));
        assert_eq!(delivery(&["spBv1.0/+/+/+/+"], "spBv1.0/g/DDATA/n/d"), (false, false, true));
    }

    #[test]
    fn filters_are_removed_and_bounded() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.add("spBv1.0/#");
        assert!(!subscriptions.remove("#") && subscriptions.remove("spBv1.0/#"));
        assert!(!subscriptions.delivery(&Topic::parse("spBv1.0/g/NDATA/n").unwrap()).is_complete);
        (0..=MAX_FILTERS).for_each(|number| subscriptions.add(&number.to_string()));
        assert!(subscriptions.has_others && subscriptions.filters.len() == MAX_FILTERS);
    }
}
