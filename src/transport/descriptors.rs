//! The limit of open descriptors of the process: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::io;
use std::os::fd::AsFd;

/// An upper bound for the descriptors of an event loop; tokio panics if it cannot open them.
const OF_EVENT_LOOP: usize = 8;

/// Open files of a process besides its clients: standard streams, pipes and sockets between processes, inherited files.
pub(crate) const OPEN_FILES_OF_PROCESS: u64 = 32;

/// Checks that an event loop can open its descriptors.
///
/// # Errors
/// If there are too few.
pub(crate) fn reserve_for_event_loop() -> io::Result<()> {
    let reserved: io::Result<Vec<_>> =
        (0..OF_EVENT_LOOP).map(|_| io::stderr().as_fd().try_clone_to_owned()).collect();
    reserved.map(drop)
}

/// The soft and the hard limit; `None` for unlimited.
pub(crate) fn limits() -> (Option<u64>, Option<u64>) {
    let limit = getrlimit(Resource::Nofile);
    (limit.current, limit.maximum)
}

/// Raises the soft limit to the hard limit and returns the resulting limit; `None` for unlimited.
pub(crate) fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // If the system refuses, the old limit stays, which is read back below.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current
}
