//! The address of a broker, and the layers between the socket and MQTT.

use super::error::NoService;
use super::web_socket::{self, Upgrade};
use super::{ConnectError, GatewayOptions, Proxy, Stream, Tls, mqtt_sn, proxy, srv, tcp, tls, unix};
use crate::protocol::{ProxyHeader, ProxyVersion};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// The address of a broker, and the layers of a connection to it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The address on which the broker listens.
    pub address: Address,
    /// The proxy to go through; not for unix sockets.
    pub proxy: Option<Proxy>,
    /// A header of the PROXY protocol in front of all layers.
    pub preface: Option<Preface>,
    /// The local address to connect from, to the proxy if there is one.
    pub bind: Option<IpAddr>,
    /// The encryption.
    pub tls: Option<Tls>,
    /// The WebSocket to open, if MQTT runs over one.
    pub web_socket: Option<Upgrade>,
    /// The timeout for connecting all layers below MQTT.
    pub timeout: Duration,
}

/// A header of the PROXY protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Preface {
    /// A header with the addresses of the socket; on a unix socket, without addresses.
    OfSocket(ProxyVersion),
    /// The bytes of a received header.
    Forwarded(Vec<u8>),
}

impl Preface {
    /// Sends the header.
    ///
    /// # Errors
    /// If the connection breaks.
    pub(crate) async fn send(&self, stream: &mut Stream) -> Result<(), ConnectError> {
        let own;
        let bytes = match self {
            Preface::Forwarded(bytes) => bytes,
            Preface::OfSocket(version) => {
                let addresses = stream.local_address().zip(stream.peer_address());
                own = ProxyHeader { version: *version, addresses }.to_bytes();
                &own
            }
        };
        let sent = match stream.write_all(bytes).await {
            Ok(()) => stream.flush().await,
            Err(error) => Err(error),
        };
        sent.map_err(|source| ConnectError::Preface { source })
    }
}

/// The address on which a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A TCP port.
    Tcp {
        /// A name or an address; IPv6 without brackets.
        host: String,
        port: u16,
    },
    /// The servers in the SRV records of this name, such as `_mqtt._tcp.example.com`.
    Service(String),
    /// A unix socket.
    Unix(PathBuf),
    /// The UDP port of an MQTT-SN gateway.
    Gateway {
        /// A name or an address; IPv6 without brackets.
        host: String,
        port: u16,
        options: Box<GatewayOptions>,
    },
}

impl Address {
    /// The host without the port, the service's name, or the socket's path.
    pub(crate) fn host(&self) -> String {
        match self {
            Address::Tcp { host, .. } | Address::Gateway { host, .. } => host.clone(),
            Address::Service(name) => name.clone(),
            Address::Unix(path) => path.display().to_string(),
        }
    }

    /// Whether a gateway is searched there.
    pub(crate) fn is_searched(&self) -> bool {
        matches!(self, Address::Gateway { options, .. } if options.searches)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => write!(f, "{host} port {port}"),
            Address::Gateway { host, port, .. } => write!(f, "{host} UDP port {port}"),
            Address::Service(name) => write!(f, "a server of {name}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Endpoint {
    /// A plain connection to a TCP port.
    #[cfg(test)]
    pub(crate) fn tcp(host: &str, port: u16, bind: Option<IpAddr>, timeout: Duration) -> Endpoint {
        let address = Address::Tcp { host: host.to_owned(), port };
        Endpoint { address, proxy: None, preface: None, tls: None, web_socket: None, bind, timeout }
    }

    /// Also offers the WebSocket subprotocol of MQTT 3.1, if that is the version.
    pub(crate) fn offer_v31(&mut self, is_v31: bool) {
        if let Some(upgrade) = &mut self.web_socket {
            upgrade.offers_v31 = is_v31;
        }
    }
}

/// A layer of a connection, in the order in which they are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The socket, including name resolution and the proxy.
    Socket,
    /// The encryption.
    Tls,
    WebSocket,
}

/// A step of building a connection.
#[derive(Debug)]
pub(crate) enum ConnectStep<'s> {
    /// The proxy connected to this host or address, and port.
    Tunnel(&'s str),
    /// A layer is complete.
    Laid(Layer),
}

/// Connects, layer by layer, within the endpoint's time limit.
///
/// # Errors
/// The failed step and its reason, or a timeout.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Stream, ConnectError> {
    connect_observed(endpoint, |_| {}).await
}

/// Like [`connect`], with a callback for each finished step.
///
/// # Errors
/// The failed step and its reason, or a timeout.
pub(crate) async fn connect_observed(
    endpoint: &Endpoint,
    observe: impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    match tokio::time::timeout(endpoint.timeout, connect_layers(endpoint, observe)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Timeout {
            address: endpoint.address.clone(),
            proxy: endpoint.proxy.as_ref().map(ToString::to_string),
            timeout: endpoint.timeout,
        }),
    }
}

async fn connect_layers(
    endpoint: &Endpoint,
    mut observe: impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    let socket = connect_bottom(endpoint, &mut observe).await?;
    add_layers(socket, endpoint, endpoint.tls.as_ref(), observe).await
}

/// Adds the endpoint's layers on a connected socket, with a callback for each finished layer, the socket included. `tls` are the
/// endpoint's settings, or the same with a session of their own.
///
/// # Errors
/// The failed layer and its reason.
pub(crate) async fn add_layers(
    mut stream: Stream,
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    mut observe: impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    if let Some(preface) = &endpoint.preface {
        preface.send(&mut stream).await?;
    }
    observe(ConnectStep::Laid(Layer::Socket));
    if let Some(tls) = tls {
        stream = tls::connect(stream, tls).await?;
        observe(ConnectStep::Laid(Layer::Tls));
    }
    if let Some(upgrade) = &endpoint.web_socket {
        stream = web_socket::connect(stream, upgrade).await?;
        observe(ConnectStep::Laid(Layer::WebSocket));
    }
    Ok(stream)
}

/// Connects the socket, through the proxy if there is one, without the layers above. The only timeout is the system's.
///
/// # Errors
/// The failed step and its reason.
pub(crate) async fn connect_socket(endpoint: &Endpoint) -> Result<Stream, ConnectError> {
    connect_bottom(endpoint, &mut |_: ConnectStep<'_>| {}).await
}

async fn connect_bottom(
    endpoint: &Endpoint,
    observe: &mut impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    match &endpoint.address {
        Address::Unix(path) => unix::connect(path).await,
        Address::Tcp { host, port } => reach(endpoint, host, *port, observe).await,
        Address::Service(name) => reach_service(endpoint, name, observe).await,
        Address::Gateway { host, port, options } => {
            mqtt_sn::connect(host, *port, endpoint.bind, options).await
        }
    }
}

/// Tries one server after the other, in the order that their records ask for.
async fn reach_service(
    endpoint: &Endpoint,
    name: &str,
    observe: &mut impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    let mut failure = ConnectError::NoService { name: name.to_owned(), details: NoService::NoRecord };
    for target in srv::look_up(name).await? {
        match reach(endpoint, &target.host, target.port, observe).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn reach(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
    observe: &mut impl FnMut(ConnectStep<'_>),
) -> Result<Stream, ConnectError> {
    let Some(proxy) = &endpoint.proxy else { return tcp::connect(host, port, endpoint.bind).await };
    let tunnel = proxy::connect(proxy, host, port, endpoint.bind).await?;
    observe(ConnectStep::Tunnel(&tunnel.target));
    Ok(tunnel.stream)
}
