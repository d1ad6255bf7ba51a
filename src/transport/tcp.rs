//! TCP: every address of a name is tried.

use super::{ConnectError, Stream};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// The length of the accept queue: many clients connect faster than one thread accepts them. The system may have a
/// lower limit.
const BACKLOG: u32 = 8192;

/// Connects to the first address of the host that answers, with TCP_NODELAY.
///
/// # Errors
/// The failure of the last address. The only timeout is the system's.
pub(crate) async fn connect(host: &str, port: u16, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
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

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Whether this machine has the address, so that a process here can listen at it.
pub(crate) fn is_own_address(ip: IpAddr) -> bool {
    ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

/// All addresses of a name; an IP address is not looked up. `localhost` has addresses in a container without `/etc/hosts`, too
/// (RFC 6761, section 6.3).
///
/// # Errors
/// If the name cannot be resolved.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(_) if host.eq_ignore_ascii_case("localhost") => {
            Ok(LOOPBACK.map(|ip| SocketAddr::new(ip, port)).into())
        }
        Err(source) => Err(ConnectError::Lookup { host: host.to_owned(), source }),
    }
}

/// Connects to one address, optionally from a local address.
///
/// # Errors
/// If the local address is unusable, or the connection fails. The only timeout is the system's.
pub(crate) async fn connect_to(address: SocketAddr, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
    connect_one(address, bind.map(|bind| SocketAddr::new(bind, 0))).await
}

/// Connects from a local address and port, which may have been used recently.
///
/// With a given port, the kernel need not search for a free one, which becomes slow when many are in use.
///
/// # Errors
/// If the port is in use, or the connection fails. The only timeout is the system's.
pub(crate) async fn connect_from(source: SocketAddr, address: SocketAddr) -> Result<Stream, ConnectError> {
    connect_one(address, Some(source)).await
}

/// Lets connect(2) choose the local port: it can reuse a port as long as no other connection goes from it to the same destination, while
/// bind(2) needs a port that is unused.
#[cfg(all(target_os = "linux", not(feature = "portable")))]
fn choose_port_late(socket: &TcpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
    // Without it fewer connections fit, and each is as good.
    let _ = setsockopt(socket, IpBindAddressNoPort, &true);
}

#[cfg(any(not(target_os = "linux"), feature = "portable"))]
fn choose_port_late(_: &TcpSocket) {}

async fn connect_one(address: SocketAddr, source: Option<SocketAddr>) -> Result<Stream, ConnectError> {
    let failed = |source| ConnectError::Connect { address, source };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(failed)?;
    if let Some(local) = source {
        if local.port() == 0 {
            choose_port_late(&socket);
        }
        // Without this option, bind(2) needs an unused port. With it, connections to other destinations and recently ended
        // ones share ports, so that thousands of connections do not use them up.
        let bound = socket.set_reuseaddr(true).and_then(|()| socket.bind(local));
        bound.map_err(|source| ConnectError::Bind { address: local.ip(), source })?;
    }
    let stream = socket.connect(address).await.map_err(failed)?;
    // Some kinds of interface refuse it; the connection works without it.
    let _ = stream.set_nodelay(true);
    Ok(Stream::Tcp(stream))
}

/// Listens on a port, also right after its previous listener closed.
///
/// # Errors
/// If the port is in use, or the address is not local.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
