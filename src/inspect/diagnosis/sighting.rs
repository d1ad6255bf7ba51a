//! The sightings of each problem: their number, the time of the first and last, and their connections. Memory is bounded.

use super::kind::Kind;
use crate::inspect::capture::Moment;
use foldhash::HashMap;
use std::rc::Rc;

/// The most problems, and the most bytes of their texts; further problems are counted without client and text.
const MAX_PROBLEMS: usize = 20_000;
const MAX_BYTES: usize = 4 << 20;

/// The most connections to remember of a problem.
const MAX_CONNECTIONS: usize = 4;

/// The most places of a problem, and of all problems, to mark in a picture.
const MAX_MARKS_OF_PROBLEM: usize = 500;
const MAX_MARKS: usize = 50_000;

/// A place of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) struct Mark {
    pub(in crate::inspect) connection: u32,
    pub(in crate::inspect) at: Moment,
}

/// Problems that differ in one of these are listed separately.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ProblemKey {
    pub(super) kind: Kind,
    /// A reason code, a packet type or a direction, as the kind needs it.
    pub(super) code: u16,
    pub(super) party: Party,
    /// A topic, a topic filter or a packet, as the kind needs it.
    pub(super) text: Option<Rc<str>>,
}

/// The client of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Party {
    /// The client with this index.
    Client(u32),
    /// A connection whose client is unknown.
    Connection(u32),
    /// The problem is not about one client.
    Everyone,
    /// Clients for which there was no room.
    Others,
}

impl Party {
    /// Whether it is a single client or connection.
    pub(super) fn is_known(self) -> bool {
        matches!(self, Party::Client(_) | Party::Connection(_))
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sighting {
    pub(super) count: u64,
    pub(super) first: Moment,
    pub(super) last: Moment,
    /// The first connections.
    pub(super) connections: Vec<u32>,
    pub(super) has_more_connections: bool,
    /// The largest figure, such as the longest wait in nanoseconds.
    pub(super) worst: u64,
    /// The smallest figure.
    pub(super) least: u64,
    /// Its places, if they are kept.
    pub(super) marks: Vec<Mark>,
}

#[derive(Debug, Default)]
pub(super) struct Sightings {
    entries: HashMap<ProblemKey, Sighting>,
    bytes: usize,
    /// The number of sightings.
    count: u64,
    /// The number of places for which there is still room.
    room_for_marks: usize,
    /// The number of sightings that were counted without client and text.
    pub(super) dropped: u64,
}

impl Sighting {
    pub(super) fn merge(&mut self, other: &Sighting) {
        self.least = if self.count == 0 { other.least } else { self.least.min(other.least) };
        if self.count == 0 || other.first.time < self.first.time {
            self.first = other.first;
        }
        self.count += other.count;
        if other.last.time > self.last.time {
            self.last = other.last;
        }
        self.worst = self.worst.max(other.worst);
        self.has_more_connections |= other.has_more_connections;
        other.connections.iter().for_each(|number| self.add_connection(*number));
        let room = MAX_MARKS_OF_PROBLEM.saturating_sub(self.marks.len());
        self.marks.extend(other.marks.iter().take(room));
    }

    fn add_connection(&mut self, number: u32) {
        if self.connections.contains(&number) {
            return;
        }
        if self.connections.len() < MAX_CONNECTIONS {
            self.connections.push(number);
        } else {
            self.has_more_connections = true;
        }
    }
}

impl Sightings {
    /// Keeps the places of problems from now on.
    pub(super) fn keep_marks(&mut self) {
        self.room_for_marks = MAX_MARKS;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn keeps_marks(&self) -> bool {
        self.room_for_marks > 0
    }

    /// Adds a sighting, with its figure.
    pub(super) fn add(&mut self, key: ProblemKey, connection: u32, at: Moment, figure: u64) {
        self.add_period(key, connection, at, at, figure);
    }

    /// Adds a sighting that lasted from `first` to `last`.
    pub(super) fn add_period(
        &mut self,
        key: ProblemKey,
        connection: u32,
        first: Moment,
        last: Moment,
        figure: u64,
    ) {
        self.count += 1;
        let key = self.with_room(key);
        let entry = self.entries.entry(key).or_insert_with(|| Sighting { first, ..Sighting::default() });
        if first.time < entry.first.time {
            entry.first = first;
        }
        if entry.count == 0 || last.time >= entry.last.time {
            entry.last = last;
        }
        entry.least = if entry.count == 0 { figure } else { entry.least.min(figure) };
        entry.count += 1;
        entry.worst = entry.worst.max(figure);
        if self.room_for_marks > 0 && entry.marks.len() < MAX_MARKS_OF_PROBLEM {
            self.room_for_marks -= 1;
            entry.marks.push(Mark { connection, at: first });
        }
        entry.add_connection(connection);
    }

    /// Adds a sighting that was computed.
    pub(super) fn put(&mut self, key: ProblemKey, sighting: &Sighting) {
        let key = self.with_room(key);
        self.entries.entry(key).or_default().merge(sighting);
    }

    pub(super) fn get(&self, key: &ProblemKey) -> Option<&Sighting> {
        self.entries.get(key)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&ProblemKey, &Sighting)> {
        self.entries.iter()
    }

    /// The key, or one without client and text if there is no room for another one.
    fn with_room(&mut self, key: ProblemKey) -> ProblemKey {
        if self.entries.contains_key(&key) {
            return key;
        }
        let length = key.text.as_deref().map_or(0, str::len);
        if self.entries.len() >= MAX_PROBLEMS || self.bytes + length > MAX_BYTES {
            self.dropped += 1;
            return ProblemKey { party: Party::Others, text: None, ..key };
        }
        self.bytes += length;
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> ProblemKey {
        ProblemKey { kind: Kind::Refused, code: 5, party: Party::Client(number), text: None }
    }

    #[test]
    fn problems_without_room_are_counted_without_their_client() {
        let mut sightings = Sightings::default();
        let clients = u32::try_from(MAX_PROBLEMS).unwrap() + 10;
        for number in 0..clients {
            sightings.add(key(number), number, Moment::default(), 0);
            sightings.add(key(0), number, Moment::default(), 0);
        }
        assert_eq!(sightings.dropped, 10);
        let count: u64 = sightings.all().map(|(_, sighting)| sighting.count).sum();
        assert_eq!(count, 2 * u64::from(clients));
        let others = ProblemKey { party: Party::Others, ..key(0) };
        assert_eq!(sightings.get(&others).map(|sighting| sighting.count), Some(10));
        assert_eq!(sightings.get(&key(0)).map(|sighting| sighting.connections.len()), Some(MAX_CONNECTIONS));
    }
}
