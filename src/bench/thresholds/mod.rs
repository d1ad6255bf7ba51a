//! Judges a report: thresholds, comparison with an earlier report, and the search for the highest sustained rate.
//!
//! All of it is pure: a report in, a judgement out.

pub mod baseline;
pub mod metric;
pub mod search;
pub mod threshold;

pub use baseline::Comparison;
pub use metric::Metric;
pub use search::Search;
pub use threshold::{Miss, Thresholds};
