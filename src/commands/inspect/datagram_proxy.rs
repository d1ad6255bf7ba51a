//! The proxy for MQTT-SN: forwards datagrams between clients and the gateway unchanged, and shows them on the way.
//!
//! Each client has a socket of its own towards the gateway, which distinguishes them by their ports. A datagram is shown
//! before it is forwarded, so that an answer never precedes its request. Multicast is not forwarded.

use super::super::{Messages, print_error};
use super::live_pipeline::{self, DatagramTap, TrafficEnd, TrafficQueue, ViewerHandle};
use crate::cli::inspect_live::{Listen, LiveArgs};
use crate::commands::error::Error;
use crate::escape;
use crate::inspect::Direction;
use crate::transport::datagrams::{self, MAX_DATAGRAM};
use crate::transport::{descriptors, tcp};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, spawn_local};

/// The most clients at once; the one that was idle the longest loses its socket.
const MAX_CLIENTS: usize = 512;

/// An open port.
pub(super) struct DatagramProxy {
    listener: Rc<UdpSocket>,
    gateway: SocketAddr,
    messages: Messages,
}

/// The way of a client's datagrams.
struct ClientPath {
    socket: Rc<UdpSocket>,
    tap: Rc<DatagramTap>,
    /// Forwards the gateway's datagrams.
    answers: AbortHandle,
    /// The number of the client's last datagram.
    last: u64,
}

impl Drop for ClientPath {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

impl DatagramProxy {
    /// Opens the port and prints its address.
    ///
    /// # Errors
    /// If the gateway has no address, or the port cannot be opened.
    pub(super) async fn open(
        live: &LiveArgs,
        listen: Listen,
        messages: Messages,
    ) -> Result<DatagramProxy, Error> {
        let (host, port) = live.datagram_target()?;
        let failed = |source| Error::system(format!("listen on {}", listen.address), source);
        let addresses =
            tcp::resolve(&host, port).await.map_err(|error| Error::usage(format!("--to: {error}")))?;
        let is_reachable = |address: &&SocketAddr| address.is_ipv4() == listen.address.is_ipv4();
        let gateway = addresses.iter().find(is_reachable).or(addresses.first()).copied();
        let gateway = gateway.ok_or_else(|| Error::usage(format!("--to: no address for {host}")))?;
        descriptors::raise_limit();
        let listener = datagrams::listen(listen.address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if address == gateway {
            return Err(Error::usage("--to leads back to --listen"));
        }
        let text = format!("listening on udp://{address}, forwarding to {gateway}");
        print_error(&format!("{}\n", escape::line(&text)));
        Ok(DatagramProxy { listener: Rc::new(listener), gateway, messages })
    }

    /// Forwards until a signal, the time limit or the viewer's end.
    pub(super) async fn run(
        self,
        queue: Rc<TrafficQueue>,
        viewer_handle: &mut ViewerHandle,
        limit: Option<Duration>,
    ) -> Result<TrafficEnd, Error> {
        let messages = self.messages;
        let forwarding = self.forward_all(Rc::clone(&queue));
        live_pipeline::forward(forwarding, &queue, messages, viewer_handle, limit).await
    }

    async fn forward_all(self, queue: Rc<TrafficQueue>) -> Infallible {
        let mut clients: HashMap<SocketAddr, ClientPath> = HashMap::new();
        let mut buffer = vec![0; MAX_DATAGRAM];
        for number in 0.. {
            // An error is about an earlier datagram to a client that is gone.
            let Ok((length, client)) = self.listener.recv_from(&mut buffer).await else { continue };
            let datagram = buffer.get(..length).unwrap_or_default();
            if !clients.contains_key(&client) {
                if clients.len() >= MAX_CLIENTS {
                    remove_oldest(&mut clients);
                }
                match self.open_path(client, &queue).await {
                    Ok(path) => drop(clients.insert(client, path)),
                    Err(error) => {
                        self.messages.say(&format!("cannot forward a datagram from {client}: {error}"));
                        continue;
                    }
                }
            }
            let Some(path) = clients.get_mut(&client) else { continue };
            path.last = number;
            path.tap.datagram(Direction::ClientToServer, datagram).await;
            // A gateway that is away answers nothing, as without the proxy.
            let _ = path.socket.send(datagram).await;
        }
        std::future::pending().await
    }

    async fn open_path(&self, client: SocketAddr, queue: &Rc<TrafficQueue>) -> io::Result<ClientPath> {
        let socket = Rc::new(datagrams::connect(self.gateway).await?);
        let tap = Rc::new(queue.open_datagrams(client, self.gateway));
        let answers = forward_answers(Rc::clone(&socket), Rc::clone(&self.listener), client, Rc::clone(&tap));
        let answers = spawn_local(answers).abort_handle();
        Ok(ClientPath { socket, tap, answers, last: 0 })
    }
}

/// Forwards the gateway's datagrams to a client.
async fn forward_answers(
    socket: Rc<UdpSocket>,
    listener: Rc<UdpSocket>,
    client: SocketAddr,
    tap: Rc<DatagramTap>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        // The gateway's port may be closed for a while.
        let Ok(length) = socket.recv(&mut buffer).await else { continue };
        let datagram = buffer.get(..length).unwrap_or_default();
        tap.datagram(Direction::ServerToClient, datagram).await;
        let _ = listener.send_to(datagram, client).await;
    }
}

fn remove_oldest(clients: &mut HashMap<SocketAddr, ClientPath>) {
    let oldest = clients.iter().min_by_key(|(_, path)| path.last).map(|(client, _)| *client);
    oldest.and_then(|client| clients.remove(&client));
}
