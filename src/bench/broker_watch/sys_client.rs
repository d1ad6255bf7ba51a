//! The client that subscribes the `$SYS` topics, on a connection of its own.

use super::Recorder;
use super::names::{self, SYS_FILTERS};
use crate::bench::identity::ClientIndex;
use crate::bench::plan::Plan;
use crate::client::{Application, Error, Flow, Link, NoMessage, Options, Retries, Sending};
use crate::protocol::session::{PublishError, SubscribeError};
use crate::protocol::{
    Defect, PacketId, Properties, PropertiesBuf, Publish, Qos, ReasonCode, Subscription, SubscriptionAck,
    SubscriptionOptions,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// The letter of the client's kind in client identifiers; those of measured clients differ.
const KIND: char = 'w';

/// The maximum length of a value.
const LONGEST_VALUE: usize = 64;

/// The maximum number of nodes of a cluster whose values are kept apart.
const MAX_NODES: usize = 64;

/// The options of the client: the connection and the credentials of the first measured client, without its will, its session and
/// its client identifier.
pub(super) fn options(plan: &Plan) -> Options {
    let broker = &plan.broker;
    let index = ClientIndex { run: plan.run, number: 0, kind: KIND, number_of_kind: 0 };
    Options {
        endpoint: broker.endpoint.clone(),
        version: broker.version,
        is_bridge: false,
        client_id: format!("mq-{}-{KIND}", plan.run),
        clean_start: true,
        resumes_session: false,
        keep_alive: broker.keep_alive,
        username: broker.identities.username(index).map(Into::into),
        password: broker.identities.password(index).map(Into::into),
        signer: None,
        authentication: broker.authentication.clone(),
        will: None,
        properties: PropertiesBuf::default(),
        disconnect_properties: PropertiesBuf::default(),
        maximum_in_flight: 20,
        // The broker may restart during the run.
        retries: Retries { limit: None, include_first: true },
        stop_reason: ReasonCode::SUCCESS,
    }
}

/// Records the values of `$SYS` topics.
pub(super) struct SysClient {
    recorder: Recorder,
    /// The latest values of each node of a cluster, by topic.
    nodes: BTreeMap<String, BTreeMap<String, f64>>,
    pub(super) is_subscribed: bool,
}

/// The reason why the client gives up.
#[derive(Debug, thiserror::Error)]
pub(super) enum SysError {
    #[error(transparent)]
    Client(#[from] Error),
    #[error("cannot subscribe to {filter}: {0}", filter = SYS_FILTERS[0])]
    Unsubscribable(#[from] SubscribeError),
    #[error("the broker rejected the subscription to {filter}: {0}", filter = SYS_FILTERS[0])]
    Rejected(ReasonCode),
}

impl SysClient {
    pub(super) fn new(recorder: Recorder) -> SysClient {
        SysClient { recorder, nodes: BTreeMap::new(), is_subscribed: false }
    }

    fn note(&mut self, topic: &str, payload: &[u8]) {
        if let Some(version) = names::version(topic, payload) {
            self.recorder.change(|side| side.version = Some(version));
            return;
        }
        let Some((node, rest)) = names::split_topic(topic) else { return };
        let Ok(text) = std::str::from_utf8(payload) else { return };
        let Some(metric) = names::of_topic(node, rest) else { return };
        let value = text.get(..LONGEST_VALUE).unwrap_or(text).split_ascii_whitespace().next();
        let Some(value) = value.and_then(|value| value.parse::<f64>().ok()).filter(|value| value.is_finite())
        else {
            return;
        };
        if node.is_empty() {
            return self.recorder.note(metric, value);
        }
        if !self.nodes.contains_key(node) && self.nodes.len() >= MAX_NODES {
            return;
        }
        self.nodes.entry(node.to_owned()).or_default().insert(rest.to_owned(), value);
        let sum = self.nodes.values().filter_map(|values| values.get(rest)).sum();
        self.recorder.note(metric, sum);
    }
}

impl Application for SysClient {
    type Message = NoMessage;
    type Error = SysError;

    fn connected(&mut self, link: &mut Link<'_, NoMessage>) -> Result<(), SysError> {
        let options = SubscriptionOptions { maximum_qos: Qos::AtMostOnce, ..SubscriptionOptions::default() };
        let subscriptions = SYS_FILTERS.map(|filter| Subscription { filter, options }).to_vec();
        link.session.subscribe(subscriptions, Properties::EMPTY, link.output)?;
        Ok(())
    }

    fn send(&mut self, _: &mut Link<'_, NoMessage>) -> Result<Sending, SysError> {
        Ok(Sending::Waiting)
    }

    async fn ready(&mut self) {
        std::future::pending::<()>().await;
    }

    fn message(&mut self, publish: &Publish<'_>, _: &[Defect]) -> Result<Flow, SysError> {
        self.note(publish.topic, publish.payload);
        Ok(Flow::Continue)
    }

    fn published(
        &mut self,
        _: PacketId,
        message: NoMessage,
        _: ReasonCode,
        _: Properties<'_>,
    ) -> Result<Flow, SysError> {
        match message {}
    }

    fn unsendable(&mut self, message: NoMessage, _: PublishError) {
        match message {}
    }

    /// A broker may allow one of the filters only.
    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, SysError> {
        self.is_subscribed = ack.reason_codes().any(|code| !code.is_error());
        match ack.reason_codes().next() {
            Some(code) if !self.is_subscribed => Err(SysError::Rejected(code)),
            _ => Ok(Flow::Continue),
        }
    }

    fn flush(&mut self) -> Result<bool, SysError> {
        Ok(true)
    }

    fn lost(&mut self, error: &Error, _: Duration) {
        self.recorder.problem(error.to_string());
    }
}
