//! What was measured: histograms, and which messages arrived. Every worker keeps its own; they are merged at the end.

use super::plan::{Group, Plan};
use super::timeline::Timeline;
use crate::protocol::Qos;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Different texts of errors that are kept apart; a broker could invent any number of them.
const MOST_ERROR_KINDS: usize = 50;

/// Times in nanoseconds, with three digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies(pub(super) Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies(Histogram::new(3).expect("three digits are within what the histogram allows"))
    }
}

impl Latencies {
    /// Notes a time.
    pub fn record(&mut self, nanoseconds: u64) {
        self.record_several(nanoseconds, 1);
    }

    /// Notes a time that was measured so often.
    pub fn record_several(&mut self, nanoseconds: u64, count: u64) {
        // The histogram grows as it must, up to any time there is.
        let _ = self.0.record_n(nanoseconds, count);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Latencies) {
        let _ = self.0.add(&other.0);
    }

    /// The histogram.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// Times that were recorded before.
    pub fn from_histogram(histogram: Histogram<u64>) -> Latencies {
        Latencies(histogram)
    }

    /// The time that so many percent did not exceed; `None` when nothing was recorded.
    pub fn at_percentile(&self, percentile: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_percentile(percentile))
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Received {
    next: u64,
    missing: Ranges,
    /// What was missed while the subscriber was away: from the message after the last one before that, to the first one after
    /// it; as long as there is none, to the end.
    gap: Option<(u64, u64)>,
}

impl Received {
    /// Notes a message.
    pub fn note(&mut self, sequence: u64) -> Arrival {
        if sequence == self.next && self.gap.is_none() {
            self.next += 1;
            return Arrival::New;
        }
        if sequence >= self.next {
            if let Some((_, end @ u64::MAX)) = &mut self.gap {
                *end = sequence;
            }
            self.missing.insert(self.next, sequence);
            self.next = sequence + 1;
            return Arrival::New;
        }
        if self.missing.remove(sequence) { Arrival::Reordered } else { Arrival::Duplicate }
    }

    /// From now on the subscriber is away, until the next message.
    pub fn begin_gap(&mut self) {
        self.gap = Some((self.next, u64::MAX));
    }

    /// How many of the messages that it should have received did not arrive, and how many of those in the gap.
    fn lost(&self, sent: &Sent) -> (u64, u64) {
        let all = self.lost_between(0, sent.count, sent);
        let Some((start, end)) = self.gap else {
            return (all, 0);
        };
        let end = end.min(sent.after_gap.unwrap_or(u64::MAX)).min(sent.count);
        let in_gap = self.lost_between(start, end, sent);
        (all - in_gap, in_gap)
    }

    fn lost_between(&self, start: u64, end: u64, sent: &Sent) -> u64 {
        let below = |limit| self.missing.count_below(limit);
        let missing = below(end).saturating_sub(below(start)) + end.saturating_sub(self.next.max(start));
        let is_missing = |&sequence: &u64| {
            (start..end).contains(&sequence) && (sequence >= self.next || self.missing.contains(sequence))
        };
        missing.saturating_sub(sent.unowed().filter(is_missing).count() as u64)
    }
}

/// What one publisher sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// How many messages the kernel took.
    pub count: u64,
    /// Those of QoS 1 and 2 whose last acknowledgement never came: they may have arrived or not.
    pub unacknowledged: Vec<u64>,
    /// Those that the broker denied.
    pub denied: Ranges,
    /// Those among them that the kernel did not take, since the connection was dropped before.
    pub unsent: Ranges,
    /// How many were sent before the measurement began.
    pub before_measuring: u64,
    /// The first one that was sent after all clients were back.
    pub after_gap: Option<u64>,
}

impl Sent {
    /// The messages that need not have arrived.
    fn unowed(&self) -> impl Iterator<Item = u64> {
        self.unacknowledged.iter().copied().chain(self.denied.iter()).chain(self.unsent.iter())
    }
}

/// What happened before the measurement began, and is among the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct WarmUp {
    pub acknowledged: u64,
    pub received: u64,
}

/// When the errors happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)] // the names say it
pub enum Stage {
    Connect,
    Subscribe,
    Run,
}

/// Errors by their words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(pub(super) BTreeMap<(Stage, String), u64>);

impl Errors {
    /// Counts errors of a kind.
    pub fn add(&mut self, stage: Stage, text: String, count: u64) {
        let key = (stage, text);
        let is_known = self.0.contains_key(&key) || self.0.len() < MOST_ERROR_KINDS;
        let key = if is_known { key } else { (stage, "other errors".to_owned()) };
        let known = self.0.entry(key).or_default();
        *known = known.saturating_add(count);
    }

