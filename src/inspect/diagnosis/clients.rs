//! The clients of a capture, over all their connections. Memory is bounded; clients beyond the limit are counted.

use super::ending::Ending;
use super::time::Time;
use crate::inspect::capture::Moment;
use foldhash::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::rc::Rc;

/// The most clients, and the most bytes of their identifiers.
const MAX_CLIENTS: usize = 100_000;
const MAX_BYTES: usize = 8 << 20;

/// The most addresses to remember of a client, beside the first one.
const MAX_ADDRESSES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Clients {
    /// By the hash of the client identifier.
    by_hash: HashMap<u64, u32>,
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
    first: Time,
    /// Whether the last connection ended with the client's DISCONNECT, or has not ended.
    is_content: bool,
    /// The end of the first connection that ended.
    ending: Option<Ending>,
    /// Nanoseconds of the only connection that ended, if it is known.
    lifetime: Time,
    more: Option<Box<MoreOfClient>>,
}

/// Nanoseconds of all connections that ended, and of the shortest and the longest one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ConnectionTimes {
    pub(super) total: u64,
    pub(super) shortest: Option<u64>,
    pub(super) longest: u64,
}

impl ConnectionTimes {
    fn add(&mut self, nanoseconds: u64) {
        self.total += nanoseconds;
        self.shortest = Some(self.shortest.unwrap_or(u64::MAX).min(nanoseconds));
        self.longest = self.longest.max(nanoseconds);
    }
}

/// The state that only some clients need.
#[derive(Debug, Default)]
struct MoreOfClient {
    /// Addresses and endings beside the first one.
    addresses: Vec<IpAddr>,
    has_more_addresses: bool,
    endings: Vec<(Ending, u32)>,
    /// The number of further connections that ended like the first one.
    first_ending_again: u32,
    /// The times of connections, from the second one on.
    times: Option<ConnectionTimes>,
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
    pub(super) fn index(&mut self, id: &Rc<str>, at: Moment) -> Option<u32> {
        let hash = self.by_hash.hasher().hash_one(id);
        if let Some(index) = self.by_hash.get(&hash) {
            return Some(*index).filter(|index| self.get(*index).is_some_and(|record| record.id == *id));
        }
        if self.records.len() >= MAX_CLIENTS || self.bytes + id.len() > MAX_BYTES {
            self.dropped += 1;
            return None;
        }
        self.bytes += id.len();
        let index = u32::try_from(self.records.len()).ok()?;
        self.by_hash.insert(hash, index);
        self.records.push(ClientRecord::new(Rc::clone(id), at));
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
            first: Time::of(at),
            is_content: true,
            ending: None,
            lifetime: Time::UNKNOWN,
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
        match (self.ending, nanoseconds) {
            (None, _) => self.lifetime = nanoseconds.map_or(Time::UNKNOWN, Time::from_nanoseconds),
            (Some(_), Some(nanoseconds)) => {
                let mut times = self.times();
                times.add(nanoseconds);
                self.more().times = Some(times);
            }
            (Some(_), None) => {}
        }
        self.add_ending(ending);
        if self.current == Some(connection) {
            self.current = None;
            self.is_content = ending.is_orderly();
        }
    }

    /// The time of the first CONNECT, in nanoseconds since 1970.
    pub(super) fn first(&self) -> Option<u64> {
        self.first.get()
    }

    pub(super) fn times(&self) -> ConnectionTimes {
        if let Some(times) = self.more.as_ref().and_then(|more| more.times) {
            return times;
        }
        let mut times = ConnectionTimes::default();
        self.lifetime.get().into_iter().for_each(|nanoseconds| times.add(nanoseconds));
        times
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
        let repeated = self.more.as_ref().map_or(0, |more| more.first_ending_again);
        let first = self.ending.map(|ending| (ending, repeated.saturating_add(1)));
        let others = self.more.iter().flat_map(|more| more.endings.iter().copied());
        first.into_iter().chain(others).map(|(ending, count)| (ending, u64::from(count)))
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
        let Some(first) = self.ending else {
            self.ending = Some(ending);
            return;
        };
        if first == ending {
            let again = &mut self.more().first_ending_again;
            *again = again.saturating_add(1);
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
