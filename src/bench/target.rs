//! The local and remote addresses of the connections, determined once for all clients, so that a name is not resolved
//! ten thousand times.

use super::error::Error;
use super::limits::{self, Sources};
use super::plan::Plan;
use crate::transport::{Address, ConnectError, Endpoint, Stream, connect_socket, tcp};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Pause between attempts to connect to a unix socket whose queue is full.
const QUEUE_PAUSE: Duration = Duration::from_millis(2);

/// The local and remote addresses of the connections.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The broker's address and the layers to it.
    endpoint: Endpoint,
    /// The address that the sockets connect to; `None` if the transport finds it.
    target: Option<SocketAddr>,
    sources: Sources,
}

/// The first address of the broker's name, or the address to connect to directly, without a connection attempt.
///
/// # Errors
/// If the name cannot be resolved.
pub(super) async fn resolve(plan: &Plan) -> Result<Option<SocketAddr>, Error> {
    match &plan.broker.endpoint {
        Endpoint { address: Address::Tcp { host, port }, proxy: None, .. } => {
            Ok(tcp::resolve(host, *port).await?.first().copied())
        }
        _ => Ok(None),
    }
}

/// The address to connect to directly; `None` for a unix socket or a proxy. If a name has several addresses, the
/// first one that answers.
///
/// # Errors
/// If the name has no address, or none answers.
pub(super) async fn find(plan: &Plan) -> Result<Option<SocketAddr>, Error> {
    let endpoint = &plan.broker.endpoint;
    if endpoint.proxy.is_some() {
        return Ok(None);
    }
    if let Address::Unix(_) = endpoint.address {
        return Ok(None);
    }
    if let Address::Tcp { host, port } = &endpoint.address
        && let [address] = tcp::resolve(host, *port).await?.as_slice()
    {
        return Ok(Some(*address));
    }
    let connected = tokio::time::timeout(endpoint.timeout, connect_socket(endpoint)).await;
    let stream = connected.map_err(|_| Error::Timeout(endpoint.timeout))??;
    let unknown = || Error::Lost(io::ErrorKind::NotConnected.into());
    stream.peer_address().map(Some).ok_or_else(unknown)
}

impl Target {
    /// The addresses for a known target.
    ///
    /// # Errors
    /// If there are fewer local ports than clients.
    pub(super) fn to(plan: &Plan, target: Option<SocketAddr>, offset: u32) -> Result<Target, Error> {
        let endpoint = match target {
            Some(target) => Endpoint {
                address: Address::Tcp { host: target.ip().to_string(), port: target.port() },
                ..plan.broker.endpoint.clone()
            },
            None => plan.broker.endpoint.clone(),
        };
        let sources = limits::sources(plan.clients(), target, &plan.broker.bind, offset)?;
        Ok(Target { endpoint, target, sources })
    }

    /// The destination, for messages to the user.
    pub(super) fn describe(&self) -> String {
        match (self.target, &self.endpoint.proxy) {
            (Some(target), _) => target.to_string(),
            (None, Some(proxy)) => format!("{} through {proxy}", self.endpoint.address),
            (None, None) => self.endpoint.address.to_string(),
        }
    }

    /// The layers on top of the socket.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Connects a client's socket, below all layers; `client` is its number in this run.
    ///
    /// # Errors
    /// If the connection fails.
    pub(super) async fn connect_socket(&self, client: u32) -> Result<Stream, ConnectError> {
        let bind = match (&self.sources, self.target) {
            (Sources::System(addresses), _) => in_turn(addresses, client),
            (Sources::Spread(spread), None) => spread.address(client),
            (Sources::Spread(spread), Some(target)) => {
                for source in spread.candidates(client) {
                    match tcp::connect_from(source, target).await {
                        Err(error) if is_port_taken(&error) => {}
                        result => return result,
                    }
                }
                spread.address(client)
            }
        };
        match self.target {
            Some(target) => tcp::connect_to(target, bind).await,
            None => self.connect_patiently(bind).await,
        }
    }

    /// Lets the transport find the route. A unix socket with a full queue refuses at once, whereas TCP would wait; so
    /// this retries.
    async fn connect_patiently(&self, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
        let endpoint = Endpoint { bind, ..self.endpoint.clone() };
        loop {
            match connect_socket(&endpoint).await {
                Err(ConnectError::Unix { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(QUEUE_PAUSE).await;
                }
                result => return result,
            }
        }
    }
}

fn in_turn(addresses: &[IpAddr], client: u32) -> Option<IpAddr> {
    let index = (client as usize).checked_rem(addresses.len())?;
    addresses.get(index).copied()
}

/// Whether the local port is in use, or was a moment ago.
fn is_port_taken(error: &ConnectError) -> bool {
    let (ConnectError::Bind { source, .. } | ConnectError::Connect { source, .. }) = error else {
        return false;
    };
    matches!(source.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}
