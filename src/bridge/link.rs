//! The connection to one broker: attempts and their pauses, addresses, and the protocol level of bridges.

use super::error::Error;
use super::event::{EventKind, Reporter};
use super::port::Port;
use super::private_level::PrivateLevel;
use super::repetition::Repetition;
use super::requests::Requests;
use super::settings::{End, Side};
use super::snapshot::{SideSnapshot, SideState};
use super::status::{self, Concession, Will};
use crate::client::{self, DISCONNECT_TIMEOUT, Options, Terms, disconnect, pause_between};
use crate::protocol::session::{KeepAlive, KeepAliveAction, Limits};
use crate::protocol::{
    Disconnect, Packet, PacketId, Properties, PropertiesBuf, PropertyId, PropertyValue, Publish, Qos,
    ReasonCode, Version,
};
use crate::transport::{self, Connection, Endpoint, Progress};
use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// The maximum of messages at QoS 1 and 2 that a broker sends without acknowledgement, and of those at QoS 2 that it has to
/// acknowledge before MQTT 5. mosquitto drops messages beyond 20.
pub(super) const DEFAULT_WINDOW: u16 = 15;

/// A connection that lasted as long counts as one that works.
const PROOF: Duration = Duration::from_secs(10);

/// The connection to one broker.
pub(super) struct Link {
    side: Side,
    end: End,
    /// The topic with the state of the bridge at this broker.
    status: Option<String>,
    /// Whether the broker has acknowledged or rejected the state.
    is_status_answered: bool,
    /// The will with the state, if there is a topic for it.
    will: Will,
    state: State,
    /// The number of the address of the next attempt.
    address: usize,
    /// Attempts in a row without a connection that worked.
    failures: u32,
    private_level: PrivateLevel,
    /// How often the first address worked, but did not accept the bridge.
    vain_returns: u32,
    snapshot: SideSnapshot,
    reporter: Reporter,
}

enum State {
    Waiting(Instant),
    Connecting { attempt: Attempt, is_private: bool },
    Up(Box<Up>),
    Ended,
}

type Opened = Result<(Connection, Terms), client::Error>;
type Attempt = Pin<Box<dyn Future<Output = Opened>>>;

/// The look at the first address while another one is connected.
enum FirstAddress {
    /// It is connected, or needs no look.
    Settled,
    LookAt(Instant),
    /// Whether it accepts connections.
    Looking(Pin<Box<dyn Future<Output = bool>>>),
}

/// A connection that the broker accepted.
pub(super) struct Up {
    pub(super) connection: Connection,
    pub(super) keep_alive: KeepAlive,
    pub(super) version: Version,
    pub(super) limits: Limits,
    pub(super) requests: Requests,
    pub(super) repetition: Repetition,
    pub(super) since: Instant,
    /// Whether a message arrived, or was acknowledged.
    pub(super) has_moved_message: bool,
    /// The last published state of the bridge.
    published: Option<bool>,
    /// The packet identifier of a published state that the broker has not acknowledged.
    pub(super) status_id: Option<PacketId>,
    first_address: FirstAddress,
}

/// The result of waiting for a connection.
pub(super) enum Happening {
    Opened(Box<Opened>),
    Progress(io::Result<Progress>),
    /// Whether the first address works again.
    FirstAddress(bool),
}

/// An accepted connection, for the directions.
pub(super) struct Accepted {
    pub(super) session_present: bool,
    /// Whether it is the first connection of this run.
    pub(super) is_first: bool,
}

impl Link {
    pub(super) fn new(
        side: Side,
        end: End,
        status: Option<String>,
        reporter: Reporter,
        now: Instant,
    ) -> Link {
        let private_level =
            PrivateLevel::new(end.try_private && !end.options.version.is_v5(), end.needs_no_local);
        Link {
            side,
            end,
            status,
            is_status_answered: false,
            will: Will::FIRST,
            state: State::Waiting(now),
            address: 0,
            failures: 0,
            private_level,
            vain_returns: 0,
            snapshot: SideSnapshot::default(),
            reporter,
        }
    }

    pub(super) fn end(&self) -> &End {
        &self.end
    }

