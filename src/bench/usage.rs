//! How much of a processor a thread uses, for the self-check: a load generator that has nothing left measures itself.

use crate::processor::thread_time;
use std::time::{Duration, Instant};

/// Over less than this, the clock's steps and the first and last packets say more than the load.
const SHORTEST: Duration = Duration::from_millis(500);

/// What a thread uses from one moment on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    since: Instant,
    used: Duration,
}

impl Usage {
    /// Begins now, on this thread.
    pub(super) fn begin() -> Usage {
        Usage { since: Instant::now(), used: thread_time() }
    }

    /// The part of a processor that this thread used since then, from 0 to 1; 0 where the time was too short to tell.
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
