//! The queue between the traffic and the thread that shows it.
//!
//! Output must not delay forwarding. The viewer therefore has its own thread, and a queue bounded in bytes. While the viewer
//! makes progress, traffic waits for room in the queue, and nothing is lost. If there is no room for a second, as when standard
//! output is a pipe without a reader, traffic is omitted until there is room again. Omitted bytes are shown as not captured, and
//! reported at the end.

use super::super::Messages;
use super::super::clock::Clock;
use super::super::shutdown::{Limits, Stop, stop};
use super::finish;
use super::picture::PageTarget;
use super::viewer::Viewer;
use super::write::Recorder;
use crate::cli::inspect::InspectArgs;
use crate::commands::error::{Error, ExitStatus};
use crate::inspect::Direction;
use crate::inspect::Inspector;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{ConversationEvent, OtherProtocol, Transport};
use crate::inspect::capture::reassembly::{Close, Side, Start};
use crate::protocol::{ProxyFault, ProxyHeader};
use crate::transport::ConnectError;
use crate::words::counted;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::LocalSet;
use tokio::time::timeout;

/// The capacity of the queue, in bytes.
const ROOM: usize = 16 * 1024 * 1024;

/// Room for several reads.
const PLENTY: usize = 1024 * 1024;

/// Bookkeeping cost of an entry, in addition to its bytes.
const ENTRY: usize = 256;

/// The longest time that traffic waits for room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// The time without progress after which the rest of the output is given up at the end. A slow reader is waited for.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// The exit status for the traffic that was shown, or the error.
pub(super) type ViewerResult = Result<ExitStatus, Error>;

/// The reason why traffic ended.
#[derive(Debug)]
pub(super) enum TrafficEnd {
    /// A signal, or the time limit.
    Stopped(Stop),
    /// The viewer ended: nothing reads the output.
    Viewed(ViewerResult),
}

/// Waits for a signal, a time limit or the viewer's end.
pub(super) async fn ended(stop: impl Future<Output = Stop>, viewer_handle: &mut ViewerHandle) -> TrafficEnd {
    tokio::select! {
        reason = stop => TrafficEnd::Stopped(reason),
        outcome = viewer_handle.ended() => TrafficEnd::Viewed(outcome),
    }
}

/// Runs the forwarding of a proxy until a signal, the time limit or the viewer's end.
pub(super) async fn forward(
    forwarding: impl Future<Output = Infallible>,
    queue: &TrafficQueue,
    messages: Messages,
    viewer_handle: &mut ViewerHandle,
    limit: Option<Duration>,
) -> Result<TrafficEnd, Error> {
    let stop = pin!(stop(messages, Limits { timeout: limit, idle: None })?);
    let tasks = LocalSet::new();
    let forwarding = tasks.run_until(forwarding);
    let ended = tokio::select! {
        ended = ended(stop, viewer_handle) => ended,
        never = forwarding => match never {},
    };
    // Dropping the tasks ends all connections and reports that to the viewer.
    drop(tasks);
    queue.omitted().inspect(|text| messages.say(text));
    Ok(ended)
}

/// The sending half of the queue.
#[derive(Debug)]
pub(super) struct TrafficQueue {
    sender: Sender<QueueEntry>,
    room: Arc<Semaphore>,
    clock: Clock,
    connections: Cell<u32>,
    /// There was no room for too long, so connections no longer wait for it.
    is_stalled: Cell<bool>,
    omitted: Cell<OmittedTraffic>,
}

/// Traffic that was not shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OmittedTraffic {
    bytes: u64,
    connections: u64,
}

/// Awaits the end of the viewer.
pub(super) struct ViewerHandle {
    outcome: oneshot::Receiver<ViewerResult>,
    /// The number of entries that the viewer has handled.
    handled: Arc<AtomicU64>,
}

/// The traffic of one connection, on its way to the viewer. Dropping it ends the connection.
#[derive(Debug)]
pub(super) struct ConnectionTap {
    queue: Rc<TrafficQueue>,
    /// The connection's number; `None` if the connection is omitted.
    number: Option<u32>,
    sides: RefCell<[SideProgress; 2]>,
    end: Cell<Close<Direction>>,
    first_fin: Cell<Option<Direction>>,
    /// The room reserved for the event of its end.
    room: RefCell<Option<OwnedSemaphorePermit>>,
}

