//! The table of topics: the tree or list with the last value, and figures.

use super::canvas::{put, put_right};
use super::model::{NodeId, NodeState, Outline, Row, SortKey};
use super::scene::Scene;
use super::text;
use crate::columns;
use crate::words::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::HashMap;

/// The most values that are kept decoded.
const MAX_SUMMARIES: usize = 2000;

/// A message that is younger is drawn as new, in milliseconds.
const FRESH: u64 = 1000;

/// The narrowest field of names or values.
const MIN_FIELD: u16 = 8;

/// A column of figures.
struct Column {
    key: SortKey,
    heading: &'static str,
    width: u16,
    /// The narrowest table that has it.
    from: u16,
}

/// The figures, from left to right.
const COLUMNS: [Column; 4] = [
    Column { key: SortKey::Messages, heading: "COUNT", width: 6, from: 64 },
    Column { key: SortKey::Rate, heading: "RATE", width: 6, from: 56 },
    Column { key: SortKey::Size, heading: "SIZE", width: 6, from: 72 },
    Column { key: SortKey::Age, heading: "AGE", width: 5, from: 30 },
];

/// The decoded values of the rows, each with the count of messages and the time of the last one.
#[derive(Debug, Default)]
pub(super) struct Summaries(HashMap<NodeId, ((u64, u64), String)>);

impl Summaries {
    fn of(&mut self, scene: &Scene<'_>, id: NodeId) -> Option<&str> {
        let value = scene.model.value(id)?;
        let state = scene.model.state(id);
        let version = (state.messages, state.last);
        if self.0.len() > MAX_SUMMARIES {
            self.0.clear();
        }
        let (seen, text) = self.0.entry(id).or_default();
        if *seen != version {
            let topic = scene.model.tree().path(id);
            *text =
                if value.size == 0 { "(empty)".to_owned() } else { scene.decoding.summary(&topic, value) };
            *seen = version;
        }
        Some(text)
    }
}

/// The number of rows in this area, below the headings.
pub(super) fn rows(area: Rect) -> usize {
    usize::from(area.height).saturating_sub(1)
}

/// The order that a click on a heading asks for.
pub(super) fn heading_at(area: Rect, x: u16) -> Option<SortKey> {
    let mut left = area.x + area.width.saturating_sub(figures_width(area.width));
    if x < left {
        return Some(SortKey::Name);
    }
    for column in COLUMNS.iter().filter(|column| area.width >= column.from) {
        left += column.width;
        if x < left {
            return Some(column.key);
        }
    }
    None
}

fn figures_width(width: u16) -> u16 {
    COLUMNS.iter().filter(|column| width >= column.from).map(|column| column.width).sum()
}

/// The columns of names and values.
struct Fields {
    name: u16,
    /// Where values begin.
    value_at: u16,
    value: u16,
    figures_at: u16,
}

impl Fields {
    fn new(area: Rect, longest_name: usize) -> Fields {
        let figures = figures_width(area.width);
        // The retained mark and a space are in front of the value.
        let room = area.width.saturating_sub(figures + 3);
        let most = (room * 3 / 5).max(MIN_FIELD).min(room);
        let name = u16::try_from(longest_name).unwrap_or(u16::MAX).clamp(MIN_FIELD.min(most), most);
        Fields {
            name,
            value_at: area.x + name + 3,
            value: room - name,
            figures_at: area.right().saturating_sub(figures),
        }
    }
}

