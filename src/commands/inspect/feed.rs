//! From traffic to the thread that shows it.
//!
//! What is shown must not hold back what is forwarded. So the viewer has a thread of its own, and a queue in front of it that is bounded in
//! bytes. While the viewer gets on, traffic waits for room in the queue, and nothing is lost; when there was no room for a second, as
//! when standard output is a pipe that nobody reads, what comes is left out until there is room again. That is shown as bytes that were
//! not captured, and told at the end.

use super::super::Messages;
use super::super::clock::Clock;
use super::super::stop::Stop;
use super::finish;
use super::viewer::Viewer;
use super::write::Recorder;
use crate::cli::inspect::InspectArgs;
use crate::error::{Error, ExitStatus};
use crate::inspect::Direction;
use crate::inspect::Inspector;
use crate::inspect::capture::Moment;
use crate::inspect::capture::conversation::{Event, Transport};
use crate::inspect::capture::reassembly::{Close, Side, Start};
use crate::protocol::{ProxyFault, ProxyHeader};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

/// What the queue holds, in bytes.
const ROOM: usize = 16 * 1024 * 1024;

/// Room for some reads.
const PLENTY: usize = 1024 * 1024;

/// What an entry costs besides its bytes.
const ENTRY: usize = 256;

/// How long traffic waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long standard output may take the rest, once all is over.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(1);

/// The exit status that what was shown leads to, or what went wrong.
pub(super) type Outcome = Result<ExitStatus, Error>;

/// Why traffic ended that could have gone on.
#[derive(Debug)]
pub(super) enum Ended {
    /// By a signal, or because its time was up.
    Stopped(Stop),
    /// Nobody reads what is shown.
    Viewed(Outcome),
}

/// Waits for a signal, a time limit or the viewer's end.
pub(super) async fn ended(stop: impl Future<Output = Stop>, viewing: &mut Viewing) -> Ended {
    tokio::select! {
        reason = stop => Ended::Stopped(reason),
        outcome = viewing.ended() => Ended::Viewed(outcome),
    }
}

/// The way to the viewer.
#[derive(Debug)]
pub(super) struct Feed {
    sender: Sender<Entry>,
    room: Arc<Semaphore>,
    clock: Clock,
    connections: Cell<u32>,
    /// There was no room for too long; nobody waits until there is some.
    is_stalled: Cell<bool>,
    left_out: Cell<LeftOut>,
}

/// What was not shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    bytes: u64,
    connections: u64,
}

/// Where the viewer's end is awaited.
pub(super) struct Viewing {
    outcome: oneshot::Receiver<Outcome>,
}

/// One connection on the way to the viewer. When it goes away, the connection is over.
#[derive(Debug)]
pub(super) struct Tap {
    feed: Rc<Feed>,
    /// The connection's number; `None` for one that is left out.
    number: Option<u32>,
    sides: RefCell<[Passed; 2]>,
    end: Cell<Close<Direction>>,
    /// The room that the news of the end takes.
    room: RefCell<Option<OwnedSemaphorePermit>>,
}

/// What one side has sent.
#[derive(Debug, Default)]
struct Passed {
    offset: u64,
    /// Bytes that were left out and not yet told.
    gap: u64,
}

/// What the viewer is told, with the room that it takes.
#[derive(Debug)]
struct Entry {
    what: What,
    _room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum What {
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
    },
    ProxyHeader {
        connection: u32,
        at: Moment,
        proxy: SocketAddr,
        header: Result<ProxyHeader, ProxyFault>,
    },
    /// Something to say on standard error, once all before it was shown.
    Note(String),
}

/// Starts the viewer's thread.
pub(super) fn start(
    args: &InspectArgs,
    recorder: Option<Recorder>,
    messages: Messages,
) -> Result<(Rc<Feed>, Viewing), Error> {
    let (sender, receiver) = channel();
    let (report, outcome) = oneshot::channel();
    let args = args.clone();
    let show = move || drop(report.send(show_all(&receiver, &args, recorder, messages)));
    let started = std::thread::Builder::new().name("viewer".to_owned()).spawn(show);
    started.map_err(|source| Error::System { action: "start a thread".to_owned(), source })?;
    let feed = Feed {
        sender,
        room: Arc::new(Semaphore::new(ROOM)),
        clock: Clock::new(),
        connections: Cell::default(),
        is_stalled: Cell::default(),
        left_out: Cell::default(),
    };
    Ok((Rc::new(feed), Viewing { outcome }))
}

