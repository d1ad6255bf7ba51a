//! Limits of the operating system: open files and local ports. Raised if permitted, else reported with the numbers.

use super::error::Error;
use super::plan::Plan;
use crate::transport::descriptors::{self, OPEN_FILES_OF_PROCESS};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Open files of a thread's event loop.
const OPEN_FILES_OF_THREAD: u64 = 8;

/// Clients per loopback address. The kernel takes longer to find a free local port the more are in use: 20,000
/// clients take several times as long from one address as from addresses and ports that we choose.
const CLIENTS_PER_LOOPBACK_ADDRESS: u32 = 4000;

/// Linux's range of local ports for outgoing connections.
const PORT_RANGE_FILE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// A command that makes that range as large as possible.
pub(crate) const WIDER_PORT_RANGE: &str = "sysctl -w net.ipv4.ip_local_port_range='1024 65535'";

/// The port range if the system's is unknown: that of IANA, which is smaller than Linux's.
const DEFAULT_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// The maximum number of processes; more do not help.
pub(crate) const MAX_PROCESSES: usize = 256;

/// Open files of a worker process in the process that leads it: its standard input and output.
const OPEN_FILES_OF_WORKER: u64 = 2;

/// Open files of the thread that watches the broker, and of the thread that serves pages, with its simultaneous requests.
const OPEN_FILES_OF_WATCH: u64 = 12;
const OPEN_FILES_OF_SERVER: u64 = 32;

/// Clients beside those of the plan: the watch of the broker, and the query of its version.
const MORE_CLIENTS: u32 = 2;

/// The parts of a run that need open files besides its clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The number of processes; `None` for as many as necessary.
    pub processes: Option<usize>,
    pub is_embedded: bool,
    pub watches_broker: bool,
    /// Whether a page or metrics are served.
    pub serves: bool,
}

impl Surroundings {
    /// The open files of the process that leads the run.
    fn open_files(self) -> u64 {
        let of_watch = if self.watches_broker { OPEN_FILES_OF_WATCH } else { 0 };
        of_watch + if self.serves { OPEN_FILES_OF_SERVER } else { 0 }
    }
}

/// The number of open files that the processes of a run need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenFiles {
    /// Of the process with the most clients.
    pub(super) of_clients: u64,
    /// Of the process that leads the worker processes; `None` without them.
    pub(super) of_leader: Option<u64>,
}

impl OpenFiles {
    /// The need of a plan, whose processes are known.
    pub(super) fn of(plan: &Plan, around: Surroundings) -> OpenFiles {
        let most = plan.sockets_of_processes().into_iter().max().unwrap_or_default();
        let of_clients = open_files(most, plan);
        match plan.processes as u64 {
            0 | 1 => OpenFiles { of_clients: of_clients + around.open_files(), of_leader: None },
            processes => {
                let of_workers = OPEN_FILES_OF_WORKER * processes;
                let of_leader = OPEN_FILES_OF_PROCESS + around.open_files() + of_workers;
                OpenFiles { of_clients, of_leader: Some(of_leader) }
            }
        }
    }

    /// The need of a plan if one process has all clients.
    pub(super) fn in_one_process(plan: &Plan, around: Surroundings) -> u64 {
        let threads = OPEN_FILES_OF_THREAD * plan.threads as u64;
        u64::from(plan.sockets() + MORE_CLIENTS) + OPEN_FILES_OF_PROCESS + threads + around.open_files()
    }
}

/// Spreads the clients over the wanted number of processes, or over as many as the limit of open files requires.
///
/// # Errors
/// If no number of processes suffices.
pub(crate) fn spread_over_processes(plan: &mut Plan, around: Surroundings) -> Result<(), Error> {
    spread(plan, around, descriptors::raise_limit())
}

