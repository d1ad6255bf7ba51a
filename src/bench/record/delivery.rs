//! Compares sent with received messages by sequence number.

use super::{Ranges, Record};
use crate::bench::plan::{Group, Plan};
use crate::protocol::Qos;
use serde::{Deserialize, Serialize};

/// How a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// For the first time, in order or ahead of others.
    New,
    /// For the first time, after one that was sent later.
    Reordered,
    /// Again.
    Duplicate,
}

/// The messages that one subscriber received from one publisher.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Received {
    next: u64,
    missing: Ranges,
    /// The gaps while the subscriber was away: from the sequence number after the last message before each, to the first
    /// message after it, or to the end if none has arrived.
    gaps: Vec<(u64, u64)>,
    duplicates: u64,
    reordered: u64,
}

impl Received {
    /// Records a message.
    pub(crate) fn note(&mut self, sequence: u64) -> Arrival {
        if sequence == self.next && self.gaps.is_empty() {
            self.next += 1;
            return Arrival::New;
        }
        if sequence >= self.next {
            if let Some((_, end @ u64::MAX)) = self.gaps.last_mut() {
                *end = sequence;
            }
            self.missing.insert(self.next, sequence);
            self.next = sequence + 1;
            return Arrival::New;
        }
        if self.missing.remove(sequence) {
            self.reordered += 1;
            Arrival::Reordered
        } else {
            self.duplicates += 1;
            Arrival::Duplicate
        }
    }

    /// Begins a gap that lasts until the next message, unless one has begun.
    pub(crate) fn begin_gap(&mut self) {
        if !matches!(self.gaps.last(), Some((_, u64::MAX))) {
            self.gaps.push((self.next, u64::MAX));
        }
    }

    /// The number of lost messages outside the gaps, and within them.
    fn lost(&self, sent: &Sent) -> (u64, u64) {
        let all = self.lost_between(0, sent.count, sent);
        let in_gap = |&(start, end): &(u64, u64)| {
            let end = end.min(sent.after_gap.unwrap_or(u64::MAX)).min(sent.count);
            self.lost_between(start, end, sent)
        };
        let in_gaps = self.gaps.iter().map(in_gap).sum();
        (all - in_gaps, in_gaps)
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

/// The messages that one publisher sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Messages that the kernel accepted.
    pub count: u64,
    /// QoS 1 and 2 messages without a final acknowledgement: they may have arrived or not.
    pub unacknowledged: Vec<u64>,
    /// Messages that the broker rejected.
    pub rejected: Ranges,
    /// Messages in `count` that the kernel did not accept before the connection was dropped.
    pub unsent: Ranges,
    /// Messages sent before the measurement began.
    pub before_measuring: u64,
    /// The first message sent after all clients were back.
    pub after_gap: Option<u64>,
}

impl Sent {
    /// The messages whose delivery is not due.
    fn unowed(&self) -> impl Iterator<Item = u64> {
        self.unacknowledged.iter().copied().chain(self.rejected.iter()).chain(self.unsent.iter())
    }
}

/// The deliveries of a group's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// Sent messages against deliveries.
    pub account: Account,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
}

/// Sent messages against deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Account {
    /// Messages that the kernel accepted.
    pub sent: u64,
    /// Messages that the broker rejected.
    pub rejected: u64,
    /// QoS 1 and 2 messages that were sent and never acknowledged.
    pub unacknowledged: u64,
    /// Deliveries due to subscribers that stayed to the end: at QoS 1 and 2 of acknowledged messages, at QoS 0 of all
    /// sent messages.
    pub owed: u64,
    /// Deliveries that were due and did not arrive.
    pub lost: u64,
    /// Missing deliveries that were not due, since the subscriber was away when the message was sent.
    pub gap_lost: u64,
    /// Messages sent before the measurement began.
    pub before_measuring: u64,
}

/// The treatment of a message that is sent while its subscriber is away.
#[derive(Clone, Copy)]
enum Missed {
    /// Its session is kept, so the broker has to deliver it later.
    Owed,
    /// Its delivery is not due.
    Excused,
}

fn missed_by(plan: &Plan, group: &Group) -> Missed {
    if plan.owes_missed_messages(group) { Missed::Owed } else { Missed::Excused }
}

/// The deliveries of one publisher's messages to one receiver.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delivered {
    pub owed: u64,
    pub lost: u64,
}

impl Record {
    /// Compares sent messages with deliveries.
    pub(crate) fn account(&self, plan: &Plan) -> Account {
        let mut account = Account::default();
        plan.groups.iter().for_each(|group| self.account_for_group(plan, group, &mut account));
        account
    }

    /// The same for one group, with duplicates and reordering at the receivers that stayed to the end.
    pub(crate) fn outcome(&self, plan: &Plan, group: &Group) -> Outcome {
        let mut outcome = Outcome::default();
        self.account_for_group(plan, group, &mut outcome.account);
        let receivers = group.first_subscriber..group.first_subscriber + group.receivers();
        for received in self.received.range(receivers).flat_map(|(_, received)| received) {
            outcome.duplicates += received.duplicates;
            // The members of a shared subscription overtake each other.
            outcome.reordered += if group.share.is_none() { received.reordered } else { 0 };
        }
        outcome
    }

