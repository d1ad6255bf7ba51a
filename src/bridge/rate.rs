//! A limit of messages per second.

use std::time::{Duration, Instant};

/// The part of a second that may pass in one burst.
const BURST: f64 = 0.05;

#[derive(Debug)]
pub(super) struct RateLimit {
    per_second: f64,
    /// The messages that may pass now.
    tokens: f64,
    updated: Instant,
}

impl RateLimit {
    pub(super) fn new(per_second: f64, now: Instant) -> RateLimit {
        RateLimit { per_second, tokens: 1.0, updated: now }
    }

    /// Whether a message may pass, which is then counted.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.updated).as_secs_f64();
        let most = (self.per_second * BURST).max(1.0);
        self.tokens = (self.tokens + elapsed * self.per_second).min(most);
        self.updated = now;
        let is_allowed = self.tokens >= 1.0;
        if is_allowed {
            self.tokens -= 1.0;
        }
        is_allowed
    }

    /// The time of the next message.
    pub(super) fn due(&self) -> Instant {
        let seconds = ((1.0 - self.tokens) / self.per_second).clamp(0.0, 3600.0);
        self.updated + Duration::from_secs_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_as_many_messages_as_the_limit() {
        let start = Instant::now();
        let mut limit = RateLimit::new(100.0, start);
        let passed =
            (0..10_000u64).filter(|tick| limit.take(start + Duration::from_micros(tick * 100))).count();
        assert!((99..=101).contains(&passed), "{passed}");
    }

    #[test]
    fn the_next_message_is_due_after_its_share_of_a_second() {
        let start = Instant::now();
        let mut limit = RateLimit::new(0.5, start);
        assert!(limit.take(start) && !limit.take(start));
        assert_eq!(limit.due(), start + Duration::from_secs(2));
    }
}
