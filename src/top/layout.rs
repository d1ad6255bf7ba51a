//! The parts of the screen, and the help over it.

use super::canvas::{fill, put};
use super::keys::{self, Group};
use super::palette::Palette;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From this width on, the detail pane is beside the table, otherwise below it.
const WIDE: u16 = 110;

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

/// Draws the keys from this line on over the screen. Returns the line of the next page, if there is one.
pub(super) fn render_help(from: usize, palette: Palette, buffer: &mut Buffer) -> Option<usize> {
    let area = buffer.area;
    let lines = help_lines();
    let lines = lines.get(from..).unwrap_or_default();
    let most = usize::from(area.height).saturating_sub(2);
    let columns = if area.width >= 2 * MIN_HELP && lines.len() > most { 2 } else { 1 };
    let rows = lines.len().div_ceil(columns);
    // A title is above its keys, never at the end of a column.
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
