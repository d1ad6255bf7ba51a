//! A report as JSON, and back: schema `mq-bench/1`, described in docs/bench-json.md.
//!
//! Computed values (rates, percentiles, findings) are written for other readers and ignored when the report is read back: they
//! follow from the counts and the histograms. Unknown keys are ignored too, so that a later version may add some.

mod document;
mod histogram;
mod keywords;
mod read;
mod write;

use super::{Flow, Host, LatencyKind, Planned, Report};
use document::Document;
pub(crate) use keywords::scenario_word;
pub(super) use keywords::{stage_word, step_word};
use serde::Deserialize;

/// The schema of the files. Its number grows when an old reader would misread a new file.
pub(super) const SCHEMA: &str = "mq-bench/1";

/// The digits of the histograms of whole runs.
const DIGITS: u8 = 3;

/// The reason why a file is not a report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    /// Not JSON, or not of the expected shape.
    #[error("it is not a report of mq bench: {0}")]
    Shape(#[from] serde_json::Error),
    /// JSON without a schema.
    #[error("it is JSON without the key \"schema\"")]
    NoSchema,
    /// Another schema version.
    #[error("its schema is {0:?}, but this mq reads {SCHEMA:?}; use the mq that wrote it, or measure again")]
    OtherSchema(String),
    /// An invalid value.
    #[error("it is not a report of mq bench: {key} cannot be {value}")]
    Value {
        /// The path of the key.
        key: String,
        value: String,
    },
}

impl Report {
    /// The report as a JSON document with a trailing line feed.
    pub(crate) fn to_json(&self) -> String {
        let document = Document::of(self);
        let text = crate::json::to_string_pretty(&document);
        text.expect("strings, numbers, lists and maps with keys of text can be written") + "\n"
    }

    /// Reads the output of [`Report::to_json`].
    ///
    /// # Errors
    /// If the document is not a valid report.
    pub(crate) fn from_json(text: &[u8]) -> Result<Report, JsonError> {
        let probe: Probe = serde_json::from_slice(text)?;
        match probe.schema {
            Some(schema) if schema == SCHEMA => {}
            Some(schema) => return Err(JsonError::OtherSchema(schema)),
            None => return Err(JsonError::NoSchema),
        }
        serde_json::from_slice::<Document>(text)?.into_report()
    }
}

#[derive(Deserialize)]
struct Probe {
    schema: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::searched;
    use super::super::tests::{mix, report, spread};
    use super::super::{
        Flow, Judgement, LatencyKind, Machine, RecordedCommand, RecordedFile, Rule, Setup, Verdict,
    };
    use super::histogram::{HISTOGRAM_COOKIE, decode};
    use super::*;
    use crate::bench::broker_limits::BrokerLimits;
    use crate::bench::ending::{Ending, Step};
    use crate::bench::plan::{Scenario, Volume};
    use crate::bench::record::{Latencies, Stage};
    use crate::protocol::Qos;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::time::Duration;

    #[test]
    fn a_report_reads_back_as_it_was() {
        let mut report = report();
        report.ending = Ending::Stalled(Step::Drain);
        report.errors.add(Stage::Run, "closed \"early\"\u{1}".to_owned(), 3);
        report.plan.volume = Volume::Duration(Duration::from_millis(1500));
        report.hosts[0].open_files = None;
        (report.plan.processes, report.is_drain_cut) = (3, true);
        report.search = Some(searched());
        (report.plan.rate, report.plan.scenario) = (Some(0.125), Scenario::Reconnect);
        (report.account.gap_lost, report.account.before_measuring) = (3, 4);
        let rules = [Rule::FailIf, Rule::AbortIf, Rule::Baseline];
        let verdict = |rule| Verdict {
            limit: Some(1.5),
            ..Verdict::new(rule, "p99>1s", Judgement::NotMeasured, "text")
        };
        report.conditions = rules.map(verdict).to_vec();
        report.setup = Setup {
            command: Some(RecordedCommand {
                mode: "pub".to_owned(),
                options: vec![vec!["--retain".to_owned()], vec!["--topic".to_owned(), "a \"b\"".to_owned()]],
                left_out: vec!["--pw".to_owned()],
                files: vec![RecordedFile { path: "p".to_owned(), sha256: None }],
                scenario: Some("a\nb".to_owned()),
            }),
            seed: Some(u32::MAX),
            limits: Some(BrokerLimits { retain_available: Some(false), ..BrokerLimits::default() }),
            broker_version: Some("x".to_owned()),
        };
        report.hosts[0].machine = Some(Machine { local_ports: Some((1, 2)), ..Machine::default() });
        assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
    }

