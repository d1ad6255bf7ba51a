//! Front processes: each accepts clients within its own limit of open files, and passes their bytes to the broker over one socket.
//!
//! A front process that ends is replaced. One that does not respond is reported; it may be stopped, and continue later. The broker keeps the listening socket, so clients that connect meanwhile wait in its backlog.

use super::Event;
use super::listener::{self, BACK_OFF, Gauge, Kind, Peer};
use super::state::Shared;
use crate::transport::Stream;
use crate::transport::multiplex::Multiplexer;
use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

/// The pauses before an ended front process is replaced: the first one, and the longest one after repeated ends.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The interval between the pings to a front process, and the number of unanswered intervals after which it does not respond.
const PING_INTERVAL: Duration = Duration::from_millis(500);
const MAX_SILENT_INTERVALS: u32 = 6;

/// A front process.
#[derive(Debug)]
pub(crate) struct Front {
    /// Its process identifier.
    pub process: u32,
    pub socket: StdStream,
}

/// Starts and ends front processes.
pub(crate) trait FrontStarter: Send {
    /// Starts one for this listening socket.
    fn start(&mut self, listener: OwnedFd) -> io::Result<Front>;

    /// Ends one whose socket is closed. Returns its end in words, such as "was killed by signal 9".
    fn end(&mut self, process: u32) -> String;
}

/// The front processes of a broker, and the protocol of the port that they accept clients on.
pub(super) struct Fronts {
    pub(super) kind: Kind,
    listener: OwnedFd,
    starter: Box<dyn FrontStarter>,
    started: Vec<Front>,
}

impl Fronts {
    /// Starts a number of processes for a listening socket.
    pub(super) fn start(
        kind: Kind,
        listener: OwnedFd,
        mut starter: Box<dyn FrontStarter>,
        count: u16,
    ) -> io::Result<Fronts> {
        let started = (0..count).map(|_| starter.start(listener.try_clone()?)).collect::<io::Result<_>>()?;
        Ok(Fronts { kind, listener, starter, started })
    }

    /// Serves the clients of all front processes, in tasks, until the broker shuts down.
    pub(super) fn serve(self, shared: &Shared, gauge: &Gauge) {
        let Fronts { kind, listener, starter, started } = self;
        let supply = Rc::new(RefCell::new(Supply { listener, starter }));
        for front in started {
            let clients = gauge.part();
            let place = FrontPlace { kind, supply: supply.clone(), shared: shared.clone(), clients };
            spawn_local(place.keep_occupied(front));
        }
    }
}

/// Whatever a new front process needs.
struct Supply {
    listener: OwnedFd,
    starter: Box<dyn FrontStarter>,
}

impl Supply {
    fn start(&mut self) -> io::Result<Front> {
        self.starter.start(self.listener.try_clone()?)
    }
}

/// The place of one front process at a time.
struct FrontPlace {
    kind: Kind,
    supply: Rc<RefCell<Supply>>,
    shared: Shared,
    clients: Gauge,
}

impl FrontPlace {
    /// Serves the clients of a front process, and replaces it if it ends.
    async fn keep_occupied(self, first: Front) {
        let (mut started, mut pause) = (Ok(first), FIRST_PAUSE);
        loop {
            match started {
                Ok(front) => {
                    let since = Instant::now();
                    let process = front.process;
                    self.shared.borrow_mut().emit(Event::FrontStarted { process });
                    // The end of the process explains a failure of its socket.
                    let _ = self.serve(front).await;
                    if self.is_shut_down() {
                        return;
                    }
                    if since.elapsed() >= LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                    let end = self.supply.borrow_mut().starter.end(process);
                    let clients = self.clients.value();
                    self.shared.borrow_mut().emit(Event::FrontEnded { process, end, clients, pause });
                }
                Err(error) => self.shared.borrow_mut().emit(Event::FrontFailed { error, pause }),
            }
            tokio::time::sleep(pause).await;
            if self.is_shut_down() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            started = self.supply.borrow_mut().start();
        }
    }

