//! The connects of a group over time: a count for each second in which there was one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The maximum number of slots; beyond it, each covers twice the time.
const MAX_SLOTS: usize = 1024;

const SECOND: u64 = 1_000_000_000;

/// Counts by slot. A slot is a second, or a second doubled several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConnectTimes {
    slot_ns: u64,
    slots: BTreeMap<u64, Connects>,
}

/// The connects in a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connects {
    /// First connections of clients.
    pub connected: u64,
    /// Lost connections that were made again.
    pub reconnected: u64,
}

impl Default for ConnectTimes {
    fn default() -> ConnectTimes {
        ConnectTimes { slot_ns: SECOND, slots: BTreeMap::new() }
    }
}

impl ConnectTimes {
    /// The counts at a time in nanoseconds since the start of the run.
    pub(crate) fn at(&mut self, time: u64) -> &mut Connects {
        while self.slots.len() >= MAX_SLOTS && !self.slots.contains_key(&(time / self.slot_ns)) {
            self.coarsen();
        }
        self.slots.entry(time / self.slot_ns).or_default()
    }

    /// Doubles the width of the slots.
    fn coarsen(&mut self) {
        self.slot_ns = self.slot_ns.saturating_mul(2);
        for (slot, connects) in std::mem::take(&mut self.slots) {
            self.slots.entry(slot / 2).or_default().add(connects);
        }
    }

    /// Adds the counts of another worker or report. The wider slots remain.
    pub(crate) fn merge(&mut self, mut other: ConnectTimes) {
        while self.slot_ns < other.slot_ns {
            self.coarsen();
        }
        while other.slot_ns < self.slot_ns {
            other.coarsen();
        }
        for (slot, connects) in other.slots {
            self.at(slot.saturating_mul(other.slot_ns)).add(connects);
        }
    }

    /// Moves the start earlier by `time`, rounded to whole slots.
    pub(crate) fn delay(&mut self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let by = time.saturating_add(self.slot_ns / 2) / self.slot_ns;
        let slots = std::mem::take(&mut self.slots).into_iter();
        self.slots = slots.map(|(slot, connects)| (slot.saturating_add(by), connects)).collect();
    }

    /// Reassembles the counts; `None` if the width is invalid, or there are too many slots.
    pub(crate) fn from_parts(slot_ns: u64, slots: BTreeMap<u64, Connects>) -> Option<ConnectTimes> {
        let is_width = slot_ns.is_multiple_of(SECOND) && (slot_ns / SECOND).is_power_of_two();
        (is_width && slots.len() <= MAX_SLOTS).then_some(ConnectTimes { slot_ns, slots })
    }

    pub(crate) fn slot_ns(&self) -> u64 {
        self.slot_ns
    }

    /// The slots with a connect, by their numbers.
    pub(crate) fn slots(&self) -> &BTreeMap<u64, Connects> {
        &self.slots
    }
}

impl Connects {
    fn add(&mut self, other: Connects) {
        self.connected = self.connected.saturating_add(other.connected);
        self.reconnected = self.reconnected.saturating_add(other.reconnected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_few_slots_and_the_same_sum() {
        let mut times = ConnectTimes::default();
        (0..5000).for_each(|second| times.at(second * SECOND).reconnected += 1);
        assert_eq!((times.slot_ns(), times.slots().len()), (8 * SECOND, 625));
        let mut other = ConnectTimes::default();
        other.at(9 * SECOND).connected = 3;
        other.merge(times.clone());
        times.merge({
            let mut other = ConnectTimes::default();
            other.at(9 * SECOND).connected = 3;
            other
        });
        assert_eq!(other, times, "in either order");
        assert_eq!(times.slots().get(&1), Some(&Connects { connected: 3, reconnected: 8 }));
        assert_eq!(times.slots().values().map(|slot| slot.reconnected).sum::<u64>(), 5000);
        let parts = ConnectTimes::from_parts(times.slot_ns(), times.slots().clone());
        assert_eq!(parts.as_ref(), Some(&times));
        assert_eq!(ConnectTimes::from_parts(3 * SECOND, BTreeMap::new()), None);
        times.delay(Duration::from_secs(9));
        assert_eq!(times.slots().get(&2).map(|slot| slot.connected), Some(3));
    }
}
