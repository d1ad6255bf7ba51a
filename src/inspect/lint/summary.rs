//! The number of findings.

use crate::inspect::{Finding, Severity};
use crate::words::counted;
use std::fmt;

/// Findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FindingCounts {
    /// Violations of the specification.
    pub errors: u64,
    /// Allowed or uncertain, but likely to cause problems.
    pub warnings: u64,
    /// Notes.
    pub infos: u64,
    /// MQTT connections.
    pub connections: u64,
    /// MQTT connections with findings.
    pub connections_with_findings: u64,
    /// Sparkplug nodes that were forgotten to make room for others.
    pub forgotten_nodes: u64,
}

impl FindingCounts {
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

impl fmt::Display for FindingCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} and {} in {} of {}",
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
            counted(self.infos, "info"),
            self.connections_with_findings,
            counted(self.connections, "connection")
        )?;
        match self.forgotten_nodes {
            0 => Ok(()),
            count => write!(f, "; the state of Sparkplug nodes was dropped {}", counted(count, "time")),
        }
    }
}
