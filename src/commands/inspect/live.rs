//! A built-in client: connects as `mq sub` does, subscribes, and shows the packets of both directions.

use super::super::shutdown::{Limits, stop};
use super::super::trace::transport_to;
use super::super::{Messages, block_on, limits, password};
use super::live_pipeline::{self, ConnectionTap, TrafficEnd, TrafficQueue, ViewerHandle};
use super::write::Recorder;
use crate::cli::inspect::InspectArgs;
use crate::cli::inspect_live::LiveArgs;
use crate::client::{self, Application, End, Flow, Link, NoMessage, Options, Sending};
use crate::commands::error::{Error, ExitStatus};
use crate::hosted::Rules;
use crate::inspect::Direction;
use crate::inspect::capture::conversation::Transport;
use crate::inspect::capture::reassembly::Close;
use crate::protocol::property::Context;
use crate::protocol::session::PublishError;
use crate::protocol::{
    Connack, Defect, PacketId, Properties, PropertiesBuf, Publish, Qos, ReasonCode, RetainHandling,
    Subscription, SubscriptionAck, SubscriptionOptions, TopicFilter, Version,
};
use crate::transport::{self, Stream};
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

pub(super) fn run(
    args: &InspectArgs,
    recorder: Option<Recorder>,
    messages: Messages,
) -> Result<ExitStatus, Error> {
    let live = &args.live;
    let mut options = live.client_options(messages.names)?;
    block_on(async {
        password::complete(&live.client.connection, &mut options.password).await?;
        let (queue, mut viewer_handle) = live_pipeline::start(args, recorder, messages)?;
        let mut client = LiveClient::new(live, &options, Rc::clone(&queue), messages)?;
        let stop = pin!(stop(messages, Limits { timeout: live.timeout, idle: None })?);
        let ended = live_pipeline::ended(stop, &mut viewer_handle);
        let end = client::run(&options, &mut client, ended).await;
        let rejected = client.rejected;
        drop(client);
        queue.omitted().inspect(|text| messages.say(text));
        drop(queue);
        judge(end, rejected, viewer_handle, messages).await
    })
}

/// Combines the result of the connection with the outcome of the viewer.
async fn judge(
    end: Result<End<TrafficEnd>, Error>,
    rejected: usize,
    viewer_handle: ViewerHandle,
    messages: Messages,
) -> Result<ExitStatus, Error> {
    let ended = match end {
        Ok(End::Stopped { reason: TrafficEnd::Viewed(outcome), .. }) => return outcome,
        Ok(End::Stopped { reason: TrafficEnd::Stopped(reason), was_connected, .. }) => {
            messages.stopped(reason, was_connected)
        }
        Ok(End::Finished) if rejected > 0 => Ok(ExitStatus::REJECTED),
        Ok(End::Finished) => Ok(ExitStatus::DONE),
        Err(error) => Err(error),
    };
    super::judge(viewer_handle.finish().await, ended)
}

struct LiveClient<'a> {
    filters: Vec<(TopicFilter, Qos)>,
    /// The limits of a hosted broker.
    rules: Option<Rules>,
    count: Option<u64>,
    version: Version,
    layers: Transport,
    subscribe_properties: PropertiesBuf,
    queue: Rc<TrafficQueue>,
    messages: Messages,
    counted: u64,
    rejected: usize,
    options: &'a Options,
}

impl<'a> LiveClient<'a> {
    fn new(
        live: &LiveArgs,
        options: &'a Options,
        queue: Rc<TrafficQueue>,
        messages: Messages,
    ) -> Result<LiveClient<'a>, Error> {
        let others = live.client.other_filters(messages.names)?;
        let filters: Vec<_> =
            live.topic.iter().cloned().chain(others).map(|filter| (filter, live.qos)).collect();
        let rules = live.client.rules(options.version);
        if let Some(rules) = &rules {
            live.client.check_subscriptions(rules, &filters)?;
        }
        Ok(LiveClient {
            filters,
            rules,
            count: live.count,
            version: options.version,
            layers: transport_to(&options.endpoint),
            subscribe_properties: live.client.properties.collect(Context::Subscribe)?,
            queue,
            messages,
            counted: 0,
            rejected: 0,
            options,
        })
    }
}

