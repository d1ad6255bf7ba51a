//! The actions that the user requests in a prompt: publishing, clearing, subscriptions, export.

use super::delivery::{self, Delivery};
use super::editor::Edit;
use super::feed::{Outbound, Request};
use super::model::{Model, NodeId, Value};
use super::payload_file;
use super::playback::Control;
use crate::protocol::{PropertiesBuf, Property, PropertyId, Qos, TopicFilter, TopicName};
use crate::words::counted;
use std::path::PathBuf;

/// The text with which the prompt of [`Purpose::Delivery`] begins.
const DEFAULT_DELIVERY: &str = "0";

/// The meaning of the text in a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Filter,
    Subscribe,
    Unsubscribe,
    /// The topic of a new message.
    Topic,
    /// The payload, and the text with which the next prompt begins.
    Payload(TopicName, String),
    /// QoS, RETAIN and properties.
    Delivery(TopicName, Payload),
    /// The file for the history of a topic.
    Export(NodeId),
    /// The path of the chart's field.
    Field,
}

/// The payload of a new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    Text(String),
    File(PathBuf),
    /// Written in an editor.
    Edited(Vec<u8>),
}

/// A message to publish, before its file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) topic: TopicName,
    pub(crate) payload: Payload,
    pub(crate) delivery: Delivery,
}

/// The actions that the screen cannot do itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Quit,
    /// Ctrl-C.
    Interrupt,
    Suspend,
    /// Draws all cells again.
    Redraw,
    ToggleMouse,
    /// To the next tab, or to the one before.
    Turn(bool),
    Request(Request),
    Publish(Draft),
    /// Opens the editor for a payload.
    Edit(Edit),
    /// Puts text or bytes on the clipboard of the terminal.
    Copy(Vec<u8>),
    Control(Control),
    /// Appends the history of a topic to a recording.
    Export(NodeId, PathBuf),
}

/// A question, and the effect if the answer is yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) effect: Effect,
}

/// The next step after a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    Effect(Effect),
    /// Another prompt, with a text to begin with.
    Prompt(Purpose, String),
    /// Another field in the chart.
    Field(String),
}

impl Purpose {
    /// The label in front of the text.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Purpose::Filter => "/",
            Purpose::Subscribe => "subscribe (QOS:FILTER or FILTER): ",
            Purpose::Unsubscribe => "unsubscribe: ",
            Purpose::Topic => "publish to topic: ",
            Purpose::Payload(..) => "payload (@FILE reads it, Ctrl-O opens $EDITOR): ",
            Purpose::Delivery(..) => "QoS, r to retain, properties: ",
            Purpose::Export(_) => "export history to file: ",
            Purpose::Field => "field of the chart, as in a.b[0]: ",
        }
    }

    /// Takes the text.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub(super) fn accept(self, text: &str) -> Result<Step, String> {
        match self {
            Purpose::Filter => Ok(Step::Done),
            Purpose::Subscribe => {
                // More than a digit is a part of the filter, such as the start of a hardware address.
                let is_digit = |qos: &str| matches!(qos.as_bytes(), [b'0'..=b'9']);
                let (qos, filter) = match text.split_once(':') {
                    Some((qos, filter)) if is_digit(qos) => (delivery::qos(qos)?, filter),
                    _ => (Qos::AtMostOnce, text),
                };
                let filter = TopicFilter::parse(filter).map_err(|error| error.to_string())?;
                Ok(Step::Effect(Effect::Request(Request::Subscribe(filter, qos))))
            }
            Purpose::Unsubscribe => {
                let filter = TopicFilter::parse(text).map_err(|error| error.to_string())?;
                Ok(Step::Effect(Effect::Request(Request::Unsubscribe(filter))))
            }
            Purpose::Topic => {
                let topic = TopicName::parse(text).map_err(|error| error.to_string())?;
                Ok(Step::Prompt(Purpose::Payload(topic, DEFAULT_DELIVERY.to_owned()), String::new()))
            }
            Purpose::Payload(topic, delivery) => {
                let payload = match text.strip_prefix('@') {
                    Some("") => return Err("a file name is missing after @".to_owned()),
                    Some(path) => Payload::File(payload_file::path(path)),
                    None => Payload::Text(text.to_owned()),
                };
                Ok(Step::Prompt(Purpose::Delivery(topic, payload), delivery))
            }
            Purpose::Delivery(topic, payload) => {
                let delivery = delivery::parse(text)?;
                Ok(Step::Effect(Effect::Publish(Draft { topic, payload, delivery })))
            }
            Purpose::Export(_) if text.is_empty() => Err("a file name is missing".to_owned()),
            Purpose::Export(id) => Ok(Step::Effect(Effect::Export(id, payload_file::path(text)))),
            Purpose::Field => Ok(Step::Field(text.trim().to_owned())),
        }
    }
}

