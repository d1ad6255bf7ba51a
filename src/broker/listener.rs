//! The accept loop. After an error, such as no free file descriptors, it waits and retries.

use super::Event;
use super::connection::serve;
use super::state::Shared;
use super::unix::UnixSocket;
use crate::transport::{Stream, tcp, web_socket};
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

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// MQTT from the first byte on.
    Plain,
    /// MQTT in a WebSocket.
    WebSocket,
}

/// A client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Its address and port.
    Tcp(SocketAddr),
    /// On this machine, at the Unix socket with this path.
    Unix(Arc<Path>),
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

/// Opens the WebSocket on a WebSocket port; `None` if the client did not request one there.
async fn open(stream: Stream, kind: Kind, shared: &Shared, peer: &Peer) -> Option<Stream> {
    if kind == Kind::Plain {
        return Some(stream);
    }
    let time_limit = shared.borrow().config.connect_timeout;
    // Boxed, since the handshake needs memory that the connection later does not.
    let reason = match timeout(time_limit, Box::pin(web_socket::accept(stream))).await {
        Ok(Ok(accepted)) => return Some(accepted.stream),
        Ok(Err(reason)) => reason,
        Err(_) => "no WebSocket in time".to_owned(),
    };
    shared.borrow_mut().refuse(peer.clone(), reason, Instant::now());
    None
}
