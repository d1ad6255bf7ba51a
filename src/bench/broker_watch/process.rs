//! The CPU time and the memory of a broker on this machine, from `/proc`. Its processes are those that hold the listening socket.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Clock ticks per second in `/proc`: USER_HZ, which is the same on all architectures of this program.
const TICKS_PER_SECOND: u64 = 100;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// The place of the CPU times in `/proc/PID/stat`, counted from the field after the name.
const USER_TIME: usize = 11;

/// The reason why the processes are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFound {
    #[error("this system has no /proc/net/tcp")]
    NoProc,
    #[error("no socket of this network namespace listens on port {0}")]
    NotListening(u16),
    #[error("the process that listens on port {0} belongs to another user")]
    Hidden(u16),
}

/// The CPU time and the resident memory in bytes of all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) memory: u64,
}

/// The number and the name of each process that listens at this address.
pub(super) fn listening_at(address: SocketAddr) -> Result<Vec<(u32, String)>, NotFound> {
    let tables: Vec<_> =
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    if tables.is_empty() {
        return Err(NotFound::NoProc);
    }
    let sockets: Vec<_> = tables.iter().flat_map(|table| sockets(table, address)).collect();
    if sockets.is_empty() {
        return Err(NotFound::NotListening(address.port()));
    }
    let found: Vec<_> = processes().filter(|id| holds(*id, &sockets)).map(|id| (id, name(id))).collect();
    if found.is_empty() { Err(NotFound::Hidden(address.port())) } else { Ok(found) }
}

/// The usage of these processes together; `None` if none is left.
pub(super) fn usage(processes: &[(u32, String)]) -> Option<Usage> {
    let each = processes.iter().filter_map(|(id, _)| usage_of(*id));
    each.reduce(|sum, one| Usage { cpu: sum.cpu + one.cpu, memory: sum.memory.saturating_add(one.memory) })
}

fn usage_of(id: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    Some(Usage { cpu: cpu_time(&stat)?, memory: resident_memory(&status)? })
}

/// The name is in parentheses and may contain any character, so fields count from the last parenthesis.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(USER_TIME).map(str::parse::<u64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    let ticks = user.saturating_add(system);
    Some(Duration::from_millis(ticks.saturating_mul(1000 / TICKS_PER_SECOND)))
}

fn resident_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // This process has a socket for each client, and is not the broker.
    ids.filter(|id| *id != std::process::id())
}

fn name(id: u32) -> String {
    fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim_end().to_owned()
}

fn holds(id: u32, sockets: &[String]) -> bool {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let mut links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.any(|link| link.to_str().is_some_and(|link| sockets.iter().any(|socket| socket == link)))
}

/// The listening sockets in a table that accept connections to this address, as `/proc/PID/fd` names them.
fn sockets(table: &str, address: SocketAddr) -> Vec<String> {
    table.lines().skip(1).filter_map(|line| socket(line, address)).collect()
}

fn socket(line: &str, address: SocketAddr) -> Option<String> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?;
    let (ip, port) = local.split_once(':')?;
    let (ip, port) = (parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?);
    let is_ours = ip.is_unspecified() || ip.to_canonical() == address.ip().to_canonical();
    (state == LISTEN && port == address.port() && is_ours).then(|| format!("socket:[{inode}]"))
}

/// An address as the kernel prints it: groups of four bytes, each as one number of this machine's byte order.
fn parse_ip(hex: &str) -> Option<IpAddr> {
    let group = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(group(0)?).into()),
        32 => {
            let bytes: Vec<u8> =
                [group(0)?, group(8)?, group(16)?, group(24)?].into_iter().flatten().collect();
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_process_are_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 1 0 0 0 150 25 0 0 20 0 1 0 9 1 1";
        assert_eq!(cpu_time(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu_time("7 (a) S 1"), None);
        assert_eq!(resident_memory("Name:\ta\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_listening_socket_is_found_by_its_address() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let line = |local: &str, state: &str| {
            format!(
                "head\n 0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 42 1\n"
            )
        };
        let ours = ["socket:[42]"];
        assert_eq!(sockets(&line("0100007F:075B", "0A"), at("127.0.0.1:1883")), ours);
        assert_eq!(sockets(&line("00000000:075B", "0A"), at("10.0.0.1:1883")), ours);
        let mapped = "0000000000000000FFFF00000100007F:075B";
        assert_eq!(sockets(&line(mapped, "0A"), at("127.0.0.1:1883")), ours);
        assert_eq!(sockets(&line("0100007F:075B", "01"), at("127.0.0.1:1883")), [""; 0]);
        assert_eq!(sockets(&line("0100007F:075B", "0A"), at("127.0.0.2:1883")), [""; 0]);
        assert_eq!(sockets("head\nnonsense\n", at("127.0.0.1:1883")), [""; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn every_process_of_linux_has_a_usage() {
        let usage = usage(&[(std::process::id(), String::new())]).unwrap();
        assert!(usage.memory > 0);
        assert_eq!(super::usage(&[(u32::MAX, String::new())]), None);
    }
}
