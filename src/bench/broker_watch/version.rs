//! The broker's version from its `$SYS` topics, read once after a run: on a connection of its own, and with a time limit, so that
//! it neither disturbs the measurement nor delays its end.

use super::names::{self, VERSION_FILTERS};
use super::sys_client::{self, SysError};
use crate::bench::plan::Plan;
use crate::client::{self, Application, Error, Flow, Link, NoMessage, Options, Retries, Sending};
use crate::protocol::session::PublishError;
use crate::protocol::{
    Defect, PacketId, Properties, Publish, Qos, ReasonCode, Subscription, SubscriptionAck,
    SubscriptionOptions,
};
use std::future::pending;
use std::time::Duration;
use tokio::time::timeout;

/// The maximum time for the query, including the connection.
const TIME_LIMIT: Duration = Duration::from_millis(500);

/// The client options of a connection that reads the version.
pub(crate) struct VersionQuery(Options);

impl VersionQuery {
    /// A query to the broker of a plan; `None` if it has several, or an MQTT-SN gateway.
    pub(crate) fn new(plan: &Plan) -> Option<VersionQuery> {
        let retries = Retries { limit: Some(0), include_first: true };
        // Another client of a gateway would take long if the gateway is lost.
        let is_only = plan.broker.more_endpoints.is_empty() && !plan.broker.is_gateway();
        is_only.then(|| VersionQuery(Options { retries, ..sys_client::options(plan) }))
    }

    /// The version; `None` if the broker does not publish it, or not in time.
    pub(crate) async fn run(&self) -> Option<String> {
        let mut reader = VersionReader::default();
        // A failure means that the version stays unknown.
        let _ = timeout(TIME_LIMIT, client::run(&self.0, &mut reader, pending::<()>())).await;
        reader.version
    }
}

/// Waits for the version, or for UNSUBACK. UNSUBSCRIBE follows SUBACK, so that the broker sends retained messages before it
/// answers.
#[derive(Default)]
struct VersionReader {
    version: Option<String>,
    /// Whether SUBACK arrived and UNSUBSCRIBE was not sent.
    is_due: bool,
}

impl Application for VersionReader {
    type Message = NoMessage;
    type Error = SysError;

    fn connected(&mut self, link: &mut Link<'_, NoMessage>) -> Result<(), SysError> {
        let options = SubscriptionOptions { maximum_qos: Qos::AtMostOnce, ..SubscriptionOptions::default() };
        let subscriptions = VERSION_FILTERS.map(|filter| Subscription { filter, options }).to_vec();
        link.session.subscribe(subscriptions, Properties::EMPTY, link.output)?;
        Ok(())
    }

    fn send(&mut self, link: &mut Link<'_, NoMessage>) -> Result<Sending, SysError> {
        if std::mem::take(&mut self.is_due) {
            link.session.unsubscribe(VERSION_FILTERS.to_vec(), Properties::EMPTY, link.output)?;
        }
        Ok(Sending::Waiting)
    }

    async fn ready(&mut self) {
        if !self.is_due {
            pending::<()>().await;
        }
    }

    fn message(&mut self, publish: &Publish<'_>, _: &[Defect]) -> Result<Flow, SysError> {
        let Some(version) = names::version(publish.topic, publish.payload) else { return Ok(Flow::Continue) };
        self.version = Some(version);
        Ok(Flow::Finish)
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

    fn subscribed(&mut self, _: &SubscriptionAck<'_>) -> Result<Flow, SysError> {
        self.is_due = true;
        Ok(Flow::Continue)
    }

    fn unsubscribed(&mut self, _: &SubscriptionAck<'_>) -> Result<Flow, SysError> {
        Ok(Flow::Finish)
    }

    fn flush(&mut self) -> Result<bool, SysError> {
        Ok(true)
    }

    fn lost(&mut self, _: &Error, _: Duration) {}
}
