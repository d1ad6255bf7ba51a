//! The course of a run over time: counts, and a coarse histogram of the latency for each second.
//!
//! A run of any length fits: when all slots are used, pairs are merged, and each slot covers twice the time.

use super::record::latencies::Latencies;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The maximum number of slots, just over an hour of seconds.
pub(crate) const MAX_SLOTS: usize = 4096;

/// The initial width of a slot.
const SHORTEST_WIDTH: Duration = Duration::from_secs(1);

/// A width that suffices for any time in nanoseconds.
const WIDEST_SECONDS: u64 = 1 << 30;

/// The unit of latencies in slots.
const NANOSECONDS_PER_UNIT: u64 = 1000;
/// The significant digits of a slot's latencies.
pub(super) const DIGITS: u8 = 2;

/// Slots of equal width since the run's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    width: Duration,
    slots: Vec<Slot>,
}

/// The counts of one slot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that could not connect.
    pub failed: u64,
    /// Clients that lost their connection.
    pub lost: u64,
    /// Messages that the kernel accepted.
    pub sent: u64,
    /// Messages that the broker acknowledged.
    pub acknowledged: u64,
    /// Those of them for which the broker had no matching subscribers.
    pub unmatched: u64,
    /// Messages that the broker rejected.
    pub rejected: u64,
    /// Messages that arrived for the first time.
    pub received: u64,
    /// The main latency of the run: end to end with subscribers, else to the acknowledgement.
    pub latency: Coarse,
}

/// Times in microseconds with two significant digits; an empty one allocates no memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Coarse(pub(super) Option<Box<Histogram<u32>>>);

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline { width: SHORTEST_WIDTH, slots: Vec::new() }
    }
}

