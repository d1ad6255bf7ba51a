//! The progress at the bottom of the terminal, which is hidden while other output is written.

use indicatif::ProgressBar;
use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

/// One per process, as there is one standard error.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

thread_local! {
    /// Whether this thread draws or writes at the moment.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

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
    inside(|| match SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(Shown::Line(bar)) => bar.finish_and_clear(),
        Some(Shown::Panel(panel)) => panel.lock().unwrap_or_else(PoisonError::into_inner).erase(),
        None => {}
    });
}

/// Removes a panel until its next frame.
pub(super) fn erase() {
    inside(|| {
        if let Some(Shown::Panel(panel)) = &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
            panel.lock().unwrap_or_else(PoisonError::into_inner).erase();
        }
    });
}

/// Writes while the progress is hidden. It waits for a frame that another thread draws, and for what another thread writes.
pub(super) fn aside(write: impl FnOnce()) {
    // A message from inside of it, as of a panic, would wait for itself.
    if IS_INSIDE.get() {
        return write();
    }
    inside(|| write_aside(write));
}

/// Holds the display. A message of this thread meanwhile is written at once.
fn inside(act: impl FnOnce()) {
    let was_inside = IS_INSIDE.replace(true);
    act();
    IS_INSIDE.set(was_inside);
}

fn write_aside(write: impl FnOnce()) {
    match &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(Shown::Line(bar)) => bar.suspend(write),
        Some(Shown::Panel(panel)) => {
            let mut write = Some(write);
            let mut panel = panel.lock().unwrap_or_else(PoisonError::into_inner);
            panel.aside(&mut || write.take().into_iter().for_each(|write| write()));
        }
        None => write(),
    }
}

/// Draws on a panel.
pub(super) fn draw<P: Panel>(panel: &Mutex<P>, draw: impl FnOnce(&mut P)) {
    inside(|| draw(&mut panel.lock().unwrap_or_else(PoisonError::into_inner)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    struct Recorder(Sender<&'static str>);

    impl Panel for Recorder {
        fn erase(&mut self) {}

        fn aside(&mut self, write: &mut dyn FnMut()) {
            let _ = self.0.send("hidden");
            write();
        }
    }

    #[test]
    fn a_message_waits_for_a_frame_of_another_thread_but_not_for_one_of_its_own() {
        let (events, seen) = channel();
        let panel = Arc::new(Mutex::new(Recorder(events.clone())));
        begin_panel(panel.clone());
        let say = |text| {
            let events = events.clone();
            move || {
                let _ = events.send(text);
            }
        };
        draw(&panel, |_| aside(say("own")));
        let (begun, is_begun) = channel();
        let message = say("message");
        let other = thread::scope(|scope| {
            let other = scope.spawn(move || {
                is_begun.recv().expect("the frame has begun");
                aside(message);
            });
            draw(&panel, |panel| {
                begun.send(()).expect("the other thread waits");
                let _ = panel.0.send("frame");
            });
            other.join()
        });
        other.expect("the message is written");
        end();
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["own", "frame", "hidden", "message"]);
    }
}