/// The viewer's thread: until there is no traffic any more, or nobody to show it to.
fn show_all(
    entries: &Receiver<Entry>,
    args: &InspectArgs,
    mut recorder: Option<Recorder>,
    messages: Messages,
) -> Outcome {
    let mut inspector = Inspector::new(args.live.client.connection.version);
    let mut viewer = Viewer::new(args);
    while let Some(entry) = next(entries, &mut viewer, recorder.as_mut())? {
        let Some(event) = entry.what.as_event() else {
            viewer.flush()?;
            entry.what.say(messages);
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

/// What comes next; `None` when there is no traffic any more. Before it is waited for, all that came before is shown.
fn next(
    entries: &Receiver<Entry>,
    viewer: &mut Viewer,
    recorder: Option<&mut Recorder>,
) -> Result<Option<Entry>, Error> {
    match entries.try_recv() {
        Ok(entry) => return Ok(Some(entry)),
        Err(TryRecvError::Disconnected) => return Ok(None),
        Err(TryRecvError::Empty) => {}
    }
    if let Some(recorder) = recorder {
        recorder.flush();
    }
    viewer.flush()?;
    Ok(entries.recv().ok())
}

impl Viewing {
    /// Waits until the viewer has ended by itself, which is when standard output takes no more.
    pub(super) async fn ended(&mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or_else(|_| Err(stuck()))
    }

    /// Waits for the viewer, now that all is over; not for ever, since standard output may be a pipe that nobody reads.
    pub(super) async fn finish(mut self) -> Outcome {
        timeout(OUTPUT_PATIENCE, self.ended()).await.unwrap_or_else(|_| Err(stuck()))
    }
}

fn stuck() -> Error {
    let problem = "it did not take everything; the last packets were not shown";
    Error::Output(std::io::Error::new(std::io::ErrorKind::TimedOut, problem))
}

impl Feed {
    /// A connection begins. Waits for room.
    pub(super) async fn open(
        self: &Rc<Feed>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    ) -> Tap {
        // For its beginning and its end, so that the end can be told in any case.
        let rooms = match self.room_for(0).await {
            Some(room) => Some(room).zip(self.room_for(0).await),
            None => None,
        };
        self.opened(client, server, transport, rooms)
    }

    /// A connection begins, of somebody who asks for room before.
    pub(super) fn open_now(
        self: &Rc<Feed>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
    ) -> Tap {
        let rooms = self.room_now(0).zip(self.room_now(0));
        self.opened(client, server, transport, rooms)
    }

    fn opened(
        self: &Rc<Feed>,
        client: SocketAddr,
        server: SocketAddr,
        transport: Transport,
        rooms: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    ) -> Tap {
        let (room, end_room) = rooms.unzip();
        let number = room.is_some().then(|| {
            let connection = self.connections.replace(self.connections.get().wrapping_add(1));
            self.send(What::Opened { connection, at: self.now(), client, server, transport }, room);
            connection
        });
        if number.is_none() {
            let left_out = self.left_out.get();
            self.left_out.set(LeftOut { connections: left_out.connections + 1, ..left_out });
        }
        Tap {
            feed: Rc::clone(self),
            number,
            sides: RefCell::default(),
            end: Cell::new(Close::EndOfCapture),
            room: RefCell::new(end_room),
        }
    }

    /// Says something on standard error behind what is shown before.
    pub(super) fn note(&self, text: String) {
        self.send(What::Note(text), None);
    }

    /// What was not shown, in words.
    pub(super) fn left_out(&self) -> Option<String> {
        let LeftOut { bytes, connections } = self.left_out.get();
        (bytes + connections > 0).then(|| {
            format!(
                "{bytes} bytes and {connections} whole connections were forwarded and not shown: the output did not keep up"
            )
        })
    }

    /// Whether there is plenty of room, for more than one read.
    pub(super) fn has_room(&self) -> bool {
        self.room.available_permits() >= PLENTY
    }

    /// Waits until there is plenty of room.
    pub(super) async fn room(&self) {
        let _ = self.room.acquire_many(u32::try_from(PLENTY).unwrap_or(u32::MAX)).await;
    }

    /// Waits for room for so many bytes; `None` when there is none for too long.
    async fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let room = match self.room_now(bytes) {
            Some(room) => Some(room),
            None if self.is_stalled.get() => None,
            None => {
                let wait = Arc::clone(&self.room).acquire_many_owned(size(bytes));
                timeout(PATIENCE, wait).await.ok().and_then(Result::ok)
            }
        };
        self.is_stalled.set(room.is_none());
        room
    }

    fn room_now(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_many_owned(size(bytes)).ok()
    }

    fn now(&self) -> Moment {
        // Frames belong to captures.
        Moment { frame: 0, time: Some(self.clock.now()) }
    }

    /// A viewer that has ended needs nothing any more.
    fn send(&self, what: What, room: Option<OwnedSemaphorePermit>) {
        let _ = self.sender.send(Entry { what, _room: room });
    }
}

impl Tap {
    /// The next bytes of one side.
    pub(super) async fn bytes(&self, direction: Direction, bytes: &[u8]) {
        let at = self.feed.now();
        let room = self.feed.room_for(bytes.len()).await;
        self.tell(at, direction, bytes, room);
    }

    /// The next bytes of one side, of somebody who asks for room before.
    pub(super) fn bytes_now(&self, direction: Direction, bytes: &[u8]) {
        self.tell(self.feed.now(), direction, bytes, self.feed.room_now(bytes.len()));
    }

    fn tell(&self, at: Moment, direction: Direction, bytes: &[u8], room: Option<OwnedSemaphorePermit>) {
        let Some(connection) = self.number else { return };
        let (offset, gap) = self.pass(direction, bytes.len(), room.is_none());
        if room.is_none() {
            return;
        }
        if gap > 0 {
            let start = offset - gap;
            self.feed.send(What::Gap { connection, at, direction, offset: start, length: gap }, None);
        }
        let what = What::Bytes { connection, at, direction, offset, bytes: bytes.to_vec() };
        self.feed.send(what, room);
    }

    /// The client's side began with a header of the PROXY protocol, from this address.
    pub(super) fn proxy_header(&self, proxy: SocketAddr, header: Result<ProxyHeader, ProxyFault>) {
        if let Some(connection) = self.number {
            self.feed.send(What::ProxyHeader { connection, at: self.feed.now(), proxy, header }, None);
        }
    }

    /// How the connection ended.
    pub(super) fn end(&self, by: Close<Direction>) {
        self.end.set(by);
    }

    /// Counts bytes of one side; gives where they start, and how many before them were left out.
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
            let left_out = self.feed.left_out.get();
            self.feed.left_out.set(LeftOut { bytes: left_out.bytes + count, ..left_out });
        }
        (offset, gap)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let Some(connection) = self.number else { return };
        let at = self.feed.now();
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            let (offset, length) = self.pass(direction, 0, false);
            if length > 0 {
                let what = What::Gap { connection, at, direction, offset: offset - length, length };
                self.feed.send(what, None);
            }
        }
        self.feed.send(What::Closed { connection, at, by: self.end.get() }, self.room.take());
    }
}

/// What an entry with so many bytes takes. Reads are much smaller than the queue.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes + ENTRY).unwrap_or(u32::MAX)
}

impl What {
    fn as_event(&self) -> Option<Event<'_>> {
        Some(match *self {
            What::Opened { connection, at, client, server, transport } => {
                let start = Start::Handshake { initiator: Side::A };
                Event::Opened { connection, at, client, server, transport, start }
            }
            What::Bytes { connection, at, direction, offset, ref bytes } => {
                Event::Bytes { connection, at, direction, offset, stream_offset: offset, bytes }
            }
            What::Gap { connection, at, direction, offset, length } => {
                Event::Gap { connection, at, direction, offset, length }
            }
            What::Closed { connection, at, by } => Event::Closed { connection, at, by },
            What::ProxyHeader { connection, at, proxy, header } => {
                Event::ProxyHeader { connection, at, proxy, header }
            }
            What::Note(_) => return None,
        })
    }

    fn say(&self, messages: Messages) {
        if let What::Note(text) = self {
            messages.say_lines(text);
        }
    }
}
