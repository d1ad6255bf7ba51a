//! The parts of the screen, and those around the table: title, footer and help.

use super::canvas::{fill, put};
use super::feed::Connection;
use super::keys::{self, Group};
use super::model::{LeftOut, NodeId};
use super::palette::Palette;
use super::playback::Playback;
use super::prompt::Prompt;
use super::scene::Scene;
use super::text;
use crate::columns;
use crate::words::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// From this width on, the detail pane is beside the table, otherwise below it.
const WIDE: u16 = 110;

/// Below this number of columns, the label of a prompt takes half of them at most.
const NARROW: usize = 80;

/// The columns of the keys in the help.
const KEY_WIDTH: usize = 13;

/// The areas of the screen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub(super) title: Rect,
    pub(super) table: Rect,
    pub(super) detail: Option<Rect>,
    pub(super) footer: Rect,
}

impl Layout {
    pub(super) fn new(area: Rect, has_detail: bool) -> Layout {
        let rows = area.height;
        let title = Rect { height: rows.min(1), ..area };
        let footer_rows = u16::from(rows > 2);
        let footer = Rect { y: area.bottom() - footer_rows, height: footer_rows, ..area };
        let middle = Rect { y: area.y + title.height, height: rows - title.height - footer_rows, ..area };
        if !has_detail {
            return Layout { title, table: middle, detail: None, footer };
        }
        let (table, detail) = if area.width >= WIDE {
            let left = middle.width / 2;
            (
                Rect { width: left, ..middle },
                Rect { x: middle.x + left + 1, width: middle.width - left - 1, ..middle },
            )
        } else {
            let above = middle.height * 2 / 5;
            (
                Rect { height: above, ..middle },
                Rect { y: middle.y + above, height: middle.height - above, ..middle },
            )
        };
        Layout { title, table, detail: Some(detail), footer }
    }
}

/// The state that the title shows besides the scene.
#[derive(Debug, Clone, Copy)]
pub(super) struct Title<'a> {
    pub(super) broker: &'a str,
    /// The messages since the display was paused.
    pub(super) held: Option<u64>,
    pub(super) is_following: bool,
    pub(super) is_recording: bool,
    pub(super) filter: &'a str,
}

/// Draws the broker, the state of the connection and the totals.
pub(super) fn render_title(title: Title<'_>, scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let palette = scene.palette;
    fill(buffer, area, palette.bar());
    let broker = text::line(title.broker, usize::from(area.width) / 2);
    let (state, is_good) = connection(scene);
    let root = scene.model.state(NodeId::ROOT);
    let rate = text::rate(scene.model.rate(NodeId::ROOT, scene.now));
    let mut parts = vec![state];
    if title.held.is_some() {
        parts.push("PAUSED".to_owned());
    }
    parts.extend(title.held.map(|held| format!("+{}", counted(held, "message"))));
    parts.push(counted(root.topics, "topic"));
    parts.push(format!("{} msgs", text::count(root.messages)));
    parts.push(format!("{}/s", if rate.is_empty() { "0" } else { &rate }));
    parts.extend(title.is_following.then(|| "follow".to_owned()));
    parts.extend(title.is_recording.then(|| "REC".to_owned()));
    parts.extend((!title.filter.is_empty()).then(|| format!("filter {}", title.filter)));
    parts.extend(left_out(scene.model.left_out()));
    let style = if is_good { palette.bar() } else { palette.selected(palette.warning()) };
    let line = format!(" {broker}  {}", parts.join("  "));
    let width = usize::from(area.width);
    put(buffer, area.x, area.y, width, &text::line(&line, width), style);
}

/// The state of the connection, and whether it is as it should be.
fn connection(scene: &Scene<'_>) -> (String, bool) {
    match scene.connection {
        Connection::Connecting => ("connecting".to_owned(), true),
        Connection::Connected => ("connected".to_owned(), true),
        Connection::Replay(playback) => (replay(playback), true),
        Connection::Ended(_) => ("NOT CONNECTED".to_owned(), false),
        Connection::Lost { again_at, .. } => {
            let seconds = again_at.saturating_sub(scene.now).div_ceil(1000);
            let again = if seconds == 0 { "now".to_owned() } else { format!("in {seconds} s") };
            (format!("DISCONNECTED, again {again}"), false)
        }
    }
}

/// The position, the length and the speed of a replay.
fn replay(playback: &Playback) -> String {
    let Playback { at, end, speed, is_paused, is_over } = *playback;
    let clock = |milliseconds: u64| {
        let seconds = milliseconds / 1000;
        format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let end = end.map(|end| format!(" of {}", clock(end))).unwrap_or_default();
    let state = match (is_over, is_paused) {
        (true, _) => "  at the end",
        (false, true) => "  STOPPED",
        (false, false) => "",
    };
    format!("replay {}{end}  speed {speed}{state}", clock(at))
}

fn left_out(left_out: LeftOut) -> Option<String> {
    let LeftOut { messages, payloads } = left_out;
    match (messages, payloads) {
        (0, 0) => None,
        (0, payloads) => Some(format!("FULL: {} left out", counted(payloads, "payload"))),
        (messages, _) => Some(format!("FULL: {} to further topics left out", counted(messages, "message"))),
    }
}

/// The state that the footer shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footer<'a> {
    /// A text that is typed, with its label.
    pub(super) prompt: Option<(&'a str, &'a Prompt)>,
    pub(super) problem: Option<&'a str>,
    /// A question to answer with y.
    pub(super) question: Option<&'a str>,
    pub(super) notice: Option<&'a str>,
}

