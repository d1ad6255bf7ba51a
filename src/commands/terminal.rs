//! Draws a panel of several lines on standard error, and removes it.
//!
//! Between two frames the cursor is at the first column of the first line. A terminal that changes its width wraps the lines
//! again, and keeps the cursor at the same character; so a frame can be erased without knowing how many rows it occupies. Lines
//! do not wrap while a frame is drawn, since the terminal may already be narrower than the last known size. At the end of each
//! write all settings of the terminal are as before, so there is nothing to restore if the process is killed, except the echo of
//! typed keys (`echo`).
//!
//! If the wrapped lines need more rows than the terminal has, the first of them are in its history, where nothing can erase them. A
//! wider terminal would show them again. Therefore as many empty lines as the terminal has rows follow them, and then the next frame.

use super::echo;
use super::status_line::{self, Panel};
use crate::signals::{self, Several};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use unicode_width::UnicodeWidthStr;

/// The size if the terminal does not know it.
const USUAL_SIZE: Size = Size { columns: 80, rows: 24 };

/// The timeout for the end of a panel.
const LAST_WRITE: Duration = Duration::from_secs(1);

const ERASE: &str = "\r\x1b[J";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

/// The meaning of a line, which a terminal may show in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Heading,
    Plain,
    Warning,
    Failure,
}

/// A line of a panel. Its label is a part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) tone: Tone,
    /// The number of bytes of the label.
    pub(super) label: usize,
    pub(super) text: String,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The last frame on the terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    is_coloured: bool,
    frame: Option<Frame>,
}

/// Lines on the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    /// The text that draws them.
    text: String,
    /// The columns of each line.
    widths: Vec<usize>,
    /// The size of the terminal that they are for.
    size: Size,
}

/// Whether the terminal has no name, or that of one without escape sequences.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

impl Terminal {
    /// The terminal at standard error, if there is one that moves its cursor.
    pub(super) fn find() -> Option<Terminal> {
        let is_coloured = colored::control::SHOULD_COLORIZE.should_colorize();
        (stderr().is_terminal() && !is_dumb()).then_some(Terminal { is_coloured, frame: None })
    }

    /// The current size.
    pub(super) fn size() -> Size {
        match tcgetwinsize(stderr()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
            }
            Ok(_) | Err(_) => USUAL_SIZE,
        }
    }

    /// Draws a frame in place of the last one, unless the terminal cannot take it now.
    pub(super) fn draw(&mut self, lines: &[Line], size: Size) {
        let frame = Frame::new(lines, size, self.is_coloured);
        // Lines for another size would be cut, and the first of them could leave the screen.
        if self.frame.as_ref() != Some(&frame) && size == Terminal::size() && is_ready() {
            echo::suppress();
            let exceeds = self.frame.as_ref().is_some_and(|last| last.exceeds(size));
            let empty = if exceeds { empty_screen(size.rows) } else { String::new() };
            write(&(empty + &frame.text));
            self.frame = Some(frame);
        }
    }

    /// Removes the last frame. Returns it if it fits the terminal as it is now.
    fn remove(&mut self) -> Option<Frame> {
        let frame = self.frame.take()?;
        let size = Terminal::size();
        write(&if frame.exceeds(size) { empty_screen(size.rows) } else { ERASE.to_owned() });
        Some(frame).filter(|frame| frame.size == size)
    }
}

impl Panel for Terminal {
    /// The next frame is drawn in any case.
    fn erase(&mut self) {
        self.remove();
        echo::restore();
    }

    fn aside(&mut self, write_other: &mut dyn FnMut()) {
        let frame = self.remove();
        write_other();
        frame.iter().for_each(|frame| write(&frame.text));
        self.frame = frame;
    }
}

/// Stops the process as Ctrl-Z does, but removes the panel before: the shell then writes where it was. Afterwards it is drawn again.
pub(super) fn stop_process() {
    status_line::erase();
    signals::stop_process();
}

