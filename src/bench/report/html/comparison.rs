//! The page of a comparison: the curves of few runs over each other, or the trend of each metric over many.

use super::super::{LatencyKind, Report, Unit};
use super::axis::{Axis, Quantity};
use super::chart::{Chart, Mark, Series};
use super::markup::{Table, as_text};
use super::plots::{MIN_SLOTS, curve, latency_axis};
use super::{FINISHED, SCRIPT, head};
use crate::words::counted;
use jiff::Timestamp;
use std::fmt::Write;

/// A chart with more runs than styles would repeat a style.
const MAX_RUNS: usize = super::chart::STYLES;

/// The tables of more files would make the page too long; JSON has all.
const MAX_TABLES: usize = 20;

/// The parts of a page.
pub(crate) struct ComparisonPage<'a> {
    /// The outcome.
    pub(crate) word: &'static str,
    pub(crate) is_good: bool,
    /// The metrics that decided on it.
    pub(crate) sentence: String,
    /// The rule that led to the verdict, as a sentence.
    pub(crate) rule: String,
    /// All runs with their names, the old one first.
    pub(crate) runs: Vec<(&'a str, &'a Report)>,
    pub(crate) trends: Vec<Trend>,
    /// A caption and rows for each new run.
    pub(crate) tables: Vec<(String, Vec<Vec<String>>)>,
}

/// A metric by the time of its run.
pub(crate) struct Trend {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) points: Vec<(Timestamp, Option<f64>)>,
}

impl ComparisonPage<'_> {
    pub(crate) fn to_html(&self) -> String {
        let mut html = head(&format!("{}: mq bench compare", self.word), &FINISHED);
        let class = if self.is_good { "good" } else { "bad" };
        let _ = write!(
            html,
            "<h1>mq bench compare <span class=\"soft\">{} reports</span></h1>\n\
             <section class=\"verdict {class}\" aria-label=\"outcome\">\n<p class=\"word\">{}</p>\n<div>\n\
             <p class=\"sentence\">{}</p>\n<p>{}</p>\n</div>\n</section>\n",
            self.runs.len(),
            self.word.to_uppercase(),
            as_text(&self.sentence),
            as_text(&self.rule)
        );
        let charts: String = self.charts().iter().map(Chart::to_html).collect();
        if !charts.is_empty() {
            let _ = write!(html, "<h2>Charts</h2>\n<div class=\"charts\">\n{charts}</div>\n");
        }
        html += "<h2>Figures</h2>\n<div class=\"short\">\n";
        for (caption, rows) in self.tables.iter().take(MAX_TABLES) {
            let heads = &["", "old", "new", "change", "outcome"];
            html += &Table { caption, heads, rows: rows.clone() }.to_html();
        }
        html += "</div>\n";
        if let Some(more) = self.tables.len().checked_sub(MAX_TABLES).filter(|more| *more > 0) {
            let _ = writeln!(
                html,
                "<p class=\"soft\">{} in the JSON comparison</p>",
                counted(more, "more table")
            );
        }
        let _ = write!(html, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
        html
    }

    fn charts(&self) -> Vec<Chart> {
        match self.runs.len() {
            ..=MAX_RUNS => {
                let charts = [self.percentiles(), self.throughputs(), self.latencies_over_time()];
                charts.into_iter().flatten().collect()
            }
            _ => self.trends.iter().filter_map(Trend::chart).collect(),
        }
    }

    /// A series for each run that has one.
    fn series(&self, of_run: impl Fn(&str, usize, &Report) -> Option<Series>) -> Vec<Series> {
        let runs = self.runs.iter().enumerate();
        runs.filter_map(|(style, (name, report))| of_run(name, style, report)).collect()
    }

    /// The main latency of the first run, which all runs of the same load have.
    fn latency(&self) -> Option<LatencyKind> {
        self.runs.first()?.1.main_latency()
    }

    fn percentiles(&self) -> Option<Chart> {
        let kind = self.latency()?;
        let series = self
            .series(|name, style, report| Some(curve(name.to_owned(), style, report.latencies.get(&kind)?)));
        let last = series.iter().flat_map(|line| &line.points).map(|&(x, _)| x).fold(1.0, f64::max);
        Some(Chart {
            caption: format!("Latency by percentile: {}", kind.full_title(None)),
            note: String::new(),
            x: Axis::percentiles(last),
            y: latency_axis(&series)?,
            bands: vec![],
            series,
        })
    }

    fn throughputs(&self) -> Option<Chart> {
        let is_received = self.runs.iter().any(|(_, report)| report.received.count > 0);
        let is_sent = self.runs.iter().any(|(_, report)| report.sent.count > 0);
        let (what, series) = match (is_received, is_sent) {
            (true, _) => {
                ("received", self.series(|name, style, run| run.rates(name, style, |slot| slot.received)))
            }
            (false, true) => {
                ("sent", self.series(|name, style, run| run.rates(name, style, |slot| slot.sent)))
            }
            (false, false) => {
                ("connected", self.series(|name, style, run| run.rates(name, style, |slot| slot.connected)))
            }
        };
        let values = series.iter().flat_map(|line| &line.points).filter_map(|&(_, value)| value);
        let y = Axis::linear(Quantity::Rate, values.fold(0.0, f64::max));
        self.over_time(&format!("Per second: {what}"), y, series)
    }

    fn latencies_over_time(&self) -> Option<Chart> {
        let series = self.series(|name, style, report| {
            let points = report.latency_points(|slot| slot.latency.at_percentile(99.0));
            Some(Series { name: name.to_owned(), style, mark: Mark::Line, points })
        });
        let y = latency_axis(&series)?;
        self.over_time("Latency over time: p99", y, series)
    }

    fn over_time(&self, caption: &str, y: Axis, series: Vec<Series>) -> Option<Chart> {
        let is_long_enough = self.runs.iter().any(|(_, report)| report.timeline.slots().len() >= MIN_SLOTS);
        let end = self.runs.iter().map(|(_, report)| report.end()).fold(0.0, f64::max);
        (is_long_enough && !series.is_empty()).then(|| Chart {
            caption: caption.to_owned(),
            note: String::new(),
            x: Axis::time(end),
            y,
            bands: vec![],
            series,
        })
    }
}

impl Trend {
    /// `None` if no run measured the metric.
    fn chart(&self) -> Option<Chart> {
        let mut points: Vec<_> =
            self.points.iter().map(|(time, value)| (time.as_second() as f64, *value)).collect();
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let values = || points.iter().filter_map(|&(_, value)| value);
        let largest = values().reduce(f64::max)?;
        let y = match self.unit {
            Unit::Time => Axis::latency(values())?,
            Unit::Rate => Axis::linear(Quantity::Rate, largest),
            Unit::Count | Unit::Percent => Axis::linear(Quantity::Count, largest),
        };
        let (first, last) = (points.first()?.0, points.last()?.0);
        Some(Chart {
            caption: format!("{} by date", self.name),
            note: String::new(),
            x: Axis::dates(first, last),
            y,
            bands: vec![],
            series: vec![Series { name: self.name.to_owned(), style: 0, mark: Mark::Line, points }],
        })
    }
}
