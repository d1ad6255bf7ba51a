//! The machine of a load generator: its hardware, and the kernel's limits that shape a load. Linux has them in `/proc`; values that
//! are not there are left out.

use serde::{Deserialize, Serialize};
use std::fs;

/// The hardware and the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Machine {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The kernel's release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The longest queue of connections that a listener has not accepted yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub somaxconn: Option<u64>,
    /// The first and the last local port of outgoing connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_ports: Option<(u16, u16)>,
}

/// The longest text that is taken over.
const LONGEST: usize = 100;

impl Machine {
    /// This machine.
    pub(super) fn this() -> Machine {
        let number = |path: &str| one_line(path)?.parse().ok();
        Machine {
            cpu_model: value_of("/proc/cpuinfo", "model name"),
            memory_bytes: value_of("/proc/meminfo", "MemTotal").as_deref().and_then(bytes),
            kernel: one_line("/proc/sys/kernel/osrelease"),
            somaxconn: number("/proc/sys/net/core/somaxconn"),
            local_ports: one_line("/proc/sys/net/ipv4/ip_local_port_range").as_deref().and_then(range),
        }
    }

    /// The machine in words, without its operating system.
    pub(super) fn words(&self) -> Vec<String> {
        let Machine { cpu_model, memory_bytes, kernel, somaxconn, local_ports } = self;
        let memory = memory_bytes.map(|bytes| format!("{:.1} GiB of memory", bytes as f64 / 1_073_741_824.0));
        let words = [
            cpu_model.clone(),
            memory,
            kernel.as_ref().map(|release| format!("kernel {release}")),
            somaxconn.map(|count| format!("somaxconn {count}")),
            local_ports.map(|(first, last)| format!("local ports {first} to {last}")),
        ];
        words.into_iter().flatten().collect()
    }
}

fn one_line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.chars().take(LONGEST).collect())
}

/// The value of the first line with this key.
fn value_of(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value =
        text.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.trim() == key))?.1.trim();
    (!value.is_empty()).then(|| value.chars().take(LONGEST).collect())
}

/// A size as in /proc/meminfo.
fn bytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn range(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
