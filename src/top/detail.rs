//! The detail pane: the message of the selected topic, its changes, its history, and a chart of a field.

use super::canvas::{fill, put};
use super::chart::Series;
use super::content::{Document, Line, Tone};
use super::diff::{Change, compare};
use super::model::{Entry, History, NodeId, Value};
use super::palette::Palette;
use super::scene::Scene;
use super::text;
use crate::protocol::PropertyValue;
use crate::words::counted;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The time in milliseconds between two evaluations of a history, or of a long payload.
const RENEWAL: u64 = 500;

/// The longest payload that is shown again with each message.
const MAX_RENEWED: usize = 64 << 10;

/// The most fields that are named if another one is unknown.
const MAX_NAMED: usize = 8;

/// The most rows of a topic, and of a line of a payload.
const TOPIC_ROWS: usize = 3;
const LINE_ROWS: usize = 500;

/// A view of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Value,
    Changes,
    History,
    Chart,
    Bytes,
}

const VIEWS: [(View, &str); 5] = [
    (View::Value, "value"),
    (View::Changes, "changes"),
    (View::History, "history"),
    (View::Chart, "chart"),
    (View::Bytes, "hex"),
];

/// Below this width, there is no space between the names of the views.
const MIN_SPACED: u16 = 44;

/// A line of styled parts.
type Styled = Vec<(Style, String)>;

/// The state of the pane.
#[derive(Debug, Default)]
pub(super) struct Detail {
    view: View,
    scroll: usize,
    /// The levels of JSON that are unfolded.
    levels: Option<usize>,
    /// The path of the chosen field.
    field: Option<String>,
    /// The rows that were drawn last, for scrolling.
    rows: usize,
    cache: Option<Cache>,
}

/// The views that were computed for a message.
#[derive(Debug)]
struct Cache {
    id: NodeId,
    /// The count of messages, and the time of the last one.
    version: (u64, u64),
    view: View,
    levels: Option<usize>,
    field: Option<String>,
    width: usize,
    /// Whether there was a history, which begins when the topic is shown.
    has_history: bool,
    at: u64,
    content: Computed,
}

#[derive(Debug)]
enum Computed {
    Lines(Vec<Styled>),
    Series(Series),
}

impl Detail {
    /// Handles a key of the pane; returns whether it is one.
    pub(super) fn key(&mut self, code: KeyCode) -> bool {
        match code {
            KeyCode::Char('v') => self.turn(1),
            KeyCode::Char('V') => self.turn(VIEWS.len() - 1),
            KeyCode::Char('J') => self.scroll(1),
            KeyCode::Char('K') => self.scroll(-1),
            KeyCode::Char('[') => self.levels = Some(self.levels.unwrap_or(4).saturating_sub(1).max(1)),
            KeyCode::Char(']') => {
                self.levels = self.levels.map(|levels| levels + 1).filter(|levels| *levels < 20);
            }
            KeyCode::Char('<') => self.step_field(-1),
            KeyCode::Char('>') => self.step_field(1),
            _ => return false,
        }
        true
    }

    pub(super) fn scroll(&mut self, lines: isize) {
        self.scroll = self.scroll.saturating_add_signed(lines);
    }

    /// Shows the chart. Returns the path of its field, as far as it is known.
    pub(super) fn show_chart(&mut self) -> &str {
        self.view = View::Chart;
        self.series().map(|series| series.field.as_str()).or(self.field.as_deref()).unwrap_or_default()
    }

    /// Chooses a field of the chart by its path.
    ///
    /// # Errors
    /// If the last message has no such number.
    pub(super) fn choose_field(&mut self, path: &str) -> Result<(), String> {
        let fields = self.series().map(|series| series.fields.as_slice()).unwrap_or_default();
        if !fields.iter().any(|field| field == path) {
            let known: Vec<&str> = fields.iter().map(String::as_str).take(MAX_NAMED).collect();
            let more = if fields.len() > MAX_NAMED { ", ..." } else { "" };
            return Err(format!(
                "the last message has no number at {path}, but at {}{more}",
                known.join(", ")
            ));
        }
        self.field = Some(path.to_owned());
        Ok(())
    }