/// The datagrams of one client, on their way to the viewer. Dropping it ends the client.
#[derive(Debug)]
pub(super) struct DatagramTap {
    queue: Rc<TrafficQueue>,
    connection: u32,
    client: SocketAddr,
    gateway: SocketAddr,
}

/// Bytes sent by one side.
#[derive(Debug, Default)]
struct SideProgress {
    offset: u64,
    /// Omitted bytes that were not reported yet.
    gap: u64,
}

/// An entry of the queue, with the room that it takes.
#[derive(Debug)]
struct QueueEntry {
    event: QueuedEvent,
    _room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum QueuedEvent {
    Opened {
        connection: u32,
        at: Moment,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    },
    Bytes {
        connection: u32,
        at: Moment,
        direction: Direction,
        offset: u64,
        bytes: Vec<u8>,
    },
    Datagram {
        connection: u32,
        at: Moment,
        client: SocketAddr,
        gateway: SocketAddr,
        direction: Direction,
        bytes: Vec<u8>,
    },
    Gap {
        connection: u32,
        at: Moment,
        direction: Direction,
        offset: u64,
        length: u64,
    },
    Closed {
        connection: u32,
        at: Moment,
        by: Close<Direction>,
        first_fin: Option<Direction>,
    },
    Fin {
        connection: u32,
        at: Moment,
        direction: Direction,
    },
    ProxyHeader {
        connection: u32,
        at: Moment,
        proxy: SocketAddr,
        header: Result<ProxyHeader, ProxyFault>,
    },
    /// The server refused the connection.
    Refused {
        connection: u32,
        at: Moment,
        client: SocketAddr,
        server: SocketAddr,
    },
    /// There was no connection to the server for another reason.
    Unreachable {
        at: Moment,
        reason: String,
    },
    /// A message for standard error, after all previous entries were shown.
    Note(String),
}

/// Starts the viewer's thread.
pub(super) fn start(
    args: &InspectArgs,
    recorder: Option<Recorder>,
    messages: Messages,
) -> Result<(Rc<TrafficQueue>, ViewerHandle), Error> {
    let (sender, receiver) = channel();
    let (report, outcome) = oneshot::channel();
    // A schema is read before the traffic starts.
    let types = args.types()?;
    let settings = args.sn.settings()?;
    let page = PageTarget::create(args)?;
    let args = args.clone();
    let handled = Arc::new(AtomicU64::new(0));
    let counter = handled.clone();
    let show = move || {
        let viewer = Viewer::new(&args, page, types);
        let inspector = Inspector::new(args.live.client.connection.version).with_sn(settings);
        drop(report.send(show_all(&receiver, inspector, viewer, recorder, messages, &counter)));
    };
    let started = std::thread::Builder::new().name("viewer".to_owned()).spawn(show);
    started.map_err(|source| Error::system("start a thread", source))?;
    let queue = TrafficQueue {
        sender,
        room: Arc::new(Semaphore::new(ROOM)),
        clock: Clock::new(),
        connections: Cell::default(),
        is_stalled: Cell::default(),
        omitted: Cell::default(),
    };
    Ok((Rc::new(queue), ViewerHandle { outcome, handled }))
}

/// Runs the viewer until the traffic ends or the output fails.
fn show_all(
    entries: &Receiver<QueueEntry>,
    mut inspector: Inspector,
    mut viewer: Viewer,
    mut recorder: Option<Recorder>,
    messages: Messages,
    handled: &AtomicU64,
) -> ViewerResult {
    while let Some(entry) = next(entries, &mut viewer, recorder.as_mut())? {
        handled.fetch_add(1, Ordering::Relaxed);
        let Some(event) = entry.event.as_event() else {
            match &entry.event {
                QueuedEvent::Unreachable { at, reason } => viewer.unreachable(*at, reason),
                other => {
                    viewer.flush()?;
                    other.say(messages);
                }
            }
            continue;
        };
        if let Some(recorder) = &mut recorder {
            recorder.take(&event);
        }
        inspector.take(&event, &mut |item| viewer.show(item));
        if viewer.has_failed() {
            viewer.flush()?;
        }
    }
    finish(viewer, recorder, messages)
}

/// The next entry; `None` if the traffic has ended. Shows all previous entries before it waits.
fn next(
    entries: &Receiver<QueueEntry>,
    viewer: &mut Viewer,
    recorder: Option<&mut Recorder>,
) -> Result<Option<QueueEntry>, Error> {
    if viewer.next_report() == Some(Duration::ZERO) {
        viewer.report();
    }
    match entries.try_recv() {
        Ok(entry) => return Ok(Some(entry)),
        Err(TryRecvError::Disconnected) => return Ok(None),
        Err(TryRecvError::Empty) => {}
    }
    if let Some(recorder) = recorder {
        recorder.flush();
    }
    loop {
        viewer.flush()?;
        let Some(wait) = viewer.next_report() else { return Ok(entries.recv().ok()) };
        match entries.recv_timeout(wait) {
            Ok(entry) => return Ok(Some(entry)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => viewer.report(),
        }
    }
}

impl ViewerHandle {
    /// Waits until the viewer ends by itself, because writing to standard output failed.
    pub(super) async fn ended(&mut self) -> ViewerResult {
        (&mut self.outcome).await.unwrap_or_else(|_| Err(stuck()))
    }

    /// Waits for the viewer to finish, with a timeout, since standard output may be a pipe without a reader.
    pub(super) async fn finish(mut self) -> ViewerResult {
        let mut handled = self.handled.load(Ordering::Relaxed);
        loop {
            if let Ok(outcome) = timeout(OUTPUT_TIMEOUT, self.ended()).await {
                return outcome;
            }
            let before = std::mem::replace(&mut handled, self.handled.load(Ordering::Relaxed));
            if handled == before {
                return Err(stuck());
            }
        }
    }
}

fn stuck() -> Error {
    let problem = "timed out; the last packets were not shown";
    Error::Output(io::Error::new(io::ErrorKind::TimedOut, problem))
}

impl TrafficQueue {
    /// Opens a connection. Waits for room.
    pub(super) async fn open(
        self: &Rc<TrafficQueue>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    ) -> ConnectionTap {
        // Reserve room for the end as well, so that it can always be reported.
        let rooms = match self.room_for(0).await {
            Some(room) => Some(room).zip(self.room_for(0).await),
            None => None,
        };
        self.opened(client, server, transport, rooms)
    }

    /// Opens a connection without waiting; the caller checks for room first.
    pub(super) fn open_now(
        self: &Rc<TrafficQueue>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    ) -> ConnectionTap {
        let rooms = self.room_now(0).zip(self.room_now(0));
        self.opened(client, server, transport, rooms)
    }

    fn opened(
        self: &Rc<TrafficQueue>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
        rooms: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) -> ConnectionTap {
        let (room, end_room) = rooms.unzip();
        let number = room.is_some().then(|| {
            let connection = self.next_number();
            self.send(QueuedEvent::Opened { connection, at: self.now(), client, server, transport }, room);
            connection
        });
        if number.is_none() {
            let omitted = self.omitted.get();
            self.omitted.set(OmittedTraffic { connections: omitted.connections + 1, ..omitted });
        }
        ConnectionTap {
            queue: Rc::clone(self),
            number,
            sides: RefCell::default(),
            end: Cell::new(Close::EndOfCapture),
            first_fin: Cell::default(),
            room: RefCell::new(end_room),
        }
    }

    /// The server refused a connection, or could not be reached for this reason.
    pub(super) async fn unconnected(&self, client: SocketAddr, error: &ConnectError) {
        // Without room, the message on standard error is the only report.
        let Some(room) = self.room_for(0).await else { return };
        let at = self.now();
        let event = match error {
            ConnectError::Connect { address: server, source }
                if source.kind() == io::ErrorKind::ConnectionRefused =>
            {
                QueuedEvent::Refused { connection: self.next_number(), at, client, server: *server }
            }
            error => QueuedEvent::Unreachable { at, reason: error.to_string() },
        };
        self.send(event, Some(room));
    }

    fn next_number(&self) -> u32 {
        self.connections.replace(self.connections.get().wrapping_add(1))
    }

    /// Prints a message on standard error after all previous entries were shown.
    pub(super) fn note(&self, text: String) {
        self.send(QueuedEvent::Note(text), None);
    }

    /// Opens a client of MQTT-SN.
    pub(super) fn open_datagrams(
        self: &Rc<TrafficQueue>,
        client: SocketAddr,
        gateway: SocketAddr,
    ) -> DatagramTap {
        let connection = self.connections.replace(self.connections.get().wrapping_add(1));
        DatagramTap { queue: Rc::clone(self), connection, client, gateway }
    }

    /// A description of the traffic that was not shown.
    pub(super) fn omitted(&self) -> Option<String> {
        let OmittedTraffic { bytes, connections } = self.omitted.get();
        (bytes + connections > 0).then(|| {
            format!(
                "{} and {} were forwarded but not shown: the output did not keep up",
                counted(bytes, "byte"),
                counted(connections, "whole connection")
            )
        })
    }

    /// Whether there is room for several reads.
    pub(super) fn has_room(&self) -> bool {
        self.room.available_permits() >= PLENTY
    }

    /// Waits until there is room for several reads.
    pub(super) async fn room(&self) {
        let _ = self.room.acquire_many(u32::try_from(PLENTY).unwrap_or(u32::MAX)).await;
    }

    /// Waits for room for `bytes`; `None` after the timeout.
    async fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = match self.room_now(bytes) {
            Some(room) => Some(room),
            None if self.is_stalled.get() => None,
            None => {
                let wait = Arc::clone(&self.room).acquire_many_owned(size(bytes));
                timeout(ROOM_TIMEOUT, wait).await.ok().and_then(Result::ok)
            }
        };
        self.is_stalled.set(room.is_none());
        room
    }

    fn room_now(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_many_owned(size(bytes)).ok()
    }

    fn now(&self) -> Moment {
        // Frame numbers exist in captures only.
        Moment { frame: 0, time: Some(self.clock.now()) }
    }

    /// Sends an entry; a viewer that has ended ignores it.
    fn send(&self, event: QueuedEvent, room: Option<OwnedSemaphorePermit>) {
        let _ = self.sender.send(QueueEntry { event, _room: room });
    }
}

impl ConnectionTap {
    /// The next bytes of one side.
    pub(super) async fn bytes(&self, direction: Direction, bytes: &[u8]) {
        let at = self.queue.now();
        let room = self.queue.room_for(bytes.len()).await;
        self.queue_bytes(at, direction, bytes, room);
    }

