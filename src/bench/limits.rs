//! What the operating system allows: open files and local ports. Raised where we may, and said in numbers where not.

use crate::error::Error;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What a process has open besides its clients: standard streams, the embedded broker's pipe, what it inherited.
const OPEN_FILES_OF_PROCESS: u64 = 32;

/// What the event loop of a thread has open.
const OPEN_FILES_OF_THREAD: u64 = 8;

/// How many clients connect from one loopback address. Finding a free local port takes longer the more of the 28,232 default
/// ones are taken: from one address, 20,000 clients take five times as long as from several.
const CLIENTS_PER_LOOPBACK_ADDRESS: u64 = 4000;

/// Where Linux says which local ports are given to outgoing connections.
const PORT_RANGE_FILE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// The ports that are given out where nothing is known: the range of IANA, which is smaller than that of Linux.
const DEFAULT_PORTS: u64 = 16_384;

/// Raises the limit of open files as far as the clients need it.
///
/// # Errors
/// When the hard limit is below that.
pub fn allow_open_files(clients: u64, threads: usize) -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile);
    let Some(needed) = missing_open_files(clients, threads, limit)? else {
        return Ok(());
    };
    let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).map_err(|source| Error::System {
        action: format!("raise the limit of open files to {needed}"),
        source: source.into(),
    })
}

/// How high the soft limit must be raised; `None` when it is high enough.
fn missing_open_files(clients: u64, threads: usize, limit: Rlimit) -> Result<Option<u64>, Error> {
    let needed = clients + OPEN_FILES_OF_PROCESS + OPEN_FILES_OF_THREAD * threads as u64;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(None);
    }
    match limit.maximum {
        Some(maximum) if maximum < needed => {
            let possible = needed - clients;
            Err(Error::Usage(format!(
                "{clients} clients need {needed} open files, and this process may have {maximum}; \
                 `ulimit -n {needed}`, typed by root before this command, allows it, and {} clients fit now",
                maximum.saturating_sub(possible)
            )))
        }
        Some(_) | None => Ok(Some(needed)),
    }
}

/// The local addresses to connect from, each for an equal share of the clients; `None` leaves the choice to the system.
///
/// # Errors
/// When there are fewer local ports than clients.
pub fn source_addresses(
    clients: u64,
    target: SocketAddr,
    bind: Option<IpAddr>,
) -> Result<Vec<Option<IpAddr>>, Error> {
    spread(clients, target, bind, local_ports())
}

fn spread(
    clients: u64,
    target: SocketAddr,
    bind: Option<IpAddr>,
    ports: u64,
) -> Result<Vec<Option<IpAddr>>, Error> {
    // Only Linux takes all of 127.0.0.0/8 for itself.
    let is_spreadable =
        bind.is_none() && target.ip().is_loopback() && target.is_ipv4() && cfg!(target_os = "linux");
    if is_spreadable && clients > CLIENTS_PER_LOOPBACK_ADDRESS {
        return Ok(loopback_addresses(clients.div_ceil(CLIENTS_PER_LOOPBACK_ADDRESS)));
    }
    if clients > ports {
        return Err(Error::Usage(format!(
            "{clients} clients need as many local ports to reach {target}, and the system gives out {ports}; \
             `sysctl -w net.ipv4.ip_local_port_range='1024 65535'`, typed by root, makes it 64512"
        )));
    }
    Ok(vec![bind])
}

/// 127.0.0.1 and those that follow it.
fn loopback_addresses(count: u64) -> Vec<Option<IpAddr>> {
    let first = Ipv4Addr::LOCALHOST.to_bits();
    let last = u32::try_from(count).map_or(u32::MAX, |count| first.saturating_add(count));
    (first..last).map(|bits| Some(IpAddr::V4(Ipv4Addr::from_bits(bits)))).collect()
}

fn local_ports() -> u64 {
    let text = std::fs::read_to_string(PORT_RANGE_FILE).unwrap_or_default();
    count_ports(&text).unwrap_or(DEFAULT_PORTS)
}

fn count_ports(text: &str) -> Option<u64> {
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then(|| last - first + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(current: u64, maximum: u64) -> Rlimit {
        Rlimit { current: Some(current), maximum: Some(maximum) }
    }

    #[test]
    fn the_soft_limit_is_raised_only_as_far_as_needed() {
        assert_eq!(missing_open_files(100, 2, limit(1024, 4096)).unwrap(), None);
        assert_eq!(missing_open_files(2000, 2, limit(1024, 4096)).unwrap(), Some(2048));
        let unlimited = Rlimit { current: Some(10), maximum: None };
        assert_eq!(missing_open_files(2000, 2, unlimited).unwrap(), Some(2048));
        assert_eq!(missing_open_files(2000, 2, Rlimit { current: None, maximum: None }).unwrap(), None);
    }

    #[test]
    fn a_low_hard_limit_is_told_with_the_number_to_type() {
        let error = missing_open_files(20_000, 2, limit(1024, 20_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "20000 clients need 20048 open files, and this process may have 20000; `ulimit -n 20048`, typed by \
             root before this command, allows it, and 19952 clients fit now"
        );
    }

    #[test]
    fn many_clients_connect_from_several_loopback_addresses() {
        let target = "127.0.0.1:1883".parse().unwrap();
        let all = |clients| spread(clients, target, None, 28_232).unwrap();
        assert_eq!(all(4000), [None]);
        let texts: Vec<String> = all(9000).into_iter().flatten().map(|address| address.to_string()).collect();
        assert_eq!(texts, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    }

    #[test]
    fn too_few_ports_are_told() {
        let target = "10.0.0.7:1883".parse().unwrap();
        let error = spread(30_000, target, None, 28_232).unwrap_err();
        assert_eq!(
            error.to_string(),
            "30000 clients need as many local ports to reach 10.0.0.7:1883, and the system gives out 28232; \
             `sysctl -w net.ipv4.ip_local_port_range='1024 65535'`, typed by root, makes it 64512"
        );
        let bind = Some("127.0.0.9".parse().unwrap());
        assert_eq!(spread(5000, "127.0.0.1:1883".parse().unwrap(), bind, 28_232).unwrap(), [bind]);
    }

    #[test]
    fn the_port_range_is_read() {
        assert_eq!(count_ports("32768\t60999\n"), Some(28_232));
        assert_eq!(count_ports("9 1"), None);
        assert_eq!(count_ports(""), None);
    }
}
