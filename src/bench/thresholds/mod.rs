//! Judges a report: thresholds, conditions that end a run early, and the search for the highest sustained rate.
//!
//! All of it is pure: a report in, a judgement out.

pub(crate) mod live;
pub(crate) mod metric;
pub(crate) mod search;
pub(crate) mod threshold;

pub(crate) use live::{AbortConditions, AbortWatch, Snapshot};
pub(crate) use search::Search;
pub(crate) use threshold::Thresholds;

/// The conditions of a scenario file: those of the whole run, and those of its groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// They fail the run.
    pub(crate) fail_if: Thresholds,
    /// They end it early.
    pub(crate) abort_if: AbortConditions,
}
