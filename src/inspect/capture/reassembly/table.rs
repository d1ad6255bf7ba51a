//! The connections by their ends. There may be many, so keys are small: most are of IPv4.

use super::connection::TcpConnection;
use crate::inspect::slots::Slots;
use foldhash::HashMap;
use std::net::{IpAddr, SocketAddr};

/// The two ends of a connection, the smaller one first: addresses, then both ports in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConnectionKey {
    V4([u32; 3]),
    V6(([u128; 2], u32)),
}

#[derive(Debug, Default)]
pub(super) struct ConnectionsByKey {
    slots: Slots<TcpConnection>,
    v4: HashMap<[u32; 3], u32>,
    v6: HashMap<([u128; 2], u32), u32>,
}

impl ConnectionKey {
    /// The key, and whether the source is the first of its ends.
    pub(super) fn new(source: SocketAddr, destination: SocketAddr) -> (ConnectionKey, bool) {
        let is_source_first = source <= destination;
        let (first, second) = if is_source_first { (source, destination) } else { (destination, source) };
        let ports = u32::from(first.port()) << 16 | u32::from(second.port());
        let key = match (first.ip(), second.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => ConnectionKey::V4([a.to_bits(), b.to_bits(), ports]),
            (a, b) => ConnectionKey::V6(([number(a), number(b)], ports)),
        };
        (key, is_source_first)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
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
