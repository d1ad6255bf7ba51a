//! Errors of a run, counted by text.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum number of distinct error texts; a broker could make up any number of them.
const MOST_ERROR_KINDS: usize = 50;

/// When the errors happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Stage {
    Connect,
    Subscribe,
    Run,
}

/// Errors by stage and text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(pub(in crate::bench) BTreeMap<(Stage, String), u64>);

impl Errors {
    /// Adds errors with the same text.
    pub(crate) fn add(&mut self, stage: Stage, text: String, count: u64) {
        let key = (stage, text);
        let is_known = self.0.contains_key(&key) || self.0.len() < MOST_ERROR_KINDS;
        let key = if is_known { key } else { (stage, "other errors".to_owned()) };
        let known = self.0.entry(key).or_default();
        *known = known.saturating_add(count);
    }

    /// Adds the errors of another record.
    pub(crate) fn merge(&mut self, other: Errors) {
        for ((stage, text), count) in other.0 {
            self.add(stage, text, count);
        }
    }

    /// The errors, the most frequent first.
    pub(crate) fn by_count(&self) -> Vec<(Stage, &str, u64)> {
        let mut all: Vec<_> =
            self.0.iter().map(|((stage, text), &count)| (*stage, text.as_str(), count)).collect();
        all.sort_by_key(|&(stage, _, count)| (stage, std::cmp::Reverse(count)));
        all
    }

    /// The number of errors of a stage.
    pub(crate) fn count(&self, stage: Stage) -> u64 {
        let counts = self.0.iter().filter(|((at, _), _)| *at == stage).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_by_their_words() {
        let mut errors = Errors::default();
        errors.add(Stage::Run, "closed".to_owned(), 1);
        errors.add(Stage::Connect, "refused".to_owned(), 2);
        errors.add(Stage::Connect, "busy".to_owned(), 3);
        errors.add(Stage::Connect, "refused".to_owned(), 2);
        let expected =
            [(Stage::Connect, "refused", 4), (Stage::Connect, "busy", 3), (Stage::Run, "closed", 1)];
        assert_eq!(errors.by_count(), expected);
        for number in 0..1000 {
            errors.add(Stage::Run, format!("invented {number}"), 1);
        }
        assert_eq!((errors.0.len(), errors.count(Stage::Run)), (MOST_ERROR_KINDS + 1, 1001));
    }
}
