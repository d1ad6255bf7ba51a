//! `--check`: the limits of this machine, whether a plan fits into them, and how to raise each limit.
//!
//! The facts about the machine are collected first (`Machine`) and judged afterwards, so that tests can judge any
//! machine.

use super::connection_tracking::{ConnectionTracking, TrackedConnections};
use super::error::Error;
use super::kernel_file;
use super::limits::{self, BrokerShortage, OpenFiles, Sources, Surroundings, WIDER_PORT_RANGE};
use super::plan::Plan;
use super::report::{COLUMNS, folded};
use super::target::resolve;
use crate::columns;
use crate::transport::descriptors;
use crate::words::counted;
use std::fmt::Write;
use std::fs::read_to_string;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;

/// Memory of an idle client in this process, and in the kernel for its socket. Measured with a release build and
/// thousands of clients, and rounded up (`docs/performance.md`).
const BYTES_PER_CLIENT: u64 = 2 * 1024;
const BYTES_PER_SOCKET: u64 = 4 * 1024;
/// Additional memory of a client of an MQTT-SN gateway: its adapter, its timer and its topic ids.
const BYTES_PER_GATEWAY_CLIENT: u64 = 3 * 1024;
/// Additional memory of a TLS connection, mostly the state of rustls.
const BYTES_PER_TLS: u64 = 9 * 1024;
/// Additional memory of a TLS session that the client can resume.
const BYTES_PER_TLS_SESSION: u64 = 2 * 1024;
/// Memory of a process without its clients.
const BYTES_PER_PROCESS: u64 = 10 * 1024 * 1024;

const MEBIBYTE: u64 = 1024 * 1024;

/// A receive buffer for the bursts of thousands of clients.
const ENOUGH_RECEIVE_BUFFER: u64 = 4 * MEBIBYTE;

/// The findings about a plan on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    findings: Vec<Finding>,
}

/// A limit, and whether the plan fits into it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    name: &'static str,
    fit: Fit,
    text: String,
    lift: Vec<Lift>,
}

/// A way to raise a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lift {
    /// A command to type or a setting of another program, with a remark.
    Measure(String),
    /// More local addresses, as in the example.
    LocalAddresses(&'static str),
    /// More machines.
    Machines,
    /// Room for this number of clients at the gateway.
    GatewayClients(u32),
    /// Fewer connections per second.
    ConnectRate,
}

impl From<String> for Lift {
    fn from(measure: String) -> Lift {
        Lift::Measure(measure)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Enough,
    TooLittle,
    /// Not visible from this process.
    Unknown,
}

/// The limits and the load of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Machine {
    soft_files: Option<u64>,
    hard_files: Option<u64>,
    /// The maximum that the hard limit can be raised to.
    most_files: Option<u64>,
    /// Open files of all processes: allowed, and in use.
    all_files: Option<(u64, u64)>,
    ports: RangeInclusive<u16>,
    /// The ports of this range in use, including those in TIME_WAIT.
    ports_in_use: u64,
    /// Available memory in bytes.
    memory: Option<u64>,
    accept_queue: Option<u64>,
    syn_queue: Option<u64>,
    /// The receive buffer of a UDP socket in bytes: the default, and the maximum.
    receive_buffer: Option<u64>,
    largest_receive_buffer: Option<u64>,
    /// Connections that the firewall tracks.
    tracked: Option<TrackedConnections>,
}

