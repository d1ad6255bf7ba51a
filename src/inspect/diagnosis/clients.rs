//! The clients of a capture, over all their connections. Memory is bounded; clients beyond the limit are counted.

use super::ending::Ending;
use crate::inspect::capture::Moment;
use foldhash::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

/// The most clients, and the most bytes of their identifiers.
const MAX_CLIENTS: usize = 100_000;
const MAX_BYTES: usize = 8 << 20;

/// The most addresses to remember of a client, beside the first one.
const MAX_ADDRESSES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Clients {
    by_id: HashMap<Rc<str>, u32>,
    records: Vec<ClientRecord>,
    bytes: usize,
    /// The number of CONNECT packets of clients without room.
    pub(super) dropped: u64,
}

/// A client identifier and its connections. There may be many, so it is small.
#[derive(Debug)]
pub(super) struct ClientRecord {
    pub(super) id: Rc<str>,
    pub(super) connections: u32,
    /// The connection that has the session now.
    current: Option<u32>,
    address: Option<IpAddr>,
    /// The time of the first CONNECT.
    pub(super) first: Option<u64>,
    /// Nanoseconds of all connections that ended, and of the shortest and the longest one.
    pub(super) connected: u64,
    pub(super) shortest: Option<u64>,
    pub(super) longest: u64,
    ending: Option<(Ending, u32)>,
    /// Whether the last connection ended with the client's DISCONNECT, or has not ended.
    is_content: bool,
    more: Option<Box<MoreOfClient>>,
}

/// What only some clients have.
#[derive(Debug, Default)]
struct MoreOfClient {
    /// Addresses and endings beside the first one.
    addresses: Vec<IpAddr>,
    has_more_addresses: bool,
    endings: Vec<(Ending, u32)>,
    take_overs: Repetition,
    reconnects: Repetition,
}

/// An event that occurs again and again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repetition {
    pub(super) count: u64,
    pub(super) first: Moment,
    pub(super) last: Moment,
}

impl Repetition {
    pub(super) fn add(&mut self, at: Moment) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += 1;
        self.last = at;
    }

    /// The average interval, in nanoseconds.
    pub(super) fn interval(&self) -> Option<u64> {
        let period = self.last.time?.checked_sub(self.first.time?)?;
        period.checked_div(self.count.saturating_sub(1))
    }
}

impl Clients {
    /// The index of a client; `None` if there is no room.
    pub(super) fn index(&mut self, id: &str, at: Moment) -> Option<u32> {
        if let Some(index) = self.by_id.get(id) {
            return Some(*index);
        }
        if self.records.len() >= MAX_CLIENTS || self.bytes + id.len() > MAX_BYTES {
            self.dropped += 1;
            return None;
        }
        self.bytes += id.len();
        let index = u32::try_from(self.records.len()).ok()?;
        let id: Rc<str> = Rc::from(id);
        self.by_id.insert(Rc::clone(&id), index);
        self.records.push(ClientRecord::new(id, at));
        Some(index)
    }

    pub(super) fn get(&self, index: u32) -> Option<&ClientRecord> {
        self.records.get(index as usize)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut ClientRecord> {
        self.records.get_mut(index as usize)
    }

    pub(super) fn all(&self) -> &[ClientRecord] {
        &self.records
    }
}

impl ClientRecord {
    fn new(id: Rc<str>, at: Moment) -> ClientRecord {
        ClientRecord {
            id,
            connections: 0,
            current: None,
            address: None,
            first: at.time,
            connected: 0,
            shortest: None,
            longest: 0,
            ending: None,
            is_content: true,
            more: None,
        }
    }

    /// Records CONNECT. Returns the connection that had the session before.
    pub(super) fn connect(&mut self, connection: u32, address: Option<IpAddr>, at: Moment) -> Option<u32> {
        self.connections = self.connections.saturating_add(1);
        if let Some(address) = address {
            self.add_address(address);
        }
        if !self.is_content {
            self.more().reconnects.add(at);
        }
        self.current.replace(connection)
    }

    /// Records that a connection took the identifier over from an open one.
    pub(super) fn take_over(&mut self, at: Moment) {
        self.more().take_overs.add(at);
    }

    /// Records the end of a connection that lasted this many nanoseconds.
    pub(super) fn end(&mut self, connection: u32, ending: Ending, nanoseconds: Option<u64>) {
        self.add_ending(ending);
        if let Some(nanoseconds) = nanoseconds {
            self.connected += nanoseconds;
            self.shortest = Some(self.shortest.unwrap_or(u64::MAX).min(nanoseconds));
            self.longest = self.longest.max(nanoseconds);
        }
        if self.current == Some(connection) {
            self.current = None;
            self.is_content = ending.is_orderly();
        }
    }

    /// The first addresses.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let more = self.more.iter().flat_map(|more| &more.addresses);
        self.address.iter().chain(more).copied().collect()
    }

    /// Whether it had other addresses.
    pub(super) fn has_more_addresses(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.has_more_addresses)
    }

    /// The ends of its connections.
    pub(super) fn endings(&self) -> impl Iterator<Item = (Ending, u64)> {
        let more = self.more.iter().flat_map(|more| &more.endings);
        self.ending.iter().chain(more).map(|(ending, count)| (*ending, u64::from(*count)))
    }

    pub(super) fn take_overs(&self) -> Repetition {
        self.more.as_ref().map(|more| more.take_overs).unwrap_or_default()
    }

    pub(super) fn reconnects(&self) -> Repetition {
        self.more.as_ref().map(|more| more.reconnects).unwrap_or_default()
    }

    fn add_address(&mut self, address: IpAddr) {
        if *self.address.get_or_insert(address) == address {
            return;
        }
        let addresses = &mut self.more().addresses;
        if addresses.contains(&address) {
            return;
        }
        if addresses.len() < MAX_ADDRESSES {
            addresses.push(address);
        } else {
            self.more().has_more_addresses = true;
        }
    }

    fn add_ending(&mut self, ending: Ending) {
        let (first, count) = self.ending.get_or_insert((ending, 0));
        if *first == ending {
            *count = count.saturating_add(1);
            return;
        }
        let endings = &mut self.more().endings;
        match endings.iter_mut().find(|(known, _)| *known == ending) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => endings.push((ending, 1)),
        }
    }

    fn more(&mut self) -> &mut MoreOfClient {
        self.more.get_or_insert_default()
    }
}
