//! Seconds with many more messages than usual, and their interval.

use crate::inspect::capture::Moment;
use crate::inspect::timing::SECOND;

/// The longest time that is counted, in seconds: a week.
const MAX_SECONDS: usize = 7 * 86_400;

/// The shortest time for which a usual number is known, in seconds.
const MIN_SECONDS: usize = 30;

/// A burst has at least this many messages in a second, and this many times the usual number.
const MIN_MESSAGES: u32 = 100;
const FACTOR: u32 = 10;

/// Messages by second, from the first one on.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    first: Option<u64>,
    counts: Vec<u32>,
}

/// The bursts of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BurstSummary {
    pub(super) count: u64,
    /// The start of the first and of the last one, in nanoseconds since 1970.
    pub(super) first: u64,
    pub(super) last: u64,
    /// The seconds between their starts, if they are regular.
    pub(super) interval: Option<u64>,
    /// The most messages in a second, and the usual number.
    pub(super) peak: u32,
    pub(super) usual: u32,
}

impl Bursts {
    pub(super) fn add(&mut self, at: Moment) {
        let Some(second) = at.time.map(|time| time / SECOND) else { return };
        let first = *self.first.get_or_insert(second);
        let index = usize::try_from(second.saturating_sub(first)).unwrap_or(usize::MAX);
        if index >= MAX_SECONDS {
            return;
        }
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(index) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn summary(&self) -> Option<BurstSummary> {
        let first = self.first.filter(|_| self.counts.len() >= MIN_SECONDS)?;
        let mut sorted = self.counts.clone();
        let (_, usual, _) = sorted.select_nth_unstable(self.counts.len() / 2);
        let usual = *usual;
        let limit = usual.max(1).saturating_mul(FACTOR).max(MIN_MESSAGES);
        let is_burst = |index: usize| self.counts.get(index).is_some_and(|count| *count >= limit);
        let starts: Vec<u64> = (0..self.counts.len())
            .filter(|index| is_burst(*index) && !index.checked_sub(1).is_some_and(is_burst))
            .map(|index| first + index as u64)
            .collect();
        Some(BurstSummary {
            count: starts.len() as u64,
            first: starts.first()? * SECOND,
            last: starts.last()? * SECOND,
            interval: interval(&starts),
            peak: self.counts.iter().copied().max()?,
            usual,
        })
    }
}

/// The interval of at least three starts that are a second off at most.
fn interval(starts: &[u64]) -> Option<u64> {
    let steps = || starts.iter().zip(starts.iter().skip(1)).map(|(one, next)| next - one);
    let (least, most) = (steps().min()?, steps().max()?);
    let count = starts.len() as u64 - 1;
    let whole = starts.last()? - starts.first()?;
    (count >= 2 && most - least <= 1).then(|| (whole + count / 2) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bursts(seconds: u64, count: impl Fn(u64) -> u32) -> Option<BurstSummary> {
        let mut bursts = Bursts::default();
        for second in 0..seconds {
            for _ in 0..count(second) {
                bursts.add(Moment { frame: 0, time: Some((1000 + second) * SECOND) });
            }
        }
        bursts.summary()
    }

    #[test]
    fn regular_bursts_have_an_interval() {
        let found = bursts(200, |second| if second % 60 < 2 { 500 } else { 10 });
        let (first, last) = (1000 * SECOND, 1180 * SECOND);
        let expected = BurstSummary { count: 4, first, last, interval: Some(60), peak: 500, usual: 10 };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn steady_traffic_has_none() {
        assert_eq!(bursts(100, |_| 500), None);
        assert_eq!(bursts(100, |second| if second == 50 { 99 } else { 1 }), None);
        assert_eq!(bursts(20, |second| if second == 15 { 500 } else { 1 }), None, "too short");
        assert_eq!(bursts(100, |second| if second == 50 { 500 } else { 1 }).unwrap().interval, None);
    }
}
