//! Something that is wrong, or worth knowing, and where it stands.

use super::rule::Rule;
use std::fmt;
use std::ops::Range;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
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
    /// The bytes that it is about, counted from the packet's first byte.
    pub range: Range<usize>,
    /// What was there instead of what is allowed.
    pub detail: String,
}

impl Finding {
    /// A finding with its rule's severity.
    pub fn new(rule: Rule, range: Range<usize>, detail: impl Into<String>) -> Finding {
        Finding { rule, severity: rule.severity(), range, detail: detail.into() }
    }
}
