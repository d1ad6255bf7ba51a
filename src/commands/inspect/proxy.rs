//! The proxy: forwards bytes between clients and the broker unchanged, and shows them on the way.
//!
//! Each connection is one task with a pump per direction. A pump reads more only after the other side took its bytes, so that the
//! slower side limits the faster one. The end of one direction is forwarded and leaves the other open; if one side of a
//! connection breaks, the other side is reset too.

use super::super::{Messages, print_error};
use super::live_pipeline::{self, ConnectionTap, TrafficEnd, TrafficQueue, ViewerHandle};
use super::preface::Preface;
use crate::cli::inspect_live::{Listen, LiveArgs};
use crate::commands::error::Error;
use crate::escape;
use crate::inspect::Direction;
use crate::inspect::capture::conversation::Transport;
use crate::inspect::capture::reassembly::Close;
use crate::transport::tls::Acceptor;
use crate::transport::web_socket::{self, Accepted};
use crate::transport::{self, Endpoint, Stream, descriptors, tcp};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The most that a pump reads in one call.
const CHUNK: usize = 32 * 1024;

/// The pause after accepting failed for lack of descriptors.
const BACK_OFF: Duration = Duration::from_millis(100);

/// The settings for incoming and outgoing connections.
pub(super) struct Proxy {
    listen: Listen,
    acceptor: Option<Acceptor>,
    target: Endpoint,
    messages: Messages,
}

/// An open port.
pub(super) struct ListeningProxy {
    proxy: Rc<Proxy>,
    listener: TcpListener,
}

/// A connection that broke, with the side on which it did.
#[derive(Debug)]
struct BrokenSide {
    sender: Direction,
    error: io::Error,
}

impl Proxy {
    /// Reads the options and all files that they name.
    ///
    /// # Errors
    /// If an option cannot be used.
    pub(super) fn new(args: &LiveArgs, listen: Listen, messages: Messages) -> Result<Proxy, Error> {
        Ok(Proxy { listen, acceptor: args.acceptor()?, target: args.target()?, messages })
    }

    /// Opens the port and prints its address. Call it inside the runtime.
    ///
    /// # Errors
    /// If the port cannot be opened.
    pub(super) fn listen(mut self) -> Result<ListeningProxy, Error> {
        descriptors::raise_limit();
        let failed = |source| Error::system(format!("listen on {}", self.listen.address), source);
        let listener = tcp::listen(self.listen.address).map_err(failed)?;
        self.listen.address = listener.local_addr().map_err(failed)?;
        let text = format!("listening on {}, forwarding to {}", self.listen, self.target.address);
        print_error(&format!("{}\n", escape::line(&text)));
        Ok(ListeningProxy { proxy: Rc::new(self), listener })
    }

    async fn serve(&self, mut client: TcpStream, address: SocketAddr, queue: &Rc<TrafficQueue>) {
        // Some interfaces reject the option; the connection works without it.
        let _ = client.set_nodelay(true);
        let opening_timeout = self.target.timeout;
        let opening = async {
            let preface = Preface::read(&mut client).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((self.open(Stream::Tcp(client)).await?, preface))
        };
        let ((client, is_v31), preface) = match timeout(opening_timeout, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(reason)) => return self.refuse(address, &reason),
            Err(_) => return self.refuse(address, "timed out in the client's handshake"),
        };
        let mut target = preface.endpoint(&self.target);
        target.offer_v31(is_v31);
        let server = match transport::connect(&target).await {
            Ok(server) => server,
            Err(error) => {
                queue.unconnected(preface.client().unwrap_or(address), &error).await;
                return self.refuse(address, &error.to_string());
            }
        };
        let server_address = server.peer_address().unwrap_or(self.listen.address);
        if server_address == self.listen.address {
            return self.refuse(address, "--to leads back to --listen");
        }
        let transport =
            Transport { is_encrypted: self.listen.is_secure, is_web_socket: self.listen.is_web_socket };
        let tap = queue.open(preface.client().unwrap_or(address), server_address, transport).await;
        preface.show(address, &tap).await;
        if let Err(broken) = forward(client, server, &tap).await {
            tap.end(Close::Reset(broken.sender));
            if !is_usual(&broken.error) {
                let side = broken.sender.sender();
                self.messages.say(&format!(
                    "lost the connection from {address} on the {side}'s side: {}",
                    broken.error
                ));
            }
        }
    }

    /// Unwraps the layers that the client uses. Returns the stream, and whether the client requested the WebSocket subprotocol of
    /// MQTT 3.1.
    async fn open(&self, client: Stream) -> Result<(Stream, bool), String> {
        let client = match &self.acceptor {
            Some(acceptor) => acceptor.accept(client).await.map_err(|error| error.to_string())?,
            None => client,
        };
        if !self.listen.is_web_socket {
            return Ok((client, false));
        }
        let Accepted { stream, is_v31 } = web_socket::accept(client).await?;
        Ok((stream, is_v31))
    }

    fn refuse(&self, address: SocketAddr, reason: &str) {
        self.messages.say(&format!("{reason}; closed the connection from {address}"));
    }
}

