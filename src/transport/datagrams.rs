//! UDP sockets of a relay: one that clients send to, and one towards the server for each of them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::UdpSocket;

/// The size of a buffer for any datagram, in bytes.
pub(crate) const MAX_DATAGRAM: usize = 65_535;

/// Listens on an address. Call it inside the runtime.
///
/// # Errors
/// If the port is in use, or the address is not local.
pub(crate) fn listen(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// A socket on a free port that sends to a server, and receives only from it.
///
/// # Errors
/// If there is no free port or descriptor, or no route to the server.
pub(crate) async fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    let any = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = listen(SocketAddr::new(any, 0))?;
    socket.connect(server).await?;
    Ok(socket)
}
