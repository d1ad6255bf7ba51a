//! Files of the kernel that have one number each.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// More digits than a number has.
const MAX_LENGTH: u64 = 32;

/// The number in a file, such as `/proc/sys/net/core/somaxconn`; `None` if the file is missing or has something else.
pub(super) fn number(path: &Path) -> Option<u64> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_LENGTH).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
