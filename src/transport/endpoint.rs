//! Where a broker is, and the layers between the socket and MQTT.

use super::{ConnectError, Stream, Tls, tcp, tls, unix};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where a broker is, and how to get there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where the broker listens.
    pub address: Address,
    /// The local address to connect from.
    pub bind: Option<IpAddr>,
    /// The encryption, if there is any.
    pub tls: Option<Tls>,
    /// How long it may all take, up to the point where MQTT can be spoken.
    pub timeout: Duration,
}

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP port.
    Tcp {
        /// A name or an address; IPv6 without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => write!(f, "{host} port {port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Endpoint {
    /// A plain connection to a TCP port.
    pub fn tcp(host: &str, port: u16, bind: Option<IpAddr>, timeout: Duration) -> Endpoint {
        Endpoint { address: Address::Tcp { host: host.to_owned(), port }, bind, tls: None, timeout }
    }
}

/// Connects, layer by layer, within the endpoint's time limit.
///
/// # Errors
/// Which step failed and why, or that the time is up.
pub async fn connect(endpoint: &Endpoint) -> Result<Stream, ConnectError> {
    match tokio::time::timeout(endpoint.timeout, connect_layers(endpoint)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Timeout { address: endpoint.address.clone(), timeout: endpoint.timeout }),
    }
}

async fn connect_layers(endpoint: &Endpoint) -> Result<Stream, ConnectError> {
    let stream = match &endpoint.address {
        Address::Unix(path) => unix::connect(path).await?,
        Address::Tcp { host, port } => tcp::connect(host, *port, endpoint.bind).await?,
    };
    match &endpoint.tls {
        Some(tls) => tls::connect(stream, tls).await,
        None => Ok(stream),
    }
}
