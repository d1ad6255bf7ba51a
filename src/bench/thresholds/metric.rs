//! Metrics by name, as thresholds have them: those of the table in the report, and a statistic of a latency.

use crate::bench::report::metrics::{self, NamedMetric};
use crate::bench::report::{Figure, LatencyKind, Report, Unit};
use crate::suggestion::did_you_mean;
use std::fmt;
use std::time::Duration;

/// A figure of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Metric {
    /// A latency. Without a kind, the main latency of the scenario.
    Latency(Option<LatencyKind>, Statistic),
    /// A metric with a name of its own.
    Named(&'static NamedMetric),
}

/// A statistic over many times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    /// The shortest.
    Min,
    Mean,
    /// The longest.
    Max,
    /// The value at this percentile.
    Percentile(f64),
}

/// Messages sent per second.
pub(crate) const SENT_RATE: Metric = Metric::Named(&metrics::SENT_RATE);

impl Metric {
    /// Parses a name: a named figure, a statistic (`p99`, `max`), or a kind of latency and a statistic
    /// (`connack.p99`).
    ///
    /// # Errors
    /// An unknown name, with a similar one.
    pub(crate) fn parse(name: &str) -> Result<Metric, String> {
        if let Some(named) = NamedMetric::of_thresholds().find(|metric| metric.name == name) {
            return Ok(Metric::Named(named));
        }
        if let Some(statistic) = Statistic::parse(name) {
            return Ok(Metric::Latency(None, statistic));
        }
        let parts = name.split_once('.');
        let latency = parts.and_then(|(kind, statistic)| {
            Some((LatencyKind::from_threshold_name(kind)?, Statistic::parse(statistic)?))
        });
        match latency {
            Some((kind, statistic)) => Ok(Metric::Latency(Some(kind), statistic)),
            None => Err(unknown(name)),
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Metric::Latency(..) => Unit::Time,
            Metric::Named(named) => named.unit,
        }
    }

    /// Checks that it is measured by group.
    pub(super) fn check_by_group(self) -> Result<(), String> {
        let is_by_group = match self {
            Metric::Latency(kind, _) => kind.is_none_or(LatencyKind::is_by_group),
            Metric::Named(named) => named.is_by_group(),
        };
        if is_by_group {
            return Ok(());
        }
        let named = NamedMetric::of_thresholds().filter(|metric| metric.is_by_group());
        let known: Vec<_> = named.map(|metric| metric.name).collect();
        let known = known.join(", ");
        Err(format!(
            "{self} is not measured by group; use a latency of messages such as p99, or one of {known}"
        ))
    }

    /// Its value in a report: nanoseconds, a rate, or a count; `None` if it was not measured.
    pub(crate) fn value(self, report: &Report) -> Option<f64> {
        match self {
            Metric::Latency(kind, statistic) => {
                let kind = kind.or_else(|| report.main_latency())?;
                let histogram = report.latencies.get(&kind)?.histogram();
                Some(match statistic {
                    Statistic::Min => histogram.min() as f64,
                    Statistic::Mean => histogram.mean(),
                    Statistic::Max => histogram.max() as f64,
                    Statistic::Percentile(percentile) => histogram.value_at_percentile(percentile) as f64,
                })
            }
            Metric::Named(named) => named.value(report),
        }
    }

    /// Names the main latency of the first report, to compare both reports by it. If the second has no planned send
    /// times, the latency from the actual send time.
    pub(in crate::bench) fn of_the_same_latency(self, first: &Report, second: &Report) -> Metric {
        let Metric::Latency(None, statistic) = self else {
            return self;
        };
        let kind = first.main_latency().or_else(|| second.main_latency());
        let is_shared = kind.is_some_and(|kind| second.latencies.contains_key(&kind));
        let real = kind.and_then(LatencyKind::real).filter(|_| !is_shared);
        Metric::Latency(real.or(kind), statistic)
    }