impl ListeningProxy {
    /// Forwards until a signal, the time limit or the viewer's end.
    pub(super) async fn run(
        self,
        queue: Rc<TrafficQueue>,
        viewer_handle: &mut ViewerHandle,
        limit: Option<Duration>,
    ) -> Result<TrafficEnd, Error> {
        let messages = self.proxy.messages;
        let forwarding = self.accept_all(Rc::clone(&queue));
        live_pipeline::forward(forwarding, &queue, messages, viewer_handle, limit).await
    }

    async fn accept_all(self, queue: Rc<TrafficQueue>) -> Infallible {
        let mut connections = JoinSet::new();
        let mut has_failed = false;
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, address)) => {
                    has_failed = false;
                    let (proxy, queue) = (Rc::clone(&self.proxy), Rc::clone(&queue));
                    connections.spawn_local(async move { proxy.serve(stream, address, &queue).await });
                }
                // The client disconnected while it waited.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        self.proxy.messages.say(&format!("cannot accept connections: {error}"));
                    }
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

/// Forwards bytes in both directions until both sides have closed theirs.
async fn forward(mut client: Stream, mut server: Stream, tap: &ConnectionTap) -> Result<(), BrokenSide> {
    let (client_reader, client_writer) = split(&mut client);
    let (server_reader, server_writer) = split(&mut server);
    let up = pump(client_reader, server_writer, tap, Direction::ClientToServer);
    let down = pump(server_reader, client_writer, tap, Direction::ServerToClient);
    let broken = match tokio::try_join!(up, down) {
        Ok((None, None)) => {
            tap.end(Close::Fin);
            return Ok(());
        }
        Ok((Some(broken), _) | (_, Some(broken))) | Err(broken) => broken,
    };
    client.break_when_dropped();
    server.break_when_dropped();
    Err(broken)
}

/// Forwards one direction. A side that stops reading may still have sent its reason, so a write error does not end the other
/// direction: it is returned as `Ok`.
async fn pump(
    mut from: ReadHalf<&mut Stream>,
    mut to: WriteHalf<&mut Stream>,
    tap: &ConnectionTap,
    direction: Direction,
) -> Result<Option<BrokenSide>, BrokenSide> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await;
        let count = read.map_err(|error| BrokenSide { sender: direction, error })?;
        let bytes = buffer.get(..count).unwrap_or_default();
        match bytes {
            [] => tap.fin(direction),
            // Shown before they are forwarded, so that a response never precedes its request.
            _ => tap.bytes(direction, bytes).await,
        }
        if let Err(error) = hand_on(bytes, &mut to).await {
            return Ok(Some(BrokenSide { sender: opposite(direction), error }));
        }
        if bytes.is_empty() {
            return Ok(None);
        }
    }
}

/// Forwards bytes, or the end of the direction if `bytes` is empty.
async fn hand_on(bytes: &[u8], to: &mut WriteHalf<&mut Stream>) -> io::Result<()> {
    if bytes.is_empty() {
        return to.shutdown().await;
    }
    to.write_all(bytes).await?;
    to.flush().await
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ClientToServer => Direction::ServerToClient,
        Direction::ServerToClient => Direction::ClientToServer,
    }
}

/// Whether the error is a common way for TCP connections to end, which the viewer shows.
fn is_usual(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::ConnectionAborted
    )
}