    fn step_field(&mut self, places: isize) {
        if let Some(field) = self.series().and_then(|series| series.neighbour(places)) {
            self.field = Some(field.to_owned());
        }
    }

    fn series(&self) -> Option<&Series> {
        match &self.cache.as_ref()?.content {
            Computed::Series(series) => Some(series),
            Computed::Lines(_) => None,
        }
    }

    fn turn(&mut self, by: usize) {
        let position = VIEWS.iter().position(|(view, _)| *view == self.view).unwrap_or_default();
        self.view = VIEWS.get((position + by) % VIEWS.len()).map_or(View::Value, |(view, _)| *view);
        self.scroll = 0;
    }

    /// Draws the pane for a topic.
    pub(super) fn render(
        &mut self,
        selected: Option<NodeId>,
        scene: &Scene<'_>,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        fill(buffer, area, scene.palette.plain());
        self.render_heading(scene.palette, area, buffer);
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.rows = below.height.into();
        let Some(id) = selected.filter(|id| scene.model.value(*id).is_some()) else {
            put(
                buffer,
                below.x,
                below.y,
                below.width.into(),
                "no message at this level; select a topic below it",
                scene.palette.faint(),
            );
            return;
        };
        self.compute(id, below.width.into(), scene);
        match self.cache.as_ref().map(|cache| &cache.content) {
            Some(Computed::Series(series)) => series.render(scene.palette, below, buffer),
            Some(Computed::Lines(lines)) => {
                self.scroll = self.scroll.min(lines.len().saturating_sub(self.rows));
                let shown = lines.get(self.scroll..).unwrap_or_default().iter().zip(below.y..below.bottom());
                shown.for_each(|(line, y)| put_line(line, Rect { y, height: 1, ..below }, buffer));
            }
            None => {}
        }
    }

    fn render_heading(&self, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let rule = "─".repeat(area.width.into());
        put(buffer, area.x, area.y, area.width.into(), &rule, palette.faint());
        let gap = u16::from(area.width >= MIN_SPACED);
        let mut x = area.x + 1;
        for (view, name) in VIEWS {
            let style = if view == self.view { palette.bar() } else { palette.plain() };
            let left = usize::from(area.right().saturating_sub(x));
            x += put(buffer, x, area.y, left, &format!(" {name} "), style) + gap;
        }
    }

    /// Computes the content again, if the message or the view changed.
    fn compute(&mut self, id: NodeId, width: usize, scene: &Scene<'_>) {
        let state = scene.model.state(id);
        let version = (state.messages, state.last);
        let has_history = scene.model.history(id).is_some();
        if let Some(cache) = &self.cache {
            let is_same = (cache.id, cache.view, cache.levels, &cache.field, cache.width, cache.has_history)
                == (id, self.view, self.levels, &self.field, width, has_history);
            let size = scene.model.value(id).map_or(0, |value| value.payload().len());
            let is_costly = self.view != View::Value || size > MAX_RENEWED;
            let is_recent = is_costly && scene.now.saturating_sub(cache.at) < RENEWAL;
            if is_same && (cache.version == version || is_recent) {
                return;
            }
            if cache.id != id {
                (self.scroll, self.field) = (0, None);
            }
        }
        let Some(content) = self.content(id, width, scene) else { return };
        let (view, levels, field) = (self.view, self.levels, self.field.clone());
        let at = scene.now;
        self.cache = Some(Cache { id, version, view, levels, field, width, has_history, at, content });
    }

    fn content(&self, id: NodeId, width: usize, scene: &Scene<'_>) -> Option<Computed> {
        let topic = scene.model.tree().path(id);
        let value = scene.model.value(id)?;
        let history = scene.model.history(id);
        Some(match (self.view, history) {
            (View::Value, _) => Computed::Lines(self.value_lines(&topic, value, width, scene)),
            (View::Bytes, _) => Computed::Lines(byte_lines(value, width, scene.palette)),
            (View::Changes, Some(history)) => {
                Computed::Lines(wrapped_all(change_lines(&topic, history, width, scene), width))
            }
            (View::History, Some(history)) => Computed::Lines(history_lines(&topic, history, scene)),
            (View::Chart, Some(history)) => {
                Computed::Series(Series::read(history, &topic, scene.decoding, self.field.as_deref()))
            }
            (_, None) => Computed::Lines(Vec::new()),
        })
    }