    /// Adds others.
    pub fn merge(&mut self, other: Errors) {
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
        let counts = self.0.iter().filter(|((at, _), _)| *at == stage).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }
}

/// When something happened first and last, in nanoseconds since the run's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// From the first step of connecting to TCP's handshake being done.
    pub tcp_connect: Latencies,
    /// The TLS handshake.
    pub tls: Latencies,
    /// The WebSocket handshake.
    pub web_socket: Latencies,
    /// From CONNECT to CONNACK.
    pub connack: Latencies,
    /// From PUBLISH to its last acknowledgement.
    pub acknowledged: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub acknowledged_planned: Latencies,
    /// From PUBLISH at the publisher to its arrival at the subscriber.
    pub end_to_end: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub end_to_end_planned: Latencies,
    /// From a request to its response.
    pub round_trip: Latencies,
    /// The same from the planned send time; empty where no time was planned.
    pub round_trip_planned: Latencies,
    /// From a connection's loss to SUBACK of the next one.
    pub resubscribed: Latencies,
    /// How late the worker came to what was due: sends, and its own beat.
    pub lag: Latencies,
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
    /// Messages that were lost while their subscriber was away; the account leaves them out.
    pub gap_lost: u64,
    /// What happened before the measurement began.
    pub warm_up: WarmUp,
    /// Messages that were sent more than a millisecond after their planned time.
    pub late: u64,
    /// How often a send had to wait, since the socket's buffer was full.
    pub blocked_sends: u64,
    /// The processor time of the worker's thread, or of all of them together.
    pub cpu: Duration,
    /// The busiest thread's part of a processor during the measurement, from 0 to 1.
    pub busiest_thread: f64,
    /// What happened when.
    pub timeline: Timeline,
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
        self.tls.merge(&other.tls);
        self.web_socket.merge(&other.web_socket);
        self.connack.merge(&other.connack);
        self.acknowledged.merge(&other.acknowledged);
        self.acknowledged_planned.merge(&other.acknowledged_planned);
        self.end_to_end.merge(&other.end_to_end);
        self.end_to_end_planned.merge(&other.end_to_end_planned);
        self.round_trip.merge(&other.round_trip);
        self.round_trip_planned.merge(&other.round_trip_planned);
        self.resubscribed.merge(&other.resubscribed);
        self.lag.merge(&other.lag);
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
        self.gap_lost += other.gap_lost;
        self.warm_up.acknowledged += other.warm_up.acknowledged;
        self.warm_up.received += other.warm_up.received;
        self.late += other.late;
        self.blocked_sends += other.blocked_sends;
        self.cpu += other.cpu;
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
        self.timeline.merge(other.timeline);
        self.errors.merge(other.errors);
        self.sent.extend(other.sent);
        self.received.extend(other.received);
    }

    /// Sets what was sent against what arrived.
    pub fn account(&self, plan: &Plan) -> Account {
        let mut account = Account::default();
        for (&number, sent) in &self.sent {
            if let Some((group, publisher)) = plan.group_of_publisher(number) {
                self.account_for(sent, publisher, group, &mut account);
            }
        }
        account
    }

    fn account_for(&self, sent: &Sent, publisher: u32, group: &Group, account: &mut Account) {
        let denied = sent.denied.count_below(u64::MAX);
        let unacknowledged = sent.unacknowledged.iter().filter(|&&at| at < sent.count).count() as u64;
        let unsent = sent.unsent.count_below(u64::MAX);
        account.sent += sent.count - unsent;
        account.before_measuring += sent.before_measuring.min(sent.count - unsent);
        account.denied += denied;
        account.unacknowledged += unacknowledged;
        let owed = match group.qos {
            Qos::AtMostOnce => sent.count - unsent,
            Qos::AtLeastOnce | Qos::ExactlyOnce => sent.count - denied - unacknowledged,
        };
        for received in self.received_from(publisher, group) {
            let (lost, in_gap) = received.lost(sent);
            account.owed += owed - in_gap;
            account.lost += lost;
            account.gap_lost += in_gap;
        }
    }

    /// What the receivers that stayed to the end received of a publisher of their group.
    fn received_from<'a>(
        &'a self,
        publisher: u32,
        group: &'a Group,
    ) -> impl Iterator<Item = &'a Received> + use<'a> {
        let receivers = match (group.is_answered, &group.filter) {
            (true, _) => publisher..publisher + 1,
            (false, Some(_)) => 0..0,
            (false, None) => group.topics.subscribers_of(publisher),
        };
        receivers.filter_map(move |receiver| {
            let place = if group.is_answered { 0 } else { group.topics.place_of(publisher, receiver)? };
            self.received.get(&(group.first_subscriber + receiver))?.get(place)
        })
    }

    /// How many clients that are judged by what they received stayed to the end.
    pub fn judged_to_the_end(&self, plan: &Plan) -> u64 {
        let of_group = |group: &Group| {
            let range = group.first_subscriber..group.first_subscriber + group.judged();
            let count = self.received.range(range).count() as u64;
            // Those that share a subscription are one in the account.
            if group.share.is_some() { count * u64::from(group.subscribers) } else { count }
        };
        plan.groups.iter().map(of_group).sum()
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
    /// Deliveries that were not owed, since the subscriber was away when the message was sent.
    pub gap_lost: u64,
    /// How many of the sent messages were sent before the measurement began.
    pub before_measuring: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::tests::{group, plan};
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
        assert_eq!(received.lost(&sent(7)), (0, 0));
        assert!(received.missing.ends.is_empty());
    }

    #[test]
    fn gaps_and_what_never_came_are_lost() {
        let received = received(&[0, 3, 4, 9]);
        assert_eq!(received.lost(&sent(10)).0, 6);
        assert_eq!(received.lost(&sent(13)).0, 9, "the last three never came");
        assert_eq!(received.lost(&sent(6)).0, 3, "sent less than arrived");
        assert_eq!(Received::default().lost(&sent(4)).0, 4);
    }

    #[test]
    fn messages_that_the_broker_did_not_take_are_not_lost() {
        let received = received(&[0, 3]);
        let mut denied = Ranges::default();
        denied.insert(1, 2);
        denied.insert(3, 4); // Denied and delivered all the same.
        let sent = Sent { count: 6, unacknowledged: vec![4, 9], denied, ..Sent::default() };
        assert_eq!(received.lost(&sent).0, 2, "2 and 5");
    }

    #[test]
    fn what_was_missed_while_away_is_counted_apart() {
        let mut received = received(&[0, 1, 3]);
        received.begin_gap();
        assert_eq!(received.lost(&sent(9)), (1, 5), "nothing came since");
        let back_at = |after_gap| Sent { after_gap: Some(after_gap), ..sent(9) };
        assert_eq!(received.lost(&back_at(6)), (4, 2), "but it should have, from 6 on");
        received.note(7);
        assert_eq!(received.lost(&sent(9)), (2, 3), "2, which was missing before, and 8 behind");
        received.note(5);
        assert_eq!(received.lost(&sent(9)), (2, 2), "a late one was not lost");
    }

    #[test]
    fn nothing_is_missed_when_the_broker_kept_it() {
        let mut received = received(&[0, 1]);
        received.begin_gap();
        let arrivals: Vec<_> = [2, 3, 4].map(|sequence| received.note(sequence)).into();
        assert_eq!((arrivals, received.lost(&sent(5))), (vec![New, New, New], (0, 0)));
    }

    #[test]
    fn a_group_is_accounted_for_with_its_own_subscribers() {
        let answered = Group { is_answered: true, ..group(2, 1) };
        let plan = plan(vec![group(1, 1), answered]);
        let mut record = Record::default();
        (0..3).for_each(|publisher| drop(record.sent.insert(publisher, sent(2))));
        record.received.insert(0, vec![received(&[0, 1])]);
        record.received.insert(1, vec![received(&[0])]);
        record.received.insert(2, vec![received(&[0, 1])]);
        let expected = Account { sent: 6, owed: 6, lost: 1, ..Account::default() };
        assert_eq!((record.account(&plan), record.judged_to_the_end(&plan)), (expected, 3));
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
        let plan = plan(vec![group(3, 2)]);
        let mut first = Record::default();
        first.sent.insert(0, sent(5));
        first.sent.insert(2, Sent { count: 5, unacknowledged: vec![4], ..Sent::default() });
        let mut second = Record::default();
        second.sent.insert(1, sent(5));
        second.received.insert(0, vec![received(&[0, 1, 2, 3, 4]), received(&[0, 1])]);
        first.merge(second);
        let account = first.account(&plan);
        let expected = Account { sent: 15, unacknowledged: 1, owed: 9, lost: 2, ..Account::default() };
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
