//! Predefined topic ids of MQTT-SN: the file that a gateway and its clients share, as text.
//!
//! A line is `ID TOPIC`, for all clients, or `CLIENT, TOPIC, ID` as in Paho's `predefinedTopic.conf`, where the client `*`
//! means all clients. An id is decimal, or hexadecimal after `0x`. Empty lines and lines that start with `#` are ignored.

use crate::protocol::topic::{TopicError, check_name};
use std::collections::HashMap;

/// The client of a line for all clients.
const ALL: &str = "*";

/// A line of the file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PredefinedError {
    /// The number of the line, from 1.
    pub line: usize,
    /// The defect of the line.
    pub problem: PredefinedProblem,
}

/// The defect of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the error texts describe the variants
pub enum PredefinedProblem {
    #[error("expected ID TOPIC, or CLIENT, TOPIC, ID")]
    Form,
    #[error("invalid topic id {0:?}; expected 1 to 65534")]
    Id(String),
    #[error("invalid topic {topic:?}: {error}")]
    Topic { topic: String, error: TopicError },
    #[error("topic id {0} has another topic on an earlier line")]
    Duplicate(u16),
}

/// The topics of predefined ids.
#[derive(Debug, Clone, Default)]
pub struct PredefinedTopics {
    of_all: Table,
    of_clients: HashMap<String, Table>,
}

#[derive(Debug, Clone, Default)]
struct Table {
    topics: HashMap<u16, String>,
    ids: HashMap<String, u16>,
}

impl PredefinedTopics {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that is invalid.
    pub fn parse(text: &str) -> Result<PredefinedTopics, PredefinedError> {
        let mut topics = PredefinedTopics::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            topics.add_line(line).map_err(|problem| PredefinedError { line: index + 1, problem })?;
        }
        Ok(topics)
    }

    /// The topic of an id: the client's own, or else that of all clients.
    pub fn topic(&self, client_id: &str, id: u16) -> Option<&str> {
        let own = self.of_clients.get(client_id).and_then(|table| table.topics.get(&id));
        own.or_else(|| self.of_all.topics.get(&id)).map(String::as_str)
    }

    /// The topic of an id that applies to all clients.
    pub fn topic_of_all(&self, id: u16) -> Option<&str> {
        self.of_all.topics.get(&id).map(String::as_str)
    }

    /// The id of a topic: the client's own, or else that of all clients, unless the client has another topic for it.
    pub fn id(&self, client_id: &str, topic: &str) -> Option<u16> {
        let own = self.of_clients.get(client_id);
        if let Some(&id) = own.and_then(|table| table.ids.get(topic)) {
            return Some(id);
        }
        let id = self.of_all.ids.get(topic).copied();
        id.filter(|id| own.is_none_or(|table| !table.topics.contains_key(id)))
    }

    fn add_line(&mut self, line: &str) -> Result<(), PredefinedProblem> {
        let (client, topic, id) = match line.split_once(char::is_whitespace) {
            Some((id, topic)) if is_number(id) => (ALL, topic.trim(), id),
            _ => split_list(line).ok_or(PredefinedProblem::Form)?,
        };
        let id = parse_id(id).ok_or_else(|| PredefinedProblem::Id(id.to_owned()))?;
        check_name(topic).map_err(|error| PredefinedProblem::Topic { topic: topic.to_owned(), error })?;
        let table = match client {
            ALL => &mut self.of_all,
            client => self.of_clients.entry(client.to_owned()).or_default(),
        };
        if table.topics.get(&id).is_some_and(|earlier| earlier != topic) {
            return Err(PredefinedProblem::Duplicate(id));
        }
        table.topics.insert(id, topic.to_owned());
        // If a topic has several ids, the first one is used for messages to the client.
        table.ids.entry(topic.to_owned()).or_insert(id);
        Ok(())
    }
}

/// Splits `CLIENT, TOPIC, ID`; the topic may contain commas.
fn split_list(line: &str) -> Option<(&str, &str, &str)> {
    let (client, rest) = line.split_once(',')?;
    let (topic, id) = rest.rsplit_once(',')?;
    let client = client.trim();
    (!client.is_empty()).then_some((client, topic.trim(), id.trim()))
}

fn is_number(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_alphanumeric())
}

/// A topic id; 0 and 65535 are reserved (MQTT-SN 1.2, section 5.3.11).
fn parse_id(text: &str) -> Option<u16> {
    let id = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    id.ok().filter(|id| !text.contains('+') && (1..u16::MAX).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_both_forms() {
        let text =
            "# topics\n\n1 home/temperature\r\n0x0A  a, b c \n*, all/of them, 11\ndev-1, own/topic, 1\n";
        let topics = PredefinedTopics::parse(text).unwrap();
        for (client, id, topic) in [
            ("x", 1, Some("home/temperature")),
            ("x", 10, Some("a, b c")),
            ("x", 11, Some("all/of them")),
            ("x", 12, None),
            ("dev-1", 1, Some("own/topic")),
            ("dev-1", 11, Some("all/of them")),
        ] {
            assert_eq!(topics.topic(client, id), topic, "{client} {id}");
        }
        assert_eq!(topics.id("x", "home/temperature"), Some(1));
        assert_eq!(topics.id("dev-1", "own/topic"), Some(1));
        // Its id is another topic for this client.
        assert_eq!(topics.id("dev-1", "home/temperature"), None);
        assert_eq!(topics.topic_of_all(1), Some("home/temperature"));
    }

    #[test]
    fn mistakes_name_the_line() {
        for (text, problem) in [
            ("1", "line 1: expected ID TOPIC, or CLIENT, TOPIC, ID"),
            ("\na b", "line 2: expected ID TOPIC, or CLIENT, TOPIC, ID"),
            ("0 a", "line 1: invalid topic id \"0\"; expected 1 to 65534"),
            ("65535 a", "line 1: invalid topic id \"65535\"; expected 1 to 65534"),
            ("c, a, 0x+7", "line 1: invalid topic id \"0x+7\"; expected 1 to 65534"),
            ("c, a, x", "line 1: invalid topic id \"x\"; expected 1 to 65534"),
            (
                "1 a/#",
                "line 1: invalid topic \"a/#\": a topic to publish to must not contain the wildcards + or #",
            ),
            ("1 a\n1 b", "line 2: topic id 1 has another topic on an earlier line"),
        ] {
            assert_eq!(PredefinedTopics::parse(text).unwrap_err().to_string(), problem);
        }
    }
}