    fn is_shut_down(&self) -> bool {
        self.shared.borrow().is_shut_down
    }

    /// Serves the clients of a front process until its socket is closed.
    async fn serve(&self, front: Front) -> io::Result<()> {
        front.socket.set_nonblocking(true)?;
        let socket = UnixStream::from_std(front.socket)?;
        let accept = |channel, address: &str| {
            // A front process sends nothing but addresses.
            let Ok(address) = address.parse() else { return };
            let (stream, peer) = (Stream::Channel(channel), Peer::Tcp(address));
            listener::spawn(stream, self.kind, peer, &self.shared, &self.clients);
        };
        let multiplexer = Multiplexer::default();
        tokio::select! {
            ended = multiplexer.run(socket, accept) => ended,
            never = self.watch(front.process, &multiplexer) => match never {},
        }
    }

    /// Reports when a front process stops to respond, and when it responds again. Intervals are counted instead of the time, so that a
    /// pause of the broker's own process is not one of the front process.
    async fn watch(&self, process: u32, multiplexer: &Multiplexer) -> Infallible {
        let mut intervals = interval(PING_INTERVAL);
        intervals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut received, mut silent, mut since) = (multiplexer.received(), 0, Instant::now());
        multiplexer.ping();
        loop {
            intervals.tick().await;
            if multiplexer.received() == received {
                silent += 1;
                if silent == MAX_SILENT_INTERVALS {
                    self.emit_silence(process, since.elapsed(), Event::FrontSilent);
                }
                continue;
            }
            if silent >= MAX_SILENT_INTERVALS {
                self.emit_silence(process, since.elapsed(), Event::FrontResponds);
            }
            (received, silent, since) = (multiplexer.received(), 0, Instant::now());
            multiplexer.ping();
        }
    }

    fn emit_silence(&self, process: u32, time: Duration, event: impl Fn(Silence) -> Event) {
        let clients = self.clients.value();
        self.shared.borrow_mut().emit(event(Silence { process, clients, time }));
    }
}

/// A front process that does not respond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Silence {
    /// Its process identifier.
    pub process: u32,
    /// The number of its connections.
    pub clients: usize,
    /// The time since its last sign of life.
    pub time: Duration,
}

/// Runs a front process: accepts at most `capacity` clients at a time, until the broker's end of the socket is closed, or the broker ended.
///
/// # Errors
/// If the sockets are unusable, or the socket to the broker fails.
pub(crate) async fn run(
    listener: std::net::TcpListener,
    socket: StdStream,
    capacity: usize,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    socket.set_nonblocking(true)?;
    let (listener, socket) = (TcpListener::from_std(listener)?, UnixStream::from_std(socket)?);
    let multiplexer = Multiplexer::default();
    let local = LocalSet::new();
    let carry = multiplexer.run(socket, |channel, _| drop(channel));
    local
        .run_until(async {
            tokio::select! {
                // Bytes that an ended broker did not read are an error of the socket.
                ended = carry => ended.or_else(|error| if is_end(&error) { Ok(()) } else { Err(error) }),
                never = accept_all(&listener, &multiplexer, capacity) => never,
            }
        })
        .await
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

async fn accept_all(listener: &TcpListener, multiplexer: &Multiplexer, capacity: usize) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(capacity));
    loop {
        // A full process stops accepting, so the other processes accept instead.
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let Ok((stream, address)) = listener.accept().await else {
            tokio::time::sleep(BACK_OFF).await;
            continue;
        };
        // Some interfaces reject the option; the connection works without it.
        let _ = stream.set_nodelay(true);
        let channel = multiplexer.open(&address.to_string());
        spawn_local(async move {
            // An error ends the connection, which client and broker notice themselves.
            let _ = channel.join(stream).await;
            drop(place);
        });
    }
}
