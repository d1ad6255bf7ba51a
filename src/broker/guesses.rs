//! Slows down password guessing: after some failures, further attempts from the same address or for the same user wait for their
//! turn, one after the other. A user who logged in from an address is not delayed there by the failures of others.
//!
//! The memory is bounded: of many addresses and names, the ones that were used last are known.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// The failures without a delay: of one user from one address, and of one user or one address altogether.
const FREE_OF_BOTH: u32 = 5;
const FREE_OF_ONE: u32 = 20;

/// The delay after the next failure; it doubles with each further one, up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const MOST_DOUBLINGS: u32 = 4;

/// The longest wait for a turn. Attempts that would wait longer are refused.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Failures are forgotten after this time without a further one.
const MEMORY_TIME: Duration = Duration::from_secs(600);

/// The maximum of entries in each of the two generations.
const ENTRIES: usize = 10_000;

/// The bits of an IPv6 address that one customer usually has.
const NETWORK_V6: u32 = 64;

/// The recent attempts.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    hasher: RandomState,
    recent: HashMap<Key, Record>,
    /// The entries before those; an entry that is used moves to the recent ones.
    older: HashMap<Key, Record>,
}

/// Names and addresses are hashed with a secret, so that entries have a fixed size and cannot be made to collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(u64),
    User(u64),
    Both(u64),
}

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    /// The time of the last failure.
    last: Instant,
    /// The time of the next turn.
    next: Instant,
    has_succeeded: bool,
}

/// The origin of an attempt: the address, which all clients of a Unix socket share as `None`, and the claimed user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) user: &'a str,
}

impl Guesses {
    /// The time that an attempt must wait before its check; its turn is then taken. `None` if it is to be refused.
    pub(super) fn wait(&mut self, attempt: Attempt<'_>, now: Instant) -> Option<Duration> {
        let [both, others @ ..] = self.keys(attempt);
        let has_succeeded = self.record(both, now).has_succeeded;
        let keys = [both].into_iter().chain(others.into_iter().filter(|_| !has_succeeded));
        let turns: Vec<(Key, Instant, Duration)> = keys
            .filter_map(|key| {
                let record = self.record(key, now);
                Some((key, record.next.max(now), record.delay(key)?))
            })
            .collect();
        let turn = turns.iter().map(|(_, turn, _)| *turn).max().unwrap_or(now);
        let wait = turn - now;
        if wait > LONGEST_WAIT {
            return None;
        }
        for (key, _, delay) in turns {
            self.update(key, now, |record| record.next = turn + delay);
        }
        Some(wait)
    }

    pub(super) fn failed(&mut self, attempt: Attempt<'_>, now: Instant) {
        for key in self.keys(attempt) {
            self.update(key, now, |record| {
                record.failures = record.failures.saturating_add(1);
                record.last = now;
                if let Some(delay) = record.delay(key) {
                    record.next = record.next.max(now + delay);
                }
            });
        }
    }

    pub(super) fn succeeded(&mut self, attempt: Attempt<'_>, now: Instant) {
        let [both, ..] = self.keys(attempt);
        self.update(both, now, |record| *record = Record { has_succeeded: true, ..Record::new(now) });
    }

    fn keys(&self, attempt: Attempt<'_>) -> [Key; 3] {
        let network = attempt.address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> (u128::BITS - NETWORK_V6)).into(),
            address @ IpAddr::V4(_) => address,
        });
        [
            Key::Both(self.hasher.hash_one((network, attempt.user))),
            Key::Address(self.hasher.hash_one(network)),
            Key::User(self.hasher.hash_one(attempt.user)),
        ]
    }

    fn record(&self, key: Key, now: Instant) -> Record {
        let known = self.recent.get(&key).or_else(|| self.older.get(&key)).copied();
        match known {
            Some(record) if now.saturating_duration_since(record.last) < MEMORY_TIME => record,
            Some(Record { has_succeeded: true, .. }) => Record { has_succeeded: true, ..Record::new(now) },
            _ => Record::new(now),
        }
    }

    fn update(&mut self, key: Key, now: Instant, change: impl FnOnce(&mut Record)) {
        let mut record = self.record(key, now);
        change(&mut record);
        self.older.remove(&key);
        if self.recent.len() >= ENTRIES {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, record);
    }
}

