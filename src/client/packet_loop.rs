//! The packet loop of one connection after CONNACK: reads, sends the packets that are due, and watches keep alive, until one side ends it.

use super::application::{Application, End, Flow, Link, Sending};
use super::authentication::Authenticator;
use super::connect::Connected;
use super::disconnect::{Closing, DISCONNECT_TIMEOUT};
use super::error::Error;
use super::failure::Failure;
use super::gathering::Gathering;
use super::handshake::Terms;
use super::options::Options;
use super::receive::Receiver;
use super::recovery;
use crate::protocol::session::{KeepAlive, KeepAliveAction, Session};
use crate::protocol::{Defect, Mended, PacketId, PacketReader, Properties, ReasonCode, SizeLimits};
use crate::transport::{Address, Connection, Progress};
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// The send buffer is filled up to this many bytes before it is written.
const ENOUGH_OUTPUT: usize = 64 * 1024;

/// One connection after CONNACK.
pub(super) struct PacketLoop<'a, A: Application> {
    options: &'a Options,
    application: &'a mut A,
    session: &'a mut Session<A::Message>,
    connection: Connection,
    authenticator: Authenticator<'a>,
    keep_alive: KeepAlive,
    /// The messages that the session does not send again; the application learns of them first.
    given_up: Vec<(PacketId, A::Message)>,
    /// The message being read, if it breaks the specification's rules.
    mended: Mended,
    /// The rules that it breaks.
    defects: Vec<Defect>,
    /// Acknowledgements to send when the application has made the messages safe.
    held: Vec<u8>,
    /// The application has not made them safe yet: nothing more is read.
    is_blocked: bool,
    /// Messages are ignored, neither received nor acknowledged.
    is_draining: bool,
    /// The broker has the session of the previous connection.
    has_session: bool,
    /// The application has no more messages; only acknowledgements are left.
    is_finished: bool,
    /// The number of messages that were received, and of sent ones that were settled.
    moved_messages: u64,
    gathering: Gathering,
    /// The pause before the next read.
    pause: Option<Duration>,
}

