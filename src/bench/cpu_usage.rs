//! Processor usage of a thread, for the self-check: a load generator at its limit measures itself instead of the
//! broker.

use crate::processor::thread_time;
use std::time::{Duration, Instant};

/// The minimum time for a result. Over less, clock steps and the first and last packets outweigh the load.
const SHORTEST: Duration = Duration::from_millis(500);

/// The processor usage of a thread since a start time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    since: Instant,
    used: Duration,
}

impl Usage {
    /// Starts now, for this thread.
    pub(super) fn begin() -> Usage {
        Usage { since: Instant::now(), used: thread_time() }
    }

    /// This thread's share of a processor since the start, from 0 to 1; 0 if the time was too short.
    pub(super) fn part(self) -> f64 {
        let elapsed = self.since.elapsed();
        if elapsed < SHORTEST {
            return 0.0;
        }
        thread_time().saturating_sub(self.used).as_secs_f64() / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time() {
        let before = thread_time();
        while thread_time() == before {
            std::hint::spin_loop();
        }
        assert!(thread_time() > before);
        assert_eq!(Usage::begin().part().to_bits(), 0, "nothing is said about a moment");
    }
}
