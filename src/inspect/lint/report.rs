//! What the rules found in one item.

use crate::inspect::{Finding, Rule, Severity};
use crate::protocol::Version;
use std::ops::Range;

/// Findings that are being gathered.
#[derive(Debug)]
pub(super) struct Report {
    /// The version whose statements are named.
    pub(super) version: Version,
    findings: Vec<Finding>,
}

impl Default for Report {
    fn default() -> Report {
        Report { version: Version::V311, findings: Vec::new() }
    }
}

impl Report {
    /// A rule is broken.
    pub(super) fn find(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.find_as(rule.severity(), rule, range, detail);
    }

    /// A rule is broken, and that is so bad.
    pub(super) fn find_as(
        &mut self,
        severity: Severity,
        rule: Rule,
        range: Range<usize>,
        detail: impl Into<String>,
    ) {
        self.findings.push(Finding { severity, ..Finding::new(rule, self.version, range, detail) });
    }

    /// Whether a statement is broken for certain.
    pub(super) fn has_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