fn spread(plan: &mut Plan, around: Surroundings, limit: Option<u64>) -> Result<(), Error> {
    let (threads, wanted) = (plan.threads, around.processes);
    let enough = OpenFiles::in_one_process(plan, around);
    let limit = limit.unwrap_or(u64::MAX);
    // More processes do not help if the limit is too low for a single client.
    let helps = 1 + OPEN_FILES_OF_PROCESS + OPEN_FILES_OF_THREAD <= limit;
    let most = if helps || wanted.is_some() {
        MAX_PROCESSES.min(plan.sockets().min(plan.clients()).max(1) as usize)
    } else {
        1
    };
    let mut processes = wanted.unwrap_or(1).min(most);
    loop {
        plan.processes = processes;
        // All processes have the same number of threads, so that their numbers of clients are similar.
        plan.threads = threads.max(processes).next_multiple_of(processes);
        if let Some(forwarders) = plan.broker.forwarders {
            // A forwarder belongs to one thread, and each thread needs one.
            plan.threads = plan.threads.min(forwarders as usize / processes * processes).max(processes);
        }
        let needed = OpenFiles::of(plan, around);
        // With the wanted number of processes, their leader may need more than all clients together.
        let of_leader = needed.of_leader.filter(|_| wanted.is_some()).unwrap_or_default();
        let enough = enough.max(of_leader);
        match needed.of_leader.filter(|needed| *needed > limit) {
            _ if needed.of_clients > limit && wanted.is_none() && processes < most => processes += 1,
            _ if needed.of_clients > limit => {
                let clients = plan.clients_of_processes().into_iter().max().unwrap_or_default();
                let (has_siblings, needed) = (processes > 1, needed.of_clients);
                return Err(Error::OpenFiles { clients, has_siblings, needed, limit, enough });
            }
            // More processes would need more open files.
            Some(needed) => {
                return Err(Error::OpenFilesOfLeader { processes, needed, limit, enough });
            }
            None => return Ok(()),
        }
    }
}

/// Raises the limit of open files.
///
/// # Errors
/// If the hard limit is too low for the clients of a process.
pub(crate) fn allow_open_files(plan: &Plan, process: usize) -> Result<(), Error> {
    let clients = plan.clients_of_processes().get(process).copied().unwrap_or_default();
    let sockets = plan.sockets_of_processes().get(process).copied().unwrap_or_default();
    let needed = open_files(sockets, plan);
    match descriptors::raise_limit() {
        Some(limit) if limit < needed => {
            let (has_siblings, enough) = (plan.processes > 1, needed);
            Err(Error::OpenFiles { clients, has_siblings, needed, limit, enough })
        }
        Some(_) | None => Ok(()),
    }
}

/// Open files of a process with this number of sockets.
fn open_files(sockets: u32, plan: &Plan) -> u64 {
    let threads = plan.threads.div_ceil(plan.processes.max(1)) as u64;
    u64::from(sockets) + OPEN_FILES_OF_PROCESS + OPEN_FILES_OF_THREAD * threads
}

/// The maximum number of processes that accept clients for a broker.
pub(crate) const MAX_FRONT_PROCESSES: u16 = 64;

/// The limit of open files is too low for the embedded broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the embedded broker needs {needed} open files{} for {clients} clients, but the limit is {limit}",
    each_of(*processes)
)]
pub(crate) struct BrokerShortage {
    pub clients: u32,
    /// The number of processes that would need the fewest open files each.
    pub processes: u16,
    /// The number of open files that each of them needs.
    pub needed: u64,
    /// The hard limit.
    pub limit: u64,
    /// The limit that is enough for the whole run.
    pub enough: u64,
    /// The maximum number of clients within the limit; 0 if the limit is too low for any.
    pub most_clients: u64,
}

fn each_of(processes: u16) -> String {
    if processes == 1 { String::new() } else { format!(" in each of {processes} processes") }
}

/// The number of processes that accept clients for the embedded broker; 0 if its own process can open enough files.
///
/// # Errors
/// If no number of processes suffices, with the number of files that each needs.
pub(crate) fn front_processes(plan: &Plan, around: Surroundings) -> Result<u16, BrokerShortage> {
    let enough = OpenFiles::in_one_process(plan, around);
    let limit = descriptors::raise_limit();
    if plan.broker.is_gateway() {
        return with_gateway(plan.clients(), enough, limit);
    }
    front_processes_within(plan.clients(), enough, limit)
}

/// The same for an embedded broker with its gateway. The process has both ends of each client's connection to the broker.
fn with_gateway(clients: u32, enough: u64, limit: Option<u64>) -> Result<u16, BrokerShortage> {
    let needed = 2 * u64::from(clients + MORE_CLIENTS) + OPEN_FILES_OF_PROCESS;
    match limit.filter(|limit| *limit < needed) {
        None => Ok(0),
        Some(limit) => {
            let room = limit.saturating_sub(OPEN_FILES_OF_PROCESS) / 2;
            let most_clients = room.saturating_sub(MORE_CLIENTS.into());
            let enough = enough.max(needed);
            Err(BrokerShortage { clients, processes: 1, needed, limit, enough, most_clients })
        }
    }
}