/// Checks this machine against a plan.
///
/// # Errors
/// If the broker's name cannot be resolved.
pub(crate) async fn check(mut plan: Plan, around: Surroundings) -> Result<Check, Error> {
    let machine = Machine::look(&plan);
    let targets = match around.is_embedded {
        true => vec![Some(SocketAddr::from(([127, 0, 0, 1], 1883)))],
        false => resolve(&plan).await?,
    };
    let target = targets.iter().copied().flatten().next();
    let enough = OpenFiles::in_one_process(&plan, around);
    let fronts = around.is_embedded.then(|| limits::front_processes(&plan, around));
    let spread = limits::spread_over_processes(&mut plan, around);
    let files = machine.files(OpenFiles::of(&plan, around), &plan, enough, &spread);
    let mut findings = vec![summary(&plan, &targets), files];
    findings.extend(machine.files_of_all(&plan));
    findings.extend(target.map(|target| machine.local_ports(&plan, target)));
    findings.push(machine.memory(&plan));
    findings.extend(machine.tracking(&plan));
    findings.push(if plan.broker.is_gateway() { machine.buffers() } else { machine.queues(target) });
    findings.push(broker(&plan, fronts));
    Ok(Check { findings })
}

impl Check {
    /// Whether no known limit is too low for the plan.
    pub(crate) fn fits(&self) -> bool {
        self.findings.iter().all(|finding| finding.fit != Fit::TooLittle)
    }

    /// The findings as text for a terminal, with the caller's text for each way to raise a limit.
    pub(crate) fn to_text(&self, describe: impl Fn(&Lift) -> String) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let fit = match finding.fit {
                Fit::Enough => "fits",
                Fit::TooLittle => "NO",
                Fit::Unknown => "",
            };
            let _ = writeln!(text, "{:<14} {fit:<5} {}", finding.name, folded(&finding.text, TEXT_COLUMN));
            finding.lift.iter().for_each(|lift| text += &lift_lines(&describe(lift)));
        }
        text += if self.fits() { "\nThe run fits.\n" } else { "\nThe run does not fit.\n" };
        text
    }
}

/// The column of the text of a finding, and the leftmost one of a long command.
const TEXT_COLUMN: usize = 21;
const LEFTMOST: usize = 4;

/// A way to raise a limit on lines of its own. A command stays on one line, to be copied; a remark that does not fit follows it.
fn lift_lines(lift: &str) -> String {
    let room = |text: &str| COLUMNS.saturating_sub(columns::width(text));
    if room(lift) >= TEXT_COLUMN {
        return format!("{:TEXT_COLUMN$}{lift}\n", "");
    }
    let (command, remark) = lift.split_once("    (").unwrap_or((lift, ""));
    let indent = room(command).clamp(LEFTMOST, TEXT_COLUMN);
    let remark = match remark {
        "" => String::new(),
        remark => format!("{:TEXT_COLUMN$}{}\n", "", folded(&format!("({remark}"), TEXT_COLUMN)),
    };
    format!("{:indent$}{command}\n{remark}", "")
}

fn summary(plan: &Plan, targets: &[Option<SocketAddr>]) -> Finding {
    let places = plan.broker.endpoints().zip(targets).map(|(endpoint, target)| match target {
        Some(target) => target.to_string(),
        None => endpoint.address.to_string(),
    });
    let place = places.collect::<Vec<_>>().join(", ");
    let layers = match (&plan.broker.endpoint.tls, &plan.broker.endpoint.web_socket) {
        (Some(_), Some(_)) => ", with TLS and WebSocket".to_owned(),
        (Some(_), None) => ", with TLS".to_owned(),
        (None, Some(_)) => ", with WebSocket".to_owned(),
        (None, None) if plan.broker.is_gateway() => match plan.broker.forwarders {
            Some(count) => format!(", with MQTT-SN through {count} forwarders"),
            None => ", with MQTT-SN".to_owned(),
        },
        (None, None) => String::new(),
    };
    let processes =
        if plan.processes > 1 { format!(" in {} processes", plan.processes) } else { String::new() };
    let text = format!(
        "{} to {place}{layers}, on {}{processes}",
        counted(plan.clients(), "client"),
        counted(plan.threads, "thread")
    );
    Finding { name: "plan", fit: Fit::Unknown, text, lift: Vec::new() }
}

