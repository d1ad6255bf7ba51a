//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::prometheus::metrics;

/// Reads a page in Prometheus' format.
pub fn metrics_pages(bytes: &[u8]) {
    let page = String::from_utf8_lossy(bytes);
    if let Ok(metrics) = metrics(&page) {
        assert!(!metrics.is_empty());
    }
}