fn front_processes_within(clients: u32, enough: u64, limit: Option<u64>) -> Result<u16, BrokerShortage> {
    let all_clients = clients + MORE_CLIENTS;
    let of_front = |processes: u16| u64::from(all_clients.div_ceil(processes.into())) + OPEN_FILES_OF_PROCESS;
    // The broker has a socket to each.
    let of_broker = |processes: u16| u64::from(processes) + OPEN_FILES_OF_PROCESS;
    let needed = |processes: u16| of_front(processes).max(of_broker(processes));
    let Some(limit) = limit.filter(|limit| *limit < of_front(1)) else { return Ok(0) };
    let all = 1..=MAX_FRONT_PROCESSES;
    all.clone().find(|processes| needed(*processes) <= limit).ok_or_else(|| {
        let free = limit.saturating_sub(OPEN_FILES_OF_PROCESS);
        // Without room for a single client, more processes do not help.
        let best = all.min_by_key(|processes| needed(*processes)).filter(|_| free > 0);
        let processes = best.unwrap_or(1);
        let most = free * free.min(MAX_FRONT_PROCESSES.into());
        let most_clients = most.saturating_sub(MORE_CLIENTS.into());
        BrokerShortage { clients, processes, needed: needed(processes), limit, enough, most_clients }
    })
}

/// Local addresses and ports of the connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sources {
    /// Uses these local addresses in turn, or lets the system choose if the list is empty. The system chooses the ports.
    System(Arc<[IpAddr]>),
    /// Uses addresses and ports that we choose.
    Spread(Spread),
}

/// Local addresses that share the clients, each with a contiguous range of ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spread {
    addresses: Arc<[IpAddr]>,
    ports_per_address: u32,
    ports: RangeInclusive<u16>,
    /// Start of the first port within the range, so that consecutive runs use different ports.
    offset: u32,
}

impl Spread {
    fn new(clients: u32, addresses: Arc<[IpAddr]>, ports: RangeInclusive<u16>, offset: u32) -> Spread {
        let ports_per_address = clients.div_ceil(count(&addresses).max(1)).max(1);
        Spread { addresses, ports_per_address, ports, offset }
    }

    /// 127.0.0.1 and as many of the following addresses as the clients need.
    fn over_loopback(clients: u32, ports: RangeInclusive<u16>, offset: u32) -> Spread {
        let addresses = clients.div_ceil(CLIENTS_PER_LOOPBACK_ADDRESS);
        let address = |index| IpAddr::from(Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + index));
        Spread::new(clients, (0..addresses).map(address).collect(), ports, offset)
    }

    /// The local addresses.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The local address of a client.
    pub(crate) fn address(&self, client: u32) -> Option<IpAddr> {
        self.addresses.get(client as usize % self.addresses.len().max(1)).copied()
    }

    /// The addresses that a client tries in turn. No two clients share one.
    pub(crate) fn candidates(&self, client: u32) -> impl Iterator<Item = SocketAddr> + use<> {
        let address = self.address(client);
        let addresses = count(&self.addresses).max(1);
        let first = self.offset + client / addresses;
        let range = count_ports(&self.ports);
        let start = u32::from(*self.ports.start());
        let step = self.ports_per_address;
        let ports = (0..range / step).map(move |round| start + (first + round * step) % range);
        ports.filter_map(move |port| Some(SocketAddr::new(address?, u16::try_from(port).ok()?)))
    }
}

/// Chooses the local addresses; without a `target`, the transport finds the route itself. The same `offset` leads to
/// the same choice.
///
/// # Errors
/// If there are fewer local ports than clients.
pub(crate) fn sources(
    clients: u32,
    target: Option<SocketAddr>,
    bind: &[IpAddr],
    offset: u32,
) -> Result<Sources, Error> {
    let Some(target) = target else { return Ok(Sources::System(bind.into())) };
    let bind: Arc<[IpAddr]> =
        bind.iter().copied().filter(|address| address.is_ipv4() == target.is_ipv4()).collect();
    choose(clients, target, bind, local_ports(), offset)
}

