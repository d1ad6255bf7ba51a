//! Think times: random pauses in a closed loop, as of users who read an answer before they go on.

use super::random::{below, random};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// The pauses of a group are between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThinkTime {
    pub least: Duration,
    pub most: Duration,
    /// Makes other pauses for each run.
    pub seed: u64,
}

/// The pauses of one publisher. Each place in its window waits before the first message, and after each answer.
#[derive(Debug)]
pub(super) struct Pauses {
    think: ThinkTime,
    /// The publisher's number in the group of all shards.
    publisher: u32,
    /// The number of pauses so far.
    count: u64,
    /// The end of each pause, in nanoseconds since the start of the run.
    ends: BinaryHeap<Reverse<u64>>,
}

impl Pauses {
    pub(super) fn new(think: ThinkTime, publisher: u32) -> Pauses {
        Pauses { think, publisher, count: 0, ends: BinaryHeap::new() }
    }

    /// Begins a pause for each of the free places that has none.
    pub(super) fn begin(&mut self, free: u64, now: u64) {
        while (self.ends.len() as u64) < free {
            let end = now.saturating_add(self.next_pause());
            self.ends.push(Reverse(end));
        }
    }

    /// The number of pauses that are over.
    pub(super) fn over(&self, now: u64) -> u64 {
        self.ends.iter().filter(|end| end.0 <= now).count() as u64
    }

    /// Removes the oldest pauses, whose messages were sent.
    pub(super) fn remove(&mut self, count: u64) {
        for _ in 0..count {
            self.ends.pop();
        }
    }

    /// The end of the first pause.
    pub(super) fn first_end(&self) -> Option<u64> {
        self.ends.peek().map(|end| end.0)
    }

    fn next_pause(&mut self) -> u64 {
        let ThinkTime { least, most, seed } = self.think;
        let [least, most] = [least, most].map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        let number = random(seed, self.publisher, self.count);
        self.count += 1;
        least.saturating_add(below(number, most.saturating_sub(least).saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(publisher: u32) -> Pauses {
        let (least, most) = (Duration::from_millis(50), Duration::from_millis(250));
        Pauses::new(ThinkTime { least, most, seed: 7 }, publisher)
    }

    #[test]
    fn pauses_are_within_their_range_and_can_be_repeated() {
        let all = |publisher| {
            let mut pauses = pauses(publisher);
            (0..1000).map(|_| pauses.next_pause()).collect::<Vec<_>>()
        };
        assert_eq!(all(3), all(3));
        assert_ne!(all(3), all(4));
        let (shortest, longest) = (all(3).into_iter().min().unwrap(), all(3).into_iter().max().unwrap());
        assert!((50_000_000..52_000_000).contains(&shortest), "{shortest}");
        assert!((248_000_000..=250_000_000).contains(&longest), "{longest}");
    }

    #[test]
    fn each_free_place_has_a_pause_of_its_own() {
        let mut pauses = pauses(0);
        pauses.begin(2, 1000);
        pauses.begin(2, 2000);
        let first = pauses.first_end().unwrap();
        assert_eq!((pauses.over(first - 1), pauses.over(first), pauses.over(u64::MAX)), (0, 1, 2));
        pauses.remove(1);
        assert_eq!(pauses.over(u64::MAX), 1);
        assert!(pauses.first_end().unwrap() > first);
    }
}
