//! The metrics of a comparison, and their values in a report and its repetitions.

use crate::bench::report::{Figure, Report, Unit};
use crate::bench::thresholds::metric::Metric;

/// The direction in which a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Better {
    /// The worst tolerated value.
    pub(super) fn limit(self, before: f64, tolerance_percent: f64) -> f64 {
        match self {
            Better::Higher => before * (1.0 - tolerance_percent / 100.0),
            Better::Lower => before * (1.0 + tolerance_percent / 100.0),
        }
    }

    pub(super) fn opposite(self) -> Better {
        match self {
            Better::Higher => Better::Lower,
            Better::Lower => Better::Higher,
        }
    }

    /// The word in JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Better::Higher => "higher",
            Better::Lower => "lower",
        }
    }
}

/// A metric of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compared {
    pub(crate) name: &'static str,
    pub(super) better: Better,
    /// Whether it is judged. The highest percentiles and the maximum depend on a few messages, so they are only shown.
    pub(super) is_judged: bool,
}

pub(super) const COMPARED: [Compared; 13] = [
    Compared { name: "throughput", better: Better::Higher, is_judged: true },
    Compared { name: "connect_rate", better: Better::Higher, is_judged: false },
    Compared { name: "p50", better: Better::Lower, is_judged: true },
    Compared { name: "p90", better: Better::Lower, is_judged: true },
    Compared { name: "p99", better: Better::Lower, is_judged: true },
    Compared { name: "p99.9", better: Better::Lower, is_judged: false },
    Compared { name: "max", better: Better::Lower, is_judged: false },
    Compared { name: "loss", better: Better::Lower, is_judged: true },
    Compared { name: "duplicates", better: Better::Lower, is_judged: false },
    Compared { name: "unmatched", better: Better::Lower, is_judged: false },
    Compared { name: "connect_failures", better: Better::Lower, is_judged: true },
    Compared { name: "lost_connections", better: Better::Lower, is_judged: true },
    Compared { name: "cpu", better: Better::Lower, is_judged: false },
];

impl Compared {
    fn metric(&self) -> Option<Metric> {
        Metric::parse(self.name).ok()
    }

    pub(super) fn unit(&self) -> Unit {
        self.metric().map_or(Unit::Count, Metric::unit)
    }

    /// Its value in a single report. A rate over a short time is not one.
    pub(super) fn figure(&self, report: &Report) -> Option<Figure> {
        let metric = self.metric()?;
        let figure = metric.figure(report);
        let value = figure.value.filter(|_| metric.short_time(report).is_none());
        Some(Figure { value, ..figure })
    }

    /// Its values in two reports, in each run if they have several; both are of the same kind of latency.
    pub(super) fn values(&self, before: &Report, now: &Report) -> (Vec<f64>, Vec<f64>) {
        let Some(metric) = self.metric() else { return Default::default() };
        let is_same = before.main_latency() == now.main_latency();
        let chosen = metric.of_the_same_latency(before, now);
        let of = |report: &Report| match &report.repeat {
            Some(repeat) if is_same || chosen == metric => repeat.values(&metric.figure(report)),
            _ if chosen.short_time(report).is_some() => Vec::new(),
            _ => chosen.value(report).into_iter().collect(),
        };
        (of(before), of(now))
    }

    /// Its value in a report, of several runs the median.
    pub(super) fn value(&self, report: &Report) -> Option<f64> {
        let (values, _) = self.values(report, report);
        crate::bench::report::repeat::median(&values)
    }
}
