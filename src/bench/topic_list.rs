//! Topics from a file: each message goes to one of them, chosen by weight.

use super::random::{below, random};
use super::topics::Topics;
use crate::protocol::Qos;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// A topic of the list, as a template.
#[derive(Debug, Clone)]
pub(crate) struct ListedTopic {
    pub topics: Topics,
    pub qos: Qos,
}

/// The topics of a group. The choice follows from the run, the publisher and the number of the message alone, so that it
/// can be repeated, and is the same in every process and shard.
#[derive(Debug, Clone)]
pub(crate) struct TopicList {
    rows: Arc<[ListedTopic]>,
    /// The sum of the weights up to and including each row.
    ends: Arc<[u64]>,
    pub seed: u64,
    checksum: u32,
}

impl TopicList {
    /// A list of rows and their weights, which are not 0. `checksum` is that of the file. `None` if it is empty, or the sum of
    /// the weights is too large.
    pub(crate) fn new(rows: Vec<(ListedTopic, u64)>, seed: u64, checksum: u32) -> Option<TopicList> {
        let mut ends = Vec::with_capacity(rows.len());
        let mut sum = 0_u64;
        for (_, weight) in &rows {
            sum = sum.checked_add(*weight)?;
            ends.push(sum);
        }
        let rows: Arc<[_]> = rows.into_iter().map(|(row, _)| row).collect();
        (sum > 0).then(|| TopicList { rows, ends: ends.into(), seed, checksum })
    }

    /// The topic of a publisher's message. `publisher` is its number in the group of all shards.
    pub(super) fn choose(&self, publisher: u32, sequence: u64) -> Option<&ListedTopic> {
        let sum = self.ends.last().copied().unwrap_or_default();
        let point = below(random(self.seed, publisher, sequence), sum);
        self.rows.get(self.ends.partition_point(|end| *end <= point))
    }

    /// The lowest and the highest QoS.
    pub(crate) fn qos(&self) -> (Qos, Qos) {
        let all = || self.rows.iter().map(|row| row.qos);
        (all().min().unwrap_or(Qos::AtMostOnce), all().max().unwrap_or(Qos::AtMostOnce))
    }

    /// All QoS levels, in ascending order.
    pub(crate) fn qos_levels(&self) -> Vec<Qos> {
        let levels: BTreeSet<Qos> = self.rows.iter().map(|row| row.qos).collect();
        levels.into_iter().collect()
    }

    /// The number of topics.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The checksum of the file.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum
    }

    /// The same topics for these publishers only.
    #[must_use]
    pub(crate) fn subset(&self, publishers: &Range<u32>) -> TopicList {
        let row = |row: &ListedTopic| ListedTopic {
            topics: row.topics.clone().subset(publishers.clone(), 0..0),
            qos: row.qos,
        };
        TopicList { rows: self.rows.iter().map(row).collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::run_id::RunId;

    fn list(weights: &[u64], seed: u64) -> TopicList {
        let row = |(number, weight): (usize, &u64)| {
            let topics = Topics::new(&format!("t/{number}"), RunId(1), 4, 0).unwrap();
            (ListedTopic { topics, qos: Qos::AtMostOnce }, *weight)
        };
        TopicList::new(weights.iter().enumerate().map(row).collect(), seed, 0).unwrap()
    }

    /// The number of messages on each topic.
    fn counts(list: &TopicList) -> Vec<usize> {
        let chosen: Vec<_> = (0..4_u32)
            .flat_map(|publisher| (0..10_000).map(move |sequence| (publisher, sequence)))
            .map(|(publisher, sequence)| list.choose(publisher, sequence).unwrap().topics.text().to_owned())
            .collect();
        let count = |row: &ListedTopic| chosen.iter().filter(|text| *text == row.topics.text()).count();
        list.rows.iter().map(count).collect()
    }

    #[test]
    fn topics_are_chosen_by_weight() {
        let counts = counts(&list(&[1, 6, 3], 7));
        for (count, expected) in counts.into_iter().zip([4000, 24_000, 12_000_usize]) {
            assert!(count.abs_diff(expected) < expected / 20, "{count} instead of {expected}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_choice() {
        let choice = |seed| {
            let list = list(&[1; 100], seed);
            (0..50)
                .map(|sequence| list.choose(3, sequence).unwrap().topics.text().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(choice(7), choice(7));
        assert_ne!(choice(7), choice(8));
    }

    #[test]
    fn a_list_without_weight_is_none() {
        assert!(TopicList::new(Vec::new(), 7, 0).is_none());
        let huge = list(&[1], 7).rows.first().map(|row| (row.clone(), u64::MAX)).unwrap();
        assert!(TopicList::new(vec![huge.clone(), huge], 7, 0).is_none());
    }
}