impl<'a, A: Application> PacketLoop<'a, A> {
    /// Starts the session on a new connection.
    pub(super) fn new(
        options: &'a Options,
        application: &'a mut A,
        session: &'a mut Session<A::Message>,
        connected: Connected<'a>,
    ) -> PacketLoop<'a, A> {
        let Connected { connection, authenticator, terms } = connected;
        let Terms { session_present, accepts, peer_accepts, keep_alive, .. } = terms;
        let given_up = session.start(options.version, accepts, peer_accepts, session_present);
        PacketLoop {
            options,
            application,
            session,
            connection,
            authenticator,
            keep_alive,
            given_up,
            mended: Mended::default(),
            defects: Vec::new(),
            held: Vec::new(),
            is_blocked: false,
            is_draining: false,
            has_session: session_present,
            is_finished: false,
            moved_messages: 0,
            gathering: Gathering::default(),
            pause: None,
        }
    }

    /// Whether a message got through in either direction, which shows that the connection works.
    pub(super) fn has_moved_message(&self) -> bool {
        self.moved_messages > 0
    }

    /// Exchanges packets until the application is finished, `stop` resolves or the connection fails.
    pub(super) async fn run<S>(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = S>>,
    ) -> Result<End<S>, Failure<A::Error>> {
        self.begin()?;
        let mut timer = pin!(sleep(Duration::ZERO));
        self.check_keep_alive(timer.as_mut())?;
        let mut flow = Flow::Continue;
        loop {
            let is_waiting = flow != Flow::Finish && self.fill()?;
            self.release()?;
            let is_done = flow == Flow::Finish || self.is_all_sent();
            if is_done && !self.is_blocked {
                return Ok(End::Finished);
            }
            self.gather(flow);
            tokio::select! {
                biased;
                reason = stop.as_mut() => {
                    let unsettled = self.session.unsettled();
                    return Ok(End::Stopped { reason, unsettled, was_connected: true });
                }
                // Before the connection, which is always ready during a flood.
                () = timer.as_mut() => self.check_keep_alive(timer.as_mut())?,
                step = self.authenticator.next(), if !self.is_blocked => {
                    step?.append(self.session.peer_accepts().maximum_packet_size, self.connection.output())?;
                }
                progress = self.connection.progress(!self.is_blocked) => {
                    flow = self.note_progress(progress.map_err(Error::lost)?, flow)?;
                }
                () = self.application.ready(), if is_waiting || self.is_blocked => {}
            }
        }
    }

    /// Pauses before the next read if messages arrive fast, so that it brings several. Acknowledgements are sent first, and messages
    /// with acknowledgements are read at once, since the broker may wait for them. The thread sleeps, as every arrival would
    /// wake the event loop.
    fn gather(&mut self, flow: Flow) {
        let Some(pause) = self.pause.take() else { return };
        if flow == Flow::Continue && !self.is_blocked && self.connection.unsent() == 0 {
            std::thread::sleep(pause);
        }
    }

    /// Hands the application the messages that are not sent again, and lets it subscribe.
    fn begin(&mut self) -> Result<(), Failure<A::Error>> {
        let given_up = std::mem::take(&mut self.given_up);
        if !self.has_session {
            recovery::report_uncertain(self.application, self.session, &given_up);
        }
        for (packet_id, message) in given_up {
            let published =
                self.application.published(packet_id, message, ReasonCode::SUCCESS, Properties::EMPTY);
            published.map_err(Failure::Application)?;
        }
        let mut link = Link { session: self.session, output: self.connection.output() };
        self.application.connected(&mut link).map_err(Failure::Application)
    }

    /// Handles sent and received bytes. `flow` is the application's last decision.
    fn note_progress(&mut self, progress: Progress, mut flow: Flow) -> Result<Flow, Failure<A::Error>> {
        if progress.sent > 0 {
            self.keep_alive.sent(Instant::now());
        }
        if progress.received > 0 {
            self.keep_alive.received();
            let before = self.moved_messages;
            flow = self.receive()?;
            let messages = self.moved_messages - before;
            if self.application.tolerates_delay() {
                self.pause = self.gathering.pause(messages, progress.received, Instant::now());
            }
        }
        if progress.is_closed && flow != Flow::Finish {
            return Err(Error::Closed.into());
        }
        Ok(flow)
    }

    /// Handles all complete packets in the receive buffer.
    fn receive(&mut self) -> Result<Flow, Failure<A::Error>> {
        let (input, _) = self.connection.buffers();
        let limits = SizeLimits::all(self.session.accepts().maximum_packet_size);
        let mut packets = PacketReader::new(input, limits);
        let mut receiver = Receiver {
            session: self.session,
            application: self.application,
            authenticator: &mut self.authenticator,
            mended: &mut self.mended,
            defects: &mut self.defects,
            held: &mut self.held,
            is_draining: &mut self.is_draining,
            moved_messages: &mut self.moved_messages,
        };
        let flow = receiver.receive(&mut packets);
        let consumed = packets.consumed();
        self.connection.consume(consumed);
        flow
    }

    /// Appends messages while the session has quota and the buffer has room. Returns whether the application is waiting.
    fn fill(&mut self) -> Result<bool, Failure<A::Error>> {
        let mut is_waiting = false;
        for (message, error) in self.session.resend(ENOUGH_OUTPUT, self.connection.output()) {
            self.application.unsendable(message, error);
        }
        while !self.is_finished && self.connection.unsent() < ENOUGH_OUTPUT {
            if self.quota() == 0 {
                break;
            }
            let mut link = Link { session: self.session, output: self.connection.output() };
            match self.application.send(&mut link).map_err(Failure::Application)? {
                Sending::Sent => {}
                Sending::Waiting => {
                    is_waiting = true;
                    break;
                }
                Sending::Finished => self.is_finished = true,
            }
        }
        Ok(is_waiting)
    }

    /// Whether everything is acknowledged, and output without acknowledgement is at least in the kernel's buffer: the
    /// disconnect waits only briefly for a slow broker.
    fn is_all_sent(&self) -> bool {
        self.is_finished && self.session.is_drained() && self.connection.is_flushed()
    }

    /// The number of messages that may be sent. The window is refilled with every acknowledgement, not half a window at a time:
    /// a broker without TCP_NODELAY delays its next acknowledgement until the TCP acknowledgement, which our next message carries.
    fn quota(&self) -> usize {
        let own = usize::from(self.options.maximum_in_flight).saturating_sub(self.session.unsettled());
        self.session.quota().min(own)
    }

    /// Sends the acknowledgements of messages that are safe.
    fn release(&mut self) -> Result<(), Failure<A::Error>> {
        let is_flushed = self.application.flush().map_err(Failure::Application)?;
        let was_blocked = std::mem::replace(&mut self.is_blocked, !is_flushed);
        if was_blocked && !self.is_blocked {
            // Packets that arrived in the meantime are only read now.
            self.keep_alive.received();
            self.authenticator.restart_timeout();
        }
        if !self.is_blocked && !self.held.is_empty() {
            self.connection.output().append(&mut self.held);
        }
        Ok(())
    }

    fn check_keep_alive(&mut self, timer: Pin<&mut Sleep>) -> Result<(), Error> {
        let now = Instant::now();
        if self.is_blocked {
            self.keep_alive.received(); // The answer may be among what is not read.
        }
        let due = match self.keep_alive.poll(now) {
            KeepAliveAction::WaitUntil(due) => due,
            KeepAliveAction::Ping => {
                self.session.ping(self.connection.output());
                return self.check_keep_alive(timer);
            }
            KeepAliveAction::PeerIsGone => return Err(Error::KeepAlive(self.keep_alive.interval())),
        };
        let far = now + Duration::from_secs(24 * 3600);
        timer.reset(due.unwrap_or(far).into());
        Ok(())
    }

    /// Ends the connection. Errors no longer matter.
    pub(super) async fn close(&mut self, closing: Closing) {
        let version = self.session.version();
        let (properties, connection) =
            (self.options.disconnect_properties.as_properties(), &mut self.connection);
        let has_ended = closing.close(connection, version, properties).await;
        if !has_ended && matches!(self.options.endpoint.address, Address::Gateway { .. }) {
            self.application.disconnect_unanswered(DISCONNECT_TIMEOUT);
        }
    }
}
