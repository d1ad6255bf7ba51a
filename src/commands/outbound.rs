//! Messages for publishing.

use crate::cli::UsageError;
use crate::cli::delay::Delay;
use crate::cli::publish::PublishArgs;
use crate::commands::error::Error;
use crate::protocol::property::Context;
use crate::protocol::session::Outgoing;
use crate::protocol::{PropertiesBuf, Publish, Qos, TopicName, Version};
use std::rc::Rc;

/// A message without its payload: the same for all messages of a run, or one for each.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) topic: String,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) properties: PropertiesBuf,
}

impl Header {
    pub(super) fn new(
        args: &PublishArgs,
        topic: Option<TopicName>,
        delay: Option<Delay>,
        version: Version,
    ) -> Result<Header, Error> {
        let Some(topic) = topic else {
            return Err(Error::usage(UsageError::Missing("-t TOPIC".into())));
        };
        let properties = if version.is_v5() {
            args.client.properties.collect(Context::Publish)?
        } else {
            PropertiesBuf::new()
        };
        let topic = delay.map_or_else(|| topic.as_str().to_owned(), |delay| delay.topic(topic.as_str()));
        Ok(Header { topic, qos: args.qos(), retain: args.retain, properties })
    }

    pub(super) fn with_payload<'a>(&'a self, payload: &'a [u8]) -> Publish<'a> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: &self.topic,
            packet_id: None,
            properties: self.properties.as_properties(),
            payload,
        }
    }
}

/// A message, kept until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Outbound {
    pub(super) header: Rc<Header>,
    pub(super) payload: Rc<[u8]>,
}

impl Outgoing for Outbound {
    fn as_publish(&self) -> Publish<'_> {
        self.header.with_payload(&self.payload)
    }
}
