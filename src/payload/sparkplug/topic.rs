//! Sparkplug's topics: `spBv1.0/GROUP/TYPE/NODE/DEVICE`, those for the births stored by a Sparkplug-aware broker (prefix
//! `$sparkplug/certificates/`), and those of bridges and sites that add their own levels in front.

/// The namespace of Sparkplug B.
const NAMESPACE: &str = "spBv1.0/";

/// The prefix for the births stored by a Sparkplug-aware broker.
const CERTIFICATES: &str = "$sparkplug/certificates/";

/// The group of the host applications' states, whose payload is JSON.
const STATE: &str = "STATE";

/// A topic below the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::payload) struct Topic<'a> {
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
        let topic = topic.strip_prefix(CERTIFICATES).unwrap_or(topic);
        Some(Topic::below("", topic.strip_prefix(NAMESPACE)?))
    }

    /// Reads a topic that may have other levels in front.
    pub(in crate::payload) fn parse_anywhere(topic: &'a str) -> Option<Topic<'a>> {
        let with_prefix = || {
            let at = topic.find("/spBv1.0/")?;
            let rest = topic.get(at + 1..)?.strip_prefix(NAMESPACE)?;
            Some(Topic::below(topic.get(..at)?, rest))
        };
        Topic::parse(topic).or_else(with_prefix)
    }

    fn below(prefix: &'a str, rest: &'a str) -> Topic<'a> {
        let mut levels = rest.splitn(4, '/');
        let mut level = || levels.next().unwrap_or_default();
        Topic { prefix, group: level(), message_type: level(), node: level(), device: level() }
    }

    /// Whether the payload is JSON: a host application's state.
    pub(in crate::payload) fn is_state(&self) -> bool {
        self.group == STATE
    }

    pub(super) fn is_birth(&self) -> bool {
        matches!(self.message_type, "NBIRTH" | "DBIRTH")
    }

    /// Identifies the node or the device.
    pub(super) fn key(&self) -> String {
        [self.prefix, self.group, self.node, self.device].join("\0")
    }

    /// The topic of the device's node.
    pub(super) fn of_node(self) -> Topic<'a> {
        Topic { device: "", ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
