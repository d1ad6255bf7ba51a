//! The parts of the screen, and those over and above the table: title and help.

use super::canvas::{fill, put};
use super::feed::Connection;
use super::footer;
use super::keys::{self, Group};
use super::model::{LeftOut, NodeId};
use super::palette::Palette;
use super::playback::Playback;
use super::scene::Scene;
use super::text;
use crate::words::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From this width on, the detail pane is beside the table, otherwise below it.
const WIDE: u16 = 110;

/// Below this width, the state of a replay is short.
const NARROW: u16 = 80;

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
    /// The areas, with a footer of this height.
    pub(super) fn new(area: Rect, has_detail: bool, footer_rows: u16) -> Layout {
        let rows = area.height;
        let title = Rect { height: rows.min(1), ..area };
        let footer_rows = footer_rows.min(rows - title.height);
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
    /// How far the comparison with a filter is, in percent.
    pub(super) filtered: Option<usize>,
}

/// Draws the broker, the state of the connection and the totals.
pub(super) fn render_title(title: Title<'_>, scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let palette = scene.palette;
    fill(buffer, area, palette.bar());
    let broker = text::line(title.broker, usize::from(area.width) / 2);
    let (state, is_good) = connection(scene, area.width);
    let root = scene.model.state(NodeId::ROOT);
    let rate = text::rate_or_zero(scene.model.rate(NodeId::ROOT, scene.now));
    let mut parts = vec![state];
    parts.extend(left_out(scene.model.left_out()));
    if title.held.is_some() {
        parts.push("PAUSED".to_owned());
    }
    parts.extend(title.held.map(|held| format!("+{}", counted(held, "message"))));
    parts.push(counted(root.topics, "topic"));
    let plural = if root.messages == 1 { "" } else { "s" };
    parts.push(format!("{} msg{plural}", text::count(root.messages)));
    parts.push(format!("{rate}/s"));
    parts.extend(title.is_following.then(|| "follow".to_owned()));
    parts.extend(title.is_recording.then(|| "REC".to_owned()));
    parts.extend(title.filtered.map(|percent| format!("filtering {percent} %")));
    parts.extend((!title.filter.is_empty()).then(|| format!("filter {}", title.filter)));
    let style = if is_good { palette.bar() } else { palette.selected(palette.warning()) };
    let line = format!(" {broker}  {}", parts.join("  "));
    let width = usize::from(area.width);
    put(buffer, area.x, area.y, width, &text::line(&line, width), style);
}

/// The state of the connection, and whether it is as it should be.
fn connection(scene: &Scene<'_>, width: u16) -> (String, bool) {
    match scene.connection {
        Connection::Connecting => ("connecting".to_owned(), true),
        Connection::Connected => ("connected".to_owned(), true),
        Connection::Replay(playback) => (replay(playback, width < NARROW), true),
        Connection::Ended(_) => ("NOT CONNECTED".to_owned(), false),
        Connection::Lost { again_at, .. } => {
            (format!("DISCONNECTED, {}", footer::again(*again_at, scene.now)), false)
        }
    }
}

/// The position, the length and the speed of a replay.
fn replay(playback: &Playback, is_narrow: bool) -> String {
    let Playback { at, end, speed, is_paused, is_over } = *playback;
    let clock = |milliseconds: u64| {
        let seconds = milliseconds / 1000;
        format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let state = match (is_over, is_paused) {
        (true, _) if is_narrow => "  end",
        (true, _) => "  at the end",
        (false, true) => "  STOPPED",
        (false, false) => "",
    };
    let (label, of, times) = if is_narrow { ("", "/", "x") } else { ("replay ", " of ", " speed ") };
    let end = end.map(|end| format!("{of}{}", clock(end))).unwrap_or_default();
    format!("{label}{}{end} {times}{speed}{state}", clock(at))
}

fn left_out(left_out: LeftOut) -> Option<String> {
    let LeftOut { messages, payloads } = left_out;
    match (messages, payloads) {
        (0, 0) => None,
        (0, payloads) => Some(format!("FULL: {} left out", counted(payloads, "payload"))),
        (messages, _) => Some(format!("FULL: {} left out", counted(messages, "message"))),
    }
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
