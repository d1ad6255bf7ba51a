//! Messages per second, as a mean in which older messages count less.

/// The time in seconds after which a message counts for a third.
const TIME_CONSTANT: f32 = 5.0;

/// The rate at the time of the last message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    per_second: f32,
    /// The time of the first message, in milliseconds.
    first: u64,
}

impl Rate {
    /// Counts a message at `now`, if it is live; `last` is the time of the one before. The first message only begins the observation:
    /// the time since an earlier one is unknown.
    pub(super) fn count(&mut self, last: Option<u64>, now: u64, is_live: bool) {
        let Some(last) = last else {
            self.first = now;
            return;
        };
        let added = if is_live { 1.0 / TIME_CONSTANT } else { 0.0 };
        self.per_second = self.per_second * decay(seconds(last, now)) + added;
    }

    /// The messages per second at `now`. The time before the first message does not count.
    pub(super) fn at(self, last: u64, now: u64) -> f32 {
        // The first second would be a rate of one message in almost no time.
        let observed = seconds(self.first, now).max(1.0);
        self.per_second * decay(seconds(last, now)) / (1.0 - decay(observed))
    }
}

fn seconds(from: u64, to: u64) -> f32 {
    to.saturating_sub(from) as f32 / 1000.0
}

fn decay(seconds: f32) -> f32 {
    if seconds == 0.0 { 1.0 } else { (-seconds / TIME_CONSTANT).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(times: impl Iterator<Item = u64>, now: u64) -> f32 {
        let (mut rate, mut last) = (Rate::default(), None);
        for time in times {
            rate.count(last, time, true);
            last = Some(time);
        }
        rate.at(last.unwrap(), now)
    }

    #[test]
    fn a_steady_stream_has_its_rate_from_the_first_seconds_on() {
        for seconds in [3, 10, 100] {
            let rate = after((0..seconds * 1000).step_by(20), seconds * 1000);
            assert!((45.0..55.0).contains(&rate), "{rate} after {seconds} s");
        }
    }

    #[test]
    fn a_stream_that_ends_fades() {
        let ended = |now| after((0..10_000).step_by(100), now);
        assert!(ended(15_000) < 5.0 && ended(60_000) < 0.01);
        assert_eq!(after(std::iter::once(7), 7), 0.0, "one message has no rate");
    }

    #[test]
    fn retained_messages_of_a_subscription_do_not_count() {
        let mut rate = Rate::default();
        rate.count(None, 0, false);
        rate.count(Some(0), 10, false);
        assert_eq!(rate.at(10, 1000), 0.0);
        rate.count(Some(10), 1000, true);
        assert!(rate.at(1000, 1000) > 0.9);
    }
}
