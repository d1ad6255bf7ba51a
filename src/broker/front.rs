//! Front processes: each accepts clients within its own limit of open files, and passes their bytes to the broker over one socket.

use super::Event;
use super::listener::{self, BACK_OFF, Gauge, Kind, Peer};
use super::state::Shared;
use crate::transport::Stream;
use crate::transport::multiplex::Multiplexer;
use std::io;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};

/// Sockets to front processes, and the protocol of the port that these accept clients on.
#[derive(Debug)]
pub(super) struct Fronts {
    pub(super) kind: Kind,
    pub(super) sockets: Vec<UnixStream>,
}

impl Fronts {
    /// Adds the socket to a process.
    pub(super) fn add(&mut self, socket: StdStream) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        self.sockets.push(UnixStream::from_std(socket)?);
        Ok(())
    }

    /// Serves the clients of all front processes, in tasks.
    pub(super) fn serve(self, shared: &Shared, gauge: &Gauge) {
        let kind = self.kind;
        for socket in self.sockets {
            let (shared, gauge) = (shared.clone(), gauge.clone());
            spawn_local(async move {
                let result = Multiplexer::default()
                    .run(socket, |channel, address| {
                        // A front process sends nothing but addresses.
                        let Ok(address) = address.parse() else { return };
                        listener::spawn(Stream::Channel(channel), kind, Peer::Tcp(address), &shared, &gauge);
                    })
                    .await;
                let ended = || io::Error::new(io::ErrorKind::BrokenPipe, "a front process ended");
                shared.borrow_mut().emit(Event::AcceptFailed(result.err().unwrap_or_else(ended)));
            });
        }
    }
}

/// Runs a front process: accepts at most `capacity` clients at a time, until the broker's end of the socket is closed.
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
                ended = carry => ended,
                never = accept_all(&listener, &multiplexer, capacity) => never,
            }
        })
        .await
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