/// Draws the table from the row `top` on.
pub(super) fn render(
    outline: &Outline,
    top: usize,
    summaries: &mut Summaries,
    scene: &Scene<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let shown = outline.rows().get(top..).unwrap_or_default();
    let shown = shown.get(..rows(area).min(shown.len())).unwrap_or_default();
    let width = usize::from(area.width);
    let names: Vec<String> = shown.iter().map(|row| name(outline, *row, scene, width)).collect();
    let longest = names.iter().map(|name| columns::width(name)).max().unwrap_or_default();
    let fields = Fields::new(area, longest.max(20));
    render_headings(outline, &fields, scene, area, buffer);
    for ((row, name), number) in shown.iter().zip(&names).zip(1..) {
        let y = area.y + number;
        let is_selected = top + usize::from(number) == outline.position() + 1;
        render_row(*row, name, summaries, scene, &fields, Rect { y, height: 1, ..area }, buffer);
        if is_selected {
            let style = scene.palette.selected(scene.palette.plain());
            buffer.set_style(Rect { y, height: 1, ..area }.intersection(buffer.area), style);
        }
    }
    if shown.is_empty() && area.height > 1 {
        let text = if outline.has_filter() { "no topic matches the filter" } else { "no message yet" };
        put(buffer, area.x + 2, area.y + 1, width.saturating_sub(2), text, scene.palette.faint());
    }
}

fn render_headings(outline: &Outline, fields: &Fields, scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (sort, is_reversed) = outline.sort();
    // The order by name is ascending, the others are descending.
    let arrow = if is_reversed == (sort == SortKey::Name) { "▼" } else { "▲" };
    let marked =
        |key, heading: &str| if key == sort { format!("{heading}{arrow}") } else { heading.to_owned() };
    let style = scene.palette.heading();
    put(buffer, area.x, area.y, fields.name.into(), &marked(SortKey::Name, "TOPIC"), style);
    put(buffer, fields.value_at, area.y, fields.value.into(), "VALUE", style);
    let mut x = fields.figures_at;
    for column in COLUMNS.iter().filter(|column| area.width >= column.from) {
        put_right(buffer, x, area.y, column.width, &marked(column.key, column.heading), style);
        x += column.width;
    }
}

/// The name with its indentation and mark.
fn name(outline: &Outline, row: Row, scene: &Scene<'_>, width: usize) -> String {
    let tree = scene.model.tree();
    if outline.is_list() {
        return text::line(&tree.path(row.id), width);
    }
    let depth = tree.depth(row.id);
    let mark = match (tree.child_count(row.id) > 0, row.is_folded) {
        (true, true) => "▸ ",
        (true, false) => "▾ ",
        (false, _) => "  ",
    };
    // Deep levels are not indented out of sight.
    let most = width / 4;
    let lead = if depth * 2 > most { format!("{:>most$} ", depth + 1) } else { "  ".repeat(depth) };
    let name = tree.name(row.id);
    let shown = if name.is_empty() { "\"\"".to_owned() } else { text::line(name, width) };
    format!("{lead}{mark}{shown}")
}

fn render_row(
    row: Row,
    name: &str,
    summaries: &mut Summaries,
    scene: &Scene<'_>,
    fields: &Fields,
    area: Rect,
    buffer: &mut Buffer,
) {
    let palette = scene.palette;
    let state = scene.model.state(row.id);
    let (x, y) = (area.x, area.y);
    put(buffer, x, y, fields.name.into(), &columns::cut(name, fields.name.into(), "…"), palette.plain());
    if state.is_retained {
        put(buffer, x + fields.name + 1, y, 1, "R", palette.number());
    }
    let age = scene.now.saturating_sub(state.last);
    let (value, style) = match summaries.of(scene, row.id) {
        Some(value) => (value.to_owned(), if age < FRESH { palette.good() } else { palette.plain() }),
        None => (format!("({})", counted(state.topics, "topic")), palette.faint()),
    };
    let value = text::line(&value, fields.value.into());
    put(buffer, fields.value_at, y, fields.value.into(), &value, style);
    let mut x = fields.figures_at;
    for column in COLUMNS.iter().filter(|column| area.width >= column.from) {
        put_right(buffer, x, y, column.width, &figure(column.key, state, row.id, scene), palette.plain());
        x += column.width;
    }
}

fn figure(key: SortKey, state: NodeState, id: NodeId, scene: &Scene<'_>) -> String {
    match key {
        SortKey::Name => String::new(),
        SortKey::Messages => text::count(state.messages),
        SortKey::Rate => text::rate(scene.model.rate(id, scene.now)),
        SortKey::Size => text::size(state.size),
        SortKey::Age => text::age(scene.now.saturating_sub(state.last)),
    }
}
