//! Why a broker cannot be reached.

use super::{Address, tls::TlsError};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Why a broker cannot be reached.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the texts say what each is
pub enum ConnectError {
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
    #[error("no connection to {address} within {} s", timeout.as_secs_f64())]
    Timeout { address: Address, timeout: Duration },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn family(bind: Option<IpAddr>) -> &'static str {
    match bind {
        Some(IpAddr::V4(_)) => " of IPv4, as the local address has",
        Some(IpAddr::V6(_)) => " of IPv6, as the local address has",
        None => "",
    }
}
