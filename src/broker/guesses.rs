//! The failed logins of users and addresses, and the delays that follow from them.
//!
//! Failures are counted for a user at an address, for an address, and for a user. From one address, only the first failures count for the
//! user, so that one address cannot delay a user at all others.
//!
//! The memory is bounded: of many addresses and names, the ones that were used last are known.

use super::network::Network;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// The failures without a delay: of one user from one address, and of one user or one address altogether.
const FREE_OF_BOTH: u32 = 5;
const FREE_OF_ONE: u32 = 20;

/// The delay after the next failure; it doubles with each further one, up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const MAX_DOUBLINGS: u32 = 4;

/// The longest wait for a turn. Attempts that would wait longer are refused.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Failures are forgotten after this time without a further one.
const MEMORY_TIME: Duration = Duration::from_secs(600);

/// The maximum of entries in each of the two generations.
const ENTRIES: usize = 10_000;

/// The failures of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    hasher: RandomState,
    recent: HashMap<Key, Record>,
    /// The entries before those; an entry that is used moves to the recent ones.
    older: HashMap<Key, Record>,
}

/// Names and addresses are hashed with a secret, so that entries have a fixed size and cannot be made to collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Address(u64),
    User(u64),
    Both(u64),
}

/// The keys of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) both: Key,
    pub(super) address: Key,
    pub(super) user: Key,
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

/// The origin of an attempt: the network, and the claimed user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) network: Network,
    pub(super) user: &'a str,
}

impl Guesses {
    pub(super) fn keys(&self, attempt: Attempt<'_>) -> Keys {
        let Attempt { network, user } = attempt;
        Keys {
            both: Key::Both(self.hasher.hash_one((network, user))),
            address: Key::Address(self.hasher.hash_one(network)),
            user: Key::User(self.hasher.hash_one(user)),
        }
    }

    /// The number of attempts that may be checked at the same time: one for each failure that is still free, since all of them can
    /// fail.
    pub(super) fn places(&self, key: Key, now: Instant) -> usize {
        let free = key.free_failures().saturating_sub(self.record(key, now).failures);
        free.max(1) as usize
    }

    /// The number of attempts that get their turn before the longest wait is over; `None` without a delay.
    pub(super) fn turns(&self, key: Key, now: Instant) -> Option<usize> {
        let delay = self.record(key, now).delay(key)?;
        usize::try_from(LONGEST_WAIT.as_millis() / delay.as_millis()).ok()
    }

    /// The time of the next turn, if it has to be waited for.
    pub(super) fn next_turn(&self, key: Key, now: Instant) -> Option<Instant> {
        let record = self.record(key, now);
        record.delay(key).map(|_| record.next).filter(|next| *next > now)
    }

    /// The delay of each attempt for a user whose password is guessed from many addresses.
    pub(super) fn delay_of_user(&self, keys: Keys, now: Instant) -> Option<Duration> {
        self.record(keys.user, now).delay(keys.user)
    }

    /// Whether the user logged in from this address before.
    pub(super) fn is_known(&self, keys: Keys, now: Instant) -> bool {
        self.record(keys.both, now).has_succeeded
    }

    pub(super) fn failed(&mut self, keys: Keys, now: Instant) {
        let Keys { both, address, user } = keys;
        let failures = self.add_failure(both, now);
        self.add_failure(address, now);
        if failures <= FREE_OF_BOTH {
            self.add_failure(user, now);
        }
    }

    pub(super) fn succeeded(&mut self, keys: Keys, now: Instant) {
        self.update(keys.both, now, |record| *record = Record { has_succeeded: true, ..Record::new(now) });
    }

    /// Returns the number of failures.
    fn add_failure(&mut self, key: Key, now: Instant) -> u32 {
        self.update(key, now, |record| {
            record.failures = record.failures.saturating_add(1);
            record.last = now;
            if let Some(delay) = record.delay(key) {
                record.next = record.next.max(now + delay);
            }
        })
        .failures
    }

    fn record(&self, key: Key, now: Instant) -> Record {
        let known = self.recent.get(&key).or_else(|| self.older.get(&key)).copied();
        match known {
            Some(record) if now.saturating_duration_since(record.last) < MEMORY_TIME => record,
            Some(Record { has_succeeded: true, .. }) => Record { has_succeeded: true, ..Record::new(now) },
            _ => Record::new(now),
        }
    }

