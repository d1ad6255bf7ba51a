//! The CPU time of a thread or of the process.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The CPU time of the calling thread since its start.
pub(crate) fn of_thread() -> Duration {
    time_of(ClockId::ThreadCPUTime)
}

/// The CPU time of all threads of this process.
pub(crate) fn of_process() -> Duration {
    time_of(ClockId::ProcessCPUTime)
}

fn time_of(clock: ClockId) -> Duration {
    let used = clock_gettime(clock);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default())
}
