//! The accept loop. After an error, such as no free file descriptors, it waits and retries.

use super::connection::serve;
use super::network::{self, Network};
use super::state::Shared;
use super::unix::UnixSocket;
use super::{Event, Excess, Reason};
use crate::transport::{Stream, tcp, tls, web_socket};
use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::spawn_local;
use tokio::time::timeout;

/// The pause after a failed accept.
pub(super) const BACK_OFF: Duration = Duration::from_millis(100);

/// The layers below MQTT on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// None: MQTT from the first byte on.
    Plain,
    Tls,
    WebSocket,
    /// A WebSocket over TLS.
    WebSocketTls,
}

impl Kind {
    fn has_tls(self) -> bool {
        matches!(self, Kind::Tls | Kind::WebSocketTls)
    }

    fn has_web_socket(self) -> bool {
        matches!(self, Kind::WebSocket | Kind::WebSocketTls)
    }
}

/// A client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Its address and port.
    Tcp(SocketAddr),
    /// On this machine, at the Unix socket with this path.
    Unix(Arc<Path>),
}

impl Peer {
    pub(super) fn network(&self) -> Network {
        match self {
            Peer::Tcp(address) => network::of(address.ip()),
            Peer::Unix(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => write!(f, "{address}"),
            Peer::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A failure to listen at an address or path.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}: {source}")]
pub(crate) struct ListenError {
    /// The address or the path.
    pub place: String,
    /// The cause.
    pub source: io::Error,
}

/// A socket that clients connect to.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp { listener: TcpListener, kind: Kind },
    Unix { socket: UnixSocket, path: Arc<Path> },
}

impl Listener {
    /// Opens a port.
    pub(super) fn tcp(address: SocketAddr, kind: Kind) -> Result<Listener, ListenError> {
        match tcp::listen(address) {
            Ok(listener) => Ok(Listener::Tcp { listener, kind }),
            Err(source) => Err(ListenError { place: address.to_string(), source }),
        }
    }

    /// Opens a Unix socket.
    pub(super) fn unix(path: &Path) -> Result<Listener, ListenError> {
        match UnixSocket::listen(path) {
            Ok(socket) => Ok(Listener::Unix { socket, path: path.into() }),
            Err(source) => Err(ListenError { place: path.display().to_string(), source }),
        }
    }

    /// The address, with the actual port.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp { listener, .. } => listener.local_addr().ok(),
            Listener::Unix { .. } => None,
        }
    }

    /// The protocol of a port.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Listener::Tcp { kind, .. } => Some(*kind),
            Listener::Unix { .. } => None,
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Kind, Peer)> {
        match self {
            Listener::Tcp { listener, kind } => {
                let (stream, address) = listener.accept().await?;
                // Some interfaces reject the option; the connection works without it.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), *kind, Peer::Tcp(address)))
            }
            Listener::Unix { socket, path } => {
                let stream = socket.accept().await?;
                Ok((Stream::Unix(stream), Kind::Plain, Peer::Unix(Arc::clone(path))))
            }
        }
    }
}

/// Counts the connections that are being served, refused ones included.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge {
    count: Rc<Cell<usize>>,
    whole: Option<Rc<Gauge>>,
}

impl Gauge {
    /// A gauge for a part of the connections, which this one counts too.
    pub(super) fn part(&self) -> Gauge {
        Gauge { count: Rc::default(), whole: Some(Rc::new(self.clone())) }
    }

    pub(super) fn value(&self) -> usize {
        self.count.get()
    }

    fn change(&self, change: impl Fn(usize) -> usize) {
        let mut next = Some(self);
        while let Some(gauge) = next {
            gauge.count.set(change(gauge.count.get()));
            next = gauge.whole.as_deref();
        }
    }

    fn enter(&self) -> Entered {
        self.change(|count| count + 1);
        Entered(self.clone())
    }
}

struct Entered(Gauge);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.change(|count| count.saturating_sub(1));
    }
}

/// Accepts clients forever, each in its own task; pending forever without a listener.
pub(super) async fn accept_all(listener: Option<&Listener>, shared: &Shared, gauge: &Gauge) {
    let Some(listener) = listener else { return pending().await };
    let mut has_failed = false;
    loop {
        match listener.accept().await {
            Ok((stream, kind, peer)) => {
                has_failed = false;
                spawn(stream, kind, peer, shared, gauge);
            }
            // The client gave up while waiting.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !std::mem::replace(&mut has_failed, true) {
                    shared.borrow_mut().emit(Event::AcceptFailed(error));
                }
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

/// Serves a client in a task of its own.
pub(super) fn spawn(stream: Stream, kind: Kind, peer: Peer, shared: &Shared, gauge: &Gauge) {
    let (shared, entered) = (Rc::clone(shared), gauge.enter());
    spawn_local(async move {
        if let Some(stream) = open(stream, kind, &shared, &peer).await {
            serve(shared, stream, peer).await;
        }
        drop(entered);
    });
}

/// Adds the layers of the port; `None` if that failed.
async fn open(stream: Stream, kind: Kind, shared: &Shared, peer: &Peer) -> Option<Stream> {
    if kind == Kind::Plain {
        return Some(stream);
    }
    // Boxed, since the handshakes need memory that the connection later does not.
    let reason = match Box::pin(add_layers(stream, kind, shared, peer)).await {
        Ok(stream) => return Some(stream),
        Err(reason) => reason,
    };
    shared.borrow_mut().refuse(peer.clone(), reason, Instant::now());
    None
}

/// Accepts TLS and the WebSocket, each within the time for CONNECT.
async fn add_layers(mut stream: Stream, kind: Kind, shared: &Shared, peer: &Peer) -> Result<Stream, Reason> {
    let time_limit = shared.borrow().config.connect_timeout;
    if kind.has_tls() {
        let accepted = timeout(time_limit, accept_tls(stream, shared, peer)).await;
        stream = accepted.map_err(|_| too_late("no complete TLS handshake in time", time_limit))??;
    }
    if kind.has_web_socket() {
        let accepted = timeout(time_limit, web_socket::accept(stream)).await;
        stream = accepted.map_err(|_| too_late("no WebSocket in time", time_limit))??.stream;
    }
    Ok(stream)
}

fn too_late(text: &str, time_limit: Duration) -> Reason {
    Reason { text: text.to_owned(), excess: Some(Excess::ConnectTime(time_limit)) }
}

async fn accept_tls(mut stream: Stream, shared: &Shared, peer: &Peer) -> Result<Stream, String> {
    let (handshakes, acceptor) = {
        let state = shared.borrow();
        let acceptor = state.config.tls.as_ref().map(|tls| Arc::clone(&tls.borrow()));
        (Rc::clone(&state.handshakes), acceptor)
    };
    let acceptor = acceptor.ok_or_else(|| "no certificate".to_owned())?;
    // A silent connection takes no memory for TLS, so it needs no place.
    let first = tls::first_bytes(&mut stream).await.map_err(|error| error.to_string())?;
    let place = handshakes.begin(peer.network());
    tokio::select! {
        accepted = acceptor.accept_on_threads(stream, first, || place.compute()) => {
            accepted.map_err(|error| error.to_string())
        }
        () = place.displaced() => Err("too many unfinished TLS handshakes; this was the oldest one of the address with the most".to_owned()),
    }
}
