//! The panel as lines of text for a terminal of any width. Nothing here knows a terminal.

use super::status::{Extent, Late, MAX_SECONDS, Second, Status};
use crate::bench::report::{Charset, Limit, duration, rate};
use crate::columns;
use crate::commands::terminal::{Line, Tone};
use crate::escape;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Below this width, labels are short and there are no charts.
const NARROW: usize = 30;

/// The columns of labels and of values.
const LABEL: usize = 13;
const VALUE: usize = 11;

/// The narrowest bar and sparkline, and the widest bar.
const SHORTEST_CHART: usize = 8;
const LONGEST_BAR: usize = 30;

/// The levels of a sparkline.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_LEVELS: [char; 8] = ['_', '.', ',', ':', '-', '=', '+', '#'];

/// A row with a rate or a latency over the last minute.
struct Row {
    label: &'static str,
    short: &'static str,
    value: Value,
    format: fn(f64) -> String,
    /// The format for few columns.
    compact: fn(f64) -> String,
}

const ROWS: [Row; 6] = [
    rate_row("connects", "conn", |second| Some(second.connected)),
    rate_row("sent", "sent", |second| Some(second.sent)),
    rate_row("acknowledged", "ack", |second| Some(second.acknowledged)),
    rate_row("received", "recv", |second| Some(second.received)),
    latency_row("p50 latency", "p50", |second| second.p50.map(|time| time as f64)),
    latency_row("p99 latency", "p99", |second| second.p99.map(|time| time as f64)),
];

type Value = fn(&Second) -> Option<f64>;

const fn rate_row(label: &'static str, short: &'static str, value: Value) -> Row {
    Row { label, short, value, format: per_second, compact: short_count }
}

const fn latency_row(label: &'static str, short: &'static str, value: Value) -> Row {
    Row { label, short, value, format: time, compact: short_time }
}

/// Two digits, with a suffix for thousands.
fn short_count(value: f64) -> String {
    let (value, suffix) = match value {
        ..1e3 => return format!("{value:.0}"),
        1e3..1e6 => (value / 1e3, "k"),
        _ => (value / 1e6, "M"),
    };
    if value < 9.95 { format!("{value:.1}{suffix}") } else { format!("{value:.0}{suffix}") }
}

/// Two digits and the unit.
fn short_time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e6 => (nanoseconds / 1e3, "us"),
        1e6..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    if value < 9.95 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

fn per_second(value: f64) -> String {
    rate(value) + "/s"
}

fn time(nanoseconds: f64) -> String {
    duration(nanoseconds as u64)
}

/// The lines of the panel, none wider than `width` columns.
pub(super) fn lines(status: &Status, width: usize, charset: Charset) -> Vec<Line> {
    let canvas = Canvas { width, charset };
    let mut lines = vec![canvas.head(status), canvas.connected(status)];
    // Connects are of interest while the clients connect.
    let skipped = usize::from(!status.is_connecting);
    lines.extend(ROWS.iter().skip(skipped).filter_map(|row| canvas.row(row, status)));
    lines.extend(canvas.failures(status));
    lines.extend(status.late.and_then(|late| canvas.late(late)));
    lines.extend(canvas.limit(status));
    lines
}

/// The position in a step, in words.
pub(super) fn extent(extent: &Extent) -> String {
    match *extent {
        Extent::Time { elapsed, whole } => {
            let left = clock(whole.saturating_sub(elapsed));
            format!("{} of {}, {left} left", clock(elapsed.min(whole)), clock(whole))
        }
        Extent::Count { elapsed, done, whole, left } => {
            let left = left.map(|left| format!(", about {} left", clock(left))).unwrap_or_default();
            format!("{done} of {whole}, {}{left}", clock(elapsed))
        }
    }
}

/// A time in whole seconds, as it is read on a clock.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// The width and the characters of the terminal.
struct Canvas {
    width: usize,
    charset: Charset,
}

impl Canvas {
    fn is_narrow(&self) -> bool {
        self.width < NARROW
    }

    /// A line that begins with a label, cut to the width.
    fn line(&self, tone: Tone, label: &str, text: &str) -> Line {
        let label = match (self.is_narrow(), label) {
            (true, "") => String::new(),
            (true, label) => format!("{label} "),
            (false, label) => format!("{label:LABEL$}"),
        };
        let whole = self.cut(&format!("{label}{text}"));
        Line { tone, label: label.trim_end().len().min(whole.len()), text: whole }
    }

    /// Cuts a text to the width, and marks the cut.
    fn cut(&self, text: &str) -> String {
        let mark = if self.charset == Charset::Utf8 { "…" } else { "~" };
        columns::cut(text.trim_end(), self.width, mark)
    }

