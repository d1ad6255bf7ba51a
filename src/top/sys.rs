//! The panel of the broker's own statistics, from its topics below `$SYS/`.

use super::canvas::{fill, put, put_right};
use super::feed::STATISTICS;
use super::model::{Model, NodeId, NodeState};
use super::palette::Palette;
use super::scene::Scene;
use super::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::HashMap;

/// The columns of labels, values and rates; on a narrow screen, the second ones.
const COLUMNS: [u16; 3] = [20, 14, 12];
const NARROW_COLUMNS: [u16; 3] = [18, 11, 10];

/// A figure: its label, and its topics below `$SYS/broker/` and below `$SYS/brokers/NODE/`.
struct Figure {
    label: &'static str,
    /// Of mosquitto and mq.
    topic: &'static str,
    /// Of EMQX.
    node_topic: &'static str,
    kind: Kind,
}

/// The kind of value of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    /// A number that only grows, and so has a rate.
    Counter,
    /// A number of bytes.
    Memory,
}

const fn figure(label: &'static str, topic: &'static str, node_topic: &'static str, kind: Kind) -> Figure {
    Figure { label, topic, node_topic, kind }
}

/// mosquitto has the memory that it takes in another topic.
const FIGURES: [Figure; 13] = [
    figure("version", "version", "version", Kind::Gauge),
    figure("uptime", "uptime", "uptime", Kind::Gauge),
    figure("clients connected", "clients/connected", "stats/connections/count", Kind::Gauge),
    figure("clients known", "clients/total", "stats/sessions/count", Kind::Gauge),
    figure("subscriptions", "subscriptions/count", "stats/subscriptions/count", Kind::Gauge),
    figure("retained messages", "retained messages/count", "stats/retained/count", Kind::Gauge),
    figure("messages received", "publish/messages/received", "metrics/messages/received", Kind::Counter),
    figure("messages sent", "publish/messages/sent", "metrics/messages/sent", Kind::Counter),
    figure("messages dropped", "publish/messages/dropped", "metrics/messages/dropped", Kind::Counter),
    figure("bytes received", "bytes/received", "metrics/bytes/received", Kind::Counter),
    figure("bytes sent", "bytes/sent", "metrics/bytes/sent", Kind::Counter),
    figure("memory used", "memory/used", "metrics/vm/used_memory", Kind::Memory),
    figure("heap", "heap/current", "", Kind::Memory),
];

/// A value of a topic, the count of messages and the time of the last one, and the rate since the message before.
#[derive(Debug, Clone, Copy)]
struct Sample {
    value: f64,
    messages: u64,
    at: u64,
    /// The broker published it at this time. A retained value is older, so the interval after it is unknown.
    is_live: bool,
    /// Known after two live values.
    per_second: Option<f64>,
}

/// The state of the panel.
#[derive(Debug, Default)]
pub(super) struct Panel {
    /// Whether it may not subscribe.
    is_passive: bool,
    samples: HashMap<NodeId, Sample>,
    /// The figures above the area.
    above: usize,
}

impl Panel {
    pub(super) fn new(is_passive: bool) -> Panel {
        Panel { is_passive, ..Panel::default() }
    }

    pub(super) fn render(&mut self, scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
        let palette = scene.palette;
        fill(buffer, area, palette.plain());
        put(buffer, area.x, area.y, area.width.into(), &"─".repeat(area.width.into()), palette.faint());
        put(buffer, area.x + 1, area.y, area.width.saturating_sub(1).into(), " broker ", palette.bar());
        let mut rows = Vec::new();
        for figure in &FIGURES {
            let ids = nodes(scene.model, figure);
            let Some(text) = self.text(figure, &ids, scene) else { continue };
            let rate = self.rate(&ids).map(|rate| format!("{}/s", text::rate_or_zero(rate as f32)));
            rows.push((figure, text, rate));
        }
        self.above = self.above.min(rows.len().saturating_sub(area.height.saturating_sub(1).into()));
        for ((figure, text, rate), y) in rows.iter().skip(self.above).zip(area.y + 1..area.bottom()) {
            render_figure(figure, text, rate.as_deref(), palette, Rect { y, height: 1, ..area }, buffer);
        }
        if rows.is_empty() {
            let reason = if self.is_passive {
                "this screen does not subscribe"
            } else {
                "the broker may not send any"
            };
            let width = usize::from(area.width.saturating_sub(1));
            let lines = text::wrapped(&format!("no message below {STATISTICS}; {reason}"), width, 4);
            for (line, y) in lines.iter().zip(area.y + 1..area.bottom()) {
                put(buffer, area.x + 1, y, width, line, palette.faint());
            }
        }
    }

