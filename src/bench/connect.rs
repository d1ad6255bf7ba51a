//! Connects one client up to an accepting CONNACK, and times each step.

use super::client_slot::{ClientSlot, Task};
use super::context::{Context, nanoseconds};
use super::handshake::{ClientHandshake, Link};
use super::record::{LatencyKind, Record};
use crate::client::{AnswerTime, Error};
use crate::protocol::session::{Role, Session};
use crate::transport::{ConnectError, ConnectStep, Connection, Layer, Stream, Tls, add_layers};
use std::mem::replace;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Whether a client connects again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connecting {
    First,
    /// With a new session.
    Again,
    /// With its session.
    Resuming,
}

/// An empty session.
pub(super) fn new_session<M>(context: &Context) -> Session<M> {
    Session::new(Role::Client, context.plan.broker.session_version())
}

/// Connects a client: for the first time, or again, with the TLS settings of its last connection if that can be resumed. Its session
/// is unchanged if that fails.
///
/// # Errors
/// If no CONNACK accepts it in time.
pub(super) async fn connect<M>(
    context: &Context,
    slot: ClientSlot,
    session: &mut Session<M>,
    connecting: Connecting,
    tls: Option<&Tls>,
) -> Result<Link, Error> {
    let limit = context.plan.broker.endpoint.timeout;
    let begin = Instant::now();
    let mut layers = LayerTimes::default();
    let connected = timeout(limit, layers.connect(context, slot, begin, tls)).await;
    let stream = connected.map_err(|_| Error::Timeout(limit))??;
    let ready = Instant::now();
    let tls = stream.tls_algorithms();
    let watch = context.plan.broker.watch.as_ref();
    let tap = watch.and_then(|watch| watch.tap(slot, context.plan.number_of(slot), &stream));
    let handshake = ClientHandshake {
        plan: &context.plan,
        gauges: &context.measurements.gauges,
        slot,
        resumes: connecting == Connecting::Resuming,
        start: begin,
    };
    let (link, answers) = handshake.run(Connection::watched(stream, tap), session).await?;
    let accepted = Instant::now();
    let mut record = context.measurements.record.borrow_mut();
    layers.add_to(&mut record);
    tls.into_iter().for_each(|algorithms| record.tls.add(algorithms));
    let broker_time = (accepted - ready).saturating_sub(answers.elapsed);
    if !is_unconnected(context, slot) {
        record.latencies.record(LatencyKind::Connack, nanoseconds(broker_time));
    }
    record_answers(answers, &mut record);
    if connecting == Connecting::First {
        record.accepting.note(context.timers.nanoseconds(begin));
        record.accepting.note(context.timers.nanoseconds(accepted));
    }
    Ok(link)
}

/// Whether the client sends no CONNECT, only messages of QoS -1.
fn is_unconnected(context: &Context, slot: ClientSlot) -> bool {
    context.plan.group(slot).is_unconnected && slot.task == Task::Publish
}

/// Records the times of an accepted client's own answers, if there were any.
fn record_answers(AnswerTime { elapsed, cpu }: AnswerTime, record: &mut Record) {
    if elapsed.is_zero() {
        return;
    }
    record.latencies.record(LatencyKind::Authenticate, nanoseconds(cpu));
    record.latencies.record(LatencyKind::AuthenticateWait, nanoseconds(elapsed.saturating_sub(cpu)));
    record.cpu += cpu;
}

/// Durations of the layers below MQTT.
#[derive(Default)]
struct LayerTimes {
    /// `None` for datagrams, which need no connection.
    socket: Option<Duration>,
    tls: Option<Duration>,
    web_socket: Option<Duration>,
}

impl LayerTimes {
    async fn connect(
        &mut self,
        context: &Context,
        slot: ClientSlot,
        begin: Instant,
        tls: Option<&Tls>,
    ) -> Result<Stream, ConnectError> {
        let route = context.target.route(slot);
        if let Some(settings) = route.gateway_settings() {
            return context.gateway_clients.connect(&context.plan, route, slot, settings).await;
        }
        let common = route.endpoint().tls.as_ref();
        let own = if tls.is_none() { common.and_then(Tls::with_own_session) } else { None };
        let socket = route.connect_socket(context.plan.number_of(slot)).await?;
        let mut before = begin;
        add_layers(socket, route.endpoint(), tls.or(own.as_ref()).or(common), |step| {
            let now = Instant::now();
            let time = now - replace(&mut before, now);
            match step {
                ConnectStep::Laid(Layer::Socket) => self.socket = Some(time),
                ConnectStep::Laid(Layer::Tls) => self.tls = Some(time),
                ConnectStep::Laid(Layer::WebSocket) => self.web_socket = Some(time),
                ConnectStep::Tunnel(_) => {}
            }
        })
        .await
    }

    /// Records the durations of an accepted client.
    fn add_to(&self, record: &mut Record) {
        let times = [
            (LatencyKind::TcpConnect, self.socket),
            (LatencyKind::Tls, self.tls),
            (LatencyKind::WebSocket, self.web_socket),
        ];
        for (kind, time) in times {
            time.iter().for_each(|time| record.latencies.record(kind, nanoseconds(*time)));
        }
    }
}