/// Draws the prompt, a notice, or the most important keys. Returns the place of the cursor in the prompt.
pub(super) fn render_footer(
    footer: Footer<'_>,
    scene: &Scene<'_>,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let (palette, width) = (scene.palette, usize::from(area.width));
    if let Some((label, prompt)) = footer.prompt {
        return Some(render_prompt(label, prompt, footer.problem, palette, area, buffer));
    }
    if let Some(question) = footer.question {
        let answers = " y/n";
        let text = text::line(question, width.saturating_sub(answers.len())) + answers;
        put(buffer, area.x, area.y, width, &text, palette.warning());
        return None;
    }
    let reason = match scene.connection {
        Connection::Lost { reason, .. } | Connection::Ended(reason) => Some(reason.as_str()),
        Connection::Connecting | Connection::Connected | Connection::Replay(_) => None,
    };
    match footer.notice.or(reason) {
        Some(notice) => {
            put(buffer, area.x, area.y, width, &text::line(notice, width), palette.warning());
        }
        None => {
            let hints =
                "? keys  / filter  space fold  Enter message  p pause  f follow  N C R A S sort  q quit";
            put(buffer, area.x, area.y, width, &columns::cut(hints, width, ""), palette.faint());
        }
    }
    None
}

/// Draws what is typed and its problem; if it is too long, the part before the cursor.
fn render_prompt(
    label: &str,
    prompt: &Prompt,
    problem: Option<&str>,
    palette: Palette,
    area: Rect,
    buffer: &mut Buffer,
) -> Position {
    let (before, after) = prompt.split();
    let problem = problem.map(|problem| format!("  {problem}")).unwrap_or_default();
    let of_label =
        if usize::from(area.width) < NARROW { usize::from(area.width) / 2 } else { area.width.into() };
    let label = columns::cut(label, of_label, "… ");
    let mut x = area.x + put(buffer, area.x, area.y, of_label, &label, palette.heading());
    let room = usize::from(area.right().saturating_sub(x)).saturating_sub(1);
    // A long text leaves room for the problem.
    let of_problem = columns::width(&text::line(&problem, room * 2 / 3));
    let shown = ending(before, room - of_problem);
    x += put(buffer, x, area.y, room, &shown, palette.plain());
    let cursor = Position::new(x.min(area.right().saturating_sub(1)), area.y);
    let left = usize::from(area.right().saturating_sub(x)).saturating_sub(of_problem);
    x += put(buffer, x, area.y, left, &text::line(after, left), palette.plain());
    let left = usize::from(area.right().saturating_sub(x));
    put(buffer, x, area.y, left, &text::line(&problem, left), palette.failure());
    cursor
}

/// The end of a text, in at most this many columns.
fn ending(text: &str, columns: usize) -> String {
    let mut start = text.len();
    let mut taken = String::new();
    for (place, character) in text.char_indices().rev() {
        let shown = text::line(character.encode_utf8(&mut [0; 4]), usize::MAX / 4);
        if columns::width(&taken) + columns::width(&shown) > columns {
            break;
        }
        taken.push_str(&shown);
        start = place;
    }
    text::line(text.get(start..).unwrap_or_default(), columns)
}

/// Draws the keys from this line on over the screen. Returns the line of the next page, if there is one.
pub(super) fn render_help(from: usize, palette: Palette, buffer: &mut Buffer) -> Option<usize> {
    let area = buffer.area;
    let lines = help_lines();
    let lines = lines.get(from..).unwrap_or_default();
    let most = usize::from(area.height).saturating_sub(2);
    let columns = if area.width >= 2 * MIN_HELP && lines.len() > most { 2 } else { 1 };
    let rows = lines.len().div_ceil(columns);
    // A title stands above its keys, not at the end of a column.
    let ends_with_title =
        columns > 1 && lines.get(rows.saturating_sub(1)).is_some_and(|line| line.1.is_empty());
    let rows = (rows + usize::from(ends_with_title)).min(most);
    let width = (area.width / if columns == 2 { 1 } else { 2 }).max(MIN_HELP).min(area.width);
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(area.height);
    let frame = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    let next = Some(from + rows * columns).filter(|_| rows > 0 && rows * columns < lines.len());
    fill(buffer, frame, palette.plain());
    let title = if next.is_some() { "─ keys: any key shows more " } else { "─ keys: any key closes " };
    let rule = "─".repeat(usize::from(width));
    let bottom = frame.bottom().saturating_sub(1);
    put(buffer, frame.x, bottom, width.into(), &rule, palette.heading());
    put(buffer, frame.x, frame.y, width.into(), &format!("{title}{rule}"), palette.heading());
    let column_width = usize::from(width) / columns;
    let shown = lines.iter().take(rows * columns).enumerate();
    for (number, (key, effect)) in shown {
        let (column, row) = (number / rows.max(1), number % rows.max(1));
        let x = frame.x + u16::try_from(column * column_width).unwrap_or_default() + 1;
        let y = frame.y + u16::try_from(row + 1).unwrap_or_default();
        let room = column_width.saturating_sub(2);
        if effect.is_empty() {
            put(buffer, x, y, room, key, palette.heading());
        } else {
            put(buffer, x, y, room.min(KEY_WIDTH), key, palette.key());
            let after = x + u16::try_from(KEY_WIDTH).unwrap_or_default();
            put(buffer, after, y, room.saturating_sub(KEY_WIDTH), effect, palette.plain());
        }
    }
    next
}

/// The narrowest column of the help.
const MIN_HELP: u16 = 40;

/// The keys with their effects; titles have none.
fn help_lines() -> Vec<(&'static str, &'static str)> {
    let of_group =
        |(title, keys): &Group| [(*title, "")].into_iter().chain(keys.iter().copied()).collect::<Vec<_>>();
    keys::GROUPS.iter().flat_map(of_group).collect()
}