    fn value_lines(&self, topic: &str, value: &Value, width: usize, scene: &Scene<'_>) -> Vec<Styled> {
        let palette = scene.palette;
        let document = scene.decoding.document(topic, value, width);
        let mut lines = wrapped(vec![(palette.heading(), topic.to_owned())], width, TOPIC_ROWS);
        let facts = text::wrapped(&facts(value, scene.zone), width, LINE_ROWS);
        lines.extend(facts.into_iter().map(|line| vec![(palette.plain(), line)]));
        for (name, text) in properties(value) {
            let line = vec![(palette.key(), name), (palette.plain(), format!(": {text}"))];
            lines.extend(wrapped(line, width, LINE_ROWS));
        }
        let label = text::wrapped(&document.label, width, LINE_ROWS);
        lines.extend(label.into_iter().map(|line| vec![(palette.faint(), line)]));
        lines.extend(wrapped_all(folded(&document, self.levels, palette), width));
        lines
    }
}

fn byte_lines(value: &Value, width: usize, palette: Palette) -> Vec<Styled> {
    let document = Document::of_bytes(value, width);
    let label = vec![(palette.faint(), document.label)];
    [label].into_iter().chain(document.lines.iter().map(|line| styled(line, palette))).collect()
}

fn wrapped_all(lines: Vec<Styled>, columns: usize) -> Vec<Styled> {
    lines.into_iter().flat_map(|line| wrapped(line, columns, LINE_ROWS)).collect()
}

/// A line in rows of at most this many columns. The last row may be longer, as the number of rows is bounded.
fn wrapped(line: Styled, columns: usize, most: usize) -> Vec<Styled> {
    let (mut rows, mut row, mut left) = (Vec::new(), Styled::new(), columns);
    for (style, part) in line {
        let mut rest = part.as_str();
        while rows.len() + 1 < most && columns > 0 {
            let (length, taken) = text::fitting(rest, left, left == columns);
            let (start, after) = rest.split_at(length);
            row.push((style, start.to_owned()));
            (rest, left) = (after, left.saturating_sub(taken));
            if rest.is_empty() {
                break;
            }
            rows.push(std::mem::take(&mut row));
            left = columns;
        }
        if !rest.is_empty() {
            row.push((style, rest.to_owned()));
        }
    }
    rows.push(row);
    rows
}

/// The lines of a document, without levels that are folded.
fn folded(document: &Document, levels: Option<usize>, palette: Palette) -> Vec<Styled> {
    let is_shown = |line: &&Line| levels.is_none_or(|levels| line.depth < levels);
    let mut lines = Vec::new();
    let mut hidden = 0_usize;
    for line in &document.lines {
        if !is_shown(&line) {
            hidden += 1;
            continue;
        }
        if hidden > 0 {
            let lead = "  ".repeat(line.depth + 1);
            lines.push(vec![(palette.faint(), format!("{lead}… {}", counted(hidden, "line")))]);
            hidden = 0;
        }
        lines.push(styled(line, palette));
    }
    lines
}

fn styled(line: &Line, palette: Palette) -> Styled {
    let style = |tone| match tone {
        Tone::Plain => palette.plain(),
        Tone::Faint => palette.faint(),
        Tone::Key => palette.key(),
        Tone::Text => palette.text(),
        Tone::Number => palette.number(),
        Tone::Literal => palette.literal(),
    };
    let indentation = (palette.plain(), "  ".repeat(line.depth));
    let parts = line.parts.iter().map(|(tone, text)| (style(*tone), text.clone()));
    [indentation].into_iter().chain(parts).collect()
}

/// QoS, flags, size and time of a message.
fn facts(value: &Value, zone: &TimeZone) -> String {
    let retain = if value.retain { ", retained" } else { "" };
    let dup = if value.dup { ", duplicate" } else { "" };
    format!("QoS {}{retain}{dup}, {}, {}", value.qos, counted(value.size, "byte"), date(value.time, zone))
}

