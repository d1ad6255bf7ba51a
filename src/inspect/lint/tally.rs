//! How much was found in all.

use crate::inspect::{Finding, Severity};
use std::fmt;

/// Findings, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Statements that are broken.
    pub errors: u64,
    /// What asks for trouble.
    pub warnings: u64,
    /// What is worth knowing.
    pub infos: u64,
    /// Connections with MQTT.
    pub connections: u64,
    /// Those in which something was found.
    pub connections_with_findings: u64,
}

impl Tally {
    pub(super) fn count(&mut self, findings: &[Finding]) {
        for finding in findings {
            match finding.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Info => self.infos += 1,
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        write!(
            f,
            "{} error{}, {} warning{} and {} info{} in {} of {} connection{}",
            self.errors,
            plural(self.errors),
            self.warnings,
            plural(self.warnings),
            self.infos,
            plural(self.infos),
            self.connections_with_findings,
            self.connections,
            plural(self.connections)
        )
    }
}
