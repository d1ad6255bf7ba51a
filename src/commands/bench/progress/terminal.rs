//! Draws the panel on standard error, and removes it.
//!
//! Between two frames the cursor is at the first column of the first line. A terminal that changes its width wraps the lines
//! again, and keeps the cursor at the same character; so a frame can be erased without knowing how many rows it occupies. Lines
//! do not wrap while a frame is drawn, since the terminal may already be narrower than the last known size. At the end of each
//! write all settings of the terminal are as before, so there is nothing to restore if the process is killed.

use super::panel::{Line, Tone};
use crate::commands::status_line::Panel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stderr};

/// The size if the terminal does not know it.
const USUAL_SIZE: Size = Size { columns: 80, rows: 24 };

const ERASE: &str = "\r\x1b[J";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";

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
    frame: Option<String>,
}

impl Terminal {
    /// The terminal at standard error, if there is one that moves its cursor.
    pub(super) fn find() -> Option<Terminal> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb");
        let is_coloured = colored::control::SHOULD_COLORIZE.should_colorize();
        (stderr().is_terminal() && !is_dumb).then_some(Terminal { is_coloured, frame: None })
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
        let frame = frame(lines, size.rows, self.is_coloured);
        if self.frame.as_ref() != Some(&frame) && is_ready() {
            write(&frame);
            self.frame = Some(frame);
        }
    }
}

impl Panel for Terminal {
    /// The next frame is drawn in any case.
    fn erase(&mut self) {
        if self.frame.take().is_some() {
            write(ERASE);
        }
    }

    fn aside(&mut self, write_other: &mut dyn FnMut()) {
        let frame = self.frame.take();
        if frame.is_some() {
            write(ERASE);
        }
        write_other();
        frame.iter().for_each(|frame| write(frame));
        self.frame = frame;
    }
}

/// Whether this process is in the foreground, and the terminal takes output: after Ctrl-S, a write would block the run.
fn is_ready() -> bool {
    let is_in_foreground = tcgetpgrp(stderr()).is_ok_and(|group| group == rustix::process::getpgrp());
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

/// The lines as one text that ends where it begins, with at most as many rows as the terminal.
fn frame(lines: &[Line], rows: usize, is_coloured: bool) -> String {
    let mut frame = format!("{WRAP_OFF}\r");
    let shown = lines.len().min(rows);
    for (number, line) in lines.iter().take(shown).enumerate() {
        frame += if number == 0 { "" } else { "\r\n" };
        frame += &painted(line, is_coloured);
        frame += "\x1b[K";
    }
    frame += "\x1b[J";
    if shown > 1 {
        let _ = write!(frame, "\x1b[{}A", shown - 1);
    }
    frame + "\r" + WRAP_ON
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
