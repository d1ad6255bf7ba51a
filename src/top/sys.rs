//! The panel of the broker's own statistics, from its topics below `$SYS/`.

use super::canvas::{fill, put, put_right};
use super::feed::STATISTICS;
use super::model::{Model, NodeId};
use super::scene::Scene;
use super::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::HashMap;

/// The columns of labels, values and rates.
const LABEL: u16 = 20;
const VALUE: u16 = 14;
const RATE: u16 = 12;

/// A figure: its label, and its topics below `$SYS/broker/` and below `$SYS/brokers/NODE/`.
struct Figure {
    label: &'static str,
    /// Of mosquitto and mq.
    topic: &'static str,
    /// Of EMQX.
    node_topic: &'static str,
    kind: Kind,
}

/// What the value of a figure is.
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

/// A value, the count of messages and the time of the last one, and the rate since the message before.
#[derive(Debug, Clone, Copy)]
struct Sample {
    value: f64,
    messages: u64,
    at: u64,
    per_second: Option<f64>,
}

/// The state of the panel.
#[derive(Debug, Default)]
pub(super) struct Panel {
    /// Whether it may not subscribe.
    is_passive: bool,
    samples: HashMap<&'static str, Sample>,
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
        let mut y = area.y + 1;
        for figure in &FIGURES {
            let ids = nodes(scene.model, figure);
            let Some(text) = self.text(figure, &ids, scene) else { continue };
            if y >= area.bottom() {
                return;
            }
            let width = usize::from(area.width);
            put(buffer, area.x + 1, y, width.min(LABEL.into()), figure.label, palette.key());
            let room = usize::from(area.width.saturating_sub(LABEL + 1));
            if figure.kind == Kind::Counter {
                put_right(
                    buffer,
                    area.x + LABEL,
                    y,
                    VALUE.min(area.width.saturating_sub(LABEL)),
                    &text,
                    palette.plain(),
                );
                let rate = self.samples.get(figure.label).and_then(|sample| sample.per_second);
                let rate = rate.map(|rate| format!("{}/s", text::size(rate.max(0.0).round() as u64)));
                if let Some(rate) = rate.filter(|_| room > usize::from(VALUE + RATE)) {
                    put_right(buffer, area.x + LABEL + VALUE, y, RATE, &rate, palette.number());
                }
            } else {
                put(buffer, area.x + 1 + LABEL, y, room, &text::line(&text, room), palette.plain());
            }
            y += 1;
        }
        if y == area.y + 1 {
            let reason = if self.is_passive {
                "this screen does not subscribe"
            } else {
                "the broker may not send any"
            };
            let text = format!("no message below {STATISTICS}; {reason}");
            put(buffer, area.x + 1, y, area.width.saturating_sub(1).into(), &text, palette.faint());
        }
    }

    /// The value as text; of counters of several nodes, the sum.
    fn text(&mut self, figure: &Figure, ids: &[NodeId], scene: &Scene<'_>) -> Option<String> {
        let texts = ids.iter().filter_map(|id| scene.model.value(*id));
        let texts: Vec<&str> = texts.filter_map(|value| std::str::from_utf8(value.payload()).ok()).collect();
        let first = texts.first()?;
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.trim().parse().ok()).collect();
        let Some(numbers) = numbers else { return Some((*first).to_owned()) };
        let sum: f64 = numbers.iter().sum();
        self.sample(figure.label, sum, ids, scene.model);
        Some(if figure.kind == Kind::Memory { text::bytes(sum as u64) } else { format!("{sum}") })
    }

    fn sample(&mut self, label: &'static str, value: f64, ids: &[NodeId], model: &Model) {
        let states = || ids.iter().map(|id| model.state(*id));
        let messages = states().map(|state| state.messages).sum();
        let at = states().map(|state| state.last).max().unwrap_or_default();
        let sample = match self.samples.get(label) {
            Some(known) if known.messages == messages => return,
            Some(known) if at > known.at => {
                let per_second = (value - known.value) * 1000.0 / (at - known.at) as f64;
                Sample { value, messages, at, per_second: Some(per_second) }
            }
            Some(known) => Sample { value, messages, ..*known },
            None => Sample { value, messages, at, per_second: None },
        };
        self.samples.insert(label, sample);
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
