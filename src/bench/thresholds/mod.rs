//! Judges a report: thresholds, conditions that end a run early, comparison with an earlier report, and the search for the highest sustained rate.
//!
//! All of it is pure: a report in, a judgement out.

pub mod baseline;
pub mod live;
pub mod metric;
pub mod search;
pub mod threshold;

pub use baseline::Comparison;
pub use live::{AbortConditions, AbortWatch, Snapshot};
pub use search::Search;
pub use threshold::Thresholds;
