//! A TCP proxy that breaks connections: on command it cuts them, stalls them, or accepts no others; by a plan, its first connections
//! have a fault each.

use super::packet_ends::PacketEnds;
use super::releases::{Releases, ReleasesWatch};
use super::{DEADLINE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread;
use std::time::Duration;

/// How often the end of a connection is looked for while nothing arrives.
const TICK: Duration = Duration::from_millis(10);

/// The treatment of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Connections stay open, and no bytes pass in either direction.
    Stall,
    /// New connections are closed at once.
    Refuse,
}

/// The fault of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Both sides are closed after some bytes.
    Cut,
    /// The client's side is reset after some bytes.
    Reset,
    /// After some bytes nothing is read or written, and the connection stays open until the client comes again.
    Stall,
    /// After some bytes the server's side is closed; the client's stays open, takes all, and is silent.
    HalfOpen,
    /// After a packet of the server come bytes that are not a packet, then the end.
    Garbage,
    /// It is closed before anything passes.
    Refuse,
    /// Each byte is written alone.
    SingleBytes,
    /// The server gets the client's bytes slowly.
    SlowReader,
    /// The client gets the server's bytes late.
    LateAnswers,
}

impl Fault {
    /// Whether no bytes pass, and the client gets no sign of it.
    pub fn is_silent(self) -> bool {
        matches!(self, Fault::Stall | Fault::HalfOpen)
    }

    /// Whether the connection lasts.
    pub fn is_harmless(self) -> bool {
        matches!(self, Fault::SingleBytes | Fault::SlowReader | Fault::LateAnswers)
    }
}

/// The faults of the first connections.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub fault: Fault,
    /// The number of connections with the fault.
    pub connections: usize,
    /// A connection has its fault after up to this many bytes of both directions.
    pub most_bytes: usize,
    pub seed: u64,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Both streams of each connection.
    streams: Vec<TcpStream>,
    /// The last connection with a fault. One that lasts is among the streams, too.
    faulty: Weak<Link>,
    plan: Option<Plan>,
    /// The number of plans, the connections since the last one, and the server's bytes that passed on those that last.
    plans: usize,
    begun: usize,
    passed: usize,
}

/// A proxy in front of a server, until the tests end.
#[derive(Debug, Clone)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
    /// What the server released, if that is watched.
    releases: Option<Releases>,
}

impl Server for FaultProxy {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl FaultProxy {
    /// Forwards connections to `server`.
    pub fn start(server: SocketAddr) -> FaultProxy {
        FaultProxy::start_with(server, None, None)
    }

    /// As [`FaultProxy::start`]; all connections are of one session, of which the server's releases are watched.
    pub fn watching(server: SocketAddr, releases: &Releases) -> FaultProxy {
        FaultProxy::start_with(server, None, Some(releases.clone()))
    }

    /// As [`FaultProxy::start`], with faults in the first connections.
    pub fn planned(server: SocketAddr, plan: Plan) -> FaultProxy {
        FaultProxy::start_with(server, Some(plan), None)
    }