    pub(super) fn up(&mut self) -> Option<&mut Up> {
        match &mut self.state {
            State::Up(up) => Some(up),
            State::Waiting(_) | State::Connecting { .. } | State::Ended => None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    pub(super) fn port(&mut self) -> Option<Port<'_>> {
        self.up().map(Up::port)
    }

    pub(super) fn snapshot(&self) -> SideSnapshot {
        let state = match self.state {
            State::Waiting(_) => SideState::Waiting,
            State::Connecting { .. } => SideState::Connecting,
            State::Up(_) => SideState::Connected,
            State::Ended => SideState::Ended,
        };
        SideSnapshot { state, ..self.snapshot.clone() }
    }

    /// Waits until the attempt ends, or bytes were sent or received. Dropping the future loses nothing.
    pub(super) async fn happening(&mut self, wants_input: bool) -> Happening {
        match &mut self.state {
            State::Connecting { attempt, .. } => Happening::Opened(Box::new(attempt.await)),
            State::Up(up) => {
                let Up { connection, first_address, .. } = &mut **up;
                tokio::select! {
                    biased;
                    progress = connection.progress(wants_input) => Happening::Progress(progress),
                    works = first_address.looked() => Happening::FirstAddress(works),
                }
            }
            State::Waiting(_) | State::Ended => pending().await,
        }
    }

    /// Starts an attempt that is due, and sends a PINGREQ that is due.
    ///
    /// # Errors
    /// If the broker did not answer the last PINGREQ.
    pub(super) fn run_timers(&mut self, now: Instant) -> Result<(), client::Error> {
        match &mut self.state {
            State::Waiting(due) if *due <= now => self.start_attempt(),
            State::Up(up) => {
                up.first_address.look(now, &self.end.options.endpoint);
                return up.check_keep_alive(now);
            }
            State::Waiting(_) | State::Connecting { .. } | State::Ended => {}
        }
        Ok(())
    }

    /// The time of the next call of [`Link::run_timers`].
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        match &mut self.state {
            State::Waiting(due) => Some(*due),
            State::Up(up) => {
                let of_keep_alive = match up.keep_alive.poll(now) {
                    KeepAliveAction::WaitUntil(due) => due,
                    KeepAliveAction::Ping | KeepAliveAction::PeerIsGone => Some(now),
                };
                of_keep_alive.into_iter().chain(up.first_address.due()).min()
            }
            State::Connecting { .. } | State::Ended => None,
        }
    }

    /// Takes over a connection that the broker accepted. `None` if it only served to test the protocol level of bridges.
    pub(super) fn accept(&mut self, connection: Connection, terms: &Terms, now: Instant) -> Option<Accepted> {
        let is_private = matches!(self.state, State::Connecting { is_private: true, .. });
        let had_doubt = self.private_level.is_doubtful();
        if !self.private_level.accepted(is_private) {
            self.state = State::Waiting(now);
            return None;
        }
        if had_doubt && !is_private {
            self.reporter.report(EventKind::NoPrivate { side: self.side });
        }
        let version = self.end.options.version;
        let Terms { session_present, peer_accepts, keep_alive, .. } = *terms;
        let first_address = self.look_at_first_address(now);
        self.state = State::Up(Box::new(Up {
            connection,
            keep_alive,
            version,
            limits: peer_accepts,
            requests: Requests::default(),
            repetition: Repetition::default(),
            since: now,
            has_moved_message: false,
            published: None,
            status_id: None,
            first_address,
        }));
        let is_first = self.snapshot.connections == 0;
        self.snapshot.connections += 1;
        let address = self.address().to_owned();
        let side = self.side;
        self.reporter.report(EventKind::Connected { side, address, version, session_present, is_private });
        Some(Accepted { session_present, is_first })
    }

    /// The connection ended, or the attempt failed. The next attempt follows after a pause.
    ///
    /// # Errors
    /// If another attempt would not help.
    pub(super) fn fail(&mut self, error: client::Error, now: Instant) -> Result<(), Error> {
        let state = std::mem::replace(&mut self.state, State::Ended);
        self.snapshot.last_error = Some(error.to_string());
        let side = self.side;
        if matches!(&error, client::Error::Disconnected { reason: ReasonCode::SESSION_TAKEN_OVER, .. }) {
            return Err(Error::TakenOver { side, client_id: self.end.options.client_id.clone() });
        }
        if self.changes_will_after(&error) {
            self.state = State::Waiting(now);
            return Ok(());
        }
        match &state {
            State::Connecting { is_private, .. } => match self.private_level.refused(*is_private, &error) {
                Err(()) => return Err(Error::NoLocal { side }),
                Ok(true) => {
                    self.reporter.report(EventKind::NoPrivate { side });
                    self.state = State::Waiting(now);
                    return Ok(());
                }
                Ok(false) if self.snapshot.connections == 0 && is_final(&error) => {
                    let has_will = self.status.is_some();
                    return Err(Error::Client { side, source: Box::new(error), has_will });
                }
                Ok(false) => self.next_address(false),
            },
            State::Up(up) => {
                if up.has_moved_message || now.saturating_duration_since(up.since) >= PROOF {
                    self.failures = 0;
                }
                self.next_address(true);
            }
            State::Waiting(_) | State::Ended => {}
        }
        let pause = self.next_pause();
        self.reporter.report(EventKind::Lost { side, error, pause });
        self.state = State::Waiting(now + pause);
        Ok(())
    }

