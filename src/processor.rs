//! How much of a processor a thread uses.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The processor time of the thread that asks, since it began.
pub fn thread_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default())
}