    fn start_with(server: SocketAddr, plan: Option<Plan>, releases: Option<Releases>) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, streams, faulty) = (Mode::Pass, Vec::new(), Weak::new());
        let state = State { mode, streams, faulty, plan, plans: 0, begun: 0, passed: 0 };
        let proxy = FaultProxy { address, shared: Arc::new((Mutex::new(state), Condvar::new())), releases };
        let accepting = proxy.clone();
        thread::spawn(move || {
            // A client may have reset its connection before it is accepted.
            for client in listener.incoming().flatten() {
                accepting.forward(client, server);
            }
        });
        proxy
    }

    /// Waits until this many connections have been opened.
    #[track_caller]
    pub fn wait_for_connections(&self, count: usize) {
        let is_missing = |state: &mut State| state.streams.len() < 2 * count;
        let waited = self.shared.1.wait_timeout_while(self.shared.0.lock().unwrap(), DEADLINE, is_missing);
        assert!(!waited.unwrap().1.timed_out(), "fewer than {count} connections");
    }

    /// Whether all connections with a fault have begun, and another one without.
    pub fn has_run_out_of_faults(&self) -> bool {
        self.shared.0.lock().unwrap().has_run_out_of_faults()
    }

    /// Waits until all connections with a fault have begun, and the server has sent this many bytes on another one without, or on
    /// one whose fault is harmless. Returns whether it came to that.
    pub fn outlasts_faults(&self, bytes: usize) -> bool {
        let has_faults = |state: &mut State| !state.has_run_out_of_faults() || state.passed < bytes;
        let waited = self.shared.1.wait_timeout_while(self.shared.0.lock().unwrap(), DEADLINE, has_faults);
        !waited.unwrap().1.timed_out()
    }

    /// The next connections have faults.
    pub fn plan(&self, plan: Plan) {
        let mut state = self.shared.0.lock().unwrap();
        state.plans += 1;
        (state.plan, state.begun, state.passed) = (Some(plan), 0, 0);
    }

    /// Closes all connections. New ones are accepted.
    pub fn cut(&self) {
        self.close(Mode::Pass);
    }

    /// Closes all connections, and each new one.
    pub fn refuse(&self) {
        self.close(Mode::Refuse);
    }

    /// Forwards no more bytes, and leaves connections open.
    pub fn stall(&self) {
        self.set(Mode::Stall);
    }

    /// Forwards again, bytes of stalled connections included.
    pub fn pass(&self) {
        self.set(Mode::Pass);
    }

    fn set(&self, mode: Mode) {
        self.shared.0.lock().unwrap().mode = mode;
        self.shared.1.notify_all();
    }

    fn close(&self, mode: Mode) {
        let mut state = self.shared.0.lock().unwrap();
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // it may be closed already
        }
        state.mode = mode;
        self.shared.1.notify_all();
    }

    /// Closes a connection that is silent, as the next connection would.
    pub fn end_silent_connection(&self) {
        self.shared.0.lock().unwrap().end_silent_connection();
    }

    fn forward(&self, client: TcpStream, server: SocketAddr) {
        let mut state = self.shared.0.lock().unwrap();
        // The client has given up the silent connection before.
        state.end_silent_connection();
        let fault = state.next_fault();
        self.shared.1.notify_all();
        if state.mode == Mode::Refuse || fault.is_some_and(|(fault, _)| fault == Fault::Refuse) {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true); // either side may have reset its connection
        }
        let watch = self.releases.as_ref().map(Releases::watch);
        let lasts = fault.is_none_or(|(fault, _)| fault.is_harmless());
        let from_server = FromServer { counted_for: lasts.then_some(state.plans), watch };
        if lasts {
            state.streams.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
        }
        let (there, again) = (self.clone(), self.clone());
        if let Some((fault, bytes)) = fault {
            let link = Arc::new(Link::new(client, server, fault, bytes));
            state.faulty = Arc::downgrade(&link);
            let back = Arc::clone(&link);
            thread::spawn(move || link.copy_to_server());
            thread::spawn(move || back.copy_to_client(from_server, &again));
            return;
        }
        drop(state);
        self.shared.1.notify_all();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || there.copy(client, server, None));
        thread::spawn(move || again.copy(back.0, back.1, Some(from_server)));
    }

    /// The client has these bytes, also if the connection is cut now.
    fn note_written(&self, count: usize, from_server: &FromServer) {
        let mut state = self.shared.0.lock().unwrap();
        if from_server.counted_for == Some(state.plans) {
            state.passed += count;
            self.shared.1.notify_all();
        }
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, mut from_server: Option<FromServer>) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut bytes) {
            if count == 0 {
                break;
            }
            if let Some(from_server) = &mut from_server {
                from_server.note_read(&bytes[..count]);
            }
            let state = self.shared.0.lock().unwrap();
            drop(self.shared.1.wait_while(state, |state| state.mode == Mode::Stall).unwrap());
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
            if let Some(from_server) = &from_server {
                self.note_written(count, from_server);
            }
        }
        let _ = to.shutdown(Shutdown::Both); // the other direction ends, too
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// The server's direction of a connection.
#[derive(Debug)]
struct FromServer {
    /// The number of the plan for which the bytes count, if the connection lasts.
    counted_for: Option<usize>,
    watch: Option<ReleasesWatch>,
}

impl FromServer {
    fn note_read(&mut self, bytes: &[u8]) {
        if let Some(watch) = &mut self.watch {
            watch.pass(bytes);
        }
    }
}

impl State {
    fn end_silent_connection(&self) {
        if let Some(link) = self.faulty.upgrade().filter(|link| link.fault.is_silent()) {
            link.end();
        }
    }

    fn has_run_out_of_faults(&self) -> bool {
        self.plan.is_none_or(|plan| self.begun + usize::from(plan.fault.is_harmless()) > plan.connections)
    }