    #[test]
    fn the_counters_of_the_broker_read_back() {
        let report = super::super::tests::watched();
        assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
    }

    #[test]
    fn several_brokers_read_back() {
        let mut report = super::super::tests::two_brokers();
        (report.brokers[0].rejected, report.brokers[1].connections_lost) = (3, 4);
        assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
    }

    #[test]
    fn a_mix_reads_back_group_by_group() {
        let mut report = mix();
        report.groups[0].outcome.account.rejected = 7;
        report.groups[1].listens_to = Some("a/#".to_owned());
        (report.groups[1].rate, report.groups[1].subscription_qos) = (Some(0.5), Qos::ExactlyOnce);
        assert_eq!(Report::from_json(report.to_json().as_bytes()).unwrap(), report);
    }

    #[test]
    fn reports_of_earlier_versions_have_one_group() {
        let mut json: Value = serde_json::from_str(&report().to_json()).unwrap();
        json.as_object_mut()
            .unwrap()
            .retain(|key, _| !["groups", "search", "is_drain_cut", "verdicts"].contains(&key.as_str()));
        json["plan"].as_object_mut().unwrap().retain(|key, _| !["processes", "load"].contains(&key.as_str()));
        let mut expected = report();
        (expected.plan.load, expected.groups[0].shape) = (None, None);
        assert_eq!(Report::from_json(json.to_string().as_bytes()).unwrap(), expected);
        assert!(
            expected.all_differences(&report()).is_empty(),
            "a missing load does not count as a difference"
        );
    }

    proptest! {
        #[test]
        fn whatever_was_measured_reads_back(
            times in proptest::collection::vec(any::<u64>(), 0..50),
            counts in any::<[u32; 8]>(),
            flow in proptest::option::of((any::<u64>(), any::<u64>())),
            kind in 0..LatencyKind::ALL.len(),
            busiest in proptest::option::of(0_u32..=1000),
        ) {
            let mut report = report();
            let [sent, lost, reordered, late, slot, blocked, duplicates, cpu] = counts.map(u64::from);
            report.sent = Flow { count: sent, span: flow };
            (report.account.lost, report.reordered, report.late) = (lost, reordered, late);
            (report.blocked_sends, report.duplicates) = (blocked, duplicates);
            report.cpu = Duration::from_nanos(cpu);
            report.busiest_thread_percent = busiest.map(|tenths| f64::from(tenths) / 10.0);
            let mut latencies = Latencies::default();
            for &time in &times {
                latencies.record(time);
                report.timeline.at(slot * 1_000_000_000).latency.record(time);
            }
            if !times.is_empty() {
                report.latencies.insert(LatencyKind::ALL[kind], latencies);
            }
            let read = Report::from_json(report.to_json().as_bytes()).unwrap();
            prop_assert_eq!(read, report);
        }

        #[test]
        fn broken_histograms_are_refused_or_read_and_never_more(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut text = Vec::from(HISTOGRAM_COOKIE.to_be_bytes());
            text.extend(bytes);
            let _ = decode::<u64>(&STANDARD.encode(text), DIGITS);
        }
    }

    #[test]
    fn latencies_read_from_json_can_be_merged() {
        let mut read = Report::from_json(report().to_json().as_bytes()).unwrap();
        let latencies = read.latencies.get_mut(&LatencyKind::EndToEnd).unwrap();
        latencies.merge(&spread(40_000_000_000));
        assert_eq!(latencies.histogram().len(), 2000, "longer times than it held");
    }

    #[test]
    fn other_files_are_distinguished() {
        let error = |text: &str| Report::from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error("").contains("not a report of mq bench: EOF"));
        assert!(error("[1]").contains("not a report"));
        assert!(error("{}").contains("without the key"));
        assert!(
            error("{\"schema\":\"mq-bench/2\"}").contains("its schema is \"mq-bench/2\", but this mq reads")
        );
        assert!(error("{\"schema\":\"mq-bench/1\"}").contains("missing field `tool`"));
        let json = report().to_json();
        assert!(error(&json.replace("\"qos\": 1", "\"qos\": 3")).contains("groups.qos cannot be 3"));
        assert!(error(&json.replace("\"complete\"", "\"odd\"")).contains("ending cannot be odd"));
        let broken = json.replace("\"histogram\": \"HIST", "\"histogram\": \"HISR");
        assert!(error(&broken).contains("histogram of"), "{}", error(&broken));
        assert!(
            error(&json.replace("\"slot_ns\": 1000000000", "\"slot_ns\": 3")).contains("1 slots of 3 ns")
        );
    }
}