impl Timeline {
    /// The slot of a time in nanoseconds since the run's start.
    pub(crate) fn at(&mut self, time: u64) -> &mut Slot {
        let index = self.make_room_for(time);
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, Slot::default);
        }
        self.slots.get_mut(index).expect("the slots were extended to the index")
    }

    /// The index of a time. Coarsens the timeline until the index is within the limit.
    fn make_room_for(&mut self, time: u64) -> usize {
        loop {
            let index = time / self.width_in_nanoseconds();
            match usize::try_from(index) {
                Ok(index) if index < MAX_SLOTS => return index,
                _ => self.coarsen(),
            }
        }
    }

    fn width_in_nanoseconds(&self) -> u64 {
        u64::try_from(self.width.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Merges each pair of slots into one.
    fn coarsen(&mut self) {
        self.width = self.width.saturating_mul(2);
        let mut joined = Vec::with_capacity(self.slots.len().div_ceil(2));
        let mut slots = std::mem::take(&mut self.slots).into_iter();
        while let Some(mut slot) = slots.next() {
            slots.next().iter().for_each(|next| slot.merge(next));
            joined.push(slot);
        }
        self.slots = joined;
    }

    /// Adds another timeline with the same start. The coarser of the two decides the width.
    pub(crate) fn merge(&mut self, mut other: Timeline) {
        while self.width < other.width {
            self.coarsen();
        }
        while other.width < self.width {
            other.coarsen();
        }
        if other.slots.len() > self.slots.len() {
            self.slots.resize_with(other.slots.len(), Slot::default);
        }
        self.slots.iter_mut().zip(&other.slots).for_each(|(slot, other)| slot.merge(other));
    }

    /// Moves the start earlier by `time`, with empty slots, rounded to whole slots.
    pub(crate) fn delay(&mut self, time: Duration) {
        let slots_of = |width: Duration| {
            usize::try_from((time + width / 2).as_nanos() / width.as_nanos()).unwrap_or(usize::MAX)
        };
        while slots_of(self.width).saturating_add(self.slots.len()) > MAX_SLOTS {
            self.coarsen();
        }
        let empty = std::iter::repeat_with(Slot::default).take(slots_of(self.width));
        self.slots.splice(0..0, empty);
    }

    /// Reassembles a timeline; `None` if the width is invalid, or the number of slots exceeds the maximum.
    pub(crate) fn from_parts(width: Duration, slots: Vec<Slot>) -> Option<Timeline> {
        let seconds = width.as_secs();
        let is_width = seconds.is_power_of_two() && width.subsec_nanos() == 0 && seconds <= WIDEST_SECONDS;
        (is_width && slots.len() <= MAX_SLOTS).then_some(Timeline { width, slots })
    }

    /// The latencies of the slot before this time; empty if nothing was recorded.
    pub(crate) fn latency_before(&self, time: u64) -> Coarse {
        let index = usize::try_from(time / self.width_in_nanoseconds()).unwrap_or(usize::MAX);
        let slot = index.checked_sub(1).and_then(|index| self.slots.get(index));
        slot.map(|slot| slot.latency.clone()).unwrap_or_default()
    }

    /// The latencies of the slots that overlap a range of times.
    pub(crate) fn latency_between(&self, from: u64, end: u64) -> Coarse {
        let index = |time: u64| usize::try_from(time / self.width_in_nanoseconds()).unwrap_or(usize::MAX);
        let (first, last) = (index(from), index(end.saturating_sub(1)));
        let mut latency = Coarse::default();
        let slots = self.slots.iter().enumerate().filter(|(index, _)| (first..=last).contains(index));
        slots.for_each(|(_, slot)| latency.merge(&slot.latency));
        latency
    }

    /// The width of a slot: a second, or a second doubled several times.
    pub(crate) fn width(&self) -> Duration {
        self.width
    }

    /// The slots, from the run's start on.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

impl Slot {
    fn merge(&mut self, other: &Slot) {
        let Slot { connected, failed, lost, sent, acknowledged, unmatched, rejected, received, latency } =
            other;
        let pairs = [
            (&mut self.connected, connected),
            (&mut self.failed, failed),
            (&mut self.lost, lost),
            (&mut self.sent, sent),
            (&mut self.acknowledged, acknowledged),
            (&mut self.unmatched, unmatched),
            (&mut self.rejected, rejected),
            (&mut self.received, received),
        ];
        pairs.into_iter().for_each(|(ours, theirs)| *ours = ours.saturating_add(*theirs));
        self.latency.merge(latency);
    }
}

impl Coarse {
    #[cfg(test)]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.record_several(nanoseconds, 1);
    }

    /// Records a time in nanoseconds that was measured `count` times.
    pub(crate) fn record_several(&mut self, nanoseconds: u64, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        // The histogram resizes itself, so that every time fits.
        let _ = self.histogram_mut().record_n(nanoseconds.div_ceil(NANOSECONDS_PER_UNIT), count);
    }

    fn histogram_mut(&mut self) -> &mut Histogram<u32> {
        let make = || Histogram::new(DIGITS).expect("the histogram allows two digits");
        self.0.get_or_insert_with(|| Box::new(make()))
    }

    /// Adds the times of another one.
    pub(crate) fn merge(&mut self, other: &Coarse) {
        if let Some(other) = &other.0 {
            let _ = self.histogram_mut().add(other.as_ref());
        }
    }

    /// The times that were added after an earlier state; empty if none were.
    pub(crate) fn since(&self, earlier: &Coarse) -> Coarse {
        let Some(now) = &self.0 else { return Coarse::default() };
        let mut added = now.clone();
        if let Some(earlier) = &earlier.0 {
            // An earlier state has no more of any time.
            let _ = added.subtract(earlier.as_ref());
        }
        Coarse(Some(added).filter(|added| !added.is_empty()))
    }

    /// The same times with fewer digits.
    pub(crate) fn of(latencies: &Latencies) -> Coarse {
        let mut coarse = Coarse::default();
        for value in latencies.histogram().iter_recorded() {
            coarse.record_several(value.value_iterated_to(), value.count_since_last_iteration());
        }
        coarse
    }

    /// Wraps a recorded histogram.
    pub(crate) fn from_histogram(histogram: Histogram<u32>) -> Coarse {
        Coarse(Some(Box::new(histogram)))
    }

    /// The histogram in microseconds, unless it is empty.
    pub(crate) fn histogram(&self) -> Option<&Histogram<u32>> {
        self.0.as_deref()
    }

    /// Nanoseconds at a percentile; `None` if nothing was recorded.
    pub(crate) fn at_percentile(&self, percentile: f64) -> Option<u64> {
        let units = self.0.as_ref()?.value_at_percentile(percentile);
        Some(units.saturating_mul(NANOSECONDS_PER_UNIT))
    }

    /// The longest time in nanoseconds; `None` if nothing was recorded.
    pub(crate) fn max(&self) -> Option<u64> {
        Some(self.0.as_ref()?.max().saturating_mul(NANOSECONDS_PER_UNIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn sent(timeline: &Timeline) -> Vec<u64> {
        timeline.slots().iter().map(|slot| slot.sent).collect()
    }

    #[test]
    fn seconds_count_from_the_start() {
        let mut timeline = Timeline::default();
        for time in [0, SECOND - 1, SECOND, 3 * SECOND] {
            timeline.at(time).sent += 1;
        }
        assert_eq!(sent(&timeline), [2, 1, 0, 1]);
        timeline.at(SECOND).latency.record(5_000);
        assert_eq!(timeline.latency_before(2 * SECOND + 1).max(), Some(5_000));
        assert_eq!([0, SECOND, u64::MAX].map(|time| timeline.latency_before(time).max()), [None; 3]);
    }

    #[test]
    fn a_long_run_has_wider_slots_and_the_same_sums() {
        let mut timeline = Timeline::default();
        for second in 0..10_000 {
            let slot = timeline.at(second * SECOND);
            slot.sent += 1;
            slot.latency.record(second * 1000);
        }
        assert_eq!(timeline.width(), Duration::from_secs(4));
        assert_eq!(sent(&timeline), [4; 2500]);
        let latencies = timeline.slots().iter().filter_map(|slot| slot.latency.histogram());
        assert_eq!(latencies.map(Histogram::len).sum::<u64>(), 10_000);
        timeline.at(u64::MAX).sent += 1;
        assert!(timeline.slots().len() <= MAX_SLOTS);
        assert_eq!(sent(&timeline).iter().sum::<u64>(), 10_001);
    }

    #[test]
    fn the_coarser_timeline_decides_the_width() {
        let mut long = Timeline::default();
        long.at(5000 * SECOND).sent = 1;
        let mut short = Timeline::default();
        for time in 0..3 {
            let slot = short.at(time * SECOND);
            (slot.sent, slot.received) = (1, 2);
            slot.latency.record(time * SECOND);
        }
        let mut merged = short.clone();
        merged.merge(long.clone());
        long.merge(short);
        assert_eq!(merged, long, "in either order");
        assert_eq!(merged.width(), Duration::from_secs(2));
        assert_eq!((sent(&merged)[..3].to_vec(), sent(&merged).iter().sum::<u64>()), (vec![2, 1, 0], 4));
        let max = merged.slots()[0].latency.max().unwrap();
        assert!(max.abs_diff(SECOND) <= SECOND / 100, "{max}");
    }

    #[test]
    fn a_delay_puts_empty_slots_in_front() {
        let mut timeline = Timeline::default();
        timeline.at(0).sent = 1;
        timeline.delay(Duration::from_millis(1600));
        assert_eq!(sent(&timeline), [0, 0, 1]);
        timeline.delay(Duration::from_secs(u64::MAX / 4));
        assert!(timeline.slots().len() <= MAX_SLOTS);
        assert_eq!(sent(&timeline).iter().sum::<u64>(), 1);
    }

    #[test]
    fn a_latency_is_never_reported_as_nothing() {
        let mut latency = Coarse::default();
        assert_eq!(latency.at_percentile(50.0), None);
        latency.record(1);
        assert_eq!((latency.at_percentile(50.0), latency.max()), (Some(1000), Some(1000)));
    }
}
