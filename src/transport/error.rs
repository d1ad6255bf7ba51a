//! Why a broker cannot be reached.

use super::{Address, tls::TlsError};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Why a broker cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the name {host} cannot be resolved: {source}")]
    Lookup { host: String, source: io::Error },
    #[error("the name {host} has no address{}", family(*bind))]
    NoAddress { host: String, bind: Option<IpAddr> },
    #[error("cannot connect from local address {address}: {source}")]
    Bind { address: IpAddr, source: io::Error },
    #[error("cannot connect to {address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("cannot connect to the unix socket {}: {source}", path.display())]
    Unix { path: PathBuf, source: io::Error },
    #[error("cannot reach the proxy {proxy}: {source}")]
    ProxyUnreachable { proxy: String, source: Box<ConnectError> },
    #[error("{proxy} did not answer as such a proxy: {reason}")]
    NotAProxy { proxy: String, reason: String },
    #[error("the proxy {proxy} {}", if *had_credentials { "refuses the user name or the password" } else { "wants a user name and a password" })]
    ProxyCredentials { proxy: String, had_credentials: bool },
    #[error("the proxy {proxy} does not connect to {host} port {port}: {reason}")]
    ProxyRefused { proxy: String, host: String, port: u16, reason: String },
    #[error("cannot send the PROXY protocol header: {source}")]
    Preface { source: io::Error },
    #[error("the SRV records of {name} cannot be looked up: {reason}")]
    ServiceLookup { name: String, reason: String },
    #[error("no SRV record for {name}{details}")]
    NoService { name: String, details: &'static str },
    #[error("the server refused a WebSocket at {path}: {status}")]
    WebSocketRefused { path: String, code: u16, status: String },
    #[error("no WebSocket at {path}: {reason}")]
    WebSocket { path: String, reason: String },
    #[error("no connection to {address}{} within {} s", through(proxy.as_deref()), timeout.as_secs_f64())]
    Timeout { address: Address, proxy: Option<String>, timeout: Duration },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn through(proxy: Option<&str>) -> String {
    proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
}

fn family(bind: Option<IpAddr>) -> &'static str {
    match bind {
        Some(IpAddr::V4(_)) => " of IPv4, as the local address has",
        Some(IpAddr::V6(_)) => " of IPv6, as the local address has",
        None => "",
    }
}
