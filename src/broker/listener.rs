//! The accept loop. It outlives whatever the system refuses: a lack of descriptors is waited out.

use super::Event;
use super::connection::serve;
use super::state::Shared;
use crate::transport::{Stream, web_socket};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::spawn_local;
use tokio::time::timeout;

/// How many connections may wait to be accepted; a flood of clients comes faster than one thread accepts. The system
/// takes less where it is set to.
const BACKLOG: u32 = 8192;

/// How long accepting pauses when the system has no descriptors left.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What clients speak on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// MQTT from the first byte on.
    Plain,
    /// MQTT in a WebSocket.
    WebSocket,
}

/// Opens the socket that clients connect to.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Counts the connections that are being served, refused ones included.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge(Rc<Cell<usize>>);

impl Gauge {
    pub(super) fn value(&self) -> usize {
        self.0.get()
    }

    fn enter(&self) -> Entered {
        self.0.set(self.0.get() + 1);
        Entered(self.clone())
    }
}

struct Entered(Gauge);

impl Drop for Entered {
    fn drop(&mut self) {
        let Gauge(count) = &self.0;
        count.set(count.get().saturating_sub(1));
    }
}

/// Accepts clients for ever, each in a task of its own.
pub(super) async fn accept_all(listener: &TcpListener, kind: Kind, shared: &Shared, gauge: &Gauge) {
    let mut has_failed = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                has_failed = false;
                let (shared, entered) = (Rc::clone(shared), gauge.enter());
                spawn_local(async move {
                    if let Some(stream) = open(stream, kind, &shared, peer).await {
                        serve(shared, stream, peer).await;
                    }
                    drop(entered);
                });
            }
            // The client gave up while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !std::mem::replace(&mut has_failed, true) {
                    shared.borrow_mut().tell(Event::AcceptFailed(error));
                }
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

/// Makes a stream of what was accepted; `None` when the client asked for no WebSocket where it should.
async fn open(stream: TcpStream, kind: Kind, shared: &Shared, peer: SocketAddr) -> Option<Stream> {
    // Some kinds of interface refuse it; the connection works all the same.
    let _ = stream.set_nodelay(true);
    let stream = Stream::Tcp(stream);
    if kind == Kind::Plain {
        return Some(stream);
    }
    let patience = shared.borrow().config.connect_timeout;
    // The handshake needs memory that the conversation does not.
    let reason = match timeout(patience, Box::pin(web_socket::accept(stream))).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(reason)) => reason,
        Err(_) => "no WebSocket in time".to_owned(),
    };
    let mut state = shared.borrow_mut();
    state.report.refused += 1;
    state.tell(Event::Refused { peer, reason });
    None
}
