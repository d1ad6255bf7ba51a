//! A field of a topic's messages over time: its values in the history, as a chart.

use super::canvas::put;
use super::content::{Decoding, numbers};
use super::model::History;
use super::palette::Palette;
use super::text;
use crate::words::counted;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Sparkline, Widget};

/// Below this height, a sparkline is drawn instead of a chart.
const MIN_CHART: u16 = 7;

/// The values of a field, with their times in seconds before the last one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Series {
    /// All numeric fields of the last message.
    pub(super) fields: Vec<String>,
    /// The index of the chosen one.
    pub(super) field: usize,
    pub(super) points: Vec<(f64, f64)>,
}

impl Series {
    /// Reads a field of all messages in the history.
    pub(super) fn read(history: &History, topic: &str, decoding: Decoding<'_>, field: usize) -> Series {
        let last = history.entries().next_back();
        let last_numbers =
            last.and_then(|entry| decoding.json(topic, &entry.value)).map(|json| numbers(&json));
        let fields: Vec<String> =
            last_numbers.unwrap_or_default().into_iter().map(|(path, _)| path).collect();
        let field = field.min(fields.len().saturating_sub(1));
        let (Some(path), Some(last)) = (fields.get(field), last) else { return Series::default() };
        let points = history.entries().filter_map(|entry| {
            let json = decoding.json(topic, &entry.value)?;
            let (_, number) = numbers(&json).into_iter().find(|(found, _)| found == path)?;
            let before = last.at.saturating_sub(entry.at) as f64 / 1000.0;
            number.is_finite().then_some((-before, number))
        });
        let points = points.collect();
        Series { field, points, fields }
    }

    /// The least and the greatest value.
    fn bounds(&self) -> Option<(f64, f64)> {
        let values = || self.points.iter().map(|(_, value)| *value);
        Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
    }

    /// Draws the name and the bounds, and below them the values.
    pub(super) fn render(&self, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let width = usize::from(area.width);
        let (Some((least, greatest)), Some((_, last))) = (self.bounds(), self.points.last()) else {
            put(buffer, area.x, area.y, width, "the message has no numeric field", palette.faint());
            return;
        };
        let name = self
            .fields
            .get(self.field)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
            .unwrap_or("value");
        let place = format!("field {} of {}", self.field + 1, self.fields.len());
        let values = counted(self.points.len(), "message");
        let heading = format!(
            "{name}  last {}  min {}  max {}  {values}, {place} (< >)",
            figure(*last),
            figure(least),
            figure(greatest)
        );
        put(buffer, area.x, area.y, width, &text::line(&heading, width), palette.key());
        let below =
            Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }.intersection(buffer.area);
        if below.height < MIN_CHART {
            self.render_sparkline(least, greatest, palette, below, buffer);
        } else {
            self.render_chart(least, greatest, palette, below, buffer);
        }
    }

    /// The last values, a column each.
    fn render_sparkline(&self, least: f64, greatest: f64, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let shown = self.points.len().saturating_sub(area.width.into());
        let range = (greatest - least).max(f64::MIN_POSITIVE);
        // The least value is still visible.
        let level = |value: f64| 1 + ((value - least) / range * 999.0) as u64;
        let levels: Vec<u64> = self.points.iter().skip(shown).map(|(_, value)| level(*value)).collect();
        Sparkline::default().data(&levels).max(1000).style(palette.number()).render(area, buffer);
    }

    fn render_chart(&self, least: f64, greatest: f64, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let margin =
            if greatest > least { (greatest - least) * 0.05 } else { greatest.abs().max(1.0) * 0.05 };
        let start = self.points.first().map_or(0.0, |(time, _)| *time).min(-1.0);
        let labels = [format!("-{}", text::age((-start * 1000.0) as u64)), "last".to_owned()];
        let dataset = Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(palette.number())
            .data(&self.points);
        let axis = |bounds: [f64; 2], labels: Vec<String>| {
            Axis::default().style(palette.faint()).bounds(bounds).labels(labels)
        };
        Chart::new(vec![dataset])
            .style(Style::new())
            .x_axis(axis([start, 0.0], labels.into()))
            .y_axis(axis([least - margin, greatest + margin], vec![figure(least), figure(greatest)]))
            .render(area, buffer);
    }
}

/// A value in few digits.
fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if value == value.trunc() && magnitude < 1e9 {
        format!("{value:.0}")
    } else if (1e-3..1e9).contains(&magnitude) {
        format!("{value:.3}").trim_end_matches('0').to_owned()
    } else {
        format!("{value:.3e}")
    }
}
