//! One client of a run: a connection and a session, from the first packet to the last. Its [`Role`] decides how it
//! uses them.
//!
//! The task of an idle client holds a connection, a session and a few numbers. The clock is read once for each batch
//! of packets. The send time of a message is that of its batch, taken before encoding, so that no latency is reported
//! too short.

use super::client_slot::ClientSlot;
use super::connect::{Connecting, connect, new_session};
use super::context::{Context, Control, DISCONNECT_TIMEOUT, Phase};
use super::error::ClientError;
use super::handshake::Link;
use super::identity::ClientIds;
use super::record::{LatencyKind, Stage};
use super::role::{EventContext, InFlight, Role};
use crate::client::{self, AuthenticationError, disconnect, disconnected, next_event};
use crate::protocol::session::{Event, KeepAlive, KeepAliveAction, Session};
use crate::protocol::{
    AuthViolation, Disconnect, Mended, PacketReader, PropertiesBuf, PropertyId, PropertyValue, ReasonCode,
    RetainHandling, SizeLimits, Subscription, SubscriptionOptions,
};
use crate::transport::{Connection, Progress, Tls};
use std::future::poll_fn;
use std::io;
use std::mem::replace;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

struct Client {
    context: Rc<Context>,
    slot: ClientSlot,
    connection: Connection,
    session: Session<InFlight>,
    keep_alive: KeepAlive,
    timer_id: usize,
    /// The last tick that the client handled.
    tick: u32,
    /// How often the client has dropped its connection on request.
    drops: u32,
    /// When it dropped the connection last, in nanoseconds since the run's start; `None` once it is back.
    dropped_at: Option<u64>,
    pings: u8,
    role: Role,
}

/// A client that has a connection again, and whether the broker still has its subscription.
type Back = (Box<Client>, bool);

/// How a connection ended without an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closing,
    Dropped,
}

/// A client from its first to its last packet.
pub(super) async fn run(context: Rc<Context>, slot: ClientSlot) {
    // The state of connecting is freed before the client settles down.
    if let Some(client) = Box::pin(start(context.clone(), slot)).await {
        context.admission.enter();
        run_connected(client).await;
        context.admission.leave();
    }
}

async fn run_connected(mut client: Box<Client>) {
    client.register().await;
    let mut is_subscribing = true;
    let end = loop {
        // One future for both, so that the task of a client stays small.
        let back: Pin<Box<dyn Future<Output = Option<Back>>>> = match client.run_session(is_subscribing).await
        {
            Ok(End::Closing) => break Ok(()),
            Ok(End::Dropped) => Box::pin(reconnect(client)),
            Err(error) => match client.reconnect_delay(&error) {
                Some(delay) => Box::pin(reconnect_after(client, error, delay)),
                None => break Err(error),
            },
        };
        let Some((back, has_subscription)) = back.await else { return };
        client = back;
        is_subscribing = !has_subscription;
    };
    Box::pin(client.end(end)).await;
}

/// Drops the connection without DISCONNECT and makes a new one. Returns whether the broker still has the
/// subscription; `None` if the client is out of the run.
async fn reconnect(client: Box<Client>) -> Option<Back> {
    let mut away = Away::new(*client);
    away.context.admission.admit().await;
    let connected = away.connect().await;
    away.context.admission.release();
    match connected {
        Ok(link) => Some(away.back(link)),
        Err(error) => {
            away.note_failed_attempt();
            away.leave_run(&error.into());
            None
        }
    }
}

/// Makes a lost connection again, with a delay before each attempt, until the run ends.
async fn reconnect_after(client: Box<Client>, loss: ClientError, delay: Duration) -> Option<Back> {
    let context = client.context.clone();
    let mut away = Away::new(*client);
    loop {
        let attempt = async {
            tokio::time::sleep(delay).await;
            context.admission.admit().await;
            let connected = away.connect().await;
            context.admission.release();
            connected
        };
        tokio::select! {
            connected = attempt => match connected {
                Ok(link) => return Some(away.back(link)),
                Err(_) => away.note_failed_attempt(),
            },
            () = run_ends(&context) => {
                away.leave_run(&loss);
                return None;
            }
        }
    }
}

