//! The text format of Prometheus: a finished report, and the totals of a run in progress.

use super::json::{stage_word, step_word};
use super::metrics::{LOSS, METRICS};
use super::{BrokerPart, Judgement, Report, TlsCount, Unit, Verdict};
use crate::bench::ending::Step;
use crate::bench::gauges::Totals;
use crate::escape;
use hdrhistogram::Histogram;
use std::fmt::{Display, Write};

/// The percentiles that are exported as quantiles.
const QUANTILES: [(&str, f64); 6] =
    [("0.5", 50.0), ("0.9", 90.0), ("0.95", 95.0), ("0.99", 99.0), ("0.999", 99.9), ("0.9999", 99.99)];

/// The metrics written so far.
#[derive(Default)]
struct Page(String);

impl Page {
    /// The HELP and TYPE lines of a metric.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP mq_bench_{name} {help}\n# TYPE mq_bench_{name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "mq_bench_{name}{labels} {value}");
    }

    /// The quantiles, the sum and the count of times in seconds.
    fn summary(&mut self, name: &str, labels: &str, histogram: &Histogram<u64>) {
        for (quantile, percentile) in QUANTILES {
            let labels = format!("{{{labels},quantile=\"{quantile}\"}}");
            self.value(name, &labels, histogram.value_at_percentile(percentile) as f64 / 1e9);
        }
        let sum = histogram.mean() * histogram.len() as f64 / 1e9;
        self.value(&format!("{name}_sum"), &format!("{{{labels}}}"), sum);
        self.value(&format!("{name}_count"), &format!("{{{labels}}}"), histogram.len());
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.value(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.value(name, "", value);
    }
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
        let mut page = Page::default();
        page.gauge("clients", "Clients that were planned.", self.clients());
        self.put_counts(&mut page);
        self.put_rates(&mut page);
        page.gauge("elapsed_seconds", "Duration of the whole run.", self.elapsed.as_secs_f64());
        page.gauge("cpu_seconds", "CPU time of the client threads.", self.cpu.as_secs_f64());
        let is_bottleneck = u8::from(self.is_bottleneck());
        page.gauge("is_bottleneck", "1 when the load generator limited the run.", is_bottleneck);
        self.put_verdicts(&mut page);
        self.put_latencies(&mut page);
        self.put_group_latencies(&mut page);
        self.put_brokers(&mut page);
        self.put_tls(&mut page);
        self.put_errors(&mut page);
        page.0
    }

    fn put_counts(&self, page: &mut Page) {
        for metric in &METRICS {
            let Some(((name, help), count)) = metric.prometheus.zip(metric.count(self)) else { continue };
            // A loss that could not be detected is left out: it is not 0.
            if metric.name != LOSS || self.is_delivery_judged() {
                page.counter(name, help, count);
            }
        }
    }

    fn put_rates(&self, page: &mut Page) {
        for metric in METRICS.iter().filter(|metric| metric.unit == Unit::Rate) {
            if let Some(((name, help), rate)) = metric.prometheus.zip(metric.value(self)) {
                page.gauge(name, help, rate);
            }
        }
    }

    fn put_verdicts(&self, page: &mut Page) {
        let has_passed = u8::from(self.judgement() != Judgement::Failed);
        page.gauge("passed", "1 unless the run failed.", has_passed);
        let help =
            "1 for each condition that was met, 0 if it failed the run; those not measured are left out.";
        page.head("condition_passed", "gauge", help);
        let is_judged =
            |verdict: &Verdict| verdict.is_failure() || verdict.judgement != Judgement::NotMeasured;
        for verdict in self.verdicts().into_iter().filter(is_judged) {
            let (rule, condition) = (verdict.rule.key(), label(&verdict.condition));
            let labels = format!("{{rule=\"{rule}\",condition=\"{condition}\"}}");
            page.value("condition_passed", &labels, u8::from(!verdict.is_failure()));
        }
    }

    fn put_latencies(&self, page: &mut Page) {
        if self.latencies.is_empty() {
            return;
        }
        page.head("latency_seconds", "summary", "Latencies by kind.");
        for (kind, latencies) in &self.latencies {
            page.summary("latency_seconds", &format!("kind=\"{}\"", kind.key()), latencies.histogram());
        }
    }

    fn put_group_latencies(&self, page: &mut Page) {
        if !self.has_group_latencies() {
            return;
        }
        page.head("group_latency_seconds", "summary", "Latencies by group and kind.");
        for group in &self.groups {
            for (kind, latencies) in &group.latencies {
                let labels = format!("group=\"{}\",kind=\"{}\"", label(&group.name), kind.key());
                page.summary("group_latency_seconds", &labels, latencies.histogram());
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
                page.value(name, &format!("{{broker=\"{}\"}}", label(&part.address)), value(part));
            }
        }
        page.head("broker_latency_seconds", "summary", "Latencies by broker and kind.");
        for part in &self.brokers {
            for (kind, latencies) in &part.latencies {
                let labels = format!("broker=\"{}\",kind=\"{}\"", label(&part.address), kind.key());
                page.summary("broker_latency_seconds", &labels, latencies.histogram());
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
            let text = |name: &Option<String>| label(name.as_deref().unwrap_or_default());
            let (group, signature) = (text(group), text(signature));
            let (version, suite) = (label(version), label(suite));
            let labels = format!(
                "{{version=\"{version}\",suite=\"{suite}\",group=\"{group}\",signature=\"{signature}\"}}"
            );
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
            let labels = format!("{{stage=\"{}\",error=\"{}\"}}", stage_word(stage), label(text));
            page.value("errors_total", &labels, count);
        }
    }
}

/// The totals of a run in progress, as metrics.
pub(crate) fn live(step: Option<Step>, totals: &Totals) -> String {
    let mut page = Page::default();
    page.head("step", "gauge", "The current step of the run.");
    let labels = format!("{{step=\"{}\"}}", step.map_or("start", step_word));
    page.value("step", &labels, 1);
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
        page.counter(name, help, value);
    }
    // They are back if their process responds again.
    let abandoned = totals.abandoned + totals.abandoned_early;
    page.gauge("clients_abandoned", "Clients whose worker process failed.", abandoned);
    page.0
}

/// The value of a label, which may be a broker's text. The format can escape line feeds, but no other control character.
fn label(text: &str) -> String {
    escape::lines(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
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
