//! How many descriptors the process may have open: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// The soft and the hard limit; `None` for unlimited.
pub fn limits() -> (Option<u64>, Option<u64>) {
    let limit = getrlimit(Resource::Nofile);
    (limit.current, limit.maximum)
}

/// Raises the soft limit to the hard one, and says what the limit is now; `None` for unlimited.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Where it is refused, the old limit holds, which is what is read back.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current
}
