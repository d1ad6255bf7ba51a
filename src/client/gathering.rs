//! Reads less often while messages arrive fast one by one, so that one wake-up handles many of them.

use std::time::{Duration, Instant};

/// The rate of messages above which reads are delayed: 10,000 in a second.
const MIN_MESSAGES: u64 = 100;
const WINDOW: Duration = Duration::from_millis(10);

/// The delay of a read. Timers of the kernel add some 50 µs, and a broker without TCP_NODELAY may hold messages until the read acknowledges
/// the ones before, so a message waits for two pauses at most.
const PAUSE: Duration = Duration::from_micros(100);

/// A read of at least this many bytes is followed by the next one at once, since more of them wait in the kernel.
const ENOUGH_BYTES: usize = 16 * 1024;

/// The rate of messages.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// The start of the window.
    start: Option<Instant>,
    /// The messages in the window.
    messages: u64,
    is_fast: bool,
}

impl Gathering {
    /// Notes the messages of a read, and returns the pause before the next one.
    pub(super) fn pause(&mut self, messages: u64, bytes: usize, now: Instant) -> Option<Duration> {
        self.messages += messages;
        let start = *self.start.get_or_insert(now);
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= WINDOW {
            let needed = MIN_MESSAGES as f64 * elapsed.as_secs_f64() / WINDOW.as_secs_f64();
            self.is_fast = self.messages as f64 >= needed;
            (self.start, self.messages) = (Some(now), 0);
        }
        (self.is_fast && bytes < ENOUGH_BYTES).then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of pauses after reads of one message each, with this interval.
    fn pauses(interval: Duration, reads: u32) -> u32 {
        let start = Instant::now();
        let mut gathering = Gathering::default();
        (0..reads).map(|read| u32::from(gathering.pause(1, 100, start + interval * read).is_some())).sum()
    }

    #[test]
    fn only_fast_messages_are_gathered() {
        assert_eq!(pauses(Duration::from_micros(200), 10_000), 0);
        assert!(pauses(Duration::from_micros(20), 10_000) > 9_000);
    }

    #[test]
    fn large_reads_are_not_delayed() {
        let mut gathering = Gathering { start: None, messages: 0, is_fast: true };
        assert_eq!(gathering.pause(1000, ENOUGH_BYTES, Instant::now()), None);
        assert_eq!(gathering.pause(10, 1000, Instant::now()), Some(PAUSE));
    }

    #[test]
    fn a_stream_that_slows_down_is_read_at_once_again() {
        let start = Instant::now();
        let mut gathering = Gathering { start: Some(start), messages: 0, is_fast: true };
        assert!(gathering.pause(1, 100, start + WINDOW / 2).is_some());
        assert_eq!(gathering.pause(1, 100, start + WINDOW * 2), None);
    }
}
