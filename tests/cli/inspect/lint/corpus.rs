//! The corpus: each labelled violation on its connection, and no error where there is none.

use super::support::{Finding, findings_in_file};
use std::collections::HashMap;
use std::path::PathBuf;

/// Captures of programs that do nothing wrong. 05 ends with a topic alias that is too high, 22 holds packets for their fields.
const CLEAN: [&str; 22] = [
    "01-live-v31-session.pcap",
    "03-live-v5-session.pcap",
    "04-live-v5-mosquitto-cli-props.pcapng",
    "06-live-large-100k-mss1400.pcap",
    "08-live-one-byte-segments.pcap",
    "09-craft-retransmit-out-of-order.pcap",
    "11-craft-vlan-qinq.pcap",
    "12-live-websocket.pcap",
    "13-live-60-connections.pcap",
    "14-live-midconnection-v5.pcap",
    "17a-live-any-sll2.pcap",
    "17c-craft-dlt-raw.pcap",
    "18c-craft-big-endian-usec.pcap",
    "18e-craft-truncated-file.pcap",
    "18f-craft-simple-packet-blocks.pcapng",
    "20-live-mosquitto-bridge-0x84.pcap",
    "24-craft-capture-gap.pcap",
    "25-craft-conflicting-overlap.pcap",
    "29-craft-payload-formats.pcap",
    "30-craft-nonstandard-port-9999.pcap",
    "34-craft-rtt-ground-truth.pcap",
    "36-craft-starts-inside-packet.pcap",
];

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn findings(file: &str) -> Vec<Finding> {
    findings_in_file(&corpus().join(file))
}

/// One row of EXPECTED-FINDINGS.tsv.
struct Label {
    file: String,
    port: u16,
    direction: String,
    /// A statement, or a class of them.
    what: String,
    note: String,
}

fn labels() -> Vec<Label> {
    let text = std::fs::read_to_string(corpus().join("EXPECTED-FINDINGS.tsv")).unwrap();
    let row = |line: &str| {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [file, port, direction, _, what, note] = columns.try_into().unwrap();
        Label { file, port: port.parse().unwrap(), direction, what, note }
    };
    text.lines().skip(1).map(row).collect()
}

impl Label {
    /// The unexpected and the missing findings, if any.
    fn problem(&self, found: &[&Finding]) -> Option<String> {
        let errors: Vec<&&Finding> = found.iter().filter(|finding| finding.severity == "error").collect();
        let is_right = match self.what.as_str() {
            "ok" => found.is_empty(),
            "warn" => errors.is_empty() && found.iter().any(|finding| finding.severity == "warn"),
            "malformed" | "protocol" | "truncated" => {
                let [error] = errors[..] else { return Some(self.describe(found)) };
                error.direction.as_ref() == Some(&self.direction)
            }
            statement => {
                let is_accepted = |finding: &Finding| {
                    // Of an alias without a Topic Alias Maximum two statements speak.
                    finding.statement == statement
                        || statement == "MQTT-3.2.2-18" && finding.statement == "MQTT-3.3.2-9"
                };
                found.iter().any(|finding| is_accepted(finding))
                    && errors.iter().all(|finding| is_accepted(finding))
            }
        };
        (!is_right).then(|| self.describe(found))
    }

    fn describe(&self, found: &[&Finding]) -> String {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!("{} {} {} ({}): {found:?}", self.file, self.port, self.what, self.note)
    }
}

#[test]
fn every_labelled_violation_is_found_on_its_connection_and_nothing_worse() {
    let labels = labels();
    assert_eq!(labels.len(), 103);
    let mut by_file: HashMap<String, Vec<Finding>> = HashMap::new();
    let mut problems = Vec::new();
    for label in &labels {
        let all = by_file.entry(label.file.clone()).or_insert_with(|| findings(&label.file));
        let here: Vec<&Finding> = all.iter().filter(|finding| finding.port == label.port).collect();
        problems.extend(label.problem(&here));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn programs_that_do_nothing_wrong_are_accused_of_nothing() {
    for file in CLEAN {
        let errors: Vec<Finding> =
            findings(file).into_iter().filter(|finding| finding.severity == "error").collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
    }
}

#[test]
fn an_alias_above_the_maximum_is_the_one_error_of_its_capture() {
    let statements: Vec<String> = findings("05-live-v5-topic-alias.pcap")
        .into_iter()
        .filter(|finding| finding.severity == "error")
        .map(|finding| finding.statement)
        .collect();
    assert_eq!(statements, ["MQTT-3.2.2-17"]);
}
