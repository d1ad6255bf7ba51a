//! Why a broker cannot be reached.

use super::{Address, tls::TlsError};
use std::fmt;
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
    #[error("{proxy} did not answer as a proxy of this kind: {reason}")]
    NotAProxy { proxy: String, reason: NotProxyReason },
    #[error("the proxy {proxy} {}", if *had_credentials { "rejected the user name or the password" } else { "requires a user name and a password" })]
    ProxyCredentials { proxy: String, had_credentials: bool },
    #[error("the proxy {proxy} refused to connect to {host} port {port}: {reason}")]
    ProxyRefused { proxy: String, host: String, port: u16, reason: ProxyRefusal },
    #[error("cannot send the PROXY protocol header: {source}")]
    Preface { source: io::Error },
    #[error("the SRV records of {name} cannot be looked up: {reason}")]
    ServiceLookup { name: String, reason: String },
    #[error("no SRV record for {name}{details}")]
    NoService { name: String, details: NoService },
    #[error("the server refused the WebSocket at {path}: {status}")]
    WebSocketRefused { path: String, code: u16, status: String },
    #[error("no WebSocket at {path}: {reason}")]
    WebSocket { path: String, reason: WebSocketFault },
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

/// The sign that a server is not a proxy of the configured protocol.
#[derive(Debug)]
pub(crate) enum NotProxyReason {
    Closed,
    NotSocks,
    /// Bytes followed the answer to CONNECT.
    EarlyData,
    Io(io::Error),
}

impl fmt::Display for NotProxyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotProxyReason::Closed => f.write_str("it closed the connection"),
            NotProxyReason::NotSocks => f.write_str("its answer is not SOCKS5"),
            NotProxyReason::EarlyData => f.write_str("it sent more than an answer to CONNECT"),
            NotProxyReason::Io(error) => error.fmt(f),
        }
    }
}

/// The proxy's reason for not connecting to the broker: a reply of SOCKS (RFC 1928, section 6), or the status line of HTTP.
#[derive(Debug)]
pub(crate) enum ProxyRefusal {
    General,
    Rules,
    NetworkUnreachable,
    HostUnreachable,
    ConnectionRefused,
    TtlExpired,
    Command,
    AddressType,
    Unknown,
    /// The library cannot send this host or these credentials.
    Unsendable(&'static str),
    Http(String),
}

impl fmt::Display for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyRefusal::General => "general failure",
            ProxyRefusal::Rules => "its rules do not allow it",
            ProxyRefusal::NetworkUnreachable => "network unreachable",
            ProxyRefusal::HostUnreachable => "host unreachable",
            ProxyRefusal::ConnectionRefused => "connection refused",
            ProxyRefusal::TtlExpired => "TTL expired",
            ProxyRefusal::Command => "command not supported",
            ProxyRefusal::AddressType => "address type not supported",
            ProxyRefusal::Unknown => "unknown error",
            ProxyRefusal::Unsendable(reason) => reason,
            ProxyRefusal::Http(status) => status,
        })
    }
}

/// The reason why a name has no SRV record that can be used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoService {
    NoRecord,
    NoName,
    /// The record's target is the root: RFC 2782 defines it as "no such service".
    NotOffered,
}

impl fmt::Display for NoService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoService::NoRecord => "",
            NoService::NoName => ": the name does not exist",
            NoService::NotOffered => ": the domain says that it has no such server",
        })
    }
}

/// The reason why a server's answer does not open a WebSocket for MQTT.
#[derive(Debug)]
pub(crate) enum WebSocketFault {
    OtherProtocol,
    /// `Sec-WebSocket-Accept` is not that of the request's key.
    OtherRequest,
    Extension,
    /// The server chose none of the offered subprotocols, but another.
    OtherSubprotocol(String),
    /// The server chose none of the offered subprotocols.
    NoSubprotocol(String),
    Io(io::Error),
}

impl fmt::Display for WebSocketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebSocketFault::OtherProtocol => {
                f.write_str("the server changes to another protocol than WebSocket")
            }
            WebSocketFault::OtherRequest => {
                f.write_str("the server's answer belongs to another request (Sec-WebSocket-Accept)")
            }
            WebSocketFault::Extension => f.write_str("the server chose an extension that was not offered"),
            WebSocketFault::OtherSubprotocol(offered) => {
                write!(f, "the server chose another subprotocol than {offered}")
            }
            WebSocketFault::NoSubprotocol(offered) => {
                write!(f, "the server does not speak MQTT there: it did not take the subprotocol {offered}")
            }
            WebSocketFault::Io(error) => error.fmt(f),
        }
    }
}