    /// The next bytes of one side, without waiting; the caller checks for room first.
    pub(super) fn bytes_now(&self, direction: Direction, bytes: &[u8]) {
        self.queue_bytes(self.queue.now(), direction, bytes, self.queue.room_now(bytes.len()));
    }

    fn queue_bytes(
        &self,
        at: Moment,
        direction: Direction,
        bytes: &[u8],
        room: Option<OwnedSemaphorePermit>,
    ) {
        let Some(connection) = self.number else { return };
        let (offset, gap) = self.pass(direction, bytes.len(), room.is_none());
        if room.is_none() {
            return;
        }
        if gap > 0 {
            let start = offset - gap;
            self.queue.send(QueuedEvent::Gap { connection, at, direction, offset: start, length: gap }, None);
        }
        let event = QueuedEvent::Bytes { connection, at, direction, offset, bytes: bytes.to_vec() };
        self.queue.send(event, room);
    }

    /// The client's side began with a header of the PROXY protocol, from this address.
    pub(super) fn proxy_header(&self, proxy: SocketAddr, header: Result<ProxyHeader, ProxyFault>) {
        if let Some(connection) = self.number {
            self.queue
                .send(QueuedEvent::ProxyHeader { connection, at: self.queue.now(), proxy, header }, None);
        }
    }

