//! Proxies: SOCKS5 (RFC 1928, 1929), and HTTP with CONNECT.

use super::error::{NotProxyReason, ProxyRefusal};
use super::http::{Response, bracketed, read_head};
use super::{ConnectError, Stream, tcp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::io;
use std::net::IpAddr;
use tokio::io::AsyncWriteExt;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error as SocksError, TargetAddr};

/// A proxy. It is shown without its credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// The proxy protocol.
    pub kind: ProxyKind,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// User name and password for the proxy.
    pub credentials: Option<Credentials>,
}

/// The protocol of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// SOCKS5; the broker's name is resolved here.
    Socks5,
    /// SOCKS5; the proxy resolves the broker's name.
    Socks5WithNames,
    HttpConnect,
}

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub user_name: String,
    pub password: String,
}

/// A connection through a proxy.
#[derive(Debug)]
pub(super) struct Tunnel {
    /// The stream to the broker.
    pub(super) stream: Stream,
    /// The requested target: host or address, and port.
    pub(super) target: String,
}

impl ProxyKind {
    /// The scheme of a URL.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Socks5WithNames => "socks5h",
            ProxyKind::HttpConnect => "http",
        }
    }

    /// The port if the URL of the proxy has none.
    pub(crate) fn default_port(self) -> u16 {
        match self {
            ProxyKind::Socks5 | ProxyKind::Socks5WithNames => 1080,
            ProxyKind::HttpConnect => 8080,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.kind.scheme(), bracketed(&self.host), self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Connects to a port through a proxy, which is connected to from `bind`.
pub(super) async fn connect(
    proxy: &Proxy,
    host: &str,
    port: u16,
    bind: Option<IpAddr>,
) -> Result<Tunnel, ConnectError> {
    match proxy.kind {
        ProxyKind::HttpConnect => connect_http(proxy, host, port, bind).await,
        ProxyKind::Socks5WithNames => {
            let target = match host.parse::<IpAddr>() {
                Ok(address) => TargetAddr::Ip((address, port).into()),
                Err(_) => TargetAddr::Domain(host.into(), port),
            };
            connect_socks(proxy, host, target, bind).await
        }
        ProxyKind::Socks5 => {
            let mut failure = ConnectError::NoAddress { host: host.to_owned(), bind: None };
            for address in tcp::resolve(host, port).await? {
                match connect_socks(proxy, host, TargetAddr::Ip(address), bind).await {
                    Err(error @ ConnectError::ProxyRefused { .. }) => failure = error,
                    connected_or_hopeless => return connected_or_hopeless,
                }
            }
            Err(failure)
        }
    }
}

async fn reach(proxy: &Proxy, bind: Option<IpAddr>) -> Result<Stream, ConnectError> {
    tcp::connect(&proxy.host, proxy.port, bind).await.map_err(|source| ConnectError::ProxyUnreachable {
        proxy: proxy.to_string(),
        source: Box::new(source),
    })
}

async fn connect_socks(
    proxy: &Proxy,
    host: &str,
    target: TargetAddr<'_>,
    bind: Option<IpAddr>,
) -> Result<Tunnel, ConnectError> {
    let (stream, port, asked) = (reach(proxy, bind).await?, port_of(&target), target.to_string());
    let connected = match &proxy.credentials {
        Some(Credentials { user_name, password }) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user_name, password).await
        }
        None => Socks5Stream::connect_with_socket(stream, target).await,
    };
    match connected {
        Ok(stream) => Ok(Tunnel { stream: stream.into_inner(), target: asked }),
        Err(error) => Err(socks_failure(proxy, host, port, error)),
    }
}

fn port_of(target: &TargetAddr<'_>) -> u16 {
    match target {
        TargetAddr::Ip(address) => address.port(),
        TargetAddr::Domain(_, port) => *port,
    }
}

/// Separates failures of the proxy from failures of the target.
fn socks_failure(proxy: &Proxy, host: &str, port: u16, error: SocksError) -> ConnectError {
    let refused = |reason| {
        let proxy = proxy.to_string();
        ConnectError::ProxyRefused { proxy, host: host.to_owned(), port, reason }
    };
    let reason = match error {
        SocksError::NoAcceptableAuthMethods
        | SocksError::AuthorizationRequired
        | SocksError::PasswordAuthFailure(_) => return credentials_failure(proxy),
        SocksError::GeneralSocksServerFailure => return refused(ProxyRefusal::General),
        SocksError::ConnectionNotAllowedByRuleset => return refused(ProxyRefusal::Rules),
        SocksError::NetworkUnreachable => return refused(ProxyRefusal::NetworkUnreachable),
        SocksError::HostUnreachable => return refused(ProxyRefusal::HostUnreachable),
        SocksError::ConnectionRefused => return refused(ProxyRefusal::ConnectionRefused),
        SocksError::TtlExpired => return refused(ProxyRefusal::TtlExpired),
        SocksError::CommandNotSupported => return refused(ProxyRefusal::Command),
        SocksError::AddressTypeNotSupported => return refused(ProxyRefusal::AddressType),
        SocksError::UnknownError => return refused(ProxyRefusal::Unknown),
        SocksError::InvalidTargetAddress(reason) | SocksError::InvalidAuthValues(reason) => {
            return refused(ProxyRefusal::Unsendable(reason));
        }
        SocksError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => NotProxyReason::Closed,
        SocksError::Io(error) => NotProxyReason::Io(error),
        _ => NotProxyReason::NotSocks,
    };
    ConnectError::NotAProxy { proxy: proxy.to_string(), reason }
}

fn credentials_failure(proxy: &Proxy) -> ConnectError {
    let had_credentials = proxy.credentials.is_some();
    ConnectError::ProxyCredentials { proxy: proxy.to_string(), had_credentials }
}

async fn connect_http(
    proxy: &Proxy,
    host: &str,
    port: u16,
    bind: Option<IpAddr>,
) -> Result<Tunnel, ConnectError> {
    let mut stream = reach(proxy, bind).await?;
    let not_a_proxy = |reason| ConnectError::NotAProxy { proxy: proxy.to_string(), reason };
    let target = format!("{}:{port}", bracketed(host));
    let request = connect_request(proxy, &target);
    let failed = |error: io::Error| not_a_proxy(NotProxyReason::Io(error));
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let (response, early) = read_head(&mut stream, Response::parse).await.map_err(failed)?;
    match response.code {
        // Whatever is to follow in the tunnel waits for our first bytes.
        200..300 if early.is_empty() => Ok(Tunnel { stream, target }),
        200..300 => Err(not_a_proxy(NotProxyReason::EarlyData)),
        407 => Err(credentials_failure(proxy)),
        _ => {
            let (proxy, host) = (proxy.to_string(), host.to_owned());
            let reason = ProxyRefusal::Http(response.status());
            Err(ConnectError::ProxyRefused { proxy, host, port, reason })
        }
    }
}

fn connect_request(proxy: &Proxy, target: &str) -> String {
    let authorization = proxy.credentials.as_ref().map(|Credentials { user_name, password }| {
        format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{user_name}:{password}")))
    });
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{}\r\n", authorization.unwrap_or_default())
}
