//! Runs one bridge connection: two links and two directions in one task.

use super::error::Error;
use super::event::{EventKind, Reporter};
use super::flow::{Overflow, Silent, Window};
use super::lane::{Lane, LaneSettings, TargetTerms};
use super::link::{DEFAULT_WINDOW, Happening, Link, Up};
use super::message::MessageLimits;
use super::port::{Port, Ports};
use super::repetition::Answer;
use super::requests::{Subscriber, take_id};
use super::rule::Direction;
use super::settings::{Settings, Side};
use super::snapshot::{SideSnapshot, Snapshot};
use crate::client::{self, Terms, disconnected};
use crate::protocol::session::SessionError;
use crate::protocol::{MAX_PACKET_SIZE, Packet, PacketReader, PropertyId, SizeLimits};
use crate::transport::{Connection, Progress};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// The interval of the checks that need no precise time.
const TICK: Duration = Duration::from_secs(1);

/// The state that snapshots show. It is never borrowed across an await.
pub(super) struct Core {
    name: String,
    out: Lane,
    incoming: Lane,
    local: SideSnapshot,
    remote: SideSnapshot,
}

impl Core {
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            name: self.name.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            out: self.out.snapshot(),
            incoming: self.incoming.snapshot(),
        }
    }

    fn lane(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::Out => &mut self.out,
            Direction::In => &mut self.incoming,
        }
    }

    /// The directions from and to a broker.
    fn lanes_of(&mut self, side: Side) -> (&mut Lane, &mut Lane) {
        match side {
            Side::Local => (&mut self.out, &mut self.incoming),
            Side::Remote => (&mut self.incoming, &mut self.out),
        }
    }
}

/// One bridge connection.
pub(super) struct Bridge {
    core: Rc<RefCell<Core>>,
    local: Link,
    remote: Link,
    reporter: Reporter,
    acknowledgement_timeout: Duration,
    drain_timeout: Duration,
    /// The end of the drain.
    deadline: Option<Instant>,
    next_tick: Instant,
}

/// The reason for a turn of the loop.
enum Wake {
    Stopped,
    Links(Option<Happening>, Option<Happening>),
    Timer,
}

impl Bridge {
    pub(super) fn new(settings: Settings, reporter: Reporter) -> Bridge {
        let now = Instant::now();
        let Settings { name, local, remote, out, incoming, queue, retain_out, retain_in, .. } = settings;
        let Settings { rate, maximum_age, local_status, remote_status, hop_mark, .. } = settings;
        let Settings { acknowledgement_timeout, drain_timeout, .. } = settings;
        let lane = |direction, routes, retain| {
            let hop_mark = hop_mark.clone();
            let settings = LaneSettings { direction, routes, queue, retain, rate, maximum_age, hop_mark };
            Lane::new(settings, reporter.clone(), now)
        };
        let core = Core {
            name,
            out: lane(Direction::Out, out, retain_out),
            incoming: lane(Direction::In, incoming, retain_in),
            local: SideSnapshot::default(),
            remote: SideSnapshot::default(),
        };
        Bridge {
            core: Rc::new(RefCell::new(core)),
            local: Link::new(Side::Local, local, local_status, reporter.clone(), now),
            remote: Link::new(Side::Remote, remote, remote_status, reporter.clone(), now),
            reporter,
            acknowledgement_timeout,
            drain_timeout,
            deadline: None,
            next_tick: now + TICK,
        }
    }

    /// The state for snapshots.
    pub(super) fn core(&self) -> Rc<RefCell<Core>> {
        Rc::clone(&self.core)
    }