    /// The time that a rate was measured for, if it is too short for one.
    pub(in crate::bench) fn short_time(self, report: &Report) -> Option<Duration> {
        match self {
            Metric::Latency(..) => None,
            Metric::Named(named) => named.short_time(report),
        }
    }

    /// Its name, unit and value in a report.
    pub(crate) fn figure(self, report: &Report) -> Figure {
        Figure { metric: self.to_string(), unit: self.unit(), value: self.value(report) }
    }

    /// Whether it can be given as a percentage.
    pub(crate) fn has_whole(self) -> bool {
        matches!(self, Metric::Named(metric) if metric.has_whole())
    }

    /// Its value as a percentage; `None` if it was not measured.
    pub(crate) fn percentage(self, report: &Report) -> Option<f64> {
        match self {
            Metric::Latency(..) => None,
            Metric::Named(metric) => metric.percentage(report),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Latency(None, statistic) => statistic.fmt(f),
            Metric::Latency(Some(kind), statistic) => write!(f, "{}.{statistic}", kind.threshold_name()),
            Metric::Named(named) => f.write_str(named.name),
        }
    }
}

impl Statistic {
    fn parse(text: &str) -> Option<Statistic> {
        match text {
            "min" => Some(Statistic::Min),
            "mean" => Some(Statistic::Mean),
            "max" => Some(Statistic::Max),
            _ => {
                let digits = text
                    .strip_prefix('p')
                    .filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()))?;
                let percentile =
                    digits.parse().ok().filter(|percentile| (0.0..=100.0).contains(percentile))?;
                Some(Statistic::Percentile(percentile))
            }
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statistic::Min => f.write_str("min"),
            Statistic::Mean => f.write_str("mean"),
            Statistic::Max => f.write_str("max"),
            Statistic::Percentile(percentile) => write!(f, "p{percentile}"),
        }
    }
}

fn unknown(name: &str) -> String {
    let statistics = ["p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean", "min"];
    let mut names: Vec<String> = NamedMetric::of_thresholds().map(|metric| metric.name.to_owned()).collect();
    names.extend(statistics.map(str::to_owned));
    for kind in LatencyKind::ALL {
        names.extend(statistics.map(|statistic| format!("{}.{statistic}", kind.threshold_name())));
    }
    let tip = did_you_mean(name, names.iter().map(String::as_str));
    format!("unknown metric {name}{}", if tip.is_empty() { "; the manual lists all" } else { &tip })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn metrics_are_found_by_name_and_print_as_they_are_read() {
        let names = ["throughput", "p99.9", "max", "ack.p50", "end_to_end_planned.mean", "tcp.min", "cpu"];
        for name in names {
            assert_eq!(Metric::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(Metric::parse("acknowledged.p50"), Metric::parse("ack.p50"), "the key of JSON is as good");
    }

    #[test]
    fn a_misspelled_metric_has_a_suggestion() {
        for (name, nearest) in [("troughput", "throughput"), ("conack.p99", "connack.p99"), ("los", "loss")] {
            assert!(
                Metric::parse(name).unwrap_err().ends_with(&format!("did you mean '{nearest}'?")),
                "{name}"
            );
        }
        for name in ["", "p", "p101", "p-1", "pnan", "pinf", "connack", "connack.", "nothing.p99"] {
            assert!(Metric::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn values_come_from_the_report() {
        let report = report();
        let value = |name: &str| Metric::parse(name).unwrap().value(&report);
        assert_eq!(value("loss"), Some(0.0));
        assert_eq!(value("sent_rate"), Some(19_999.8));
        assert_eq!(value("cpu"), Some(41.5));
        assert_eq!(value("p50"), value("end_to_end.p50"));
        assert_eq!(value("tls.p99"), None);
        let mut unjudged = report.clone();
        unjudged.subscribers_to_the_end = 0;
        assert_eq!(Metric::parse("loss").unwrap().value(&unjudged), None);
    }
}
