//! What was measured: histograms, and which messages arrived. Every worker keeps its own; they are merged at the end.

use super::plan::Topics;
use crate::protocol::Qos;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// Different texts of errors that are kept apart; a broker could invent any number of them.
const MOST_ERROR_KINDS: usize = 50;

/// Times in nanoseconds, with three digits.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies(Histogram::new(3).expect("three digits are within what the histogram allows"))
    }
}

impl Latencies {
    /// Notes a time.
    pub fn record(&mut self, nanoseconds: u64) {
        // The histogram grows as it must, up to any time there is.
        let _ = self.0.record(nanoseconds);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Latencies) {
        let _ = self.0.add(&other.0);
    }

    /// The percentiles; `None` when nothing was recorded.
    pub fn summary(&self) -> Option<Summary> {
        let at = |percentile| self.0.value_at_percentile(percentile);
        (!self.0.is_empty()).then(|| Summary {
            count: self.0.len(),
            min: self.0.min(),
            mean: self.0.mean() as u64,
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            max: self.0.max(),
        })
    }
}

/// Percentiles in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub struct Summary {
    pub count: u64,
    pub min: u64,
    pub mean: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub max: u64,
}

/// Numbers in ranges, so that a million in a row take no more room than one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// From the first number of each range to the one after its last.
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds numbers that are not among them.
    pub fn insert(&mut self, start: u64, end: u64) {
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

    /// Takes a number out; whether it was among them.
    pub fn remove(&mut self, number: u64) -> bool {
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

    /// Whether a number is among them.
    pub fn contains(&self, number: u64) -> bool {
        self.ends.range(..=number).next_back().is_some_and(|(_, &end)| number < end)
    }

    /// How many are below `limit`.
    pub fn count_below(&self, limit: u64) -> u64 {
        self.ends.range(..limit).map(|(&start, &end)| end.min(limit) - start).sum()
    }

    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.ends.iter().flat_map(|(&start, &end)| start..end)
    }
}

/// How a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// For the first time, in order or ahead of others.
    New,
    /// For the first time, after one that was sent later.
    Reordered,
    /// Again.
    Duplicate,
}

/// What one subscriber received of one publisher.
#[derive(Debug, Clone, Default)]
pub struct Received {
    next: u64,
    missing: Ranges,
}

impl Received {
    /// Notes a message.
    pub fn note(&mut self, sequence: u64) -> Arrival {
        if sequence == self.next {
            self.next += 1;
            return Arrival::New;
        }
        if sequence > self.next {
            self.missing.insert(self.next, sequence);
            self.next = sequence + 1;
            return Arrival::New;
        }
        if self.missing.remove(sequence) { Arrival::Reordered } else { Arrival::Duplicate }
    }

    /// How many of the messages that it should have received did not arrive.
    fn lost(&self, sent: &Sent) -> u64 {
        let count = sent.count;
        let missing = self.missing.count_below(count) + count.saturating_sub(self.next);
        let is_missing =
            |&sequence: &u64| sequence < count && (sequence >= self.next || self.missing.contains(sequence));
        let unowed = sent.unacknowledged.iter().copied().chain(sent.denied.iter());
        missing - unowed.filter(is_missing).count() as u64
    }
}

/// What one publisher sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many messages the kernel took.
    pub count: u64,
    /// Those of QoS 1 and 2 whose last acknowledgement never came: they may have arrived or not.
    pub unacknowledged: Vec<u64>,
    /// Those that the broker denied.
    pub denied: Ranges,
}

/// When the errors happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Stage {
    Connect,
    Subscribe,
    Run,
}

/// Errors by their words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(BTreeMap<(Stage, String), u64>);

impl Errors {
    /// Counts errors of a kind.
    pub fn add(&mut self, stage: Stage, text: String, count: u64) {
        let key = (stage, text);
        let is_known = self.0.contains_key(&key) || self.0.len() < MOST_ERROR_KINDS;
        let key = if is_known { key } else { (stage, "other errors".to_owned()) };
        *self.0.entry(key).or_default() += count;
    }

    fn merge(&mut self, other: Errors) {
        for ((stage, text), count) in other.0 {
            self.add(stage, text, count);
        }
    }

