//! The findings of one item.

use crate::inspect::{Finding, Rule, Severity};
use crate::protocol::Version;
use std::ops::Range;

#[derive(Debug)]
pub(super) struct FindingList {
    /// The version whose statements are cited.
    pub(super) version: Version,
    findings: Vec<Finding>,
}

impl Default for FindingList {
    fn default() -> FindingList {
        FindingList { version: Version::V311, findings: Vec::new() }
    }
}

impl FindingList {
    /// Adds a finding with the rule's severity.
    pub(super) fn find(&mut self, rule: Rule, range: Range<usize>, detail: impl Into<String>) {
        self.find_as(rule.severity(), rule, range, detail);
    }

    /// Adds a finding with another severity.
    pub(super) fn find_as(
        &mut self,
        severity: Severity,
        rule: Rule,
        range: Range<usize>,
        detail: impl Into<String>,
    ) {
        self.findings.push(Finding { severity, ..Finding::new(rule, self.version, range, detail) });
    }

    pub(super) fn has_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
