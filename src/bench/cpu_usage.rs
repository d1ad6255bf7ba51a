//! CPU usage of a thread, for the self-check: a load generator at its limit measures itself instead of the
//! broker.

use crate::client::cpu_time;
use std::time::{Duration, Instant};

/// The minimum time for a result. Over less, clock steps and the first and last packets outweigh the load.
const SHORTEST: Duration = Duration::from_millis(500);

/// The CPU usage of a thread since a start time.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuUsage {
    since: Instant,
    used: Duration,
}

impl CpuUsage {
    /// Starts now, for this thread.
    pub(super) fn begin() -> CpuUsage {
        CpuUsage { since: Instant::now(), used: cpu_time::of_thread() }
    }

    /// This thread's share of a CPU since the start, from 0 to 1; 0 if the time was too short.
    pub(super) fn share(self) -> f64 {
        let elapsed = self.since.elapsed();
        if elapsed < SHORTEST {
            return 0.0;
        }
        cpu_time::of_thread().saturating_sub(self.used).as_secs_f64() / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time() {
        let before = cpu_time::of_thread();
        while cpu_time::of_thread() == before {
            std::hint::spin_loop();
        }
        assert!(cpu_time::of_thread() > before);
        assert_eq!(CpuUsage::begin().share().to_bits(), 0, "nothing is said about a moment");
    }
}