    /// The fault of the next connection, and the bytes before it.
    fn next_fault(&mut self) -> Option<(Fault, usize)> {
        let plan = self.plan?;
        let number = self.begun;
        self.begun += 1;
        let mut random = fastrand::Rng::with_seed(plan.seed.wrapping_add(number as u64));
        let bytes = random.usize(1..=plan.most_bytes.max(1));
        (number < plan.connections).then_some((plan.fault, bytes))
    }
}

/// A connection with a fault.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    fault: Fault,
    /// The bytes that pass before the fault.
    left: AtomicUsize,
    is_over: AtomicBool,
}

impl Link {
    fn new(client: TcpStream, server: TcpStream, fault: Fault, bytes: usize) -> Link {
        for stream in [&client, &server] {
            let _ = stream.set_read_timeout(Some(TICK)); // either side may have reset its connection
        }
        Link { client, server, fault, left: AtomicUsize::new(bytes), is_over: AtomicBool::new(false) }
    }

    /// Ends both directions. The sockets are closed with the last reference.
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        if self.fault != Fault::Reset {
            let _ = self.client.shutdown(Shutdown::Both); // it may be closed already
        }
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn copy_to_server(&self) {
        let mut bytes = vec![0; if self.fault == Fault::SlowReader { 512 } else { 64 * 1024 }];
        while let Some(count) = self.read(&self.client, &mut bytes) {
            if self.fault == Fault::SlowReader {
                thread::sleep(Duration::from_millis(2)); // the slowness
            }
            if self.fault == Fault::HalfOpen && self.left.load(Ordering::Relaxed) == 0 {
                continue; // a client that is left alone is not told so
            }
            let passed = if self.fault == Fault::Garbage { count } else { self.take(count) };
            if !self.write(&self.server, &bytes[..passed]) || (passed < count && !self.strike()) {
                break;
            }
        }
        self.end();
    }

    fn copy_to_client(&self, mut from_server: FromServer, proxy: &FaultProxy) {
        let mut bytes = vec![0; 64 * 1024];
        let mut packet_ends = PacketEnds::default();
        while let Some(count) = self.read(&self.server, &mut bytes) {
            from_server.note_read(&bytes[..count]);
            if self.fault == Fault::LateAnswers {
                thread::sleep(Duration::from_millis(20)); // the delay
            }
            let wanted = self.take(count);
            let passed = if self.fault == Fault::Garbage { count } else { wanted };
            if !self.write(&self.client, &bytes[..passed]) {
                break;
            }
            proxy.note_written(passed, &from_server);
            let is_at_end = packet_ends.pass(&bytes[..passed]);
            let is_due = wanted < count && (self.fault != Fault::Garbage || is_at_end);
            if is_due && !self.strike() {
                break;
            }
        }
        if self.fault == Fault::HalfOpen && self.left.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.end();
    }

    /// The fault happens. Whether the direction goes on.
    fn strike(&self) -> bool {
        match self.fault {
            Fault::Cut | Fault::Refuse => false,
            Fault::Reset => {
                reset_at_close(&self.client);
                false
            }
            Fault::Stall => {
                while !self.is_over.load(Ordering::Relaxed) {
                    thread::sleep(TICK); // until the client comes again
                }
                false
            }
            Fault::HalfOpen => {
                let _ = self.server.shutdown(Shutdown::Both);
                true
            }
            Fault::Garbage => {
                self.write(&self.client, &[0xff; 40]);
                false
            }
            Fault::SingleBytes | Fault::SlowReader | Fault::LateAnswers => true,
        }
    }

    /// Of these bytes, those that pass before the fault.
    fn take(&self, count: usize) -> usize {
        if self.fault.is_harmless() {
            return count;
        }
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(count), Ordering::Relaxed);
        left.min(count)
    }

    /// `None` at the end.
    fn read(&self, mut from: &TcpStream, bytes: &mut [u8]) -> Option<usize> {
        loop {
            match from.read(bytes) {
                _ if self.is_over.load(Ordering::Relaxed) => return None,
                Ok(0) => return None,
                Ok(count) => return Some(count),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return None,
            }
        }
    }

    fn write(&self, mut to: &TcpStream, bytes: &[u8]) -> bool {
        let size = if self.fault == Fault::SingleBytes { 1 } else { bytes.len().max(1) };
        bytes.chunks(size).all(|piece| to.write_all(piece).is_ok())
    }
}

#[cfg(target_os = "linux")]
fn reset_at_close(stream: &TcpStream) {
    use nix::sys::socket::{setsockopt, sockopt};
    let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(stream, sockopt::Linger, &at_once).unwrap();
}

/// Elsewhere the connection is closed in the regular way.
#[cfg(not(target_os = "linux"))]
fn reset_at_close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}