    fn update(&mut self, key: Key, now: Instant, change: impl FnOnce(&mut Record)) -> Record {
        let mut record = self.record(key, now);
        change(&mut record);
        self.older.remove(&key);
        if self.recent.len() >= ENTRIES {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, record);
        record
    }
}

impl Key {
    fn free_failures(self) -> u32 {
        match self {
            Key::Both(_) => FREE_OF_BOTH,
            Key::Address(_) | Key::User(_) => FREE_OF_ONE,
        }
    }
}

impl Record {
    fn new(now: Instant) -> Record {
        Record { failures: 0, last: now, next: now, has_succeeded: false }
    }

    /// The time between two attempts, if there is one.
    fn delay(&self, key: Key) -> Option<Duration> {
        let over = self.failures.checked_sub(key.free_failures())?;
        Some(FIRST_DELAY * (1 << over.min(MAX_DOUBLINGS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    impl Guesses {
        fn of(&self, address: u32, user: &str) -> Keys {
            self.keys(Attempt { network: Some(Ipv4Addr::from_bits(address).into()), user })
        }

        fn fail(&mut self, address: u32, user: &str, now: Instant) {
            self.failed(self.of(address, user), now);
        }

        fn wait(&self, key: Key, now: Instant) -> Option<Duration> {
            self.next_turn(key, now).map(|next| next - now)
        }
    }

    #[test]
    fn the_delay_begins_after_some_failures_and_doubles_up_to_a_limit() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        let ann = guesses.of(1, "ann");
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = guesses.wait(ann.both, now).unwrap_or_default();
            now += wait;
            guesses.failed(ann, now);
            waits.push(wait.as_millis());
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000]);
        now += MEMORY_TIME;
        assert_eq!((guesses.wait(ann.both, now), guesses.places(ann.both, now)), (None, 5));
    }

    #[test]
    fn no_more_attempts_are_checked_together_than_may_fail() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let ann = guesses.of(1, "ann");
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push((guesses.places(ann.both, now), guesses.turns(ann.both, now)));
            guesses.failed(ann, now);
        }
        let free = [(5, None), (4, None), (3, None), (2, None), (1, None)];
        assert_eq!(seen, [&free[..], &[(1, Some(40)), (1, Some(20))]].concat());
        assert_eq!(guesses.places(ann.address, now), 13);
    }

    #[test]
    fn other_users_of_an_address_are_delayed_only_after_many_failures() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        (0..19).for_each(|_| guesses.fail(1, "ann", now));
        assert_eq!(guesses.wait(guesses.of(1, "bob").address, now), None);
        (0..2).for_each(|_| guesses.fail(1, "ann", now));
        assert_eq!(guesses.wait(guesses.of(1, "bob").address, now), Some(FIRST_DELAY * 2));
        assert_eq!(guesses.wait(guesses.of(2, "bob").address, now), None);
    }

    #[test]
    fn a_user_is_delayed_everywhere_only_by_failures_from_several_addresses() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        (0..1000).for_each(|_| guesses.fail(1, "ann", now));
        assert_eq!(guesses.delay_of_user(guesses.of(2, "ann"), now), None);
        for address in 3..6 {
            (0..10).for_each(|_| guesses.fail(address, "ann", now));
        }
        assert_eq!(guesses.delay_of_user(guesses.of(2, "ann"), now), Some(FIRST_DELAY));
        assert_eq!(guesses.delay_of_user(guesses.of(2, "bob"), now), None);
    }

    #[test]
    fn a_user_who_logged_in_is_known_at_that_address() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        (0..4).for_each(|_| guesses.fail(1, "bob", now));
        guesses.succeeded(guesses.of(1, "bob"), now);
        assert!(guesses.is_known(guesses.of(1, "bob"), now));
        assert!(guesses.is_known(guesses.of(1, "bob"), now + MEMORY_TIME * 2));
        assert!(!guesses.is_known(guesses.of(2, "bob"), now) && !guesses.is_known(guesses.of(1, "ann"), now));
        assert_eq!(guesses.places(guesses.of(1, "bob").both, now), 5, "the failures are forgotten");
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for number in 0..50_000 {
            guesses.fail(1, &format!("user{number}"), now);
        }
        assert!(guesses.recent.len() <= ENTRIES && guesses.older.len() <= ENTRIES);
        assert_ne!(guesses.wait(guesses.of(1, "new").address, now), None, "the address is in use");
    }
}