    /// Forwards messages until `stop` resolves and those in flight are settled.
    ///
    /// # Errors
    /// If a broker refuses the bridge for good.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let result = self.forward(pin!(stop)).await;
        if let Err(error) = &result {
            self.reporter.report(EventKind::Failed { error: error.to_string() });
        }
        tokio::join!(self.local.close(), self.remote.close());
        self.end();
        result
    }

    async fn forward(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), Error> {
        let mut timer = Box::pin(sleep(Duration::ZERO));
        loop {
            let now = Instant::now();
            self.serve(now)?;
            if self.is_finished(now) {
                return Ok(());
            }
            match self.wait(stop.as_mut(), timer.as_mut(), now).await {
                Wake::Stopped => self.drain(Instant::now()),
                Wake::Timer => {}
                Wake::Links(local, remote) => {
                    let now = Instant::now();
                    for (side, happening) in [(Side::Local, local), (Side::Remote, remote)] {
                        if let Some(happening) = happening {
                            self.handle(side, happening, now)?;
                        }
                    }
                }
            }
        }
    }

    async fn wait(
        &mut self,
        stop: Pin<&mut impl Future<Output = ()>>,
        mut timer: Pin<&mut Sleep>,
        now: Instant,
    ) -> Wake {
        let due = self.due(now).into();
        // A timer that ends too early does no harm, and most wake-ups come from the connections.
        if timer.is_elapsed() || due < timer.deadline() {
            timer.as_mut().reset(due);
        }
        let is_stopping = self.deadline.is_some();
        let (reads_local, reads_remote) = (self.reads(Side::Local), self.reads(Side::Remote));
        let mut local = pin!(self.local.happening(reads_local));
        let mut remote = pin!(self.remote.happening(reads_remote));
        // Both sides are polled each time, so that a flood from one does not stop the other.
        let mut links = pin!(poll_fn(|cx| {
            let happened = (local.as_mut().poll(cx), remote.as_mut().poll(cx));
            match happened {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                (local, remote) => Poll::Ready((ready(local), ready(remote))),
            }
        }));
        tokio::select! {
            biased;
            () = stop, if !is_stopping => Wake::Stopped,
            (local, remote) = links.as_mut() => Wake::Links(local, remote),
            () = timer => Wake::Timer,
        }
    }

    /// Whether packets of a broker are read. Acknowledgements of the other direction are among them, so two full directions do not
    /// stop each other.
    fn reads(&self, side: Side) -> bool {
        let core = &mut *self.core.borrow_mut();
        let (from, to) = core.lanes_of(side);
        // A drain needs the acknowledgements, and ignores new messages.
        !from.is_full() || to.is_full() || self.deadline.is_some()
    }

    /// The time of the next work without a packet.
    fn due(&mut self, now: Instant) -> Instant {
        let core = self.core.borrow();
        let rates = [core.out.rate_due(), core.incoming.rate_due()];
        let links = [self.local.due(now), self.remote.due(now)];
        let dues = links.into_iter().chain(rates).chain([self.deadline]).flatten();
        dues.min().unwrap_or(self.next_tick).min(self.next_tick)
    }

    /// Does the work that is due, and fills the send buffers.
    fn serve(&mut self, now: Instant) -> Result<(), Error> {
        for side in [Side::Local, Side::Remote] {
            if !self.reads(side)
                && let Some(up) = self.link(side).up()
            {
                up.keep_alive.received(); // The answer may be among what is not read.
            }
            if let Err(error) = self.link(side).run_timers(now) {
                self.fail(side, error, now)?;
            }
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now)?;
            self.refresh_snapshots();
        }
        let works = self.local.is_up() && self.remote.is_up();
        let core = &mut *self.core.borrow_mut();
        self.local.publish_status(works, || take_id(core.incoming.flow_mut()));
        self.remote.publish_status(works, || take_id(core.out.flow_mut()));
        core.out.pump(Ports { source: self.local.port(), target: self.remote.port() }, now);
        core.incoming.pump(Ports { source: self.remote.port(), target: self.local.port() }, now);
        Ok(())
    }

    fn tick(&mut self, now: Instant) -> Result<(), Error> {
        let timeout = self.acknowledgement_timeout;
        for direction in [Direction::Out, Direction::In] {
            let mut core = self.core.borrow_mut();
            let lane = core.lane(direction);
            lane.report_drops(now, false);
            let silent = lane.silent_side(now, timeout);
            if silent == Some(Silent::Target) {
                lane.doubt_target();
            }
            let silent = silent.map(|silent| match silent {
                Silent::Source => direction.source(),
                Silent::Target => direction.target(),
            });
            drop(core);
            self.ask_for_repetition(direction, now);
            if let Some(side) = silent
                && self.link(side).is_up()
                && self.reads(side)
            {
                self.reporter.report(EventKind::NoAcknowledgement { side, timeout });
                self.fail(side, client::Error::Timeout(timeout), now)?;
            }
        }
        for side in [Side::Local, Side::Remote] {
            let is_silent = self.link(side).up().is_some_and(|up| {
                !up.requests.is_empty() && now.saturating_duration_since(up.since) > timeout
            });
            // Without SUBACK, no message of that side may be forwarded.
            if is_silent && self.reads(side) {
                self.reporter.report(EventKind::NoAcknowledgement { side, timeout });
                self.fail(side, client::Error::Timeout(timeout), now)?;
            }
        }
        Ok(())
    }

    /// Asks a broker whether it has repeated all messages that it has in flight, if that matters now.
    fn ask_for_repetition(&mut self, direction: Direction, now: Instant) {
        let timeout = self.acknowledgement_timeout;
        let (source, _, core) = self.parts(direction.source());
        let Some(up) = source.up() else { return };
        let is_late = now.saturating_duration_since(up.since) > timeout;
        if core.borrow_mut().lane(direction).awaits_repetition(is_late) {
            up.ask_for_repetition(is_late);
        }
    }

    fn handle(&mut self, side: Side, happening: Happening, now: Instant) -> Result<(), Error> {
        let result = match happening {
            Happening::Opened(opened) => match *opened {
                Ok((connection, terms)) => self.accept(side, connection, &terms, now),
                Err(error) => Err(error),
            },
            Happening::Progress(progress) => self.note_progress(side, progress, now),
            Happening::FirstAddress(works) => {
                if self.link(side).note_first_address(works, now) {
                    self.note_lost(side);
                }
                Ok(())
            }
        };
        match result {
            Ok(()) => Ok(()),
            Err(error) => self.fail(side, error, now),
        }
    }

    fn note_progress(
        &mut self,
        side: Side,
        progress: io::Result<Progress>,
        now: Instant,
    ) -> Result<(), client::Error> {
        let progress = progress.map_err(client::Error::lost)?;
        let Some(up) = self.link(side).up() else { return Ok(()) };
        if progress.sent > 0 {
            up.keep_alive.sent(now);
        }
        if progress.received > 0 {
            up.keep_alive.received();
            // A broker without TCP_NODELAY holds further packets until then, but the other broker answers later.
            up.connection.acknowledge_now();
            self.receive(side, now)?;
        }
        if progress.is_closed { Err(client::Error::Closed) } else { Ok(()) }
    }

    /// A broker accepted the connection. Packets may have followed CONNACK.
    fn accept(
        &mut self,
        side: Side,
        connection: Connection,
        terms: &Terms,
        now: Instant,
    ) -> Result<(), client::Error> {
        self.resume(side, connection, terms, now);
        self.refresh_snapshots();
        self.receive(side, now)
    }

    /// Resumes both directions on a new connection, and subscribes.
    fn resume(&mut self, side: Side, connection: Connection, terms: &Terms, now: Instant) {
        let reporter = self.reporter.clone();
        let (link, other, core) = self.parts(side);
        let Some(accepted) = link.accept(connection, terms, now) else { return };
        let session_present = accepted.session_present;
        let maximum_qos = other.end().maximum_qos.min(link.end().maximum_qos);
        let target_terms = link.target_terms(session_present);
        let unsubscribe = link.end().unsubscribe.clone();
        let Some(up) = link.up() else { return };
        let core = &mut *core.borrow_mut();
        let (from, to) = core.lanes_of(side);
        from.source_connected(session_present, Ports { source: Some(up.port()), target: other.port() }, now);
        let is_lost = !session_present && !accepted.is_first;
        if is_lost && !from.routes().is_empty() {
            from.note_lost_session();
            reporter.report(EventKind::SourceSessionLost { side });
        }
        if let Some(target_terms) = target_terms {
            let ports = Ports { source: other.port(), target: Some(up.port()) };
            let messages = to.target_connected(&target_terms, ports, now);
            if messages > 0 {
                reporter.report(EventKind::TargetSessionLost { side, messages });
            }
        }
        let (version, limits) = (up.version, up.limits);
        // Without a session there is nothing to end, and some brokers end the subscriptions of others.
        if accepted.is_first && session_present && !unsubscribe.is_empty() {
            up.requests.unsubscribe(&unsubscribe, to.flow_mut(), version, up.connection.output());
        }
        from.is_subscribed &= session_present;
        if !from.is_subscribed && !from.routes().is_empty() {
            let has_identifiers = limits.subscription_identifier_available;
            let output = up.connection.output();
            let subscriber = Subscriber { version, maximum_qos, has_identifiers, output };
            up.requests.subscribe(from.routes(), to.flow_mut(), subscriber);
        }
    }

    /// Handles all complete packets in the receive buffer.
    fn receive(&mut self, side: Side, now: Instant) -> Result<(), client::Error> {
        let reporter = self.reporter.clone();
        let (link, other, core) = self.parts(side);
        let Some(up) = link.up() else { return Ok(()) };
        let version = up.version;
        let unsent = up.connection.unsent();
        let (input, output) = up.connection.buffers();
        let own = &mut Port { sent: output.len() - unsent, output, version };
        let mut others = other.port();
        let core = &mut *core.borrow_mut();
        let (from, to) = core.lanes_of(side);
        let mut status_answer = None;
        let mut packets = PacketReader::new(input, SizeLimits::all(MAX_PACKET_SIZE));
        while let Some(packet) = packets.read(version)? {
            let other = others.as_mut().map(Port::reborrow);
            let packet_type = packet.packet_type();
            match packet {
                Packet::Publish(publish) => {
                    if let Some(alias) = publish.properties.two_bytes(PropertyId::TopicAlias) {
                        return Err(SessionError::TopicAliasInvalid { alias, maximum: 0 }.into());
                    }
                    up.has_moved_message = true;
                    let ports = Ports { source: Some(own.reborrow()), target: other };
                    from.receive(&publish, ports, now).map_err(too_many)?;
                }
                Packet::Pubrel(ack) => {
                    let ports = Ports { source: Some(own.reborrow()), target: other };
                    from.receive_release(ack.packet_id, ports, now).map_err(too_many)?;
                }
                Packet::Puback(ack) if up.status_id == Some(ack.packet_id) => {
                    up.status_id = None;
                    to.flow_mut().unreserve(ack.packet_id);
                    status_answer = Some(ack.reason_code);
                }
                Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => {
                    up.has_moved_message = true;
                    let ports = Ports { source: other, target: Some(own.reborrow()) };
                    to.receive_ack(packet_type, &ack, ports, now);
                }
                Packet::Suback(ack) | Packet::Unsuback(ack) => {
                    up.requests.receive(&ack, side, to.flow_mut(), &reporter);
                    from.is_subscribed = up.requests.is_empty();
                }
                Packet::Pingresp => {
                    if let Some(Answer { is_late }) = up.repetition.ping_answered() {
                        let ports = Ports { source: Some(own.reborrow()), target: other };
                        from.source_has_repeated(is_late, ports, now);
                    }
                }
                Packet::Disconnect(disconnect) => return Err(disconnected(&disconnect)),
                Packet::Connect(_)
                | Packet::Connack(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::Pingreq
                | Packet::Auth(_) => return Err(SessionError::Unexpected(packet_type).into()),
            }
        }
        let consumed = packets.consumed();
        up.connection.consume(consumed);
        status_answer.into_iter().for_each(|reason| link.note_status_answer(reason));
        Ok(())
    }

    /// A connection failed: both directions wait for the next one.
    fn fail(&mut self, side: Side, error: client::Error, now: Instant) -> Result<(), Error> {
        let result = self.link(side).fail(error, now);
        self.note_lost(side);
        result
    }

    /// Both directions wait for the next connection.
    fn note_lost(&mut self, side: Side) {
        let mut core = self.core.borrow_mut();
        let (from, to) = core.lanes_of(side);
        from.source_lost();
        to.target_lost();
        drop(core);
        self.refresh_snapshots();
    }

    /// Starts to drain: messages in flight are settled, the brokers keep all others.
    fn drain(&mut self, now: Instant) {
        self.deadline = Some(now + self.drain_timeout);
        let core = &mut *self.core.borrow_mut();
        core.out.drain();
        core.incoming.drain();
    }

    fn is_finished(&self, now: Instant) -> bool {
        let Some(deadline) = self.deadline else { return false };
        let core = self.core.borrow();
        let is_drained =
            core.out.is_drained(self.remote.is_up()) && core.incoming.is_drained(self.local.is_up());
        is_drained || now >= deadline
    }

    /// Reports the messages that are left.
    fn end(&mut self) {
        let core = &mut *self.core.borrow_mut();
        let now = Instant::now();
        for direction in [Direction::Out, Direction::In] {
            let lane = core.lane(direction);
            lane.report_drops(now, true);
            let messages = lane.in_flight();
            if messages > 0 {
                self.reporter.report(EventKind::Undelivered { direction, messages });
            }
        }
        (core.local, core.remote) = (self.local.snapshot(), self.remote.snapshot());
    }

    fn refresh_snapshots(&mut self) {
        let core = &mut *self.core.borrow_mut();
        (core.local, core.remote) = (self.local.snapshot(), self.remote.snapshot());
    }

    fn link(&mut self, side: Side) -> &mut Link {
        match side {
            Side::Local => &mut self.local,
            Side::Remote => &mut self.remote,
        }
    }

    /// The link to a broker, that to the other one, and the shared state.
    fn parts(&mut self, side: Side) -> (&mut Link, &mut Link, &RefCell<Core>) {
        match side {
            Side::Local => (&mut self.local, &mut self.remote, &self.core),
            Side::Remote => (&mut self.remote, &mut self.local, &self.core),
        }
    }
}

impl Link {
    /// The terms for messages to the broker.
    fn target_terms(&mut self, session_present: bool) -> Option<TargetTerms> {
        let (maximum_qos, own_size) = (self.end().maximum_qos, self.end().maximum_packet_size);
        let window = usize::from(self.end().receive_maximum.unwrap_or(DEFAULT_WINDOW));
        let for_status = usize::from(self.wants_status_answer());
        let Up { version, limits, .. } = self.up()?;
        let total = usize::from(limits.receive_maximum) - for_status;
        // Room for exchanges that only the broker remembers, after it was restored from an older state.
        let exactly_once = if version.is_v5() { (total - total / 4).max(1) } else { window };
        Some(TargetTerms {
            window: Window { total, exactly_once, maximum_qos: maximum_qos.min(limits.maximum_qos) },
            limits: MessageLimits {
                version: *version,
                maximum_packet_size: own_size.unwrap_or(MAX_PACKET_SIZE).min(limits.maximum_packet_size),
                retain_available: limits.retain_available,
            },
            session_present,
        })
    }
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The broker sends more messages than there are packet identifiers.
fn too_many(_: Overflow) -> client::Error {
    SessionError::ReceiveMaximumExceeded { maximum: u16::MAX }.into()
}
