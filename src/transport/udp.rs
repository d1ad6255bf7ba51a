//! UDP sockets: datagrams of MQTT-SN.

use super::datagram_batch::DatagramBatch;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::{Context, Poll};
use tokio::net::UdpSocket;

/// The receive buffer to ask the system for, which may grant less: clients send in bursts.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The most bytes that wait while the system's send buffer is full. Further datagrams are dropped, as by a network.
const MAX_WAITING: usize = 4 << 20;

/// A socket with a bounded queue of datagrams to send.
#[derive(Debug)]
pub(crate) struct DatagramSocket {
    socket: UdpSocket,
    waiting: VecDeque<(SocketAddr, Vec<u8>)>,
    bytes: usize,
}

impl DatagramSocket {
    /// Listens on an address.
    ///
    /// # Errors
    /// If the port is in use, or the address is not local.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<DatagramSocket> {
        let socket = UdpSocket::bind(address).await?;
        enlarge(&socket);
        Ok(DatagramSocket { socket, waiting: VecDeque::new(), bytes: 0 })
    }

    /// Prepares for sending to a multicast group, and for receiving the datagrams of others to it on this port.
    ///
    /// # Errors
    /// If the group cannot be joined.
    pub(crate) fn prepare_multicast(&self, group: IpAddr) -> io::Result<()> {
        match group {
            IpAddr::V4(group) if group.is_multicast() => {
                self.socket.join_multicast_v4(group, Ipv4Addr::UNSPECIFIED)
            }
            IpAddr::V4(_) => self.socket.set_broadcast(true),
            IpAddr::V6(group) if group.is_multicast() => self.socket.join_multicast_v6(&group, 0),
            IpAddr::V6(_) => Ok(()),
        }
    }

    pub(crate) fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends a datagram, now or when the system takes it. A failed one is lost, as any datagram may be.
    pub(crate) fn send(&mut self, address: SocketAddr, datagram: Vec<u8>) {
        if self.waiting.is_empty() {
            match self.socket.try_send_to(&datagram, address) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(_) | Err(_) => return,
            }
        }
        if self.bytes + datagram.len() <= MAX_WAITING {
            self.bytes += datagram.len();
            self.waiting.push_back((address, datagram));
        }
    }

    /// Whether datagrams wait for the system.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Receives the next datagrams, and sends those that wait.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut DatagramBatch,
    ) -> Poll<io::Result<()>> {
        self.poll_send(cx);
        batch.poll_receive(cx, &self.socket)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) {
        while let Some((address, datagram)) = self.waiting.front() {
            if self.socket.poll_send_to(cx, datagram, *address).is_pending() {
                return;
            }
            self.bytes -= datagram.len();
            self.waiting.pop_front();
        }
    }
}

/// Asks for a larger receive buffer.
#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(super) fn enlarge(socket: &UdpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::RcvBuf};
    // With less, more datagrams of a burst are lost, and repeated.
    let _ = setsockopt(socket, RcvBuf, &RECEIVE_BUFFER);
}

#[cfg(any(not(target_os = "linux"), feature = "portable"))]
pub(super) fn enlarge(_: &UdpSocket) {
    let _ = RECEIVE_BUFFER;
}
