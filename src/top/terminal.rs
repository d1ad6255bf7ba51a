//! The terminal: its alternate screen, its size, and the output of frames.
//!
//! Frames are written by a thread of their own. A new frame is computed only after the last one was written, as the difference to what
//! is on the screen; so over a slow line frames are skipped, and keys never wait for output.

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use ratatui::layout::{Position, Rect};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::tcgetwinsize;
use std::fs::File;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The size if the terminal does not know it.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// The most cells that are drawn. A terminal that claims to be larger is not believed.
const MAX_COLUMNS: u16 = 1000;
const MAX_ROWS: u16 = 500;

/// The time for the rest of a frame at the end.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// Whether the alternate screen is on.
static IS_ACTIVE: AtomicBool = AtomicBool::new(false);

/// Leaves the alternate screen and restores the modes of the terminal, if they were changed. Also for panics.
pub(crate) fn restore() {
    if IS_ACTIVE.swap(false, Ordering::SeqCst) {
        // After Ctrl-S, or if the terminal is gone, a write could block forever.
        if is_writable(Duration::from_secs(1)) {
            let _ = execute!(
                stdout(),
                DisableBracketedPaste,
                DisableMouseCapture,
                LeaveAlternateScreen,
                cursor::Show
            );
        }
        let _ = disable_raw_mode();
    }
}

/// Whether the terminal accepts output within this time.
fn is_writable(limit: Duration) -> bool {
    let stdout = stdout();
    let mut descriptors = [PollFd::new(&stdout, PollFlags::OUT)];
    let limit = Timespec::try_from(limit).ok();
    poll(&mut descriptors, limit.as_ref()).is_ok_and(|ready| ready > 0)
}

/// The answer of the output thread: the writes that were one, and their result.
type Written = (usize, io::Result<()>);

/// The terminal while its alternate screen is on.
#[derive(Debug)]
pub(super) struct Terminal {
    frames: Sender<Vec<u8>>,
    written: Receiver<Written>,
    /// The writes without an answer.
    pending: usize,
    has_mouse: bool,
    /// The content of the screen; `None` if it is unknown.
    shown: Option<Buffer>,
    is_lost: bool,
}

impl Terminal {
    /// Turns the alternate screen on.
    ///
    /// # Errors
    /// If the terminal does not accept its modes or its output.
    pub(super) fn enter() -> io::Result<Terminal> {
        let output = File::from(stdout().as_fd().try_clone_to_owned()?);
        let (frames, receiver) = channel();
        let (sender, written) = channel();
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || write_frames(output, &receiver, &sender))?;
        let mut terminal =
            Terminal { frames, written, pending: 0, has_mouse: true, shown: None, is_lost: false };
        terminal.resume()?;
        Ok(terminal)
    }

    /// Turns the alternate screen on again, after [`Terminal::suspend`].
    pub(super) fn resume(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        IS_ACTIVE.store(true, Ordering::SeqCst);
        self.shown = None;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        self.set_mouse(self.has_mouse)
    }

    /// Leaves the alternate screen.
    pub(super) fn suspend(&mut self) {
        self.wait_for_frame();
        restore();
    }

    pub(super) fn has_mouse(&self) -> bool {
        self.has_mouse
    }

    /// Takes mouse events, or leaves the mouse to the terminal.
    pub(super) fn set_mouse(&mut self, is_on: bool) -> io::Result<()> {
        self.has_mouse = is_on;
        let mut bytes = Vec::new();
        if is_on { execute!(bytes, EnableMouseCapture) } else { execute!(bytes, DisableMouseCapture) }?;
        self.write(bytes);
        Ok(())
    }

    /// The size, within bounds.
    pub(super) fn area() -> Rect {
        let size = tcgetwinsize(stdout()).ok().map(|size| (size.ws_col, size.ws_row));
        let (columns, rows) = size.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(USUAL_SIZE);
        Rect::new(0, 0, columns.min(MAX_COLUMNS), rows.min(MAX_ROWS))
    }

    /// Whether a frame can be drawn now.
    pub(super) fn is_ready(&mut self) -> bool {
        while let Ok(answer) = self.written.try_recv() {
            self.note(&answer);
        }
        self.pending == 0
    }

    fn note(&mut self, (writes, result): &Written) {
        self.pending = self.pending.saturating_sub(*writes);
        self.is_lost |= result.is_err();
    }

    /// Draws all cells with the next frame.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// Whether output failed, as the terminal is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Draws what differs from the screen, and puts the cursor to this place, or hides it.
    pub(super) fn draw(&mut self, frame: Buffer, cursor: Option<Position>) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        let shown = match self.shown.take().filter(|shown| shown.area == frame.area) {
            Some(shown) => shown,
            None => {
                backend.clear()?;
                Buffer::empty(frame.area)
            }
        };
        backend.draw(shown.diff(&frame).into_iter())?;
        match cursor {
            Some(position) => {
                backend.set_cursor_position(position)?;
                backend.show_cursor()?;
            }
            None => backend.hide_cursor()?,
        }
        Backend::flush(&mut backend)?;
        self.shown = Some(frame);
        self.write(bytes);
        Ok(())
    }

    /// Writes after the frame that is being written.
    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.pending += usize::from(self.frames.send(bytes).is_ok());
    }

    fn wait_for_frame(&mut self) {
        let end = Instant::now() + LAST_FRAME;
        while !self.is_ready() {
            let left = end.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(answer) => self.note(&answer),
                Err(_) => return,
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.suspend();
    }
}

fn write_frames(mut output: File, frames: &Receiver<Vec<u8>>, written: &Sender<Written>) {
    while let Ok(mut bytes) = frames.recv() {
        let mut writes = 1;
        while let Ok(more) = frames.try_recv() {
            bytes.extend(more);
            writes += 1;
        }
        if written.send((writes, output.write_all(&bytes))).is_err() {
            return;
        }
    }
}
