//! How much of a processor a thread or the process uses.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The processor time of the thread that asks, since it began.
pub fn thread_time() -> Duration {
    time_of(ClockId::ThreadCPUTime)
}

/// The processor time of all threads of this process.
pub fn process_time() -> Duration {
    time_of(ClockId::ProcessCPUTime)
}

fn time_of(clock: ClockId) -> Duration {
    let used = clock_gettime(clock);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default())
}