    /// One side has sent its last byte.
    pub(super) fn fin(&self, direction: Direction) {
        self.first_fin.set(self.first_fin.get().or(Some(direction)));
        if let Some(connection) = self.number {
            self.queue.send(QueuedEvent::Fin { connection, at: self.queue.now(), direction }, None);
        }
    }

    /// Records how the connection ended.
    pub(super) fn end(&self, by: Close<Direction>) {
        self.end.set(by);
    }

    /// Counts bytes of one side; returns their offset, and the number of omitted bytes before them.
    fn pass(&self, direction: Direction, count: usize, is_left_out: bool) -> (u64, u64) {
        let mut sides = self.sides.borrow_mut();
        let [client, server] = &mut *sides;
        let side = match direction {
            Direction::ClientToServer => client,
            Direction::ServerToClient => server,
        };
        let (offset, gap, count) = (side.offset, side.gap, count as u64);
        side.offset += count;
        side.gap = if is_left_out { gap + count } else { 0 };
        if is_left_out {
            let omitted = self.queue.omitted.get();
            self.queue.omitted.set(OmittedTraffic { bytes: omitted.bytes + count, ..omitted });
        }
        (offset, gap)
    }
}

impl DatagramTap {
    /// The next datagram of one side. It is omitted if there is no room for too long.
    pub(super) async fn datagram(&self, direction: Direction, bytes: &[u8]) {
        let at = self.queue.now();
        let Some(room) = self.queue.room_for(bytes.len()).await else {
            let omitted = self.queue.omitted.get();
            let bytes = omitted.bytes + bytes.len() as u64;
            return self.queue.omitted.set(OmittedTraffic { bytes, ..omitted });
        };
        let DatagramTap { connection, client, gateway, .. } = *self;
        let bytes = bytes.to_vec();
        let event = QueuedEvent::Datagram { connection, at, client, gateway, direction, bytes };
        self.queue.send(event, Some(room));
    }
}

impl Drop for DatagramTap {
    fn drop(&mut self) {
        let (connection, at) = (self.connection, self.queue.now());
        let closed = QueuedEvent::Closed { connection, at, by: Close::EndOfCapture, first_fin: None };
        self.queue.send(closed, None);
    }
}

impl Drop for ConnectionTap {
    fn drop(&mut self) {
        let Some(connection) = self.number else { return };
        let at = self.queue.now();
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let (offset, length) = self.pass(direction, 0, false);
            if length > 0 {
                let event = QueuedEvent::Gap { connection, at, direction, offset: offset - length, length };
                self.queue.send(event, None);
            }
        }
        let (by, first_fin) = (self.end.get(), self.first_fin.get());
        self.queue.send(QueuedEvent::Closed { connection, at, by, first_fin }, self.room.take());
    }
}

