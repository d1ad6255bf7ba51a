//! Findings: errors, warnings and notes, each with its position in the packet.

use super::rule::Rule;
use crate::protocol::Version;
use std::fmt;
use std::ops::Range;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Severity {
    /// A note.
    #[default]
    Info,
    /// Allowed or uncertain, but likely to cause problems.
    Warning,
    /// A violation of the specification.
    Error,
}

impl Severity {
    /// `error`, `warn` or `info`, in options and output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warn",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A violation or a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub rule: Rule,
    /// The rule's severity, or a lower one if its evidence was not captured.
    pub severity: Severity,
    /// The version whose statement is violated.
    pub version: Version,
    /// The bytes in question, relative to the packet's first byte; empty if the finding is not about a packet.
    pub range: Range<usize>,
    /// The violation, with the values found.
    pub detail: String,
}

impl Finding {
    /// A finding with the rule's severity.
    pub(crate) fn new(
        rule: Rule,
        version: Version,
        range: Range<usize>,
        detail: impl Into<String>,
    ) -> Finding {
        Finding { rule, severity: rule.severity(), version, range, detail: detail.into() }
    }

    /// The violated statement, such as `MQTT-3.3.1-2`.
    pub(crate) fn statement(&self) -> &'static str {
        self.rule.id(self.version)
    }
}
