//! The figures of a report by name: their names, units, and values in a report.

use crate::bench::report::{Figure, LatencyKind, Report, Unit};
use std::fmt;

/// A figure of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A latency. Without a kind, the main latency of the scenario.
    Latency(Option<LatencyKind>, Statistic),
    /// A figure of [`NAMED`].
    Named(&'static Named),
}

/// A statistic over many times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The shortest.
    Min,
    /// The mean.
    Mean,
    /// The longest.
    Max,
    /// The value at this percentile.
    Percentile(f64),
}

/// A figure that has a name of its own.
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    value: fn(&Report) -> Option<f64>,
    /// The count that is 100 %, if a threshold can be a percentage.
    whole: Option<fn(&Report) -> u64>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Named) -> bool {
        self.name == other.name
    }
}

const fn count(name: &'static str, value: fn(&Report) -> Option<f64>) -> Named {
    Named { name, unit: Unit::Count, value, whole: None }
}

const fn part(name: &'static str, value: fn(&Report) -> Option<f64>, whole: fn(&Report) -> u64) -> Named {
    Named { name, unit: Unit::Count, value, whole: Some(whole) }
}

const fn flow(name: &'static str, value: fn(&Report) -> Option<f64>) -> Named {
    Named { name, unit: Unit::Rate, value, whole: None }
}

const SENT_RATE_METRIC: Named = flow("sent_rate", |report| report.sent.rate());

/// Messages sent per second.
pub const SENT_RATE: Metric = Metric::Named(&SENT_RATE_METRIC);

/// All figures except the latencies.
pub static NAMED: [Named; 21] = [
    flow("throughput", |report| report.throughput().rate()),
    SENT_RATE_METRIC,
    flow("acknowledged_rate", |report| report.acknowledged.rate()),
    flow("received_rate", |report| report.received.rate()),
    flow("connect_rate", |report| report.connects.rate()),
    part("loss", |report| delivered(report, report.account.lost), |report| report.account.owed),
    part("duplicates", |report| delivered(report, report.duplicates), |report| report.account.owed),
    part("reordered", |report| delivered(report, report.reordered), |report| report.account.owed),
    part("denied", |report| Some(report.account.denied as f64), |report| report.account.sent),
    part("unacknowledged", |report| Some(report.account.unacknowledged as f64), |report| report.account.sent),
    part("late", |report| Some(report.late as f64), |report| report.sent.count),
    part("connect_failures", |report| Some(report.not_connected() as f64), Report::clients),
    part("lost_connections", |report| Some(report.connections_lost as f64), |report| report.connects.count),
    count("connected", |report| Some(report.connects.count as f64)),
    count("sent", |report| Some(report.sent.count as f64)),
    count("received", |report| Some(report.received.count as f64)),
    count("foreign", |report| Some(report.foreign as f64)),
    count("gap_lost", |report| Some(report.account.gap_lost as f64)),
    count("errors", |report| Some(report.errors.by_count().iter().map(|(_, _, count)| *count as f64).sum())),
    Named { name: "cpu", unit: Unit::Percent, value: |report| report.busiest_thread_percent, whole: None },
    Named {
        name: "elapsed",
        unit: Unit::Time,
        value: |report| Some(report.elapsed.as_nanos() as f64),
        whole: None,
    },
];

/// A count of deliveries; `None` if the run had no receivers to observe them.
fn delivered(report: &Report, count: u64) -> Option<f64> {
    report.is_delivery_judged().then_some(count as f64)
}

impl Metric {
    /// Parses a name: a named figure, a statistic (`p99`, `max`), or a kind of latency and a statistic
    /// (`connack.p99`).
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn parse(name: &str) -> Result<Metric, String> {
        if let Some(named) = NAMED.iter().find(|named| named.name == name) {
            return Ok(Metric::Named(named));
        }
        if let Some(statistic) = Statistic::parse(name) {
            return Ok(Metric::Latency(None, statistic));
        }
        let parts = name.split_once('.');
        let latency =
            parts.and_then(|(kind, statistic)| Some((kind_of(kind)?, Statistic::parse(statistic)?)));
        match latency {
            Some((kind, statistic)) => Ok(Metric::Latency(Some(kind), statistic)),
            None => Err(unknown(name)),
        }
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Metric::Latency(..) => Unit::Time,
            Metric::Named(named) => named.unit,
        }
    }

    /// Its value in a report: nanoseconds, a rate, or a count; `None` if it was not measured.
    pub fn value(self, report: &Report) -> Option<f64> {
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
            Metric::Named(named) => (named.value)(report),
        }
    }

    /// Names the main latency of the first report, to compare both reports by it. If the second has no planned send
    /// times, the latency from the actual send time.
    pub(super) fn of_the_same_latency(self, first: &Report, second: &Report) -> Metric {
        let Metric::Latency(None, statistic) = self else {
            return self;
        };
        let kind = first.main_latency().or_else(|| second.main_latency());
        let is_shared = kind.is_some_and(|kind| second.latencies.contains_key(&kind));
        let real = kind.and_then(LatencyKind::real).filter(|_| !is_shared);
        Metric::Latency(real.or(kind), statistic)
    }

    /// Its name, unit and value in a report.
    pub fn figure(self, report: &Report) -> Figure {
        Figure { metric: self.to_string(), unit: self.unit(), value: self.value(report) }
    }

    /// Whether it can be given as a percentage.
    pub fn has_whole(self) -> bool {
        matches!(self, Metric::Named(Named { whole: Some(_), .. }))
    }

    /// Its value as a percentage; `None` if it was not measured.
    pub fn percentage(self, report: &Report) -> Option<f64> {
        let Metric::Named(Named { whole: Some(whole), .. }) = self else {
            return None;
        };
        let whole = whole(report);
        self.value(report).filter(|_| whole > 0).map(|value| 100.0 * value / whole as f64)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Latency(None, statistic) => statistic.fmt(f),
            Metric::Latency(Some(kind), statistic) => write!(f, "{}.{statistic}", kind.word()),
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

fn kind_of(word: &str) -> Option<LatencyKind> {
    LatencyKind::ALL.into_iter().find(|kind| kind.word() == word || kind.key() == word)
}

fn unknown(name: &str) -> String {
    let statistics = ["p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean", "min"];
    let mut names: Vec<String> = NAMED.iter().map(|named| named.name.to_owned()).collect();
    names.extend(statistics.map(str::to_owned));
    for kind in LatencyKind::ALL {
        names.extend(statistics.map(|statistic| format!("{}.{statistic}", kind.word())));
    }
    let distance = |known: &String| strsim::damerau_levenshtein(name, known);
    let nearest = names.iter().min_by_key(|known| distance(known)).map_or("", String::as_str);
    format!("unknown metric {name}; the nearest is {nearest}, and the manual lists all")
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
    fn the_nearest_name_is_told() {
        for (name, nearest) in [("troughput", "throughput"), ("conack.p99", "connack.p99"), ("los", "loss")] {
            assert!(
                Metric::parse(name).unwrap_err().contains(&format!("the nearest is {nearest},")),
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
        assert_eq!(value("sent_rate"), Some(200_000.0));
        assert_eq!(value("cpu"), Some(41.5));
        assert_eq!(value("p50"), value("end_to_end.p50"));
        assert_eq!(value("tls.p99"), None);
        let mut unjudged = report.clone();
        unjudged.subscribers_to_the_end = 0;
        assert_eq!(Metric::parse("loss").unwrap().value(&unjudged), None);
    }
}
