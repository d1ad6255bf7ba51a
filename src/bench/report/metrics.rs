//! The table of metrics: the value of each in a report, and its names in thresholds, Prometheus, Markdown and HTML.
//!
//! A new metric needs a row here, and the field of [`Report`] that it reads. Latencies have a table of their own,
//! [`LatencyKind`](super::LatencyKind).

use super::{Flow, LONG_ENOUGH, Report, Unit};
use std::fmt;
use std::time::Duration;

/// A metric that has a name of its own.
#[derive(Clone, Copy)]
pub(crate) struct NamedMetric {
    /// The name in a threshold, which is also the key of a search's figures in JSON.
    pub name: &'static str,
    pub unit: Unit,
    value: Value,
    /// Whether thresholds know it.
    has_threshold: bool,
    /// The count that is 100 %, if a threshold can be a percentage.
    whole: Option<fn(&Report) -> u64>,
    /// Whether it is measured by group.
    is_by_group: bool,
    /// Whether it counts deliveries, which only receivers that stayed to the end can judge.
    pub(super) counts_deliveries: bool,
    /// The name and the help in Prometheus.
    pub(super) prometheus: Option<(&'static str, &'static str)>,
    /// The label in tables of failures.
    pub(super) failure: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Value {
    Count(fn(&Report) -> u64),
    /// `None` if it was not counted.
    OptionalCount(fn(&Report) -> Option<u64>),
    /// A rate, and the flow that it is of.
    Rate(fn(&Report) -> Option<f64>, fn(&Report) -> Flow),
    /// `None` if it was not measured.
    Measured(fn(&Report) -> Option<f64>),
}

/// Messages that never arrived.
pub(super) const LOSS: &str = "loss";

/// Messages lost while their subscriber was away.
pub(super) const GAP_LOST: &str = "gap_lost";

const SENT_RATE_METRIC: NamedMetric =
    rate("sent_rate", "sent_per_second", |report| report.sent.sent_rate(), |report| report.sent).by_group();

/// Messages sent per second.
pub(in crate::bench) static SENT_RATE: NamedMetric = SENT_RATE_METRIC;

/// All metrics except the latencies, in the order of Prometheus and of the tables.
pub(super) static METRICS: [NamedMetric; 32] = [
    NamedMetric {
        value: Value::Rate(Report::throughput_rate, Report::throughput),
        ..measured("throughput", Unit::Rate, |_| None)
    }
    .by_group(),
    rate("connect_rate", "connect_per_second", |report| report.connects.rate(), |report| report.connects),
    SENT_RATE_METRIC,
    rate(
        "acknowledged_rate",
        "acknowledged_per_second",
        |report| report.acknowledged.rate(),
        |report| report.acknowledged,
    )
    .by_group(),
    rate("received_rate", "received_per_second", |report| report.received.rate(), |report| report.received)
        .by_group(),
    count("connected", |report| report.connects.count)
        .by_group()
        .of(Report::clients_due)
        .prometheus("connected_total", "Clients that the broker accepted."),
    count("connect_failures", Report::not_connected)
        .by_group()
        .of(Report::clients)
        .prometheus("connect_failures_total", "Clients that could not connect.")
        .failure("could not connect"),
    count("lost_connections", |report| report.connections_lost)
        .by_group()
        .of(|report| report.connects.count)
        .prometheus("connections_lost_total", "Clients that lost their connection.")
        .failure("connections lost"),
    count("reconnects", |report| report.reconnects)
        .by_group()
        .prometheus("reconnects_total", "Lost connections that were made again."),
    count("sent", |report| report.sent.count)
        .by_group()
        .prometheus("sent_total", "Messages that were sent after the warm-up."),
    count("acknowledged", |report| report.acknowledged.count)
        .prometheus("acknowledged_total", "Messages that were acknowledged.")
        .without_threshold(),
    optional_count("unmatched", |report| report.unmatched)
        .by_group()
        .of(|report| report.acknowledged.count)
        .prometheus("unmatched_total", "Acknowledged messages without matching subscribers."),
    count("received", |report| report.received.count)
        .by_group()
        .prometheus("received_total", "Messages that arrived after the warm-up, each once."),
    count("warm_up_sent", |report| report.account.before_measuring)
        .prometheus("warm_up_sent_total", "Messages that were sent in the warm-up.")
        .without_threshold(),
    count("denied", |report| report.account.rejected)
        .by_group()
        .of(|report| report.account.sent)
        .prometheus("denied_total", "Messages that the broker rejected.")
        .failure("rejected"),
    count("unacknowledged", |report| report.account.unacknowledged)
        .by_group()
        .of(|report| report.account.sent)
        .failure("never acknowledged"),
    count(LOSS, |report| report.account.lost)
        .by_group()
        .of_deliveries()
        .prometheus("lost_total", "Messages that never arrived.")
        .failure("lost"),
    count(GAP_LOST, |report| report.account.gap_lost).by_group().failure("lost while a subscriber was away"),
    count("duplicates", |report| report.duplicates)
        .by_group()
        .of_deliveries()
        .prometheus("duplicates_total", "Messages that arrived again.")
        .failure("duplicated"),
    count("reordered", |report| report.reordered)
        .by_group()
        .of_deliveries()
        .prometheus("reordered_total", "Messages that arrived out of order.")
        .failure("out of order"),
    count("late", |report| report.late)
        .of(|report| report.sent.count)
        .prometheus("late_total", "Messages that were sent late.")
        .failure("sent late"),
    optional_count("datagrams_sent", |report| report.datagrams.map(|datagrams| datagrams.sent))
        .prometheus("datagrams_sent_total", "Datagrams sent to the MQTT-SN gateway."),
    optional_count("datagrams_received", |report| report.datagrams.map(|datagrams| datagrams.received))
        .prometheus("datagrams_received_total", "Datagrams received from the MQTT-SN gateway."),
    optional_count("retries", |report| report.datagrams.map(|datagrams| datagrams.retries))
        .of(|report| report.datagrams.unwrap_or_default().sent)
        .prometheus("retries_total", "Messages that were sent to the MQTT-SN gateway again.")
        .failure("sent again"),
    optional_count("gateway_retries", |report| {
        report.datagrams.map(|datagrams| datagrams.retries_of_gateway)
    })
    .of(|report| report.datagrams.unwrap_or_default().received)
    .prometheus("gateway_retries_total", "Messages that the MQTT-SN gateway sent again.")
    .failure("sent again by the gateway"),
    optional_count("unanswered", |report| report.datagrams.map(|datagrams| datagrams.unanswered))
        .prometheus("unanswered_total", "Messages that were given up after all retries.")
        .failure("given up after all retries"),
    optional_count("congestion", |report| report.datagrams.map(|datagrams| datagrams.congestion))
        .prometheus("congestion_total", "Answers of the MQTT-SN gateway that mean congestion.")
        .failure("congestion answers"),
    optional_count("dropped_datagrams", |report| report.datagrams.map(|datagrams| datagrams.dropped))
        .prometheus("dropped_datagrams_total", "Datagrams that full buffers of the clients dropped.")
        .failure("datagrams dropped by full buffers of the clients"),
    count("foreign", |report| report.foreign),
    count("errors", |report| {
        report.errors.by_count().iter().map(|(_, _, count)| *count).fold(0, u64::saturating_add)
    }),
    measured("cpu", Unit::Percent, |report| report.busiest_thread_percent),
    measured("elapsed", Unit::Time, |report| Some(report.elapsed.as_nanos() as f64)),
];

/// A label in tables, the flow of a report, and its rate.
type LabelledFlow = (&'static str, fn(&Report) -> Flow, fn(Flow) -> Option<f64>);

/// The flows of a run.
const FLOWS: [LabelledFlow; 4] = [
    ("connected", |report| report.connects, Flow::rate),
    ("sent", |report| report.sent, Flow::sent_rate),
    ("acknowledged", |report| report.acknowledged, Flow::rate),
    ("received", |report| report.received, Flow::rate),
];

/// The flows of a run, each with its label, and its rate unless the time is too short for one.
pub(super) fn flows(report: &Report) -> [(&'static str, Flow, Option<f64>); 4] {
    FLOWS.map(|(name, flow, rate)| {
        let flow = flow(report);
        (name, flow, rate(flow).filter(|_| flow.is_long_enough()))
    })
}

const fn measured(name: &'static str, unit: Unit, value: fn(&Report) -> Option<f64>) -> NamedMetric {
    NamedMetric {
        name,
        unit,
        value: Value::Measured(value),
        has_threshold: true,
        whole: None,
        is_by_group: false,
        counts_deliveries: false,
        prometheus: None,
        failure: None,
    }
}

const fn count(name: &'static str, value: fn(&Report) -> u64) -> NamedMetric {
    NamedMetric { value: Value::Count(value), ..measured(name, Unit::Count, |_| None) }
}

const fn optional_count(name: &'static str, value: fn(&Report) -> Option<u64>) -> NamedMetric {
    NamedMetric { value: Value::OptionalCount(value), ..measured(name, Unit::Count, |_| None) }
}

const fn rate(
    name: &'static str,
    prometheus: &'static str,
    rate: fn(&Report) -> Option<f64>,
    flow: fn(&Report) -> Flow,
) -> NamedMetric {
    NamedMetric { value: Value::Rate(rate, flow), ..measured(name, Unit::Rate, |_| None) }
        .prometheus(prometheus, "Over the whole measurement.")
}

impl NamedMetric {
    const fn of(self, whole: fn(&Report) -> u64) -> NamedMetric {
        NamedMetric { whole: Some(whole), ..self }
    }

    const fn of_deliveries(self) -> NamedMetric {
        NamedMetric { counts_deliveries: true, ..self.of(|report| report.account.owed) }
    }

    const fn prometheus(self, name: &'static str, help: &'static str) -> NamedMetric {
        NamedMetric { prometheus: Some((name, help)), ..self }
    }

    const fn failure(self, label: &'static str) -> NamedMetric {
        NamedMetric { failure: Some(label), ..self }
    }

    const fn by_group(self) -> NamedMetric {
        NamedMetric { is_by_group: true, ..self }
    }

    const fn without_threshold(self) -> NamedMetric {
        NamedMetric { has_threshold: false, ..self }
    }

    /// Whether it is measured by group too.
    pub(crate) fn is_by_group(&self) -> bool {
        self.is_by_group
    }

    /// The metrics that thresholds know.
    pub(crate) fn of_thresholds() -> impl Iterator<Item = &'static NamedMetric> {
        METRICS.iter().filter(|metric| metric.has_threshold)
    }

    /// Its value in a report; `None` if it was not measured.
    pub(crate) fn value(&self, report: &Report) -> Option<f64> {
        let is_measured = !self.counts_deliveries || report.is_delivery_judged();
        match self.value {
            Value::Count(count) => is_measured.then(|| count(report) as f64),
            Value::OptionalCount(count) => count(report).map(|count| count as f64),
            Value::Rate(rate, _) => rate(report),
            Value::Measured(value) => value(report),
        }
    }

    /// The time that a rate was measured for, if it is too short for one.
    pub(crate) fn short_time(&self, report: &Report) -> Option<Duration> {
        match self.value {
            Value::Rate(_, flow) => flow(report).time().filter(|time| *time < LONG_ENOUGH),
            Value::Count(_) | Value::OptionalCount(_) | Value::Measured(_) => None,
        }
    }

    /// Its count, whether or not its deliveries can be judged; `None` unless it is a count, or if it was not counted.
    pub(super) fn count(&self, report: &Report) -> Option<u64> {
        match self.value {
            Value::Count(count) => Some(count(report)),
            Value::OptionalCount(count) => count(report),
            Value::Rate(..) | Value::Measured(_) => None,
        }
    }

    /// Whether a threshold can be a percentage.
    pub(crate) fn has_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Its value as a percentage; `None` if it was not measured, or has no percentage.
    pub(crate) fn percentage(&self, report: &Report) -> Option<f64> {
        let whole = (self.whole?)(report);
        self.value(report).filter(|_| whole > 0).map(|value| 100.0 * value / whole as f64)
    }
}

impl fmt::Debug for NamedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for NamedMetric {
    fn eq(&self, other: &NamedMetric) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        let exported: Vec<_> =
            METRICS.iter().filter_map(|metric| metric.prometheus).map(|(name, _)| name).collect();
        assert_eq!(names.len(), METRICS.len());
        assert_eq!(exported.iter().collect::<BTreeSet<_>>().len(), exported.len());
    }
}