    pub(super) fn scroll(&mut self, rows: isize) {
        self.above = self.above.saturating_add_signed(rows);
    }

    /// The value as text; of counters of several nodes, the sum.
    fn text(&mut self, figure: &Figure, ids: &[NodeId], scene: &Scene<'_>) -> Option<String> {
        let text_of = |id: &NodeId| std::str::from_utf8(scene.model.value(*id)?.payload()).ok();
        let texts: Vec<&str> = ids.iter().filter_map(text_of).collect();
        let first = texts.first()?;
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.trim().parse().ok()).collect();
        let Some(numbers) = numbers else { return Some((*first).to_owned()) };
        let sum: f64 = numbers.iter().sum();
        for id in ids {
            let number = text_of(id).and_then(|text| text.trim().parse().ok());
            number.into_iter().for_each(|number| self.sample(*id, number, scene.model));
        }
        Some(if figure.kind == Kind::Memory { text::bytes(sum as u64) } else { format!("{sum}") })
    }

    /// The sum of the rates; the nodes of a cluster report at different times.
    fn rate(&self, ids: &[NodeId]) -> Option<f64> {
        let rates = ids.iter().map(|id| self.samples.get(id)?.per_second);
        rates.sum::<Option<f64>>().filter(|rate| rate.is_finite())
    }

    fn sample(&mut self, id: NodeId, value: f64, model: &Model) {
        let NodeState { messages, last: at, is_live, .. } = model.state(id);
        let known = self.samples.get(&id);
        if known.is_some_and(|known| known.messages == messages) {
            return;
        }
        let live = known.filter(|known| known.is_live && is_live);
        let sample = match live {
            Some(known) if at > known.at => {
                // A counter that is less than before has restarted.
                let per_second = (value - known.value).max(0.0) * 1000.0 / (at - known.at) as f64;
                Sample { value, messages, at, is_live, per_second: Some(per_second) }
            }
            Some(known) => Sample { messages, ..*known },
            None => Sample { value, messages, at, is_live, per_second: None },
        };
        self.samples.insert(id, sample);
    }
}

/// Draws the label, the value, and the rate of a counter.
fn render_figure(
    figure: &Figure,
    text: &str,
    rate: Option<&str>,
    palette: Palette,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_narrow = area.width <= COLUMNS.iter().sum();
    let [label, value, of_rate] = if is_narrow { NARROW_COLUMNS } else { COLUMNS };
    let Rect { x, y, width, .. } = area;
    put(buffer, x + 1, y, label.min(width).into(), figure.label, palette.key());
    let room = usize::from(width.saturating_sub(label + 1));
    if figure.kind != Kind::Counter {
        put(buffer, x + 1 + label, y, room, &text::line(text, room), palette.plain());
        return;
    }
    put_right(buffer, x + label, y, value.min(width.saturating_sub(label)), text, palette.plain());
    if let Some(rate) = rate.filter(|_| width >= label + value + of_rate) {
        put_right(buffer, x + label + value, y, of_rate, rate, palette.number());
    }
}

/// The topics of a figure: one of a broker, or one of each node of a cluster.
fn nodes(model: &Model, figure: &Figure) -> Vec<NodeId> {
    let tree = model.tree();
    let of_broker =
        tree.find(&format!("$SYS/broker/{}", figure.topic)).filter(|id| model.value(*id).is_some());
    if let Some(id) = of_broker {
        return vec![id];
    }
    let Some(brokers) = tree.find("$SYS/brokers") else { return Vec::new() };
    let topic = |node: NodeId| format!("{}/{}", tree.path(node), figure.node_topic);
    let found = tree.children(brokers).filter_map(|node| tree.find(&topic(node)));
    found.filter(|id| model.value(*id).is_some()).collect()
}
