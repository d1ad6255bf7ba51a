//! The clients of each IP address, so that one address cannot keep all others out of a full gateway.
//!
//! Ports, and the nodes behind a forwarder, do not count on their own: a sender chooses them freely. Of an IPv6 address the first 64
//! bits count, since a machine chooses the others.

use super::Key;
use crate::gateway::Peer;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// The network part of an IPv6 address.
const NETWORK: u128 = !0 << 64;

/// An IPv4 address, or the network of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Site(IpAddr);

impl Site {
    pub(super) fn of(peer: &Peer) -> Site {
        Site(match peer.address.ip().to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// The clients of each site, in the order in which they were heard from last. The times may be outdated: a reader of an entry
/// compares it with its client.
#[derive(Debug, Default)]
pub(super) struct Sites {
    clients: HashMap<Site, BTreeSet<(Instant, Key)>>,
    by_count: BTreeSet<(usize, Site)>,
}

impl Sites {
    pub(super) fn add(&mut self, site: Site, heard: Instant, key: Key) {
        let clients = self.clients.entry(site).or_default();
        self.by_count.remove(&(clients.len(), site));
        clients.insert((heard, key));
        self.by_count.insert((clients.len(), site));
    }

    /// Removes a client, with the time of its entry.
    pub(super) fn remove(&mut self, site: Site, heard: Instant, key: Key) {
        let Some(clients) = self.clients.get_mut(&site) else { return };
        self.by_count.remove(&(clients.len(), site));
        clients.remove(&(heard, key));
        if clients.is_empty() {
            self.clients.remove(&site);
        } else {
            self.by_count.insert((clients.len(), site));
        }
    }

    pub(super) fn count(&self, site: Site) -> usize {
        self.clients.get(&site).map_or(0, BTreeSet::len)
    }

    /// The site with the most clients, and their number.
    pub(super) fn largest(&self) -> Option<(Site, usize)> {
        self.by_count.last().map(|(count, site)| (*site, *count))
    }

    /// The entry of a site with the earliest time.
    pub(super) fn first(&self, site: Site) -> Option<(Instant, Key)> {
        self.clients.get(&site).and_then(BTreeSet::first).copied()
    }
}
