//! Worker processes that failed during a run, so that their clients are not mistaken for those of a broken broker.

use serde::{Deserialize, Serialize};

/// A worker process that delivered no measurements, or did not respond for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WorkerFault {
    /// The number of the process, counted from 1.
    pub process: u64,
    /// The number of worker processes of the run.
    pub processes: u64,
    /// The event as a predicate: `was killed by signal 9`.
    pub event: String,
    /// Its clients, whose measurements are missing; 0 if it delivered them later.
    pub clients: u64,
    /// Those of them that were connected.
    pub connected: u64,
}

impl WorkerFault {
    /// The fault in words, without the number of clients.
    pub(crate) fn name(&self) -> String {
        let WorkerFault { process, processes, event, .. } = self;
        format!("worker process {process} of {processes} {event}")
    }
}