    fn head(&self, status: &Status) -> Line {
        let words = extent(&status.extent);
        if self.width < status.phase.len() + 1 + words.width() {
            return self.line(Tone::Heading, status.phase, "");
        }
        let room = self.width.saturating_sub(LABEL + words.width() + 2).min(LONGEST_BAR);
        match self.is_narrow() || room < SHORTEST_CHART {
            true => self.line(Tone::Heading, status.phase, &words),
            false => self.line(
                Tone::Heading,
                status.phase,
                &format!("{}  {words}", self.bar(&status.extent, room)),
            ),
        }
    }

    fn bar(&self, extent: &Extent, length: usize) -> String {
        let part = match *extent {
            Extent::Time { elapsed, whole } => {
                elapsed.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE)
            }
            Extent::Count { done, whole, .. } => done as f64 / whole.max(1) as f64,
        };
        let full = ((part.clamp(0.0, 1.0) * length as f64) as usize).min(length);
        let [done, left] = if self.charset == Charset::Utf8 { ["━", "─"] } else { ["#", "-"] };
        done.repeat(full) + &left.repeat(length - full)
    }

    fn connected(&self, status: &Status) -> Line {
        let Status { connected, clients, later, .. } = status;
        let later = if *later > 0 { format!(", {later} later") } else { String::new() };
        match self.is_narrow() {
            true => self.line(Tone::Plain, "", &format!("{connected}/{clients}")),
            false => self.line(Tone::Plain, "connected", &format!("{connected} of {clients} clients{later}")),
        }
    }

    /// A value with its sparkline and its peak; none if it was always zero.
    fn row(&self, row: &Row, status: &Status) -> Option<Line> {
        let values: Vec<_> = status.seconds.iter().map(row.value).collect();
        let peak = values.iter().flatten().copied().fold(0.0, f64::max);
        if peak <= 0.0 {
            return None;
        }
        let value = values.last().copied().flatten().map_or("-".to_owned(), row.format);
        if self.is_narrow() {
            let value = values.last().copied().flatten().map_or("-".to_owned(), row.compact);
            return Some(self.line(Tone::Plain, row.short, &value));
        }
        let room = self.width.saturating_sub(LABEL + VALUE + 1);
        let mut text = format!("{value:<VALUE$}");
        if room >= SHORTEST_CHART {
            text += &self.sparkline(&values, status.last_second, room, peak);
        }
        let peak = format!("peak {}", (row.format)(peak));
        if LABEL + text.width() + 2 + peak.width() <= self.width {
            text += &format!("  {peak}");
        }
        Some(self.line(Tone::Plain, row.label, &text))
    }

    /// One column for each second, or for a whole number of seconds if the room is small: then the highest value of them.
    fn sparkline(&self, values: &[Option<f64>], last: u64, room: usize, peak: f64) -> String {
        let each = MAX_SECONDS.div_ceil(room.max(1)).max(1) as u64;
        let first = last.saturating_sub(values.len() as u64);
        let mut columns: Vec<(u64, Option<f64>)> = Vec::new();
        for (second, value) in (first..).zip(values) {
            let number = second / each;
            match columns.last_mut() {
                Some((known, highest)) if *known == number => {
                    *highest = [*highest, *value].into_iter().flatten().reduce(f64::max);
                }
                _ => columns.push((number, *value)),
            }
        }
        let first = columns.len().saturating_sub(room);
        columns.iter().skip(first).map(|(_, value)| self.level(*value, peak)).collect()
    }

    fn level(&self, value: Option<f64>, peak: f64) -> char {
        let levels = if self.charset == Charset::Utf8 { LEVELS } else { ASCII_LEVELS };
        let Some(value) = value else { return ' ' };
        let level = (value / peak * levels.len() as f64) as usize;
        levels.get(level.min(levels.len() - 1)).copied().unwrap_or(' ')
    }

    fn failures(&self, status: &Status) -> Vec<Line> {
        let mut lines = Vec::new();
        if !status.failures.is_empty() {
            lines.push(self.line(Tone::Failure, "errors", &status.failures.join(", ")));
        }
        lines.extend(status.errors.iter().map(|(count, text)| {
            let text = format!("{count}x {}", escape::line(text));
            self.line(Tone::Failure, if self.is_narrow() { "-" } else { "" }, &text)
        }));
        lines
    }

    fn late(&self, late: Late) -> Option<Line> {
        let Late { sent, late, by_us } = late;
        let text = match by_us {
            0 => format!("{late} of {sent} sends"),
            by_us => format!("{late} of {sent} sends, {by_us} because of mq"),
        };
        (late > 0).then(|| self.line(Tone::Warning, "late", &text))
    }

    fn limit(&self, status: &Status) -> Option<Line> {
        let (tone, text) = match &status.limit {
            Limit::LoadGenerator(reason) => (Tone::Warning, format!("mq: {reason}")),
            Limit::Broker(reason) => (Tone::Plain, format!("broker: {reason}")),
            Limit::None => (Tone::Plain, "none found".to_owned()),
        };
        (status.is_loaded).then(|| self.line(tone, "limit", &text))
    }
}
