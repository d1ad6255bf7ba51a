//! Prints decoded payloads: as JSON, or selected fields.

use super::sparkplug::{SessionContext, TopicPlace};
use crate::json::{self, copy_value};
use crate::payload::schema::MessageTypes;
use crate::payload::{Content, Decoded, Hints, PayloadDecoding, PayloadFormat, decode, is_sparkplug_topic};
use crate::protocol::{PropertyId, Publish};
use serde_json::Value;
use std::borrow::Cow;

/// The decoding of payloads, and the fields to print.
#[derive(Debug, Clone)]
pub(crate) struct Decoding {
    /// The format.
    pub choice: PayloadDecoding,
    /// The fields, with tabs between them; none for all of the value.
    pub fields: Vec<FieldPath>,
    /// The types of messages in protocol buffers.
    pub types: Option<&'static MessageTypes>,
}

/// The path of a field: `a.b[0]`, or `/a/b/0` as in RFC 6901.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath(String);

impl FieldPath {
    /// Parses a path.
    ///
    /// # Errors
    /// If it has a bracket that is not closed, or a name or number is missing.
    pub(crate) fn parse(text: &str) -> Result<FieldPath, String> {
        if text.starts_with('/') {
            return Ok(FieldPath(text.to_owned()));
        }
        let mut pointer = String::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !name.is_empty() {
                pointer += &format!("/{}", escape(name));
            } else if rest.is_empty() {
                return Err(format!("a name is missing in '{text}'; a path is like a.b[0]"));
            }
            while !rest.is_empty() {
                let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let index = inside.and_then(|(digits, after)| Some((digits.parse::<usize>().ok()?, after)));
                let (index, after) =
                    index.ok_or_else(|| format!("'{rest}' in '{text}' is not an index such as [0]"))?;
                pointer += &format!("/{index}");
                rest = after;
            }
        }
        Ok(FieldPath(pointer))
    }
}

fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

impl Decoding {
    /// The text to print for a payload: the payload itself if it is empty or not of a requested format. Remarks about a payload
    /// that is still printed go to `notes`.
    ///
    /// # Errors
    /// If it is not of the format, or has no fields.
    pub(super) fn show<'p>(
        &self,
        publish: &Publish<'p>,
        sessions: SessionContext<'_>,
        is_pretty: bool,
        notes: &mut Vec<String>,
    ) -> Result<Cow<'p, [u8]>, String> {
        let Some(decoded) = self.decoded(publish, sessions) else {
            let is_field_wanted = !self.fields.is_empty() && !publish.payload.is_empty();
            let none = || "is not of a format with fields".to_owned();
            return if is_field_wanted { Err(none()) } else { Ok(publish.payload.into()) };
        };
        let problem = decoded.problem().map(|problem| format!("is {problem}"));
        let Content::Json(text) = decoded.content else { return Err(problem.unwrap_or_default()) };
        if let Some(problem) = problem {
            notes.push(format!(
                "the payload of {} {problem}; it is read as {}",
                publish.topic, decoded.format
            ));
        }
        if !self.fields.is_empty() {
            return self.select(&text).map(Cow::Owned);
        }
        let mut out = Vec::new();
        match copy_value(text.as_bytes(), &mut json::Writer::new(&mut out, is_pretty)) {
            Ok(()) => Ok(out.into()),
            // Values nested too deeply stay on one line.
            Err(_) => Ok(text.into_bytes().into()),
        }
    }

    /// The decoded payload; `None` if it is empty or not of a requested format.
    pub(super) fn decoded(&self, publish: &Publish<'_>, sessions: SessionContext<'_>) -> Option<Decoded> {
        let choice = self.choice_for(publish.topic).filter(|_| !publish.payload.is_empty())?;
        let content_type = publish.properties.text(PropertyId::ContentType);
        let hints = Hints {
            topic: Some(publish.topic),
            content_type,
            births: Some(sessions.births),
            notes: sessions.notes,
            types: self.types,
        };
        decode(publish.payload, choice, hints)
    }

    /// Whether Sparkplug's messages are decoded, and whether its topics may have other levels in front.
    pub(super) fn of_sparkplug(&self) -> Option<TopicPlace> {
        match self.choice {
            PayloadDecoding::Auto => Some(TopicPlace::Root),
            PayloadDecoding::As(PayloadFormat::Sparkplug) => Some(TopicPlace::Anywhere),
            PayloadDecoding::As(_) | PayloadDecoding::Text | PayloadDecoding::Hex | PayloadDecoding::Wire => {
                None
            }
        }
    }

    /// Sparkplug is recognised by the topic alone: other payloads may look like it.
    fn choice_for(&self, topic: &str) -> Option<PayloadDecoding> {
        let is_asked_for =
            self.choice != PayloadDecoding::As(PayloadFormat::Sparkplug) || is_sparkplug_topic(topic);
        is_asked_for.then_some(self.choice)
    }

    fn select(&self, text: &str) -> Result<Vec<u8>, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let fields: Vec<String> = self.fields.iter().map(|path| shown(value.pointer(&path.0))).collect();
        Ok(fields.join("\t").into_bytes())
    }
}

/// Strings without quotes, for use in a shell; a missing value is null.
fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_pointers() {
        let pointer = |text: &str| FieldPath::parse(text).map(|path| path.0);
        assert_eq!(pointer("a").as_deref(), Ok("/a"));
        assert_eq!(pointer("a.b[0][12].c").as_deref(), Ok("/a/b/0/12/c"));
        assert_eq!(pointer("[3].x/y~z").as_deref(), Ok("/3/x~1y~0z"));
        assert_eq!(pointer("/a.b/0").as_deref(), Ok("/a.b/0"));
        for text in ["", "a..b", ".a", "a.", "a[", "a[x]", "a[0", "a[0]b", "a[-1]"] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
    }
}
