//! The terminal: its alternate screen, its size, and the output of frames.
//!
//! Frames are written by a thread of their own. A new frame is computed only after the last one was written, as the difference to the
//! screen; so over a slow line frames are skipped, and keys never wait for output.

use super::fault;
use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
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
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// The size if the terminal does not know it.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// The most cells that are drawn. A terminal that claims to be larger is not believed.
const MAX_COLUMNS: u16 = 1000;
const MAX_ROWS: u16 = 500;

/// The time for the rest of a frame at the end.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// The time between two looks at the frame that is being written.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// The longest time between two attempts to write to a terminal that is full.
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// The states of a descriptor whose terminal is gone.
pub(super) const HUNG_UP: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

/// Whether the alternate screen is on.
static IS_ACTIVE: AtomicBool = AtomicBool::new(false);

/// Held while bytes are written, so that the end is not written into the middle of a frame.
static OUTPUT: Mutex<()> = Mutex::new(());

/// Ends an escape sequence that was cut off, and its colours.
const END_OF_CUT_FRAME: &[u8] = b"\x18\x1b[0m";

/// Leaves the alternate screen and restores the modes of the terminal, if they were changed. Also for panics, on any thread.
pub(crate) fn restore() {
    if IS_ACTIVE.swap(false, Ordering::SeqCst) {
        let output = wait_for_output(LAST_FRAME);
        // After Ctrl-S, or if the terminal is gone, a write could block forever.
        if is_writable(&stdout(), Duration::from_secs(1)) {
            if output.is_none() {
                let _ = stdout().write_all(END_OF_CUT_FRAME);
            }
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

/// Waits until no frame is being written. `None` if that takes longer, or if the thread that writes has panicked.
fn wait_for_output(limit: Duration) -> Option<MutexGuard<'static, ()>> {
    let end = Instant::now() + limit;
    loop {
        match OUTPUT.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
        }
    }
}

/// Whether the terminal is gone.
pub(super) fn is_hung_up() -> bool {
    let stdout = stdout();
    let mut descriptors = [PollFd::new(&stdout, PollFlags::OUT)];
    let asked = poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    asked.is_ok() && descriptors.iter().any(|descriptor| descriptor.revents().intersects(HUNG_UP))
}

/// Whether a terminal accepts output within this time.
fn is_writable(output: &impl AsFd, limit: Duration) -> bool {
    let mut descriptors = [PollFd::new(output, PollFlags::OUT)];
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
        let mut bytes = Vec::new();
        execute!(bytes, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        self.write(bytes);
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

    /// Draws the cells that differ from the screen, and moves the cursor to this place, or hides it.
    pub(super) fn draw(&mut self, frame: Buffer, cursor: Option<Position>) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        let mut shown = match self.shown.take().filter(|shown| shown.area == frame.area) {
            Some(shown) => shown,
            None => {
                backend.clear()?;
                Buffer::empty(frame.area)
            }
        };
        clear_uncertain_rows(&mut shown, &frame, &mut backend)?;
        draw_cells(&shown.diff(&frame), &mut backend)?;
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

/// Clears the rows that change and have a symbol of uncertain width, old or new: parts of it may be in other cells than expected.
fn clear_uncertain_rows(
    shown: &mut Buffer,
    frame: &Buffer,
    backend: &mut impl Backend<Error = io::Error>,
) -> io::Result<()> {
    let width = usize::from(frame.area.width).max(1);
    let rows = shown.content.chunks_mut(width).zip(frame.content.chunks(width)).zip(0..);
    for ((old, new), y) in rows {
        let mut both = old.iter().chain(new);
        if *old != *new && both.any(|cell| has_uncertain_width(cell.symbol())) {
            backend.set_cursor_position(Position::new(0, y))?;
            backend.clear_region(ClearType::UntilNewLine)?;
            old.fill(Cell::EMPTY);
        }
    }
    Ok(())
}

/// Draws cells, and sets the cursor after each symbol of uncertain width.
fn draw_cells(cells: &[(u16, u16, &Cell)], backend: &mut impl Backend<Error = io::Error>) -> io::Result<()> {
    let is_last = |cell: &(u16, u16, &Cell)| has_uncertain_width(cell.2.symbol());
    for part in cells.split_inclusive(is_last) {
        backend.draw(part.iter().copied())?;
    }
    Ok(())
}

/// Whether terminals differ in the columns that a symbol takes: several characters that are one, such as emoji with modifiers, and
/// regional indicators, of which two are a flag.
fn has_uncertain_width(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let first = characters.next();
    characters.next().is_some()
        || first.is_some_and(|first| matches!(first, '\u{1f1e6}'..='\u{1f1ff}' | '\u{e33}' | '\u{eb3}'))
}

fn write_frames(mut output: File, frames: &Receiver<Vec<u8>>, written: &Sender<Written>) {
    while let Ok(mut bytes) = frames.recv() {
        let mut writes = 1;
        while let Ok(more) = frames.try_recv() {
            bytes.extend(more);
            writes += 1;
        }
        if written.send((writes, write(&mut output, &bytes))).is_err() {
            return;
        }
    }
}

/// Writes all bytes, unless the screen has ended.
///
/// The terminal may be non-blocking: the flag belongs to the open file that the shell and all its programs share, and any of them can
/// set it.
fn write(output: &mut File, bytes: &[u8]) -> io::Result<()> {
    let _writing = OUTPUT.lock().unwrap_or_else(PoisonError::into_inner);
    if !IS_ACTIVE.load(Ordering::SeqCst) {
        return Ok(());
    }
    fault::panic_if_asked("output");
    write_waiting(output, bytes)
}

fn write_waiting(output: &mut File, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => rest = rest.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                is_writable(output, WRITE_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_terminal_that_does_not_block_takes_all_bytes() {
        let (writer, mut reader) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        let frame: Vec<u8> = (0..2_000_000_u32).map(|number| number as u8).collect();
        let count = frame.len();
        let read = thread::spawn(move || {
            let mut read = vec![0; count];
            reader.read_exact(&mut read).map(|()| read)
        });
        let mut writer = File::from(OwnedFd::from(writer));
        write_waiting(&mut writer, &frame).unwrap();
        assert!(read.join().unwrap().unwrap() == frame);
        assert!(write_waiting(&mut writer, &frame).is_err(), "nobody reads any more");
    }

    /// The output that changes a row of these texts to another one.
    fn difference(old: &str, new: &str) -> String {
        let frame = |text: &str| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
            buffer.set_string(0, 0, text, ratatui::style::Style::new());
            buffer
        };
        let (mut shown, frame) = (frame(old), frame(new));
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        clear_uncertain_rows(&mut shown, &frame, &mut backend).unwrap();
        draw_cells(&shown.diff(&frame), &mut backend).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_symbol_of_uncertain_width_does_not_move_others() {
        let drawn = difference("", "a\u{1f1e9}\u{1f1ea}b");
        assert!(drawn.contains("\u{1b}[K") && drawn.contains("\u{1b}[1;4Hb"), "{drawn:?}");
        assert!(difference("\u{1f1e9}\u{1f1ea}x", "  x").contains("\u{1b}[K"), "parts of a flag are removed");
        assert!(difference("e\u{301}a", "e\u{301}b").contains("e\u{301}"), "the row is drawn again");
        assert_eq!(difference("e\u{301}a", "e\u{301}a"), difference("", ""), "a row that stays is not drawn");
        assert!(!difference("日本", "日本語").contains("\u{1b}[K"));
    }
}
