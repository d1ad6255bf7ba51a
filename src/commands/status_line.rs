//! The progress line at the bottom of the terminal, which is hidden while other output is written.

use indicatif::ProgressBar;
use std::sync::{Mutex, PoisonError};

/// One per process, as there is one standard error.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Installs the line.
pub(super) fn begin(bar: &ProgressBar) {
    *LINE.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
}

/// Removes the line.
pub(super) fn end() {
    if let Some(bar) = LINE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// Writes while the line is hidden. A concurrent call, as after a panic, does not wait for its turn.
pub(super) fn aside(write: impl FnOnce()) {
    match LINE.try_lock().as_deref() {
        Ok(Some(bar)) => bar.suspend(write),
        Ok(None) | Err(_) => write(),
    }
}