    /// Adapts the will to a broker that refused it. Returns whether it did, so that another attempt can succeed.
    fn changes_will_after(&mut self, error: &client::Error) -> bool {
        let client::Error::Refused { reason, .. } = error else { return false };
        if self.status.is_none() {
            return false;
        }
        let concession = self.will.concede(*reason);
        if concession == Some(Concession::WithoutWill) {
            self.note_status_answer(*reason);
            self.status = None;
        }
        concession.is_some()
    }

    /// The next look at the first address, if another one is connected. mosquitto returns to it as well.
    fn look_at_first_address(&mut self, now: Instant) -> FirstAddress {
        if self.address == 0 || self.end.round_robin {
            self.vain_returns = 0;
            return FirstAddress::Settled;
        }
        let pause = self.end.pause.longest.saturating_mul(1 << self.vain_returns.min(6));
        FirstAddress::LookAt(now + pause)
    }

    /// The result of a look at the first address. Returns whether the connection was left for it.
    pub(super) fn note_first_address(&mut self, works: bool, now: Instant) -> bool {
        let next_look = self.look_at_first_address(now);
        let State::Up(up) = &mut self.state else { return false };
        up.first_address = next_look;
        if !works {
            return false;
        }
        self.vain_returns += 1;
        self.publish_status(false, || None);
        let state = std::mem::replace(&mut self.state, State::Waiting(now));
        if let State::Up(up) = state {
            let properties = self.end.options.disconnect_properties.clone();
            tokio::task::spawn_local(leave(up, properties));
        }
        self.address = 0;
        let address = self.address();
        self.reporter.report(EventKind::FirstAddressWorks { side: self.side, address });
        true
    }

    /// Whether the state is published at QoS 1: until the broker has answered once, which shows whether it permits the topic. One
    /// message of its receive maximum is kept free for it.
    pub(super) fn wants_status_answer(&self) -> bool {
        let State::Up(up) = &self.state else { return false };
        let has_room = up.limits.receive_maximum > 1 && up.limits.maximum_qos > Qos::AtMostOnce;
        self.status.is_some() && !self.is_status_answered && up.version.is_v5() && has_room
    }

    /// The broker has answered the state.
    pub(super) fn note_status_answer(&mut self, reason: ReasonCode) {
        self.is_status_answered = true;
        if let Some(topic) = self.status.clone().filter(|_| reason.is_error()) {
            self.reporter.report(EventKind::StatusRefused { side: self.side, topic, reason });
        }
    }

