//! The way of a client's datagrams to a gateway: a socket of its own, or a forwarder that many clients share.

use super::forwarder::ForwarderPort;
use super::udp::enlarge;
use super::{ConnectError, tcp};
use crate::protocol::sn::Message;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The time for an answer of one of several addresses.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// A socket of a client.
#[derive(Debug)]
pub(super) enum GatewaySocket {
    Own(OwnSocket),
    Forwarded(ForwarderPort),
}

/// A connected UDP socket.
#[derive(Debug)]
pub(super) struct OwnSocket {
    socket: Arc<UdpSocket>,
    /// An error of the socket between datagrams: nothing listens at the port, as ICMP says.
    fault: SocketFault,
}

/// Waits for an error of a socket, which does not wake up readers.
struct SocketFault(Pin<Box<dyn Future<Output = io::Result<io::Error>> + Send>>);

impl SocketFault {
    fn of(socket: &Arc<UdpSocket>) -> SocketFault {
        let socket = Arc::clone(socket);
        SocketFault(Box::pin(async move {
            let take_error = || socket.take_error()?.ok_or_else(|| io::ErrorKind::WouldBlock.into());
            socket.async_io(Interest::ERROR, take_error).await
        }))
    }
}

impl fmt::Debug for SocketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketFault")
    }
}

impl GatewaySocket {
    /// A socket of its own.
    pub(super) fn own(socket: UdpSocket) -> GatewaySocket {
        let socket = Arc::new(socket);
        let fault = SocketFault::of(&socket);
        GatewaySocket::Own(OwnSocket { socket, fault })
    }

    pub(super) fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        match self {
            GatewaySocket::Own(own) => own.socket.poll_send(cx, datagram).map_ok(drop),
            GatewaySocket::Forwarded(port) => Poll::Ready(port.send(datagram)),
        }
    }

    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            GatewaySocket::Own(own) => own.socket.poll_recv(cx, buffer),
            GatewaySocket::Forwarded(port) => port.poll_receive(cx, buffer),
        }
    }

    /// Returns the error of the socket, or arranges a wake-up for it.
    pub(super) fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let GatewaySocket::Own(own) = self else { return Ok(()) };
        match own.fault.0.as_mut().poll(cx) {
            Poll::Ready(fault) => {
                own.fault = SocketFault::of(&own.socket);
                Err(fault?)
            }
            Poll::Pending => Ok(()),
        }
    }
}

/// A socket that is connected to a gateway, from a local address and port if one is given.
///
/// # Errors
/// If the local address is unusable or in use, or there is no route.
pub(super) async fn open(address: SocketAddr, source: Option<SocketAddr>) -> Result<UdpSocket, ConnectError> {
    let socket = bind(address, source).await?;
    enlarge(&socket);
    socket.connect(address).await.map_err(|source| ConnectError::Connect { address, source })?;
    Ok(socket)
}

/// A socket for sending to an address.
///
/// # Errors
/// If the local address is unusable or in use.
pub(super) async fn bind(target: SocketAddr, source: Option<SocketAddr>) -> Result<UdpSocket, ConnectError> {
    let any: IpAddr =
        if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let local = source.unwrap_or(SocketAddr::new(any, 0));
    let socket = UdpSocket::bind(local).await;
    socket.map_err(|source| ConnectError::Bind { address: local.ip(), source })
}

/// The address of a gateway. Of several addresses, the first one where a gateway answers SEARCHGW, or else the first one whose port is
/// not closed, since a gateway may ignore SEARCHGW.
///
/// # Errors
/// If the name cannot be resolved, or has no address of the family of the local one.
pub(super) async fn find(host: &str, port: u16, bind: Option<IpAddr>) -> Result<SocketAddr, ConnectError> {
    let mut addresses = tcp::resolve(host, port).await?;
    addresses.retain(|address| bind.is_none_or(|bind| bind.is_ipv4() == address.is_ipv4()));
    let first = addresses.first().copied();
    let first = first.ok_or_else(|| ConnectError::NoAddress { host: host.to_owned(), bind })?;
    if addresses.len() == 1 {
        return Ok(first);
    }
    let mut silent = None;
    for address in addresses {
        match probe(address, bind).await {
            Probe::Answered => return Ok(address),
            Probe::Silent => silent = silent.or(Some(address)),
            Probe::Closed => {}
        }
    }
    Ok(silent.unwrap_or(first))
}

/// The reaction of an address to SEARCHGW.
enum Probe {
    Answered,
    Silent,
    Closed,
}

async fn probe(address: SocketAddr, local: Option<IpAddr>) -> Probe {
    let Ok(socket) = open(address, local.map(|local| SocketAddr::new(local, 0))).await else {
        return Probe::Closed;
    };
    let mut question = Vec::new();
    // SEARCHGW always fits into a datagram.
    let _ = Message::SearchGw { radius: 0 }.encode(&mut question);
    if socket.send(&question).await.is_err() {
        return Probe::Closed;
    }
    match timeout(PROBE_TIMEOUT, socket.recv(&mut [0; 512])).await {
        Ok(Ok(_)) => Probe::Answered,
        Ok(Err(_)) => Probe::Closed,
        Err(_) => Probe::Silent,
    }
}
