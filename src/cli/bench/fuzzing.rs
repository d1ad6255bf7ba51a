//! The entry point for fuzzers. Compiled for tests and with `--cfg fuzzing` only.

use super::scenario_file::{Gateway, parse};
use crate::bench::plan::RunId;
use std::path::Path;

/// Keys that name files, which are not read here.
const OF_FILES: [&str; 4] = ["payload_file", "payload_recording", "topics", "recorded_topics"];

/// Reads a scenario file.
pub fn scenarios(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A key can also be written with escapes.
    if text.contains('\\') || OF_FILES.iter().any(|key| text.contains(key)) {
        return;
    }
    for is_sn in [false, true] {
        let gateway = Gateway { is_sn, is_embedded: false };
        if let Err(error) = parse(Path::new("load.toml"), text, RunId(7), gateway) {
            assert!(!error.to_string().is_empty());
        }
    }
}