/// The room that an entry with this number of bytes takes. Reads are much smaller than the queue.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes + ENTRY).unwrap_or(u32::MAX)
}

impl QueuedEvent {
    fn as_event(&self) -> Option<ConversationEvent<'_>> {
        Some(match *self {
            QueuedEvent::Opened { connection, at, client, server, transport } => {
                let start = Start::Handshake { initiator: Side::A };
                ConversationEvent::Opened { connection, at, client, server, transport, start }
            }
            QueuedEvent::Bytes { connection, at, direction, offset, ref bytes } => {
                ConversationEvent::Bytes { connection, at, direction, offset, stream_offset: offset, bytes }
            }
            QueuedEvent::Datagram { connection, at, client, gateway, direction, ref bytes } => {
                ConversationEvent::Datagram { connection, at, client, gateway, direction, bytes, missing: 0 }
            }
            QueuedEvent::Gap { connection, at, direction, offset, length } => {
                ConversationEvent::Gap { connection, at, direction, offset, length }
            }
            QueuedEvent::Closed { connection, at, by, first_fin } => {
                ConversationEvent::Closed { connection, at, by, first_fin }
            }
            QueuedEvent::Fin { connection, at, direction } => {
                ConversationEvent::Fin { connection, at, direction }
            }
            QueuedEvent::ProxyHeader { connection, at, proxy, header } => {
                ConversationEvent::ProxyHeader { connection, at, proxy, header }
            }
            QueuedEvent::Refused { connection, at, client, server } => {
                // The server is a broker, whatever its port.
                let protocol = OtherProtocol::Refused { expects_mqtt: true };
                ConversationEvent::OtherProtocol { connection, at, client, server, protocol }
            }
            QueuedEvent::Unreachable { .. } | QueuedEvent::Note(_) => return None,
        })
    }

    fn say(&self, messages: Messages) {
        if let QueuedEvent::Note(text) = self {
            messages.say_lines(text);
        }
    }
}
