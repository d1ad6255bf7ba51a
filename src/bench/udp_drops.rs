//! Datagrams that the kernel dropped since the receive buffer of a socket was full, from `/proc/net/udp`.
//!
//! A row has the local and the remote address of a socket, and its drops since it was opened. The sockets of the clients are
//! connected to the gateway; that of a gateway on this machine has its port, and no remote address.
//!
//! The kernel writes the table in pieces, and continues at a row number. If other programs open or close sockets in between, a row
//! is there twice, or missing.

use super::record::Datagrams;
use crate::transport::tcp;
use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::net::{IpAddr, SocketAddr};

/// The maximum of times that the table is read if the gateway is missing.
const MAX_READS: usize = 10;

/// The drops up to a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct UdpDrops {
    gateways: Vec<SocketAddr>,
    of_clients: u64,
    /// `None` unless a gateway is on this machine.
    of_gateways: Option<u64>,
}

impl UdpDrops {
    /// The drops so far of sockets at these gateways.
    pub(super) fn read(gateways: Vec<SocketAddr>) -> UdpDrops {
        let is_here = gateways.iter().any(|gateway| tcp::is_own_address(gateway.ip()));
        let most = if is_here { MAX_READS } else { 1 };
        let mut drops = UdpDrops { gateways, of_clients: 0, of_gateways: None };
        for _ in 0..most {
            let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
            drops.count(&tables.map(|path| read_to_string(path).unwrap_or_default()));
            if drops.of_gateways.is_some() {
                break;
            }
        }
        drops
    }

    fn count(&mut self, tables: &[String]) {
        let rows = tables.iter().flat_map(|table| table.lines()).filter_map(Row::parse);
        let rows: BTreeMap<_, _> = rows.map(|row| ((row.inode, row.local, row.remote), row)).collect();
        let UdpDrops { gateways, of_clients, of_gateways } = self;
        let own: Vec<_> = gateways.iter().filter(|gateway| tcp::is_own_address(gateway.ip())).collect();
        let to_gateways = rows.values().filter(|row| gateways.iter().any(|gateway| row.is_to(*gateway)));
        *of_clients = to_gateways.map(|row| row.drops).sum();
        let listeners: Vec<_> =
            rows.values().filter(|row| own.iter().any(|gateway| row.is_listener_at(**gateway))).collect();
        *of_gateways = (!listeners.is_empty()).then(|| listeners.iter().map(|row| row.drops).sum());
    }

    /// The drops since then.
    pub(super) fn since(self) -> Datagrams {
        let now = UdpDrops::read(self.gateways);
        let of_gateways = self.of_gateways.unwrap_or_default();
        Datagrams {
            dropped: now.of_clients.saturating_sub(self.of_clients),
            dropped_by_gateway: now.of_gateways.map(|now| now.saturating_sub(of_gateways)),
            ..Datagrams::default()
        }
    }
}

/// A socket.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    local: &'a str,
    remote: &'a str,
    /// The number of the socket.
    inode: u64,
    drops: u64,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Row<'a>> {
        let mut words = line.split_whitespace();
        let (local, remote) = (words.nth(1)?, words.next()?);
        let inode = words.nth(6)?.parse().ok()?;
        Some(Row { local, remote, inode, drops: words.last()?.parse().ok()? })
    }

    fn is_to(&self, address: SocketAddr) -> bool {
        self.remote == key(address)
    }

    fn is_listener_at(&self, address: SocketAddr) -> bool {
        let (ip, port) = self.local.rsplit_once(':').unwrap_or_default();
        let is_any = ip.bytes().all(|digit| digit == b'0') && port == format!("{:04X}", address.port());
        let is_unconnected = self.remote.bytes().all(|character| matches!(character, b'0' | b':'));
        is_unconnected && (is_any || self.local == key(address))
    }
}

/// An address as the kernel writes it: words of 32 bits in the byte order of the machine.
fn key(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks(4).filter_map(|word| word.try_into().ok());
    let words: String = words.map(|word| format!("{:08X}", u32::from_ne_bytes(word))).collect();
    format!("{words}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_addresses_and_drops() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
        assert_eq!(Row::parse(head), None);
        let line = " 5512: 0100007F:B6C2 0200007F:2710 01 00000000:00000000 00:00000000 00000000     0        0 21 2 0 17";
        let row = Row::parse(line).unwrap();
        assert_eq!(row, Row { local: "0100007F:B6C2", remote: "0200007F:2710", inode: 21, drops: 17 });
        if cfg!(target_endian = "little") {
            assert!(row.is_to("127.0.0.2:10000".parse().unwrap()));
            assert!(!row.is_to("127.0.0.2:10001".parse().unwrap()));
        }
    }

    #[test]
    fn a_gateway_listens_at_its_address_or_at_all() {
        let gateway: SocketAddr = "127.0.0.1:10000".parse().unwrap();
        let own = key(gateway);
        let row = |local| Row { local, remote: "00000000:0000", inode: 1, drops: 0 };
        assert!(row("00000000:2710").is_listener_at(gateway));
        assert!(row(&own).is_listener_at(gateway));
        assert!(!row("00000000:2711").is_listener_at(gateway));
        assert!(!Row { remote: "0100007F:0001", ..row("00000000:2710") }.is_listener_at(gateway));
    }

    #[test]
    fn a_row_that_is_there_twice_counts_once() {
        let gateway: SocketAddr = "127.0.0.1:10000".parse().unwrap();
        let line = |local: &str, remote: &str, inode: u32, drops: u32| {
            format!(" 1: {local} {remote} 07 0:0 00:0 0 0 0 {inode} 2 0 {drops}\n")
        };
        let (at, any) = (key(gateway), "00000000:0000");
        let listener = line(&at, any, 5, 7);
        let client = line("0100007F:B6C2", &at, 6, 2);
        let other_client = line("0100007F:B6C2", &at, 8, 2);
        let table = [&*listener, &client, &listener, &other_client, &client].concat();
        let mut drops = UdpDrops { gateways: vec![gateway], ..UdpDrops::default() };
        drops.count(&[table]);
        assert_eq!((drops.of_clients, drops.of_gateways), (4, Some(7)));
    }
}