impl Application for LiveClient<'_> {
    type Message = NoMessage;
    type Error = Error;

    fn opened(&mut self, stream: &Stream) -> Option<Box<dyn transport::Tap>> {
        // A unix socket has no IP address; the connection needs one.
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let client = stream.local_address().unwrap_or(nowhere);
        let server = stream.peer_address().unwrap_or(nowhere);
        Some(Box::new(ClosingTap(self.queue.open_now(client, server, self.layers))))
    }

    fn accepted(&mut self, connack: &Connack<'_>) {
        self.queue.note(limits::describe(connack, self.version, &self.options.client_id));
    }

    fn connected(&mut self, link: &mut Link<'_, NoMessage>) -> Result<(), Error> {
        if self.filters.is_empty() {
            return Ok(());
        }
        let subscription = |(filter, qos): &'_ (TopicFilter, Qos)| SubscriptionOptions {
            maximum_qos: *qos,
            no_local: false,
            retain_as_published: !filter.as_str().starts_with("$share/") && self.options.version.is_v5(),
            retain_handling: RetainHandling::Always,
        };
        let most = self.rules.as_ref().map_or(usize::MAX, Rules::filters_in_subscribe);
        for part in self.filters.chunks(most) {
            let subscriptions = part
                .iter()
                .map(|typed| Subscription { filter: typed.0.as_str(), options: subscription(typed) })
                .collect();
            link.session.subscribe(subscriptions, self.subscribe_properties.as_properties(), link.output)?;
        }
        Ok(())
    }

    /// Without a subscription, CONNACK is all that was requested.
    fn send(&mut self, _: &mut Link<'_, NoMessage>) -> Result<Sending, Error> {
        Ok(if self.filters.is_empty() { Sending::Finished } else { Sending::Waiting })
    }

    async fn ready(&mut self) {
        match self.queue.has_room() {
            true => pending().await,
            false => self.queue.room().await,
        }
    }

    fn message(&mut self, _: &Publish<'_>, _: &[Defect]) -> Result<Flow, Error> {
        self.counted += 1;
        let is_enough = self.count.is_some_and(|count| self.counted >= count);
        Ok(if is_enough { Flow::Finish } else { Flow::Continue })
    }

    fn published(
        &mut self,
        _: PacketId,
        message: NoMessage,
        _: ReasonCode,
        _: Properties<'_>,
    ) -> Result<Flow, Error> {
        match message {}
    }

    fn unsendable(&mut self, message: NoMessage, _: PublishError) {
        match message {}
    }

    fn subscribed(&mut self, ack: &SubscriptionAck<'_>) -> Result<Flow, Error> {
        self.rejected += ack.reason_codes().filter(|reason_code| reason_code.is_error()).count();
        if self.rejected == self.filters.len() {
            return Err(Error::Rejected("no subscription is left".to_owned()));
        }
        Ok(Flow::Continue)
    }

    /// Nothing more is read until the viewer has caught up.
    fn flush(&mut self) -> Result<bool, Error> {
        Ok(self.queue.has_room())
    }

    fn lost(&mut self, error: &client::Error, pause: Duration) {
        self.messages.lost(error, pause);
    }
}

/// The client's connection, which it closes when it is done.
#[derive(Debug)]
struct ClosingTap(ConnectionTap);

impl transport::Tap for ClosingTap {
    fn sent(&mut self, bytes: &[u8]) {
        self.0.bytes_now(Direction::ClientToServer, bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.0.bytes_now(Direction::ServerToClient, bytes);
    }
}

impl Drop for ClosingTap {
    fn drop(&mut self) {
        self.0.end(Close::Fin);
    }
}
