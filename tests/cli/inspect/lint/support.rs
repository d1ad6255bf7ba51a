//! What was found, read from the JSON that the real binary prints.

use crate::support::capture::{FIRST_PORT, capture};
use crate::support::mq;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// One finding, and where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: String,
    pub statement: String,
    /// The packet's type, or the event.
    pub at: String,
    /// `c2s` or `s2c`; nothing for events of connections.
    pub direction: Option<String>,
    pub detail: String,
    /// The client's port.
    pub port: u16,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}: {}", self.severity, self.statement, self.at, self.detail)
    }
}

/// All that is found in a capture.
pub fn findings_in_file(path: &Path) -> Vec<Finding> {
    read(&mq("inspect --lint=info --format json").arg(path).run().stdout)
}

/// All that is found in a capture that is written down.
pub fn findings(script: &str) -> Vec<Finding> {
    read(&mq("inspect --lint=info --format json").stdin(capture(script)).run().stdout)
}

/// What is found, as `error MQTT-1.2.3-4 at PUBLISH`, and after each connection's number where it is not the first.
pub fn found(script: &str) -> Vec<String> {
    let name = |finding: Finding| {
        let connection = match finding.port - FIRST_PORT + 1 {
            1 => String::new(),
            other => format!("{other}: "),
        };
        format!("{connection}{} {} at {}", finding.severity, finding.statement, finding.at)
    };
    findings(script).into_iter().map(name).collect()
}

/// This is found, and nothing else.
#[track_caller]
pub fn assert_found(script: &str, expected: &[&str]) {
    let all = findings(script);
    let shown: Vec<String> = all.iter().map(Finding::to_string).collect();
    assert_eq!(found(script), expected, "in {script}\n{}", shown.join("\n"));
}

/// CONNECT and CONNACK of MQTT 3.1.1, and these lines.
pub fn v311(lines: &str) -> String {
    format!("> 10 (`MQTT` 04 02 003c `c`)\n< 20 (0000)\n{lines}")
}

/// CONNECT and CONNACK of MQTT 5.0 without properties, and these lines.
pub fn v5(lines: &str) -> String {
    v5_with("", "", lines)
}

/// CONNECT and CONNACK of MQTT 5.0 with these properties, and these lines.
pub fn v5_with(client: &str, server: &str, lines: &str) -> String {
    format!("> 10 (`MQTT` 05 02 003c ({client}) `c`)\n< 20 (0000 ({server}))\n{lines}")
}

fn read(stdout: &[u8]) -> Vec<Finding> {
    let mut ports = HashMap::new();
    let mut findings = Vec::new();
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let object: Value = serde_json::from_slice(line).unwrap();
        let connection = object["connection"].as_u64().unwrap();
        if let Some(client) = object["client"].as_str() {
            ports.insert(connection, client.rsplit_once(':').unwrap().1.parse().unwrap());
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for finding in object["findings"].as_array().into_iter().flatten() {
            findings.push(Finding {
                severity: text(&finding["severity"]),
                statement: text(&finding["statement"]),
                at: text(object.get("type").unwrap_or(&object["event"])),
                direction: object["direction"].as_str().map(str::to_owned),
                detail: text(&finding["detail"]),
                port: ports[&connection],
            });
        }
    }
    findings
}
