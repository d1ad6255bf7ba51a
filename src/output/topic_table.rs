//! `--watch`: one screen line per topic, with its latest message.
//!
//! The screen is the only memory: topics beyond the last line are counted and not shown, so any number of topics takes
//! constant memory. A message's content cannot leave its line: control characters are shown as escapes, and the line is cut to
//! the screen's width.

use crate::escape::is_unsafe;
use crate::words::counted;
use std::collections::HashMap;
use std::io::{self, Write};

/// The size of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TerminalSize {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// The size assumed if standard output is not a terminal.
const DEFAULT_SIZE: TerminalSize = TerminalSize { rows: 24, columns: 80 };

/// Clears from the cursor on. After a text that fills its line it would also clear the last character.
const CLEAR_LINE: &str = "\x1b[K";

/// The line of the first topic, below the title.
const FIRST_LINE: usize = 2;

impl TerminalSize {
    /// The size of the terminal at standard output.
    pub(super) fn of_stdout() -> TerminalSize {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
        let size = size.map(|size| TerminalSize { rows: size.ws_row.into(), columns: size.ws_col.into() });
        size.filter(|size| size.rows > 0 && size.columns > 0).unwrap_or(DEFAULT_SIZE)
    }

    /// The line of the cursor, below the topics.
    fn cursor_line(self) -> usize {
        self.rows.saturating_sub(1).max(FIRST_LINE + 1)
    }
}

/// The screen.
#[derive(Debug)]
pub(super) struct TopicTable {
    title: String,
    is_started: bool,
    lines: HashMap<String, usize>,
    /// Messages to topics without a line.
    unshown: u64,
}

impl TopicTable {
    /// A screen that names the broker on its first line.
    pub(super) fn new(broker: &str) -> TopicTable {
        let mut title = String::from("Broker: ");
        push_shown(broker, &mut title, usize::MAX);
        TopicTable { title, is_started: false, lines: HashMap::new(), unshown: 0 }
    }

    /// Draws the title, once, and below it the awaited subscriptions, until the first message.
    pub(super) fn start(&mut self, awaited: &str, size: TerminalSize, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        let _ = writeln!(out, "\x1b[2J\x1b[1;1H{}", self.title);
        if !awaited.is_empty() {
            let mut shown = String::new();
            push_shown(awaited, &mut shown, size.columns);
            let _ = writeln!(out, "\x1b[{FIRST_LINE};1H{shown}\x1b[{};1H", size.cursor_line());
        }
    }

    /// Shows a message, printed without the line end, on its topic's line.
    pub(super) fn show(&mut self, topic: &str, printed: &[u8], size: TerminalSize, out: &mut Vec<u8>) {
        self.start("", size, out);
        let cursor_line = size.cursor_line();
        match self.line(topic, cursor_line) {
            Some(line) => {
                let mut shown = String::new();
                push_shown(&String::from_utf8_lossy(printed), &mut shown, size.columns);
                let _ = write!(out, "\x1b[{line};1H{CLEAR_LINE}{shown}");
            }
            None => {
                self.unshown += 1;
                let unshown = counted(self.unshown, "message");
                let title = format!("{} (to topics below the screen: {unshown})", self.title);
                let mut shown = String::new();
                push_shown(&title, &mut shown, size.columns);
                let _ = write!(out, "\x1b[1;1H{CLEAR_LINE}{shown}");
            }
        }
        let _ = writeln!(out, "\x1b[{cursor_line};1H");
    }

    /// The topic's line, if it is on the screen.
    fn line(&mut self, topic: &str, cursor_line: usize) -> Option<usize> {
        if let Some(line) = self.lines.get(topic) {
            return Some(*line).filter(|line| *line < cursor_line);
        }
        let line = FIRST_LINE + self.lines.len();
        if line >= cursor_line {
            return None;
        }
        self.lines.insert(topic.to_owned(), line);
        Some(line)
    }
}

/// Appends the start of a text, up to that number of columns, with control characters as escapes.
fn push_shown(text: &str, shown: &mut String, columns: usize) {
    let mut left = columns;
    for character in text.chars() {
        let length = shown.len();
        let width = if is_unsafe(character) {
            shown.extend(character.escape_default());
            shown.len() - length
        } else {
            shown.push(character);
            width(character)
        };
        if width > left {
            shown.truncate(length);
            return;
        }
        left -= width;
    }
}

/// The maximum of columns that a character takes: from Hangul on, characters may be wide.
fn width(character: char) -> usize {
    if character < '\u{1100}' { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: TerminalSize = TerminalSize { rows: 5, columns: 10 };

    fn shown(watch: &mut TopicTable, topic: &str, printed: &str) -> String {
        let mut out = Vec::new();
        watch.show(topic, printed.as_bytes(), SIZE, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_topic_has_its_line() {
        let mut watch = TopicTable::new("localhost");
        let start = "\x1b[2J\x1b[1;1HBroker: localhost\n";
        assert_eq!(shown(&mut watch, "a", "1"), format!("{start}\x1b[2;1H\x1b[K1\x1b[4;1H\n"));
        assert_eq!(shown(&mut watch, "b", "2"), "\x1b[3;1H\x1b[K2\x1b[4;1H\n");
        assert_eq!(shown(&mut watch, "a", "3"), "\x1b[2;1H\x1b[K3\x1b[4;1H\n");
    }

    #[test]
    fn topics_without_a_line_are_counted() {
        let mut watch = TopicTable::new("b");
        for topic in 0..1000 {
            shown(&mut watch, &topic.to_string(), "x");
        }
        assert_eq!(watch.lines.len(), 2);
        assert_eq!(watch.unshown, 998);
        assert_eq!(shown(&mut watch, "999", "x"), "\x1b[1;1H\x1b[KBroker: b \x1b[4;1H\n");
    }

    #[test]
    fn a_message_cannot_leave_its_line() {
        let cases = [
            ("a\nb\u{1b}[2J", "a\\nb\\u{1b}"),
            ("0123456789abc", "0123456789"),
            ("\u{202e}x", "\\u{202e}x"),
            ("漢漢漢漢漢漢", "漢漢漢漢漢"),
            ("0123456789\u{7f}", "0123456789"),
        ];
        for (printed, line) in cases {
            let mut watch = TopicTable::new("b");
            let all = shown(&mut watch, "a", printed);
            assert!(all.contains(&format!("\x1b[2;1H\x1b[K{line}\x1b[4;1H")), "{printed:?} gives {all:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_printed_a_line_holds_no_control_characters_and_fits(text in ".{0,40}", columns in 0..30usize) {
            let mut shown = String::new();
            push_shown(&text, &mut shown, columns);
            proptest::prop_assert!(!shown.chars().any(is_unsafe));
            proptest::prop_assert!(shown.chars().map(width).sum::<usize>() <= columns);
        }
    }
}