impl Machine {
    fn look(plan: &Plan) -> Machine {
        let (soft_files, hard_files) = descriptors::limits();
        let ports = limits::local_ports();
        Machine {
            soft_files,
            hard_files,
            most_files: number_in("/proc/sys/fs/nr_open"),
            all_files: files_of_all(),
            ports_in_use: ports_in_use(&ports, if plan.broker.is_gateway() { "udp" } else { "tcp" }),
            ports,
            memory: available_memory(),
            accept_queue: number_in("/proc/sys/net/core/somaxconn"),
            syn_queue: number_in("/proc/sys/net/ipv4/tcp_max_syn_backlog"),
            receive_buffer: number_in("/proc/sys/net/core/rmem_default"),
            largest_receive_buffer: number_in("/proc/sys/net/core/rmem_max"),
            tracked: ConnectionTracking::of_kernel().read(),
        }
    }

    /// Open files of one process.
    fn files(&self, needed: OpenFiles, plan: &Plan, in_one: u64, spread: &Result<(), Error>) -> Finding {
        let OpenFiles { of_clients: needed, of_leader } = needed;
        let show = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
        let each = match of_leader {
            Some(leader) => {
                format!(" in each of {} processes, and {leader} in the one that leads them", plan.processes)
            }
            None => String::new(),
        };
        let text = format!(
            "{needed} needed{each}; soft limit {} (raised automatically), hard limit {}",
            show(self.soft_files),
            show(self.hard_files)
        );
        let mut lift = Vec::new();
        if self.hard_files.is_some_and(|hard| hard < in_one) {
            if self.most_files.is_some_and(|most| most < in_one) {
                let command =
                    format!("sysctl -w fs.nr_open={in_one}    (root; the maximum of the hard limit)");
                lift.push(command.into());
            }
            let why = if spread.is_ok() { "one process then suffices" } else { "run it before this command" };
            lift.push(format!("ulimit -n {in_one}    (root; {why})").into());
            lift.push(format!("LimitNOFILE={in_one}    (in a systemd service)").into());
        }
        let fit = if spread.is_ok() { Fit::Enough } else { Fit::TooLittle };
        Finding { name: "open files", fit, text, lift }
    }

    /// Open files of all processes.
    fn files_of_all(&self, plan: &Plan) -> Option<Finding> {
        let (most, used) = self.all_files?;
        let needed = used.saturating_add(u64::from(plan.sockets()));
        if needed <= most / 2 {
            return None;
        }
        let fit = if needed <= most { Fit::Enough } else { Fit::TooLittle };
        let text = format!("{used} open on this machine, {needed} with this run, {most} allowed");
        let lift = vec![format!("sysctl -w fs.file-max={}    (root)", needed * 2).into()];
        Some(Finding { name: "total files", fit, text, lift })
    }

    fn local_ports(&self, plan: &Plan, target: SocketAddr) -> Finding {
        let ports = limits::count_ports(&self.ports);
        let clients = match target.ip().is_loopback() {
            _ if plan.broker.forwarders.is_some() => plan.sockets(),
            true => plan.clients(),
            // Connections to different brokers may share a port.
            false => plan.clients_of_brokers().into_iter().max().unwrap_or_default(),
        };
        let sources = limits::sources(clients, Some(target), &plan.broker.bind, 0);
        let addresses = match &sources {
            Ok(Sources::Spread(spread)) => spread.addresses().len(),
            Ok(Sources::System(addresses)) => addresses.len().max(1),
            Err(_) => plan.broker.bind.len().max(1),
        };
        let from = match (addresses, plan.broker.bind.is_empty()) {
            (1, _) => "from one local address".to_owned(),
            (_, true) => {
                format!("from {addresses} addresses starting at 127.0.0.1, chosen automatically")
            }
            (_, false) => format!("from {addresses} local addresses"),
        };
        let text = format!(
            "{} to {}, {ports} for each local address, {} in use; {} {} {from}",
            self.ports.start(),
            self.ports.end(),
            self.ports_in_use,
            clients,
            if plan.broker.forwarders.is_some() { "forwarders" } else { "clients" }
        );
        let mut lift = Vec::new();
        // Only the ports that are still free count for a single address.
        let left = u64::from(ports) * addresses as u64;
        let left = if addresses == 1 { left.saturating_sub(self.ports_in_use) } else { left };
        let fits = sources.is_ok() && u64::from(clients) <= left;
        if !fits || u64::from(clients) > left / 2 {
            lift.push(format!("{WIDER_PORT_RANGE}    (root)").into());
            let more = if target.ip().is_loopback() { "127.0.0.2-127.0.0.9" } else { "10.0.0.7,10.0.0.8" };
            lift.push(Lift::LocalAddresses(more));
            if !target.ip().is_loopback() {
                let command =
                    "ip address add 10.0.0.8/24 dev eth0    (root; adds an address to this machine)";
                lift.push(Lift::Measure(command.to_owned()));
            }
        }
        Finding { name: "local ports", fit: if fits { Fit::Enough } else { Fit::TooLittle }, text, lift }
    }