    /// Publishes the state of the bridge, if it changed. `take_id` reserves a packet identifier: the others are those of the other
    /// broker.
    pub(super) fn publish_status(&mut self, works: bool, take_id: impl FnOnce() -> Option<PacketId>) {
        let wants_answer = self.wants_status_answer();
        let (Some(topic), State::Up(up)) = (&self.status, &mut self.state) else { return };
        if up.published.replace(works) == Some(works) {
            return;
        }
        let packet_id = if wants_answer && up.status_id.is_none() { take_id() } else { None };
        up.status_id = up.status_id.or(packet_id);
        let publish = Publish {
            dup: false,
            qos: if packet_id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce },
            retain: up.limits.retain_available,
            topic,
            packet_id,
            properties: Properties::EMPTY,
            payload: status::payload(works),
        };
        // A topic that is too long is refused with the will, in CONNECT.
        let _ = publish.encode(up.version, up.connection.output());
    }

    /// Publishes the state 0 and disconnects.
    pub(super) async fn close(&mut self) {
        self.publish_status(false, || None);
        let state = std::mem::replace(&mut self.state, State::Ended);
        let State::Up(up) = state else { return };
        leave(up, self.end.options.disconnect_properties.clone()).await;
    }

    fn start_attempt(&mut self) {
        let is_private = self.private_level.is_next();
        let options = self.options(is_private);
        self.state = State::Connecting { attempt: Box::pin(open(options)), is_private };
    }

    /// The options of the next attempt.
    fn options(&self, is_private: bool) -> Options {
        let mut options = self.end.options.clone();
        options.endpoint = self.endpoint().clone();
        options.is_bridge = is_private;
        options.will = self.status.as_ref().map(|topic| self.will.options(topic)).or(options.will);
        if options.version.is_v5() {
            let receive_maximum = self.end.receive_maximum.unwrap_or(DEFAULT_WINDOW);
            let mut set = |id, number| {
                // One that the user set has priority.
                let _ = options.properties.push(id, PropertyValue::Number(number));
            };
            set(PropertyId::ReceiveMaximum, receive_maximum.into());
            if !options.clean_start && self.end.session_expiry > 0 {
                set(PropertyId::SessionExpiryInterval, self.end.session_expiry);
            }
        }
        options
    }

    fn address(&self) -> String {
        self.endpoint().address.to_string()
    }

    /// The endpoint of the present address.
    fn endpoint(&self) -> &Endpoint {
        let other = self.address.checked_sub(1).and_then(|index| self.end.alternatives.get(index));
        other.unwrap_or(&self.end.options.endpoint)
    }

    /// Chooses the address of the next attempt.
    fn next_address(&mut self, was_up: bool) {
        let count = self.end.alternatives.len() + 1;
        self.address = if was_up && !self.end.round_robin { 0 } else { (self.address + 1) % count };
    }

    /// The pause before the next attempt: none before an address that was not tried yet.
    fn next_pause(&mut self) -> Duration {
        if self.address > 0 && !self.end.round_robin {
            return Duration::ZERO;
        }
        let pause = pause_between(self.end.pause.first, self.end.pause.longest, self.failures);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

impl FirstAddress {
    fn due(&self) -> Option<Instant> {
        match self {
            FirstAddress::LookAt(due) => Some(*due),
            FirstAddress::Settled | FirstAddress::Looking(_) => None,
        }
    }

    /// Begins a look that is due.
    fn look(&mut self, now: Instant, endpoint: &Endpoint) {
        if self.due().is_some_and(|due| due <= now) {
            let endpoint = endpoint.clone();
            let look = async move { transport::connect(&endpoint).await.is_ok() };
            *self = FirstAddress::Looking(Box::pin(look));
        }
    }

    async fn looked(&mut self) -> bool {
        match self {
            FirstAddress::Looking(look) => look.await,
            FirstAddress::Settled | FirstAddress::LookAt(_) => pending().await,
        }
    }
}

impl Up {
    pub(super) fn port(&mut self) -> Port<'_> {
        let unsent = self.connection.unsent();
        let output = self.connection.output();
        Port { sent: output.len() - unsent, output, version: self.version }
    }

    fn check_keep_alive(&mut self, now: Instant) -> Result<(), client::Error> {
        match self.keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(_) => Ok(()),
            KeepAliveAction::Ping => {
                self.ping();
                Ok(())
            }
            KeepAliveAction::PeerIsGone => Err(client::Error::KeepAlive(self.keep_alive.interval())),
        }
    }

    /// Asks the broker whether it has repeated all messages that it has in flight. `is_late`: it has had the time for it.
    pub(super) fn ask_for_repetition(&mut self, is_late: bool) {
        if self.repetition.ask(is_late) {
            self.ping();
        }
    }

    fn ping(&mut self) {
        // PINGREQ has no field that could be too long.
        let _ = Packet::Pingreq.encode(self.version, self.connection.output());
        self.repetition.ping_sent();
    }
}

/// Sends the rest of the buffer, and disconnects.
async fn leave(mut up: Box<Up>, properties: PropertiesBuf) {
    let last = Disconnect { reason_code: ReasonCode::SUCCESS, properties: properties.as_properties() };
    disconnect(&mut up.connection, up.version, &last, DISCONNECT_TIMEOUT).await;
}

async fn open(options: Options) -> Opened {
    client::open(&options).await
}

/// Whether the first attempt shows that no other will succeed: credentials, certificates or the protocol are wrong.
fn is_final(error: &client::Error) -> bool {
    let may_change = matches!(
        error,
        client::Error::Timeout(_)
            | client::Error::Decode(_)
            | client::Error::Session(_)
            | client::Error::Disconnected { .. }
            | client::Error::Gateway(_)
            | client::Error::Refused {
                reason: ReasonCode::QUOTA_EXCEEDED
                    | ReasonCode::CONNECTION_RATE_EXCEEDED
                    | ReasonCode::UNSPECIFIED_ERROR,
                ..
            }
    );
    !error.is_worth_retrying() && !may_change
}
