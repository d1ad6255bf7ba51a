//! Shows the packets of a client's connections on standard error, in the format of `mq inspect`.

use super::clock::Clock;
use super::mosquitto_debug::Log;
use super::{Messages, print_error};
use crate::bench::plan::Plan;
use crate::bench::trace::Watch;
use crate::cli::Names;
use crate::client::Options;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, Transport};
use crate::inspect::capture::reassembly::{Close, Side, Start};
use crate::inspect::view::{self, LineView, View};
use crate::inspect::{Direction, Inspector, Item};
use crate::protocol::Version;
use crate::time_zone;
use crate::transport::{Endpoint, Stream, Tap};
use std::io::{IsTerminal, stderr};

/// Prints a line for each packet, or nothing if no trace is wanted.
#[derive(Debug)]
pub(super) struct Trace {
    kind: Option<TraceKind>,
    /// Under mosquitto's names, the lines of libmosquitto replace ours.
    log: Option<Log>,
    /// Connections so far.
    connections: u32,
}

/// The settings of all connections of a command.
#[derive(Debug, Clone, Copy)]
struct TraceKind {
    version: Version,
    transport: Transport,
    clock: Clock,
}

impl Trace {
    /// A trace of a client's connections, if one is wanted.
    pub(super) fn new(is_wanted: bool, options: &Options, messages: Messages) -> Trace {
        let is_mosquitto = messages.names == Names::Mosquitto;
        let kind = (is_wanted && !is_mosquitto).then(|| TraceKind::new(options.version, &options.endpoint));
        if kind.is_some()
            && let Some(note) = time_zone::local().1
        {
            messages.say(&note);
        }
        let log =
            (is_wanted && is_mosquitto).then(|| Log::new(messages.name, messages.quiet, options.version));
        Trace { kind, log, connections: 0 }
    }

    /// From now on the command writes to standard output itself, and fetches the lines for it.
    pub(super) fn share_stdout(&self) {
        self.log.iter().for_each(Log::wait);
    }

    /// Appends the lines for standard output up to that of the next printed message.
    pub(super) fn take_until_message(&self, out: &mut Vec<u8>) {
        self.log.iter().for_each(|log| log.take_until_message(out));
    }

    /// Appends the lines for standard output.
    pub(super) fn take_all(&self, out: &mut Vec<u8>) {
        self.log.iter().for_each(|log| log.take_all(out));
    }

    /// Sets the version of later connections.
    pub(super) fn speak(&mut self, version: Version) {
        self.kind = self.kind.map(|kind| TraceKind { version, ..kind });
    }

    /// Starts the trace of a new connection.
    pub(super) fn open(&mut self, stream: &Stream) -> Option<Box<dyn Tap>> {
        self.connections += 1;
        if let Some(log) = &self.log {
            return Some(log.open());
        }
        self.kind.map(|kind| kind.open(self.connections, stream))
    }
}

impl TraceKind {
    fn new(version: Version, endpoint: &Endpoint) -> TraceKind {
        TraceKind { version, transport: transport_to(endpoint), clock: Clock::new() }
    }

    /// Starts the trace of a connection of this kind, with this number.
    fn open(self, connection: u32, stream: &Stream) -> Box<dyn Tap> {
        let mut shown = ShownConnection {
            connection,
            inspector: Inspector::new(Some(self.version)),
            view: LineView::new(view::Options {
                is_coloured: stderr().is_terminal() && colored::control::SHOULD_COLORIZE.should_colorize(),
                ..view::Options::default()
            }),
            clock: self.clock,
        };
        match (stream.local_address(), stream.peer_address()) {
            (Some(client), Some(server)) => shown.take(&ConversationEvent::Opened {
                connection,
                at: shown.now(),
                client,
                server,
                transport: self.transport,
                start: Start::Handshake { initiator: Side::A },
            }),
            // A Unix socket has no addresses to show.
            _ => shown.inspector.open(connection, true),
        }
        Box::new(shown)
    }
}

pub(super) fn transport_to(endpoint: &Endpoint) -> Transport {
    Transport { is_encrypted: endpoint.tls.is_some(), is_web_socket: endpoint.web_socket.is_some() }
}

/// Shows the first client of each kind in a run, if a trace is wanted.
pub(super) fn watch_run(is_wanted: bool, plan: &mut Plan) {
    if is_wanted {
        let kind = TraceKind::new(plan.broker.version, &plan.broker.endpoint);
        plan.broker.watch = Some(Watch::new(move |number, stream| kind.open(number, stream)));
    }
}

#[derive(Debug)]
struct ShownConnection {
    connection: u32,
    inspector: Inspector,
    view: LineView,
    clock: Clock,
}

impl ShownConnection {
    fn now(&self) -> Moment {
        // Only captures have frames.
        Moment { frame: 0, time: Some(self.clock.now()) }
    }

    fn take(&mut self, event: &ConversationEvent<'_>) {
        let mut lines = Vec::new();
        self.inspector.take(event, &mut |item| self.view.write(item, &[], &mut lines));
        print_error(&String::from_utf8_lossy(&lines));
    }

    fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let at = self.now();
        let mut lines = Vec::new();
        let mut show = |item: &Item<'_>| self.view.write(item, &[], &mut lines);
        self.inspector.bytes(self.connection, direction, at, bytes, &mut show);
        print_error(&String::from_utf8_lossy(&lines));
    }
}

impl Tap for ShownConnection {
    fn sent(&mut self, bytes: &[u8]) {
        self.bytes(Direction::ClientToServer, bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.bytes(Direction::ServerToClient, bytes);
    }
}

impl Drop for ShownConnection {
    fn drop(&mut self) {
        let (connection, at) = (self.connection, self.now());
        self.take(&ConversationEvent::Closed { connection, at, by: Close::Fin, first_fin: None });
    }
}
