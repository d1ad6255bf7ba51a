//! Judges a report: thresholds, conditions that end a run early, comparison with an earlier report, and the search for the highest sustained rate.
//!
//! All of it is pure: a report in, a judgement out.

pub mod baseline;
pub mod live;
pub mod metric;
pub mod search;
pub mod threshold;

pub use baseline::Comparison;
<<<<<<< HEAD
pub use live::{AbortConditions, AbortWatch, Snapshot};
pub use metric::Metric;
=======
>>>>>>> 54daaf5 (Only the entry points are public: other modules are crate-private, and what nobody uses is gone)
pub use search::Search;
pub use threshold::Thresholds;
