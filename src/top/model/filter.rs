//! Filters of the display: by topic, by payload, as text or regular expression.
//!
//! | filter | matches |
//! |---|---|
//! | `text` | topics that contain it, in upper or lower case |
//! | `a/+/b`, `a/#` | topics that match the topic filter |
//! | `~expression` | topics that match the regular expression |
//! | `=text`, `=~expression` | the same for the payload |

use super::Model;
use super::tree::NodeId;
use crate::protocol::TopicFilter;
use regex::bytes::{Regex, RegexBuilder};

/// The most memory that a regular expression may take, in bytes.
const MAX_PROGRAM: usize = 1 << 20;

/// A condition on the topics or payloads that the table shows.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    subject: Subject,
    test: Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Topic,
    Payload,
}

#[derive(Debug, Clone)]
enum Test {
    Expression(Regex),
    TopicFilter(TopicFilter),
}

/// A filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid regular expression: {0}")]
pub(crate) struct FilterError(String);

impl Filter {
    /// Parses a filter; `None` if it is empty.
    ///
    /// # Errors
    /// If a regular expression is invalid or too large.
    pub(crate) fn parse(text: &str) -> Result<Option<Filter>, FilterError> {
        let (subject, rest) = match text.strip_prefix('=') {
            Some(rest) => (Subject::Payload, rest),
            None => (Subject::Topic, text),
        };
        if rest.is_empty() || rest == "~" {
            return Ok(None);
        }
        if subject == Subject::Topic
            && let Ok(filter) = TopicFilter::parse(rest)
            && rest.split('/').any(|level| matches!(level, "+" | "#"))
        {
            return Ok(Some(Filter { subject, test: Test::TopicFilter(filter) }));
        }
        let expression = match rest.strip_prefix('~') {
            Some(expression) => expression.to_owned(),
            None => regex::escape(rest),
        };
        let is_text = !rest.starts_with('~');
        let built = RegexBuilder::new(&expression).case_insensitive(is_text).size_limit(MAX_PROGRAM).build();
        let regex = built.map_err(|error| FilterError(last_line(&error.to_string())))?;
        Ok(Some(Filter { subject, test: Test::Expression(regex) }))
    }

    /// Whether a topic that matched once may no longer match.
    pub(super) fn depends_on_payload(&self) -> bool {
        self.subject == Subject::Payload
    }

    /// Whether a node is a topic that matches.
    pub(super) fn matches(&self, model: &Model, id: NodeId) -> bool {
        let Some(value) = model.value(id) else { return false };
        match (self.subject, &self.test) {
            (Subject::Payload, Test::Expression(regex)) => regex.is_match(value.payload()),
            (Subject::Topic, Test::Expression(regex)) => regex.is_match(model.tree().path(id).as_bytes()),
            (_, Test::TopicFilter(filter)) => filter.matches(&model.tree().path(id)),
        }
    }
}

/// The reason is on the last line, below the expression and a mark.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
