//! Draws text into the cells of a frame, within its bounds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws a text that is already escaped, in at most `width` columns. Returns the columns that it takes.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, width: usize, text: &str, style: Style) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() || width == 0 {
        return 0;
    }
    let (end, _) = buffer.set_stringn(x, y, text, width, style);
    end - x
}

/// Draws a text at the right end of a field.
pub(super) fn put_right(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) {
    let columns = u16::try_from(text.chars().count()).unwrap_or(u16::MAX).min(width);
    put(buffer, x + (width - columns), y, columns.into(), text, style);
}

/// Gives the cells of a row a style, and draws spaces.
pub(super) fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        let blank = " ".repeat(area.width.into());
        put(buffer, area.left(), y, area.width.into(), &blank, Style::reset());
    }
    buffer.set_style(area, style);
}