/// Waits for the last phase. Ticks wake the task of each client when the phase changes.
async fn run_ends(context: &Context) {
    poll_fn(|_| if context.control.phase() == Phase::Close { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// A client between two connections.
struct Away {
    context: Rc<Context>,
    slot: ClientSlot,
    session: Session<InFlight>,
    /// Whether it resumes the session.
    connecting: Connecting,
    /// The TLS settings that resume its last connection.
    tls: Option<Tls>,
    role: Role,
    timer_id: usize,
    drops: u32,
    /// In nanoseconds since the run's start.
    dropped_at: u64,
    /// Whether its work was done before it lost the connection.
    was_done: bool,
}

impl Away {
    fn new(client: Client) -> Away {
        let unacknowledged = client.unacknowledged();
        let Client { context, slot, connection, session, mut role, timer_id, drops, .. } = client;
        let dropped_at = context.timers.now();
        context.measurements.record.borrow_mut().timeline.at(dropped_at).lost += 1;
        role.dropped(connection.unsent() as u64, unacknowledged);
        let resumes = context.plan.keeps_sessions(context.plan.group(slot)) && role.is_subscriber();
        let connecting = if resumes { Connecting::Resuming } else { Connecting::Again };
        let session = if resumes { session } else { new_session(&context) };
        let was_done = context.control.phase() == Phase::Hold;
        let tls = connection.resumable_tls();
        Away { context, slot, session, connecting, tls, role, timer_id, drops, dropped_at, was_done }
    }

    async fn connect(&mut self) -> Result<Link, client::Error> {
        connect(&self.context, self.slot, &mut self.session, self.connecting, self.tls.as_ref()).await
    }

    /// The client with its new connection, and whether the broker still has its subscription.
    fn back(self, link: Link) -> Back {
        let Away { context, slot, session, connecting, role, timer_id, drops, dropped_at, .. } = self;
        context.measurements.note_reconnected(slot.group, context.timers.now());
        let resumes = connecting == Connecting::Resuming;
        let has_subscription = resumes && link.has_session;
        if resumes && !has_subscription {
            let text = "the broker no longer had the session of a reconnecting subscriber".to_owned();
            context.measurements.record.borrow_mut().errors.add(Stage::Run, text, 1);
        }
        let drops = drops.max(context.control.current().drops);
        let dropped_at = Some(dropped_at);
        let mut client =
            Client { timer_id, drops, dropped_at, ..Client::linked(context, slot, link, session, role) };
        if has_subscription || !slot.task.subscribes() {
            client.note_reconnected();
        }
        (Box::new(client), has_subscription)
    }

    fn note_failed_attempt(&self) {
        let now = self.context.timers.now();
        self.context.measurements.record.borrow_mut().timeline.at(now).failed += 1;
    }

    /// Submits the measurements of a client that has no connection any more.
    fn leave_run(mut self, error: &ClientError) {
        let event = EventContext::new(&self.context, self.slot, self.context.timers.now());
        self.context.measurements.note_gone(self.slot);
        count_end(&event, &mut self.role, error, true);
        self.role.submit(&event, 0, Vec::new(), self.was_done);
    }
}

async fn start(context: Rc<Context>, slot: ClientSlot) -> Option<Box<Client>> {
    let mut session = new_session(&context);
    let connected = connect(&context, slot, &mut session, Connecting::First, None).await;
    context.admission.release();
    match connected {
        Ok(link) => Some(Box::new(Client::new(context, slot, link, session))),
        Err(error) => {
            count_failure(&context, slot, &error);
            None
        }
    }
}

fn count_failure(context: &Context, slot: ClientSlot, error: &client::Error) {
    context.measurements.gauges.failed.add(1);
    let now = context.timers.now();
    if slot.task.subscribes() {
        context.measurements.gauges.without_subscription.add(1);
    }
    context.measurements.note_failed(&context.plan, slot, now, error);
}

/// Counts the messages of QoS 0 that a gateway has rejected. The rejections precede the answer to the last PINGREQ.
fn count_rejections(event: &EventContext<'_>, connection: &mut Connection, role: &mut Role) {
    if let Some(rejections) = connection.take_rejections() {
        role.rejected(event, rejections);
    }
}

/// Records that the client left the run early.
fn count_end(event: &EventContext<'_>, role: &mut Role, error: &ClientError, has_connection: bool) {
    let measurements = event.measurements;
    measurements.gauges.lost.add(1);
    if !has_connection {
        measurements.note_lost(event.slot, event.now);
    }
    let is_rejected = matches!(error, ClientError::SubscriptionRejected { .. });
    let stage = if is_rejected { Stage::Subscribe } else { Stage::Run };
    measurements.count_error(event.slot, stage, error);
    if let Some(publisher) = role.publisher() {
        publisher.finish(measurements);
    }
    if event.slot.task.subscribes() && !role.is_subscribed() {
        measurements.gauges.without_subscription.add(1);
    }
}

impl Client {
    fn new(context: Rc<Context>, slot: ClientSlot, link: Link, session: Session<InFlight>) -> Client {
        context.measurements.note_connected(slot, context.timers.now());
        context.measurements.gauges.connected.add(1);
        if slot.task.publishes() {
            context.measurements.gauges.publishers.add(1);
        }
        let role = Role::new(&context.plan, &context.measurements, slot);
        Client::linked(context, slot, link, session, role)
    }

    fn linked(
        context: Rc<Context>,
        slot: ClientSlot,
        link: Link,
        session: Session<InFlight>,
        role: Role,
    ) -> Client {
        let Link { connection, keep_alive, .. } = link;
        let (tick, drops) = (context.timers.ticks(), context.control.current().drops);
        let (timer_id, pings, dropped_at) = (0, 0, None);
        Client {
            context,
            slot,
            connection,
            session,
            keep_alive,
            timer_id,
            tick,
            drops,
            dropped_at,
            pings,
            role,
        }
    }

    /// Registers the client for wake-ups.
    async fn register(&mut self) {
        poll_fn(|cx| {
            self.timer_id = self.context.timers.register(cx.waker());
            Poll::Ready(())
        })
        .await;
    }

    fn unacknowledged(&self) -> Vec<u64> {
        self.session.unsettled_messages().map(|message| message.sequence).collect()
    }

    /// Submits the measurements, and disconnects.
    async fn end(&mut self, end: Result<(), ClientError>) {
        // In the hold, all work is done.
        let is_whole = end.is_ok() || self.context.control.phase() == Phase::Hold;
        let has_connection = end.as_ref().err().is_none_or(ClientError::leaves_connection);
        let unsent = self.connection.unsent() as u64;
        let unacknowledged = self.unacknowledged();
        let event = EventContext::new(&self.context, self.slot, self.context.timers.now());
        count_rejections(&event, &mut self.connection, &mut self.role);
        if let Err(error) = end {
            count_end(&event, &mut self.role, &error, has_connection);
        }
        self.role.submit(&event, unsent, unacknowledged, is_whole);
        if has_connection {
            Box::pin(self.disconnect()).await;
        }
    }

    /// The delay after which the client makes a lost connection again; `None` if it leaves the run.
    fn reconnect_delay(&self, error: &ClientError) -> Option<Duration> {
        let delay = self.context.plan.group(self.slot).session.reconnect_delay;
        let is_loss = matches!(error, ClientError::Client(_)) && self.context.control.phase() < Phase::Close;
        delay.filter(|_| is_loss)
    }

    /// Records how long the client was away, once it can work again.
    fn note_reconnected(&mut self) {
        if let Some(dropped_at) = self.dropped_at.take() {
            self.context.measurements.gauges.reconnected.add(1);
            if self.slot.task.subscribes() {
                let away = self.context.timers.now().saturating_sub(dropped_at);
                self.context
                    .measurements
                    .record
                    .borrow_mut()
                    .latencies
                    .record(LatencyKind::Resubscribed, away);
            }
        }
    }

    /// Runs the client through the phases, until it is time to close or to drop the connection.
    async fn run_session(&mut self, is_subscribing: bool) -> Result<End, ClientError> {
        let mut now = Instant::now();
        // Packets that arrived together with CONNACK are already buffered.
        self.receive(now)?;
        if is_subscribing {
            self.subscribe()?;
        }
        loop {
            self.publish(now)?;
            let progress = self.wait().await.map_err(client::Error::lost)?;
            now = Instant::now();
            if let Some(progress) = progress {
                self.handle_progress(progress, now)?;
                continue;
            }
            let Control { phase, drops, .. } = self.context.control.current();
            if phase == Phase::Close {
                return Ok(End::Closing);
            }
            if replace(&mut self.drops, drops) != drops {
                return Ok(End::Dropped);
            }
            self.check_keep_alive(now)?;
        }
    }

    /// Waits until the connection made progress. Returns `None` at the next tick, or at the time that the client
    /// asked to be woken.
    async fn wait(&mut self) -> io::Result<Option<Progress>> {
        poll_fn(|cx| {
            let tick = self.context.timers.ticks();
            if tick != self.tick {
                self.tick = tick;
                return Poll::Ready(Ok(None));
            }
            if self.role.publisher().is_some_and(|publisher| publisher.is_due(&self.context.timers)) {
                return Poll::Ready(Ok(None));
            }
            pin!(self.connection.progress(true)).poll(cx).map_ok(Some)
        })
        .await
    }

    fn handle_progress(&mut self, progress: Progress, now: Instant) -> Result<(), ClientError> {
        if progress.sent > 0 {
            self.keep_alive.sent(now);
            self.count_written(now);
        }
        if progress.received > 0 {
            self.keep_alive.received();
            self.receive(now)?;
        }
        if progress.is_closed {
            return Err(client::Error::Closed.into());
        }
        Ok(())
    }

    fn check_keep_alive(&mut self, now: Instant) -> Result<(), ClientError> {
        match self.keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(_) => {}
            KeepAliveAction::Ping => self.ping(),
            KeepAliveAction::PeerIsGone => {
                return Err(client::Error::KeepAlive(self.keep_alive.interval()).into());
            }
        }
        Ok(())
    }

    fn ping(&mut self) {
        self.session.ping(self.connection.output());
        self.pings = self.pings.saturating_add(1);
    }

    fn subscribe(&mut self) -> Result<(), ClientError> {
        let Some((filter, qos)) = self.role.subscription(&self.context.plan, self.slot) else {
            return Ok(());
        };
        let options = SubscriptionOptions {
            maximum_qos: qos,
            retain_handling: RetainHandling::Never,
            ..SubscriptionOptions::default()
        };
        let subscriptions = vec![Subscription { filter: &filter, options }];
        let properties = self.context.plan.broker.properties.subscribe.clone();
        let subscribed =
            self.session.subscribe(subscriptions, properties.as_properties(), self.connection.output());
        subscribed.map(drop).map_err(ClientError::Unsubscribable)
    }

    /// Encodes the messages that are due. A QoS 0 publisher that is done sends a ping: its answer shows that the
    /// broker has read everything.
    fn publish(&mut self, now: Instant) -> Result<(), ClientError> {
        let Some(publisher) = self.role.publisher() else {
            return Ok(());
        };
        let event = EventContext::new(&self.context, self.slot, self.context.timers.nanoseconds(now));
        let awaits_pingresp = self.pings > 0;
        if publisher.publish(
            &event,
            self.timer_id,
            &mut self.session,
            &mut self.connection,
            awaits_pingresp,
        )? {
            self.ping();
        }
        Ok(())
    }

    /// Takes the packets that arrived.
    fn receive(&mut self, now: Instant) -> Result<(), ClientError> {
        let context = self.context.clone();
        let event = EventContext::new(&context, self.slot, context.timers.nanoseconds(now));
        let is_resubscribed = self.receive_packets(&event);
        self.role.end_batch(&event);
        count_rejections(&event, &mut self.connection, &mut self.role);
        if is_resubscribed? {
            self.note_reconnected();
        }
        Ok(())
    }

    /// Takes the packets that arrived. Returns whether one of them confirms the subscription.
    fn receive_packets(&mut self, event: &EventContext<'_>) -> Result<bool, ClientError> {
        let limits = SizeLimits::all(self.session.accepts().maximum_packet_size);
        let (input, output) = self.connection.buffers();
        // An answer to a handshake packet is never longer than the packet.
        output.reserve(input.len());
        let mut packets = PacketReader::new(input, limits);
        let (mut is_resubscribed, mut handshake_steps) = (false, 0);
        let (mut mended, mut defects) = (Mended::default(), Vec::new());
        let is_counting = self.context.control.phase() != Phase::Hold;
        let session = &mut self.session;
        while let Some(received) = next_event(&mut packets, session, &mut mended, &mut defects, output)? {
            let acknowledgement = match received {
                Event::Message { publish, acknowledgement } => {
                    if is_counting {
                        self.role.message(event, &publish);
                    }
                    acknowledgement
                }
                Event::Published { reason_code, message, .. } => {
                    self.role.acknowledged(event, message, reason_code);
                    continue;
                }
                Event::Subscribed(ack) => {
                    let granted = ack.reason_codes().next().unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
                    self.role.subscribed(event, granted)?;
                    is_resubscribed = true;
                    continue;
                }
                Event::Pingresp => {
                    self.pings = self.pings.saturating_sub(1);
                    continue;
                }
                Event::Disconnect(disconnect) => return Err(disconnected(&disconnect).into()),
                Event::Auth(_) => return Err(AuthenticationError::from(self.auth_out_of_turn()).into()),
                // The remaining packets without an event of their own are PUBREC and PUBREL.
                Event::Nothing => {
                    handshake_steps += 1;
                    continue;
                }
                Event::Unsubscribed(_) | Event::Subscribe(_) | Event::Unsubscribe(_) => continue,
            };
            session.acknowledge(acknowledgement, ReasonCode::SUCCESS, output);
        }
        if handshake_steps > 0 {
            event.measurements.gauges.handshake_steps.add(handshake_steps);
        }
        self.role.answer(event, &mut self.session, output)?;
        let consumed = packets.consumed();
        self.connection.consume(consumed);
        Ok(is_resubscribed)
    }

    /// AUTH is not allowed once the broker has accepted the client.
    fn auth_out_of_turn(&self) -> AuthViolation {
        match self.context.plan.broker.authentication {
            Some(_) => AuthViolation::OutOfTurn,
            None => AuthViolation::NoMethod,
        }
    }

    /// Counts the messages that the kernel took.
    fn count_written(&mut self, now: Instant) {
        let unsent = self.connection.unsent() as u64;
        if let Some(publisher) = self.role.publisher() {
            let event = EventContext::new(&self.context, self.slot, self.context.timers.nanoseconds(now));
            publisher.count_written(&event, unsent);
        }
    }

    async fn disconnect(&mut self) {
        let properties = self.end_of_session();
        let properties = properties.as_properties();
        let packet = Disconnect { reason_code: ReasonCode::SUCCESS, properties };
        disconnect(&mut self.connection, self.session.version(), &packet, DISCONNECT_TIMEOUT).await;
    }

    /// Ends a kept session with the run, which only MQTT 5 can do.
    fn end_of_session(&self) -> PropertiesBuf {
        let broker = &self.context.plan.broker;
        let mut properties = broker.properties.disconnect.clone();
        let is_ours =
            |list: &PropertiesBuf| list.as_properties().find(PropertyId::SessionExpiryInterval).is_none();
        let is_temporary = is_ours(&broker.properties.connect) && is_ours(&properties);
        let keeps = self.context.plan.keeps_sessions(self.context.plan.group(self.slot));
        let is_named = matches!(broker.identities.client_id, ClientIds::Template(_));
        if keeps && is_temporary && (broker.keeps_sessions || !is_named) && self.session.version().is_v5() {
            let ends = properties.push(PropertyId::SessionExpiryInterval, PropertyValue::Number(0));
            debug_assert!(ends.is_ok(), "it is a number of four bytes");
        }
        properties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_size<F: Future>(_: impl Fn(Rc<Context>, ClientSlot) -> F) -> usize {
        size_of::<F>()
    }

    /// Tens of thousands of clients must fit into a laptop's memory, so that rarely used state is boxed on demand.
    #[test]
    fn a_client_at_rest_is_small() {
        let (task, client) = (future_size(run), size_of::<Client>());
        assert!(task <= 256 && client <= 384, "{task} bytes of task, {client} of client");
    }
}
