//! The kernel's table of tracked connections (nf_conntrack), which firewalls and containers use. While it is full, the packets of new
//! connections are dropped, so that clients time out without another reason.

use super::kernel_file;
use std::fmt;
use std::path::{Path, PathBuf};

/// The folder of the kernel's files; missing if no connections are tracked.
const KERNEL_FOLDER: &str = "/proc/sys/net/netfilter";

/// The files of the table.
pub(super) struct ConnectionTracking {
    count: PathBuf,
    maximum: PathBuf,
}

/// The entries of the table at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrackedConnections {
    pub(super) count: u64,
    pub(super) maximum: u64,
}

impl ConnectionTracking {
    /// The table of this network namespace.
    pub(super) fn of_kernel() -> ConnectionTracking {
        ConnectionTracking::in_folder(Path::new(KERNEL_FOLDER))
    }

    fn in_folder(folder: &Path) -> ConnectionTracking {
        ConnectionTracking {
            count: folder.join("nf_conntrack_count"),
            maximum: folder.join("nf_conntrack_max"),
        }
    }

    /// The entries; `None` if the kernel tracks no connections, or any number of them.
    pub(super) fn read(&self) -> Option<TrackedConnections> {
        let maximum = kernel_file::number(&self.maximum).filter(|maximum| *maximum > 0)?;
        Some(TrackedConnections { count: kernel_file::number(&self.count)?, maximum })
    }
}

impl TrackedConnections {
    /// Whether new connections find no room: at least 99 % of the entries are in use, since some end all the time.
    pub(super) fn is_full(&self) -> bool {
        self.count >= self.maximum - self.maximum / 100
    }
}

/// The cause of failed connections, and its remedy.
impl fmt::Display for TrackedConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrackedConnections { count, maximum } = self;
        write!(
            f,
            "the kernel's connection tracking table is full ({count} of {maximum} entries): raise net.netfilter.nf_conntrack_max, \
             or run where nf_conntrack is not loaded"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir, write};

    #[test]
    fn a_table_is_full_from_99_percent_on() {
        let full = |count| TrackedConnections { count, maximum: 262_144 }.is_full();
        assert_eq!([259_522, 259_523, 262_144, 300_000].map(full), [false, true, true, true]);
        assert!(!TrackedConnections { count: 0, maximum: 1 }.is_full());
    }

    #[test]
    fn only_two_numbers_are_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let tracking = ConnectionTracking::in_folder(folder.path());
        assert_eq!(tracking.read(), None);
        let digits = "1".repeat(100_000);
        let unusable: [&[u8]; 7] =
            [b"", b"-1\n", b"12 13", b"\xff\xfe", b"1\0", b"18446744073709551616", digits.as_bytes()];
        for content in unusable {
            write(&tracking.maximum, "9\n").unwrap();
            write(&tracking.count, content).unwrap();
            assert_eq!(tracking.read(), None, "{content:?}");
            write(&tracking.count, "9\n").unwrap();
            write(&tracking.maximum, content).unwrap();
            assert_eq!(tracking.read(), None, "{content:?}");
        }
        write(&tracking.maximum, "0\n").unwrap();
        assert_eq!(tracking.read(), None, "the number is not limited");
        write(&tracking.maximum, "262144\n").unwrap();
        assert_eq!(tracking.read(), Some(TrackedConnections { count: 9, maximum: 262_144 }));
        std::fs::remove_file(&tracking.count).unwrap();
        create_dir(&tracking.count).unwrap();
        assert_eq!(tracking.read(), None);
    }
}