    fn memory(&self, plan: &Plan) -> Finding {
        let tls = match &plan.broker.endpoint.tls {
            None => 0,
            Some(tls) if tls.resumes() => BYTES_PER_TLS + BYTES_PER_TLS_SESSION,
            Some(_) => BYTES_PER_TLS,
        };
        let sockets = u64::from(plan.sockets()) * BYTES_PER_SOCKET;
        let gateway = if plan.broker.is_gateway() { BYTES_PER_GATEWAY_CLIENT } else { 0 };
        let clients = u64::from(plan.clients()) * (BYTES_PER_CLIENT + gateway + tls) + sockets;
        let needed = clients + plan.processes as u64 * BYTES_PER_PROCESS;
        let shown = needed.div_ceil(MEBIBYTE);
        let (fit, available) = match self.memory {
            Some(available) if available < needed => {
                (Fit::TooLittle, format!("{} MiB", available / MEBIBYTE))
            }
            Some(available) => (Fit::Enough, format!("{} MiB", available / MEBIBYTE)),
            None => (Fit::Unknown, "unknown".to_owned()),
        };
        let text = format!(
            "about {shown} MiB for idle clients and their sockets, without the broker; available: {available}"
        );
        let lift = match fit {
            Fit::TooLittle => vec![Lift::Machines],
            Fit::Enough | Fit::Unknown => Vec::new(),
        };
        Finding { name: "memory", fit, text, lift }
    }

    /// A firewall that tracks connections drops new ones when its table is full.
    fn tracking(&self, plan: &Plan) -> Option<Finding> {
        let TrackedConnections { count, maximum } = self.tracked?;
        let needed = count.saturating_add(u64::from(plan.sockets()));
        let fit = if needed <= maximum { Fit::Enough } else { Fit::TooLittle };
        let text = format!("the firewall tracks {count} connections, {maximum} allowed");
        let command = format!("sysctl -w net.netfilter.nf_conntrack_max={}    (root)", needed * 2);
        let lift = if fit == Fit::Enough { Vec::new() } else { vec![command.into()] };
        Some(Finding { name: "firewall", fit, text, lift })
    }

    /// The buffers for received datagrams; further ones are lost.
    fn buffers(&self) -> Finding {
        let show = |limit: Option<u64>| limit.map_or("unknown".to_owned(), |limit| limit.to_string());
        let text = format!(
            "rmem_default {}, rmem_max {} (of this machine); datagrams without room in a socket's buffer are lost",
            show(self.receive_buffer),
            show(self.largest_receive_buffer)
        );
        let lift = match self.largest_receive_buffer {
            Some(largest) if largest < ENOUGH_RECEIVE_BUFFER => {
                let command =
                    format!("sysctl -w net.core.rmem_max={ENOUGH_RECEIVE_BUFFER}    (root; mq uses it)");
                vec![Lift::Measure(command)]
            }
            _ => Vec::new(),
        };
        Finding { name: "receive buffer", fit: Fit::Unknown, text, lift }
    }

