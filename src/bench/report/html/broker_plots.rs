//! The charts of the broker's own counters.

use super::super::Report;
use super::axis::Quantity;
use super::chart::{Chart, Mark, Series};
use crate::bench::broker_watch::{BrokerSide, Kind, Metric};

/// A line has a gap if this many intervals pass without a value.
const GAP_INTERVALS: f64 = 3.0;

/// The shortest gap in seconds.
const SHORTEST_GAP: f64 = 3.0;

/// A chart: its caption, its quantity, the factor from the unit of the metrics, and the metrics.
type Plan = (&'static str, Quantity, f64, &'static [Metric]);

const CHARTS: [Plan; 5] = [
    (
        "Broker: messages per second",
        Quantity::Rate,
        1.0,
        &[Metric::MessagesReceived, Metric::MessagesSent, Metric::MessagesDropped],
    ),
    ("Broker: KiB per second", Quantity::Rate, 1.0 / 1024.0, &[Metric::BytesReceived, Metric::BytesSent]),
    (
        "Broker: clients and messages",
        Quantity::Count,
        1.0,
        &[Metric::Clients, Metric::Stored, Metric::Retained],
    ),
    ("Broker: CPU in percent of one CPU", Quantity::Count, 100.0, &[Metric::CpuTime]),
    (
        "Broker: memory in MiB",
        Quantity::Count,
        1.0 / (1024.0 * 1024.0),
        &[Metric::ResidentMemory, Metric::MemoryUsed],
    ),
];

impl Report {
    /// A chart for each group of metrics that were read often enough for a line.
    pub(super) fn broker_charts(&self) -> Vec<Chart> {
        let Some(side) = &self.broker_side else { return Vec::new() };
        let machine =
            ("Broker: CPU in percent of its machine", Quantity::Count, 1.0, &[Metric::MachineCpu][..]);
        let charts =
            CHARTS.into_iter().chain([machine]).filter_map(|(caption, quantity, factor, metrics)| {
                let lines = metrics.iter().zip(0..).map(|(metric, style)| line(side, *metric, style, factor));
                self.chart_over_time(caption, quantity, lines.collect())
            });
        charts.collect()
    }
}

/// The values of a gauge, or the rates of a counter; `None` for less than two.
fn line(side: &BrokerSide, metric: Metric, style: usize, factor: f64) -> Option<Series> {
    let values = match metric.kind() {
        Kind::Gauge => side.values(metric).collect(),
        Kind::Counter => side.rates(metric),
    };
    let interval = side.interval().map_or(0.0, |interval| interval.as_secs_f64());
    let longest = (interval * GAP_INTERVALS).max(SHORTEST_GAP);
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    for (at, value) in &values {
        let at = *at as f64 / 1e9;
        if let Some(last) = points.last().map(|(last, _)| *last).filter(|last| at - last > longest) {
            points.push(((last + at) / 2.0, None));
        }
        points.push((at, Some(value * factor)));
    }
    let name = metric.title().to_owned();
    (!points.is_empty()).then_some(Series { name, style, mark: Mark::Line, points })
}
