//! Sparkplug's topics: `spBv1.0/GROUP/TYPE/NODE/DEVICE`, those for the births stored by a Sparkplug-aware broker (prefix
//! `$sparkplug/certificates/`), and those of bridges and sites that add their own levels in front.

use std::fmt;

/// The namespace of Sparkplug B.
const NAMESPACE: &str = "spBv1.0/";

/// The prefix for the births stored by a Sparkplug-aware broker.
const CERTIFICATES: &str = "$sparkplug/certificates/";

/// The group of the host applications' states, whose payload is JSON.
const STATE: &str = "STATE";

/// The type of a message of a node, or of a command to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    NodeBirth,
    NodeDeath,
    NodeData,
    NodeCommand,
    DeviceBirth,
    DeviceDeath,
    DeviceData,
    DeviceCommand,
}

/// A topic below the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Topic<'a> {
    /// The levels in front of the namespace.
    prefix: &'a str,
    group: &'a str,
    message_type: &'a str,
    node: &'a str,
    /// Empty for messages of the node itself.
    device: &'a str,
}

impl<'a> Topic<'a> {
    /// Reads a topic of the specification.
    pub(in crate::payload) fn parse(topic: &'a str) -> Option<Topic<'a>> {
        Topic::parse_live(topic.strip_prefix(CERTIFICATES).unwrap_or(topic))
    }

    /// Reads a topic to which nodes and hosts publish: not one of the births stored by a broker.
    pub(crate) fn parse_live(topic: &'a str) -> Option<Topic<'a>> {
        Some(Topic::below("", topic.strip_prefix(NAMESPACE)?))
    }

    /// Reads a topic that may have other levels in front.
    pub(in crate::payload) fn parse_anywhere(topic: &'a str) -> Option<Topic<'a>> {
        let with_prefix = || {
            // A search for the whole namespace would cost more in the short topics of every message.
            memchr::memchr_iter(b'/', topic.as_bytes()).find_map(|at| {
                let rest = topic.get(at + 1..)?.strip_prefix(NAMESPACE)?;
                Some(Topic::below(topic.get(..at)?, rest))
            })
        };
        Topic::parse(topic).or_else(with_prefix)
    }

    /// Like [`Topic::parse_live`], with other levels in front.
    pub(crate) fn parse_live_anywhere(topic: &'a str) -> Option<Topic<'a>> {
        Topic::parse_anywhere(topic).filter(|_| !topic.starts_with(CERTIFICATES))
    }

    fn below(prefix: &'a str, rest: &'a str) -> Topic<'a> {
        let mut levels = rest.splitn(4, '/');
        let mut level = || levels.next().unwrap_or_default();
        Topic { prefix, group: level(), message_type: level(), node: level(), device: level() }
    }

    /// Whether the payload is JSON: a host application's state.
    pub(crate) fn is_state(&self) -> bool {
        self.group == STATE
    }

    /// The message type; `None` if the level is another word, or a state.
    pub(crate) fn message_type(&self) -> Option<MessageType> {
        MessageType::ALL.into_iter().find(|it| it.name() == self.message_type && !self.is_state())
    }

    /// The level of the message type, as it is.
    pub(crate) fn type_level(&self) -> &'a str {
        self.message_type
    }

    pub(crate) fn group(&self) -> &'a str {
        self.group
    }

    pub(crate) fn node(&self) -> &'a str {
        self.node
    }

    /// The device; empty for messages of the node itself.
    pub(crate) fn device(&self) -> &'a str {
        self.device
    }

    pub(super) fn is_birth(&self) -> bool {
        self.message_type().is_some_and(MessageType::is_birth)
    }

    /// Identifies the node or the device.
    pub(super) fn key(&self) -> String {
        [self.prefix, self.group, self.node, self.device].join("\0")
    }

    /// The topic as text.
    pub(super) fn name(&self) -> String {
        let Topic { prefix, group, message_type, node, device } = self;
        let (after_prefix, before_device) =
            (if prefix.is_empty() { "" } else { "/" }, if device.is_empty() { "" } else { "/" });
        format!("{prefix}{after_prefix}{NAMESPACE}{group}/{message_type}/{node}{before_device}{device}")
    }

    /// The topic for another type of message of the same node or device.
    pub(super) fn with_type(self, message_type: MessageType) -> Topic<'a> {
        let device = if message_type.is_of_device() { self.device } else { "" };
        Topic { message_type: message_type.name(), device, ..self }
    }

    /// The topic of the device's node.
    pub(super) fn of_node(self) -> Topic<'a> {
        Topic { device: "", ..self }
    }
}