    /// The queues at the broker's machine for connections that the broker has not accepted yet.
    fn queues(&self, target: Option<SocketAddr>) -> Finding {
        let show = |limit: Option<u64>| limit.map_or("unknown".to_owned(), |limit| limit.to_string());
        let is_here = target.is_some_and(|target| target.ip().is_loopback());
        let place =
            if is_here { "of the broker's machine" } else { "of this machine; the broker's limits apply" };
        let text = format!(
            "somaxconn {}, tcp_max_syn_backlog {} ({place}); at most 96 clients connect at a time",
            show(self.accept_queue),
            show(self.syn_queue)
        );
        let lift = match self.accept_queue.into_iter().chain(self.syn_queue).min() {
            Some(least) if least < 1024 => {
                let command = "sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096    (root)";
                vec![Lift::Measure(command.to_owned())]
            }
            _ => Vec::new(),
        };
        Finding { name: "accept queue", fit: Fit::Unknown, text, lift }
    }
}

/// The broker's own needs. They are unknown unless it is the embedded broker.
fn broker(plan: &Plan, fronts: Option<Result<u16, BrokerShortage>>) -> Finding {
    let clients = plan.clients();
    if let Some(result) = fronts {
        let fit = if result.is_ok() { Fit::Enough } else { Fit::TooLittle };
        let (text, lift) = match result {
            Ok(processes) => {
                let fronts = match processes {
                    0 => String::new(),
                    count => format!(", and {count} processes accept clients for it"),
                };
                let text = format!(
                    "the embedded broker runs in its own process, with room for {}{fronts}",
                    counted(clients, "client")
                );
                (text, Vec::new())
            }
            Err(shortage) => {
                let command = format!("ulimit -n {}    (root; run it before this command)", shortage.enough);
                (shortage.to_string(), vec![command.into()])
            }
        };
        return Finding { name: "broker", fit, text, lift };
    }
    let most = plan.clients_of_brokers().into_iter().max().unwrap_or_default();
    if plan.broker.is_gateway() {
        let text = format!(
            "needs room for {}, and so does the broker behind it; neither is checked",
            counted(most, "client")
        );
        let lift = vec![Lift::GatewayClients(most), Lift::ConnectRate];
        return Finding { name: "gateway", fit: Fit::Unknown, text, lift };
    }
    let files = u64::from(most) + 100;
    let each = if plan.broker.count() > 1 { "each " } else { "" };
    let text = format!("{each}needs {files} open files and a connection limit as high; neither is checked");
    let lift = vec![
        format!("LimitNOFILE={files}    (in its service: systemctl edit mosquitto)").into(),
        Lift::Measure(
            "max_connections -1, max_queued_messages 0    (mosquitto.conf; its accept queue holds 100)"
                .to_owned(),
        ),
        Lift::ConnectRate,
    ];
    Finding { name: "broker", fit: Fit::Unknown, text, lift }
}

fn number_in(path: &str) -> Option<u64> {
    kernel_file::number(Path::new(path))
}

/// Open files of all processes: allowed, and in use.
fn files_of_all() -> Option<(u64, u64)> {
    let text = read_to_string("/proc/sys/fs/file-nr").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    let used = numbers.next()?.ok()?;
    Some((numbers.nth(1)?.ok()?, used))
}