/// Asks whether to publish a message again.
///
/// # Errors
/// The reason why it cannot be published.
pub(super) fn republish(topic: &str, value: &Value) -> Result<Question, String> {
    if !value.is_whole() {
        return Err("cannot publish it again: the payload is not kept whole".to_owned());
    }
    let name = TopicName::parse(topic).map_err(|error| format!("cannot publish to {topic}: {error}"))?;
    let mut properties = PropertiesBuf::new();
    // Topic alias and subscription identifiers belong to the connection on which the message arrived.
    let is_kept = |property: &Property<'_>| {
        !matches!(property.id, PropertyId::TopicAlias | PropertyId::SubscriptionIdentifier)
    };
    let kept = value.properties().iter().filter(is_kept);
    kept.for_each(|property| drop(properties.push(property.id, property.value)));
    let (qos, retain) = (value.qos, value.retain);
    let retained = if retain { ", retained" } else { "" };
    let text = format!("publish {} to {topic} again, QoS {qos}{retained}?", counted(value.size, "byte"));
    let message = Outbound { topic: name, payload: value.payload().to_vec(), qos, retain, properties };
    let effect = Effect::Request(Request::Publish(vec![message], "published"));
    Ok(Question { text, effect })
}

/// Asks whether to clear the retained message of a topic, or those of all topics at a node and below it.
///
/// # Errors
/// The reason why there is nothing to clear.
pub(super) fn clear(model: &Model, id: NodeId, is_subtree: bool) -> Result<Question, String> {
    let topic = model.tree().path(id);
    let topics = match is_subtree {
        true => model.retained_below(id),
        false => vec![topic.clone()],
    };
    let is_retained = is_subtree || model.state(id).is_retained;
    if topics.is_empty() || !is_retained {
        let below = if is_subtree { " or below it" } else { "" };
        return Err(format!("no retained message is known at {topic}{below}"));
    }
    let count = topics.len();
    let messages = topics.iter().filter_map(|topic| TopicName::parse(topic).ok()).map(Outbound::removal);
    let messages: Vec<Outbound> = messages.collect();
    let unsuitable = match count - messages.len() {
        0 => String::new(),
        left => format!(" ({} not valid for PUBLISH)", counted(left, "topic")),
    };
    let text = match is_subtree {
        true => {
            format!("delete {} at {topic} and below{unsuitable}?", counted(count, "retained message"))
        }
        false => format!("delete the retained message of {topic}{unsuitable}?"),
    };
    Ok(Question { text, effect: Effect::Request(Request::Publish(messages, "deleted")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic() -> TopicName {
        TopicName::parse("a").unwrap()
    }

    #[test]
    fn a_message_is_drafted_in_three_prompts() {
        let Ok(Step::Prompt(purpose, _)) = Purpose::Topic.accept("a") else { panic!() };
        assert_eq!(purpose, Purpose::Payload(topic(), "0".to_owned()));
        let Ok(Step::Prompt(purpose, text)) = purpose.accept("@x") else { panic!() };
        assert_eq!((text.as_str(), &purpose), ("0", &Purpose::Delivery(topic(), Payload::File("x".into()))));
        let Ok(Step::Effect(Effect::Publish(draft))) = purpose.accept("2 r unit=W") else { panic!() };
        assert_eq!((draft.delivery.qos, draft.delivery.retain), (Qos::ExactlyOnce, true));
        assert!(!draft.delivery.properties.as_properties().is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        let problem = |purpose: Purpose, text| purpose.accept(text).unwrap_err();
        assert!(problem(Purpose::Topic, "a/#").contains("wildcards"));
        assert!(
            problem(Purpose::Delivery(topic(), Payload::Text(String::new())), "3")
                .contains("QoS of 0, 1 or 2: 3")
        );
        assert!(problem(Purpose::Subscribe, "a/#/b").contains('#'));
        assert!(problem(Purpose::Payload(topic(), String::new()), "@").contains("file name"));
    }

    #[test]
    fn a_subscription_has_a_qos() {
        let request = |text: &str| match Purpose::Subscribe.accept(text) {
            Ok(Step::Effect(Effect::Request(Request::Subscribe(filter, qos)))) => (filter.to_string(), qos),
            other => panic!("{other:?}"),
        };
        assert_eq!(request("2:a/#"), ("a/#".to_owned(), Qos::ExactlyOnce));
        assert_eq!(request("a:b"), ("a:b".to_owned(), Qos::AtMostOnce));
        for address in ["00:1a:2b/#", "10:a"] {
            assert_eq!(request(address), (address.to_owned(), Qos::AtMostOnce));
        }
    }
}