fn choose(
    clients: u32,
    target: SocketAddr,
    bind: Arc<[IpAddr]>,
    ports: RangeInclusive<u16>,
    offset: u32,
) -> Result<Sources, Error> {
    // Only Linux assigns all of 127.0.0.0/8 to the loopback interface.
    let is_loopback = target.is_ipv4() && target.ip().is_loopback() && cfg!(target_os = "linux");
    let per_address = count_ports(&ports);
    let has_room = per_address >= CLIENTS_PER_LOOPBACK_ADDRESS;
    if is_loopback && bind.is_empty() && has_room && clients > CLIENTS_PER_LOOPBACK_ADDRESS {
        return Ok(Sources::Spread(Spread::over_loopback(clients, ports, offset)));
    }
    let places = u64::from(per_address) * u64::from(count(&bind).max(1));
    if u64::from(clients) > places {
        return Err(Error::LocalPorts { clients, target, available: places, addresses: bind.len() });
    }
    match bind.len() {
        0 | 1 => Ok(Sources::System(bind)),
        _ => Ok(Sources::Spread(Spread::new(clients, bind, ports, offset))),
    }
}

/// The local ports that the system assigns to outgoing connections.
pub(super) fn local_ports() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string(PORT_RANGE_FILE).unwrap_or_default();
    parse_ports(&text).unwrap_or(DEFAULT_PORTS)
}

fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    let (first, last) = (first.parse().ok()?, last.trim().parse().ok()?);
    (0 < first && first <= last).then_some(first..=last)
}

pub(super) fn count_ports(ports: &RangeInclusive<u16>) -> u32 {
    u32::from(*ports.end()) - u32::from(*ports.start()) + 1
}