fn date(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn clock(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// The properties of MQTT 5 as names and texts.
fn properties(value: &Value) -> Vec<(String, String)> {
    let shown = value.properties().iter().map(|property| match property.value {
        PropertyValue::Number(number) => (property.id.to_string(), number.to_string()),
        PropertyValue::Text(text) => (property.id.to_string(), text.to_owned()),
        PropertyValue::Binary(bytes) => {
            let text = match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            };
            (property.id.to_string(), text)
        }
        PropertyValue::Pair(name, text) => (property.id.to_string(), format!("{name} = {text}")),
    });
    shown.collect()
}

fn change_lines(topic: &str, history: &History, width: usize, scene: &Scene<'_>) -> Vec<Styled> {
    let palette = scene.palette;
    let mut entries = history.entries().rev();
    let (Some(new), Some(old)) = (entries.next(), entries.next()) else {
        return vec![vec![(palette.faint(), "no second message since the topic was opened".to_owned())]];
    };
    // A mark is in front of each line.
    let columns = width.saturating_sub(2);
    let document = |entry: &Entry| scene.decoding.document(topic, &entry.value, columns);
    let (old_document, new_document) = (document(old), document(new));
    let between = format!(
        "{} to {}, {} later",
        clock(old.value.time, scene.zone),
        clock(new.value.time, scene.zone),
        gap(new.at.saturating_sub(old.at))
    );
    let mut lines = vec![vec![(palette.faint(), between)]];
    let changes = compare(&old_document.lines, &new_document.lines);
    if changes.iter().all(|(change, _)| *change == Change::Kept) {
        lines.push(vec![(palette.faint(), "the payload is the same".to_owned())]);
    }
    lines.extend(changes.into_iter().map(|(change, line)| changed(change, line, palette)));
    lines
}

fn changed(change: Change, line: &Line, palette: Palette) -> Styled {
    let (mark, style) = match change {
        Change::Kept => ("  ", None),
        Change::Removed => ("- ", Some(palette.failure())),
        Change::Added => ("+ ", Some(palette.good())),
    };
    let parts = styled(line, palette).into_iter().map(|(own, text)| (style.unwrap_or(own), text));
    [(style.unwrap_or(palette.plain()), mark.to_owned())].into_iter().chain(parts).collect()
}

/// The messages, the newest first, each with the time since the one before.
fn history_lines(topic: &str, history: &History, scene: &Scene<'_>) -> Vec<Styled> {
    let palette = scene.palette;
    let dropped = match history.dropped() {
        0 => String::new(),
        dropped => format!(", {} dropped", counted(dropped, "older message")),
    };
    let count = history.entries().len();
    let head = format!("{}, {}{dropped}", counted(count, "message"), text::bytes(history.bytes() as u64));
    let mut lines = vec![vec![(palette.faint(), head)]];
    let earlier = history.entries().rev().skip(1).map(Some).chain([None]);
    for (entry, earlier) in history.entries().rev().zip(earlier) {
        let since = earlier.map(|earlier| format!("+{}", gap(entry.at.saturating_sub(earlier.at))));
        let time = clock(entry.value.time, scene.zone);
        let size = text::size(entry.value.size.into());
        let retain = if entry.value.retain { "R" } else { " " };
        let value = if entry.value.size == 0 {
            "(empty)".to_owned()
        } else {
            scene.decoding.summary(topic, &entry.value)
        };
        lines.push(vec![
            (palette.plain(), time),
            (palette.number(), format!(" {:>8} ", since.unwrap_or_default())),
            (palette.faint(), format!("{size:>5} {retain} ")),
            (palette.plain(), value),
        ]);
    }
    lines
}

/// A time between two messages: `12ms`, `1.2s`, `5m`.
fn gap(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds}ms"),
        1000..60_000 => format!("{:.1}s", milliseconds as f64 / 1000.0),
        _ => text::age(milliseconds),
    }
}

/// Draws the parts of a line; strangers' text in them is escaped here.
fn put_line(line: &Styled, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x;
    for (style, part) in line {
        let left = usize::from(area.right().saturating_sub(x));
        x += put(buffer, x, area.y, left, &text::line(part, left), *style);
    }
}
