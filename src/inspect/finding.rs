//! Something that is wrong, or worth knowing, and where it stands.

use super::rule::Rule;
use crate::protocol::Version;
use std::fmt;
use std::ops::Range;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// Allowed, or not certain, but asking for trouble.
    Warning,
    /// A statement of the specification is broken.
    Error,
}

impl Severity {
    /// `error`, `warn` or `info`, as it is typed and printed.
    pub fn name(self) -> &'static str {
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

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// How bad it is; the rule's own severity, or less where what it rests on was not seen.
    pub severity: Severity,
    /// The version whose statement is broken.
    pub version: Version,
    /// The bytes that it is about, counted from the packet's first byte; none where it is about no packet.
    pub range: Range<usize>,
    /// What was there instead of what is allowed.
    pub detail: String,
}

impl Finding {
    /// A finding with its rule's severity.
    pub fn new(rule: Rule, version: Version, range: Range<usize>, detail: impl Into<String>) -> Finding {
        Finding { rule, severity: rule.severity(), version, range, detail: detail.into() }
    }

    /// The statement that is broken, such as `MQTT-3.3.1-2`.
    pub fn statement(&self) -> &'static str {
        self.rule.id(self.version)
    }
}
