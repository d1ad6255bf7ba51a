//! The one line of progress that stands on the terminal below all that is said, and makes way for it.

use indicatif::ProgressBar;
use std::sync::{Mutex, PoisonError};

/// A process has one standard error, and so one such line.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// This is the line from now on.
pub(super) fn begin(bar: &ProgressBar) {
    *LINE.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
}

/// There is none any more.
pub(super) fn end() {
    if let Some(bar) = LINE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// Writes something while the line is away. Who comes while somebody else does so, as after a panic, does not wait.
pub(super) fn aside(write: impl FnOnce()) {
    match LINE.try_lock().as_deref() {
        Ok(Some(bar)) => bar.suspend(write),
        Ok(None) | Err(_) => write(),
    }
}
