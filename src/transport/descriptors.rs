//! The limit of open descriptors of the process: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Open files of a process besides its clients: standard streams, pipes and sockets between processes, inherited files.
pub(crate) const OPEN_FILES_OF_PROCESS: u64 = 32;

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
