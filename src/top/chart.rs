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

/// The room above the greatest value and below the least one, as a part of the range.
const MARGIN: f64 = 0.05;

/// The most rows of the heading.
const MAX_HEADING: usize = 3;

/// The values of a field, with their times in seconds before the last one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Series {
    /// All numeric fields of the last message.
    pub(super) fields: Vec<String>,
    /// The path of the chosen one.
    pub(super) field: String,
    points: Vec<(f64, f64)>,
}

impl Series {
    /// Reads a field of all messages in the history; without a chosen one, the first of the last message.
    pub(super) fn read(
        history: &History,
        topic: &str,
        decoding: Decoding<'_>,
        chosen: Option<&str>,
    ) -> Series {
        let last = history.entries().next_back();
        let last_numbers =
            last.and_then(|entry| decoding.json(topic, &entry.value)).map(|json| numbers(&json));
        let fields: Vec<String> =
            last_numbers.unwrap_or_default().into_iter().map(|(path, _)| path).collect();
        let path = chosen.or(fields.first().map(String::as_str)).map(str::to_owned);
        let (Some(field), Some(last)) = (path, last) else { return Series::default() };
        let points = history.entries().filter_map(|entry| {
            let json = decoding.json(topic, &entry.value)?;
            let (_, number) = numbers(&json).into_iter().find(|(path, _)| *path == field)?;
            let before = last.at.saturating_sub(entry.at) as f64 / 1000.0;
            number.is_finite().then_some((-before, number))
        });
        let points = points.collect();
        Series { field, points, fields }
    }

    /// The field that is this many places after the chosen one.
    pub(super) fn neighbour(&self, places: isize) -> Option<&str> {
        let place = self.fields.iter().position(|field| *field == self.field).unwrap_or_default();
        let place = place.saturating_add_signed(places).min(self.fields.len().checked_sub(1)?);
        self.fields.get(place).map(String::as_str)
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
            let text = match self.field.as_str() {
                "" => "the message has no numeric field".to_owned(),
                field => format!("no message in the history has a number at {field}"),
            };
            put(buffer, area.x, area.y, width, &text::line(&text, width), palette.faint());
            return;
        };
        let name = if self.field.is_empty() { "value" } else { &self.field };
        let place = match self.fields.iter().position(|field| *field == self.field) {
            Some(place) => format!("field {} of {}", place + 1, self.fields.len()),
            None => "not in the last one".to_owned(),
        };
        let values = counted(self.points.len(), "message");
        let heading = format!(
            "{name}  last {}  min {}  max {}  {values}, {place} (< > F)",
            figure(*last),
            figure(least),
            figure(greatest)
        );
        let lines = text::wrapped(&heading, width, MAX_HEADING);
        for (line, y) in lines.iter().zip(area.y..area.bottom()) {
            put(buffer, area.x, y, width, line, palette.key());
        }
        let above = u16::try_from(lines.len()).unwrap_or_default().min(area.height);
        let below = Rect { y: area.y + above, height: area.height - above, ..area }.intersection(buffer.area);
        if below.height < MIN_CHART {
            self.render_sparkline(least, greatest, palette, below, buffer);
        } else {
            self.render_chart(least, greatest, palette, below, buffer);
        }
    }

    /// The last values, a column each.
    fn render_sparkline(&self, least: f64, greatest: f64, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let shown = self.points.len().saturating_sub(area.width.into());
        // The least value is still visible.
        let level = |value: f64| 1 + (share(value, least, greatest) * 999.0) as u64;
        let levels: Vec<u64> = self.points.iter().skip(shown).map(|(_, value)| level(*value)).collect();
        Sparkline::default().data(&levels).max(1000).style(palette.number()).render(area, buffer);
    }

    fn render_chart(&self, least: f64, greatest: f64, palette: Palette, area: Rect, buffer: &mut Buffer) {
        let at_height = |(time, value): &(f64, f64)| (*time, share(*value, least, greatest));
        let points: Vec<(f64, f64)> = self.points.iter().map(at_height).collect();
        let start = self.points.first().map_or(0.0, |(time, _)| *time).min(-1.0);
        let labels = [format!("-{}", text::age((-start * 1000.0) as u64)), "last".to_owned()];
        let dataset = Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(palette.number())
            .data(&points);
        let axis = |bounds: [f64; 2], labels: Vec<String>| {
            Axis::default().style(palette.faint()).bounds(bounds).labels(labels)
        };
        Chart::new(vec![dataset])
            .style(Style::new())
            .x_axis(axis([start, 0.0], labels.into()))
            .y_axis(axis([-MARGIN, 1.0 + MARGIN], vec![figure(least), figure(greatest)]))
            .render(area, buffer);
    }
}

/// The place of a value between the least and the greatest one, from 0 to 1. The difference of two values may be infinite.
fn share(value: f64, least: f64, greatest: f64) -> f64 {
    let range = greatest / 2.0 - least / 2.0;
    if range > 0.0 { ((value / 2.0 - least / 2.0) / range).clamp(0.0, 1.0) } else { 0.5 }
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

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_value_has_a_place_in_every_range() {
        for greatest in [f64::MAX, 1e308, 1.0, 1e-300] {
            let shares = [-1.0, -0.5, 0.0, 1.0].map(|part| share(part * greatest, -greatest, greatest));
            assert_eq!(shares, [0.0, 0.25, 0.5, 1.0], "{greatest}");
        }
        assert_eq!([share(3.0, 3.0, 3.0), share(f64::MAX, f64::MAX, f64::MAX)], [0.5, 0.5]);
    }
}
