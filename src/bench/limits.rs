//! What the operating system allows: open files and local ports. Raised where we may, and said in numbers where not.

use crate::error::Error;
use crate::transport::descriptors;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

/// What a process has open besides its clients: standard streams, the embedded broker's pipe, what it inherited.
const OPEN_FILES_OF_PROCESS: u64 = 32;

/// What the event loop of a thread has open.
const OPEN_FILES_OF_THREAD: u64 = 8;

/// How many clients connect from one loopback address. The kernel takes the longer to find a free local port the more are in
/// use: 20,000 clients take several times as long from one address as from addresses and ports that we choose.
const CLIENTS_PER_LOOPBACK_ADDRESS: u32 = 4000;

/// Where Linux says which local ports are given to outgoing connections.
const PORT_RANGE_FILE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// The ports that are given out where nothing is known: the range of IANA, which is smaller than that of Linux.
const DEFAULT_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Raises the limit of open files.
///
/// # Errors
/// When that is not enough for the clients.
pub fn allow_open_files(clients: u32, threads: usize) -> Result<(), Error> {
    check_open_files(clients, threads, descriptors::raise_limit())
}

fn check_open_files(clients: u32, threads: usize, limit: Option<u64>) -> Result<(), Error> {
    let reserved = OPEN_FILES_OF_PROCESS + OPEN_FILES_OF_THREAD * threads as u64;
    let needed = u64::from(clients) + reserved;
    match limit {
        Some(limit) if limit < needed => Err(Error::Usage(format!(
            "{clients} clients need {needed} open files, and this process may have {limit}; \
             `ulimit -n {needed}`, typed by root before this command, allows it, and {} clients fit now",
            limit.saturating_sub(reserved)
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Where the connections come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// One local address, or whichever the system chooses, with a port of the system's choice.
    System(Option<IpAddr>),
    /// Several addresses of 127.0.0.0/8, with ports of ours.
    Loopback(Loopback),
}

/// 127.0.0.1 and addresses that follow it, which share the clients, each with its ports in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    addresses: u32,
    ports_per_address: u32,
    ports: RangeInclusive<u16>,
    /// Where in the range the first port is: runs that follow each other should not meet.
    offset: u32,
}

impl Loopback {
    fn new(clients: u32, ports: RangeInclusive<u16>, offset: u32) -> Loopback {
        let addresses = clients.div_ceil(CLIENTS_PER_LOOPBACK_ADDRESS);
        Loopback { addresses, ports_per_address: clients.div_ceil(addresses), ports, offset }
    }

    /// The addresses for a client to try one after another. No two clients share one.
    pub fn candidates(&self, client: u32) -> impl Iterator<Item = SocketAddr> + use<> {
        let bits = Ipv4Addr::LOCALHOST.to_bits() + client % self.addresses;
        let first = self.offset + client / self.addresses;
        let range = count_ports(&self.ports);
        let start = u32::from(*self.ports.start());
        let rounds = (0..range / self.ports_per_address).map(move |round| (first, round));
        let step = self.ports_per_address;
        rounds.filter_map(move |(first, round)| {
            let port = u16::try_from(start + (first + round * step) % range).ok()?;
            Some(SocketAddr::new(Ipv4Addr::from_bits(bits).into(), port))
        })
    }
}

/// Chooses where to connect from.
///
/// # Errors
/// When there are fewer local ports than clients.
pub fn sources(clients: u32, target: SocketAddr, bind: Option<IpAddr>) -> Result<Sources, Error> {
    spread(clients, target, bind, local_ports(), fastrand::u32(..u32::from(u16::MAX)))
}

fn spread(
    clients: u32,
    target: SocketAddr,
    bind: Option<IpAddr>,
    ports: RangeInclusive<u16>,
    offset: u32,
) -> Result<Sources, Error> {
    // Only Linux takes all of 127.0.0.0/8 for itself.
    let is_loopback = target.is_ipv4() && target.ip().is_loopback() && cfg!(target_os = "linux");
    let count = count_ports(&ports);
    let has_room = count >= CLIENTS_PER_LOOPBACK_ADDRESS;
    if is_loopback && bind.is_none() && has_room && clients > CLIENTS_PER_LOOPBACK_ADDRESS {
        return Ok(Sources::Loopback(Loopback::new(clients, ports, offset)));
    }
    if clients > count {
        return Err(Error::Usage(format!(
            "{clients} clients need as many local ports to reach {target}, and the system gives out {count}; \
             `sysctl -w net.ipv4.ip_local_port_range='1024 65535'`, typed by root, makes it 64512"
        )));
    }
    Ok(Sources::System(bind))
}

fn local_ports() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string(PORT_RANGE_FILE).unwrap_or_default();
    parse_ports(&text).unwrap_or(DEFAULT_PORTS)
}

fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    let (first, last) = (first.parse().ok()?, last.trim().parse().ok()?);
    (0 < first && first <= last).then_some(first..=last)
}

fn count_ports(ports: &RangeInclusive<u16>) -> u32 {
    u32::from(*ports.end()) - u32::from(*ports.start()) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_enough_is_not_refused() {
        assert!(check_open_files(2000, 2, Some(2048)).is_ok());
        assert!(check_open_files(2000, 2, None).is_ok());
    }

    #[test]
    fn a_low_hard_limit_is_told_with_the_number_to_type() {
        let error = check_open_files(20_000, 2, Some(20_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "20000 clients need 20048 open files, and this process may have 20000; `ulimit -n 20048`, typed by \
             root before this command, allows it, and 19952 clients fit now"
        );
    }

    const PORTS: RangeInclusive<u16> = 32_768..=60_999;

    fn sources(clients: u32, target: &str, bind: Option<IpAddr>) -> Result<Sources, Error> {
        spread(clients, target.parse().unwrap(), bind, PORTS, 28_000)
    }

    #[test]
    fn many_clients_connect_from_several_loopback_addresses() {
        let target = "127.0.0.1:1883";
        assert_eq!(sources(4000, target, None).unwrap(), Sources::System(None));
        let bind = Some("127.0.0.9".parse().unwrap());
        assert_eq!(sources(5000, target, bind).unwrap(), Sources::System(bind));
        let Sources::Loopback(loopback) = sources(9000, target, None).unwrap() else {
            panic!("9000 clients are not spread");
        };
        let texts: Vec<String> = loopback.candidates(4).map(|address| address.to_string()).take(3).collect();
        assert_eq!(texts, ["127.0.0.2:60769", "127.0.0.2:35537", "127.0.0.2:38537"]);
        let mut all: Vec<SocketAddr> = (0..9000).flat_map(|client| loopback.candidates(client)).collect();
        let count = all.len();
        assert_eq!(count, 9 * 9000, "every client has nine to try");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn too_few_ports_are_told() {
        let error = sources(30_000, "10.0.0.7:1883", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "30000 clients need as many local ports to reach 10.0.0.7:1883, and the system gives out 28232; \
             `sysctl -w net.ipv4.ip_local_port_range='1024 65535'`, typed by root, makes it 64512"
        );
    }

    #[test]
    fn the_port_range_is_read() {
        assert_eq!(parse_ports("32768\t60999\n"), Some(PORTS));
        assert_eq!(parse_ports("9 1"), None);
        assert_eq!(parse_ports(""), None);
    }
}
