//! The last rows of the screen: a prompt, a question, a notice, or the most important keys. They grow with their text, so that nothing
//! of it is cut as long as the screen has room.

use super::canvas::{fill, put};
use super::feed::Connection;
use super::palette::Palette;
use super::prompt::Prompt;
use super::text;
use crate::columns;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

/// The rows above the footer that always stay: the title and the headings.
const ROWS_ABOVE: u16 = 2;

/// The most rows of a notice or a question on a low screen; on others, they take up to a half.
const MIN_ROWS: usize = 3;

/// A label that leaves less columns for the text has rows of its own.
const MIN_TYPED: usize = 20;

/// The answers to a question.
const ANSWERS: &str = " y/n";

/// The state that the footer shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footer<'a> {
    /// A text that is typed, with its label.
    pub(super) prompt: Option<(&'a str, &'a Prompt)>,
    pub(super) problem: Option<&'a str>,
    /// A question to answer with y.
    pub(super) question: Option<&'a str>,
    pub(super) notice: Option<&'a str>,
    /// The rejection of a subscription, which explains why nothing arrives.
    pub(super) rejection: Option<&'a str>,
    /// The most important keys.
    pub(super) keys: &'static str,
}

/// A row in parts, each with its style.
type Row = Vec<(Style, String)>;

/// The rows of the footer.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// The row and the column of the cursor.
    cursor: Option<(u16, u16)>,
}

impl Footer<'_> {
    /// The rows on a screen of this size.
    pub(super) fn rows(&self, connection: &Connection, now: u64, palette: Palette, screen: Rect) -> Rows {
        let width = usize::from(screen.width);
        let most = usize::from(screen.height.saturating_sub(ROWS_ABOVE));
        if most == 0 {
            return Rows::default();
        }
        if let Some((label, prompt)) = self.prompt {
            return prompt_rows((label, prompt, self.problem), palette, width, most);
        }
        let most = most.min(usize::from(screen.height / 2).max(MIN_ROWS));
        if let Some(question) = self.question {
            return Rows::of(question_lines(question, width, most), palette.warning());
        }
        let reason = match connection {
            Connection::Lost { reason, again_at } => Some(format!("{reason}; {}", again(*again_at, now))),
            Connection::Ended(reason) => Some(reason.clone()),
            Connection::Connected => self.rejection.map(str::to_owned),
            Connection::Connecting | Connection::Replay(_) => None,
        };
        match self.notice.or(reason.as_deref()) {
            Some(notice) => Rows::of(text::fitted(notice, width, most), palette.warning()),
            None => Rows::of(vec![keys_within(self.keys, width)], palette.faint()),
        }
    }
}

impl Rows {
    fn of(lines: Vec<String>, style: Style) -> Rows {
        Rows { rows: lines.into_iter().map(|line| vec![(style, line)]).collect(), cursor: None }
    }

    /// The number of rows.
    pub(super) fn height(&self) -> u16 {
        u16::try_from(self.rows.len()).unwrap_or(u16::MAX)
    }

    /// Draws the rows. Returns the place of the cursor in a prompt.
    pub(super) fn render(&self, palette: Palette, area: Rect, buffer: &mut Buffer) -> Option<Position> {
        fill(buffer, area, palette.plain());
        for (row, y) in self.rows.iter().zip(area.y..area.bottom()) {
            let mut x = area.x;
            for (style, part) in row {
                x += put(buffer, x, y, area.right().saturating_sub(x).into(), part, *style);
            }
        }
        let (row, column) = self.cursor?;
        Some(Position::new(area.x + column.min(area.width.saturating_sub(1)), area.y + row))
    }
}

/// The time until the next attempt to connect.
pub(super) fn again(at: u64, now: u64) -> String {
    match at.saturating_sub(now).div_ceil(1000) {
        0 => "again now".to_owned(),
        seconds => format!("again in {seconds} s"),
    }
}

/// As many keys as there is room for, each whole.
fn keys_within(keys: &str, width: usize) -> String {
    let mut shown = String::new();
    for key in keys.split('|') {
        let gap = if shown.is_empty() { "" } else { "  " };
        if shown.len() + gap.len() + key.len() > width {
            break;
        }
        shown = shown + gap + key;
    }
    shown
}

/// The question with its answers at the end, which are never cut.
fn question_lines(question: &str, width: usize, most: usize) -> Vec<String> {
    if most <= 1 {
        return vec![text::shortened(question, width.saturating_sub(ANSWERS.len())) + ANSWERS];
    }
    let mut lines = text::fitted(question, width, most);
    let has_room =
        |lines: &[String]| lines.last().is_some_and(|last| columns::width(last) + ANSWERS.len() <= width);
    if lines.len() == most && !has_room(&lines) {
        lines = text::fitted(question, width, most - 1);
    }
    let is_beside = has_room(&lines);
    match lines.last_mut() {
        Some(last) if is_beside => last.push_str(ANSWERS),
        _ => lines.push(ANSWERS.trim_start().to_owned()),
    }
    lines
}

/// The label, the typed text, and its problem. Of a long text, the part before the cursor is shown.
fn prompt_rows(
    (label, prompt, problem): (&str, &Prompt, Option<&str>),
    palette: Palette,
    width: usize,
    most: usize,
) -> Rows {
    let problem = problem.map(|problem| text::fitted(problem, width, most - 1)).unwrap_or_default();
    let of_label = most - 1 - problem.len();
    let for_label = width - MIN_TYPED.min(width / 2);
    let is_beside = columns::width(label) <= for_label || of_label == 0;
    let mut rows: Vec<Row> = Vec::new();
    let mut typed = Row::new();
    if is_beside {
        typed.push((palette.heading(), columns::cut(label, for_label, "… ")));
    } else {
        let lines = text::wrapped(label.trim_end(), width, of_label);
        rows.extend(lines.into_iter().map(|line| vec![(palette.heading(), line)]));
    }
    let start: usize = typed.iter().map(|(_, part)| columns::width(part)).sum();
    let (before, after) = prompt.split();
    let before = text::ending(before, width.saturating_sub(start + 1));
    let column = start + columns::width(&before);
    let after = text::line(after, width.saturating_sub(column));
    typed.extend([(palette.plain(), before), (palette.plain(), after)]);
    let cursor = (u16::try_from(rows.len()).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX));
    rows.push(typed);
    rows.extend(problem.into_iter().map(|line| vec![(palette.failure(), line)]));
    Rows { rows, cursor: Some(cursor) }
}
