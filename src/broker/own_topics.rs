//! The topics that only the broker writes.

use crate::protocol::topic;

/// The prefix of the broker's own topics.
pub(super) const PREFIX: &str = "$SYS/";

/// The states of bridges, which are clients of the broker, and publish them with RETAIN and as their wills.
pub(super) const BRIDGE_STATES: &str = "$SYS/broker/connection/+/state";

/// Whether no client may publish to the topic, whatever the access rules say. As in mosquitto, the states of bridges are not among them.
pub(super) fn is_reserved(topic: &str) -> bool {
    (topic == "$SYS" || topic.starts_with(PREFIX)) && !topic::matches(BRIDGE_STATES, topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_bridges_are_the_only_topics_of_clients_below_sys() {
        for (topic, expected) in [
            ("$SYS", true),
            ("$SYS/broker/clients/connected", true),
            ("$SYS/broker/connection/b1/state", false),
            ("$SYS/broker/connection/b1/x/state", true),
            ("$SYS/broker/connection/b1", true),
            ("$SYSTEM", false),
            ("a/$SYS/b", false),
        ] {
            assert_eq!(is_reserved(topic), expected, "{topic}");
        }
    }
}