impl Record {
    fn new(now: Instant) -> Record {
        Record { failures: 0, last: now, next: now, has_succeeded: false }
    }

    /// The time between two attempts, if there is one.
    fn delay(&self, key: Key) -> Option<Duration> {
        let free = match key {
            Key::Both(_) => FREE_OF_BOTH,
            Key::Address(_) | Key::User(_) => FREE_OF_ONE,
        };
        let over = self.failures.checked_sub(free)?;
        Some(FIRST_DELAY * (1 << over.min(MOST_DOUBLINGS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn from(address: u32, user: &str) -> Attempt<'_> {
        Attempt { address: Some(Ipv4Addr::from_bits(address).into()), user }
    }

    /// The waits of failing attempts, each of which waits for its turn.
    fn waits(guesses: &mut Guesses, now: &mut Instant, attempts: &[Attempt<'_>]) -> Vec<u128> {
        let mut waits = Vec::new();
        for attempt in attempts {
            let wait = guesses.wait(*attempt, *now).unwrap();
            *now += wait;
            guesses.failed(*attempt, *now);
            waits.push(wait.as_millis());
        }
        waits
    }

    #[test]
    fn the_delay_begins_after_some_failures_and_doubles_up_to_a_limit() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        let attempts = [from(1, "ann"); 12];
        let expected = [0, 0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000];
        assert_eq!(waits(&mut guesses, &mut now, &attempts), expected);
        now += MEMORY_TIME;
        assert_eq!(waits(&mut guesses, &mut now, &attempts[..2]), [0, 0]);
    }

    #[test]
    fn attempts_at_the_same_time_wait_for_each_other_and_too_many_are_refused() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        (0..7).for_each(|_| guesses.failed(from(1, "ann"), now));
        let waits: Vec<_> =
            (0..12).map(|_| guesses.wait(from(1, "ann"), now).map(|wait| wait.as_millis())).collect();
        let turns = (1..=10).map(|number| Some(number * 1000));
        assert_eq!(waits, turns.chain([None, None]).collect::<Vec<_>>());
    }

    #[test]
    fn other_users_and_addresses_are_delayed_only_after_many_failures() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        (0..19).for_each(|_| guesses.failed(from(1, "ann"), now));
        assert_eq!(guesses.wait(from(1, "bob"), now), Some(Duration::ZERO));
        assert_eq!(guesses.wait(from(2, "ann"), now), Some(Duration::ZERO));
        (0..2).for_each(|_| guesses.failed(from(1, "ann"), now));
        assert_eq!(guesses.wait(from(1, "bob"), now), Some(FIRST_DELAY * 2));
        assert_eq!(guesses.wait(from(2, "ann"), now), Some(FIRST_DELAY * 2));
        assert_eq!(guesses.wait(from(2, "bob"), now), Some(Duration::ZERO));
    }

    #[test]
    fn a_user_who_logged_in_is_not_delayed_by_others() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        guesses.succeeded(from(1, "bob"), now);
        (0..100).for_each(|number| guesses.failed(from(1, &format!("user{number}")), now));
        (0..100).for_each(|number| guesses.failed(from(100 + number, "bob"), now));
        for _ in 0..100 {
            assert_eq!(guesses.wait(from(1, "bob"), now), Some(Duration::ZERO));
        }
        assert_ne!(guesses.wait(from(1, "carol"), now), Some(Duration::ZERO));
        (0..6).for_each(|_| guesses.failed(from(1, "bob"), now));
        assert_ne!(guesses.wait(from(1, "bob"), now), Some(Duration::ZERO));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for number in 0..50_000 {
            guesses.failed(from(1, &format!("user{number}")), now);
        }
        assert!(guesses.recent.len() <= ENTRIES && guesses.older.len() <= ENTRIES);
        assert_ne!(guesses.wait(from(1, "new"), now), Some(Duration::ZERO), "the address is in use");
    }
}
