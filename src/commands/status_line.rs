//! The progress at the bottom of the terminal, which is hidden while other output is written.

use indicatif::ProgressBar;
use std::sync::{Arc, Mutex, PoisonError};

/// One per process, as there is one standard error.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

enum Shown {
    Line(ProgressBar),
    Panel(Arc<Mutex<dyn Panel>>),
}

/// Progress of several lines.
pub(super) trait Panel: Send {
    /// Removes the lines.
    fn erase(&mut self);

    /// Writes something else above the lines.
    fn aside(&mut self, write: &mut dyn FnMut());
}

fn install(shown: Shown) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
}

/// Installs a line.
pub(super) fn begin(bar: &ProgressBar) {
    install(Shown::Line(bar.clone()));
}

/// Installs a panel.
pub(super) fn begin_panel(panel: Arc<Mutex<dyn Panel>>) {
    install(Shown::Panel(panel));
}

/// Removes the line or the panel.
pub(super) fn end() {
    match SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(Shown::Line(bar)) => bar.finish_and_clear(),
        Some(Shown::Panel(panel)) => panel.lock().unwrap_or_else(PoisonError::into_inner).erase(),
        None => {}
    }
}

/// Removes a panel until its next frame.
pub(super) fn erase() {
    if let Some(Shown::Panel(panel)) = &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        panel.lock().unwrap_or_else(PoisonError::into_inner).erase();
    }
}

/// Writes while the progress is hidden. A concurrent call, as after a panic, does not wait for its turn.
pub(super) fn aside(write: impl FnOnce()) {
    match SHOWN.try_lock().as_deref() {
        Ok(Some(Shown::Line(bar))) => bar.suspend(write),
        Ok(Some(Shown::Panel(panel))) => match panel.try_lock() {
            Ok(mut panel) => {
                let mut write = Some(write);
                panel.aside(&mut || write.take().into_iter().for_each(|write| write()));
            }
            Err(_) => write(),
        },
        Ok(None) | Err(_) => write(),
    }
}