/// Waits for one of these signals, and ends the process without a panel, as the default action does.
pub(super) async fn end_at(mut signals: Several) {
    let number = signals.next().await;
    // A terminal that was stopped with Ctrl-S takes no output.
    let _ = timeout(LAST_WRITE, spawn_blocking(status_line::erase)).await;
    echo::restore();
    std::process::exit(signals::status(number).into());
}

/// Whether this process is in the foreground, and the terminal takes output: after Ctrl-S, a write would block the run.
fn is_ready() -> bool {
    let is_in_foreground = tcgetpgrp(stderr()).is_ok_and(|group| group == getpgrp());
    let stderr = stderr();
    let mut descriptors = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_writable = poll(&mut descriptors, Some(&now)).is_ok_and(|ready| ready > 0);
    is_in_foreground && is_writable
}

/// Writes in one piece. Errors cannot be reported.
fn write(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

impl Frame {
    /// The lines as one text that ends where it begins, with at most as many rows as the terminal.
    fn new(lines: &[Line], size: Size, is_coloured: bool) -> Frame {
        let mut text = format!("{WRAP_OFF}\r");
        let shown = lines.get(..size.rows).unwrap_or(lines);
        for (number, line) in shown.iter().enumerate() {
            text += if number == 0 { "" } else { "\r\n" };
            text += &painted(line, is_coloured);
            text += "\x1b[K";
        }
        text += "\x1b[J";
        if shown.len() > 1 {
            let _ = write!(text, "\x1b[{}A", shown.len() - 1);
        }
        text += "\r";
        text += WRAP_ON;
        Frame { text, widths: shown.iter().map(|line| line.text.width()).collect(), size }
    }

    /// Whether its lines were wrapped by a narrower terminal, and need more rows than it has.
    fn exceeds(&self, size: Size) -> bool {
        let columns = size.columns.max(1);
        let rows: usize = self.widths.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        rows > size.rows && self.widths.iter().any(|width| *width > columns)
    }
}

/// Moves all rows into the history of the terminal, and empty ones behind them; the cursor is at the first row then.
fn empty_screen(rows: usize) -> String {
    let mut text = ERASE.to_owned() + &"\r\n".repeat((2 * rows).saturating_sub(1));
    if rows > 1 {
        let _ = write!(text, "\x1b[{}A", rows - 1);
    }
    text
}

fn painted(line: &Line, is_coloured: bool) -> String {
    let colour = match line.tone {
        Tone::Heading => "1",
        Tone::Warning => "33",
        Tone::Failure => "31",
        Tone::Plain => "2",
    };
    match line.text.split_at_checked(line.label) {
        Some((label, rest)) if is_coloured && !label.is_empty() => {
            format!("\x1b[{colour}m{label}\x1b[0m{rest}")
        }
        _ => line.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(widths: &[usize]) -> Frame {
        let line = |width: &usize| Line { tone: Tone::Plain, label: 0, text: "x".repeat(*width) };
        let lines: Vec<_> = widths.iter().map(line).collect();
        Frame::new(&lines, Size { columns: 80, rows: 20 }, false)
    }

    #[test]
    fn wrapped_lines_exceed_a_terminal_with_fewer_rows() {
        let frame = frame(&[39, 39, 20, 1]);
        let exceeds = |columns, rows| frame.exceeds(Size { columns, rows });
        assert!(!exceeds(40, 3), "the terminal became lower, and nothing was wrapped");
        assert!(!exceeds(10, 11), "4 + 4 + 2 + 1 rows");
        assert!(exceeds(10, 10));
        assert!(exceeds(0, 10));
    }

    #[test]
    fn an_empty_screen_follows_what_cannot_be_erased() {
        assert_eq!(empty_screen(3), "\r\x1b[J\r\n\r\n\r\n\r\n\r\n\x1b[2A");
        assert_eq!(empty_screen(1), "\r\x1b[J\r\n");
    }
}