    /// The errors, the most frequent first.
    pub fn by_count(&self) -> Vec<(Stage, &str, u64)> {
        let mut all: Vec<_> =
            self.0.iter().map(|((stage, text), &count)| (*stage, text.as_str(), count)).collect();
        all.sort_by_key(|&(stage, _, count)| (stage, std::cmp::Reverse(count)));
        all
    }

    /// How many happened at a stage.
    pub fn count(&self, stage: Stage) -> u64 {
        self.0.iter().filter(|((at, _), _)| *at == stage).map(|(_, count)| count).sum()
    }
}

/// When something happened first and last, in nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span(Option<(u64, u64)>);

impl Span {
    /// Notes a time.
    pub fn note(&mut self, time: u64) {
        let (first, last) = self.0.unwrap_or((time, time));
        self.0 = Some((first.min(time), last.max(time)));
    }

    fn merge(&mut self, other: Span) {
        if let Some((first, last)) = other.0 {
            self.note(first);
            self.note(last);
        }
    }

    /// The first time.
    pub fn first(self) -> Option<u64> {
        self.0.map(|(first, _)| first)
    }

    /// The last time.
    pub fn last(self) -> Option<u64> {
        self.0.map(|(_, last)| last)
    }
}

/// All that a worker measured.
#[derive(Debug, Default)]
pub struct Record {
    /// From the first step of connecting to TCP's handshake being done.
    pub tcp_connect: Latencies,
    /// From CONNECT to CONNACK.
    pub connack: Latencies,
    /// From PUBLISH to its last acknowledgement.
    pub acknowledged: Latencies,
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    pub end_to_end: Latencies,
    /// When clients were accepted.
    pub accepting: Span,
    /// When messages were handed to the kernel.
    pub sending: Span,
    /// When acknowledgements came; at QoS 0, when the broker answered that it had read everything.
    pub acknowledging: Span,
    /// When messages arrived.
    pub receiving: Span,
    /// Clients that the broker accepted.
    pub connected: u64,
    /// Clients that the broker refused with CONNACK.
    pub refused: u64,
    /// Clients that had no connection when the time for it was up.
    pub connections_lost: u64,
    /// Subscriptions that the broker granted.
    pub subscribed: u64,
    /// Messages that were acknowledged as taken.
    pub acknowledgements: u64,
    /// Messages that arrived for the first time.
    pub deliveries: u64,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
    /// Messages that arrived and were none of this run's.
    pub foreign: u64,
    /// What went wrong.
    pub errors: Errors,
    /// What each publisher sent.
    pub sent: BTreeMap<u32, Sent>,
    /// What each subscriber received of each of its publishers. Those that were not there to the end are left out: what they
    /// missed was not owed to them.
    pub received: BTreeMap<u32, Vec<Received>>,
}

impl Record {
    /// Adds another worker's.
    pub fn merge(&mut self, other: Record) {
        self.tcp_connect.merge(&other.tcp_connect);
        self.connack.merge(&other.connack);
        self.acknowledged.merge(&other.acknowledged);
        self.end_to_end.merge(&other.end_to_end);
        self.accepting.merge(other.accepting);
        self.sending.merge(other.sending);
        self.acknowledging.merge(other.acknowledging);
        self.receiving.merge(other.receiving);
        self.connected += other.connected;
        self.refused += other.refused;
        self.connections_lost += other.connections_lost;
        self.subscribed += other.subscribed;
        self.acknowledgements += other.acknowledgements;
        self.deliveries += other.deliveries;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.foreign += other.foreign;
        self.errors.merge(other.errors);
        self.sent.extend(other.sent);
        self.received.extend(other.received);
    }

    /// Sets what was sent against what arrived.
    pub fn account(&self, topics: &Topics, qos: Qos) -> Account {
        let mut account = Account::default();
        for (&publisher, sent) in &self.sent {
            let denied = sent.denied.count_below(u64::MAX);
            let unacknowledged = sent.unacknowledged.iter().filter(|&&at| at < sent.count).count() as u64;
            account.sent += sent.count;
            account.denied += denied;
            account.unacknowledged += unacknowledged;
            let owed = match qos {
                Qos::AtMostOnce => sent.count,
                Qos::AtLeastOnce | Qos::ExactlyOnce => sent.count - denied - unacknowledged,
            };
            for received in self.received_from(publisher, topics) {
                account.owed += owed;
                account.lost += received.lost(sent);
            }
        }
        account
    }

