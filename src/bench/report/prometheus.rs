//! Metrics for Prometheus: a finished report, and the totals of a run in progress.

use super::json::{stage_word, step_word};
use super::metrics::{LOSS, METRICS};
use super::{BrokerPart, Judgement, Report, TlsCount, Unit, Verdict};
use crate::bench::ending::Step;
use crate::bench::gauges::Totals;
use crate::prometheus::{Label, Page};
use hdrhistogram::Histogram;
use std::fmt::Display;

/// The percentiles that are exported as quantiles.
const QUANTILES: [(&str, f64); 6] =
    [("0.5", 50.0), ("0.9", 90.0), ("0.95", 95.0), ("0.99", 99.0), ("0.999", 99.9), ("0.9999", 99.99)];

/// The start of all names.
const PREFIX: &str = "mq_bench_";

/// The quantiles, the sum and the count of times in seconds.
fn put_summary(page: &mut Page, name: &str, labels: &[Label<'_>], histogram: &Histogram<u64>) {
    for (quantile, percentile) in QUANTILES {
        let labels = [labels, &[("quantile", quantile)]].concat();
        page.value(name, &labels, histogram.value_at_percentile(percentile) as f64 / 1e9);
    }
    let sum = histogram.mean() * histogram.len() as f64 / 1e9;
    page.value(&format!("{name}_sum"), labels, sum);
    page.value(&format!("{name}_count"), labels, histogram.len());
}

fn put_counter(page: &mut Page, name: &str, help: &str, value: u64) {
    page.head(name, "counter", help);
    page.value(name, &[], value);
}

fn put_gauge(page: &mut Page, name: &str, help: &str, value: impl Display) {
    page.head(name, "gauge", help);
    page.value(name, &[], value);
}

/// The name, type and help of a metric by broker, and its value.
type BrokerMetric = (&'static str, &'static str, &'static str, fn(&BrokerPart) -> u64);

const BROKER_METRICS: [BrokerMetric; 8] = [
    ("broker_clients", "gauge", "Clients that were planned, by broker.", |part| part.clients),
    ("broker_connected_total", "counter", "Clients that the broker accepted.", |part| part.connected),
    ("broker_connections_lost_total", "counter", "Clients that lost their connection, by broker.", |part| {
        part.connections_lost
    }),
    ("broker_sent_total", "counter", "Messages sent, by the publisher's broker.", |part| part.sent),
    ("broker_acknowledged_total", "counter", "Messages that the broker acknowledged.", |part| {
        part.acknowledged
    }),
    ("broker_received_total", "counter", "Messages received, by the subscriber's broker.", |part| {
        part.received
    }),
    ("broker_owed_total", "counter", "Deliveries due, by the publisher's broker.", |part| part.owed),
    (
        "broker_lost_total",
        "counter",
        "Deliveries due that did not arrive, by the publisher's broker.",
        |part| part.lost,
    ),
];

impl Report {
    /// The report as metrics.
    pub(crate) fn to_prometheus(&self) -> String {
        let mut page = Page::new(PREFIX);
        put_gauge(&mut page, "clients", "Clients that were planned.", self.clients());
        self.put_counts(&mut page);
        self.put_rates(&mut page);
        put_gauge(&mut page, "elapsed_seconds", "Duration of the whole run.", self.elapsed.as_secs_f64());
        put_gauge(&mut page, "cpu_seconds", "CPU time of the client threads.", self.cpu.as_secs_f64());
        let is_bottleneck = u8::from(self.is_bottleneck());
        put_gauge(&mut page, "is_bottleneck", "1 when the load generator limited the run.", is_bottleneck);
        self.put_verdicts(&mut page);
        self.put_latencies(&mut page);
        self.put_group_latencies(&mut page);
        self.put_brokers(&mut page);
        self.put_tls(&mut page);
        self.put_errors(&mut page);
        page.into_text()
    }

    fn put_counts(&self, page: &mut Page) {
        for metric in &METRICS {
            let Some(((name, help), count)) = metric.prometheus.zip(metric.count(self)) else { continue };
            // A loss that could not be detected is left out: it is not 0.
            if metric.name != LOSS || self.is_delivery_judged() {
                put_counter(page, name, help, count);
            }
        }
    }

    fn put_rates(&self, page: &mut Page) {
        for metric in METRICS.iter().filter(|metric| metric.unit == Unit::Rate) {
            if let Some(((name, help), rate)) = metric.prometheus.zip(metric.value(self)) {
                put_gauge(page, name, help, rate);
            }
        }
    }

    fn put_verdicts(&self, page: &mut Page) {
        let has_passed = u8::from(self.judgement() != Judgement::Failed);
        put_gauge(page, "passed", "1 unless the run failed.", has_passed);
        let help =
            "1 for each condition that was met, 0 if it failed the run; those not measured are left out.";
        page.head("condition_passed", "gauge", help);
        let is_judged =
            |verdict: &Verdict| verdict.is_failure() || verdict.judgement != Judgement::NotMeasured;
        for verdict in self.verdicts().into_iter().filter(is_judged) {
            let labels: [Label<'_>; 2] = [("rule", verdict.rule.key()), ("condition", &verdict.condition)];
            page.value("condition_passed", &labels, u8::from(!verdict.is_failure()));
        }
    }

    fn put_latencies(&self, page: &mut Page) {
        if self.latencies.is_empty() {
            return;
        }
        page.head("latency_seconds", "summary", "Latencies by kind.");
        for (kind, latencies) in &self.latencies {
            put_summary(page, "latency_seconds", &[("kind", kind.key())], latencies.histogram());
        }
    }

    fn put_group_latencies(&self, page: &mut Page) {
        if !self.has_group_latencies() {
            return;
        }
        page.head("group_latency_seconds", "summary", "Latencies by group and kind.");
        for group in &self.groups {
            for (kind, latencies) in &group.latencies {
                let labels = [("group", &*group.name), ("kind", kind.key())];
                put_summary(page, "group_latency_seconds", &labels, latencies.histogram());
            }
        }
    }

    /// The counts and latencies of each broker, if there are several.
    fn put_brokers(&self, page: &mut Page) {
        if self.brokers.is_empty() {
            return;
        }
        for (name, kind, help, value) in BROKER_METRICS {
            page.head(name, kind, help);
            for part in &self.brokers {
                page.value(name, &[("broker", &part.address)], value(part));
            }
        }
        page.head("broker_latency_seconds", "summary", "Latencies by broker and kind.");
        for part in &self.brokers {
            for (kind, latencies) in &part.latencies {
                let labels = [("broker", &*part.address), ("kind", kind.key())];
                put_summary(page, "broker_latency_seconds", &labels, latencies.histogram());
            }
        }
    }

    /// The connections by the algorithms of TLS, if it was used.
    fn put_tls(&self, page: &mut Page) {
        let counts = self.tls.by_count();
        if counts.is_empty() {
            return;
        }
        page.head("tls_connections_total", "counter", "Accepted connections, by the algorithms of TLS.");
        for TlsCount { version, suite, group, signature, count } in counts {
            let [group, signature] = [group, signature].map(|name| name.as_deref().unwrap_or_default());
            let labels: [Label<'_>; 4] =
                [("version", version), ("suite", suite), ("group", group), ("signature", signature)];
            page.value("tls_connections_total", &labels, count);
        }
    }

    fn put_errors(&self, page: &mut Page) {
        let errors = self.errors.by_count();
        if errors.is_empty() {
            return;
        }
        page.head("errors_total", "counter", "Errors, by message.");
        for (stage, text, count) in errors {
            page.value("errors_total", &[("stage", stage_word(stage)), ("error", text)], count);
        }
    }
}

/// The totals of a run in progress, as metrics.
pub(crate) fn live(step: Option<Step>, totals: &Totals) -> String {
    let mut page = Page::new(PREFIX);
    page.head("step", "gauge", "The current step of the run.");
    page.value("step", &[("step", step.map_or("start", step_word))], 1);
    let counters = [
        ("connected_total", "Clients that the broker accepted.", totals.connected),
        ("connect_failures_total", "Clients that could not connect.", totals.failed),
        ("connections_lost_total", "Clients that lost their connection.", totals.lost),
        ("subscribed_total", "Subscriptions that were granted.", totals.subscribed),
        ("sent_total", "Messages that were sent.", totals.sent),
        ("acknowledged_total", "Messages that were acknowledged.", totals.acknowledged),
        ("received_total", "Messages that arrived, each once.", totals.received),
        ("denied_total", "Messages that the broker rejected.", totals.rejected),
    ];
    for (name, help, value) in counters {
        put_counter(&mut page, name, help, value);
    }
    // They are back if their process responds again.
    let abandoned = totals.abandoned + totals.abandoned_early;
    put_gauge(&mut page, "clients_abandoned", "Clients whose worker process failed.", abandoned);
    page.into_text()
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::super::tests::report;
    use super::*;
    use crate::bench::record::Stage;

    /// Whether a line is a comment, or a name with labels and a number.
    fn is_line(line: &str) -> bool {
        line.starts_with("# ")
            || line.rsplit_once(' ').is_some_and(|(name, value)| {
                name.starts_with("mq_bench_") && value.parse::<f64>().is_ok_and(f64::is_finite)
            })
    }

    #[test]
    fn every_line_is_a_comment_or_a_number() {
        let mut report = report();
        report.errors.add(Stage::Run, "a \"quoted\" \\ word\nand a line".to_owned(), 2);
        let text = report.to_prometheus();
        assert!(text.lines().all(is_line), "{text}");
        let error =
            "mq_bench_errors_total{stage=\"run\",error=\"a \\\"quoted\\\" \\\\ word\\nand a line\"} 2\n";
        assert!(text.contains(error), "{text}");
        assert!(text.contains("mq_bench_lost_total 0\n"));
        assert!(
            text.contains("mq_bench_latency_seconds{kind=\"end_to_end\",quantile=\"0.99\"} 1.2"),
            "{text}"
        );
    }

    #[test]
    fn a_condition_that_was_not_measured_neither_passed_nor_failed() {
        let mut report = report();
        report.conditions = vec![Verdict::new(Rule::AbortIf, "p99>1s", Judgement::NotMeasured, "")];
        assert!(!report.to_prometheus().contains("condition=\"p99>1s\""));
        report.conditions = vec![Verdict::new(Rule::FailIf, "p99>1s", Judgement::NotMeasured, "")];
        let failed = "mq_bench_condition_passed{rule=\"fail_if\",condition=\"p99>1s\"} 0\n";
        assert!(report.to_prometheus().contains(failed), "a requirement that is not fulfilled");
    }

    #[test]
    fn a_loss_that_was_not_judged_is_left_out() {
        let mut report = report();
        report.subscribers_to_the_end = 0;
        assert!(!report.to_prometheus().contains("lost_total 0\nmq_bench_lost_total"));
        assert!(!report.to_prometheus().contains("\nmq_bench_lost_total"));
    }

    #[test]
    fn totals_are_metrics_too() {
        let totals = Totals { sent: 7, ..Totals::default() };
        let text = live(Some(Step::Measure), &totals);
        assert!(text.lines().all(is_line), "{text}");
        assert!(
            text.contains("mq_bench_step{step=\"measure\"} 1\n") && text.contains("mq_bench_sent_total 7\n")
        );
    }
}