impl MessageType {
    pub(crate) const ALL: [MessageType; 8] = [
        MessageType::NodeBirth,
        MessageType::NodeDeath,
        MessageType::NodeData,
        MessageType::NodeCommand,
        MessageType::DeviceBirth,
        MessageType::DeviceDeath,
        MessageType::DeviceData,
        MessageType::DeviceCommand,
    ];

    /// The level of the topic.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MessageType::NodeBirth => "NBIRTH",
            MessageType::NodeDeath => "NDEATH",
            MessageType::NodeData => "NDATA",
            MessageType::NodeCommand => "NCMD",
            MessageType::DeviceBirth => "DBIRTH",
            MessageType::DeviceDeath => "DDEATH",
            MessageType::DeviceData => "DDATA",
            MessageType::DeviceCommand => "DCMD",
        }
    }

    /// Whether the topic has a level for the device.
    pub(crate) fn is_of_device(self) -> bool {
        matches!(
            self,
            MessageType::DeviceBirth
                | MessageType::DeviceDeath
                | MessageType::DeviceData
                | MessageType::DeviceCommand
        )
    }

    pub(crate) fn is_birth(self) -> bool {
        matches!(self, MessageType::NodeBirth | MessageType::DeviceBirth)
    }

    pub(crate) fn is_data(self) -> bool {
        matches!(self, MessageType::NodeData | MessageType::DeviceData)
    }

    /// Whether a host sends it to the node.
    pub(crate) fn is_command(self) -> bool {
        matches!(self, MessageType::NodeCommand | MessageType::DeviceCommand)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a subscription to this filter delivers all messages of each node that it delivers any message of.
pub(crate) fn has_whole_sessions(filter: &str) -> bool {
    // The members of a shared subscription share the messages.
    if filter.starts_with("$share/") || filter.starts_with("$queue/") {
        return false;
    }
    let levels: Vec<&str> = filter.split('/').collect();
    matches!(levels.as_slice(), ["#"] | [_, "#"] | [_, _, "#"] | [_, _, "+", "#"] | [_, _, "+", _, "#"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_with_all_messages_of_a_node_have_all_types_and_devices() {
        for filter in ["#", "spBv1.0/#", "+/g/#", "spBv1.0/g/+/#", "spBv1.0/+/+/n/#"] {
            assert!(has_whole_sessions(filter), "{filter}");
        }
        for filter in [
            "spBv1.0/+/NDATA/+",
            "spBv1.0/g/+/n",
            "spBv1.0/+/+/+/d",
            "$share/x/spBv1.0/#",
            "$queue/spBv1.0/#",
            "a",
        ] {
            assert!(!has_whole_sessions(filter), "{filter}");
        }
    }

    #[test]
    fn topics_have_a_group_a_type_a_node_and_a_device() {
        let birth = Topic::parse("spBv1.0/g/NBIRTH/n").unwrap();
        assert!(birth.is_birth() && !birth.is_state());
        assert_eq!(Topic::parse("spBv1.0/g/NDATA/n").unwrap().key(), birth.key());
        assert_eq!(Topic::parse("$sparkplug/certificates/spBv1.0/g/NBIRTH/n"), Some(birth));
        let device = Topic::parse("spBv1.0/g/DDATA/n/d").unwrap();
        assert_ne!(device.key(), birth.key());
        assert_eq!(device.of_node().key(), birth.key());
        assert!(Topic::parse("spBv1.0/STATE/host").unwrap().is_state());
    }

    #[test]
    fn levels_in_front_are_part_of_the_key() {
        assert_eq!(Topic::parse("site/spBv1.0/g/NDATA/n"), None);
        let topic = Topic::parse_anywhere("a/b/spBv1.0/g/NDATA/n").unwrap();
        assert_ne!(topic.key(), Topic::parse("spBv1.0/g/NDATA/n").unwrap().key());
        assert_eq!(topic.key(), Topic::parse_anywhere("a/b/spBv1.0/g/NBIRTH/n").unwrap().key());
        assert_eq!(Topic::parse_anywhere("xspBv1.0/g/NDATA/n"), None);
        assert_eq!(Topic::parse_anywhere("a/b"), None);
    }
}
