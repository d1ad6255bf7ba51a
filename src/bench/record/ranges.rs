//! A set of numbers, stored as ranges.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set of numbers. A million consecutive ones take no more memory than one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ranges {
    /// Maps the first number of each range to the one after its last.
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds the numbers in `start..end`, none of which may be in the set.
    pub(crate) fn insert(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let start = match self.ends.range(..start).next_back() {
            Some((&before, &before_end)) if before_end == start => before,
            _ => start,
        };
        let end = self.ends.remove(&end).unwrap_or(end);
        self.ends.insert(start, end);
    }

    /// Removes a number, and returns whether it was in the set.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let Some((&start, &end)) = self.ends.range(..=number).next_back() else {
            return false;
        };
        if number >= end {
            return false;
        }
        self.ends.remove(&start);
        self.insert_apart(start, number);
        self.insert_apart(number + 1, end);
        true
    }

    fn insert_apart(&mut self, start: u64, end: u64) {
        if start < end {
            self.ends.insert(start, end);
        }
    }

    /// Whether a number is in the set.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.ends.range(..=number).next_back().is_some_and(|(_, &end)| number < end)
    }

    /// The number of elements below `limit`.
    pub(crate) fn count_below(&self, limit: u64) -> u64 {
        self.ends.range(..limit).map(|(&start, &end)| end.min(limit) - start).sum()
    }

    /// The numbers in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.ends.iter().flat_map(|(&start, &end)| start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_gaps_in_a_row_are_one_range() {
        let mut ranges = Ranges::default();
        ranges.insert(0, 1_000_000);
        assert!(ranges.remove(500_000));
        assert!(!ranges.remove(500_000));
        assert_eq!(ranges.ends.len(), 2);
        ranges.insert(500_000, 500_001);
        assert_eq!(ranges.ends.len(), 1);
        assert_eq!(ranges.count_below(700_000), 700_000);
    }
}