fn count(addresses: &[IpAddr]) -> u32 {
    u32::try_from(addresses.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::{group, plan};

    /// The numbers of processes and threads for the clients.
    fn spread_clients(clients: u32, limit: u64, wanted: Option<usize>) -> Result<(usize, usize), String> {
        let mut plan = plan(vec![group(clients, 0)]);
        let around = Surroundings { processes: wanted, ..Surroundings::default() };
        spread(&mut plan, around, Some(limit)).map_err(|error| error.to_string())?;
        Ok((plan.processes, plan.threads))
    }

    #[test]
    fn clients_are_spread_over_processes_where_one_is_not_enough() {
        assert_eq!(spread_clients(2000, 2048, None), Ok((1, 2)));
        assert_eq!(spread_clients(2001, 2048, None), Ok((2, 2)));
        assert_eq!(spread_clients(20_000, 20_000, None), Ok((2, 2)));
        assert_eq!(spread_clients(200, 128, None), Ok((3, 3)));
        assert_eq!(spread_clients(200, 2048, Some(3)), Ok((3, 3)));
        assert_eq!(spread_clients(2, 2048, Some(3)), Ok((2, 2)), "no process is without a client");
    }

    #[test]
    fn a_limit_that_no_number_of_processes_meets_is_an_error_with_the_number_needed() {
        assert_eq!(
            spread_clients(20_000, 64, None).unwrap_err(),
            "79 clients in each of the processes need 119 open files, but the limit is 64"
        );
        assert_eq!(
            spread_clients(4000, 100, None).unwrap_err(),
            "the process that leads 67 worker processes needs 166 open files, but the limit is 100"
        );
        assert!(spread_clients(2000, 100, None).is_ok());
    }

    #[test]
    fn a_limit_that_no_process_meets_is_an_error_about_one() {
        let one = "20 clients need 68 open files, but the limit is 30".to_owned();
        assert_eq!(spread_clients(20, 30, None), Err(one));
        let shortage = front_processes_within(40, 90, Some(30)).unwrap_err();
        let text = "the embedded broker needs 74 open files for 40 clients, but the limit is 30";
        assert_eq!(shortage.to_string(), text);
    }

    #[test]
    fn the_limit_that_an_error_recommends_is_enough() {
        let around = [
            Surroundings::default(),
            Surroundings { processes: Some(256), ..Surroundings::default() },
            Surroundings { is_embedded: true, watches_broker: true, serves: true, processes: None },
        ];
        for around in around {
            for (clients, limit) in [(1, 10), (2, 40), (300, 40), (300, 50), (4000, 100), (70_000, 256)] {
                let mut plan = plan(vec![group(clients, 0)]);
                let Err(error) = spread(&mut plan.clone(), around, Some(limit)) else { continue };
                let (Error::OpenFiles { enough, .. } | Error::OpenFilesOfLeader { enough, .. }) = error
                else {
                    panic!("{error}");
                };
                assert!(enough > limit && front_processes_within(clients, 0, Some(enough)).is_ok());
                assert!(spread(&mut plan, around, Some(enough)).is_ok(), "{clients} {limit} {enough}");
            }
        }
    }

    #[test]
    fn the_embedded_broker_gets_processes_for_clients_beyond_the_limit() {
        let processes = |clients, limit| front_processes_within(clients, 1_000_066, Some(limit));
        assert_eq!(processes(19_966, 20_000), Ok(0));
        assert_eq!(processes(20_000, 20_000), Ok(2));
        assert_eq!(processes(1_000_000, 20_000), Ok(51));
        assert_eq!(front_processes_within(1_000_000, 0, None), Ok(0));
        assert_eq!(
            processes(1_000_000, 1024).unwrap_err().to_string(),
            "the embedded broker needs 15658 open files in each of 64 processes for 1000000 clients, but the limit is 1024"
        );
        assert_eq!(processes(1_000_000, 1024).unwrap_err().most_clients, 63_486);
        let most = processes(4000, 64).unwrap_err().most_clients;
        assert_eq!(most, 1022, "the broker has room for 32 processes");
        assert_eq!((processes(1022, 64), processes(1023, 64).is_err()), (Ok(32), true));
        assert_eq!(processes(2, 32).unwrap_err().most_clients, 0);
    }

    const PORTS: RangeInclusive<u16> = 32_768..=60_999;

    fn sources(clients: u32, target: &str, bind: &[&str]) -> Result<Sources, Error> {
        let bind = bind.iter().map(|address| address.parse().unwrap()).collect();
        choose(clients, target.parse().unwrap(), bind, PORTS, 28_000)
    }

    /// Asserts that no two clients try the same address.
    fn assert_apart(spread: &Spread, clients: u32, each: usize) {
        let mut all: Vec<SocketAddr> = (0..clients).flat_map(|client| spread.candidates(client)).collect();
        assert_eq!(all.len(), each * clients as usize);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), each * clients as usize);
    }

    #[test]
    fn many_clients_connect_from_several_loopback_addresses() {
        let target = "127.0.0.1:1883";
        assert_eq!(sources(4000, target, &[]).unwrap(), Sources::System(Arc::default()));
        let bind = ["127.0.0.9".parse().unwrap()];
        assert_eq!(sources(5000, target, &["127.0.0.9"]).unwrap(), Sources::System(bind.into()));
        let Sources::Spread(spread) = sources(9000, target, &[]).unwrap() else {
            panic!("9000 clients are not spread");
        };
        let texts: Vec<String> = spread.candidates(4).map(|address| address.to_string()).take(3).collect();
        assert_eq!(texts, ["127.0.0.2:60769", "127.0.0.2:35537", "127.0.0.2:38537"]);
        assert_apart(&spread, 9000, 9);
    }

    #[test]
    fn the_addresses_that_were_typed_share_the_clients() {
        let Sources::Spread(spread) = sources(50_000, "10.0.0.7:1883", &["10.0.0.1", "10.0.0.2"]).unwrap()
        else {
            panic!("two addresses are not used");
        };
        assert_eq!(spread.candidates(1).next(), Some("10.0.0.2:60768".parse().unwrap()));
        assert_apart(&spread, 50_000, 1);
    }

    #[test]
    fn too_few_ports_are_reported() {
        let error = sources(30_000, "10.0.0.7:1883", &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "30000 clients need as many local ports to reach 10.0.0.7:1883, but only 28232 are available"
        );
        assert!(sources(60_000, "10.0.0.7:1883", &["10.0.0.1", "10.0.0.2"]).is_err());
    }

    #[test]
    fn the_port_range_is_read() {
        assert_eq!(parse_ports("32768\t60999\n"), Some(PORTS));
        assert_eq!(parse_ports("9 1"), None);
        assert_eq!(parse_ports(""), None);
    }
}
