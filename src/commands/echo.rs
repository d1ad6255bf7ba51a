//! The terminal's echo of typed keys, which would write into a panel: off while one is shown. Ctrl-C, Ctrl-Z and Ctrl-S work as before.
//!
//! A process that is killed cannot switch it on again. Shells that edit their lines, such as bash and zsh, do so themselves.

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::stderr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process has switched it off.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Switches it off, at the terminal of standard error.
pub(super) fn suppress() {
    if !IS_OFF.load(Ordering::Relaxed) && set(false) {
        IS_OFF.store(true, Ordering::Relaxed);
    }
}

/// Switches it on again, if it was on before.
pub(super) fn restore() {
    if IS_OFF.swap(false, Ordering::Relaxed) {
        set(true);
    }
}

/// Returns whether the terminal was changed.
fn set(is_on: bool) -> bool {
    // A process in the background would be stopped for it.
    let is_in_foreground = tcgetpgrp(stderr()).is_ok_and(|group| group == getpgrp());
    let Ok(mut modes) = tcgetattr(stderr()) else { return false };
    if !is_in_foreground || modes.local_modes.contains(LocalModes::ECHO) == is_on {
        return false;
    }
    modes.local_modes.set(LocalModes::ECHO, is_on);
    tcsetattr(stderr(), OptionalActions::Now, &modes).is_ok()
}