    fn account_for_group(&self, plan: &Plan, group: &Group, account: &mut Account) {
        let publishers = group.first_publisher..group.first_publisher + group.publishers;
        for (&number, sent) in self.sent.range(publishers) {
            let missed = missed_by(plan, group);
            self.account_for(sent, (number - group.first_publisher, group), missed, account, |_, _| {});
        }
    }

    /// The account of a publisher, by its number in the group. `each` takes the deliveries to each
    /// receiver of the group.
    pub(crate) fn account_of_publisher(
        &self,
        plan: &Plan,
        of: (u32, &Group),
        each: impl FnMut(u32, Delivered),
    ) -> Account {
        let (publisher, group) = of;
        let mut account = Account::default();
        if let Some(sent) = self.sent.get(&(group.first_publisher + publisher)) {
            self.account_for(sent, of, missed_by(plan, group), &mut account, each);
        }
        account
    }

    fn account_for(
        &self,
        sent: &Sent,
        of: (u32, &Group),
        missed: Missed,
        account: &mut Account,
        mut each: impl FnMut(u32, Delivered),
    ) {
        let (publisher, group) = of;
        let rejected = sent.rejected.count_below(u64::MAX);
        let unacknowledged = sent.unacknowledged.iter().filter(|&&at| at < sent.count).count() as u64;
        let unsent = sent.unsent.count_below(u64::MAX);
        account.sent += sent.count - unsent;
        account.before_measuring += sent.before_measuring.min(sent.count - unsent);
        account.rejected += rejected;
        account.unacknowledged += unacknowledged;
        let owed = match group.sending_qos() {
            Qos::AtMostOnce => (sent.count - unsent).saturating_sub(rejected),
            Qos::AtLeastOnce | Qos::ExactlyOnce => sent.count - rejected - unacknowledged,
        };
        for (receiver, received) in self.received_from(publisher, group) {
            let (lost, in_gap) = match (received.lost(sent), missed) {
                ((lost, in_gap), Missed::Owed) => (lost + in_gap, 0),
                (counts, Missed::Excused) => counts,
            };
            account.owed += owed - in_gap;
            account.lost += lost;
            account.gap_lost += in_gap;
            each(receiver, Delivered { owed: owed - in_gap, lost });
        }
    }

    /// The messages that the receivers of a group that stayed to the end received from one of its publishers, by
    /// receiver.
    fn received_from<'a>(
        &'a self,
        publisher: u32,
        group: &'a Group,
    ) -> impl Iterator<Item = (u32, &'a Received)> + use<'a> {
        let receivers = match (group.is_answered, &group.filter) {
            (true, _) => publisher..publisher + 1,
            (false, Some(_)) => 0..0,
            (false, None) => group.topics.subscribers_of(publisher),
        };
        receivers.filter_map(move |receiver| {
            let index = if group.is_answered { 0 } else { group.topics.index_of(publisher, receiver)? };
            let received = self.received.get(&(group.first_subscriber + receiver))?.get(index)?;
            Some((receiver, received))
        })
    }

    /// The number of clients with an account of deliveries that stayed to the end.
    pub(crate) fn receivers_to_the_end(&self, plan: &Plan) -> u64 {
        let of_group = |group: &Group| {
            let range = group.first_subscriber..group.first_subscriber + group.receivers();
            let count = self.received.range(range).count() as u64;
            // The members of a shared subscription are one receiver in the account.
            if group.share.is_some() { count * u64::from(group.subscribers) } else { count }
        };
        plan.groups.iter().map(of_group).sum()
    }
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
        assert!(received.missing.iter().next().is_none());
    }

    #[test]
    fn gaps_and_a_missing_end_are_lost() {
        let received = received(&[0, 3, 4, 9]);
        assert_eq!(received.lost(&sent(10)).0, 6);
        assert_eq!(received.lost(&sent(13)).0, 9, "the last three never came");
        assert_eq!(received.lost(&sent(6)).0, 3, "sent less than arrived");
        assert_eq!(Received::default().lost(&sent(4)).0, 4);
    }

    #[test]
    fn messages_that_the_broker_did_not_take_are_not_lost() {
        let received = received(&[0, 3]);
        let mut rejected = Ranges::default();
        rejected.insert(1, 2);
        rejected.insert(3, 4); // Rejected and delivered all the same.
        let sent = Sent { count: 6, unacknowledged: vec![4, 9], rejected, ..Sent::default() };
        assert_eq!(received.lost(&sent).0, 2, "2 and 5");
    }

    #[test]
    fn messages_missed_while_away_are_counted_apart() {
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
        assert_eq!((record.account(&plan), record.receivers_to_the_end(&plan)), (expected, 3));
        record.received.insert(0, vec![received(&[1, 0, 0])]);
        let outcome = |group: usize| record.outcome(&plan, &plan.groups[group]);
        let account = Account { sent: 2, owed: 2, ..Account::default() };
        assert_eq!(outcome(0), Outcome { account, duplicates: 1, reordered: 1 });
        let account = Account { sent: 4, owed: 4, lost: 1, ..Account::default() };
        assert_eq!(outcome(1), Outcome { account, ..Outcome::default() });
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
}
