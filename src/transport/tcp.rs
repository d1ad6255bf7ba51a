//! TCP: every address of a name is tried.

use super::{ConnectError, Stream};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpSocket;

/// Connects to the first address of the host that answers. Small packets are sent without delay (TCP_NODELAY).
///
/// # Errors
/// The failure of the last address that was tried. There is no time limit but the system's.
pub async fn connect(host: &str, port: u16, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
    let mut failure = None;
    for address in resolve(host, port).await? {
        if bind.is_some_and(|bind| bind.is_ipv4() != address.is_ipv4()) {
            continue;
        }
        match connect_one(address, bind.map(|bind| SocketAddr::new(bind, 0))).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| ConnectError::NoAddress { host: host.to_owned(), bind }))
}

/// All addresses of a name; an address written as such is not looked up.
///
/// # Errors
/// When the name cannot be resolved.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(source) => Err(ConnectError::Lookup { host: host.to_owned(), source }),
    }
}

/// Connects to one address, from a local address where one is given.
///
/// # Errors
/// When the local address cannot be used, or nothing answers. There is no time limit but the system's.
pub async fn connect_to(address: SocketAddr, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
    connect_one(address, bind.map(|bind| SocketAddr::new(bind, 0))).await
}

/// Connects from a given local address and port, which may have been used a moment ago for another connection.
///
/// With the port given, the kernel need not look for a free one, which takes the longer the more there are in use.
///
/// # Errors
/// When the port is taken, or nothing answers at the address. There is no time limit but the system's.
pub async fn connect_from(source: SocketAddr, address: SocketAddr) -> Result<Stream, ConnectError> {
    connect_one(address, Some(source)).await
}

/// Leaves the choice of the local port to connect(2), which knows where the connection goes: a port is then free as long as no
/// other connection leads from it to the same place. bind(2) would look for one that nobody has at all.
#[cfg(target_os = "linux")]
fn choose_port_late(socket: &TcpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
    // Without it fewer connections fit, and each is as good.
    let _ = setsockopt(socket, IpBindAddressNoPort, &true);
}

#[cfg(not(target_os = "linux"))]
fn choose_port_late(_: &TcpSocket) {}

async fn connect_one(address: SocketAddr, source: Option<SocketAddr>) -> Result<Stream, ConnectError> {
    let failed = |source| ConnectError::Connect { address, source };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(failed)?;
    if let Some(local) = source {
        if local.port() == 0 {
            choose_port_late(&socket);
        }
        // Binding takes a local port for itself alone, unless it may be shared with connections to other places and with
        // those that have just ended; thousands of them would use the ports up.
        let bound = socket.set_reuseaddr(true).and_then(|()| socket.bind(local));
        bound.map_err(|source| ConnectError::Bind { address: local.ip(), source })?;
    }
    let stream = socket.connect(address).await.map_err(failed)?;
    // Some kinds of interface refuse it; the connection works all the same.
    let _ = stream.set_nodelay(true);
    Ok(Stream::Tcp(stream))
}
