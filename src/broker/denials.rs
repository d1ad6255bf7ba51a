//! Messages that the access rules do not allow: the first one of each connection is reported, but few of them one by one.

use std::time::{Duration, Instant};

/// The interval for reporting them together.
const INTERVAL: Duration = Duration::from_secs(10);

/// The reports that are held back.
#[derive(Debug, Default)]
pub(super) struct Denials {
    count: u64,
    /// The time until which reports are only counted.
    until: Option<Instant>,
}

impl Denials {
    /// Notes the first denial of a connection. Returns true if it is only counted.
    pub(super) fn note(&mut self, now: Instant) -> bool {
        let is_summed = self.until.is_some();
        if is_summed {
            self.count += 1;
        } else {
            self.until = Some(now + INTERVAL);
        }
        is_summed
    }

    /// Takes the number of those that were only counted, when it is due; always if `now` is `None`.
    pub(super) fn take(&mut self, now: Option<Instant>) -> Option<u64> {
        let is_due = |until| now.is_none_or(|now| now >= until);
        if !self.until.is_some_and(is_due) {
            return None;
        }
        let count = std::mem::take(&mut self.count);
        self.until = now.filter(|_| count > 0).map(|now| now + INTERVAL);
        (count > 0).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_reported_and_the_next_ones_are_counted_until_there_are_none() {
        let (mut denials, start) = (Denials::default(), Instant::now());
        assert_eq!([denials.note(start), denials.note(start), denials.note(start)], [false, true, true]);
        assert_eq!([denials.take(Some(start)), denials.take(Some(start + INTERVAL))], [None, Some(2)]);
        assert!(denials.note(start + INTERVAL));
        assert_eq!([denials.take(None), denials.take(None)], [Some(1), None]);
        assert!(!denials.note(start));
        assert_eq!([denials.take(Some(start + INTERVAL)), denials.take(None)], [None, None]);
        assert!(!denials.note(start));
    }
}