    /// What the subscribers that stayed to the end received of a publisher.
    fn received_from<'a>(
        &'a self,
        publisher: u32,
        topics: &'a Topics,
    ) -> impl Iterator<Item = &'a Received> + use<'a> {
        topics.subscribers_of(publisher).filter_map(move |subscriber| {
            let place = topics.place_of(publisher, subscriber)?;
            self.received.get(&subscriber)?.get(place)
        })
    }
}

/// What was sent against what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Messages that the kernel took.
    pub sent: u64,
    /// Messages that the broker denied.
    pub denied: u64,
    /// Messages of QoS 1 and 2 that were sent and never acknowledged.
    pub unacknowledged: u64,
    /// Deliveries that should have been to the subscribers that stayed to the end: at QoS 1 and 2 of acknowledged messages,
    /// at QoS 0 of all that were sent.
    pub owed: u64,
    /// How many of those never were.
    pub lost: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::{DEFAULT_TEMPLATE, RunId};
    use Arrival::{Duplicate, New, Reordered};

    fn received(sequences: &[u64]) -> Received {
        let mut received = Received::default();
        for &sequence in sequences {
            received.note(sequence);
        }
        received
    }

    fn sent(count: u64) -> Sent {
        Sent { count, ..Sent::default() }
    }

    #[test]
    fn arrivals_are_new_reordered_or_duplicates() {
        let mut received = Received::default();
        let arrivals: Vec<_> = [0, 1, 1, 5, 3, 3, 2, 4, 6, 0].map(|sequence| received.note(sequence)).into();
        let expected = [New, New, Duplicate, New, Reordered, Duplicate, Reordered, Reordered, New, Duplicate];
        assert_eq!(arrivals, expected);
        assert_eq!(received.lost(&sent(7)), 0);
        assert!(received.missing.ends.is_empty());
    }

    #[test]
    fn gaps_and_what_never_came_are_lost() {
        let received = received(&[0, 3, 4, 9]);
        assert_eq!(received.lost(&sent(10)), 6);
        assert_eq!(received.lost(&sent(13)), 9, "the last three never came");
        assert_eq!(received.lost(&sent(6)), 3, "sent less than arrived");
        assert_eq!(Received::default().lost(&sent(4)), 4);
    }

    #[test]
    fn messages_that_the_broker_did_not_take_are_not_lost() {
        let received = received(&[0, 3]);
        let mut denied = Ranges::default();
        denied.insert(1, 2);
        denied.insert(3, 4); // Denied and delivered all the same.
        let sent = Sent { count: 6, unacknowledged: vec![4, 9], denied };
        assert_eq!(received.lost(&sent), 2, "2 and 5");
    }

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

    #[test]
    fn workers_add_up() {
        let topics = Topics::new(DEFAULT_TEMPLATE, RunId(1), 3, 2).unwrap();
        let mut first = Record::default();
        first.sent.insert(0, sent(5));
        first.sent.insert(2, Sent { count: 5, unacknowledged: vec![4], ..Sent::default() });
        let mut second = Record::default();
        second.sent.insert(1, sent(5));
        second.received.insert(0, vec![received(&[0, 1, 2, 3, 4]), received(&[0, 1])]);
        first.merge(second);
        let account = first.account(&topics, Qos::AtLeastOnce);
        let expected = Account { sent: 15, denied: 0, unacknowledged: 1, owed: 9, lost: 2 };
        assert_eq!(account, expected, "publisher 1 had no subscriber to the end");
    }

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

    #[test]
    fn a_summary_has_three_digits() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.summary(), None);
        (1..=1000).for_each(|milliseconds| latencies.record(milliseconds * 1_000_000));
        let summary = latencies.summary().unwrap();
        assert_eq!(summary.count, 1000);
        let near = |value: u64, expected: u64| value.abs_diff(expected) <= expected / 500;
        assert!(
            near(summary.p50, 500_000_000)
                && near(summary.p99_9, 999_000_000)
                && near(summary.max, 1_000_000_000)
        );
    }
}
