//! Lines of standard input as messages: each is a JSON object with its own topic and options.

use super::Messages;
use super::lines::{Next, StdinLines};
use super::outbound::{Header, Outbound};
use super::payload;
use crate::cli::publish::PublishArgs;
use crate::commands::error::Error;
use crate::message::{self, Message};
use crate::payload::schema::MessageTypes;
use crate::protocol::property::Context;
use crate::protocol::{PropertiesBuf, PropertyId, Qos, TopicName, Version};
use std::rc::Rc;

/// Messages, one after the other.
pub(super) struct JsonLines {
    lines: StdinLines,
    /// The number of the line that was read last.
    line: u64,
    maker: Maker,
}

/// Converts the read messages to messages for publishing.
pub(super) struct Maker {
    defaults: Defaults,
    /// The message types that payloads in JSON are encoded as.
    types: Option<&'static MessageTypes>,
    version: Version,
    messages: Messages,
    has_warned: bool,
}

/// The values for fields that a message omits.
struct Defaults {
    topic: Option<TopicName>,
    qos: Qos,
    retain: bool,
    properties: PropertiesBuf,
}

/// The result of reading a message.
pub(super) enum NextMessage {
    Message(Outbound),
    /// No complete line yet; wait with [`JsonLines::wait`].
    Waiting,
    /// No more lines.
    End,
}

impl JsonLines {
    /// Reads messages from standard input, starting with the first request.
    ///
    /// # Errors
    /// If the options hold values that cannot be the same for all messages.
    pub(super) fn new(
        args: &PublishArgs,
        topic: Option<TopicName>,
        version: Version,
        messages: Messages,
    ) -> Result<JsonLines, Error> {
        let maker = Maker::new(args, topic, version, messages)?;
        Ok(JsonLines { lines: StdinLines::new(), line: 0, maker })
    }

    /// The next message, if its line has arrived; empty lines are skipped.
    pub(super) fn next(&mut self) -> Result<NextMessage, Error> {
        loop {
            let line = match self.lines.next().map_err(Error::input)? {
                Next::Line(line) => line,
                Next::Waiting => return Ok(NextMessage::Waiting),
                Next::End => return Ok(NextMessage::End),
            };
            self.line += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let read = message::read(line).map_err(|error| Error::InputLine {
                place: format!("standard input, line {}, column {}", self.line, error.column),
                problem: error.problem,
            })?;
            let place = format!("standard input, line {}", self.line);
            return self.maker.outbound(read, &place).map(NextMessage::Message);
        }
    }

    /// Waits until there may be another message.
    pub(super) async fn wait(&mut self) -> std::io::Result<()> {
        self.lines.wait().await
    }
}

impl Maker {
    /// A maker for the options' topic, QoS, RETAIN and properties.
    ///
    /// # Errors
    /// If the options hold values that cannot be the same for all messages.
    pub(super) fn new(
        args: &PublishArgs,
        topic: Option<TopicName>,
        version: Version,
        messages: Messages,
    ) -> Result<Maker, Error> {
        let properties = args.client.properties.collect(Context::Publish)?;
        if properties.as_properties().find(PropertyId::TopicAlias).is_some() {
            let text =
                "-D publish topic-alias needs a single topic, but these messages have topics of their own";
            return Err(Error::usage(text.to_owned()));
        }
        let defaults = Defaults { topic, qos: args.qos(), retain: args.retain, properties };
        let types = args.payload.types(&args.schema)?;
        Ok(Maker { defaults, types, version, messages, has_warned: false })
    }

    /// The message to publish for one that was read at this place.
    ///
    /// # Errors
    /// If neither the message nor the options have a topic.
    pub(super) fn outbound(&mut self, message: Message, place: &str) -> Result<Outbound, Error> {
        let Some(topic) = message.topic.or_else(|| self.defaults.topic.clone()) else {
            return Err(Error::InputLine {
                place: place.to_owned(),
                problem: "it has no \"topic\"; set -t TOPIC".to_owned(),
            });
        };
        for problem in &message.left_out {
            self.messages.say(&format!("{place}: {problem}; the message to {topic} is sent without it"));
        }
        let header = Header {
            topic: topic.as_str().to_owned(),
            qos: message.qos.unwrap_or(self.defaults.qos),
            retain: message.retain.unwrap_or(self.defaults.retain),
            properties: self.properties(message.properties, place),
        };
        let types = self.types.filter(|_| message.is_json);
        let payload = payload::encode(types, topic.as_str(), message.payload.into())
            .map_err(|problem| Error::InputLine { place: place.to_owned(), problem })?;
        Ok(Outbound { header: Rc::new(header), payload: payload.into() })
    }

    /// The message's own properties, and those of the options that it does not have.
    fn properties(&mut self, mut own: PropertiesBuf, place: &str) -> PropertiesBuf {
        if self.version.is_v5() {
            for property in self.defaults.properties.as_properties().iter() {
                // Only a repeated property is refused: its value is already checked.
                let _ = own.push(property.id, property.value);
            }
            return own;
        }
        if !own.as_properties().is_empty() && !std::mem::replace(&mut self.has_warned, true) {
            self.messages.say(&format!(
                "{place}: properties need MQTT 5, but -V selects {}; from here on they are left out",
                self.version
            ));
        }
        PropertiesBuf::new()
    }
}