fn available_memory() -> Option<u64> {
    let text = read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn ports_in_use(ports: &RangeInclusive<u16>, protocol: &str) -> u64 {
    let tables = ["", "6"].map(|family| format!("/proc/net/{protocol}{family}"));
    let tables = tables.map(|path| read_to_string(path).unwrap_or_default());
    tables.iter().map(|table| count_local_ports(table, ports)).sum()
}

/// The second column of the kernel's table is the local address; the port follows the colon, in hexadecimal.
fn count_local_ports(table: &str, ports: &RangeInclusive<u16>) -> u64 {
    let local = |line: &str| {
        let (_, port) = line.split_whitespace().nth(1)?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    table.lines().filter_map(local).filter(|port| ports.contains(port)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::{group, plan};

    fn machine() -> Machine {
        Machine {
            soft_files: Some(1024),
            hard_files: Some(20_000),
            most_files: Some(1_048_576),
            all_files: Some((1_000_000, 1000)),
            ports: 32_768..=60_999,
            ports_in_use: 1232,
            memory: Some(200 * MEBIBYTE),
            accept_queue: Some(128),
            syn_queue: Some(2048),
            receive_buffer: Some(212_992),
            largest_receive_buffer: Some(212_992),
            tracked: Some(TrackedConnections { count: 10, maximum: 65_536 }),
        }
    }

    fn clients(count: u32) -> Plan {
        plan(vec![group(count, 0)])
    }

    fn files(count: u32, spread: &Result<(), Error>) -> Finding {
        let (plan, around) = (clients(count), Surroundings::default());
        let in_one = OpenFiles::in_one_process(&plan, around);
        machine().files(OpenFiles::of(&plan, around), &plan, in_one, spread)
    }

    const AFAR: &str = "10.0.0.7:1883";

    #[test]
    fn a_limit_that_is_too_low_comes_with_the_command_that_lifts_it() {
        let finding = machine().local_ports(&clients(27_001), AFAR.parse().unwrap());
        assert_eq!(finding.fit, Fit::TooLittle, "others use some");
        assert_eq!(finding.lift[0], Lift::Measure(format!("{WIDER_PORT_RANGE}    (root)")));
        assert_eq!(machine().local_ports(&clients(27_000), AFAR.parse().unwrap()).fit, Fit::Enough);
        let finding = files(30_000, &Err(Error::FailedThread));
        assert_eq!(
            (finding.fit, &finding.lift[0]),
            (
                Fit::TooLittle,
                &Lift::Measure("ulimit -n 30050    (root; run it before this command)".to_owned())
            )
        );
        assert_eq!(machine().memory(&clients(40_000)).fit, Fit::TooLittle);
        assert_eq!(machine().tracking(&clients(65_527)).unwrap().fit, Fit::TooLittle);
        assert_eq!(machine().files_of_all(&clients(999_001)).unwrap().fit, Fit::TooLittle);
        let lift = machine().queues(None).lift;
        assert!(matches!(&lift[0], Lift::Measure(command) if command.contains("somaxconn=4096")), "{lift:?}");
    }

    #[test]
    fn loads_far_below_the_limits_need_no_advice() {
        let findings = [
            files(1000, &Ok(())),
            machine().local_ports(&clients(1000), AFAR.parse().unwrap()),
            machine().memory(&clients(1000)),
            machine().tracking(&clients(1000)).unwrap(),
        ];
        assert!(
            findings.iter().all(|finding| finding.fit == Fit::Enough && finding.lift.is_empty()),
            "{findings:?}"
        );
        assert_eq!(machine().files_of_all(&clients(1000)), None);
    }

    #[test]
    fn a_command_stays_on_one_line_within_80_columns() {
        let long = "sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096";
        let expected = format!("{:13}{long}\n{:21}(root)\n", "", "");
        assert_eq!(lift_lines(&format!("{long}    (root)")), expected);
        assert_eq!(lift_lines("ulimit -n 9    (root)"), format!("{:21}ulimit -n 9    (root)\n", ""));
    }

    #[test]
    fn ports_in_use_are_counted() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:8000 00000000:0000 0A\n   1: 0100007F:075B 0\n";
        assert_eq!(count_local_ports(table, &(32_768..=60_999)), 1);
    }
}
