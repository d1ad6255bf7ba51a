//! Connects one client up to an accepting CONNACK, and times each step.

use super::handshake::Introduction;
use super::plan::ClientSlot;
use super::record::Record;
use super::worker::Shared;
use crate::client::{AnswerTime, Error};
use crate::protocol::session::{KeepAlive, Role, Session};
use crate::transport::{ConnectError, ConnectStep, Connection, Layer, Stream, add_layers};
use std::mem::replace;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// An accepted connection. `M` is the session's data for each message in flight.
pub(super) struct Link<M> {
    pub(super) connection: Connection,
    pub(super) session: Session<M>,
    pub(super) keep_alive: KeepAlive,
    /// Whether the broker still had the session.
    pub(super) has_session: bool,
}

/// An empty session.
pub(super) fn new_session<M>(shared: &Shared) -> Session<M> {
    Session::new(Role::Client, shared.plan.broker.version)
}

/// Connects a client, for the first time if it does not resume its session.
///
/// # Errors
/// If no CONNACK accepts it in time.
pub(super) async fn connect<M>(
    shared: &Shared,
    slot: ClientSlot,
    session: Session<M>,
    resumes: bool,
) -> Result<Link<M>, Error> {
    let is_return = shared.orders().drops > 0;
    let limit = shared.plan.broker.endpoint.timeout;
    let begin = Instant::now();
    let mut steps = Steps::default();
    let climbed = timeout(limit, steps.climb(shared, slot, begin)).await;
    let stream = climbed.map_err(|_| Error::Timeout(limit))??;
    let ready = Instant::now();
    let watch = shared.plan.broker.watch.as_ref();
    let tap = watch.and_then(|watch| watch.tap(slot, shared.plan.number_of(slot), &stream));
    let introduction = Introduction { shared, slot, resumes, start: begin };
    let (link, answers) = introduction.carry_out(Connection::watched(stream, tap), session).await?;
    let accepted = Instant::now();
    let mut record = shared.record.borrow_mut();
    steps.hand_in(&mut record);
    record.connack.record((accepted - ready).saturating_sub(answers.elapsed).as_nanos() as u64);
    record_answers(answers, &mut record);
    if !is_return {
        record.accepting.note(shared.nanoseconds(begin));
        record.accepting.note(shared.nanoseconds(accepted));
    }
    Ok(link)
}

/// Records the times of an accepted client's own answers, if there were any.
fn record_answers(AnswerTime { elapsed, cpu }: AnswerTime, record: &mut Record) {
    if elapsed.is_zero() {
        return;
    }
    record.authenticate.record(cpu.as_nanos() as u64);
    record.authenticate_wait.record(elapsed.saturating_sub(cpu).as_nanos() as u64);
    record.cpu += cpu;
}

/// Durations of the layers below MQTT.
#[derive(Default)]
struct Steps {
    socket: Duration,
    tls: Option<Duration>,
    web_socket: Option<Duration>,
}

impl Steps {
    /// Connects layer by layer.
    async fn climb(
        &mut self,
        shared: &Shared,
        slot: ClientSlot,
        begin: Instant,
    ) -> Result<Stream, ConnectError> {
        let socket = shared.route.connect_socket(shared.plan.number_of(slot)).await?;
        let mut before = begin;
        add_layers(socket, shared.route.endpoint(), |step| {
            let now = Instant::now();
            let time = now - replace(&mut before, now);
            match step {
                ConnectStep::Laid(Layer::Socket) => self.socket = time,
                ConnectStep::Laid(Layer::Tls) => self.tls = Some(time),
                ConnectStep::Laid(Layer::WebSocket) => self.web_socket = Some(time),
                ConnectStep::Tunnel(_) => {}
            }
        })
        .await
    }

    /// Records the durations of an accepted client.
    fn hand_in(&self, record: &mut Record) {
        record.tcp_connect.record(self.socket.as_nanos() as u64);
        self.tls.iter().for_each(|time| record.tls.record(time.as_nanos() as u64));
        self.web_socket.iter().for_each(|time| record.web_socket.record(time.as_nanos() as u64));
    }
}
