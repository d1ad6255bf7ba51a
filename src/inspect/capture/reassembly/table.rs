//! The connections by their ends. There may be many, so keys are small: most are of IPv4.

use super::connection::TcpConnection;
use crate::inspect::slots::Slots;
use foldhash::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The two ends of a connection, the smaller one first: addresses and ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConnectionKey {
    V4([u8; 12]),
    V6([u8; 36]),
}

#[derive(Debug, Default)]
pub(super) struct ConnectionsByKey {
    slots: Slots<TcpConnection>,
    v4: HashMap<[u8; 12], u32>,
    v6: HashMap<[u8; 36], u32>,
}

impl ConnectionKey {
    /// The key, and whether the source is the first of its ends.
    pub(super) fn new(source: SocketAddr, destination: SocketAddr) -> (ConnectionKey, bool) {
        let is_source_first = source <= destination;
        let (first, second) = if is_source_first { (source, destination) } else { (destination, source) };
        let mut key = [0; 36];
        let key = match (first.ip(), second.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mut key = [0; 12];
                write(&mut key, [&a.octets(), &b.octets()], [first.port(), second.port()]);
                ConnectionKey::V4(key)
            }
            (a, b) => {
                let addresses = [a, b].map(|address| match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                    IpAddr::V6(address) => address.octets(),
                });
                let [a, b] = &addresses;
                write(&mut key, [a, b], [first.port(), second.port()]);
                ConnectionKey::V6(key)
            }
        };
        (key, is_source_first)
    }
}

fn write(key: &mut [u8], addresses: [&[u8]; 2], ports: [u16; 2]) {
    let ports = ports.map(u16::to_be_bytes);
    let bytes = addresses.into_iter().flatten().chain(ports.iter().flatten());
    key.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
}

impl ConnectionsByKey {
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub(super) fn get(&self, key: &ConnectionKey) -> Option<&TcpConnection> {
        self.slots.get(self.slot(key)?)
    }

    pub(super) fn get_mut(&mut self, key: &ConnectionKey) -> Option<&mut TcpConnection> {
        self.slots.get_mut(self.slot(key)?)
    }

    pub(super) fn insert(&mut self, key: ConnectionKey, connection: TcpConnection) {
        self.remove(&key);
        let slot = self.slots.insert(connection);
        match key {
            ConnectionKey::V4(key) => self.v4.insert(key, slot),
            ConnectionKey::V6(key) => self.v6.insert(key, slot),
        };
    }

    pub(super) fn remove(&mut self, key: &ConnectionKey) -> Option<TcpConnection> {
        let slot = match key {
            ConnectionKey::V4(key) => self.v4.remove(key),
            ConnectionKey::V6(key) => self.v6.remove(key),
        };
        self.slots.remove(slot?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ConnectionKey, &TcpConnection)> {
        let v4 = self.v4.iter().map(|(key, slot)| (ConnectionKey::V4(*key), slot));
        let v6 = self.v6.iter().map(|(key, slot)| (ConnectionKey::V6(*key), slot));
        v4.chain(v6).filter_map(|(key, slot)| Some((key, self.slots.get(*slot)?)))
    }

    /// The connections in the order of their numbers.
    pub(super) fn into_connections(self) -> impl Iterator<Item = TcpConnection> {
        self.slots.into_sorted(|connection| connection.number)
    }

    fn slot(&self, key: &ConnectionKey) -> Option<u32> {
        match key {
            ConnectionKey::V4(key) => self.v4.get(key),
            ConnectionKey::V6(key) => self.v6.get(key),
        }
        .copied()
    }
}
