//! The local and remote addresses of the connections, determined once for all clients, so that a name is not resolved
//! ten thousand times.

use super::client_slot::ClientSlot;
use super::error::Error;
use super::limits::{self, Sources};
use super::plan::Plan;
use crate::protocol::sn::client::Settings;
use crate::transport::{Address, ConnectError, Endpoint, Stream, connect_socket, mqtt_sn, tcp};
use std::io;
use std::iter::repeat;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// Pause between attempts to connect to a unix socket whose queue is full.
const QUEUE_PAUSE: Duration = Duration::from_millis(2);

/// The local and remote addresses of the connections.
#[derive(Debug, Clone)]
pub(super) struct Target {
    first: Route,
    /// The routes to further brokers.
    more: Vec<Route>,
}

/// The local and remote addresses of the connections to a broker.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The broker's address and the layers to it.
    endpoint: Endpoint,
    /// The address that the sockets connect to; `None` if the transport finds it.
    target: Option<SocketAddr>,
    sources: Sources,
}

/// The first address of each broker's name, or the address to connect to directly, without a connection attempt.
///
/// # Errors
/// If a name cannot be resolved.
pub(super) async fn resolve(plan: &Plan) -> Result<Vec<Option<SocketAddr>>, Error> {
    let mut addresses = Vec::new();
    for endpoint in plan.broker.endpoints() {
        addresses.push(first_address(endpoint).await?);
    }
    Ok(addresses)
}

async fn first_address(endpoint: &Endpoint) -> Result<Option<SocketAddr>, Error> {
    match endpoint {
        Endpoint {
            address: Address::Tcp { host, port } | Address::Gateway { host, port, .. },
            proxy: None,
            ..
        } => Ok(tcp::resolve(host, *port).await?.first().copied()),
        _ => Ok(None),
    }
}

/// The address of each broker to connect to directly; `None` for a unix socket or a proxy. If a name has several
/// addresses, the first one that answers.
///
/// # Errors
/// If a name has no address. If the only broker's name has several addresses and none of them answers; one of several
/// brokers may be down, and its clients report that.
pub(super) async fn find(plan: &Plan) -> Result<Vec<Option<SocketAddr>>, Error> {
    if plan.broker.more_endpoints.is_empty() {
        return Ok(vec![answering_address(&plan.broker.endpoint).await?]);
    }
    let first = resolve(plan).await?;
    // At the same time, since each may take the whole timeout.
    let searches: Vec<_> = plan
        .broker
        .endpoints()
        .cloned()
        .map(|endpoint| tokio::spawn(async move { answering_address(&endpoint).await }))
        .collect();
    let mut addresses = Vec::new();
    for (search, first) in searches.into_iter().zip(first) {
        let found = search.await;
        addresses.push(found.ok().and_then(Result::ok).unwrap_or(first));
    }
    Ok(addresses)
}

async fn answering_address(endpoint: &Endpoint) -> Result<Option<SocketAddr>, Error> {
    if endpoint.proxy.is_some() {
        return Ok(None);
    }
    if let Address::Unix(_) = endpoint.address {
        return Ok(None);
    }
    if let Address::Gateway { host, port, options } = &endpoint.address {
        let found = timeout(endpoint.timeout, mqtt_sn::find(host, *port, None, options)).await;
        return Ok(Some(found.map_err(|_| Error::Timeout(endpoint.timeout))??));
    }
    if let Address::Tcp { host, port } = &endpoint.address
        && let [address] = tcp::resolve(host, *port).await?.as_slice()
    {
        return Ok(Some(*address));
    }
    let connected = timeout(endpoint.timeout, connect_socket(endpoint)).await;
    let stream = connected.map_err(|_| Error::Timeout(endpoint.timeout))??;
    let unknown = || Error::Lost(io::ErrorKind::NotConnected.into());
    stream.peer_address().map(Some).ok_or_else(unknown)
}

impl Target {
    /// The routes for known addresses, one for each broker.
    ///
    /// # Errors
    /// If there are fewer local ports than clients.
    pub(super) fn to(plan: &Plan, addresses: &[Option<SocketAddr>], offset: u32) -> Result<Target, Error> {
        let counts = plan.clients_of_brokers();
        let addresses = addresses.iter().copied().chain(repeat(None));
        let brokers = plan.broker.endpoints().zip(addresses).zip(counts);
        let routes = brokers.map(|((endpoint, target), clients)| {
            Ok(Route {
                endpoint: endpoint_to(endpoint, target),
                target,
                sources: sources_of(plan, clients, target, offset)?,
            })
        });
        let mut routes = routes.collect::<Result<Vec<_>, Error>>()?;
        Ok(Target { first: routes.remove(0), more: routes })
    }

    /// The route of a client.
    pub(super) fn route(&self, slot: ClientSlot) -> &Route {
        let further = usize::from(slot.broker.unwrap_or_default()).checked_sub(1);
        further.and_then(|index| self.more.get(index)).unwrap_or(&self.first)
    }

    /// The destination of each broker, for messages to the user.
    pub(super) fn describe(&self) -> Vec<String> {
        std::iter::once(&self.first).chain(&self.more).map(Route::describe).collect()
    }
}

fn endpoint_to(endpoint: &Endpoint, target: Option<SocketAddr>) -> Endpoint {
    let Some(target) = target else { return endpoint.clone() };
    let (host, port) = (target.ip().to_string(), target.port());
    let address = match &endpoint.address {
        Address::Gateway { options, .. } => Address::Gateway { host, port, options: options.clone() },
        Address::Tcp { .. } | Address::Service(_) | Address::Unix(_) => Address::Tcp { host, port },
    };
    Endpoint { address, ..endpoint.clone() }
}

/// The local addresses and ports of this many clients. No two clients of all brokers share a chosen one.
fn sources_of(plan: &Plan, clients: u32, target: Option<SocketAddr>, offset: u32) -> Result<Sources, Error> {
    let bind = &plan.broker.bind;
    let sockets = plan.broker.forwarders.unwrap_or(clients);
    match limits::sources(sockets, target, bind, offset)? {
        sources @ Sources::System(_) => Ok(sources),
        Sources::Spread(_) => limits::sources(plan.sockets(), target, bind, offset),
    }
}

impl Route {
    /// The destination, for messages to the user.
    fn describe(&self) -> String {
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

    /// The settings of a client of an MQTT-SN gateway; `None` for a broker.
    pub(super) fn gateway_settings(&self) -> Option<&Settings> {
        match &self.endpoint.address {
            Address::Gateway { options, .. } => Some(&options.settings),
            Address::Tcp { .. } | Address::Service(_) | Address::Unix(_) => None,
        }
    }

    /// Opens a socket for datagrams to the gateway: the one with this number among those of the run. `open` gets its local address, and
    /// that of the gateway.
    ///
    /// # Errors
    /// That of the last attempt.
    pub(super) async fn open_datagrams<T>(
        &self,
        number: u32,
        open: impl AsyncFn(Option<SocketAddr>, SocketAddr) -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let Some(target) = self.target else {
            return Err(ConnectError::NoAddress { host: self.endpoint.address.host(), bind: None });
        };
        let address = match &self.sources {
            Sources::System(addresses) => in_turn(addresses, number),
            Sources::Spread(spread) => {
                for source in spread.candidates(number) {
                    match open(Some(source), target).await {
                        Err(error) if is_port_taken(&error) => {}
                        result => return result,
                    }
                }
                spread.address(number)
            }
        };
        open(address.map(|address| SocketAddr::new(address, 0)), target).await
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
